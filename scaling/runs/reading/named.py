"""Columns that the caller names: taken, or refused where their headers say that they hold something else."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import pandas as pd

from ..vocabulary import KNOWN_NAMES, LIMITS
from .counted import counted
from .mapping import Mapped, listed_columns
from .ratios import is_logarithm, read_ratio
from .spreads import is_no_loss, loss_of_another
from .units import read_header, unit_of_logarithm


def named_columns(frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[list[Mapped], list[str]]:
    """The columns that the caller names, and problems with them."""
    mapped: list[Mapped] = []
    problems = []
    names = [str(name) for name in frame.columns]
    for ours, theirs in columns.items():
        if ours not in KNOWN_NAMES:
            problems.append(f"--column {ours[:40]}=...: no such quantity; there are {', '.join(KNOWN_NAMES)}")
        elif words := _no_column(theirs, names, mapped):
            problems.append(f"--column {ours}={theirs[:40]}: {words}")
        elif ours == "run" and "loss" not in columns and _is_loss(theirs, names):
            problems.append(f"--run {theirs[:40]}: this is the loss, not the name of a run; name what tells runs apart")
        elif words := _something_else(ours, theirs, names):
            problems.append(f"--column {ours}={theirs[:40]}: {words}")
        else:
            mapped.append(Mapped(ours, theirs, names.index(theirs)))
    return mapped, problems


def _is_loss(theirs: str, names: list[str]) -> bool:
    """Whether a header is the only one of a loss."""
    losses = [name for name in names if (header := read_header(name)) and header.name == "loss"]
    return losses == [theirs]


def _no_column(theirs: str, names: list[str], mapped: list[Mapped]) -> str:
    """What is said of a name that is none of a column, or of one that is taken; "" of others."""
    if theirs not in names:
        close = difflib.get_close_matches(theirs, names, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {listed_columns(names)}"
        return f"no such column; {hint}"
    return "this column is named twice" if names.index(theirs) in {m.place for m in mapped} else ""


def _something_else(ours: str, theirs: str, names: list[str]) -> str:
    """What is said of a header that names something else than the quantity; "" where it may be one of it."""
    if ours in LIMITS and (ratio := read_ratio(theirs)) and not (ours == "loss" and loss_of_another(theirs)):
        halves = f" ({ratio.over} over {ratio.under})" if ratio.over and ratio.under else ""
        hint = "leave the option out, and it is multiplied" if halves else "name a column of the quantity itself"
        return f"this is a ratio or a rate{halves}, not {ours}: {hint}"
    if (other := counted(ours, theirs, names)) and other.what != "sequences":
        return f"this counts {other.what}, not {ours}: {other.option(ours, theirs, names)}"
    if ours in LIMITS and is_logarithm(theirs) and not (ours == "loss" and unit_of_logarithm(theirs) is not None):
        return "this is a logarithm: add a column with the quantity itself"
    if ours == "loss" and is_no_loss(theirs):
        return "it says how far losses spread, or of how many: name the loss itself"
    return ""

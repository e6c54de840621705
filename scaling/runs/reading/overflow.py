"""Counts that were kept in too few bits: those beyond 2^31 or 2^63 are negative, those beyond 2^32 begin at 0 again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..._words import name_rows
from ..numbers import to_numbers
from .mapping import Mapped

#: a negative count of so many is no slip of the sign where the others fill its bits
_MANY = 1e6
#: tokens fall by this share, at least, where the loss falls by that, and from beyond so many
_FALL, _LOSS, _FROM = 0.05, 0.005, 2.0**30


@np.errstate(invalid="ignore")
def overflown(frame: pd.DataFrame, given: Mapping[str, Mapped]) -> list[str]:
    """A question for each count that looks as if it had lost its highest bits."""
    words = []
    for name in [name for name in ("params", "tokens", "flops", "budget") if name in frame and name in given]:
        values = to_numbers(frame[name])[0]
        good = values[np.isfinite(values)]
        if not len(good) or (good != np.round(good)).any():
            continue
        seen = _negative(frame, values) or (_starts_again(frame, values) if name == "tokens" else "")
        if seen:
            hint = (
                f"write them with more bits, or make them from other columns with --derive; --unit {name}=count takes "
            )
            words.append(f"column {given[name].column!r}, {seen}: {hint}the numbers as they are")
    return words


def _negative(frame: pd.DataFrame, values: np.ndarray) -> str:
    below, most = values < -_MANY, float(np.nanmax(np.abs(values)))
    bits = next((bits for bits in (32, 64) if 2.0 ** (bits - 3) < most <= 2.0 ** (bits - 1)), 0)
    if not below.any() or not bits:
        return ""
    said = (
        f"{name_rows(frame.index, below)}: negative whole numbers, and none beyond 2^{bits - 1} = {2 ** (bits - 1):.3g}"
    )
    return f"{said}: did counts overflow {bits} bits? Then positive ones may be wrong, too"


def _starts_again(frame: pd.DataFrame, values: np.ndarray) -> str:
    """Tokens below 2^32 that fall in most sizes (or runs) although the loss goes on falling, and never from below."""
    if "loss" not in frame or not 2.0**31 < np.nanmax(values) < 2.0**32 or np.nanmin(values) < 0:
        return ""
    loss = to_numbers(frame["loss"])[0]
    falls, several = [], 0
    for places in frame.groupby("params" if "params" in frame else np.zeros(len(frame))).indices.values():
        order = places[np.argsort(-loss[places], kind="stable")]
        several += len(order) > 2
        down = (values[order][1:] < (1 - _FALL) * values[order][:-1]) & (
            loss[order][1:] < (1 - _LOSS) * loss[order][:-1]
        )
        if (values[order][:-1][down] < _FROM).any():
            return ""
        falls += [order[1:][down][0]] if down.any() else []
    if len(falls) < 2 or len(falls) < several / 2:
        return ""
    rows = np.isin(np.arange(len(frame)), falls)
    said = (
        f"{name_rows(frame.index, rows)}: fewer than in a run of the same size that reached less, and all below 2^32 ="
    )
    return f"{said} 4.29e9: did counts overflow 32 bits? Then others may be wrong, too"

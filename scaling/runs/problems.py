"""What is wrong with a column, in words: the checks behind :mod:`scaling.runs`.

Each check returns messages that say what is wrong, where, and what to do next; nothing is raised here.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from .._words import SCALES, name_rows
from .curves import rows_or_runs, runs_of
from .meter import Meter, meter_of
from .nouns import Nouns
from .numbers import to_numbers
from .repetition import repeated_rows
from .vocabulary import LIMITS, UNIT_HINTS, closest_column

#: flops may differ from 6 N D by this share before a warning names the row
FLOPS_TOLERANCE = 0.10
#: a size below this, or fewer tokens a parameter, deserve a word
SMALL, FEW_TOKENS = 1e3, 1e-3
#: share of empty cells from which on a column may be one of merged cells
MERGED = 0.5
SIX_N_D = Meter()
USUAL = Nouns()
#: a number with marks around it that do not change it
_ABOUT = re.compile(r"[~≈<>≤≥(]*\s*(\d+(?:\.\d+)?(?:e\d+)?)([kKmMbBgGtT]?)\s*(?:[%x)*†‡§¶]|nats?|bits?|(?:±|\+/?-).*)*")


def missing_column(name: str, candidates: list) -> str:
    """Message for a column that is not there, with the closest one that is."""
    text = f"column {name!r} is missing"
    found = closest_column(name, candidates)
    if found is not None:
        return f"{text}; {found!r} looks like it: rename it, df.rename(columns={{{found!r}: {name!r}}})"
    units = [c for c in candidates if re.search(r"ppl|perplexity|bpb|bits|bpt", str(c).lower())]
    if name == "loss" and units:
        return f"{text}; from {units[0]!r}: {UNIT_HINTS['loss']}"
    return f"{text} and no other column looks like it; columns found: {_listed(candidates)}"


def _listed(names: list) -> str:
    shown = ", ".join(repr(c)[:40] for c in names[:40]) or "none"
    return shown + (f" and {len(names) - 40} more" if len(names) > 40 else "")


def _text_hint(name: str, cell: object) -> str:
    """What to write instead of a cell that is not a number."""
    text = str(cell).strip()
    if re.fullmatch(r"#[A-Z/0]+[!?]?", text):
        return "a spreadsheet's error: mend the formula there and save again, or remove the row"
    if text.startswith("=") or re.match(r"[+@-][A-Za-z]", text):
        return "a formula: save the values of the cells, not their formulas"
    if re.fullmatch(r"(?i)\d{1,4}[-/. ](\d{1,2}[-/. ]\d{2,4}|[a-z]{3})|[a-z]{3}[-/. ]\d{1,4}", text):
        return "a date, into which a spreadsheet may have turned a number: format the column as numbers"
    match = re.fullmatch(r"\s*([\d.]+)\s*([kKmMbBgGtT])\s*", str(cell))
    if match and match[1].count(".") <= 1 and match[1] != ".":
        return f"write {float(match[1]) * SCALES[match[2].lower()]:g}"
    if re.fullmatch(r"\s*[\d.]+(,\d+)+\s*", str(cell)):
        return "write numbers without commas"
    if name == "loss" and re.fullmatch(r"[\d.,]+\s*[a-z/ ]*(bits?|bpb|bpc|bpt)[a-z/ ]*", text.lower()):
        return "write the unit into the header, as in loss (bits), and bare numbers in all cells"
    if match := _ABOUT.fullmatch(text):
        return f"write {float(match[1]) * SCALES.get(match[2].lower(), 1.0):g}, or remove the row"
    return f"write a plain number such as {'2.31' if name == 'loss' else '7e9'}, or remove the row"


def column_problems(
    name: str,
    column: pd.Series,
    values: np.ndarray,
    text: np.ndarray,
    optional: np.ndarray,
    nouns: Nouns = USUAL,
) -> list[str]:
    """All that is wrong with one numeric column.

    Parameters
    ----------
    name : str
        Our name of the column; it selects the limits and the hint about units.
    column, values, text
        The column as given, and what :func:`to_numbers` made of it.
    optional : bool array
        Rows in which the value may be missing.
    nouns : Nouns
        What the table calls its loss, which decides on its limits.
    """
    low, high = nouns.limits[name]
    if ((values >= low) & (values <= high)).all():
        return []
    hint = nouns.hint(name)
    first = column.iloc[int(np.argmax(text))] if text.any() else None
    remove = "fill it in or remove the row"
    gaps = np.isnan(values) & ~text & ~optional
    if not gaps[:1].any() and gaps.mean() >= MERGED and pd.Series(values).dropna().is_unique:
        remove = "are the cells merged, with each value in the first of its rows only? fill it down into the others"
    checks = [
        (text, f"{str(first)[:30]!r} is not a number: {_text_hint(name, first)}"),
        (gaps, f"missing value: {remove}"),
        (np.isinf(values), f"infinite value: {remove}"),
        (values == 0, "zero, where a positive number is needed: " + hint),
        (np.isfinite(values) & (values < 0), "negative, where a positive number is needed: " + hint),
        ((values > 0) & (values < low), f"below {low:g}; {hint}"),
        (np.isfinite(values) & (values > high), f"above {high:g}; {hint}"),
    ]
    return [f"column {name!r}, {name_rows(column.index, mask)}: {words}" for mask, words in checks if mask.any()]


def bad_rows(frame: pd.DataFrame) -> np.ndarray:
    """Rows in which a needed value is missing, or any is not a number within its limits."""
    finished = np.ones(len(frame), dtype=bool)
    if "status" in frame:
        finished = (frame["status"].astype("str").str.strip().str.lower() == "finished").to_numpy(dtype=bool)
    bad, absent = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=int)
    limits = Nouns.of(frame).limits
    for name in [name for name in LIMITS if name in frame]:
        values, text = to_numbers(frame[name])
        gaps = np.isnan(values) & ~text
        low, high = limits[name]
        with np.errstate(invalid="ignore"):
            bad |= text | (~gaps & ~((values >= low) & (values <= high)))
        if name in ("params", "tokens", "flops"):
            absent += gaps
        elif name == "loss":
            bad |= gaps
    bad |= absent + (3 - sum(name in frame for name in ("params", "tokens", "flops"))) > 1
    return bad & finished


def suspicions(index: pd.Index, numbers: dict[str, np.ndarray], nouns: Nouns = USUAL) -> list[str]:
    """Words about values that are possible and improbable: units mixed up, flops that disagree."""
    meter = meter_of(numbers["params"], numbers["tokens"], numbers["flops"])
    masks, worst = suspicion_masks(numbers, meter, nouns)
    words = suspicion_words(worst, meter)
    return [f"{name_rows(index, mask)}: {words[key]}" for key, mask in masks.items() if mask.any()]


def suspicion_masks(
    numbers: dict[str, np.ndarray], meter: Meter = SIX_N_D, nouns: Nouns = USUAL
) -> tuple[dict[str, np.ndarray], float]:
    """The rows that deserve each of :func:`suspicion_words`, and the ratio of flops to 6 N D that is worst (or 1).

    Where most rows count otherwise than by 6 N D, it is the ratio to their count.
    """
    N, D, C, L = (numbers[name] for name in ("params", "tokens", "flops", "loss"))
    ratio = C / meter.flops(N, D)
    masks = {
        "size": N < SMALL,
        "tokens": D < N * FEW_TOKENS,
        "loss": nouns.suspicious < L,
        "flops": np.abs(ratio - 1) > FLOPS_TOLERANCE,
    }
    off, worst = ratio[masks["flops"]], 1.0
    if len(off):
        worst = float(off[np.argmax(np.abs(np.log(off)))])
    if "params_nonembedding" in numbers:
        masks["nonembedding"] = numbers["params_nonembedding"] > N
    return masks, worst


def suspicious(params: np.ndarray, tokens: np.ndarray, loss: np.ndarray, nouns: Nouns = USUAL) -> bool:
    """Whether a number is one of :func:`suspicion_masks` by itself, whatever the compute."""
    odd_loss = loss.max() > nouns.suspicious
    return bool(params.min() < SMALL or odd_loss or (tokens < params * FEW_TOKENS).any())


def suspicion_words(worst: float, meter: Meter = SIX_N_D) -> dict[str, str]:
    """What is said of suspicious rows; ``worst`` is the ratio of flops to 6 N D that is furthest from 1."""
    count = f"{meter.equation}, as in the other rows" if meter.is_own else "6·params·tokens"
    ratio = f"flops is not {count} (worst ratio {worst:.3g}, tolerance {FLOPS_TOLERANCE:.0%})"
    return {
        "size": "fewer than 1,000 parameters: params is a count, 70 billion is 70e9",
        "tokens": "fewer than one token per 1,000 parameters: are params and tokens in the same unit?",
        "loss": "loss above 30 nats per token: is it a perplexity (take its logarithm)?",
        "flops": f"{ratio}; both are kept; another convention's count belongs in 'flops_exact'",
        "nonembedding": "params_nonembedding exceeds params: are they swapped?",
    }


def repeats(table: pd.DataFrame) -> list[str]:
    """Notes about repeated rows; repeated seeds share params and tokens, copies share the loss too.

    Of the rows of one run at one number of tokens, as those written again after a restart, the last counts.
    """
    plain = pd.DataFrame(table, copy=False)  # without the notes, which pandas copies with each column
    again = repeated_rows(plain, ["params", "tokens"], every=True)
    if not again.any():
        return []
    several = plain[["params", "tokens", "loss"]][again]
    count = int(repeated_rows(several, ["params", "tokens"]).sum())
    codes = runs_of(plain)
    within = 0 if codes is None else int(repeated_rows(plain[["tokens"]].assign(run=codes), ["run", "tokens"]).sum())
    notes = [f"{within} rows repeat another's run and tokens: at the end of a run the last counts"] if within else []
    if count > within:
        notes.append(f"{count - within} {rows_or_runs(plain)} repeat another's params and tokens (kept)")
    copies = repeated_rows(several, ["params", "tokens", "loss"])
    if copies.any():
        notes.append(f"{int(copies.sum())} of these repeat its loss too: {name_rows(several.index, copies)}")
    return notes

"""Numbers and the package's own sentences as a report says them: words, no identifiers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import zip_longest

import numpy as np

__all__ = ["amount", "count", "escaped", "factor", "in_words", "interval", "much", "sentence", "times"]

SCALES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
#: names of columns, statuses and functions in the package's sentences, and what they are to a reader
NAMES = {
    "; suggest_runs (on the command line: --next-budget) says which runs would tell most": "",
    " (fit.candidate holds the law at the minimum all the same)": "",
    "flops = 6 N D": "compute = 6 × parameters × tokens",
    "(DataConstrainedLaw)": "(chapter 10)",
    "the objective log_one_sided": "a one-sided objective",
    "params_nonembedding": "parameters without embeddings",
    "tokens_per_param": "tokens per parameter",
    "params": "parameters",
    "not_identified": "not identified",
    "not_converged": "not converged",
    "at_bound": "at a bound",
    "flops": "compute",
}
_NAMES = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" if name[0].isalpha() else re.escape(name) for name in NAMES)
#: an option of the command line, with its value where that is told from words by a sign in it
_OPTION = r"(?<![\w-])--[a-z][a-z-]+(?: (?=[^\s']*(?:=|,\S))(?:[^\s'`|,.;:]|'[^'`|]*'|[,.;:](?=\S))+)?"
_SAID = re.compile(f"({_OPTION})|{_NAMES}")
#: compute as the command line writes it
_COMPUTE = re.compile(r"(?<![\w.])(\d(?:\.\d+)?e\+?\d+) FLOPs?\b")


def in_words(text: str) -> str:
    """A sentence of the package without its identifiers; options of the command line stay as they are typed."""
    plain = _SAID.sub(lambda found: found[1] or NAMES[found[0]], text)
    return _COMPUTE.sub(lambda found: f"{amount(float(found[1]))} FLOP", plain)


def sentence(text: str) -> str:
    """Words with a capital at their beginning and a full stop at their end."""
    text = in_words(text).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def escaped(text: str) -> str:
    """Words of anybody's file as Markdown that shows them letter by letter, in one line; options as code."""
    parts = re.split(f"({_OPTION})", " ".join(text.split()))
    plain, options = (re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", part) for part in parts[::2]), parts[1::2]
    return "".join(words + (f"`{option}`" if option else "") for words, option in zip_longest(plain, options))


def count(number: int) -> str:
    """A small number as a word."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"


def times(number: int) -> str:
    """How often."""
    return {1: "once", 2: "twice"}.get(number, f"{count(number)} times")


def much(value: float) -> str:
    """A count to two digits: ``3.1 billion``."""
    if not math.isfinite(value):
        return "any number" if value > 0 else "an unknown number"
    for scale, name in SCALES:
        if scale * 0.9995 <= abs(value) < 1e15:
            return f"{_short(value / scale)} {name}"
    return amount(value) if abs(value) >= 1e15 else _short(value)


def amount(value: float) -> str:
    """An amount of compute, to two digits: ``3.2 × 10¹⁴``."""
    mantissa, power = f"{value:.1e}".split("e")
    raised = f"10{str(int(power)).translate(RAISED)}"
    return raised if mantissa == "1.0" else f"{mantissa.removesuffix('.0')} × {raised}"


def factor(value: float) -> str:
    """A ratio to two digits, whole from a hundred on."""
    return f"{value:.2g}" if value < 99.5 else f"{value:.0f}" if value < 1000 else much(value)


def interval(low: float | None, high: float | None, of: Callable[[float], str] = "{:.3g}".format) -> str:
    """An interval of numbers in brackets; words where an end is not known."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "not known"
    return f"[{of(low)}, {of(high)}]"


def _short(value: float) -> str:
    """Two significant digits."""
    return np.format_float_positional(value, precision=2, unique=False, fractional=False, trim="-")

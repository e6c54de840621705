"""Numbers on the command line as people write them."""

from __future__ import annotations

import math
import re
from typing import Any

import click

from .._words import SCALES

_DIGITS = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_NUMBER = re.compile(rf"({_DIGITS}(?:e[+-]?\d+)?)\s*([KMBGT]?)", re.IGNORECASE)
_TWO_SCALES = re.compile(rf"{_DIGITS}e[+-]?\d+\s*[KMBGT]", re.IGNORECASE)
_WITH_UNIT = re.compile(rf"({_DIGITS}(?:e[+-]?\d+)?)\s*(\D.*)", re.IGNORECASE)


class Quantity(click.ParamType):
    """A number such as 1e24, 70B or 1.4T; by default a positive one."""

    name = "number"
    examples = "1e24, 70B or 1.4T"

    def __init__(self, zero: bool = False):
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        text = value.strip()
        if _TWO_SCALES.fullmatch(text):
            self.fail(f"{value!r} has a power of ten and a letter that stands for one: write one of them", param, ctx)
        match = _NUMBER.fullmatch(text)
        number = float(match[1]) * SCALES.get(match[2].lower(), 1.0) if match else self._read(text)
        if isinstance(number, str):
            self.fail(f"{value!r} {number}", param, ctx)
        if not math.isfinite(number) or number < 0 or (number == 0 and not self.zero):
            limit = "at least 0" if self.zero else "positive"
            self.fail(f"{value!r} is out of range: it must be {limit} and finite", param, ctx)
        return number

    def _read(self, text: str) -> float | str:
        """The number of a text that is more than one, or why there is none."""
        return f"is not a number; write one such as {self.examples}"


class Compute(Quantity):
    """A number of FLOPs, which may stand in a unit such as PF-days."""

    examples = "1e24, 70B, 1.4T or '100 PF-days'"

    def _read(self, text: str) -> float | str:
        from ..runs.reading.hours import read_time  # here, so that the help need not wait for NumPy
        from ..runs.reading.units import unit_factor

        match = _WITH_UNIT.fullmatch(text)
        if match is None:
            return super()._read(text)
        if isinstance(factor := unit_factor("flops", match[2]), float):
            return float(match[1]) * factor
        if (time := read_time(match[2])) is None:
            return super()._read(text)
        who = f"one {time.machine}" if time.machine else "all machines together"
        seconds = float(match[1]) * time.seconds
        return (
            f"is a time, and no compute until the speed of {who} is known: {seconds:.4g} seconds times the peak in "
            f"FLOPs per second times the share of it that is used (MFU), as {seconds * 4e14:.3g} for an H100 at 40 %"
        )

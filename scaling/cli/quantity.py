"""Numbers on the command line as people write them."""

from __future__ import annotations

import math
import re
from typing import Any

import click

from .._words import SCALES

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*([KMBGT]?)", re.IGNORECASE)


class Quantity(click.ParamType):
    """A number such as 1e24, 70B or 1.4T; by default a positive one."""

    name = "number"

    def __init__(self, zero: bool = False):
        self.zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, (int, float)):
            return float(value)
        match = _NUMBER.fullmatch(value.strip())
        if match is None:
            self.fail(f"{value!r} is not a number; write one such as 1e24, 70B or 1.4T", param, ctx)
        number = float(match[1]) * SCALES.get(match[2].lower(), 1.0)
        if not math.isfinite(number) or number < 0 or (number == 0 and not self.zero):
            limit = "at least 0" if self.zero else "positive"
            self.fail(f"{value!r} is out of range: it must be {limit} and finite", param, ctx)
        return number

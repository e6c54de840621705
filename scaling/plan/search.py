"""Bounds and rivals → the group of runs after which a fit misses them least."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..runs.meter import Meter
from .rivals import SIX_N_D

#: what is tried: shares of the most runs; sizes about the centre, crowded towards both ends by a power of 0 (two sizes)
#: or 0.3, or even; times the centre, and over and above it, these factors
SHARES = (1.0, 0.67, 0.33, 0.17)
CROWDED = (0.3, 0.0, 1.0)
WIDTHS = (4.0, 2.0, 8.0)
SHIFTS = (0.0, -0.3, 0.3, -0.6, 0.6)
#: sizes looked at where a table counts compute in a way of its own
STEPS = 4_000
#: times that all of it is gone through
ROUNDS = 2


@dataclass(frozen=True)
class Space:
    """Which runs can be trained: sizes (all between the first and the last, or those alone), tokens, tokens a size."""

    sizes: np.ndarray
    listed: bool
    tokens: tuple[float, float]
    ratio: tuple[float, float]
    meter: Meter = SIX_N_D

    def of_cost(self, wanted: np.ndarray, flops: float) -> tuple[np.ndarray, np.ndarray]:
        """Runs of the sizes nearest to those wanted, none above ``flops``; of no size where none is within."""
        (few, many), (low, high) = self.tokens, self.ratio
        least, most = self._spending(flops)
        if self.listed:
            sizes = self.sizes[self.sizes <= most]
            if not len(sizes):
                return sizes, sizes
            N = sizes[np.abs(np.log(wanted)[:, None] - np.log(sizes)).argmin(1)]
        else:
            top = min(most, self.sizes[-1])
            if top < max(self.sizes[0], few / high):
                return np.array([]), np.array([])
            N = np.minimum(np.maximum(wanted, max(least, self.sizes[0])), top)
            N = np.clip(rounded(N, 2), max(self.sizes[0], few / high), top)
        D = rounded(np.minimum(self.meter.tokens_for(flops, N), many), 3, np.floor)
        return N, np.clip(D, np.maximum(few, low * N), np.minimum(many, high * N))

    def _spending(self, flops: float) -> tuple[float, float]:
        """The sizes that spend so much on the most tokens, and on the fewest."""
        (few, many), (low, high) = self.tokens, self.ratio
        if not self.meter.is_own:
            least, most = flops / 6 / many, flops / 6 / few
            return max(least, np.sqrt(flops / 6 / high)), min(most, np.sqrt(flops / 6 / low))
        N = np.geomspace(self.sizes[0], self.sizes[-1], STEPS)
        paid = [self.meter.flops(N, D) <= flops for D in (np.minimum(many, high * N), np.maximum(few, low * N))]
        least, most = (float(N[each].max(initial=0.0)) for each in paid)
        return least, most

    @property
    def cheapest(self) -> tuple[float, float]:
        """The size and tokens of the run of least cost."""
        N = max(float(self.sizes[0]), self.tokens[0] / self.ratio[1])
        return N, max(self.tokens[0], self.ratio[0] * N)


@dataclass(frozen=True)
class Group:
    """An IsoFLOP group: ``count`` runs of the same cost about a centre."""

    count: int
    crowded: float = CROWDED[0]
    width: float = WIDTHS[0]
    shift: float = SHIFTS[0]

    def sizes(self, centre: float) -> np.ndarray:
        even = np.linspace(-1, 1, self.count) if self.count > 1 else np.zeros(1)
        spread = np.sign(even) * np.abs(even) ** self.crowded
        found: np.ndarray = centre * np.exp(self.shift) * self.width**spread
        return found


def rounded(values: np.ndarray, digits: int, how: Callable[[np.ndarray], np.ndarray] = np.round) -> np.ndarray:
    """To so many significant digits."""
    unit = 10 ** (np.floor(np.log10(values)) + 1 - digits)
    return how(values / unit * (1 + 1e-12)) * unit


def best_group(start: Group, most: int, error: Callable[[Group], float]) -> Group:
    """The group of least error: its shift, width, crowding and count are bettered in turn, from ``start`` on."""
    seen = {start: error(start)}
    best = start
    for _ in range(ROUNDS):
        before = best
        for name in ("shift", "width", "crowded", "count"):
            for other in _others(best, name, most):
                if other not in seen:
                    seen[other] = error(other)
            best = min(seen, key=lambda each: seen[each])
        if best == before:
            break
    return best


def _others(group: Group, name: str, most: int) -> list[Group]:
    """The group with each of the values of one of its attributes."""
    counts = sorted({max(1, round(share * most)) for share in SHARES}, reverse=True)
    choices: dict[str, Sequence[Any]] = {"shift": SHIFTS, "width": WIDTHS, "crowded": CROWDED, "count": counts}
    return [replace(group, **{name: value}) for value in choices[name]]

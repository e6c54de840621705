"""Percentile intervals that say no more than the resamples do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._words import percent

__all__ = ["Interval"]

#: a width below this share of the ends is what a solver leaves of zero
NO_WIDTH = 1e-9
#: a value beyond this stands for one without limit
INFINITE = 1e300
#: shares of resamples without a value up to this are not worth a word
FEW_MISSING = 0.02


@dataclass(frozen=True)
class Interval:
    """Central percentiles, NaN where an end is not known, and why.

    Attributes
    ----------
    low, high : array (...)
        The ends, an entry a quantity; NaN where one is not known.
    flat : array of bool (...)
        Whether all resamples have one value, so that there is no interval.
    missing : array (...)
        Share of the resamples without a value.
    widened : array of bool (...)
        Whether the percentiles lay beside the estimate, and were widened to hold it.
    drawn : int
        Number of resamples.
    """

    low: np.ndarray
    high: np.ndarray
    flat: np.ndarray
    missing: np.ndarray
    widened: np.ndarray
    drawn: int

    def remarks(self, level: float) -> list[str]:
        """Say what to know of these intervals.

        Parameters
        ----------
        level : float
            Theirs, between 0 and 1.

        Returns
        -------
        list of str
            A sentence each; empty where nothing is to be said.
        """
        words = []
        if self.flat.any():
            words.append("all resamples give the same value, which says nothing of its spread: there is no interval")
        if (share := float(self.missing.max(initial=0.0))) > FEW_MISSING:
            tail = (1 - level) / 2
            meaning = "counted as beyond either end" if share <= tail else "so that the ends are not known"
            words.append(f"{share:.1%} of the resamples have no value, {meaning}")
        if self.widened.any():
            words.append(
                "the percentiles lay beside the estimate, which says that the resamples are biased: the interval was "
                "widened to the estimate"
            )
        if self.drawn * (1 - level) < 1:
            few = f"{self.drawn} resamples do not tell the ends of a {percent(level)} % interval"
            words.append(f"{few}: it is little more than their range")
        return words


def percentiles(values: ArrayLike, level: float, estimate: ArrayLike | None = None, lost: int = 0) -> Interval:
    """Central percentile interval of resamples, (B, ...) with NaN where one has no value.

    A resample without a value, and each of ``lost`` further ones, counts as lying beyond either end; where they are
    more than (1 - level)/2, neither end is known (NaN). An interval of width zero is none (NaN). One that misses its
    ``estimate``, (...), is widened to it.
    """
    each = np.asarray(values, dtype=float)
    absent = np.isnan(each)
    missing = (absent.sum(0) + lost) / (len(each) + lost)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if missing.any():
        low, high = _ends(each, absent, tails[0], lost)
        sound = missing == 0
        if sound.any():
            whole = np.quantile(each, tails, axis=0) if each.ndim == 1 else _quantiles(each, sound, tails)
            low, high = np.where(sound, whole[0], low), np.where(sound, whole[1], high)
    else:
        low, high = np.quantile(each, tails, axis=0)
    flat = (high - low <= NO_WIDTH * np.maximum(np.abs(low), np.abs(high))) & (np.abs(high) < INFINITE)
    widened = np.zeros_like(flat)
    if estimate is not None:
        at = np.asarray(estimate, dtype=float)
        with np.errstate(over="ignore"):
            beside = NO_WIDTH * (high - low)
            widened = ~flat & ((at < low - beside) | (at > high + beside))
        low, high = np.where(at < low, at, low), np.where(at > high, at, high)
    low, high = (np.where(flat, np.nan, end) for end in (low, high))
    return Interval(low, high, flat, missing, widened, len(each) + lost)


def _quantiles(each: np.ndarray, sound: np.ndarray, tails: list[float]) -> np.ndarray:
    """Quantiles over the first axis where all values are there; elsewhere NaN."""
    out = np.full((2, *each.shape[1:]), np.nan)
    out[:, sound] = np.quantile(each[:, sound], tails, axis=0)
    return out


def _ends(each: np.ndarray, absent: np.ndarray, tail: float, lost: int) -> tuple[np.ndarray, np.ndarray]:
    """Order statistics outside the central part, with missing values beyond either end."""
    place = math.floor(tail * (len(each) + lost - 1)) - lost
    if place < 0:
        return np.full(each.shape[1:], np.nan), np.full(each.shape[1:], np.nan)
    low = np.sort(np.where(absent, -np.inf, each), axis=0)[place]
    high = np.sort(np.where(absent, np.inf, each), axis=0)[-1 - place]
    unknown = absent.sum(0) > place
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)

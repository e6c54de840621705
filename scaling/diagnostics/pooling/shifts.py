"""Labels whose rows lie higher or lower than others about a law that is fitted together with them.

A law that is fitted without such a label bends towards it where it changes with the size, and leaves little of it.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import scipy

from ..._robust import robust_deviation
from ..._words import plain
from ...fit.result import Fit
from ...runs.headers import carried, typed
from .levels import EXPLAINED, LEAST_ROWS, LEVEL, levels_of

#: share of a constant by which it is moved for a slope
STEP = 1e-4
#: a label is mixed up with size and length where these make the variance of its height so many times as large, and is
#: worth a word where the height, two standard errors up, reaches so far in ln loss, for such a share of the rows
MIXED, HIGH, FEW = 3.0, 0.02, 0.1
#: labels that are the size under another name
_SIZES = re.compile(r"(?:model|size|scale|class|tier|arch|config|name|variant|series)\w*")


def shifted(columns: dict[str, np.ndarray], residuals: np.ndarray, slopes: np.ndarray) -> list[tuple[str, float]]:
    """The columns whose levels lie at several heights about a law that is fitted together with them.

    By the ratio of variances of the law with a height for each level to the law alone, to first order in its constants.
    """
    away, found = cut(residuals), []
    whole = left_by(slopes, away)
    for name, levels in columns.items():
        codes = np.unique(levels, return_inverse=True)[1]
        heights = (codes[:, None] == np.arange(1, codes.max() + 1)).astype(float)
        left, more = left_by(np.column_stack([slopes, heights]), away), heights.shape[1]
        if explains(whole, left, more, len(away) - slopes.shape[1] - more, LEVEL / len(columns)):
            found.append((name, 1 - left / whole))
    return sorted(found, key=lambda each: -each[1])


def explains(whole: float, left: float, more: int, freedom: int, level: float) -> bool:
    """Whether ``more`` constants take enough of a sum of squares, and chance as much less often than ``level``."""
    if more < 1 or freedom < 1 or whole <= 0:
        return False
    ratio = (whole - left) / more / max(left / freedom, 1e-12 * whole)
    return 1 - left / whole >= EXPLAINED and bool(scipy.special.fdtrc(more, freedom, ratio) < level)


def say_untold(fit: Fit) -> str:
    """Words for a label whose height about the law cannot be told from what size and length do; else nothing."""
    used = fit.weights > 0
    runs, away = fit.runs[used], cut(fit.residuals[used])
    slopes = slopes_of(fit, runs)
    for name, column in carried(runs):
        levels = None if pd.api.types.is_numeric_dtype(column) else levels_of(name, column)
        if levels is None or _SIZES.fullmatch(plain(re.split(r"[./]", name)[-1])):
            continue
        for level in np.unique(levels[levels > 0]):
            high = _reach(slopes, levels == level, away)
            if high >= HIGH:
                value = str(column[levels == level].iloc[0])[:30]
                seen = f"{name!r} changes with the size and length of runs: a loss up to {high:.1%} higher or lower"
                why = f"where it is {value!r} cannot be told from what these do"
                return f"{seen} {why}; --where chooses the rows of one, --group {typed([name])} fits each by itself"
    return ""


def _reach(slopes: np.ndarray, rows: np.ndarray, away: np.ndarray) -> float:
    """How far from others, in ln loss, these rows may lie about a law; 0 where size and length tell little of them."""
    freedom = len(away) - slopes.shape[1] - 1
    height = rows.astype(float) - rows.mean()
    alone, left = (each - slopes @ np.linalg.lstsq(slopes, each, rcond=None)[0] for each in (height, away))
    if rows.sum() < max(LEAST_ROWS, FEW * len(rows)) or freedom < 1 or (height @ height) < MIXED * (alone @ alone):
        return 0.0
    free = max(float(alone @ alone), 1e-12)
    shift = float(alone @ left) / free
    return abs(shift) + 2 * float(np.sqrt(left @ left / freedom / free))


def slopes_of(fit: Fit, runs: pd.DataFrame) -> np.ndarray:
    """How ln loss of each run (n,) changes with each constant of a law that has an effect, to a scale of its own."""
    sizes, lengths = (runs[name].to_numpy(dtype=float) for name in ("params", "tokens"))
    constants = fit.candidate.constants
    here = np.log(fit.law_of(constants).loss(sizes, lengths))
    slopes = []
    for name, value in constants.items():
        there = fit.law_of(constants | {name: value + STEP * max(abs(value), STEP)})
        slopes.append(np.log(there.loss(sizes, lengths)) - here)
    return np.column_stack([slope / scale for slope in slopes if (scale := np.linalg.norm(slope)) > 0])


def cut(residuals: np.ndarray) -> np.ndarray:
    """Residuals about their middle, cut at three robust deviations."""
    away = residuals - np.median(residuals)
    edge = 3 * float(robust_deviation(away))
    return np.clip(away, -edge, edge)


def left_by(plane: np.ndarray, values: np.ndarray) -> float:
    """The sum of squares that a plane leaves of values."""
    return float(((values - plane @ np.linalg.lstsq(plane, values, rcond=None)[0]) ** 2).sum())

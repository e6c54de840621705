"""Do the rows of one size, budget or number of tokens share their luck, as the points of one run do?"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from ..errors import FitError
from ..fit.result import Fit
from ..laws.coupled import SumLaw
from ..optimum.allocation import compute_optimal
from ..runs.budgets import find_budgets
from .discrepancy import slopes_of
from .pooling.shifts import cut, left_by

#: sizes with several numbers of tokens that are needed, the fewest of these, and the share of the rows
SIZES, POINTS, MOST = 5, 3, 0.6
#: sizes stray so much further than their rows from each other, and that far at least in ln loss
FURTHER, FAR = 3.0, 0.001
#: groups that are needed, and the rows of a table that is not looked at
GROUPS, LARGE = 4, 3_000
#: groups share noise where chance alone would show as much in less than this share of tables, and where it makes the
#: loss at so many times the largest compute so much less certain than independent runs would
UNLIKELY, REACH, WORSE = 0.001, 10.0, 1.5
#: a normal number is larger in UNLIKELY of all draws
NORMAL = 3.0902
#: what is said to be shared
NAMES = {"params": "size", "budget": "budget", "tokens": "number of tokens"}


@dataclass(frozen=True)
class SharedNoise:
    """How far groups of rows stray from a law together, in ln loss, and the rows of one from each other.

    ``ratio`` is that of the variances, with its ``freedom``, and ``worse`` how many times as far the loss of the
    optimum at ten times the largest compute may be off as with independent runs.
    """

    between: float
    within: float
    ratio: float
    freedom: tuple[int, int]
    worse: float

    @property
    def p(self) -> float:
        """The probability of as much by chance."""
        return float(scipy.special.fdtrc(*self.freedom, self.ratio))

    @property
    def matters(self) -> bool:
        """Whether it makes an interval far too narrow, and is more than chance.

        With any number of rows chance shows as much as Wilson and Hilferty's quantile of chi-square: far below that
        SciPy, which takes long to import, is not asked.
        """
        spread = 2 / 9 / self.freedom[0]
        least = 0.9 * (1 - spread + NORMAL * np.sqrt(spread)) ** 3
        return self.worse > WORSE and self.ratio > least and self.p < UNLIKELY


def shared_noise(fit: Fit, groups: np.ndarray) -> SharedNoise | None:
    """Noise that rows of one group (n,) of a fit have in common; NaN for rows of none. None where that is not told.

    Beside the law's constants, to first order, and bends in size and tokens, which are the law's own fault, a height
    for each group is tried by the ratio of variances. Its variance is that of Henderson's third method (Searle et al.
    1992, Variance Components, section 5.5).
    """
    used = fit.weights > 0
    runs, away, groups = fit.runs[used], cut(fit.residuals[used]), groups[used]
    names, counts = np.unique(groups[np.isfinite(groups)], return_counts=True)
    names = names[counts >= POINTS]
    if len(names) < GROUPS or len(runs) > LARGE or not isinstance(fit.candidate, SumLaw) or fit.clusters is not None:
        return None
    N, D = (runs[name].to_numpy(dtype=float) for name in ("params", "tokens"))
    slopes = slopes_of(fit.candidate, N, D)
    smooth = np.column_stack([slopes / np.linalg.norm(slopes, axis=0), _bends(N, D)])
    heights = (groups[:, None] == names).astype(float)
    apart = heights - smooth @ np.linalg.lstsq(smooth, heights, rcond=None)[0]
    more, rank = int(np.linalg.matrix_rank(apart, tol=1e-6)), int(np.linalg.matrix_rank(smooth))
    free = len(away) - rank - more
    if more < 1 or free < 1:
        return None
    left = left_by(np.column_stack([smooth, heights]), away)
    taken, within = left_by(smooth, away) - left, left / free
    between = max(taken - more * within, 0.0) / float((apart**2).sum())
    ratio = taken / more / within if within > 0 else 0.0
    worse = _worse(fit, fit.candidate, slopes, groups, between, within)
    return SharedNoise(float(np.sqrt(between)), float(np.sqrt(within)), ratio, (more, free), worse)


def _bends(N: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Squares and the product of the logarithms of size and tokens, (n, 3)."""
    x, z = ((each - each.mean()) / max(float(np.std(each)), 1e-12) for each in (np.log(N), np.log(D)))
    return np.column_stack([x**2, z**2, x * z])


def _worse(fit: Fit, law: SumLaw, slopes: np.ndarray, groups: np.ndarray, between: float, within: float) -> float:
    """How many times as far the loss of an optimum beyond the runs may be off as their residuals alone tell."""
    used = fit.weights > 0
    most = float((6 * fit.runs["params"] * fit.runs["tokens"])[used].max())
    try:
        best = compute_optimal(law, REACH * most)
    except (FitError, ValueError):
        return 1.0
    there = slopes_of(law, np.array([best.params]), np.array([best.tokens]))[0]
    if not np.isfinite(there).all():
        return 1.0
    parts = np.linalg.pinv(slopes.T) @ there
    told = np.isfinite(groups)
    sums = np.bincount(np.unique(groups[told], return_inverse=True)[1], parts[told])
    shared = within * (parts @ parts) + between * (sums @ sums + parts[~told] @ parts[~told])
    residuals = cut(fit.residuals[used])
    alone = residuals @ residuals / max(len(parts) - slopes.shape[1], 1) * (parts @ parts)
    return float(np.sqrt(shared / alone)) if alone > 0 else 1.0


def shared_luck(residuals: np.ndarray, runs: pd.DataFrame) -> tuple[float, float] | None:
    """How far sizes stray from a law, and rows of one size from each other, where the first is far more; else None.

    Standard deviations of ln loss. Rows that are runs of their own stray as far from each other as sizes do.
    """
    tokens = runs.groupby("params")["tokens"].nunique()
    several = runs["params"].map(tokens >= POINTS).to_numpy(dtype=bool)
    if (tokens >= POINTS).sum() < SIZES or several.mean() < MOST:
        return None
    groups = pd.Series(residuals[several]).groupby(runs["params"].to_numpy()[several])
    within = float(np.sqrt(groups.var(ddof=1).mean()))
    between = float(groups.mean().std(ddof=1))
    return (between, within) if between > max(FAR, FURTHER * within) else None


def say_shared_luck(fit: Fit, table: pd.DataFrame) -> str:
    """Words for rows of one size, budget or number of tokens that stray from the law together; else nothing."""
    used = fit.weights > 0
    found = shared_luck(fit.residuals[used], fit.runs[used])
    if found is None:
        return _say_shared_noise(fit)
    read_from = {each["name"]: each["column"] for each in table.attrs.get("reading", {}).get("mapping", [])}
    size = shlex.quote(read_from.get("params", "params"))
    words = f"the rows of one size stray from the law together: by {found[0]:.2%} from size to size, by {found[1]:.2%} "
    words += "within one. Are they points of one run's curve, of which the law takes the last"
    words += f" (--run {size} takes them so)?" if "run" not in table else "?"
    why = "sizes differ by more than the law says, and intervals, which take rows for independent, are too narrow"
    return f"{words} If not, {why}"


def _say_shared_noise(fit: Fit) -> str:
    """Words for the groups whose noise in common makes intervals too narrow by most; nothing where none does."""
    groups = {name: np.round(np.log(fit.runs[name].to_numpy(dtype=float)), 2) for name in ("params", "tokens")}
    groups["budget"] = find_budgets(fit.runs).to_numpy(dtype=float)
    tried = {name: shared_noise(fit, group) for name, group in groups.items()}
    found = {name: each for name, each in tried.items() if each is not None and each.matters}
    if not found:
        return ""
    name = max(found, key=lambda each: found[each].worse)
    called, each = NAMES[name], found[name]
    apart = f"by {each.between:.2%} from one to the next, by {each.within:.2%} within one"
    words = f"the runs of one {called} stray from the law together: {apart}. Do they share what no column names?"
    words += " If so, intervals, which take them for independent, are too narrow: that of the loss at"
    words += f" {REACH:g} times the largest compute by a factor of {each.worse:.1f} or so, if not more."
    return f"{words} If not, the law may be another one"

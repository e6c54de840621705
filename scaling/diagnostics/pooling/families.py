"""Families of runs that a label tells apart: each has a law of its own, of other heights or of other exponents."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ..._words import plain
from ...fit.result import Fit
from ...runs.headers import STEPS, carried, is_called, is_tuned
from ...runs.repetition import designs_of
from .explanations import explained_by
from .levels import LEVEL, explaining, levels_of, share_of
from .result import Pooling
from .shifts import cut, explains, left_by, shifted, slopes_of

#: rows of each level that are needed to see a tilt, and the share of a scale that its levels may explain: where small
#: and large runs are levels, a bend of the law is one tilt for each
LEAST_TILTED, APART = 8, 0.3
#: levels that order a quantity to this share are that quantity under another name
SAME = 0.9
_EVALUATION = re.compile(r"eval(s|uation)?(id|nr|no|number|index|step|run)?")


def find_families(runs: pd.DataFrame, residuals: np.ndarray, fit: Fit, chosen: bool) -> Pooling | None:
    """A label that explains what one law for all leaves; ``chosen`` says that the best of each design was kept."""
    sizes, lengths = np.log(runs["params"].to_numpy()), np.log(runs["tokens"].to_numpy())
    scales = (sizes, lengths, sizes + lengths, lengths - sizes)
    each = {
        name: levels
        for name, column in carried(runs)
        if not _EVALUATION.fullmatch(plain(name))
        and not is_called(STEPS, name)
        and (levels := levels_of(name, column)) is not None
        and max(share_of(x, levels)[0] for x in scales) < SAME
    }
    apart = {name: levels for name, levels in each.items() if max(share_of(x, levels)[0] for x in scales) < APART}
    found = (
        explaining(each, residuals)
        or _tilting(apart, residuals, sizes, lengths)
        or shifted({name: each[name] for name in each if not is_tuned(name)}, residuals, slopes_of(fit, runs))
    )
    if not found:
        return None
    seen = f"one law for all {len(runs):,} runs leaves residuals"
    told = dict(multiplied="unique_tokens" in runs, single=len(np.unique(designs_of(runs))) == len(runs))
    return explained_by(tuple(name for name, _ in found), seen, chosen=chosen, **told)


def _tilting(
    columns: dict[str, np.ndarray], residuals: np.ndarray, sizes: np.ndarray, lengths: np.ndarray
) -> list[tuple[str, float]]:
    """The columns within whose levels residuals rise or fall with size or length: families of other exponents.

    By the ratio of variances of a plane of its own for each level to one for all, of residuals cut at three robust
    deviations; as :func:`explaining` otherwise.
    """
    away = cut(residuals)
    plane = np.column_stack([np.ones_like(away), sizes - sizes.mean(), lengths - lengths.mean()])
    whole, found = left_by(plane, away), []
    for name, levels in columns.items():
        codes = np.unique(levels, return_inverse=True)[1]
        groups = codes.max() + 1
        if (counts := np.bincount(codes)).min() < LEAST_TILTED:
            continue
        left = sum(left_by(plane[codes == k], away[codes == k]) for k in range(groups))
        more, freedom = 3 * (groups - 1), int(counts.sum()) - 3 * groups
        if explains(whole, left, more, freedom, LEVEL / len(columns)):
            found.append((name, 1 - left / whole))
    return sorted(found, key=lambda each: -each[1])

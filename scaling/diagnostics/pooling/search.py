"""The search for what speaks against one law for all rows, one kind after the other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..._words import plain
from ...fit.result import Fit, as_fit
from ...runs.curves import last_points
from ...runs.headers import is_called
from ...runs.repetition import designs_of
from .appended import find_appended
from .checkpoints import find_checkpoints
from .copies import find_copies
from .designs import EXACT
from .epochs import find_repeated_tokens
from .evaluations import find_evaluations
from .experts import ACTIVE, find_experts
from .families import find_families
from .measures import find_measures
from .result import Pooling
from .sweeps import find_sweep
from .unfinished import find_unfinished

#: share of the runs beyond which repeated tokens make a table one of another kind
OFTEN = 0.2
#: rows beyond which a random part is looked at
MOST_ROWS = 20_000


def find_pooling(fit: Fit, table: pd.DataFrame | None = None) -> list[Pooling]:
    r"""Find what in the runs of a fit speaks against one law for all of them.

    * *Checkpoints*: no column names the run, and most sizes have many numbers of tokens, equally spaced as the points
      of a training curve are; or a few close together, in all runs at the same distances, as the last checkpoints have.
    * *Repeated tokens*: more than a fifth of the runs read their tokens more than four times, up to which repeated ones
      are nearly as good as new (Muennighoff et al. 2023).
    * *Copies*: many runs have the parameters, the tokens and the loss of another to the last of five digits or more.
    * *Evaluations*: rows of one size and number of tokens differ far less than a law misses them, and no column of
      seeds or trials says that they are runs of their own.
    * *A sweep*: runs of one size and number of tokens differ, and a column that is tuned explains how; or, without such
      a column, they differ far more than the best of each differ from a law of their own.
    * *Families*: a column of few levels explains the residuals of the pooled law, how they rise with size or length, or
      what a law leaves that is fitted without a height for each level.
    * *Measures*: a column that is called a tokeniser, a vocabulary or the text of the evaluation has several values,
      whose losses are not comparable.
    * *Appended*: without such a column, the residuals step once in the order of the file, or lie at two heights in any
      order, five times as far apart as they stray, and no size, length or compute tells the two apart.
    * *Unfinished*: a column of planned lengths says that some runs ended early, and these lie above the law.
    * *Experts*: fewer parameters are active than are counted.

    A column of L levels explains n residuals by the ratio of variances of their ranks,

    .. math:: F = \frac{\sum_l n_l (\bar r_l - \bar r)^2 / (L - 1)}{\sum_l \sum_{i \in l} (r_i - \bar r_l)^2 / (n - L)},

    at a level of 0.2 % for all columns together, and a fifth of the variance at least. Columns whose levels order the
    sizes, the tokens or the compute of the runs are these under another name, and are not asked.

    Parameters
    ----------
    fit : Fit
        Of :func:`~scaling.fit.fit_parametric`, whatever its status.
    table : DataFrame, optional
        The rows in which curves are looked for, by default those of the fit.

    Returns
    -------
    list of Pooling
        Empty for a table whose rows are runs of one family. Only *checkpoints* where these are seen, and only *experts*
        where a column has the active parameters.

    Raises
    ------
    TypeError
        If what is given is no fit.
    """
    table = as_fit(fit).runs if table is None else table
    mapping = {each["name"]: each["column"] for each in table.attrs.get("reading", {}).get("mapping", [])}
    if (curves := find_checkpoints(table, mapping)) is not None:
        return [curves]
    used = np.flatnonzero(fit.weights > 0)
    if len(used) > MOST_ROWS:
        used = np.sort(np.random.default_rng(0).choice(used, MOST_ROWS, replace=False))
    runs, residuals = fit.runs.iloc[used].reset_index(drop=True), fit.residuals[used]
    copies, experts = find_copies(runs), find_experts(runs, mapping.get("params", ""))
    if experts is not None and is_called(ACTIVE, experts.columns[0]):
        return [experts]  # whether anything else is pooled shows with the sizes that count
    ends = _labelled(fit.runs, table).iloc[used]
    if (early := find_unfinished(ends, residuals, mapping)) is not None:
        return [early]  # what explains the others shows without these
    units = {each["name"]: str(each["unit"]) for each in table.attrs.get("reading", {}).get("mapping", [])}
    sweep, evaluations = find_measures(runs, units.get("loss", "")) or find_sweep(runs), None
    if sweep is None or not sweep.columns:
        chosen = {"params", "tokens"} <= set(table.attrs.get("best_of", ()))
        rest, left = runs, residuals
        if (evaluations := find_evaluations(fit, runs, residuals)) is not None:
            design = designs_of(runs, share=EXACT)
            rest = runs.iloc[np.unique(design, return_index=True)[1]]
            left = np.bincount(design, residuals) / np.bincount(design)
        sweep = find_families(rest, left, fit, chosen) or sweep or find_appended(ends, residuals)
    epochs = sweep is not None and any("epoch" in plain(name) for name in sweep.columns)
    read_from = table.attrs.get("reading", {}).get("mapping", [])
    if (repeated := find_repeated_tokens(runs, read_from, 0.0 if epochs else OFTEN)) is not None and epochs:
        sweep = None  # it is the repeats that differ
    return [each for each in (repeated, copies, experts, evaluations, sweep) if each is not None]


def _labelled(runs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The runs of a fit, labelled as in the table whose last points they are."""
    ends = last_points(table)
    return runs.set_axis(ends.index) if len(ends) == len(runs) else runs

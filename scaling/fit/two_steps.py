"""A task from size and tokens: the loss, and what the loss means, fitted to the same runs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import FitError
from ..laws.tasks import TaskLaw
from .downstream import fit_downstream
from .parametric import fit_parametric
from .result import Fit

__all__ = ["fit_two_steps"]

#: of two statuses the earlier is that of both together
WORST_FIRST = ("not_identified", "not_converged", "weak", "at_bound", "solved", "identified")


def fit_two_steps(
    runs: pd.DataFrame,
    metric: str,
    *,
    form: str = "sigmoid",
    loss: str = "loss",
    floor: float | None = None,
    ceiling: float | None = None,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
) -> Fit:
    r"""Fit a task from size and tokens in two steps: a law of the loss, and what that loss means on the task.

    Both steps are fitted to the same runs with the same weights. So a resample of
    :func:`~scaling.uncertainty.bootstrap` draws the runs once for both, and an interval of the share holds the
    uncertainty of either step and what they share. It does not hold the noise of the benchmark on which the forecast
    will be tried, nor a wrong form.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens``, ``loss``, the metric and the loss it is to follow from.
    metric : str
        Column with shares of right answers, between 0 and 1.
    form : {"sigmoid", "exponential"}
        Here and below as in :func:`~scaling.fit.fit_downstream`.
    loss : str, default "loss"
        Column with the loss that both steps are of.
    floor, ceiling : float, optional
        The shares at a very high and a very low loss, where they are known.
    objective : str
        Of the second step, of the metric. The first is :func:`~scaling.fit.fit_parametric` of the column ``loss`` with
        its own objective.
    delta : float
        Huber threshold of the second step.
    weights : array (n_rows,), optional
        Of both steps.
    n_starts : int
        Of both steps.
    rows : {"last", "all"}
        Of both steps.

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.TaskLaw`. The status is the worse of the two steps' and ``message`` says which step
        it is of; ``value`` is the sum of their objectives, ``residuals`` are of the share from size and tokens.

    Raises
    ------
    FitError
        For a table that cannot be used in either step.
    ValueError
        For options that :func:`~scaling.fit.fit_downstream` refuses.

    References
    ----------
    Bhagia et al. 2024 (arXiv:2412.04403).

    Examples
    --------
    >>> import scaling
    >>> from scaling.laws import SigmoidLaw
    >>> first = scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> truth = TaskLaw(first, SigmoidLaw(0.25, 0.9, slope=4.0, middle=2.5))
    >>> runs = scaling.simulate_runs(first, scaling.simulate.grid_design([1e8, 1e9, 1e10], [1e9, 1e10, 1e11, 1e12]))
    >>> fit = fit_two_steps(runs.assign(metric_task=truth.predict(runs)), "metric_task")
    >>> round(float(truth.accuracy(7e10, 1e13)), 3), round(float(fit.law.accuracy(7e10, 1e13)), 3)
    (0.839, 0.839)
    """
    # the second step first: it knows the options, and names a column that is not there
    shared = {"weights": weights, "n_starts": n_starts, "rows": rows}
    options = {"form": form, "floor": floor, "ceiling": ceiling, "objective": objective, "delta": delta}
    second = fit_downstream(runs, metric, loss=loss, **options, **shared)  # type: ignore[arg-type]
    try:
        first = fit_parametric(runs.assign(loss=runs[loss]), **shared)  # type: ignore[arg-type]
    except FitError as error:
        raise FitError(f"step 1, the loss: {error}", error.kind) from error
    law = TaskLaw.of(first.candidate.constants | second.candidate.constants)
    steps = {"step 1, the loss": first, "step 2, the task": second}
    worse = min(steps.values(), key=lambda fit: WORST_FIRST.index(fit.status))
    return Fit(
        candidate=law,
        value=first.value + second.value,
        objective=second.objective,
        delta=second.delta,
        status=worse.status,
        message="; ".join(f"{name}: {fit.message}" for name, fit in steps.items() if fit.message),
        kind=worse.kind,
        condition=max(first.condition, second.condition),
        starts_agreeing=min(first.starts_agreeing, second.starts_agreeing),
        n_starts=max(first.n_starts, second.n_starts),
        runs=second.runs,
        dropped=second.dropped,
        weights=second.weights,
        residuals=second.runs[metric].to_numpy(float) - np.asarray(law.predict(second.runs)),
        held=first.held + second.held,
        clusters=second.clusters,
        _again=partial(
            fit_two_steps,
            second.runs,
            metric,
            **options,  # type: ignore[arg-type]
            n_starts=n_starts,
            rows=rows,
        ),
        _build=TaskLaw,
    )

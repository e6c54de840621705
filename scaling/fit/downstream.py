"""Fits of what a loss means on a task: the share of right answers, or of wrong ones, from the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from ..errors import FitError, RunsError
from ..laws.base import Law
from ..laws.overtraining import DownstreamLaw, SigmoidLaw
from ..runs.numbers import column_of_numbers
from .common import chosen_rows
from .engine.problem import Objective
from .least_squares import Form, finish_sample, is_needless, objective_of
from .result import Fit

__all__ = ["fit_downstream"]

#: slopes, per range of the losses, at which the levels are solved to find starts
STEEPNESS = np.geomspace(0.5, 50, 13)
#: levels that so little tells apart, as a share of what tells them, get no start of their own
SINGULAR = 1e-12


@dataclass(frozen=True)
class _Curve:
    """A curve between two levels; theta is those constants of ``names`` that are not fixed, the levels first.

    With the other constants, its bend, the curve is linear in the levels.
    """

    loss: np.ndarray
    observed: np.ndarray
    fixed: Mapping[str, float]
    law: ClassVar[type[Law]]
    names: ClassVar[tuple[str, ...]]
    lower: ClassVar[tuple[float, ...]]
    upper: ClassVar[tuple[float, ...]]

    @cached_property
    def centre(self) -> float:
        return float(self.loss.mean())

    @cached_property
    def free(self) -> np.ndarray:
        return np.array([name not in self.fixed for name in self.names])

    @cached_property
    def given(self) -> np.ndarray:
        """The fixed constants, in the order of ``names``; NaN for the others."""
        return np.array([self.fixed.get(name, np.nan) for name in self.names])

    def full(self, theta: np.ndarray) -> np.ndarray:
        """All constants in the order of ``names``, the fixed ones among them."""
        every = self.given.copy()
        every[self.free] = theta
        return every

    def shares(self, bend: np.ndarray) -> np.ndarray:
        """How much of each level is in each prediction: (…, n, 2), for bends (…, number of their constants)."""
        raise NotImplementedError

    def tilts(self, shares: np.ndarray, levels: np.ndarray, bend: np.ndarray) -> np.ndarray:
        """Derivatives of the predictions by the bend, where it gives these shares: (n, number of its constants)."""
        raise NotImplementedError

    def bends(self) -> np.ndarray:
        """Where the search begins: (K, number of the bend's constants)."""
        raise NotImplementedError

    def predict(self, theta: np.ndarray) -> np.ndarray:
        every = self.full(theta)
        return self.shares(every[2:]) @ every[:2]

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        every = self.full(theta)
        shares = self.shares(every[2:])
        return np.column_stack([shares, self.tilts(shares, every[:2], every[2:])])[:, self.free]

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, p): for each bend the best levels."""
        bends, open_ = self.bends(), self.free[:2]
        shares, levels = self.shares(bends), np.tile(np.nan_to_num(self.given[:2]), (len(bends), 1))
        rest = self.observed - (shares @ levels[:, :, None])[..., 0]
        turned = np.swapaxes(shares[..., open_], 1, 2)
        gram = (turned * weights) @ shares[..., open_]
        goals = turned @ (weights * rest)[..., None]
        levels[:, open_] = (np.linalg.pinv(gram, rcond=SINGULAR, hermitian=True) @ goals)[..., 0]
        every = np.clip(np.column_stack([levels, bends]), self.lower, self.upper)
        missed = (shares @ every[:, :2, None])[..., 0] - self.observed
        order = np.argsort((weights * missed**2).sum(1), kind="stable")
        return every[order[:count]][:, self.free]

    @property
    def form(self) -> Form:
        free, width = self.free, float(np.ptp(self.loss)) or 1.0
        return Form(
            observed=self.observed,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array(self.lower)[free],
            upper=np.array(self.upper)[free],
            scale=np.array([1.0, 1.0, 1 / width, width][: len(free)])[free],
        )

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        """The law's constants that are not fixed, in the order of theta."""
        return {name: float(x) for name, x in zip(self.names, self.full(theta), strict=True) if name not in self.fixed}

    def unseen(self, weights: np.ndarray, aim: Objective, runs: int, value: float) -> list[int]:
        """Position of the loss, if a level for all is no worse beyond noise (F test at the confidence of all fits)."""
        flat = Form(self.observed, lambda theta: np.full_like(self.observed, theta[0]), *np.eye(3)[:, :1])
        low, high = self.observed.min(), self.observed.max()
        level = scipy.optimize.minimize_scalar(
            lambda x: float(aim.sum(flat.residuals(np.array([x]), aim), weights)),
            bounds=(low - 1e-9, high + 1e-9),
            method="bounded",
        )
        free = int(self.free.sum())
        return [0] if is_needless(float(level.fun), value, free - 1, free, runs, weights, aim) else []


class _Sigmoid(_Curve):
    law = SigmoidLaw
    names = ("floor", "ceiling", "slope", "middle")
    lower, upper = (0.0, 0.0, 0.0, 0.0), (1.0, 1.0, np.inf, np.inf)

    def shares(self, bend: np.ndarray) -> np.ndarray:
        down = scipy.special.expit(bend[..., :1] * (self.loss - bend[..., 1:]))
        return np.stack([down, 1 - down], axis=-1)

    def tilts(self, shares: np.ndarray, levels: np.ndarray, bend: np.ndarray) -> np.ndarray:
        down, up = shares.T
        steep = (levels[0] - levels[1]) * down * up
        return np.column_stack([steep * (self.loss - bend[1]), -steep * bend[0]])

    def bends(self) -> np.ndarray:
        low, width = float(self.loss.min()), float(np.ptp(self.loss)) or 1.0
        middles = np.linspace(max(low - width, 0.1 * low), low + width, 11)
        return np.column_stack([np.repeat(STEEPNESS / width, len(middles)), np.tile(middles, len(STEEPNESS))])


class _Exponential(_Curve):
    """Of the error; the second level, k at the mean of the losses, counts downwards."""

    law = DownstreamLaw
    names = ("epsilon", "k", "gamma")
    lower, upper = (0.0, 0.0, 0.0), (1.0, np.inf, np.inf)

    def shares(self, bend: np.ndarray) -> np.ndarray:
        fall = np.exp(-bend * (self.loss - self.centre))
        return np.stack([np.ones_like(fall), -fall], axis=-1)

    def tilts(self, shares: np.ndarray, levels: np.ndarray, bend: np.ndarray) -> np.ndarray:
        return (-(self.loss - self.centre) * levels[1] * shares[:, 1])[:, None]

    def bends(self) -> np.ndarray:
        return STEEPNESS[:, None] / (float(np.ptp(self.loss)) or 1.0)

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        found = super().constants(theta)
        return found | {"k": found["k"] * float(np.exp(found["gamma"] * self.centre))}


FORMS = {"sigmoid": _Sigmoid, "exponential": _Exponential}


def fit_downstream(
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
    r"""Fit what a loss means on a task.

    The second of two steps to a task: the first is a law of that loss. A ``sigmoid`` is fitted to the share of right
    answers, an ``exponential`` to that of wrong ones, 1 minus the metric:

    .. math:: \text{Acc}(L) = \text{floor} + \frac{\text{ceiling} - \text{floor}}{1 + e^{s\,(L - L_0)}}, \qquad
              \text{Err}(L) = \epsilon - k\,e^{-\gamma L}.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens``, ``loss``, the metric and the loss it is to follow from.
    metric : str
        Column with shares of right answers, between 0 and 1.
    form : {"sigmoid", "exponential"}
        Which of the two laws.
    loss : str, default "loss"
        Column with the loss: on a text, or on the task's right answers. It stands as ``loss`` in the table of the fit.
    floor, ceiling : float, optional
        The shares at a very high and a very low loss, where they are known, such as chance; fitted otherwise, within
        [0, 1]. An exponential has no ceiling.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`, of the metric. Both authors below minimise squares of the share
        itself: ``objective="huber", delta=np.inf``. Logarithms need shares above 0 (below 1 for an exponential).
    delta : float
        Its Huber threshold.
    weights : array (n_rows,), optional
        As there.
    n_starts : int
        As there.
    rows : {"last", "all"}
        As there.

    Returns
    -------
    Fit
        Of a :class:`~scaling.laws.SigmoidLaw` or a :class:`~scaling.laws.DownstreamLaw`. A metric that is as well
        described by one number is ``not_identified``: a task at chance says nothing.

    Raises
    ------
    FitError
        For a table that cannot be used, a column that is not there, or values that are no shares.
    ValueError
        For an unknown form, objective or choice of ``rows``, a floor or ceiling outside [0, 1], a ceiling of an
        exponential, a ``delta`` or an ``n_starts`` that makes no sense.

    References
    ----------
    Bhagia et al. 2024 (arXiv:2412.04403), step 2; Gadre et al. 2024 (arXiv:2403.08540), equation 5.

    Examples
    --------
    >>> import scaling
    >>> truth, law = SigmoidLaw(0.25, 0.9, slope=4.0, middle=2.5), scaling.ChinchillaLaw.from_published("besiroglu2024")
    >>> runs = scaling.simulate_runs(law, scaling.simulate.grid_design([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    >>> fit_downstream(runs.assign(metric_task=truth.predict(runs)), "metric_task").law
    SigmoidLaw(floor=0.25, ceiling=0.9, slope=4, middle=2.5)
    """
    if form not in FORMS:
        raise ValueError(f"form must be {' or '.join(map(repr, FORMS))}, got {form!r}")
    fixed = _fixed(form, floor, ceiling)
    aim = objective_of(objective, delta)
    used = chosen_rows(_with_numbers(runs, loss, metric), rows, weights)
    (L,), right = used.columns("loss"), used.table[metric].to_numpy()
    share = right if form == "sigmoid" else 1 - right
    _check(metric, right, share, aim)
    curve = FORMS[form](L, share, fixed)
    return finish_sample(
        curve,
        used,
        aim,
        n_starts,
        variables={"loss": L},
        least=len(curve.names) - len(fixed),
        unseen=partial(curve.unseen, used.weights, aim, used.count),
        what=f"{metric} does not change",
        build=partial(curve.law, **fixed),
        again=partial(
            fit_downstream,
            used.table,
            metric,
            form=form,
            floor=floor,
            ceiling=ceiling,
            objective=objective,
            delta=delta,
            n_starts=n_starts,
            rows=rows,
        ),
    )


def _with_numbers(runs: pd.DataFrame, loss: str, metric: str) -> pd.DataFrame:
    """The table with that column as its ``loss``, and the metric as floats; ``FitError`` where one holds none."""
    try:
        right, losses = (column_of_numbers(runs, name) for name in (metric, loss))
    except RunsError as error:
        raise FitError(str(error)) from None
    return runs.assign(**{metric: right, "loss": losses})


def _fixed(form: str, floor: float | None, ceiling: float | None) -> dict[str, float]:
    """The constants of the form that are given."""
    for name, value in (("floor", floor), ("ceiling", ceiling)):
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{name} must be a share between 0 and 1, got {value!r}")
    if form == "sigmoid":
        return {name: value for name, value in (("floor", floor), ("ceiling", ceiling)) if value is not None}
    if ceiling is not None:
        raise ValueError("an exponential has no ceiling: leave it out, or fit a sigmoid")
    return {} if floor is None else {"epsilon": 1 - floor}


def _check(metric: str, right: np.ndarray, share: np.ndarray, aim: Any) -> None:
    """``FitError`` unless all are shares, and have logarithms if the objective takes them."""
    bad = ~((right >= 0) & (right <= 1))
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise FitError(f"{metric!r}, row {where}: {right[where]:g} is no share of right answers between 0 and 1")
    if not aim.raw and not (share > 0).all():
        where = int(np.flatnonzero(share <= 0)[0])
        words = "has no logarithm: fit the share itself, objective='huber', delta=np.inf"
        raise FitError(f"{metric!r}, row {where}: {right[where]:g} {words}")

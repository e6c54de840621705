"""A fit of the law of routed models of Clark et al. 2022 (arXiv:2202.01169)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..errors import FitError
from ..laws.routed import RoutedLaw
from .common import chosen_rows
from .least_squares import Form, finish_sample, is_needless, objective_of
from .result import Fit

__all__ = ["fit_routed"]

#: where E_start, and E_max over it, are looked for; and the values at which the linear constants are solved for starts
STARTS, SPANS = (0.5, 50.0), (1.5, 1e5)
START_GRID, SPAN_GRID = np.geomspace(1.0, 10.0, 6), np.geomspace(5.0, 1e3, 6)
TEN = np.log(10)
#: typical sizes of theta's entries
SCALE = np.array([0.1, 0.1, 0.01, 1.0, 1.0, 1.0])


@dataclass(frozen=True)
class _Bilinear:
    """log10 L = a x + b e + c x e + d, x = log10 N centred; theta is (a, b, c, d, ln E_start, ln E_max/E_start)."""

    loss: np.ndarray
    size: np.ndarray
    centre: float
    experts: np.ndarray

    def effective(self, theta: np.ndarray) -> np.ndarray:
        """log10 of the effective experts at the last two entries of theta: (n,)."""
        met, most, *_ = self._met(theta)
        return -np.log10(1 / met + 1 / most)

    def _met(self, theta: np.ndarray) -> tuple[np.ndarray, float, float, float]:
        """E - 1 + f (n,), E_max, f = (1/E_start - 1/E_max)^-1 and E_max/E_start."""
        start, span = np.exp(theta[4:6])
        free = start * span / (span - 1)
        return self.experts - 1 + free, start * span, free, span

    def _loss(self, theta: np.ndarray, e: np.ndarray) -> np.ndarray:
        a, b, c, d = theta[:4]
        return np.asarray(10 ** (a * self.size + b * e + c * self.size * e + d))

    def predict(self, theta: np.ndarray) -> np.ndarray:
        return self._loss(theta, self.effective(theta))

    def slopes(self, theta: np.ndarray) -> np.ndarray:
        e = self.effective(theta)
        met, most, free, span = self._met(theta)
        squared, along = met**2, (1 / met + 1 / most) * TEN
        tilt = theta[1] + theta[2] * self.size
        found = np.empty((len(e), 6))
        found[:, 0], found[:, 1], found[:, 2], found[:, 3] = self.size, e, self.size * e, 1.0
        found[:, 4] = tilt * ((free / squared + 1 / most) / along)
        found[:, 5] = tilt * ((-free / (span - 1) / squared + 1 / most) / along)
        return (TEN * self._loss(theta, e))[:, None] * found

    def constants(self, theta: np.ndarray) -> dict[str, float]:
        a, b, c, d, start, span = map(float, theta)
        plain = {"a": a, "b": b - c * self.centre, "c": c, "d": d - a * self.centre}
        return {**plain, "E_start": float(np.exp(start)), "E_max": float(np.exp(start + span))}

    def starts(self, weights: np.ndarray, count: int) -> np.ndarray:
        """The most promising thetas (count, 6): with E_start and E_max fixed the law is linear in the rest."""
        root, y, found = np.sqrt(weights), np.log10(self.loss), []
        for start, span in product(START_GRID, SPAN_GRID):
            theta = np.array([0, 0, 0, 0, np.log(start), np.log(span)])
            e = self.effective(theta)
            terms = np.column_stack([self.size, e, self.size * e, np.ones_like(e)])
            theta[:4] = np.linalg.lstsq(terms * root[:, None], y * root, rcond=None)[0]
            found.append((float(np.sum(weights * (terms @ theta[:4] - y) ** 2)), theta.tolist()))
        return np.array([theta for _, theta in sorted(found)[:count]])

    def _part(self, still: np.ndarray, moving: list[int]) -> Form:
        """The law of some entries of theta, the others of which are ``still``."""

        def placed(part: np.ndarray) -> np.ndarray:
            theta = still.copy()
            theta[moving] = part
            return theta

        whole = self.form
        return replace(
            whole,
            predict=lambda part: self.predict(placed(part)),
            slopes=lambda part: self.slopes(placed(part))[:, moving],
            lower=whole.lower[moving],
            upper=whole.upper[moving],
            scale=whole.scale[moving],
        )

    def unseen(self, weights: np.ndarray, aim: Any, runs: int, value: float) -> list[int]:
        """Positions of size and experts, if a law without them is no worse beyond noise."""
        count, starts, found = len(SCALE), self.starts(weights, 4), []
        for k, moving in enumerate(([1, 3, 4, 5], [0, 3])):
            still = np.where(np.arange(count) < 4, 0.0, starts[0])
            _, without, _, _ = self._part(still, moving).minimise(weights, aim, starts[:, moving])
            if is_needless(without, value, count - len(moving), count, runs, weights, aim):
                found.append(k)
        return found

    @property
    def form(self) -> Form:
        free = [np.inf] * 4
        return Form(
            observed=self.loss,
            predict=self.predict,
            slopes=self.slopes,
            lower=np.array([*np.negative(free), np.log(STARTS[0]), np.log(SPANS[0])]),
            upper=np.array([*free, np.log(STARTS[1]), np.log(SPANS[1])]),
            scale=SCALE,
        )


def fit_routed(
    runs: pd.DataFrame,
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
) -> Fit:
    """Fit a :class:`~scaling.laws.RoutedLaw` to runs of routed models, with the dense ones among them as E = 1.

    With E_start and E_max fixed the logarithm of the loss is linear in the other constants, which gives the starting
    points. The paper minimises squares of logarithms: ``objective="log_squares"``.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params`` (those that a token meets), ``tokens``, ``loss`` and ``num_experts``, with two sizes and
        three numbers of experts or more. The law has no tokens: they should be the same in all rows.
    objective : str
        As in :func:`~scaling.fit.fit_parametric`.
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
        Of a :class:`~scaling.laws.RoutedLaw`; E_start lies in [0.5, 50], and E_max in [1.5, 100,000] times it.

    Raises
    ------
    FitError
        For a table that cannot be used at all, such as one without ``num_experts``.
    ValueError
        For an unknown objective or choice of ``rows``, a ``delta`` or an ``n_starts`` that makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from scaling.laws import RoutedLaw
    >>> truth = RoutedLaw(-0.083, -0.12, 0.01, 1.11, 2.0, 300.0)
    >>> N, E = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 5), 2.0 ** np.arange(10)))
    >>> table = pd.DataFrame({"params": N, "tokens": 1.3e11, "num_experts": E, "loss": truth.loss(N, E)})
    >>> round(float(fit_routed(table).law.E_max), 3)
    300.0
    """
    aim = objective_of(objective, delta)
    used = chosen_rows(runs, rows, weights)
    if "num_experts" not in used.table:
        raise FitError("the column 'num_experts' is needed: the experts of a routed layer, 1 for a dense model")
    N, E, loss = used.columns("params", "num_experts", "loss")
    if bad := np.flatnonzero(~(E >= 1)).tolist():
        raise FitError(f"num_experts must be at least 1, got {E[bad[0]]:g} in row {bad[0]}")
    x = np.log10(N)
    law = _Bilinear(loss, x - x.mean(), float(x.mean()), E)
    return finish_sample(
        law,
        used,
        aim,
        n_starts,
        variables={"params": N, "num_experts": E},
        least=2,
        unseen=partial(law.unseen, used.weights, aim, used.count),
        build=RoutedLaw,
        again=partial(fit_routed, used.table, objective=objective, delta=delta, n_starts=n_starts, rows=rows),
    )

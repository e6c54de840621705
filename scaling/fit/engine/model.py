"""The terms of a log-sum-exp, the runs they see and the box of their parameters; memory to evaluate it in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

#: elements of one working array while the objective is evaluated: a dozen of them fit a core's cache
TILE = 8_000


@dataclass(frozen=True)
class Model:
    """Terms of the log-sum-exp, the data they see and the box of the parameters.

    ``design`` (K, n, d) and ``columns`` (K, d): term k is exp(sum_j design[k, :, j] theta[columns[k, j]]);
    shared columns tie parameters. ``offset`` is the column of E and ``scale`` that of a free *s*, or
    None. ``typical`` is a typical size of a change in each parameter, which makes steps comparable.
    ``raw`` compares exp(prediction) with the loss itself instead of the logarithms. ``base`` (K, n) is
    added to what the terms have in the exponent: a part of them that no parameter moves. ``tau`` is the weight of
    residuals below zero (predictions that are too low), 1 - ``tau`` that of the others, both doubled. ``noise`` is the
    column of ln sigma of a normal plus a half-normal part, and the next that of lambda: :func:`composed_losses` then
    take the place of Huber's. ``coupling`` is the column of the k by which two terms are joined, or None.
    """

    target: np.ndarray
    design: np.ndarray
    columns: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    typical: np.ndarray
    offset: int | None = None
    scale: int | None = None
    raw: bool = False
    base: np.ndarray | None = None
    tau: float = 0.5
    noise: int | None = None
    coupling: int | None = None

    @property
    def n_params(self) -> int:
        return len(self.lower)

    @cached_property
    def free(self) -> np.ndarray:
        """(p,): which parameters may move."""
        return np.asarray(self.lower < self.upper)

    @property
    def n_free(self) -> int:
        """How many parameters may move."""
        return int(self.free.sum())

    @cached_property
    def tied(self) -> bool:
        """Whether terms share parameters."""
        return len(np.unique(self.columns)) < self.columns.size

    @cached_property
    def has_chart(self) -> bool:
        """Whether each term is exp(a - alpha x) with constants of its own, beside an offset, and all of them move."""
        if self.offset is None or self.tied or not self.free[[self.offset, *self.columns[:, 1]]].all():
            return False
        return bool((self.lower[self.columns[:, 1]] > 0).all())

    @cached_property
    def chart_lower(self) -> np.ndarray:
        """Lower bounds in the chart: those of the exponents and the coupling alone."""
        lower = np.full(self.n_params, -np.inf)
        lower[self.columns[:, 1]] = self.lower[self.columns[:, 1]]
        if self.coupling is not None:
            lower[self.coupling] = self.lower[self.coupling]
        if self.noise is not None:
            lower[self.noise :] = self.lower[self.noise :]
        return lower

    @cached_property
    def chart_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Places in flattened (p, p) matrices that the chart's first and second derivatives fill."""
        assert self.offset is not None  # or it has no chart
        (a, alpha), p = self.columns.T, self.n_params
        first = np.concatenate([a * p + alpha, self.offset * p + a, self.offset * p + alpha])
        return first, np.concatenate([alpha * (p + 1), a * (p + 1), a * p + alpha, alpha * p + a])

    @cached_property
    def features(self) -> list[np.ndarray]:
        """What the parameters of each part see, (n, d) each: of an offset (first) and of a coupling (last) a one.

        Laid out in one way, whatever process they come from: sums over other strides differ in their last bit.
        """
        constant = [np.ones((len(self.target), 1))]
        first, last = constant * (self.offset is not None), constant * (self.coupling is not None)
        return [*first, *np.ascontiguousarray(self.design), *last]

    @property
    def terms(self) -> slice:
        """Which parts are terms."""
        first = int(self.offset is not None)
        return slice(first, first + len(self.design))

    @cached_property
    def products(self) -> list[list[np.ndarray]]:
        """Products of each part's features with those of the parts up to it, (n, d * d) each."""
        pairs = [[(x, y) for y in self.features[: i + 1]] for i, x in enumerate(self.features)]
        return [[(x[:, :, None] * y[:, None, :]).reshape(len(x), -1) for x, y in row] for row in pairs]

    @cached_property
    def reach(self) -> float:
        """Times the largest parameter, this bounds the exponents of the terms."""
        return float(np.abs(self.rows).max(2).sum(1).max())

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Ones that put sums of features into a gradient (sums, p), those of products into a Hessian (sums, p * p)."""
        offset, coupling = ([] if at is None else [(at,)] for at in (self.offset, self.coupling))
        return _places(self.n_params, (*offset, *map(tuple, self.columns.tolist()), *coupling))

    @cached_property
    def contrast(self) -> tuple[np.ndarray, np.ndarray]:
        """How the exponent of the first of two terms differs from the second's, (n, p), and its squares (n, p * p)."""
        apart = np.zeros((len(self.target), self.n_params))
        for sign, x, columns in zip((1.0, -1.0), self.design, self.columns, strict=True):
            for k, column in enumerate(columns):
                apart[:, column] += sign * x[:, k]
        return apart, (apart[:, :, None] * apart[:, None, :]).reshape(len(apart), -1)

    @cached_property
    def rows(self) -> np.ndarray:
        """The design with runs last, (K, d, n)."""
        return np.ascontiguousarray(np.swapaxes(self.design, 1, 2))

    def take(self, rows: np.ndarray) -> Model:
        """The same model on some of the runs."""
        base = None if self.base is None else self.base[:, rows]
        return replace(self, target=self.target[rows], design=self.design[:, rows], base=base)


@cache
def _places(p: int, columns: tuple[tuple[int, ...], ...]) -> tuple[np.ndarray, np.ndarray]:
    """:attr:`Model.places` of parts that see these of *p* parameters each."""
    first, second = [np.eye(p)[list(each)] for each in columns], []
    for i, x in enumerate(first):
        for y in first[: i + 1]:
            block = (x[:, None, :, None] * y[None, :, None, :]).reshape(-1, p, p)
            second.append(block if y is x else block + np.swapaxes(block, 1, 2))
    return np.concatenate(first), np.concatenate(second).reshape(-1, p * p)


class Workspace:
    """Memory for evaluations of one model, one after another, of at most ``rows`` items at a time.

    To fetch new memory for each array of an evaluation would take longer than the evaluation.
    """

    def __init__(self, model: Model, size: int) -> None:
        n = len(model.target)
        self.rows = max(1, min(size, TILE // n))
        self._parts = np.empty((len(model.features), self.rows, n))
        self._arrays = np.empty((9, self.rows, n))

    def tiles(self, size: int) -> list[slice]:
        """Items that fit at a time."""
        return [slice(i, min(i + self.rows, size)) for i in range(0, size, self.rows)]

    def parts(self, size: int) -> np.ndarray:
        """One array (size, n) for each part of the sum."""
        return self._parts[:, :size]

    def arrays(self, size: int) -> np.ndarray:
        """Nine arrays (size, n)."""
        return self._arrays[:, :size]

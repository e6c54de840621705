"""From a table to the estimator's terms and back: what is fitted, under which objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..._checks import positive, proper_share
from .huber import huber_sum, tilt
from .model import Model
from .newton import Solution, solve
from .objective import jacobian, losses, residuals
from .starts import FINE_GRID, GRID, Basis, solve_coupled, solve_fresh

#: exponents are sought in this range
EXPONENTS = (0.01, 2.0)
#: residuals of this size, in units of the loss or of its logarithm, need no larger threshold first
SMOOTH = 1e-3
#: a threshold below this share of the same unit makes Huber's loss an absolute value to rounding
SHARP = 1e-7
#: how two terms are joined: nearly the larger one, added at 1, nearly their product
COUPLINGS = (0.05, 4.0)
#: the lowest height, in units of ln loss, of one of two coupled terms: at the centre its share may be tiny, far off not
LOWEST = -100.0
#: a term whose coefficient falls below this share of the loss counts as absent
ABSENT = 1e-6


@dataclass(frozen=True)
class Objective:
    """A sum over runs of a loss of residuals, by name.

    ============  ====================================================
    log_huber     sum of w Huber_delta(ln predicted - ln observed)
    huber         sum of w Huber_delta(predicted - observed)
    log_squares   sum of w (ln predicted - ln observed)^2
    log_absolute  sum of w |ln predicted - ln observed|
    ============  ====================================================

    Huber_delta(r) is r^2/2 up to |r| = delta and delta (|r| - delta/2) beyond. With ``tau``, what a run adds is doubled
    and multiplied by tau where it lies above its law, by 1 - tau where it does not.
    """

    name: str = "log_huber"
    delta: float = 1e-3
    tau: float = 0.5

    def __post_init__(self) -> None:
        if self.name not in ("log_huber", "huber", "log_squares", "log_absolute"):
            raise ValueError(
                f"unknown objective {self.name!r}; use 'log_huber', 'huber', 'log_squares' or 'log_absolute'"
            )
        positive(delta=self.delta)
        proper_share("tau", self.tau)
        if self.tau != 0.5 and self.name == "log_absolute":
            raise ValueError("tau goes with 'log_huber' (a small delta makes it a quantile), 'huber' and 'log_squares'")

    @property
    def raw(self) -> bool:
        return self.name == "huber"

    def thresholds(self, fresh: bool, exact: bool = True, unit: float = 1.0) -> tuple[float, ...]:
        """Huber thresholds passed through, from about a hundredth of ``unit``, that of the residuals, downwards.

        Below it most residuals feel no curvature, and a solver that starts there creeps. Least absolute
        deviations have none at all: ``exact=False`` stops them early, for a method that goes on from there.
        """
        if self.name == "log_squares":
            return (np.inf,)
        if self.name == "log_absolute":
            return (1e-2, 1e-3, 1e-4, 1e-5) if exact else (1e-2, 1e-3)  # below, steps stall short of the minimum
        far = max(SMOOTH * unit, np.finfo(float).tiny)  # most residuals may be 0: a task that few models solve at all
        steps = int(max(np.ceil(np.log10(far) - np.log10(self.delta)), 0)) + fresh
        return tuple(self.delta * 10.0**k for k in range(steps, -1, -1))

    def sum(self, r: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The objective itself, over the last axis."""
        if self.tau != 0.5:
            weights = weights * tilt(r, self.tau)
        if self.name == "log_squares":
            return (weights * r * r).sum(-1)
        if self.name == "log_absolute":
            return (weights * np.abs(r)).sum(-1)
        return huber_sum(r, weights, self.delta)


@dataclass(frozen=True)
class Problem:
    """Terms ``exp(a_k - alpha_k x_k)`` beside an optional offset, in logs centred on the table.

    ``names`` are those of the constants in the order of theta (offset, coefficients, exponents, coupling). Where two
    terms are joined by a coupling k, (S^(1/k) + T^(1/k))^k, theta has the exponents of S and T, which are k times
    those of the constants, and for heights the logarithms of what each has in the whole at the centre of the table.
    """

    model: Model
    basis: Basis
    centres: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def build(
        cls,
        loss: np.ndarray,
        variables: tuple[np.ndarray, ...],
        names: tuple[str, ...],
        *,
        offset: bool = True,
        raw: bool = False,
        tau: float = 0.5,
        bounds: tuple[float, float] = EXPONENTS,
        couplings: tuple[float, float] | None = None,
        fixed: Mapping[str, float] | None = None,
        tied: bool = False,
    ) -> Problem:
        """A falling power term of each variable, and an offset; two terms may be joined by a coupling within bounds.

        ``fixed`` are values of the offset, of exponents of added terms, or of the coupling, which do not move; where
        two terms are ``tied`` they share their exponent, and the name of the second is left out.
        """
        k, n, first = len(variables), len(loss), int(offset)
        logs = [np.log(v) for v in variables]
        centres = np.array([x.mean() for x in logs])
        logs = [x - c for x, c in zip(logs, centres, strict=True)]
        spread = [max(float(x.std()), 1e-6) for x in logs]
        level = float(np.exp(np.log(loss).mean()))
        model = Model(
            target=loss if raw else np.log(loss),
            design=np.array([np.column_stack([np.ones(n), -x]) for x in logs]).reshape(k, n, 2),
            columns=np.array([(first + i, first + k + i) for i in range(k)]).reshape(k, 2),
            lower=np.array([0.0] * first + [np.log(ABSENT * float(loss.min()))] * k + [bounds[0]] * k),
            upper=np.array([np.inf] * first + [np.inf] * k + [bounds[1]] * k),
            typical=np.array([level] * first + [1.0] * k + [1.0 / s for s in spread]),
            offset=0 if offset else None,
            raw=raw,
            tau=tau,
        )
        if couplings is not None:
            model = replace(
                model,
                lower=np.r_[model.lower[:first], np.full(k, LOWEST), model.lower[first + k :], couplings[0]],
                upper=np.r_[model.upper, couplings[1]],
                typical=np.r_[model.typical, 1.0],
                coupling=model.n_params,
            )
        if tied:
            model, names = _tied(model, names, first + k + 1)
        if fixed:
            at = np.array([fixed.get(name, np.nan) for name in names])
            lower, upper = (np.where(np.isnan(at), bound, at) for bound in (model.lower, model.upper))
            model = replace(model, lower=lower, upper=upper)
        return cls(model, Basis(loss, tuple(logs), offset), centres, names)

    @property
    def n_runs(self) -> int:
        return len(self.model.target)

    @property
    def fixed(self) -> dict[str, float]:
        """The parameters that do not move, by name."""
        still = ~self.model.free[: len(self.names)]
        return {name: float(self.model.lower[k]) for k, name in enumerate(self.names) if still[k]}

    @property
    def n_terms(self) -> int:
        return len(self.centres)

    @property
    def exponents(self) -> tuple[float, float]:
        """Bounds of the exponents."""
        moving = [k for k in self.model.columns[:, 1] if self.model.free[k]]
        return (float(self.model.lower[moving[-1]]), float(self.model.upper[moving[-1]])) if moving else EXPONENTS

    @property
    def added(self) -> Problem:
        """The same with its terms added, without a coupling."""
        keep = slice(0, self.model.coupling)
        first, k = int(self.basis.offset), self.n_terms
        lower = self.model.lower[keep].copy()
        lower[first : first + k] = np.log(ABSENT * float(self.basis.loss.min()))
        model = replace(
            self.model,
            lower=lower,
            upper=self.model.upper[keep],
            typical=self.model.typical[keep],
            coupling=None,
            noise=None,
        )
        return Problem(model, self.basis, self.centres, self.names[keep])

    @property
    def unit(self) -> float:
        """What a residual is to be compared with: the typical loss, or 1 for logarithms."""
        return float(np.median(self.basis.loss)) if self.model.raw else 1.0

    def take(self, rows: np.ndarray) -> Problem:
        """The same problem on some of the runs, given in their order; itself where these are all."""
        if len(rows) == self.n_runs:
            return self
        return replace(self, model=self.model.take(rows), basis=self.basis.take(rows))

    def fresh(
        self, weights: np.ndarray, objective: Objective, count: int, grid: np.ndarray | None = None, exact: bool = True
    ) -> tuple[Solution, np.ndarray]:
        """Best minimum from variable-projection starts for each row of weights, and all values reached."""
        if grid is None:
            grid = FINE_GRID if self.n_terms == 1 else GRID
        deltas = objective.thresholds(True, exact, self.unit)
        if self.model.coupling is not None:
            added, _ = self.added.fresh(weights, objective, count, grid, exact)
            return solve_coupled(self.model, self.basis, added, weights, deltas, count)
        grids = [grid if self.model.free[k] else self.model.lower[[k]] for k in self.model.columns[:, 1]]
        # one variable may span many decades, over which a step of the grid is large beside any threshold
        return solve_fresh(self.model, self.basis, weights, deltas, count, grids, squares_first=self.n_terms == 1)

    def warm(self, theta: np.ndarray, weights: np.ndarray, objective: Objective) -> Solution:
        """Minimum reached from one theta (p,) for each row of weights."""
        return solve(self.model, weights, objective.thresholds(False, unit=self.unit), theta[None])

    def residuals(self, theta: np.ndarray) -> np.ndarray:
        """Residuals of the objective at thetas (B, p): (B, n)."""
        return residuals(self.model, theta)

    def losses(self, theta: np.ndarray, objective: Objective) -> np.ndarray:
        """What each run adds to the objective at thetas (B, p), per unit of its weight: (B, n)."""
        return losses(self.model, objective.thresholds(False)[-1], theta)

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of the predicted log-loss at theta (p,): (n, p)."""
        return jacobian(self.model, theta)

    def absent(self, theta: np.ndarray) -> np.ndarray:
        """(B, K): terms that have vanished (their coefficient sits on its lower bound).

        Of coupled terms one that has no share above ``ABSENT`` of their sum in any corner of the table.
        """
        heights, exponents = self.model.columns.T
        if self.model.coupling is None:
            return theta[:, heights] <= self.model.lower[heights]
        inner = theta[:, exponents] / theta[:, self.model.coupling, None]
        (x_low, x_high), (y_low, y_high) = ((x.min(), x.max()) for x in self.basis.logs)
        apart = theta[:, heights[0]] - theta[:, heights[1]]
        most = apart - inner @ [x_low, -y_high]
        least = apart - inner @ [x_high, -y_low]
        return np.column_stack([most <= np.log(ABSENT), least >= -np.log(ABSENT)])

    def constants(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """The constants by name, each (B,), from thetas (B, p); absent terms are exactly zero."""
        first, (high, low) = int(self.basis.offset), self.model.columns.T
        heights, exponents = theta[:, high], theta[:, low]
        rest = theta[:, low.max() + 1 :]
        if self.model.coupling is not None:
            heights = heights + (1.0 / rest - 1.0) * np.logaddexp.reduce(heights, axis=1, keepdims=True)
            exponents = exponents / rest
        with np.errstate(over="ignore"):
            coefficients = np.exp(heights + exponents * self.centres)
        coefficients = np.where(self.absent(theta), 0.0, coefficients)
        own = exponents[:, : len(np.unique(low))]
        columns = [*theta[:, :first].T, *coefficients.T, *own.T, *rest.T]
        return dict(zip(self.names, columns, strict=True))

    def theta(self, constants: Mapping[str, float]) -> np.ndarray:
        """The theta (p,) of constants by name, the inverse of :meth:`constants`; absent terms are on their bound."""
        first, (high, low) = int(self.basis.offset), self.model.columns.T
        values = np.array([constants[name] for name in self.names])
        exponents, rest = values[low], values[low.max() + 1 :]
        with np.errstate(divide="ignore"):
            heights = np.log(values[high]) - exponents * self.centres
        if self.model.coupling is not None:
            heights = heights + (rest - 1.0) * np.logaddexp.reduce(heights)
            exponents = exponents * rest
        own = exponents[: len(np.unique(low))]
        return np.maximum(np.concatenate([values[:first], heights, own, rest]), self.model.lower)


def _tied(model: Model, names: tuple[str, ...], last: int) -> tuple[Model, tuple[str, ...]]:
    """A model whose second term has the exponent of the first, and the names of what is left; ``last`` is its place."""
    columns = model.columns.copy()
    columns[1, 1] = columns[0, 1]
    return replace(
        model,
        columns=columns,
        lower=np.delete(model.lower, last),
        upper=np.delete(model.upper, last),
        typical=np.delete(model.typical, last),
        coupling=None if model.coupling is None else model.coupling - 1,
    ), (*names[:last], *names[last + 1 :])

r"""How far can what is asked move before the runs object? A law in coordinates of its own compute-optimal frontier.

At a budget C with its best size N* and tokens D* = C / 6N*, and with the loss L* there, the law of Hoffmann et al. is

.. math:: L = E + (L^* - E)\Bigl[a\,(N/N^*)^{-\alpha} + (1 - a)\,(D/D^*)^{-\beta}\Bigr], \qquad
          a = \frac{\beta}{\alpha + \beta}

so that ln N*, L* and a are coordinates themselves. Where the terms are joined by a coupling k, the bracket has the
exponents alpha/k and beta/k, and the power k, which is one more coordinate. To hold one and minimise over the rest is
then a problem within bounds, which Levenberg and Marquardt's steps solve for many values of it at once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .huber import huber_sum
from .problem import Problem
from .scatter import Scatter, count_alike, inflation, student

#: places of the coordinates of a point, the last only of a law with a coupling; ``EXPONENT`` is to hold a, and so the
#: ratio of ALPHA and BETA
OFFSET, SIZE, LOSS, ALPHA, BETA, COUPLING, EXPONENT = range(7)
#: steps at most: five to fifteen are enough, but along a bent valley far beyond the runs
MOST_STEPS = 1_000
#: damping tried first, its factors after a success and a failure, and where it ends
DAMPING, SHRINK, GROW, MOST_DAMPING = 1e-3, 0.1, 8.0, 1e8
#: damping below which a step is believed
LIGHT = 1e-2
#: a step that promises less than this share of the objective is the last
PROMISE = 1e-7
#: an exponent this near to a bound, as a share of it, is on it
AT_END = 1e-12
#: so many times what a step promises is more than all that are to come will bring
CLEAR = 20.0
#: a loss is not below this
TINY = 1e-200
#: how near the ends of intervals are found, as a share of their half width
NEAR = 0.003
#: of more runs than this, first-order intervals are the profile's, where errors (of ln N, L and a) are below this
MANY, SMALL = 5_000, 0.03
#: rounds in which an end is sought, and the largest factor by which one is sought further out
ROUNDS, WIDEN = 24, 2.5
#: an end farther than this (in ln N, or ln L) from the estimate is not a number but open
FARTHEST = {SIZE: np.log(1e6), LOSS: np.log(10.0), EXPONENT: 1.0}
#: an exponent a nearer than this to 0 or 1 is neither
EDGE = 0.005
#: the constants of the law in the order of theta; the coordinates that a constant fixes
OF_LAW = ("E", "A", "B", "alpha", "beta")
PLACES = {"E": OFFSET, "alpha": ALPHA, "beta": BETA, "k": COUPLING}


@dataclass(frozen=True)
class Frontier:
    """The runs of a problem of two terms, and their scatter, seen from a budget.

    Attributes
    ----------
    log_params, log_tokens, target, weights : array (n,)
        The target is ln loss, or the loss where ``raw``.
    bounds : (float, float)
        Of the exponents.
    couplings : (float, float) or None
        Bounds of the coupling, where the law has one.
    fixed : tuple of int
        Places of coordinates that do not move, whatever is held.
    tied : bool
        Whether the ratio of the exponents does not move, and with it a.
    scatter : Scatter
    clusters : array (n,) or None
        Which runs are not independent of each other.
    """

    log_params: np.ndarray
    log_tokens: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    raw: bool
    bounds: tuple[float, float]
    theta: np.ndarray
    scatter: Scatter
    clusters: np.ndarray | None
    couplings: tuple[float, float] | None = None
    fixed: tuple[int, ...] = ()
    tied: bool = False

    @classmethod
    def of(cls, problem: Problem, scatter: Scatter, clusters: np.ndarray | None = None) -> Frontier:
        """From a problem with an offset and a term of size and one of tokens, all of whose runs count."""
        x, y = (log + centre for log, centre in zip(problem.basis.logs, problem.centres, strict=True))
        constants = problem.constants(scatter.theta[None])
        if problem.model.tied:
            constants["beta"] = constants["alpha"]
        theta = np.array([constants[name][0] for name in (*OF_LAW, "k") if name in constants])
        model, couplings = problem.model, None
        fixed = tuple(PLACES[name] for name in problem.fixed)
        if (k := model.coupling) is not None:
            couplings = float(model.lower[k]), float(model.upper[k])
        w, bounds = scatter.weights, problem.exponents
        return cls(x, y, model.target, w, model.raw, bounds, theta, scatter, clusters, couplings, fixed, model.tied)

    @property
    def settled(self) -> bool:
        """Whether a is no question to the runs: it follows from what does not move."""
        return self.tied or {ALPHA, BETA} <= set(self.fixed)

    def _turning(self, held: np.ndarray) -> np.ndarray:
        """Where the exponents move by one factor (B,): with a held, or tied, and neither of them fixed."""
        return ((held == EXPONENT) | self.tied) & (not {ALPHA, BETA} & set(self.fixed))

    def _still(self, held: np.ndarray) -> np.ndarray:
        """Coordinates (B, size) that do not move."""
        still = held[:, None] == np.arange(self.size)
        still[:, list(self.fixed)] = True
        if {ALPHA, BETA} & set(self.fixed):
            still[held == EXPONENT, ALPHA : BETA + 1] = True
            still[:, ALPHA : BETA + 1] |= self.tied
        return still

    @property
    def size(self) -> int:
        """How many coordinates a point has."""
        return 5 if self.couplings is None else 6

    def point(self, log_c: float) -> np.ndarray:
        """Coordinates (size,) of the minimum at a budget 6 exp(log_c); NaN where a term has vanished."""
        E, A, B, alpha, beta, *coupling = self.theta
        if not (A > 0 and B > 0):
            return np.full(self.size, np.nan)
        size = (np.log(alpha * A / (beta * B)) + beta * log_c) / (alpha + beta)
        least = A * np.exp(-alpha * size) * (1 + alpha / beta)
        for k in coupling:
            least, alpha, beta = least**k, k * alpha, k * beta
        return np.array([E, size, E + least, alpha, beta, *coupling])

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a point at the edge of the numbers is no better
    def predict(self, points: np.ndarray, log_c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals (B, n) at points (B, size), and their derivatives (B, size, n)."""
        E, size, best, alpha, beta, *coupling = (column[:, None] for column in points.T)
        x, y = self.log_params - size, self.log_tokens - (log_c[:, None] - size)
        for k in coupling:
            x, y = x / k, y / k
        of_size, of_tokens = (np.exp(np.clip(-e * u, -300.0, 300.0)) for e, u in ((alpha, x), (beta, y)))
        a, above, apart = beta / (alpha + beta), best - E, of_size - of_tokens
        mixed = a * of_size + (1 - a) * of_tokens
        slopes = np.empty((len(points), self.size, len(self.target)))
        pull = above
        for k in coupling:
            whole = mixed**k
            fall = np.log(mixed) + (a * of_size * alpha * x + (1 - a) * of_tokens * beta * y) / mixed
            slopes[:, COUPLING] = above * whole * fall
            pull, mixed = above * k * whole / mixed, whole
        loss = np.maximum(E + above * mixed, TINY)
        slopes[:, OFFSET] = 1 - mixed
        slopes[:, SIZE] = pull * a * alpha * apart
        slopes[:, LOSS] = mixed
        slopes[:, ALPHA] = -pull * a * (apart / (alpha + beta) + x * of_size)
        slopes[:, BETA] = pull * (1 - a) * (apart / (alpha + beta) - y * of_tokens)
        for k in coupling:
            slopes[:, SIZE] /= k
        if self.raw:
            return loss - self.target, slopes
        slopes /= loss[:, None, :]
        return np.log(loss) - self.target, slopes

    def minimise(
        self, points: np.ndarray, log_c: np.ndarray, held: np.ndarray, limit: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points (B, size) with the least objective while coordinate ``held`` (B,) stays, and its values (B,).

        With a ``limit`` (B,) the search ends as soon as it is plain on which side of it the least value lies.
        """
        delta, w, size = self.scatter.delta, self.weights, len(points)
        points, damping = self._inside(points, held), np.full(size, DAMPING)
        r, slopes = self.predict(points, log_c)
        value = huber_sum(r, w, delta)
        active = np.arange(size)
        out, least = points.copy(), value.copy()
        for _ in range(MOST_STEPS):
            light = damping <= LIGHT
            step, promised = self._step(points, r, slopes, damping, held[active])
            trial = self._inside(points + step, held[active], points)
            r_new, slopes_new = self.predict(trial, log_c[active])
            value_new = huber_sum(r_new, w, delta)
            better = value_new < value
            damping = np.where(better, damping * SHRINK, np.maximum(damping * GROW, DAMPING))
            points = np.where(better[:, None], trial, points)
            r, slopes = (
                np.where(better[:, None], r_new, r),
                np.where(better[:, None, None], slopes_new, slopes),
            )
            value = np.where(better, value_new, value)
            out[active], least[active] = points, value
            going = ~((promised <= PROMISE * value) & light | (damping > MOST_DAMPING))
            if limit is not None:
                above = value - limit[active]
                going &= ~((above < 0) | light & (above > CLEAR * promised))
            if not going.any():
                break
            if not going.all():
                active, points, r, slopes = active[going], points[going], r[going], slopes[going]
                value, damping = value[going], damping[going]
        return out, least

    def _inside(self, points: np.ndarray, held: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
        """Points brought within bounds; where a is held, along the ratio of the exponents before."""
        low, high = self.bounds
        kept, points, tied = points, points.copy(), self._turning(held)
        each = points[:, ALPHA : BETA + 1]
        ratio = (each if before is None else before[:, ALPHA : BETA + 1])[tied]
        share, total = ratio / ratio.sum(1, keepdims=True), each[tied].sum(1, keepdims=True)
        least, most = (low / share).max(1, keepdims=True), (high / share).min(1, keepdims=True)
        each[~tied] = np.minimum(np.maximum(each[~tied], low), high)
        each[tied] = share * np.minimum(np.maximum(total, least), most)
        if self.couplings is not None:
            points[:, COUPLING] = np.minimum(np.maximum(points[:, COUPLING], self.couplings[0]), self.couplings[1])
        points[:, LOSS] = np.maximum(points[:, LOSS], np.where(held == OFFSET, points[:, OFFSET] * (1 + 1e-8), 1e-12))
        if OFFSET in self.fixed:
            points[:, LOSS] = np.maximum(points[:, LOSS], points[:, OFFSET] * (1 + 1e-8))
        points[:, OFFSET] = np.minimum(np.maximum(points[:, OFFSET], 0.0), points[:, LOSS] * (1 - 1e-9))
        points[:, list(self.fixed)] = kept[:, list(self.fixed)]
        return points

    @np.errstate(over="ignore", invalid="ignore")  # a point at the edge of the numbers is refused by its promise
    def _step(
        self, points: np.ndarray, r: np.ndarray, slopes: np.ndarray, damping: np.ndarray, held: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Damped Gauss–Newton step of reweighted squares, and the fall of the objective that it promises."""
        each = np.arange(self.size)
        delta = self.scatter.delta
        pull = self.weights * np.minimum(np.maximum(r, -delta), delta)
        reweighted = self.weights * np.minimum(1.0, delta / np.maximum(np.abs(r), 1e-300))
        tied = self._turning(held)
        if tied.any():
            slopes = slopes.copy()
            shares = points[tied, ALPHA : BETA + 1] / points[tied, ALPHA : BETA + 1].sum(1, keepdims=True)
            slopes[tied, ALPHA] = (shares[:, :, None] * slopes[tied, ALPHA : BETA + 1]).sum(1)
            slopes[tied, BETA] = 0.0
        gradient = np.matmul(slopes, pull[:, :, None])[:, :, 0]
        curvature = np.matmul(slopes * reweighted[:, None, :], np.swapaxes(slopes, 1, 2))
        stays = self._still(held)
        stays[tied, BETA] = True
        (low, high), (loose, tight) = self.bounds, self.couplings or (0.0, np.inf)
        exponents = points[:, ALPHA : BETA + 1]
        lower = np.array([0.0, -np.inf, -np.inf, low, low, loose])[: self.size]
        upper = np.array([np.inf, np.inf, np.inf, high, high, tight])[: self.size]
        down, up = points <= lower, points >= upper
        for ends, at in ((down, exponents <= low * (1 + AT_END)), (up, exponents >= high * (1 - AT_END))):
            ends[tied, ALPHA] = at[tied].any(1)  # one factor moves both, as far as the first of them can
        stays |= down & (gradient > 0) | up & (gradient < 0)
        gradient = np.where(stays, 0.0, gradient)
        curvature = np.where(stays[:, :, None] | stays[:, None, :], 0.0, curvature)
        diagonal = curvature[:, each, each]
        top = diagonal.max(1, keepdims=True) + 1e-300
        scale = np.sqrt(np.where(stays | (diagonal <= 1e-28 * top), top, diagonal))
        curvature = curvature / (scale[:, :, None] * scale[:, None, :])
        curvature[:, each, each] = 1.0 + damping[:, None] + 1e-12
        gradient = gradient / scale
        step = -np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        promised = -0.5 * (step * gradient).sum(1)
        step = np.where(stays, 0.0, step / scale)
        if tied.any():
            step[tied, ALPHA : BETA + 1] = shares * step[tied, ALPHA, None]
        return step, promised

    def asked(self, log_c: np.ndarray, held: np.ndarray) -> Asked:
        """What is needed to hold coordinates ``held`` (B,) at budgets 6 exp(``log_c``) (B,)."""
        budgets, at = np.unique(log_c, return_inverse=True)
        start = np.array([self.point(each) for each in budgets])
        r, slopes = self.predict(start, budgets)
        delta = self.scatter.delta
        inside = self.weights * (np.abs(r) <= delta)
        turn = self._turns(start)
        loose = np.matmul(np.swapaxes(turn, 1, 2), slopes)
        outer = np.matmul(loose * inside[:, None, :], np.swapaxes(loose, 1, 2))
        scale = np.sqrt(outer[:, range(self.size), range(self.size)])
        scale = np.where(scale > 0, scale, 1.0)
        covariance = np.linalg.pinv(outer / (scale[:, :, None] * scale[:, None, :]), hermitian=True)
        covariance /= scale[:, :, None] * scale[:, None, :]
        covariance = np.matmul(np.matmul(turn, covariance), np.swapaxes(turn, 1, 2))[at]
        start = start[at]
        # ln a = ln beta - ln(alpha + beta): the slope of a in the exponents
        alpha, beta = start[:, ALPHA], start[:, BETA]
        pick = np.eye(7)[held][:, : self.size]
        of_a = held == EXPONENT
        pick[of_a, ALPHA] = (-beta / (alpha + beta) ** 2)[of_a]
        pick[of_a, BETA] = (alpha / (alpha + beta) ** 2)[of_a]
        along = np.matmul(covariance, pick[:, :, None])[:, :, 0]
        variance = (along * pick).sum(1)
        value = np.where(
            of_a, beta / (alpha + beta), np.take_along_axis(start, np.where(of_a, BETA, held)[:, None], 1)[:, 0]
        )
        factor = np.ones(len(held))
        if not count_alike(self.weights, self.clusters):
            cut = np.minimum(np.maximum(r, -delta), delta)
            for k in range(len(budgets)):  # one after another: of a large table each takes much memory
                factor[at == k] = inflation(along[at == k] @ slopes[k] * cut[k], self.weights, self.clusters)
        return Asked(
            log_c=log_c,
            held=held,
            start=start,
            value=value,
            along=along / variance[:, None],
            error=np.sqrt(variance * self.scatter.unit),
            inflation=factor,
        )

    def _turns(self, start: np.ndarray) -> np.ndarray:
        """How the coordinates (B, size) follow those that move: ones, but for a fixed one and for tied exponents."""
        turn = np.tile(np.eye(self.size), (len(start), 1, 1))
        turn[:, list(self.fixed)] = 0.0
        if self.tied:
            turn[:, BETA, ALPHA] = turn[:, ALPHA, ALPHA] * start[:, BETA] / start[:, ALPHA]
            turn[:, :, BETA] = 0.0
        return turn

    def _limits(self) -> dict[int, tuple[float, float]]:
        """Between which values the coordinates that are constants can lie."""
        least = float(self.target.min())
        limits = {OFFSET: (0.0, least if self.raw else float(np.exp(least)))}
        return limits if self.couplings is None else limits | {COUPLING: self.couplings}

    def rise(
        self, asked: Asked, values: np.ndarray, near: np.ndarray, shift: np.ndarray, above: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Root of the statistic when coordinates are held at ``values`` (B,), and the points (B, size) there.

        Started from the points ``near``, moved by ``shift`` of the coordinate along the valley. Where it is only asked
        whether the root is ``above`` a number, it is no more exact than that takes.
        """
        start = near + asked.along * shift[:, None]
        start[:, LOSS] = np.clip(start[:, LOSS], 0.5 * near[:, LOSS], 2 * near[:, LOSS])
        start[:, ALPHA:] = np.clip(start[:, ALPHA:], 0.5 * near[:, ALPHA:], 2 * near[:, ALPHA:])
        for place in (SIZE, LOSS) if self.couplings is None else (OFFSET, SIZE, LOSS, COUPLING):
            here = asked.held == place
            start[here, place] = values[here]
        gap = 0.5 * (near[:, LOSS] - near[:, OFFSET])
        least = start[:, LOSS] - gap
        start[:, OFFSET] = np.where(asked.held == OFFSET, start[:, OFFSET], np.clip(start[:, OFFSET], 0.0, least))
        here = asked.held == EXPONENT
        total = start[here, ALPHA] + start[here, BETA]
        if ALPHA in self.fixed:
            total = start[here, ALPHA] / (1 - values[here])
        elif BETA in self.fixed:
            total = start[here, BETA] / values[here]
        start[here, ALPHA], start[here, BETA] = (1 - values[here]) * total, values[here] * total
        limit = None if above is None else self.scatter.value + above**2 * asked.inflation * self.scatter.unit / 2
        points, least = self.minimise(start, asked.log_c, asked.held, limit)
        return np.sqrt(self.scatter.rise(least) / asked.inflation), points

    def known_within(self, log_c: float, size: float, ratio: float, level: float) -> bool:
        """Whether the interval of ln N* at 6 exp(log_c) lies within this ratio of ``size``, a logarithm as well."""
        asked = self.asked(np.array([log_c]), np.array([SIZE])).take([0, 0])
        shift = size + np.log(ratio) * np.array([-1.0, 1.0]) - asked.value
        if not shift[0] < 0 < shift[1]:  # or not finite
            return False
        least = student(level, self.scatter.freedom)
        z, _ = self.rise(asked, asked.value + shift, asked.start, shift, above=least)
        return bool((z > least).all())

    def intervals(self, log_c: np.ndarray, held: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, lower and upper ends (B,) of profile-likelihood intervals; an end that is not found is infinite."""
        both = self.asked(log_c, held).take(np.tile(np.arange(len(held)), 2))
        side = np.repeat([-1.0, 1.0], len(held))
        limit = student(level, self.scatter.freedom)
        farthest = np.select([both.held == place for place in FARTHEST], list(FARTHEST.values()))
        farthest = np.where(both.held == LOSS, both.value * np.where(side < 0, 1.0, 9.0), farthest)
        room = np.where(side < 0, both.value - EDGE, 1 - EDGE - both.value)
        farthest = np.where(both.held == EXPONENT, np.maximum(room, 0.0), farthest)
        for place, (low, high) in self._limits().items():
            room = np.where(side < 0, both.value - low, high - both.value)
            farthest = np.where(both.held == place, np.maximum(room, 0.0), farthest)
        inner, outer = np.zeros(len(side)), np.full(len(side), np.inf)
        z_inner, z_outer = np.zeros(len(side)), np.full(len(side), np.inf)
        near, at = both.start.copy(), np.zeros(len(side))
        reach = np.minimum(limit * both.error * np.sqrt(both.inflation), farthest)
        end = np.full(len(side), np.nan)
        if len(self.target) > MANY and both.error.max() < SMALL:
            end = reach
        for _ in range(ROUNDS):
            open_ = np.flatnonzero(np.isnan(end))
            if not len(open_):
                break
            part = both.take(open_)
            z, points = self.rise(
                part,
                part.value + side[open_] * reach[open_],
                near[open_],
                side[open_] * (reach[open_] - at[open_]),
            )
            for k, zk, point in zip(open_, z, points, strict=True):
                if zk < limit:  # a search from a point that is no answer may stay in its valley
                    near[k], at[k] = point, reach[k]
                if abs(zk - limit) < NEAR * limit:
                    end[k] = reach[k]
                elif zk < limit:
                    if reach[k] >= farthest[k] * (1 - 1e-12):
                        end[k] = np.inf
                    inner[k], z_inner[k] = reach[k], zk
                else:
                    outer[k], z_outer[k] = reach[k], zk
                reach[k] = _next(inner[k], z_inner[k], outer[k], z_outer[k], limit, farthest[k])
        end = np.where(np.isnan(end), np.where(np.isfinite(outer), outer, np.inf), end)
        low, high = (both.value + side * end).reshape(2, -1)
        return both.value[: len(held)], low, high


@dataclass(frozen=True)
class Asked:
    """Coordinates to hold at budgets: where they start, how the others follow them, and a first standard error."""

    log_c: np.ndarray
    held: np.ndarray
    start: np.ndarray
    value: np.ndarray
    along: np.ndarray
    error: np.ndarray
    inflation: np.ndarray

    def take(self, rows: np.ndarray | list[int]) -> Asked:
        return Asked(*(getattr(self, each.name)[rows] for each in fields(self)))


def _next(inner: float, z_inner: float, outer: float, z_outer: float, limit: float, farthest: float) -> float:
    """Where to look next for the end: farther out, or where a line between what is known crosses the limit."""
    if np.isinf(outer):
        return min(inner * min(WIDEN, max(1.05 * limit / max(z_inner, 1e-9), 1.1)), farthest)
    share = (limit - z_inner) / (z_outer - z_inner)
    return inner + min(max(share, 0.05), 0.95) * (outer - inner)

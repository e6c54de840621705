"""Arrays of candidates → those to take: variance and bias of one number, at several laws at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

#: rounds of exchanges; three or four are enough
MOST_ROUNDS = 20
#: an exchange must lower the criterion, a logarithm, by more than this
IMPROVES = 1e-9


@dataclass(frozen=True)
class Design:
    r"""What a set of runs says about one number, at each of K laws.

    With slopes g of ln L in the p constants and discrepancies :math:`\phi` of ln L in q directions that the law cannot
    follow, each scaled by what is thought likely, least squares has for the number whose slopes are c

    .. math:: v = \tau^2 c^T M^{-1} c, \qquad b = R^T M^{-1} c - h, \qquad M = \sum g g^T, \quad R = \sum g \phi^T,

    with h the change of the truth itself; the expected squared error is v + b'b.

    Attributes
    ----------
    inverse, cross : array (K, p, p) and (K, p, q)
        :math:`M^{-1}` and R.
    aim, shift : array (K, p) and (K, q)
        c and h.
    noise : float
        :math:`\tau`, of ln L.
    """

    inverse: np.ndarray
    cross: np.ndarray
    aim: np.ndarray
    shift: np.ndarray
    noise: float

    @property
    def variance(self) -> np.ndarray:
        """v at each law, (K,)."""
        return self.noise**2 * np.einsum("ki,kij,kj->k", self.aim, self.inverse, self.aim)

    @property
    def bias(self) -> np.ndarray:
        """b at each law, (K, q)."""
        return np.einsum("kiq,kij,kj->kq", self.cross, self.inverse, self.aim) - self.shift

    @property
    def criterion(self) -> float:
        """The mean over the laws of ln(v + b'b), so that no single law decides."""
        return float(np.log(self.variance + (self.bias**2).sum(-1)).mean())

    def changed(self, slopes: np.ndarray, forms: np.ndarray, sign: int) -> Design:
        """With a run added (+1) or taken away (-1): its slopes (K, p) and discrepancies (K, q)."""
        along = np.einsum("kij,kj->ki", self.inverse, slopes)
        scale = sign / (1 + sign * (slopes * along).sum(-1))
        inverse = self.inverse - scale[:, None, None] * along[:, :, None] * along[:, None, :]
        return replace(self, inverse=inverse, cross=self.cross + sign * slopes[:, :, None] * forms[:, None, :])

    def with_each(self, slopes: np.ndarray, forms: np.ndarray) -> np.ndarray:
        r"""The criterion after adding each of m candidates, (m,), from slopes (K, m, p) and discrepancies (K, m, q).

        By Sherman and Morrison, with :math:`u = g^T M^{-1} c` and :math:`s = g^T M^{-1} g`, a run changes v by
        :math:`-\tau^2 u^2/(1 + s)` and b by :math:`u\,(\phi - R^T M^{-1} g)/(1 + s)`.
        """
        along = slopes @ self.inverse
        leverage = 1 + (along * slopes).sum(-1)
        pull = (along @ self.aim[:, :, None])[:, :, 0]
        variance = self.variance[:, None] - self.noise**2 * pull**2 / leverage
        bias = self.bias[:, None, :] + (pull / leverage)[:, :, None] * (forms - along @ self.cross)
        found: np.ndarray = np.log(variance + (bias**2).sum(-1)).mean(0)
        return found


def whitened(present: np.ndarray, candidates: np.ndarray, aim: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes of the runs at hand (K, n, p), of candidates and of the aim in units in which M is the identity."""
    out = []
    for here, there, c in zip(present, candidates, aim, strict=True):
        triangle = np.linalg.qr(here, mode="r")
        out.append([scipy.linalg.solve_triangular(triangle, x.T, trans="T").T for x in (here, there, c)])
    here, there, c = (np.array(part) for part in zip(*out, strict=True))
    return here, there, c


def choose(
    design: Design,
    slopes: np.ndarray,
    forms: np.ndarray,
    cost: np.ndarray,
    budget: float,
    caps: Sequence[float],
    most: int,
    near: np.ndarray,
) -> tuple[Design, list[int]]:
    """The design with runs added, and which candidates they are: the best of several passes.

    Runs are taken one by one, the best that can still be paid for and costs no more than a cap, then exchanged one for
    another without the cap, as long as that helps (Fedorov). No two are taken that are ``near`` each other, (m, m).
    """
    passes = [_pass(design, slopes, forms, cost, budget, cap, most, near) for cap in caps]
    return min(passes, key=lambda found: found[0].criterion)


def _pass(
    design: Design,
    slopes: np.ndarray,
    forms: np.ndarray,
    cost: np.ndarray,
    budget: float,
    cap: float,
    most: int,
    near: np.ndarray,
) -> tuple[Design, list[int]]:
    chosen: list[int] = []
    left = budget
    for _ in range(most):
        free = ~near[chosen].any(0)
        best, value = _lowest(design.with_each(slopes, forms), free & (cost <= min(cap, left)))
        if not value < design.criterion:
            break
        design, left = design.changed(slopes[:, best], forms[:, best], +1), left - cost[best]
        chosen.append(best)
    for _ in range(MOST_ROUNDS):
        before = design.criterion
        for place, old in enumerate(chosen):
            without = design.changed(slopes[:, old], forms[:, old], -1)
            values = without.with_each(slopes, forms)
            free = ~near[chosen[:place] + chosen[place + 1 :]].any(0)
            best, value = _lowest(values, free & (cost <= left + cost[old]))
            if value < values[old] - IMPROVES:
                chosen[place], left = best, left + cost[old] - cost[best]
                design = without.changed(slopes[:, best], forms[:, best], +1)
        if design.criterion >= before - IMPROVES:
            break
    return design, chosen


def _lowest(values: np.ndarray, allowed: np.ndarray) -> tuple[int, float]:
    """The lowest criterion among the candidates that are allowed, and whose it is."""
    values = np.where(allowed, values, np.inf)
    best = int(values.argmin())
    return best, float(values[best])

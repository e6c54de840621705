"""What a schedule of the learning rate does to the loss: the multi-power law and the law of annealing momentum."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy
from numpy.typing import ArrayLike

from .._checks import at_least_zero, number, numbers, positive, positive_finite, whole_number, within
from .base import Law

__all__ = ["MomentumLaw", "MultiPowerLaw", "learning_rates"]

#: how a rate goes from the peak to the end, by the share of the way
SHAPES = {
    "cosine": lambda peak, end, way: end + (peak - end) * (1 + np.cos(np.pi * way)) / 2,
    "linear": lambda peak, end, way: peak + (end - peak) * way,
    "exponential": lambda peak, end, way: peak ** (1 - way) * end**way,
    "stage": lambda peak, end, way: np.full_like(way, end),
}


def learning_rates(
    steps: int,
    shape: str = "constant",
    *,
    peak: float,
    end: float = 0.0,
    warmup: int = 0,
    decay: int | None = None,
) -> np.ndarray:
    """List the learning rates of the steps 0 to ``steps`` - 1: a linear warm-up, the peak, and a fall.

    Parameters
    ----------
    steps : int
        How many.
    shape : str
        ``constant``; or how the rate falls from the peak to the end: ``cosine``, ``linear``, ``exponential``, or at
        once (``stage``).
    peak, end : float
        The largest rate, positive, and the last, from 0 to the peak, which would be that of step ``steps``; an
        exponential fall needs one above 0.
    warmup : int
        Steps of the warm-up, from a rate of 0 at step 0 to the peak at the last of them.
    decay : int, optional
        The step at which the fall begins; by default the end of the warm-up.

    Returns
    -------
    array (steps,)
        The rates.

    Raises
    ------
    ValueError
        For an unknown shape, numbers of steps that are not whole or not in their order, a peak that is not positive, or
        an end that is negative or above the peak.

    Examples
    --------
    >>> learning_rates(8, "linear", peak=3.0, warmup=3, decay=5).tolist()
    [0.0, 1.5, 3.0, 3.0, 3.0, 3.0, 2.0, 1.0]
    """
    if shape not in ("constant", *SHAPES):
        raise ValueError(f"unknown shape {shape!r}; one of constant, {', '.join(SHAPES)}")
    total, first = whole_number("steps", steps), whole_number("warmup", warmup, 0)
    start = total if shape == "constant" else whole_number("decay", first if decay is None else decay, 0)
    if not first <= start <= total:
        raise ValueError(f"warmup, decay and steps must come in this order, got {first}, {start}, {total}")
    positive_finite(peak=number("peak", peak))
    if at_least_zero("end", end) > peak:
        raise ValueError(f"end must be at most the peak, {peak:g}, to which the rate rises first, got {end:g}")
    if shape == "exponential" and not end > 0:
        raise ValueError(f"end must be above 0 for an exponential fall, which never comes to 0, got {end:g}")
    rates = np.full(total, float(peak))
    rates[:first] = np.linspace(0.0, peak, first)
    if start < total:
        rates[start:] = SHAPES[shape](peak, float(end), (np.arange(start, total) - start) / (total - start))
    return rates


@dataclass(frozen=True)
class Changes:
    """What of a schedule matters at some steps: its sums, and the changes of the rate before them."""

    #: the sum of the rates up to each step asked for, (n,), and how many of the changes lie before it
    total: np.ndarray
    seen: np.ndarray
    #: of each change (m,): by how much the rate falls, the logarithm of the new rate, and the sum before it
    fall: np.ndarray
    log_rate: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, rates: np.ndarray, steps: np.ndarray, every: int = 1) -> Changes:
        """Over ``every`` steps neighbouring changes stand as one, at their mean, which is quicker and not exact."""
        total, fall = np.cumsum(rates), -np.diff(rates)
        at = np.flatnonzero(fall) + 1
        weight = fall[at - 1]
        # no block reaches over a step that is asked for, or from a rise to a fall
        edges = np.union1d(steps + 1, np.arange(0, len(rates), every))
        _, block = np.unique(2 * np.searchsorted(edges, at, "right") + (weight > 0), return_inverse=True)
        sums = [np.bincount(block, weight * each) for each in (np.ones(len(at)), np.log(rates[at]), total[at - 1])]
        last = np.zeros(len(sums[0]), dtype=int)
        np.maximum.at(last, block, at)
        seen = np.searchsorted(last, steps, "right")
        return cls(total[steps], seen, sums[0], sums[1] / sums[0], sums[2] / sums[0])


class _ScheduleLaw(Law):
    """A law whose loss at a step depends on the rates of all steps before."""

    columns: ClassVar[tuple[str, ...]] = ("learning_rate",)
    L0: float | np.ndarray
    A: float | np.ndarray
    alpha: float | np.ndarray

    def loss(self, learning_rate: ArrayLike, steps: ArrayLike | None = None) -> np.ndarray | float:
        """Predict the loss along a run.

        Parameters
        ----------
        learning_rate : array (T,)
            Of the steps 0 to T - 1, warm-up included; positive, at step 0 also zero.
        steps : array of int (n,), optional
            At which steps; by default at each, which of a long run takes T²/2 terms.

        Returns
        -------
        float or array
            Nats/token, one loss a step; with constants that are arrays, by NumPy's rules.

        Raises
        ------
        ValueError
            If a rate is not positive, or a step is none of the schedule's.
        """
        rates = np.atleast_1d(numbers("learning_rate", learning_rate))
        positive(learning_rate=rates[1:] if len(rates) > 1 and rates[0] == 0 else rates)
        known = f"whole and at most {len(rates) - 1}, the last that has a rate"
        (at,) = within(known, lambda s: (s >= 0) & (s < len(rates)) & (s == np.floor(s)), steps=_steps(rates, steps))
        at, total = at.astype(int), np.cumsum(rates)
        one = np.ndim(learning_rate if steps is None else steps) == 0
        law = self.as_column() if one else self
        with np.errstate(divide="ignore"):  # before the first step that moves anything the loss is infinite
            found = np.asarray(law.L0 + law.A * total[at] ** -law.alpha - law.drop(rates, at))
        return found[..., 0] if one else found

    @abstractmethod
    def drop(self, rates: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Compute by how much the falls of the rate have lowered the loss at each step.

        Parameters
        ----------
        rates : array (T,)
            Learning rates of the steps 0 to T - 1.
        steps : array of int (n,)
            At which steps.

        Returns
        -------
        array (n,)
            Nats/token.
        """


def _steps(rates: np.ndarray, steps: ArrayLike | None) -> np.ndarray:
    return np.arange(len(rates)) if steps is None else np.atleast_1d(numbers("steps", steps))


@dataclass(frozen=True, repr=False)
class MultiPowerLaw(_ScheduleLaw):
    r"""The loss along a run under any schedule of the learning rate (Luo et al. 2025).

    .. math:: L(t) = L_0 + A\,S(t)^{-\alpha}
              - B \sum_{k=1}^{t} (\eta_{k-1} - \eta_k)\left[1 - \Bigl(1 + C\,\eta_k^{-\gamma}
              \sum_{\tau=k}^{t} \eta_\tau\Bigr)^{-\beta}\right]

    :math:`\eta_k` is the learning rate of step k and S(t) the sum of those of steps 0 to t. A fall of the rate lowers
    the loss, not at once but as a power of the sum of rates since; a rise, as in the warm-up, counts against it.

    Parameters
    ----------
    L0 : float or array
        Irreducible loss in nats/token.
    A, alpha : float or array
        Of the loss at a rate that never falls.
    B : float or array
        Nats/token that a fall of the rate by 1 is worth in the end.
    C, beta, gamma : float or array
        How soon it is worth that.

    Notes
    -----
    The paper and the read-me count steps from the end of the warm-up, with the sum of its rates added to S. Their
    code, which the constants come from, lets the second sum begin at step 1: the rise of the warm-up is in it. So it
    is here.

    References
    ----------
    Luo et al. 2025 (arXiv:2503.12811) and their code.

    Examples
    --------
    >>> law = MultiPowerLaw.from_published("luo2025/25M")
    >>> rates = learning_rates(24_000, "cosine", peak=3e-4, end=3e-5, warmup=2160)
    >>> float(law.loss(rates, 23_920).round(3))  # the run was measured at 3.304
    3.315
    """

    L0: float | np.ndarray
    A: float | np.ndarray
    alpha: float | np.ndarray
    B: float | np.ndarray
    C: float | np.ndarray
    beta: float | np.ndarray
    gamma: float | np.ndarray

    equation: ClassVar[str] = (
        "L = L0 + A / S(t)**alpha - B * sum_k (eta[k-1] - eta[k]) * "
        "(1 - (1 + C * eta[k]**-gamma * (S(t) - S(k-1)))**-beta)"
    )

    def drop(self, rates: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Compute by how much the falls of the rate have lowered the loss at each step.

        Parameters
        ----------
        rates : array (T,)
            Learning rates of the steps 0 to T - 1.
        steps : array of int (n,)
            At which steps.

        Returns
        -------
        array (n,)
            Nats/token.
        """
        found = Changes.of(rates, steps)
        shaped = [np.asarray(x, dtype=float) for x in (self.C, self.beta, self.gamma)]
        shape = np.broadcast_shapes(steps.shape, *(x.shape for x in shaped))
        C, beta, gamma = (np.broadcast_to(x, shape)[..., None] for x in shaped)
        drops = np.empty(shape)
        one = np.exp(-shaped[2] * found.log_rate) if shaped[2].ndim == 0 else None
        for i, (total, m) in enumerate(zip(found.total, found.seen, strict=True)):
            scale = np.exp(-gamma[..., i, :] * found.log_rate[:m]) if one is None else one[:m]
            since = scale * (total - found.before[:m])
            drops[..., i] = (-np.expm1(-beta[..., i, :] * np.log1p(C[..., i, :] * since))) @ found.fall[:m]
        return np.asarray(self.B * drops)


@dataclass(frozen=True, repr=False)
class MomentumLaw(_ScheduleLaw):
    r"""The loss along a run, by the sum of learning rates and a momentum of their falls (Tissue et al. 2024).

    .. math:: L(t) = L_0 + A\,S_1(t)^{-\alpha} - C\,S_2(t), \qquad
              S_2(t) = \sum_{i \le t} m_i, \quad m_i = \lambda\,m_{i-1} + \max(\eta_{i-1} - \eta_i, 0)

    :math:`S_1(t)` is the sum of the learning rates of steps 0 to t. Rises of the rate, as in the warm-up, do not count.

    Parameters
    ----------
    L0 : float or array
        Irreducible loss in nats/token.
    A, alpha : float or array
        Of the loss at a rate that never falls.
    C : float or array
        Nats/token that the momentum, summed over the steps, is worth.
    momentum : float or array
        :math:`\lambda`, in [0, 1).

    References
    ----------
    Tissue et al. 2024 (arXiv:2408.11029), at second hand.

    Examples
    --------
    >>> law = MomentumLaw(L0=3.16, A=0.51, alpha=0.52, C=0.41)
    >>> rates = learning_rates(24_000, "cosine", peak=3e-4, end=3e-5, warmup=2160)
    >>> float(law.loss(rates, 23_920).round(3))
    3.301
    """

    L0: float | np.ndarray
    A: float | np.ndarray
    alpha: float | np.ndarray
    C: float | np.ndarray
    momentum: float | np.ndarray = 0.999

    equation: ClassVar[str] = (
        "L = L0 + A / S1**alpha - C * S2, S2 = sum_i m[i], m[i] = momentum * m[i-1] + max(eta[i-1] - eta[i], 0)"
    )

    def drop(self, rates: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Compute by how much the falls of the rate have lowered the loss at each step.

        Parameters
        ----------
        rates : array (T,)
            Learning rates of the steps 0 to T - 1.
        steps : array of int (n,)
            At which steps.

        Returns
        -------
        array (n,)
            Nats/token.
        """
        shape = np.broadcast_shapes(steps.shape, np.shape(self.momentum))
        each, where = np.unique(np.broadcast_to(self.momentum, shape), return_inverse=True)
        areas = np.array([annealing(rates, value)[steps] for value in each]).reshape(len(each), len(steps))
        return np.asarray(self.C * areas[where.reshape(shape), np.arange(len(steps))])


def annealing(rates: np.ndarray, momentum: float) -> np.ndarray:
    """S2 after each step: the running sum of a momentum of the falls of the rate, (T,)."""
    falls = np.maximum(-np.diff(rates, prepend=rates[0]), 0.0)
    return np.cumsum(scipy.signal.lfilter([1.0], [1.0, -momentum], falls))

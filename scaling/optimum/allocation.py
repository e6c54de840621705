"""Law and budget → allocation: how large a model, on how many tokens? And what another choice wastes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive_finite
from ..laws.chinchilla import ChinchillaLaw
from ..laws.power import FrontierLaw

__all__ = ["Allocation", "compute_optimal", "deadweight_compute"]


#: constants of a Chinchilla law that must be positive for it to have an optimum
FACTORS = ("A", "B", "alpha", "beta")


@dataclass(frozen=True, repr=False)
class Allocation:
    """A model size and a number of training tokens, with what they cost and reach.

    Scalars or arrays of one shape: ``params``, ``tokens``, ``flops`` (training), ``loss``
    (nats/token; NaN where the law gives none), ``inference_flops`` and ``cost`` (where asked for).
    """

    params: float | np.ndarray
    tokens: float | np.ndarray
    flops: float | np.ndarray
    loss: float | np.ndarray
    inference_flops: float | np.ndarray = 0.0
    cost: float | np.ndarray | None = None

    @property
    def tokens_per_param(self) -> float | np.ndarray:
        """D / N."""
        return self.tokens / self.params

    def __repr__(self) -> str:
        if np.ndim(self.params):
            return f"Allocation of {np.size(self.params)} budgets"
        return (
            f"Allocation(params={self.params:.4g}, tokens={self.tokens:.4g}, flops={self.flops:.4g}, "
            f"loss={self.loss:.4f}, tokens_per_param={self.tokens_per_param:.3g})"
        )


def compute_optimal(law: ChinchillaLaw | FrontierLaw, flops: ArrayLike) -> Allocation:
    r"""The allocation of least loss at a training budget C = 6 N D.

    For :math:`L = E + A N^{-\alpha} + B D^{-\beta}` in closed form (Hoffmann et al. 2022, equation 4):

    .. math::

        N_{opt} &= G\,(C/6)^{\beta/(\alpha+\beta)}, \\
        D_{opt} &= G^{-1} (C/6)^{\alpha/(\alpha+\beta)}, \\
        G &= \Bigl(\frac{\alpha A}{\beta B}\Bigr)^{1/(\alpha+\beta)}.

    A :class:`~scaling.laws.FrontierLaw` states the allocation itself.

    Parameters
    ----------
    law : ChinchillaLaw or FrontierLaw
        Its constants may be arrays (a bootstrap's); they broadcast against ``flops``. Members
        without an optimum (a resample in which a term vanished) get NaN.
    flops : float or array
        Training budget in FLOPs, positive.

    Returns
    -------
    Allocation

    Raises
    ------
    ValueError
        If a budget is not positive, or the law has no optimum (a coefficient or an exponent that is
        not positive makes one of the terms indifferent).
    TypeError
        If the law is of another kind.

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> compute_optimal(ChinchillaLaw.from_published("besiroglu2024"), 5.76e23)
    Allocation(params=7.225e+10, tokens=1.329e+12, flops=5.76e+23, loss=1.9744, tokens_per_param=18.4)
    """
    (C,) = positive_finite(flops=flops)
    if isinstance(law, FrontierLaw):
        loss = np.full(np.broadcast(C, law.a).shape, np.nan) if law.loss is None else law.loss(C)
        return _allocation(law.params(C), law.tokens(C), C, loss)
    if not isinstance(law, ChinchillaLaw):
        raise TypeError(f"no closed-form optimum for a {type(law).__name__}")
    law, missing = with_stand_ins(law)
    exponent = 1.0 / (law.alpha + law.beta)
    log_G = exponent * (np.log(law.alpha * law.A) - np.log(law.beta * law.B))
    log_total = np.log(C / 6.0)
    N = np.exp(log_G + law.beta * exponent * log_total)
    D = np.exp(-log_G + law.alpha * exponent * log_total)
    N, D, loss = without_stand_ins(missing, N, D, law.loss(N, D))
    return _allocation(N, D, C, loss)


def deadweight_compute(law: ChinchillaLaw, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
    r"""Training FLOPs spent beyond those that reach the same loss when well allocated.

    On the compute-optimal line :math:`L^* - E = K C^{-\gamma}` with :math:`1/\gamma = 1/\alpha + 1/\beta`, so the
    loss of a model of N parameters on D tokens is reached by

    .. math:: C' = 6ND \left(\frac{L(N, D) - E}{L^*(6ND) - E}\right)^{-1/\gamma}

    and the deadweight is :math:`6ND - C'`. It depends on the exponents and on how far N is from :math:`N^*(6ND)`, not
    on the budget.

    Parameters
    ----------
    law : ChinchillaLaw
        Its constants may be arrays; they broadcast against the others.
    params, tokens : float or array
        The allocation, positive.

    Returns
    -------
    float or array
        FLOPs, at least 0; over 6ND, the share of the budget that is wasted. NaN for members of a law with arrays that
        have no optimum.

    Raises
    ------
    ValueError, TypeError
        As :func:`~scaling.optimum.compute_optimal` does.

    References
    ----------
    Czech et al. 2026 (arXiv:2603.22339), section on error costs.

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> law = ChinchillaLaw.from_published("hoffmann2022_rounded")
    >>> best = compute_optimal(law, 1e24)
    >>> round(float(deadweight_compute(law, best.params / 2, best.tokens * 2)) / 1e24, 3)
    0.139
    """
    if not isinstance(law, ChinchillaLaw):
        raise TypeError(f"a {type(law).__name__} gives no loss away from its optimum")
    size, data = law.terms(params, tokens)
    flops = 6.0 * np.asarray(params, dtype=float) * np.asarray(tokens, dtype=float)
    best = compute_optimal(law, flops)
    excess = np.log(size + data) - np.log(np.add(*law.terms(best.params, best.tokens)))
    return (-flops * np.expm1(-np.maximum(excess, 0.0) * (1.0 / law.alpha + 1.0 / law.beta)))[()]


def without_optimum(law: ChinchillaLaw) -> np.ndarray:
    """Which members of a law with arrays have a term that is indifferent; a single such law is refused."""
    missing = np.zeros((), bool)
    for name in FACTORS:
        bad = ~(np.asarray(getattr(law, name)) > 0)
        if bad.all():
            value = np.asarray(getattr(law, name)).flat[0]
            raise ValueError(f"the law has no compute-optimal allocation: {name} = {value:g} is not positive")
        missing = missing | bad
    return missing


def with_stand_ins(law: ChinchillaLaw) -> tuple[ChinchillaLaw, np.ndarray]:
    """A law whose members without an optimum have ones for their factors, so that they can be reckoned with, and which
    these are: :func:`without_stand_ins` takes them out of the answer. ``ValueError`` as :func:`without_optimum`.
    """
    missing = without_optimum(law)
    if missing.any():
        law = replace(law, **{name: np.where(missing, 1.0, getattr(law, name)) for name in FACTORS})
    return law, missing


def without_stand_ins(missing: np.ndarray, *answers: ArrayLike) -> list[ArrayLike]:
    """The answers, with NaN for the members that are missing."""
    return [np.where(missing, np.nan, x) for x in answers] if missing.any() else list(answers)


def _allocation(N: Any, D: Any, C: np.ndarray, loss: Any) -> Allocation:
    N, D, C, loss = (np.array(x)[()] for x in np.broadcast_arrays(N, D, C, loss))
    return Allocation(N, D, C, loss)

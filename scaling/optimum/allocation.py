"""Law and budget → allocation: how large a model, on how many tokens? And what another choice wastes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive_finite
from .._roots import find_root, in_places, lowest
from ..laws.base import HasLoss, of_size_and_tokens
from ..laws.coupled import CoupledLaw, SumLaw
from ..laws.kaplan import KaplanLaw
from ..laws.overtraining import OvertrainingLaw
from ..laws.power import PowerLaw
from ..laws.rosenfeld import RosenfeldLaw
from ..runs.meter import Meter

__all__ = ["Allocation", "compute_optimal", "deadweight_compute"]


#: share of ln N + ln D below which either is at the end of the line 6 N D = C
EDGE = 1e-3
#: logarithm of the largest budget that is looked for
LARGEST_BUDGET = float(np.log(1e40))
#: steps with the powers of a count of compute at the optimum of the step before
MOST_STEPS = 100
#: constants of a sum that must be positive for it to have an optimum
FACTORS = ("A", "B", "alpha", "beta")


class HasFrontier(Protocol):
    """Any law that states the best size and tokens of a budget, and where known their loss, as power laws of it."""

    @property
    def params(self) -> PowerLaw: ...

    @property
    def tokens(self) -> PowerLaw: ...

    @property
    def loss(self) -> PowerLaw | None: ...


@dataclass(frozen=True, repr=False)
class Allocation:
    """A model size and a number of training tokens, with what they cost and reach.

    Scalars, or arrays of one shape.

    Parameters
    ----------
    params : float or array
        Number of parameters, N.
    tokens : float or array
        Training tokens, D.
    flops : float or array
        Training FLOPs.
    loss : float or array
        Nats/token; NaN where the law gives none.
    inference_flops : float or array
        FLOPs of inference, where asked for.
    cost : float or array, optional
        Price of training and inference, where asked for.
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


def compute_optimal(
    law: HasLoss | HasFrontier,
    flops: ArrayLike | None = None,
    *,
    params: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    loss: ArrayLike | None = None,
    meter: Meter | None = None,
) -> Allocation:
    r"""Find the allocation of least loss at a training budget C = 6 N D.

    Or find the budget, and its allocation, to which a size, a number of tokens or a loss belongs. For
    :math:`L = E + A N^{-\alpha} + B D^{-\beta}` in closed form (Hoffmann et al. 2022, equation 4):

    .. math::

        N_{opt} &= G\,(C/6)^{\beta/(\alpha+\beta)}, \\
        D_{opt} &= G^{-1} (C/6)^{\alpha/(\alpha+\beta)}, \\
        G &= \Bigl(\frac{\alpha A}{\beta B}\Bigr)^{1/(\alpha+\beta)}.

    At the optimum the size term is :math:`\beta/(\alpha+\beta)` of what is reducible, which gives the other answers.
    A :class:`~scaling.laws.FrontierLaw` states the allocation itself, as does the frontier of Kaplan et al., whose
    budget is C_min. Neither a power of the sum (:class:`~scaling.laws.CoupledLaw`: k cancels) nor an envelope around
    it (:class:`~scaling.laws.RosenfeldLaw`) moves its optimum. Any other law of the loss of size and tokens is
    minimised along 6 N D = C by numbers.

    In another count of compute, which grows as :math:`c\,N^p D^q`, the optimum is that of the law with the exponents
    :math:`\alpha/p` and :math:`\beta/q` for :math:`N^p` and :math:`D^q`, whose product is :math:`C/c`. Where p changes
    with the size, it is p at the optimum, to which a few steps lead.

    Parameters
    ----------
    law : Law
        Its constants may be arrays (a bootstrap's); they broadcast against the question. Members
        without an optimum (a resample in which a term vanished) get NaN.
    flops : float or array
        Training budget in FLOPs, positive.
    params, tokens, loss : float or array
        Instead of a budget: the size, the tokens or the loss (nats/token) of the optimum that is asked for.
    meter : Meter, optional
        What the FLOPs count, as :func:`~scaling.runs.find_meter` finds it in a table; 6 N D by default. For a
        ChinchillaLaw or a CoupledLaw, and a budget.

    Returns
    -------
    Allocation
        Size, tokens, FLOPs and loss, of the broadcast shape of the constants and the question.

    Raises
    ------
    ValueError
        If not exactly one question is asked, a number is not positive and finite, the law has no optimum (a
        coefficient or an exponent that is not positive makes one of the terms indifferent), or never reaches the loss.
    TypeError
        If the law has no such optimum.

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> compute_optimal(ChinchillaLaw.from_published("besiroglu2024"), 5.76e23)
    Allocation(params=7.225e+10, tokens=1.329e+12, flops=5.76e+23, loss=1.9744, tokens_per_param=18.4)
    """
    asked = {"flops": flops, "params": params, "tokens": tokens, "loss": loss}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) != 1:
        raise ValueError(f"ask for one of flops, params, tokens or loss; got {', '.join(given) or 'none'}")
    ((name, value),) = given.items()
    (x,) = positive_finite(**{name: value})
    if meter is not None and meter.is_own:
        if name != "flops" or not isinstance(law, SumLaw):
            words = "only a budget can be asked about, and of a ChinchillaLaw or a CoupledLaw"
            raise TypeError(f"in another count than 6 N D, {words}")
        return _metered(law, x, meter)
    if isinstance(law, SumLaw):
        return _of_the_sum(law, name, x)
    if isinstance(law, OvertrainingLaw):
        return _of_the_sum(law.chinchilla, name, x)
    if isinstance(law, RosenfeldLaw):
        best = _of_the_sum(law.base, name, np.asarray(law.inner(x)) if name == "loss" else x)
        return replace(best, loss=law.loss(best.params, best.tokens))
    if _states_its_optimum(law):
        return _stated(law, name, x)
    return _searched(of_one_pass(law), name, x)


def _states_its_optimum(law: object) -> TypeGuard[HasFrontier]:
    return all(isinstance(getattr(law, each, None), PowerLaw) for each in ("params", "tokens"))


def of_one_pass(law: object) -> HasLoss:
    """The law, if it is of size and tokens and each of these is read once, for 6 N D; else a ``TypeError``."""
    if isinstance(law, KaplanLaw):
        words = "its tokens are a data set, read until the loss rises"
        raise TypeError(f"a KaplanLaw does not say what training costs: {words}")
    return of_size_and_tokens(law)


def sum_at(law: SumLaw, loss: np.ndarray) -> np.ndarray:
    """What a law's terms add up to where it has a loss, which lies above its E."""
    reducible = loss - law.E
    return reducible ** (1.0 / np.asarray(law.k)) if isinstance(law, CoupledLaw) else reducible


def _of_the_sum(law: SumLaw, name: str, x: np.ndarray) -> Allocation:
    """The closed forms; ``name`` says what ``x`` is."""
    law, missing = with_stand_ins(law)
    whole = law.alpha + law.beta
    log_G = (np.log(law.alpha * law.A) - np.log(law.beta * law.B)) / whole
    if name == "loss":
        low = ~(x > np.asarray(law.E))
        if low.any():
            floor = np.broadcast_to(law.E, low.shape)[low].flat[0]
            raise ValueError(
                f"loss must lie above the law's E = {floor:g}, got {np.broadcast_to(x, low.shape)[low].flat[0]:g}"
            )
        share = law.a * sum_at(law, x)
        log_total = (np.log(law.A / share) / law.alpha - log_G) * whole / law.beta
    elif name == "params":
        log_total = (np.log(x) - log_G) * whole / law.beta
    elif name == "tokens":
        log_total = (np.log(x) + log_G) * whole / law.alpha
    else:
        log_total = np.log(x / 6.0)
    exponent = 1.0 / whole
    with np.errstate(over="ignore"):
        N = np.exp(log_G + law.beta * exponent * log_total)
        D = np.exp(-log_G + law.alpha * exponent * log_total)
    lost = ~((N > 0) & (D > 0) & np.isfinite(N) & np.isfinite(D))  # an optimum that no floating-point number tells
    if lost.any():
        missing, N, D = missing | lost, np.where(lost, 1.0, N), np.where(lost, 1.0, D)
    N, D, loss = without_stand_ins(missing, N, D, law.loss(N, D))
    return _allocation(N, D, x if name == "flops" else 6.0 * N * D, loss)


def _metered(law: SumLaw, C: np.ndarray, meter: Meter) -> Allocation:
    """In another count than 6 N D: by that of the powers with which it grows at the optimum."""
    log_N = np.log(_of_the_sum(law, "flops", C).params)
    for _ in range(MOST_STEPS):
        N = np.exp(log_N)
        p, q = meter.powers(N)
        log_D = np.log(meter.tokens_for(C, N))
        straight = _of_the_sum(in_powers(law, p, q), "flops", 6.0 * np.exp(p * log_N + q * log_D))
        before, log_N = log_N, np.log(straight.params) / p
        if np.nanmax(np.abs(log_N - before), initial=0.0) < 1e-12:
            break
    N = np.exp(log_N)
    D = meter.tokens_for(C, N)
    return _allocation(N, D, C, law.loss(N, D))


def in_powers(law: SumLaw, p: ArrayLike, q: ArrayLike) -> SumLaw:
    """The law as one of N^p and D^q."""
    return replace(law, alpha=law.alpha / np.asarray(p), beta=law.beta / np.asarray(q))


def exponents(law: SumLaw, meter: Meter, params: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """With which powers of C the best size and tokens grow, in a count of compute, where the best size is ``params``.

    a = beta / (p beta + q alpha + q e) and b = (1 - p a) / q, with p and q those of the count there, and e the
    derivative of ln p in ln N.
    """
    if not meter.is_own or meter.kind == "multiple":
        return np.asarray(law.a), np.asarray(law.b)
    p, q = meter.powers(params)
    a = law.beta / (p * law.beta + q * (law.alpha + meter.bend(params)))
    return np.asarray(a), np.asarray((1 - p * a) / q)


def _stated(law: HasFrontier, name: str, x: np.ndarray) -> Allocation:
    """What a frontier says of its own budget; the loss is NaN where it says none."""
    lines = {"params": law.params, "tokens": law.tokens, "loss": law.loss}
    if name == "flops":
        C = x
    elif (line := lines[name]) is not None:
        C = np.asarray(line.inverse(x))
    else:
        raise ValueError(f"this frontier states no {name}")
    loss = np.full(np.broadcast(C, law.params.exponent).shape, np.nan) if law.loss is None else law.loss(C)
    return _allocation(law.params(C), law.tokens(C), C, loss)


def _searched(law: HasLoss, name: str, x: np.ndarray) -> Allocation:
    """By numbers: the valley along 6 N D = C, and the budget whose valley is the one asked for."""

    def at(log_flops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = log_flops - np.log(6.0)
        total = np.array(np.broadcast_to(total, np.broadcast(total, law.loss(1.0, 1.0)).shape))
        place = np.arange(total.size).reshape(total.shape)
        along = in_places(lambda u: law.loss(np.exp(u * total), np.exp((1.0 - u) * total)), total.shape)
        u = np.nan_to_num(lowest(along, np.zeros(total.shape), np.ones(total.shape), (place,)))  # flat: at an end
        return u * total, (1.0 - u) * total

    def excess(log_flops: np.ndarray, wanted: np.ndarray) -> np.ndarray | float:
        log_N, log_D = at(log_flops)
        answer = {"params": log_N, "tokens": log_D}
        return answer[name] - np.log(wanted) if name in answer else wanted - law.loss(np.exp(log_N), np.exp(log_D))

    log_flops = np.log(x)
    if name != "flops":
        shape = np.broadcast(x, law.loss(1.0, 1.0)).shape
        ends = np.full(shape, np.log(6.0) + 1.0), np.full(shape, LARGEST_BUDGET)
        place = np.arange(math.prod(shape)).reshape(shape)
        found = find_root(in_places(lambda u: excess(u, x), shape), ends, (place,))
        if not np.all(found.success):
            raise ValueError(f"no budget up to {np.exp(LARGEST_BUDGET):.0e} FLOPs has an optimum of this {name}")
        log_flops = found.x
    log_N, log_D = at(log_flops)
    if np.any(np.minimum(log_N, log_D) <= EDGE * np.maximum(log_N, log_D)):
        raise ValueError("the law has no compute-optimal allocation: along 6 N D = C its loss is least at an end")
    N, D = np.exp(log_N), np.exp(log_D)
    return _allocation(N, D, np.exp(log_flops), law.loss(N, D))


def deadweight_compute(law: SumLaw, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
    r"""Compute the training FLOPs spent beyond those that reach the same loss when well allocated.

    On the compute-optimal line :math:`L^* - E = K C^{-\gamma}` with :math:`1/\gamma = 1/\alpha + 1/\beta`, so the
    loss of a model of N parameters on D tokens is reached by

    .. math:: C' = 6ND \left(\frac{L(N, D) - E}{L^*(6ND) - E}\right)^{-1/\gamma}

    and the deadweight is :math:`6ND - C'`. It depends on the exponents and on how far N is from :math:`N^*(6ND)`, not
    on the budget. For a :class:`~scaling.laws.CoupledLaw` gamma is k times as large, and k cancels.

    Parameters
    ----------
    law : ChinchillaLaw or CoupledLaw
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
    if not isinstance(law, SumLaw):
        raise TypeError(f"a {type(law).__name__} gives no loss away from its optimum")
    size, data = law.terms(params, tokens)
    flops = 6.0 * np.asarray(params, dtype=float) * np.asarray(tokens, dtype=float)
    best = compute_optimal(law, flops)
    excess = np.log(size + data) - np.log(np.add(*law.terms(best.params, best.tokens)))
    return (-flops * np.expm1(-np.maximum(excess, 0.0) * (1.0 / law.alpha + 1.0 / law.beta)))[()]


def without_optimum(law: SumLaw) -> np.ndarray:
    """Which members of a law with arrays have a term that is indifferent; a single such law is refused."""
    missing = np.zeros((), bool)
    for name in FACTORS:
        bad = ~(np.asarray(getattr(law, name)) > 0)
        if bad.all():
            value = np.asarray(getattr(law, name)).flat[0]
            raise ValueError(f"the law has no compute-optimal allocation: {name} = {value:g} is not positive")
        missing = missing | bad
    return missing


def with_stand_ins(law: SumLaw) -> tuple[SumLaw, np.ndarray]:
    """A law whose members without an optimum have ones for their factors, so that they can be reckoned with, and which
    these are: :func:`without_stand_ins` takes them out of the answer. ``ValueError`` as :func:`without_optimum`.
    """
    missing = without_optimum(law)
    if missing.any():
        law = law.of(law.constants | {name: np.where(missing, 1.0, getattr(law, name)) for name in FACTORS})
    return law, missing


def without_stand_ins(missing: np.ndarray, *answers: float | np.ndarray) -> list[float | np.ndarray]:
    """The answers, with NaN for the members that are missing."""
    return [np.where(missing, np.nan, x) for x in answers] if missing.any() else list(answers)


def _allocation(
    N: float | np.ndarray, D: float | np.ndarray, C: float | np.ndarray, loss: float | np.ndarray
) -> Allocation:
    N, D, C, loss = (np.array(x)[()] for x in np.broadcast_arrays(N, D, C, loss))
    return Allocation(N, D, C, loss)

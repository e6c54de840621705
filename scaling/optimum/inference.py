"""Loss and demand → allocation: how large a model, if it will be used and not only trained?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive, positive_finite, same_order, within
from .._roots import LARGEST, newton_bracketed
from ..laws.base import HasLoss
from ..laws.coupled import SumLaw
from .allocation import Allocation, of_one_pass, sum_at, with_stand_ins, without_stand_ins
from .equal_loss import cheapest

__all__ = ["CostModel", "flop_price", "inference_optimal", "overtraining_overhead"]


@dataclass(frozen=True)
class CostModel:
    r"""What a useful FLOP costs in each of the three stages of a model's life.

    .. math:: \text{cost} = 6 N D\,p_\text{train}
              + 2 N D_\text{inf}\,\bigl(f\,p_\text{prompt} + (1 - f)\,p_\text{generation}\bigr)

    with :math:`f` the share of prompts (Sardana et al. 2024, equation 6 at second hand, written for a whole demand
    instead of a request). Prices may be arrays; :func:`~scaling.optimum.flop_price` makes them from rents and
    utilisations.

    Parameters
    ----------
    training, prompt, generation : float or array
        Dollars (or any other currency) a useful FLOP, positive.
    prompt_share : float or array
        Share of the inference tokens that are read rather than generated, 0 to 1.

    Raises
    ------
    ValueError
        If a price is not positive and finite, or the share does not lie between 0 and 1.

    Examples
    --------
    >>> CostModel(training=2e-18, prompt=2e-18, generation=4e-18, prompt_share=0.5).weight
    1.5
    """

    training: float | np.ndarray
    prompt: float | np.ndarray
    generation: float | np.ndarray
    prompt_share: float | np.ndarray

    def __post_init__(self) -> None:
        positive_finite(training=self.training, prompt=self.prompt, generation=self.generation)
        within("between 0 and 1", lambda x: (x >= 0) & (x <= 1), prompt_share=self.prompt_share)

    @property
    def inference(self) -> float | np.ndarray:
        """Mean price of a FLOP of inference."""
        return self.prompt_share * self.prompt + (1 - self.prompt_share) * self.generation

    @property
    def weight(self) -> float | np.ndarray:
        """Price of a FLOP of inference over that of training; 1 counts FLOPs alone."""
        return self.inference / self.training

    def cost(self, params: ArrayLike, tokens: ArrayLike, inference_tokens: ArrayLike) -> float | np.ndarray:
        """Price a model's life: training on ``tokens``, then serving ``inference_tokens``.

        Parameters
        ----------
        params, tokens : float or array
            Size and training tokens, positive.
        inference_tokens : float or array
            Tokens read and generated in its life, at least 0.

        Returns
        -------
        float or array
            Dollars, or the currency of the prices, of the broadcast shape.

        Raises
        ------
        ValueError
            If a number is out of its range, shapes do not broadcast, or Series have the same labels in another order.
        """
        same_order(params=params, tokens=tokens, inference_tokens=inference_tokens)
        N, D = positive(params=params, tokens=tokens)
        (served,) = within("at least 0", lambda x: x >= 0, inference_tokens=inference_tokens)
        return (6 * N * D * self.training + 2 * N * served * self.inference)[()]


def flop_price(dollars_per_hour: ArrayLike, peak: ArrayLike, utilisation: ArrayLike) -> float | np.ndarray:
    r"""Compute the price of a useful FLOP on rented hardware.

    .. math:: p = \frac{\text{dollars per hour}}{3600\,\text{s}\cdot\text{peak}\cdot\text{utilisation}}

    Parameters
    ----------
    dollars_per_hour : float or array
        Rent of one accelerator, positive.
    peak : float or array
        Its peak in FLOP/s at the precision used, positive.
    utilisation : float or array
        Share of the peak that does useful work, above 0 and at most 1.

    Returns
    -------
    float or array
        Dollars a FLOP, of the broadcast shape.

    Raises
    ------
    ValueError
        Naming the argument that lies outside its limits, and its value.
    """
    rent, speed = positive_finite(dollars_per_hour=dollars_per_hour, peak=peak)
    (share,) = within("above 0 and at most 1", lambda x: (x > 0) & (x <= 1), utilisation=utilisation)
    return (rent / (3600.0 * speed * share))[()]


def inference_optimal(
    law: SumLaw | HasLoss, loss: ArrayLike, inference_tokens: ArrayLike, cost: CostModel | None = None
) -> Allocation:
    r"""Find the cheapest model of a given loss, training and inference together.

    Minimises :math:`6 N D + 2 N w D_\text{inf}` among all :math:`N, D` with :math:`L(N, D) = \ell` (Sardana et al.
    2024, arXiv:2401.00448, equation 3 at second hand; :math:`w` is ``cost.weight``, or 1 without ``cost``: FLOPs
    alone). At the minimum

    .. math:: \frac{\alpha A N^{-\alpha}}{\beta B D^{-\beta}} = 1 + \frac{w D_\text{inf}}{3 D}.

    With the data's share of the reducible loss written :math:`e^{-v} = B D^{-\beta}/(\ell - E)`, the
    logarithm of that condition is increasing and concave in :math:`v`, so that Newton's steps from the
    compute-optimal share, which lies left of the root, rise to it and never pass it. Of a
    :class:`~scaling.laws.CoupledLaw` the same holds for the sum, which is :math:`(\ell - E)^{1/k}`.

    Parameters
    ----------
    law : ChinchillaLaw, CoupledLaw, or anything with ``loss(params, tokens)``
        The constants of the first two may be arrays (a bootstrap's); they broadcast against the other arguments.
        Any other law must fall with size and tokens; its tokens of equal loss are bracketed roots, and the cheapest
        size is bracketed among them, which is slower (some ten thousand a second).
    loss : float or array
        The loss to reach, nats/token; above the law's ``E``.
    inference_tokens : float or array
        Tokens that will be read and generated in the model's life, at least 0; 0 is compute-optimal training.
    cost : CostModel, optional
        Prices; without it FLOPs are counted.

    Returns
    -------
    Allocation
        ``flops`` is training, ``inference_flops`` = 2 N D_inf, ``cost`` in dollars where prices are given.
        Members of a law with arrays that have no optimum, or cannot reach the loss, are NaN.

    Raises
    ------
    ValueError
        If the loss is not above ``E``, the demand negative, the law without an optimum, or the answer
        too large for a floating-point number.
    TypeError
        If the law is not one of size and tokens alone, or of tokens read more than once (Kaplan et al. 2020).

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> law = ChinchillaLaw.from_published("sardana2024/constants")
    >>> inference_optimal(law, 1.947, 2e12)
    Allocation(params=2.418e+10, tokens=2.657e+12, flops=3.855e+23, loss=1.9470, tokens_per_param=110)
    """
    (target,) = within("a finite number", np.isfinite, loss=loss)
    (demand,) = within("at least 0 and finite", lambda x: (x >= 0) & np.isfinite(x), inference_tokens=inference_tokens)
    weight = 1.0 if cost is None else cost.weight
    if isinstance(law, SumLaw):
        N, D, missing = _allocate_sum(law, target, demand, np.asarray(weight))
    else:
        N, D = cheapest(of_one_pass(law), target, weight * demand)
        missing = np.zeros(())
    dollars = () if cost is None else (cost.cost(N, D, demand),)
    answers = without_stand_ins(missing, N, D, 6.0 * N * D, target, 2.0 * N * demand, *dollars)
    parts = np.broadcast_arrays(*answers)
    return Allocation(*(np.array(x)[()] for x in parts))


def overtraining_overhead(law: SumLaw, size_ratio: ArrayLike) -> Allocation:
    r"""Compute what a smaller model of the same loss costs to train, in units of the compute-optimal allocation.

    A model of :math:`k_N` times the compute-optimal size reaches the same loss on :math:`k_D` times the tokens,

    .. math:: k_D = \Bigl[1 - \frac{\beta}{\alpha}\bigl(k_N^{-\alpha} - 1\bigr)\Bigr]^{-1/\beta},

    for :math:`k_N` times :math:`k_D` the compute (de Vries 2023; the coefficients, ``E`` and the budget drop
    out because :math:`\alpha A N^{-\alpha} = \beta B D^{-\beta}` at the optimum).

    Parameters
    ----------
    law : ChinchillaLaw or CoupledLaw
        Only the exponents of its sum matter. They may be arrays; they broadcast against ``size_ratio``.
    size_ratio : float or array
        :math:`k_N`, positive and above :math:`(1 + \alpha/\beta)^{-1/\alpha}`, where no amount of data suffices.

    Returns
    -------
    Allocation
        Every field as a multiple of the compute-optimal one: ``params`` = k_N, ``tokens`` = k_D, ``flops`` =
        k_N k_D (the overhead is ``flops`` - 1) and ``loss`` = 1. Members of a law with arrays for which the
        ratio is too small are NaN.

    Raises
    ------
    ValueError
        If the ratio is not above the limit, or the law has no optimum.
    TypeError
        If the law is of another kind.

    Examples
    --------
    >>> from scaling import ChinchillaLaw
    >>> overtraining_overhead(ChinchillaLaw.from_published("sardana2024/constants"), 0.5)
    Allocation(params=0.5, tokens=2.416, flops=1.208, loss=1.0000, tokens_per_param=4.83)
    """
    if not isinstance(law, SumLaw):
        raise TypeError(f"no over-training overhead for a {type(law).__name__}; a ChinchillaLaw or CoupledLaw has one")
    (ratio,) = positive_finite(size_ratio=size_ratio)
    law, missing = with_stand_ins(law)
    alpha, beta = np.asarray(law.alpha), np.asarray(law.beta)
    with np.errstate(over="ignore"):
        lost = (beta / alpha) * np.expm1(-alpha * np.log(ratio))  # the size term's growth, in data terms
    short = (lost >= 1) & ~missing
    if short.any() and (np.ndim(alpha) == np.ndim(beta) == 0 or (short | missing).all()):
        worst = np.broadcast_to(ratio, short.shape)[short].flat[0]
        limit = np.broadcast_to((1 + alpha / beta) ** (-1 / alpha), short.shape)[short].flat[0]
        raise ValueError(
            f"size_ratio = {worst:g} is too small: at or below (1 + alpha/beta)**(-1/alpha) = {limit:.4g} "
            "no amount of data reaches the same loss"
        )
    missing = missing | short
    log_tokens = -np.log1p(-np.where(missing, 0.0, lost)) / beta
    tokens = np.exp(log_tokens)
    if not np.isfinite(tokens).all():
        raise ValueError(f"size_ratio = {ratio.min():g} asks for more tokens than a floating-point number can hold")
    parts = np.broadcast_arrays(*without_stand_ins(missing, ratio, tokens, ratio * tokens, 1.0))
    return Allocation(*(np.array(x)[()] for x in parts))


def _allocate_sum(
    law: SumLaw, target: np.ndarray, demand: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes, tokens, and which members of the law have none."""
    law, missing = with_stand_ins(law)
    missing = missing | _out_of_reach(law, target)
    alpha, beta, A, B = (np.asarray(x, dtype=float) for x in (law.alpha, law.beta, law.A, law.B))
    reducible = sum_at(law, np.where(missing, 1.0 + law.E, target))
    with np.errstate(all="ignore"):  # what leaves the range of floating-point numbers is refused
        N, D = _allocate(alpha, beta, A, B, reducible, np.log(weight) + np.log(demand))
        training, inference = 6.0 * N * D, 2.0 * N * demand
        _check_range(law, target, N, D, training + target + inference, inference * weight / training)
    return N, D, missing


def _allocate(
    alpha: np.ndarray, beta: np.ndarray, A: np.ndarray, B: np.ndarray, reducible: np.ndarray, log_demand: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sizes and tokens from the root v of ln(1 - e^-v) + v + ln(alpha/beta) = ln(1 + y), y = w D_inf / 3D."""
    level, slope = np.log(alpha / beta), 1.0 / beta
    log_data = slope * np.log(B / reducible)  # of the tokens, were the data term alone
    start = np.log1p(beta / alpha)  # the root without any demand
    arguments = (log_demand - np.log(3.0) - log_data, slope, level)
    v = newton_bracketed(_imbalance, start, start, start + 2 * LARGEST, arguments, 1e-9 * start)
    return (A / (-np.expm1(-v) * reducible)) ** (1.0 / alpha), np.exp(log_data + slope * v)


def _imbalance(v: np.ndarray, log_y: np.ndarray, slope: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far a share e^-v of the data lies beyond the best one, increasing and concave, and its slope in v."""
    y = np.exp(np.minimum(log_y - slope * v, LARGEST))  # a cap shortens a step, and no root lies beyond it
    share = -np.expm1(-v)
    return np.log(share / (1.0 + y)) + v + level, 1.0 / share + slope * (y / (1.0 + y))


def _out_of_reach(law: SumLaw, target: np.ndarray) -> np.ndarray:
    """Which members cannot reach the loss; refused where the law is a single one, or no member can."""
    low = ~(target > np.asarray(law.E))
    if low.any() and (np.ndim(law.E) == 0 or low.all()):
        value, floor = (np.broadcast_to(x, low.shape)[low].flat[0] for x in (target, law.E))
        raise ValueError(f"loss = {value:g} cannot be reached: it must lie above the law's E = {floor:g}")
    return low


def _check_range(
    law: SumLaw, target: np.ndarray, N: np.ndarray, D: np.ndarray, total: np.ndarray, ratio: np.ndarray
) -> None:
    whole = (N > 0) & (D > 0) & np.isfinite(total) & (ratio <= np.exp(LARGEST))
    if not whole.all():
        near, floor = (np.broadcast_to(x, whole.shape)[~whole].flat[0] for x in (target, law.E))
        raise ValueError(
            f"loss = {near:.12g} with E = {floor:g} and this demand asks for numbers beyond the range of floating point"
        )

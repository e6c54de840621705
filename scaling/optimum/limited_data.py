"""What tokens are worth when there are only so many of them: repeated data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive, within
from .._roots import LARGEST, newton_bracketed
from ..laws.repetition import DataConstrainedLaw
from .allocation import Allocation, compute_optimal, with_stand_ins, without_stand_ins

__all__ = ["data_constrained_optimal"]


def data_constrained_optimal(law: DataConstrainedLaw, flops: ArrayLike, unique_tokens: ArrayLike) -> Allocation:
    r"""Find the allocation of least loss at a budget C = 6 N D when only so many tokens are distinct.

    As long as :func:`~scaling.optimum.compute_optimal` training does not need more than :math:`U_D` tokens, it is that.
    Beyond, both the parameters and the tokens exceed what is useful and unique, and at the minimum

    .. math:: \alpha A N'^{-\alpha-1} N e^{-R_N/R^*_N} = \beta B D'^{-\beta-1} D e^{-R_D/R^*_D}.

    With :math:`y = \ln(D/U_D)` and :math:`x = \ln(N/U_N)` the coefficients drop out, because
    :math:`U_N` and :math:`U_D` are compute-optimal for each other: what is left is :math:`p_\alpha(x) = p_\beta(y)`
    with :math:`x + y = \ln(C / 6 U_N U_D)` and a function p that falls from zero. The difference
    of its logarithms is monotone in the logit of the share y / (x + y); it is solved there by Newton's
    steps inside a bracket.

    Parameters
    ----------
    law : DataConstrainedLaw
        Its constants may be arrays (a bootstrap's); they broadcast against the other arguments. Members without
        an optimum get NaN.
    flops : float or array
        Training budget in FLOPs, positive and finite.
    unique_tokens : float or array
        Distinct tokens at hand, positive and finite.

    Returns
    -------
    Allocation
        ``tokens`` counts every pass: the number of epochs is ``tokens / unique_tokens``, if above one.

    Raises
    ------
    ValueError
        If an argument is not positive and finite, R* not positive, the base law has no optimum, or the answer
        leaves the range of floating-point numbers.
    TypeError
        If the law is of another kind.

    References
    ----------
    Muennighoff et al. 2023 (arXiv:2305.16264), who search on a grid; the condition is derived here.

    Examples
    --------
    >>> data_constrained_optimal(DataConstrainedLaw.from_published(), 1e22, 25e9)
    Allocation(params=7.026e+09, tokens=2.372e+11, flops=1e+22, loss=2.2221, tokens_per_param=33.8)
    """
    if not isinstance(law, DataConstrainedLaw):
        raise TypeError(f"no data-constrained allocation for a {type(law).__name__}; a DataConstrainedLaw has one")
    C, U = positive(flops=flops, unique_tokens=unique_tokens)
    within("finite", np.isfinite, flops=C, unique_tokens=U)
    token_decay, param_decay = positive(repeated_tokens=law.repeated_tokens, excess_params=law.excess_params)
    base, missing = with_stand_ins(law.base)
    law = replace(law, base=base)
    with np.errstate(all="ignore"):  # what leaves the range of floating-point numbers is refused below
        free = compute_optimal(base, C)
        useful = law.useful_params(U)
        span = np.log(C / 6.0) - np.log(U) - np.log(useful)
        repeated = np.exp(_allocate(base.alpha, base.beta, param_decay, token_decay, span))
        D = np.where(span > 0, U * repeated, free.tokens)
        N = np.where(span > 0, C / (6.0 * D), free.params)
        if not np.all((N > 0) & np.isfinite(N) & (D > 0) & np.isfinite(D) & (span <= LARGEST)):
            raise ValueError(
                f"flops up to {C.max():g} with unique_tokens from {U.min():g} ask for numbers beyond the range "
                "of floating point"
            )
        loss = law.loss(N, D, U)
    parts = np.broadcast_arrays(*without_stand_ins(missing, N, D, C, loss))
    return Allocation(*(np.array(x)[()] for x in parts))


def _allocate(
    alpha: float | np.ndarray,
    beta: float | np.ndarray,
    param_decay: np.ndarray,
    token_decay: np.ndarray,
    span: np.ndarray,
) -> np.ndarray:
    """The root y = ln(D/U) of p_alpha(span - y) = p_beta(y), sought in the logit of y / span."""
    whole = np.where((span > 0) & (span <= LARGEST), span, 1.0)  # elsewhere the answer is not asked for
    # the root for a budget just above
    start = np.log((alpha + 1.0 / param_decay) / (beta + 1.0 / token_decay))
    arguments = (alpha, beta, param_decay, token_decay, whole)
    return whole / (1.0 + np.exp(-newton_bracketed(_imbalance, start, -LARGEST, LARGEST, arguments, 1e-7)))


def _imbalance(
    s: np.ndarray,
    alpha: np.ndarray,
    beta: np.ndarray,
    param_decay: np.ndarray,
    token_decay: np.ndarray,
    whole: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """ln of the data's lost pull over the size's where the logit of y / span is s, and its slope."""
    share = 1.0 / (1.0 + np.exp(-s))
    size, size_slope = _lost_pull((1.0 - share) * whole, alpha, param_decay)
    data, data_slope = _lost_pull(share * whole, beta, token_decay)
    return np.log(data / size), share * (1.0 - share) * whole * (size_slope / size + data_slope / data)


def _lost_pull(y: np.ndarray, exponent: np.ndarray, decay: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """-p(y) and -p'(y), with p the logarithm of a term's pull over its pull where nothing is repeated yet.

    p(y) = y - R/R* - (1 + exponent) ln(1 + R* (1 - exp(-R/R*))) for R = exp(y) - 1 repetitions.
    """
    repetitions = np.expm1(y)
    decays = np.maximum(repetitions / decay, 1e-300)
    spent = -np.expm1(-decays)
    worth = repetitions * (spent / decays)
    rate = (1.0 + repetitions) * (1.0 - spent) / (1.0 + worth)
    lost = (1.0 + exponent) * np.log1p(worth) + decays - y
    return lost, (1.0 + exponent) * rate + (1.0 + repetitions) / decay - 1.0

"""Law and budget → how a prediction moves with the constants, and with the form of the law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..laws.chinchilla import ChinchillaLaw
from ..optimum.allocation import compute_optimal, exponents
from ..runs.meter import Meter

#: what runs can be chosen for, in words
SIX_N_D = Meter()
AIMS = {
    "params": "the compute-optimal size N*",
    "loss": "the loss at the optimum",
    "a": "the exponent a",
}


def log_sensitivities(law: ChinchillaLaw, params: ArrayLike, tokens: ArrayLike) -> np.ndarray:
    """Derivatives of ln L in E, ln A, ln B, alpha and beta at each run, (..., n, 5)."""
    N, D = np.asarray(params, dtype=float), np.asarray(tokens, dtype=float)
    size, data = law.terms(N, D)
    slopes = np.stack([np.ones_like(size), size, data, -size * np.log(N), -data * np.log(D)], axis=-1)
    return slopes / (law.E + size + data)[..., None]


def aim_value(law: ChinchillaLaw, aim: str, flops: float, meter: Meter = SIX_N_D) -> np.ndarray:
    """ln N*, the loss at the optimum, or a, one a law; C counts what ``meter`` does."""
    best = compute_optimal(law, flops, meter=meter)
    if aim == "a":
        return np.asarray(exponents(law, meter, best.params)[0])
    return np.log(best.params) if aim == "params" else np.asarray(best.loss)


def aim_slopes(law: ChinchillaLaw, aim: str, flops: float, meter: Meter = SIX_N_D) -> np.ndarray:
    r"""Derivatives of the aim in E, ln A, ln B, alpha and beta, (K, 5), for a law with K of each constant.

    With :math:`\ln N^* = a \ln(C/6) + \ln(\alpha A/\beta B)/(\alpha + \beta)`; those of the loss are the
    derivatives at the optimum, since the loss does not change with the size there. Where C counts :math:`N^p D^q`,
    beta and alpha have the weights p and q in their sum.
    """
    alpha, beta, none = np.asarray(law.alpha), np.asarray(law.beta), np.zeros(np.shape(law.alpha))
    best = compute_optimal(law, flops, meter=meter)
    p, q = meter.powers(best.params) if meter.is_own else (1.0, 1.0)
    both = q * alpha + p * beta
    if aim == "a":
        return np.stack([none, none, none, -q * beta / both**2, q * alpha / both**2], axis=-1)
    if aim == "loss":
        size, data = law.terms(best.params, best.tokens)
        return np.stack([none + 1, size, data, -size * np.log(best.params), -data * np.log(best.tokens)], axis=-1)
    by_alpha, by_beta = 1 / alpha - np.log(best.params), np.log(best.tokens) - 1 / beta
    return q * np.stack([none, none + 1, none - 1, by_alpha, by_beta], axis=-1) / both[..., None]


def forms(law: ChinchillaLaw, params: ArrayLike, tokens: ArrayLike, couplings: Sequence[float]) -> np.ndarray:
    r"""By how much ln L changes if size and data term join otherwise, (..., n, q), one column a coupling k.

    .. math:: L_k = E + \left(p^{1/k} + q^{1/k}\right)^k, \qquad p = A N^{-\alpha}, \quad q = B D^{-\beta},

    which for endless tokens, or an endless model, is the law itself (k = 1) for every k.
    """
    size, data = law.terms(np.asarray(params, dtype=float), np.asarray(tokens, dtype=float))
    loss = law.E + size + data
    joined = [np.exp(k * np.logaddexp(np.log(size) / k, np.log(data) / k)) for k in couplings]
    changed = [np.log((law.E + each) / loss) for each in joined]
    return np.stack(changed, axis=-1) if changed else np.empty((*loss.shape, 0))


def form_shifts(
    law: ChinchillaLaw, aim: str, flops: float, couplings: Sequence[float], meter: Meter = SIX_N_D
) -> np.ndarray:
    r"""By how much the true aim changes with the coupling, (K, q).

    The optimum is that of the inner sum: a stays, :math:`\ln N^*` moves by :math:`(k - 1)\ln(\alpha/\beta)/(\alpha +
    \beta)`, and the terms' sum is that of size times :math:`a^{-k}` there. Where C counts :math:`N^p D^q`, it is so
    with :math:`q\alpha` and :math:`p\beta`, the move q times as large, and :math:`pa`.
    """
    alpha, beta = np.asarray(law.alpha), np.asarray(law.beta)
    k = np.asarray(couplings, dtype=float)
    if aim == "a":
        return np.zeros((len(alpha), len(k)))
    best = compute_optimal(law, flops, meter=meter)
    p, q = meter.powers(best.params) if meter.is_own else (1.0, 1.0)
    share = p * exponents(law, meter, best.params)[0]
    moved = (k - 1) * (q * np.log(q * alpha / (p * beta)) / (q * alpha + p * beta))[:, None]
    if aim == "params":
        return moved
    size = np.asarray(law.A)[:, None] * (np.asarray(best.params)[:, None] * np.exp(moved)) ** -alpha[:, None]
    lowest: np.ndarray = np.asarray(law.E)[:, None] + size * share[:, None] ** -k - np.asarray(best.loss)[:, None]
    return lowest

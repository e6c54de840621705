"""The likelihood of a normal plus a half-normal part of noise, with its derivatives."""

from __future__ import annotations

import numpy as np
import scipy

from .model import Model

#: logarithm of the least standard deviation of noise whose size is a parameter: runs are not known better
LEAST_LOG_NOISE = float(np.log(1e-9))
#: of the penalty that keeps lambda finite, after Azzalini and Arellano-Valle 2013
PENALTY, CURVE = 0.87591, 0.85625


def scales(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln sigma and lambda as columns (B, 1)."""
    assert model.noise is not None
    return theta[:, model.noise, None], theta[:, model.noise + 1, None]


def composed_losses(r: np.ndarray, log_sigma: np.ndarray, skew: np.ndarray) -> tuple[np.ndarray, ...]:
    r"""Negative log-likelihoods of residuals r = prediction - observation, and their derivatives.

    An observation lies above its law by a normal and a half-normal part, with standard deviation and scale
    :math:`\sigma_v` and :math:`\sigma_u` (Aigner, Lovell and Schmidt 1977). With :math:`z = r/\sigma`,

    .. math:: -\ln f = \tfrac12 z^2 + \ln\sigma - \ln\Phi(-\lambda z) + \text{const.},
        \qquad \sigma^2 = \sigma_v^2 + \sigma_u^2, \quad \lambda = \sigma_u/\sigma_v.

    The constant is such that no value is negative. In small tables the likelihood may rise for ever with
    :math:`\lambda`, so that a penalty :math:`0.876\,\ln(1 + 0.856\,\lambda^2)` is added, an n-th of it for each run.
    The derivatives are those in r, ln sigma and lambda, then the second ones in (r, r), (r, ln sigma), (r, lambda),
    (ln sigma, ln sigma), (ln sigma, lambda) and (lambda, lambda).
    """
    inverse = np.exp(-log_sigma)
    z = r * inverse
    x = -skew * z
    log_share = scipy.special.log_ndtr(x)
    mills = np.exp(-0.5 * x * x - log_share) / np.sqrt(2.0 * np.pi)
    bend = mills * (x + mills)
    value = 0.5 * z * z + (log_sigma - LEAST_LOG_NOISE) - log_share
    along, curved = z + skew * mills, 1.0 + skew * skew * bend
    turned = mills + skew * z * bend
    most, each = 1.0 + CURVE * skew * skew, PENALTY / r.shape[-1]
    return (
        value + each * np.log(most),
        along * inverse,
        1.0 - z * along,
        z * mills + 2.0 * each * CURVE * skew / most,
        curved * inverse * inverse,
        -(z * curved + along) * inverse,
        turned * inverse,
        z * (z * curved + along),
        -z * turned,
        z * z * bend + 2.0 * each * CURVE * (2.0 - most) / (most * most),
    )


def add_noise(
    model: Model,
    weights: np.ndarray,
    each: tuple[np.ndarray, ...],
    parts: np.ndarray,
    gradient: np.ndarray,
    hessian: np.ndarray,
) -> None:
    """The derivatives in the parameters of the noise, in place."""
    assert model.noise is not None
    for k, (first, mixed) in enumerate(((each[2], each[5]), (each[3], each[6])), start=model.noise):
        gradient[:, k] = np.vecdot(weights, first)
        push = weights * mixed
        sums = np.concatenate([(q * push) @ x for q, x in zip(parts, model.features, strict=True)], axis=1)
        hessian[:, k] = hessian[:, :, k] = sums @ model.places[0]
    s, skew = model.noise, model.noise + 1
    hessian[:, s, s], hessian[:, skew, skew] = np.vecdot(weights, each[7]), np.vecdot(weights, each[9])
    hessian[:, s, skew] = hessian[:, skew, s] = np.vecdot(weights, each[8])

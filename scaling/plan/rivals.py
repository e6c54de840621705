"""Runs → laws whose two terms join in another way, and which agree with those runs as well as they can."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from ..laws.chinchilla import ChinchillaLaw
from ..laws.coupled import CoupledLaw, SumLaw
from ..optimum.allocation import compute_optimal, exponents
from ..runs.meter import Meter

#: a table that counts as most do
SIX_N_D = Meter()
#: what runs can be chosen for, in words
AIMS = {
    "params": "the compute-optimal size N*",
    "loss": "the loss at the optimum",
    "a": "the exponent a",
}
#: evaluations after which the fit of a rival stands as it is
MOST_STEPS = 100
#: the exponents of rivals lie in this range, as those of fits do
EXPONENTS = (0.01, 2.0)


def aim_value(law: SumLaw, aim: str, flops: float, meter: Meter = SIX_N_D) -> np.ndarray:
    """ln N*, the loss at the optimum, or a, one a law; C counts what ``meter`` does."""
    best = compute_optimal(law, flops, meter=meter)
    if aim == "a":
        return np.asarray(exponents(law, meter, best.params)[0])
    return np.log(best.params) if aim == "params" else np.asarray(best.loss)


def fit_rivals(
    runs: pd.DataFrame, weights: np.ndarray, law: ChinchillaLaw, couplings: tuple[float, float], noise: float
) -> tuple[CoupledLaw, np.ndarray]:
    """Coupled laws, one for each row of ``weights`` (J, n), and the residuals of the first, in ln loss.

    Huber's loss with ``noise`` as its threshold, from the constants of ``law``; k lies in the range ``couplings``.
    """
    N, D, y = (np.log(runs[name].to_numpy(float)) for name in ("params", "tokens", "loss"))
    x, z = N.mean(), D.mean()

    def predicted(theta: np.ndarray) -> np.ndarray:
        E, a, b, alpha, beta = theta[:5]
        k = theta[5] if len(theta) > 5 else couplings[0]
        joined = np.exp(k * np.logaddexp((a - alpha * (N - x)) / k, (b - beta * (D - z)) / k))
        return np.asarray(np.log(E + joined))

    heights = [np.log(max(c, 1e-30)) - power * m for c, power, m in ((law.A, law.alpha, x), (law.B, law.beta, z))]
    low, high = [0.0, -30.0, -30.0, EXPONENTS[0], EXPONENTS[0]], [np.inf, 30.0, 30.0, EXPONENTS[1], EXPONENTS[1]]
    start = [law.E, *heights, law.alpha, law.beta]
    if couplings[0] < couplings[1]:
        start, low, high = [*start, np.sqrt(np.prod(couplings))], [*low, couplings[0]], [*high, couplings[1]]
    scale = [1.0, 1.0, 1.0, 0.1, 0.1, 0.3][: len(start)]
    at, found = np.array(start), []
    for root in np.sqrt(weights):
        at = np.clip(at, np.array(low) + 1e-6, np.array(high) - 1e-6)
        solved = scipy.optimize.least_squares(
            lambda theta, root=root: root * (predicted(theta) - y),
            at,
            bounds=(low, high),
            x_scale=scale,
            loss="huber",
            f_scale=noise,
            max_nfev=MOST_STEPS,
        )
        found.append(solved.x)
        at = found[0]
    E, a, b, alpha, beta, *k = np.array(found).T
    laws = ChinchillaLaw(E, np.exp(a + alpha * x), np.exp(b + beta * z), alpha, beta)
    coupling = k[0] if k else np.full(len(E), float(couplings[0]))
    return CoupledLaw.joining(laws, coupling), y - predicted(found[0])

"""Maloney, Roberts & Sully 2022 (arXiv:2210.16859): as many parameters as samples."""

from __future__ import annotations

import numpy as np
import scipy

from ..theory.random_features import RandomFeatureModel
from .registry import CHOSEN, reproduces

#: parameters times samples
PRODUCT = 6.4e5


# the loss is the same with parameters and samples exchanged, so that equality is an extreme for any alpha
@reproduces(
    {f"maloney2022/equiparameterization@alpha = {alpha}": alpha for alpha in (0.3, 0.6, 1.0)},
    kind="identity",
    atol=1e-3,
    rule=CHOSEN,
)
def best_ratio(alpha: float) -> float:
    """Parameters over samples with the least loss at a fixed product, each pair under its best ridge.

    To five decimals: the bottom of the valley is flat, and no minimiser finds more.
    """
    model = RandomFeatureModel(alpha)

    def loss(log_ratio: float) -> float:
        half = np.exp(log_ratio / 2)
        return float(model.loss(np.sqrt(PRODUCT) * half, np.sqrt(PRODUCT) / half))

    lowest = scipy.optimize.minimize_scalar(loss, bounds=(-3.0, 4.0), method="bounded", options={"xatol": 1e-8})
    return round(float(np.exp(lowest.x)), 5)

"""Why learning curves are power laws: what theory says, and students simulated to see it."""

from .exponents import LearningExponent, compare_curves, measure_exponent
from .learning_curves import (
    AnnealedMachine,
    logistic_agreement,
    logistic_entropy,
    noisy_threshold_law,
    yardstick_constants,
)
from .manifold import simulate_interpolation
from .perceptron import simulate_perceptron
from .quanta import QuantaModel, simulate_quanta
from .random_features import RandomFeatureModel, simulate_random_features
from .students import simulate_logistic, simulate_noisy_threshold, simulate_thresholds

__all__ = [
    "AnnealedMachine",
    "LearningExponent",
    "QuantaModel",
    "RandomFeatureModel",
    "compare_curves",
    "logistic_agreement",
    "logistic_entropy",
    "measure_exponent",
    "noisy_threshold_law",
    "simulate_interpolation",
    "simulate_logistic",
    "simulate_noisy_threshold",
    "simulate_perceptron",
    "simulate_quanta",
    "simulate_random_features",
    "simulate_thresholds",
    "yardstick_constants",
]

"""Michaud, Liu, Girit & Tegmark 2023 (arXiv:2303.13506): exponents of a sum of quanta."""

from __future__ import annotations

import numpy as np

from ..theory.exponents import measure_exponent
from ..theory.quanta import QuantaModel, simulate_quanta
from .registry import CHOSEN, reproduces

#: numbers of examples in the simulations; times that a quantum has to be seen where one epoch is read in steps
EXAMPLES, NEEDED = 10 ** np.arange(3, 5.6, 0.5), 10


@reproduces("michaud2023/alpha_N/at_0.6", kind="closed form", atol=1e-3, rule=CHOSEN)
def exponent_of_the_size() -> float:
    """The local slope of the exact sum of the quanta that a model has no room for."""
    learned = np.array([1e4, 1e6])
    return -float(np.diff(np.log(QuantaModel(0.6).loss_after(learned))).item() / np.log(learned[1] / learned[0]))


@reproduces(
    {"michaud2023/alpha_D/at_0.6": 0.6, "michaud2023/alpha_D/at_1": 1.0}, kind="simulated", atol=0.015, rule=CHOSEN
)
def exponent_of_the_data(alpha: float) -> float:
    """From simulated examples, each quantum learned once seen."""
    return -float(measure_exponent(simulate_quanta(QuantaModel(alpha), EXAMPLES), "loss"))


@reproduces("michaud2023/alpha_S/at_0.6", kind="closed form", atol=1e-3, rule=CHOSEN)
def exponent_of_the_steps() -> float:
    """The local slope of the expected loss where each quantum has to be seen often; a step reads a fixed number."""
    examples = np.array([1e5, 1e6])
    expected = QuantaModel(0.6).expected_loss(examples, NEEDED)
    return -float(np.diff(np.log(expected)).item() / np.log(examples[1] / examples[0]))

"""Amari, Fujita & Shinomoto 1992 and two papers beside it: how the error falls with the number of examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from ..theory.exponents import measure_exponent
from ..theory.learning_curves import AnnealedMachine, yardstick_constants
from ..theory.students import simulate_logistic, simulate_noisy_threshold, simulate_thresholds
from .registry import CHOSEN, reproduces

#: sample sizes, far enough out for each asymptotic form to hold
FAR = 2000 * 2 ** np.arange(6)
NEAR = 50 * 2 ** np.arange(6)
GAP = 0.2
DIMENSION = 3
LATE = 10**6
CONSTRUCTION = "the paper's own derivation was not at hand: the learner is our construction"


@reproduces(
    {
        "amari1992/type1/exponent": AnnealedMachine(DIMENSION),
        "amari1992/type2/exponent": AnnealedMachine(1, solution_mass=GAP, widest=0.5),
        "amari1992/type4/exponent": AnnealedMachine(DIMENSION / 2, agreement=0.6),
    },
    kind="closed form",
    atol=1e-3,
    rule=CHOSEN,
)
def annealed_exponent(machine: AnnealedMachine) -> float:
    """The local slope of the exact annealed loss, above its floor, at a million examples."""
    floor = machine.asymptote.offset
    early, late = (np.log(machine.entropic_loss(t) - floor) for t in (LATE, 2 * LATE))
    return float((late - early) / np.log(2))


def _unique() -> float:
    return float(measure_exponent(simulate_thresholds(FAR, DIMENSION), "gibbs"))


def _gap() -> float:
    return float(measure_exponent(simulate_thresholds(FAR, gap=GAP), "gibbs"))


def _stochastic() -> float:
    return float(measure_exponent(simulate_logistic(NEAR, DIMENSION), "test"))


@reproduces(
    {
        "amari1992/type1/exponent@simulation": _unique,
        "amari1992/type2/exponent@simulation": _gap,
        "amari1992/type4/exponent@simulation": _stochastic,
    },
    kind="simulated",
    atol=0.05,
    rule=CHOSEN,
)
def simulated_exponent(simulate: Callable[[], float]) -> float:
    return simulate()


@reproduces("amari1992/type3/exponent", kind="simulated", atol=0.03, rule=CHOSEN, change=CONSTRUCTION)
def hard_decisions_from_a_noisy_teacher() -> float:
    return float(measure_exponent(simulate_noisy_threshold(NEAR)))


@reproduces(
    "amari1992/type3/exponent@flipped answers",
    kind="simulated",
    atol=0.03,
    rule=CHOSEN,
    reason="answers flipped at a fixed rate and a threshold with the fewest errors: the error falls as 1/t",
)
def flipped_answers() -> float:
    return float(measure_exponent(simulate_noisy_threshold(NEAR, 0, flips=0.2, method="fewest_errors")))


@reproduces(
    "amari1992/type3/exponent@fewest errors",
    kind="simulated",
    atol=0.03,
    rule=CHOSEN,
    reason="noise that fades away from the threshold, and a threshold with the fewest errors: as the cube root of 1/t",
)
def fewest_errors() -> float:
    return float(measure_exponent(simulate_noisy_threshold(NEAR, method="fewest_errors")))


@cache
def _late_logistic() -> dict[str, float]:
    """Loss on new and on own examples, relative to the teacher's, in parameters an example."""
    t = int(NEAR[-2])
    curve = simulate_logistic([t], DIMENSION, repeats=800)
    return {name: float(curve[name].iloc[0]) * t / DIMENSION for name in ("test", "train")}


@reproduces(
    {"amari1993/test/coefficient": ("test", 1), "amari1993/train/coefficient": ("train", -1)},
    kind="simulated",
    atol=0.03,
    rule=CHOSEN,
)
def coefficient_of_parameters_per_example(column_and_sign: tuple[str, int]) -> float:
    column, sign = column_and_sign
    return sign * _late_logistic()[column]


@reproduces("opper1991/gibbs_over_bayes", kind="closed form")
def gibbs_over_bayes_in_many_dimensions() -> float:
    constants = yardstick_constants("normal")
    return constants["gibbs"] / constants["bayes"]

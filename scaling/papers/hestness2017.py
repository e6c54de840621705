"""Hestness et al. 2017 (arXiv:1712.00409): the exponents that theory leads to expect."""

from __future__ import annotations

import numpy as np
import scipy

from .registry import CHOSEN, reproduces

#: throws of a coin, and its chance of heads
THROWS, CHANCE = 1000 * 2 ** np.arange(4), 0.3
COIN = (
    "the theory that the paper cites was not at hand: ours is the smallest learner there is, which estimates the "
    "chance of a coin's heads; its absolute error falls as the slower, its excess cross-entropy as the faster"
)


def coin_errors(throws: int) -> tuple[float, float]:
    """Expected absolute error and expected excess cross-entropy (nats) of Laplace's rule after some throws."""
    heads = np.arange(throws + 1)
    chance = scipy.stats.binom.pmf(heads, throws, CHANCE)
    guess = (heads + 1) / (throws + 2)
    excess = CHANCE * np.log(CHANCE / guess) + (1 - CHANCE) * np.log((1 - CHANCE) / (1 - guess))
    return float(chance @ np.abs(guess - CHANCE)), float(chance @ excess)


@reproduces(
    {"hestness2017/theory/slow": 0, "hestness2017/theory/fast": 1},
    kind="closed form",
    atol=0.005,
    rule=CHOSEN,
    change=COIN,
)
def exponent_of_a_coin(which: int) -> float:
    errors = [coin_errors(int(throws))[which] for throws in THROWS]
    return float(np.polyfit(np.log(THROWS), np.log(errors), 1)[0])

"""Students of thresholds and of logistic teachers: learning curves by simulation, each point from fresh examples.

Every function returns a table with ``examples`` (t) and, for each yardstick, its mean over repetitions and the
standard error of that mean (``<name>_se``). Same seed, same table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from .._checks import at_least_zero, generator, whole_number
from .learning_curves import normal_nodes

__all__ = ["simulate_logistic", "simulate_noisy_threshold", "simulate_thresholds"]


TEACHER = 0.5
#: precision of the logistic student's prior
PRIOR = 0.5
#: arrays of at most so many numbers at a time
MOST_NUMBERS = 400_000
#: Newton's method: at most so many steps, fewer if the last one was so small
STEPS, CLOSE = 20, 1e-7


def simulate_thresholds(
    examples: ArrayLike,
    dimension: int = 1,
    gap: float = 0.0,
    weights: int = 1,
    repeats: int = 4000,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Simulate deterministic machines with a noiseless teacher: thresholds on [0, 1], learned from uniform inputs.

    An example names one of the m thresholds and an input x; the answer is whether x lies above the teacher's
    threshold, 1/2. The machine's threshold is the product of its ``weights``, each uniform on [0, 1] a priori. What
    is still possible after t examples is an interval between the two nearest inputs, which are drawn directly.

    Parameters
    ----------
    examples : array (n,)
        t, whole numbers, at least 1.
    dimension : int, default 1
        m, thresholds to be learned.
    gap : float, default 0
        Width, in [0, 1), of an interval around the teacher in which no input ever falls.
    weights : int, default 1
        Weights that make a threshold. With more than one the solutions form a curved surface, one dimension lower
        than the space.
    repeats : int, default 4000
        Sets of examples averaged, at least 2.
    seed : int, default 0
        Same seed, same draws.

    Returns
    -------
    DataFrame
        ``examples``, ``entropic`` (nats), ``gibbs`` (probability), each with ``_se``.

    Raises
    ------
    ValueError
        Naming the argument, its value and the limit.
    """
    m, k = whole_number("dimension", dimension), whole_number("weights", weights)
    if not 0 <= gap < 1:
        raise ValueError(f"gap must be at least 0 and below 1, got {gap!r}")
    half = (1 - gap) / 2
    node, node_weight = (each / 2 for each in np.polynomial.legendre.leggauss(24))

    def once(rng: np.random.Generator, t: int, n: int) -> dict[str, np.ndarray]:
        seen = rng.multinomial(t, np.full(2 * m, 0.5 / m), size=n)
        with np.errstate(divide="ignore"):
            # the nearest of so many uniform inputs; with none, the end of the side
            nearest = -half * np.expm1(-rng.standard_exponential((n, 2 * m)) / seen)
        below, above = nearest[:, :m], nearest[:, m:]
        low, high = _prior(TEACHER - gap / 2 - below, k), _prior(TEACHER + gap / 2 + above, k)
        entropic, gibbs = np.zeros(n), np.zeros(n)
        for side, sign in ((below, -1), (above, 1)):
            x = TEACHER + sign * (gap / 2 + side[..., None] * (node + 0.5))
            far = low if sign > 0 else high
            share = np.abs(_prior(x, k) - far[..., None]) / (high - low)[..., None]
            mass = (side / (2 * half * m))[..., None] * node_weight
            entropic -= (mass * np.log(share)).sum((1, 2))
            gibbs += (mass * (1 - share)).sum((1, 2))
        return {"entropic": entropic, "gibbs": gibbs}

    return curve_of(once, examples, whole_number("repeats", repeats), seed, cost=60 * m)


def simulate_noisy_threshold(
    examples: ArrayLike,
    noise: float = 0.075,
    flips: float = 0.0,
    method: str = "likelihood",
    repeats: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    r"""Simulate a deterministic machine with a noisy teacher: a threshold on [0, 1] from unreliable answers.

    Inputs are uniform. The teacher says yes with probability :math:`f + (1 - 2f)/(1 + e^{-(x - 1/2)/\tau})`. The
    student decides by a hard threshold; its error is counted against the teacher's likelier answer,
    :math:`\langle|\hat w - 1/2|\rangle`.

    Parameters
    ----------
    examples : array (n,)
        t, whole numbers, at least 1.
    noise : float, default 0.075
        :math:`\tau`, at least 0: smooth noise near the threshold, in units of the input.
    flips : float, default 0
        f, at least 0 and below 1/2: a share of the answers that is flipped, wherever x lies.
    method : {"likelihood", "fewest_errors"}
        The threshold of maximum likelihood, the model being known (needs ``noise`` > 0 and no ``flips``), or one
        that makes the fewest mistakes on the examples.
    repeats : int, default 1000
        Sets of examples averaged, at least 2.
    seed : int, default 0
        Same seed, same draws.

    Returns
    -------
    DataFrame
        ``examples``, ``error`` (probability), ``error_se``.

    Raises
    ------
    ValueError
        Naming the argument, its value and the limit.
    """
    at_least_zero("noise", noise)
    if not 0 <= flips < 0.5:
        raise ValueError(f"flips must be at least 0 and below 0.5, got {flips!r}")
    if method not in ("likelihood", "fewest_errors"):
        raise ValueError(f"method must be 'likelihood' or 'fewest_errors', got {method!r}")
    if method == "likelihood" and not (noise > 0 and flips == 0):
        raise ValueError(f"method 'likelihood' needs noise > 0 and flips = 0, got noise {noise!r} and flips {flips!r}")

    def once(rng: np.random.Generator, t: int, n: int) -> dict[str, np.ndarray]:
        x = rng.random((n, t))
        clean = special.expit((x - TEACHER) / noise) if noise else x > TEACHER
        yes = rng.random((n, t)) < flips + (1 - 2 * flips) * clean
        found = _likeliest(x, yes, noise) if method == "likelihood" else _fewest_errors(x, yes)
        return {"error": np.abs(found - TEACHER)}

    return curve_of(once, examples, whole_number("repeats", repeats), seed, cost=lambda t: t)


def simulate_logistic(
    examples: ArrayLike, dimension: int = 3, signal: float = 1.5, repeats: int = 400, seed: int = 0
) -> pd.DataFrame:
    r"""Simulate a stochastic machine with a noisy teacher: logistic regression in m dimensions.

    Inputs are standard normal; the teacher says yes with probability :math:`1/(1 + e^{-w_0 \cdot x})`. The student
    maximises the likelihood times a normal prior of variance 2 for each weight, which keeps the maximum finite.

    Parameters
    ----------
    examples : array (n,)
        t, whole numbers, at least 1.
    dimension : int, default 3
        m, weights to be learned.
    signal : float, default 1.5
        Length of the teacher's weights, at least 0: how reliable the answers are.
    repeats : int, default 400
        Sets of examples averaged, at least 2.
    seed : int, default 0
        Same seed, same draws.

    Returns
    -------
    DataFrame
        ``examples``; ``test``, the entropic loss on new examples above the teacher's own entropy, nats;
        ``train``, by how much the student's loss on its own examples lies *below* the teacher's; each with ``_se``.

    Raises
    ------
    ValueError
        Naming the argument, its value and the limit.
    """
    m = whole_number("dimension", dimension)
    at_least_zero("signal", signal)
    teacher = np.zeros(m)
    teacher[0] = signal

    def once(rng: np.random.Generator, t: int, n: int) -> dict[str, np.ndarray]:
        x = rng.standard_normal((n, t, m))
        sign = np.where(rng.random((n, t)) < special.expit(x @ teacher), 1.0, -1.0)
        x *= sign[..., None]
        w = np.tile(teacher, (n, 1))
        for _ in range(STEPS):
            wrong = special.expit(-np.einsum("rti,ri->rt", x, w))
            slope = PRIOR * w - np.einsum("rti,rt->ri", x, wrong)
            curvature = PRIOR * np.eye(m) + np.swapaxes(x * (wrong * (1 - wrong))[..., None], 1, 2) @ x
            step = np.linalg.solve(curvature, slope[..., None])[..., 0]
            w = w - step
            if np.abs(step).max() < CLOSE:
                break
        own = np.logaddexp(0, -np.einsum("rti,ri->rt", x, w)) - np.logaddexp(0, -(x @ teacher))
        return {"test": _excess(w, signal), "train": -own.mean(1)}

    return curve_of(once, examples, whole_number("repeats", repeats), seed, cost=lambda t: t * m)


def curve_of(
    once: Callable[[np.random.Generator, int, int], dict[str, np.ndarray]],
    examples: ArrayLike,
    repeats: int,
    seed: int,
    cost: Callable[[int], int] | int,
) -> pd.DataFrame:
    """A row for each t: repetitions in chunks of bounded memory, a stream of random numbers of its own."""
    if repeats < 2:
        raise ValueError(f"repeats must be at least 2, or there is no standard error, got {repeats}")
    rows = []
    for t in (whole_number("examples", each) for each in np.ravel(examples)):
        rng = generator(seed, t)
        each = max(1, MOST_NUMBERS // (cost(t) if callable(cost) else cost))
        parts = [once(rng, t, min(each, repeats - start)) for start in range(0, repeats, each)]
        row = {"examples": t}
        for name in parts[0]:
            values = np.concatenate([part[name] for part in parts])
            row |= {name: values.mean(), f"{name}_se": values.std(ddof=1) / np.sqrt(repeats)}
        rows.append(row)
    if not rows:
        raise ValueError("examples is empty")
    return pd.DataFrame(rows)


def _prior(threshold: np.ndarray, weights: int) -> np.ndarray:
    """Probability that the product of so many uniform weights lies below a threshold."""
    return threshold if weights == 1 else special.gammaincc(weights, -np.log(np.maximum(threshold, 1e-300)))


def _likeliest(x: np.ndarray, yes: np.ndarray, noise: float) -> np.ndarray:
    """Newton's method in one dimension; the log-likelihood is concave, steps are held to the width of the noise."""
    w = np.full(len(x), TEACHER)
    for _ in range(STEPS):
        k = special.expit((x - w[:, None]) / noise)
        step = noise * (k - yes).sum(1) / np.maximum((k * (1 - k)).sum(1), 1e-12)
        before, w = w, np.clip(w + np.clip(step, -noise, noise), 0, 1)
        if np.abs(w - before).max() < CLOSE * noise:
            break
    return w


def _fewest_errors(x: np.ndarray, yes: np.ndarray) -> np.ndarray:
    """The middle of the first gap between examples in which a threshold makes the fewest mistakes."""
    order = np.argsort(x, axis=1)
    answers = np.take_along_axis(yes, order, 1)
    ends = np.pad(np.take_along_axis(x, order, 1), ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
    mistakes = np.pad(np.cumsum(2 * answers - 1, axis=1), ((0, 0), (1, 0)))
    best = mistakes.argmin(1)
    rows = np.arange(len(x))
    return (ends[rows, best] + ends[rows, best + 1]) / 2


def _excess(w: np.ndarray, signal: float) -> np.ndarray:
    """Kullback-Leibler divergence of students from the teacher (signal, 0, ...), averaged over normal inputs."""
    node, weight = normal_nodes()
    along, across = w[:, :1, None], np.linalg.norm(w[:, 1:], axis=1)[:, None, None]
    k, logit = special.expit(signal * node)[:, None], along * node[:, None] + across * node
    loss = np.logaddexp(0, logit) - k * logit
    own = special.entr(k) + special.entr(1 - k)
    return np.einsum("rij,i,j->r", loss - own, weight, weight)

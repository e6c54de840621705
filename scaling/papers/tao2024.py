"""Tao et al. 2024 (arXiv:2407.13623): how large a vocabulary should be, by envelope and by a parametric loss.

The authors' approach 3 counts the tokens of a run by a formula of the size of its vocabulary, which it is given in
thousands where it wants words. So it takes 2.7 to 3.0 times the tokens there are, more for small vocabularies.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import scipy

from ..fit.least_squares import Form, objective_of
from ..fit.power_law import fit_power_law
from ..fit.result import Fit
from ..laws.vocabulary import BILLION, MILLION, VocabularyLaw
from ..sources.datasets import read_dataset
from ..sources.numbers import published, published_table
from .registry import reproduces

SET = "tao2024"
#: added to the normalised loss, so that it is positive where it is fitted; the constant E takes it up
LIFT = 10.0
ENDS = (
    "the minimum of the authors' objective as their code has it; they keep, of the ends of 486 descents, that with the "
    "least mean square, whose objective lies 6 millionths higher: a valley"
)
COUNTED = (
    "the same fit with the tokens there are: the authors' code hands its formula of tokens a character the vocabulary "
    "in thousands, and counts 2.7 to 3.0 times as many"
)
CLOSE = "how far descents that stop along the valley of the sum of Huber losses lie from its minimum, a median of logs"
SQUARES = "by least squares: of the ends of their descents the authors keep that with the least mean square"
LOOSE = (
    "The runs know the number loosely: when all 60 are drawn anew, four in five of the best vocabularies lie between "
    "some 40 thousand and 3 million words"
)
LOOSER = (
    "The runs know this number no better: when all 60 are drawn anew, one in ten of the best vocabularies has about a "
    "million words or more, and one in ten hardly any"
)


def _number(place: str) -> float:
    return float(published(f"tao2024/{place}"))


@cache
def runs() -> pd.DataFrame:
    """All 1,200 checkpoints."""
    return read_dataset(SET)


def tokens_a_character(vocabulary: np.ndarray) -> np.ndarray:
    """The authors' formula, of the number of words in the vocabulary."""
    a, b, c = (_number(f"tokens_per_character/{name}") for name in "abc")
    logs = np.log(vocabulary)
    return np.asarray(a * logs**2 + b * logs + c)


@cache
def fitted_runs(as_coded: bool = True) -> pd.DataFrame:
    """The checkpoints that approach 3 takes, with tokens as its code counts them or as they are."""
    table = runs()
    table = table[table["flops"] >= _number("approach3/least_flops")].reset_index(drop=True)
    coded = table["characters"] * tokens_a_character(table["vocabulary"].to_numpy() / 1000)
    return table.assign(tokens=coded) if as_coded else table


@cache
def fit(as_coded: bool = True) -> tuple[VocabularyLaw, float]:
    """The law of approach 3, alpha1 and beta tied, at the minimum of its sum of Huber losses, and that sum."""
    return minimum(fitted_runs(as_coded))


def minimum(table: pd.DataFrame) -> tuple[VocabularyLaw, float]:
    """The same for any rows with the columns of the law."""
    logs = np.log(np.array([table[name] for name in VocabularyLaw.columns]))
    logs -= np.log([[MILLION], [MILLION], [BILLION]])
    observed, w = table["unigram_normalised"].to_numpy() + LIFT, np.ones(len(table))

    def terms(theta: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(theta[1:4, None] - theta[[5, 4, 5], None] * logs))

    def slopes(theta: np.ndarray) -> np.ndarray:
        N, V, D = terms(theta)
        return np.column_stack([np.ones_like(N), N, V, D, -V * logs[1], -N * logs[0] - D * logs[2]])

    starts = []
    for alpha2 in (0.3, 0.7, 1.2):
        columns = np.exp(-np.array([0.4, alpha2, 0.4])[:, None] * logs)
        linear, _ = scipy.optimize.nnls(np.vstack([np.ones_like(w), columns]).T, observed)
        starts.append([linear[0], *np.log(np.maximum(linear[1:], 1e-3)), alpha2, 0.4])
    low, high = np.array([0, -20, -20, -20, 0.01, 0.01]), np.array([LIFT, 20, 20, 20, 3, 3])
    form = Form(observed, lambda theta: theta[0] + terms(theta).sum(0), low, high, np.full(6, 0.3), slopes)
    theta, value, _, _ = form.minimise(w, objective_of("huber", 1e-3), np.array(starts))
    (A1, A2, B), (alpha2, beta) = np.exp(theta[1:4]), theta[4:]
    constants = {"A1": A1, "alpha1": beta, "A2": A2, "alpha2": alpha2, "B": B, "beta": beta, "E": LIFT - theta[0]}
    return VocabularyLaw.of_millions(**{name: float(each) for name, each in constants.items()}), value


def resampled(n_resamples: int, seed: int, as_coded: bool = True) -> np.ndarray:
    """The best vocabulary of 70 billion parameters by approach 3, with the 60 runs drawn anew."""
    rng, table = np.random.default_rng(seed), fitted_runs(as_coded)
    rows = list(table.groupby("run").indices.values())
    drawn = ([rows[k] for k in rng.integers(len(rows), size=len(rows))] for _ in range(n_resamples))
    return np.array([vocabulary_of_70b(minimum(table.iloc[np.concatenate(each)])[0]) for each in drawn])


def objective(law: VocabularyLaw) -> float:
    """The sum of Huber losses of a law on the checkpoints of approach 3, tokens counted as its code does."""
    table = fitted_runs()
    missed = law.predict(table) - table["unigram_normalised"].to_numpy()
    return float(objective_of("huber", 1e-3).sum(missed, np.ones(len(table))))


def best_vocabulary(law: VocabularyLaw, params: float, width: float, flops: float) -> float:
    """Words of the vocabulary at the least normalised loss, beside ``params`` without it, for 6ND = ``flops``."""

    def loss(log_words: float) -> float:
        vocabulary = width * np.exp(log_words)
        return float(law.value(params, vocabulary, flops / (6 * (params + vocabulary))))

    found = scipy.optimize.minimize_scalar(loss, bounds=(np.log(1e2), np.log(1e7)), options={"xatol": 1e-9})
    return float(np.exp(found.x))


def vocabulary_of_70b(law: VocabularyLaw) -> float:
    """The same for 70 billion parameters, at the compute for which approach 1 finds that size best."""
    flops = float((70e9 / np.exp(_number("approach1/K1"))) ** 2)
    return best_vocabulary(law, 70e9, _number("widths/70B"), flops)


def width_of(params: np.ndarray) -> np.ndarray:
    """The width at numbers of parameters without vocabulary, as the authors' code has it."""
    table = published_table("tao2024/widths")["value"].drop("tao2024/widths/70B")
    widths, most = np.array([float(name.rpartition("/")[2]) for name in table.index]), table.to_numpy(float)
    return np.asarray(widths[np.searchsorted(most, params)])


@cache
def envelope() -> pd.DataFrame:
    """Approach 1: the points of a loss below that of all cheaper ones, among checkpoints and points between them.

    Between them the authors interpolate: for each vocabulary at fifty pairs of size and characters along a diagonal,
    for each size at twenty vocabularies and the most tokens.
    """
    table, shape = runs(), (6, 10, 20)
    N, H, V, L = (
        table[name].to_numpy().reshape(shape)
        for name in ("params_nonvocabulary", "characters", "vocabulary", "unigram_normalised")
    )
    points = [table[["params_nonvocabulary", "characters", "vocabulary", "unigram_normalised"]].to_numpy()]
    diagonal = np.column_stack([np.geomspace(x.min(), x.max(), 50) for x in (N, H)])
    for k in range(shape[1]):
        known = np.column_stack([N[:, k].ravel(), H[:, k].ravel()])
        loss = scipy.interpolate.griddata(known, L[:, k].ravel(), diagonal, method="cubic")
        points.append(np.column_stack([diagonal, np.full(50, V[0, k, 0]), loss])[~np.isnan(loss)])
    words = np.geomspace(V.min(), V.max(), 20)
    most = table["tokens"].to_numpy().reshape(shape).max((1, 2))
    for k in range(shape[0]):
        loss = scipy.interpolate.make_interp_spline(V[k, :, 0], L[k, :, -1], k=2)(words)
        size, characters = np.full(20, N[k, 0, 0]), most[k] / tokens_a_character(words)
        points.append(np.column_stack([size, characters, words, loss]))
    size, characters, words, loss = np.vstack(points).T
    vocabulary = words * width_of(size)
    flops = 6 * (size + vocabulary) * characters * tokens_a_character(words)
    found = pd.DataFrame({"flops": flops, "params": size, "vocabulary": vocabulary, "loss": loss})
    found = found.sort_values("flops", kind="stable", ignore_index=True)
    return found[found["loss"] < found["loss"].cummin().shift(fill_value=np.inf)].reset_index(drop=True)


@cache
def vocabulary_fit(objective: str = "log_huber") -> Fit:
    """The parameters of the vocabulary along the envelope as a power of the compute."""
    points = envelope()
    return fit_power_law(points["flops"], points["vocabulary"], objective=objective)


reproduces(
    {f"tao2024/approach3/{name}": name for name in ("A1", "alpha1", "A2", "alpha2", "B", "beta", "E")},
    kind="runs",
    reason=ENDS,
    needs=SET,
)(lambda name: float(fit()[0].in_millions[name]))
reproduces(
    {f"tao2024/approach3/{name}@tokens as they are": name for name in ("A2", "alpha2", "B", "beta")},
    kind="runs",
    reason=COUNTED,
    needs=SET,
)(lambda name: float(fit(as_coded=False)[0].in_millions[name]))
reproduces(
    "tao2024/abstract/vocabulary_70B",
    kind="runs",
    reason="70 billion parameters besides the vocabulary, by approach 3 with the minimum of its objective: with the "
    "authors' constants 218 thousand. The abstract does not say by which approach, nor for which number of parameters. "
    f"{LOOSE}",
    needs=SET,
)(lambda: vocabulary_of_70b(fit()[0]))
reproduces(
    "tao2024/abstract/vocabulary_70B@tokens as they are",
    kind="runs",
    reason=f"{COUNTED}. The term of the vocabulary then falls with another power. {LOOSER}",
    needs=SET,
)(lambda: vocabulary_of_70b(fit(as_coded=False)[0]))


@reproduces("tao2024/approach1/K1", kind="runs", rtol=1e-3, rule=CLOSE, needs=SET)
def size_at_unit_compute() -> float:
    points = envelope()
    return float(np.median(np.log(points["params"] / np.sqrt(points["flops"]))))


reproduces(
    {"tao2024/approach1/K2": "K2", "tao2024/approach1/alpha": "alpha"},
    kind="runs",
    reason="the minimum of the sum of Huber losses; of the ends of their descents, all along a valley, the authors "
    "keep that with the least mean square, which is that of least squares but for the third digit",
    needs=SET,
)(lambda name: _of_vocabulary(vocabulary_fit(), name))
reproduces(
    {"tao2024/approach1/K2@least squares": "K2", "tao2024/approach1/alpha@least squares": "alpha"},
    kind="runs",
    digits=2,
    change=SQUARES,
    needs=SET,
)(lambda name: _of_vocabulary(vocabulary_fit("log_squares"), name))
reproduces("tao2024/approach1/gamma", kind="runs", digits=2, change=SQUARES, needs=SET)(
    lambda: 2 * _of_vocabulary(vocabulary_fit("log_squares"), "alpha")
)


def _of_vocabulary(fit: Fit, name: str) -> float:
    law = fit.candidate.constants
    return float(np.log(law["coefficient"]) if name == "K2" else law["exponent"])


@reproduces("tao2024/approach2/start", kind="runs", needs=SET)
def best_vocabulary_of_the_smallest() -> float:
    """Each vocabulary's loss at one compute, by a parabola through three checkpoints at a time."""
    table, flops = runs(), _number("approach2/flops")
    small = table[table["params_nonvocabulary"] == table["params_nonvocabulary"].min()]
    losses = {
        vocabulary: scipy.interpolate.make_interp_spline(each["flops"], each["unigram_normalised"], k=2)(flops)
        for vocabulary, each in small.groupby("params_vocabulary")
    }
    return float(min(losses, key=lambda vocabulary: losses[vocabulary]))

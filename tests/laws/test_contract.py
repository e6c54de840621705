"""Every law keeps the contract of ``laws/base.py``: this runs it over all of them."""

import dataclasses
import importlib
import pickle
import pkgutil

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.counting import EmbeddingModel
from scaling.laws import (
    BoundedLaw,
    BrokenPowerLaw,
    ChinchillaLaw,
    CoupledLaw,
    CriticalBatch,
    DataConstrainedLaw,
    DownstreamLaw,
    FarseerLaw,
    FrontierLaw,
    GranularLaw,
    KaplanLaw,
    KaplanStepsLaw,
    MomentumLaw,
    MultiPowerLaw,
    OvertrainingLaw,
    PowerLaw,
    PrecisionLaw,
    RosenfeldLaw,
    RoutedLaw,
    ShapeLaw,
    SigmoidLaw,
    StepLaw,
    TaskLaw,
    VocabularyLaw,
)
from scaling.laws.base import Law
from scaling.optimum import KaplanFrontier, KaplanTraining

BASE = ChinchillaLaw.from_published("besiroglu2024")
EXAMPLES = [
    BASE,
    PowerLaw(2.5, -0.3, 1.3),
    FrontierLaw(PowerLaw(0.1, 0.5), PowerLaw(1.7, 0.5), PowerLaw(20.0, -0.05, 1.7)),
    RosenfeldLaw(BASE, 11.0),
    CoupledLaw(1.2, 8.5e10, 1.1e10, 1.14, 0.86, 0.17),
    BrokenPowerLaw(0.1, 2.0, 0.1, [1e3, 1e5], [0.4, -0.2], [0.2, 0.3]),
    BoundedLaw(1.7, 10.8, 50.0, 50.0, 1e-4, 0.34, 0.28, 0.5, 0.3),
    FarseerLaw(35.0, 0.5, -0.2, 0.14, 4.3, 0.17, 5.3, -7.6, 0.012),
    DataConstrainedLaw.from_published(),
    OvertrainingLaw.from_published(),
    DownstreamLaw.from_published(),
    SigmoidLaw(0.25, 0.9, 4.0, 2.8),
    TaskLaw(BASE, SigmoidLaw(0.25, 0.9, 4.0, 2.8)),
    PrecisionLaw.from_published(),
    ShapeLaw.from_published(),
    KaplanLaw.from_published(),
    KaplanStepsLaw.from_published(),
    RoutedLaw.from_published(),
    GranularLaw.from_published(),
    CriticalBatch.from_published(),
    KaplanTraining.from_published(),
    KaplanFrontier.from_published(),
    EmbeddingModel.from_published(),
    MultiPowerLaw.from_published("luo2025/25M"),
    MomentumLaw(3.16, 0.51, 0.52, 0.41),
    StepLaw.from_published(),
    VocabularyLaw.from_published("tao2024/approach3"),
]
#: laws of a whole run, whose value at a row depends on the rows before it
ALONG_A_RUN = (MultiPowerLaw, MomentumLaw)
#: two values of each column that laws depend on
VALUES = {
    "x": (1e2, 3e5),
    "params": (1e8, 3e9),
    "tokens": (2e9, 5e11),
    "unique_tokens": (1e9, 1e11),
    "flops": (1e19, 1e23),
    "loss": (3.1, 2.4),
    "steps": (1e4, 3e5),
    "batch": (5e5, 2e6),
    "bits": (8.0, 16.0),
    "aspect": (64.0, 128.0),
    "num_experts": (1.0, 64.0),
    "granularity": (1.0, 16.0),
    "params_nonembedding": (1e7, 1e9),
    "learning_rate": (3e-4, 1e-4),
    "params_nonvocabulary": (1e8, 1e9),
    "params_vocabulary": (4e6, 2e8),
}
each_law = pytest.mark.parametrize("law", EXAMPLES, ids=lambda law: type(law).__name__)


def arguments(law):
    return [np.array(VALUES[name]) for name in law.columns]


def arrayed(law):
    """The law with two entries of every constant, the second a little off, and those two laws alone."""
    fields = {f.name: getattr(law, f.name) for f in dataclasses.fields(law)}
    pairs = {
        name: arrayed(value) if isinstance(value, Law) else (value, value * 1.001) for name, value in fields.items()
    }
    one, other = (
        {n: p[-2:][k] if not isinstance(fields[n], Law) else p[1 + k] for n, p in pairs.items()} for k in (0, 1)
    )
    both = {
        n: p[0] if isinstance(fields[n], Law) else np.stack([np.asarray(x, float) for x in p]) for n, p in pairs.items()
    }
    return type(law)(**both), type(law)(**one), type(law)(**other)


def test_no_law_is_forgotten():
    """Every subclass of Law in the package stands among the examples."""
    pytest.importorskip("docutils", reason="some modules of the package need the extra 'book'")
    for module in pkgutil.walk_packages(scaling.__path__, "scaling."):
        if not module.name.endswith(("__main__", "papermill_job")):
            importlib.import_module(module.name)

    def below(cls):
        return {cls} | {each for child in cls.__subclasses__() for each in below(child)}

    public = {
        cls for cls in below(Law) - {Law} if not cls.__name__.startswith("_") and cls.__module__.startswith("scaling.")
    }
    assert public == {type(law) for law in EXAMPLES}, "add an example to EXAMPLES at the top of this file"


@each_law
def test_says_what_it_is(law):
    assert law.equation
    assert law.columns
    assert set(law.columns) <= set(VALUES)
    assert type(law).__name__ in repr(law)


@each_law
def test_constants_and_pickles_give_the_law_back(law):
    for again in (type(law).of(law.constants), pickle.loads(pickle.dumps(law))):
        np.testing.assert_array_equal(again.value(*arguments(law)), law.value(*arguments(law)))
        assert list(again.constants) == list(law.constants)


@pytest.mark.parametrize(
    "law", [law for law in EXAMPLES if not isinstance(law, ALONG_A_RUN)], ids=lambda law: type(law).__name__
)
def test_arguments_broadcast(law):
    given = arguments(law)
    single = [law.value(*(x[k] for x in given)) for k in (0, 1)]
    assert np.ndim(single[0]) == 0
    np.testing.assert_allclose(law.value(*given), single, rtol=1e-12)
    crossed = [given[0][:, None], *given[1:]]
    assert np.shape(law.value(*crossed)) == ((2, 2) if len(given) > 1 else (2, 1))


@each_law
def test_constants_may_be_arrays(law):
    both, one, other = arrayed(law)
    point = [x[0] for x in arguments(law)]
    expected = [one.value(*point), other.value(*point)]
    assert expected[0] != expected[1]
    np.testing.assert_allclose(both.value(*point), expected, rtol=1e-12)


@each_law
def test_predicts_the_rows_of_a_table(law):
    table = pd.DataFrame(VALUES)
    np.testing.assert_array_equal(law.predict(table), law.value(*arguments(law)))
    with pytest.raises(ValueError, match=f"needs the column {law.columns[0]!r}"):
        law.predict(table.drop(columns=law.columns[0]))


@each_law
@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_refuses_what_is_not_positive(law, bad):
    for k, name in enumerate(law.columns):
        given = [x[0] for x in arguments(law)]
        given[k] = bad
        with pytest.raises(ValueError, match=f"must (be positive|exceed).*got {bad:g}"):
            law.value(*given)
        assert name in VALUES


@each_law
def test_unknown_published_constants_are_refused(law):
    with pytest.raises(ValueError, match="no published constants named 'nobody1999'"):
        type(law).from_published("nobody1999")


@each_law
def test_a_constant_that_is_missing_is_named(law):
    needed = [f.name for f in dataclasses.fields(law) if f.default is dataclasses.MISSING]
    for name in law.constants:
        if isinstance(law, TaskLaw | RosenfeldLaw) or name in needed:
            with pytest.raises(TypeError, match=rf"missing \d+ required .*'{name}'"):
                type(law).of({each: value for each, value in law.constants.items() if each != name})


def test_laws_of_laws_have_no_place_of_their_own():
    with pytest.raises(ValueError, match="no place has those of both steps; TaskLaw"):
        TaskLaw.from_published("besiroglu2024")
    with pytest.raises(ValueError, match="no place has two power laws; FrontierLaw"):
        FrontierLaw.from_published("sardana2024/readme/loss")  # which has a params, a tokens and a loss: numbers


def test_a_law_without_published_constants_names_no_place_and_others_those_there_are():
    """It said "known: a place in data/published.csv that has ..." of constants that no place has."""
    with pytest.raises(ValueError, match="no place in data/published.csv has floor, ceiling, slope, middle"):
        scaling.laws.SigmoidLaw.from_published("nobody1999")
    with pytest.raises(ValueError, match="known: luo2025/25M, luo2025/100M, luo2025/400M$") as told:
        scaling.laws.MultiPowerLaw.from_published("nobody1999")
    for place in str(told.value).partition("known: ")[2].split(", "):
        scaling.laws.MultiPowerLaw.from_published(place)

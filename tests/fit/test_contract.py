"""Every fit keeps one contract: the same arguments, a Fit or FrontierFit back, and all of it can be pickled."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling import fit as room
from scaling.errors import FitErrorKind
from scaling.fit import Fit, FrontierFit
from scaling.laws import learning_rates

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")
RUNS = scaling.simulate_runs(
    LAW, scaling.simulate.isoflop_design([1e19, 1e20, 1e21, 1e22], n_sizes=7, law=LAW), noise=0.005
)
TASK = RUNS.assign(metric_task=scaling.laws.SigmoidLaw(0.25, 0.9, 4.0, 2.5).predict(RUNS))
CURVES = scaling.simulate.simulate_curves(LAW, np.geomspace(1e8, 5e9, 8), seed=1)
X = np.geomspace(1e2, 1e6, 17)
SIZES = np.geomspace(1e6, 1e10, 9)
SCHEDULES = {
    "cosine": learning_rates(4000, "cosine", peak=3e-4, end=3e-5, warmup=400),
    "two stages": learning_rates(4000, "stage", peak=3e-4, end=6e-5, warmup=400, decay=2000),
}
MOMENTUM = scaling.laws.MomentumLaw(3.0, 0.5, 0.5, 0.4)
LOSSES = pd.concat(
    pd.DataFrame({"run": run, "step": (steps := np.arange(500, 4000, 100)), "loss": MOMENTUM.loss(rates, steps)})
    for run, rates in SCHEDULES.items()
)
EXPERTS = RUNS.assign(num_experts=np.resize(2 ** np.arange(10), len(RUNS)))
ROUTED = EXPERTS.assign(loss=scaling.laws.RoutedLaw.from_published().predict(EXPERTS))
CALLS = {
    "fit_parametric": (RUNS,),
    "fit_kaplan": (RUNS,),
    "fit_kaplan_steps": (RUNS.assign(steps=RUNS["tokens"] / 5e5),),
    "fit_rosenfeld": (RUNS,),
    "fit_overtraining": (RUNS,),
    "fit_downstream": (TASK, "metric_task"),
    "fit_two_steps": (TASK, "metric_task"),
    "fit_farseer": (RUNS,),
    "fit_routed": (ROUTED,),
    "fit_power_law": (X, 3 * X**-0.4 + 1),
    "fit_broken_power_law": (X, scaling.laws.BrokenPowerLaw(0.5, 20.0, 0.1, [1e4], [0.4], [0.3])(X)),
    "fit_embedding_model": (SIZES, SIZES + 5e4 * SIZES**0.34),
    "fit_isoflop": (RUNS,),
    "fit_envelope": (CURVES,),
    "fit_multi_power": (LOSSES, SCHEDULES),
    "fit_momentum": (LOSSES, SCHEDULES),
}
NEEDED = {"fit_rosenfeld": {"guess": 11.0}}
FITS = sorted(name for name in room.__all__ if name.startswith("fit_"))


def fitted(name, **options):
    return getattr(room, name)(*CALLS[name], **NEEDED.get(name, {}), **options)


def test_no_fit_is_forgotten():
    assert sorted(CALLS) == FITS


@pytest.mark.parametrize("name", FITS)
def test_arguments_after_the_data_are_given_by_name(name):
    parameters = inspect.signature(getattr(room, name)).parameters
    kinds = [p.kind for p in parameters.values()]
    assert kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) == len(CALLS[name])
    with pytest.raises(TypeError):
        getattr(room, name)(*CALLS[name], 1, 2, 3)


@pytest.mark.parametrize("name", [name for name in FITS if name not in ("fit_isoflop", "fit_envelope")])
def test_objective_threshold_weights_and_starts_are_the_same_everywhere(name):
    defaults = {key: p.default for key, p in inspect.signature(getattr(room, name)).parameters.items()}
    wanted = {"objective": "log_huber", "delta": 1e-3, "weights": None, "n_starts": 4}
    assert {key: defaults[key] for key in wanted} == wanted
    with pytest.raises(ValueError, match="unknown objective 'mean'"):
        fitted(name, objective="mean")
    with pytest.raises(ValueError, match="n_starts must be a whole number, at least 1, got 0"):
        fitted(name, n_starts=0)
    with pytest.raises(scaling.FitError, match="weights must be one number for each"):
        fitted(name, weights=[1.0])


#: the columns, or arrays, whose numbers each fit reads
READ = {
    "fit_kaplan_steps": ("params", "steps", "loss"),
    "fit_downstream": ("loss", "metric_task"),
    "fit_two_steps": ("loss", "metric_task"),
    "fit_routed": ("params", "num_experts", "loss"),
    "fit_multi_power": ("step", "loss"),
    "fit_momentum": ("step", "loss"),
}
NO_NUMBERS = {
    "truth values": lambda x: np.ones(len(x), dtype=bool),
    "dates": lambda x: pd.date_range("2020", periods=len(x)),
    "complex": lambda x: np.asarray(x) + 1e-3j,
    "text": lambda x: ["many", *list(x)[1:]],
    "missing": lambda x: pd.array([pd.NA, *list(x)[1:]], dtype="Float64"),
    "infinite": lambda x: np.array([np.inf, *list(x)[1:]]),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("name", FITS)
def test_what_is_no_number_is_refused_as_a_table_that_cannot_be_used(name, kind):
    data, *rest = CALLS[name]
    if not isinstance(data, pd.DataFrame):
        for given in ((NO_NUMBERS[kind](data), *rest), (data, NO_NUMBERS[kind](rest[0]))):
            with pytest.raises(scaling.FitError):
                getattr(room, name)(*given)
        return
    plain = data.reset_index(drop=True)
    for column in READ.get(name, ("params", "tokens", "loss")):
        bad = plain.assign(**{column: NO_NUMBERS[kind](plain[column])})
        if kind == "missing" and column in ("params", "tokens"):
            bad = bad.drop(columns="flops")  # from which it would follow
        with pytest.raises(scaling.FitError, match=None if kind == "infinite" else column):
            getattr(room, name)(bad, *rest, **NEEDED.get(name, {}))
    for given in (data.to_dict("list"), data.to_numpy(), None):
        with pytest.raises(scaling.FitError, match=type(given).__name__):
            getattr(room, name)(given, *rest, **NEEDED.get(name, {}))
    with pytest.raises(scaling.FitError, match="'loss' stands there twice: keep one"):
        getattr(room, name)(pd.concat([data, data[["loss"]]], axis=1), *rest, **NEEDED.get(name, {}))


@pytest.mark.slow
@pytest.mark.parametrize("name", FITS)
def test_a_fit_says_what_it_is_and_can_be_pickled(name):
    fit = fitted(name)
    assert isinstance(fit, Fit | FrontierFit)
    again = pickle.loads(pickle.dumps(fit))
    assert repr(again) == repr(fit)
    assert list(again.runs.columns) == list(fit.runs.columns)
    if isinstance(fit, Fit):
        columns = fit.runs[list(fit.candidate.columns)] if set(fit.candidate.columns) <= set(fit.runs) else None
        if columns is not None:
            np.testing.assert_array_equal(fit.predict(fit.runs), fit.candidate.predict(columns))
        np.testing.assert_allclose(again.refit(fit.weights).value, fit.value, rtol=1e-6, atol=1e-20)


@pytest.mark.parametrize("name", ["fit_parametric", "fit_isoflop", "fit_envelope", "fit_kaplan"])
def test_bootstraps_can_be_pickled_and_made_from_a_pickled_fit(name):
    fit = fitted(name)
    boot = scaling.bootstrap(fit, n_resamples=20, seed=3)
    again = scaling.bootstrap(pickle.loads(pickle.dumps(fit)), n_resamples=20, seed=3)
    pd.testing.assert_frame_equal(again.samples, boot.samples)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(boot)).samples, boot.samples)


def test_plans_can_be_pickled():
    boot = scaling.bootstrap(fitted("fit_parametric"), n_resamples=100, seed=0)
    plan = scaling.plan_training(boot, 1e23)
    assert repr(pickle.loads(pickle.dumps(plan))) == repr(plan)


def test_errors_can_be_pickled_and_say_of_which_kind_they_are():
    error = scaling.FitError("no", FitErrorKind.FEW)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.kind, again.problems) == ("no", FitErrorKind.FEW, ("no",))
    table = scaling.RunsError("a.csv", ["one: do this", "two: do that"])
    assert pickle.loads(pickle.dumps(table)).problems == table.problems
    assert str(pickle.loads(pickle.dumps(table))) == str(table)


def kind_of(runs):
    with pytest.raises(scaling.FitError) as refused:
        _ = scaling.fit_parametric(runs).law
    return refused.value.kind


def test_kinds_of_refusals():
    assert kind_of(RUNS.head(3)) is FitErrorKind.FEW
    assert kind_of(RUNS.assign(loss=-1.0)) is FitErrorKind.TABLE
    rng = np.random.default_rng(0)
    assert kind_of(RUNS.assign(loss=3 + 0.01 * rng.standard_normal(len(RUNS)))) is FitErrorKind.UNSEEN
    line = scaling.simulate_runs(LAW, pd.DataFrame({"params": SIZES, "tokens": 20 * SIZES}), noise=0.02)
    assert kind_of(line) is FitErrorKind.UNDETERMINED
    assert scaling.fit_parametric(RUNS).kind is None

"""Hostile tables, drawn by hypothesis: an error that helps or a valid table, never something between."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import RunsError, RunsWarning
from scaling.fit.parametric import fit_parametric
from scaling.fit.result import Fit
from scaling.laws.chinchilla import ChinchillaLaw
from scaling.runs import check_runs, load_runs
from scaling.sources.datasets import dataset_names

COLUMNS = ("params", "tokens", "loss", "flops")
NAMES = st.sampled_from(
    [*COLUMNS, "Params", "parms", "N", "tokns", "los", "loss ", "flop", "C", "budget", "status", "seed", "x", 0]
)
WRONG = st.sampled_from(
    ["70B", "1,000", "n/a", "", "nan", "inf", "-", "1e9", None, pd.NA, True, np.nan, np.inf, -np.inf, 0, 0.0, -1.0]
    + [1e-300, 1e300, -1e300, 5e-324, 10**400, 7, 1e9, 3.2, 2.0e20, [1], {}, 1j, pd.Timestamp("2024-01-01"), "∞"]
)
GOOD = {
    "params": st.floats(1e6, 1e12),
    "tokens": st.floats(1e8, 1e13),
    "loss": st.floats(1.0, 10.0),
    "flops": st.floats(1e16, 1e26),
}
STATUS = st.sampled_from(["finished", "failed", None])
SETTINGS = settings(max_examples=150)
#: a set has its name, or those of its parts after it: steplaw2025/moe
GROUPS = {name.partition("/")[0] for name in dataset_names()}


@st.composite
def tables(draw):
    """A sound table with a few cells, columns or rows spoilt."""
    rows = draw(st.integers(1, 12))
    used = draw(st.sampled_from([COLUMNS, COLUMNS[:3], ("params", "loss", "flops"), ("tokens", "loss", "flops")]))
    data = {name: draw(st.lists(GOOD[name], min_size=rows, max_size=rows)) for name in used}
    frame = pd.DataFrame(data, dtype=object)
    for _ in range(draw(st.integers(0, 3))):
        frame.iat[draw(st.integers(0, rows - 1)), draw(st.integers(0, frame.shape[1] - 1))] = draw(WRONG)
    if draw(st.booleans()):
        frame = frame.rename(columns={draw(st.sampled_from(used)): draw(NAMES)})
    if draw(st.booleans()):
        frame = pd.concat([frame, frame.iloc[: draw(st.integers(0, rows))]])
    if draw(st.booleans()):
        frame["status"] = draw(st.lists(STATUS, min_size=len(frame), max_size=len(frame)))
    return frame if draw(st.booleans()) else frame.infer_objects()


def outcome(function, *args):
    """The checked table or the error; anything else fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", RunsWarning)
        try:
            return function(*args)
        except RunsError as error:
            return error


def assert_helpful(error):
    assert "cannot be used as a table of runs" in str(error)
    assert error.problems
    for problem in error.problems:
        assert 20 < len(problem) < 500
        assert any(mark in problem for mark in (":", ";", "?")), "a problem must say what to do next"


def assert_valid(runs):
    assert len(runs)
    values = runs[["params", "tokens", "loss", "flops"]].to_numpy()
    assert values.dtype == float
    assert np.isfinite(values).all()
    assert (values > 0).all()


@SETTINGS
@given(tables())
def test_an_error_that_helps_or_a_valid_table(frame):
    before = frame.copy(deep=True)
    result = outcome(check_runs, frame)
    pd.testing.assert_frame_equal(frame, before)
    if isinstance(result, RunsError):
        assert_helpful(result)
    else:
        assert_valid(result)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pd.testing.assert_frame_equal(check_runs(result), result)


@pytest.mark.slow
@SETTINGS
@given(tables())
def test_the_same_through_a_file(tmp_path_factory, frame):
    path = tmp_path_factory.mktemp("hostile") / "runs.csv"
    frame.to_csv(path, index=False)
    result = outcome(load_runs, path)
    assert_helpful(result) if isinstance(result, RunsError) else assert_valid(result)


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_as_a_file(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "runs.csv"
    path.write_bytes(content)
    assert_helpful(outcome(load_runs, path))


@pytest.mark.slow
@SETTINGS
@given(st.text(max_size=60).filter(lambda name: name.partition("/")[0] not in GROUPS))
def test_any_text_as_a_name(name):
    assert isinstance(outcome(load_runs, name), RunsError)


@pytest.mark.parametrize("name", ["/", "//", "/.", ".", "..", "~", "\x00", "-"])
def test_names_of_folders_that_hold_no_table(name, monkeypatch):
    """Of a whole disk not more than so many entries are looked at, and one that may not be looked into is named."""
    monkeypatch.setattr("scaling.runs.reading.parquet.MOST_ENTRIES", 500)
    assert isinstance(outcome(load_runs, name), RunsError)


def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path, monkeypatch):
    def closed(folder, pattern):
        yield folder / "a.txt"
        raise PermissionError(13, "Permission denied", str(folder / "closed"))

    monkeypatch.setattr("pathlib.Path.rglob", closed)
    with pytest.raises(RunsError, match=r"closed in it cannot be looked into \(Permission denied\): name the folder"):
        load_runs(tmp_path)


@pytest.mark.parametrize("column", COLUMNS[:3])
@pytest.mark.parametrize("value", [1e-300, 1e300, 5e-324, 1.7e308, -1e-300])
def test_extreme_values_are_refused_by_name(column, value):
    frame = pd.DataFrame({"params": [1e8, 1e9], "tokens": [1e9, 1e10], "loss": [3.0, 2.5]})
    frame.loc[1, column] = value
    with pytest.raises(RunsError, match=f"column '{column}', row 1"):
        check_runs(frame)


# -- the same tables through a fit


STATUSES = {"identified", "at_bound", "weak", "not_identified", "not_converged"}
FITS = settings(SETTINGS, max_examples=60)


def constants(fit):
    return np.array(list(fit.candidate.constants.values()), dtype=float)


@pytest.mark.slow
@FITS
@given(tables())
def test_a_fit_refuses_or_says_how_far_to_trust_it(frame):
    before = frame.copy(deep=True)
    result = outcome(fit_parametric, frame)
    pd.testing.assert_frame_equal(frame, before)
    if not isinstance(result, Fit):
        assert len(str(result)) > 20
        return
    assert result.status in STATUSES
    assert np.isfinite(constants(result)).all()
    assert np.isfinite(result.value)
    if len(result.runs.drop_duplicates(["params", "tokens"])) < 5:
        assert result.status == "not_identified"
        assert isinstance(outcome(lambda: result.law), RunsError)


@pytest.mark.slow
@FITS
@given(
    st.integers(8, 30),
    st.integers(0, 2**16),
    st.floats(0.2, 0.6),
    st.floats(0.2, 0.6),
    st.sampled_from([1.0, 3.0, 30.0]),
)
def test_an_identified_fit_of_exact_runs_is_the_law(n, seed, alpha, beta, spread):
    """Random designs, from six-fold to very wide, some nearly collinear: what is called identified is right."""
    law = ChinchillaLaw(E=1.7, A=0.5 * 1e9**alpha, B=0.5 * 2e10**beta, alpha=alpha, beta=beta)
    rng = np.random.default_rng(seed)
    params, ratio = 1e9 * np.exp(rng.uniform(-3, 3, n)), 20 * np.exp(np.log(spread) * rng.uniform(-1, 1, n))
    runs = pd.DataFrame({"params": params, "tokens": ratio * params})
    fit = outcome(fit_parametric, runs.assign(loss=law.loss(runs["params"], runs["tokens"])))
    assert isinstance(fit, Fit)
    if fit.status == "identified":
        np.testing.assert_allclose(constants(fit), list(law.constants.values()), rtol=1e-3)
    if spread == 1.0:
        assert fit.status != "identified"  # tokens in step with parameters: two terms that cannot be told apart


@pytest.mark.parametrize("name", ["params", "Params", "loss", "my_steps"])
def test_complex_numbers_are_no_quantities(name):
    """Refused in words where they are needed, and left alone where they are not."""
    frame = pd.DataFrame({"params": [1e8, 1e9, 3e9], "tokens": [1e9, 1e10, 3e10], "loss": [3.0, 2.5, 2.3]})
    frame = frame.rename(columns={"params": name} if name == "Params" else {})
    frame[name] = np.array([1j, 2.0, 3.0])
    if name == "my_steps":
        assert len(check_runs(frame)) == 3
    else:
        with pytest.raises(RunsError, match="not a number|is missing"):
            check_runs(frame)

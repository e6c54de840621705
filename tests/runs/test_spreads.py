"""Of a mean and its spread the mean is the loss; a spread is never taken for one, and never proposed."""

import numpy as np
import pytest

import scaling

LAW = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
RUNS = scaling.simulate_runs(LAW, scaling.simulate.grid_design([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]), noise=0.002)
SPREADS = ["std", "stddev", "stderr", "sem", "var", "min", "max", "count", "n", "ci", "ci_low", "low", "high"]


def table(**columns):
    return RUNS[["params", "tokens"]].assign(**columns)


@pytest.mark.parametrize(
    "mean", ["loss_mean", "mean_loss", "val_loss_mean", "eval/loss_mean", "loss.avg", "Final loss average"]
)
@pytest.mark.parametrize("spread", ["loss_std", "std_loss"])
@pytest.mark.parametrize("first", [True, False])
def test_a_mean_is_taken_beside_its_spread(mean, spread, first):
    columns = {mean: RUNS["loss"], spread: 0.01}
    runs = table(**(columns if first else dict(reversed(columns.items()))))
    assert np.allclose(scaling.load_runs(runs)["loss"], RUNS["loss"])


#: but for "loss (min)", which is the least of a curve
HEADERS = [header.format(spread) for header in ("loss_{}", "val_loss_{}", "eval/loss_{}") for spread in SPREADS]


@pytest.mark.parametrize("name", [*HEADERS, *(f"loss ({spread})" for spread in SPREADS if spread != "min")])
def test_a_spread_is_neither_taken_nor_proposed(name):
    with pytest.raises(scaling.RunsError) as error:
        scaling.load_runs(table(**{name: RUNS["loss"]}))
    assert "no column is recognised as 'loss'" in str(error.value)
    assert f"{name!r} looks like it" not in str(error.value)
    taken = scaling.load_runs(table(**{name: 0.01, "loss_mean": RUNS["loss"]}))
    assert np.allclose(taken["loss"], RUNS["loss"])


@pytest.mark.parametrize("name", ["loss_std", "loss_stderr", "loss_var", "loss_count"])
def test_a_spread_named_by_hand_is_refused(name):
    with pytest.raises(scaling.RunsError, match="says how far losses spread, or of how many: name the loss itself"):
        scaling.load_runs(table(**{name: 0.01}), columns={"loss": name})


def test_the_least_of_several_may_be_named_by_hand():
    found = scaling.load_runs(table(loss_min=RUNS["loss"], loss_max=3.0), columns={"loss": "loss_min"})
    assert np.allclose(found["loss"], RUNS["loss"])


@pytest.mark.parametrize("header", ["token_count", "param count", "n_params", "min_loss", "bestLoss"])
def test_counts_and_best_losses_are_still_known(header):
    assert scaling.runs.reading.units.read_header(header) is not None

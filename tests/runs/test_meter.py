"""The count of compute of a table: 6 N D, a multiple, powers, a ratio that levels off, or none."""

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.runs import Meter, check_runs, find_meter, load_runs

SIZES = np.geomspace(5e7, 3.2e9, 7)
N, BUDGET = (each.ravel() for each in np.meshgrid(SIZES, np.geomspace(1e18, 1e20, 5)))
WIDTH = np.cbrt(N / 12 * 128)


def runs_of(rate, noise=0.0):
    """Runs that cost ``rate`` times the tokens."""
    tokens = np.round(BUDGET / rate)
    return pd.DataFrame(
        {
            "params": N,
            "tokens": tokens,
            "flops": rate * tokens * np.exp(np.random.default_rng(0).normal(0, noise, len(N))),
            "loss": 1.7 + 400 / N**0.34 + 1000 / tokens**0.34,
        }
    )


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        ("multiple", 2 * N),
        ("multiple", 6 * 196 * N),
        ("multiple", 6 * N / 8.64e16),
        ("power", 60 * N**0.9),
        ("sizes", 6 * N * (1 + 2048 / (6 * WIDTH))),
        ("sizes", 6 * (N - 50_000 * WIDTH)),
        ("sizes", 6 * (N - 50_000 * WIDTH) + 2048 * N / WIDTH),
    ],
)
def test_a_count_is_found_and_holds_beyond_the_runs(kind, rate):
    found = find_meter(runs_of(rate))
    assert found.kind == kind
    assert found.spread < 1e-6
    np.testing.assert_allclose(found.flops(N, 2e9), rate * 2e9, rtol=1e-6)
    np.testing.assert_allclose(found.tokens_for(1e21, N), 1e21 / rate, rtol=1e-6)
    p, q = found.powers(N)
    step = 1e-5
    ratio = found.flops(N * np.exp(step), 1e9) / found.flops(N * np.exp(-step), 1e9)
    np.testing.assert_allclose(p, np.log(ratio) / (2 * step), rtol=1e-6)
    assert q == 1.0
    upper, lower = (found.powers(N * np.exp(end))[0] for end in (step, -step))
    np.testing.assert_allclose(found.bend(N), np.log(upper / lower) / (2 * step), atol=1e-6)


def test_powers_of_size_and_tokens_are_told_apart():
    rate = 3.0 * N**1.1
    tokens = (BUDGET / rate) ** (1 / 0.9)
    found = find_meter(pd.DataFrame({"params": N, "tokens": tokens, "flops": rate * tokens**0.9}))
    assert (found.params, found.tokens) == pytest.approx((1.1, 0.9))
    assert found.equation.startswith("3 N^1.1 D^0.9")


def test_six_n_d_is_told_in_spite_of_rounding_noise_and_slips():
    assert find_meter(runs_of(6 * N)) == Meter()
    assert find_meter(runs_of(6 * N, noise=0.02)).kind == "6ND"
    spoilt = runs_of(6 * N)
    spoilt.loc[[3, 9], "flops"] *= [1000, 3]
    assert find_meter(spoilt).kind == "6ND"


def test_what_is_no_function_of_size_and_tokens_is_said_and_counted_as_six_n_d():
    found = find_meter(runs_of(6 * N, noise=0.4))
    assert found.kind == "unknown"
    assert "no other function of params and tokens" in found.words
    np.testing.assert_array_equal(found.flops(N, 1e9), 6 * N * 1e9)


def test_a_noisy_multiple_keeps_no_trend():
    assert find_meter(runs_of(7.2 * N, noise=0.01)).kind == "multiple"


def test_budgets_lend_their_count_to_flops_and_other_counts_are_offered():
    table = runs_of(6.9 * (N - 30_000 * WIDTH)).rename(columns={"flops": "budget"})
    table["params_body"], table["params_head"] = (N - 50_000 * WIDTH).round(), (20_000 * WIDTH).round()
    runs = load_runs(table)
    np.testing.assert_allclose(runs["flops"], table["budget"], rtol=1e-4)
    words = " / ".join(runs.attrs["notes"])
    assert "budget is not 6·params·tokens" in words
    assert "'params_body', 'params_head': --column params=COLUMN" in words
    assert "1.15 times 6·('params_body' + 'params_head')·tokens" in words
    pd.testing.assert_frame_equal(check_runs(runs), runs)


def test_flops_that_stand_there_are_kept():
    table = runs_of(2 * N)
    pd.testing.assert_series_equal(check_runs(table)["flops"], table["flops"])


def test_an_optimum_far_below_the_sizes_seen_is_a_number():
    """Where a count that falls with the size has fallen to nothing, its powers stay finite, and so does the optimum."""
    meter = Meter("sizes", coefficient=5.1346, square=642.6, linear=-56150.0)
    law = scaling.ChinchillaLaw(E=2.0, A=0.42, B=455.0, alpha=np.array([0.01, 0.3]), beta=0.27)
    best = scaling.compute_optimal(law, 1e21, meter=meter)
    assert np.isfinite(best.params).all()
    np.testing.assert_allclose(meter.flops(best.params, best.tokens), 1e21, rtol=1e-9)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda meter: meter.flops(-1, 1), "params must be positive, got -1"),
        (lambda meter: meter.flops([1, 1], [1, 0]), "tokens must be positive, got 0"),
        (lambda meter: meter.tokens_for(-1, 1), "flops must be positive, got -1"),
        (lambda meter: meter.ratio(1, -1), "tokens must be positive, got -1"),
        (lambda meter: meter.powers(-1), "params must be positive, got -1"),
        (lambda meter: meter.bend(-1), "params must be positive, got -1"),
    ],
)
@pytest.mark.parametrize("kind", ["6ND", "sizes"])
def test_what_is_not_positive_is_not_counted(kind, ask, words):
    with pytest.raises(ValueError, match=words):
        ask(Meter(kind, square=0.1))


def test_what_is_not_known_stays_unknown():
    assert np.isnan(Meter().flops(np.nan, 1e9))

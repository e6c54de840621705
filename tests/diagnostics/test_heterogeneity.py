"""Random-effects summaries: a published example to its last digit, limits by hand, and intervals that cover."""

import numpy as np
import pandas as pd
import pytest

from scaling.diagnostics import combine, explain, standard_errors

# Colditz et al. 1994, trials of the BCG vaccine: tuberculosis and none among the vaccinated, the same among the
# others, and the latitude; printed in the read-me of R's package metafor (Viechtbauer 2010), with what it makes of them
TRIALS = np.array(
    [
        [4, 119, 11, 128, 44],
        [6, 300, 29, 274, 55],
        [3, 228, 11, 209, 42],
        [62, 13536, 248, 12619, 52],
        [33, 5036, 47, 5761, 13],
        [180, 1361, 372, 1079, 44],
        [8, 2537, 10, 619, 19],
        [505, 87886, 499, 87892, 13],
        [29, 7470, 45, 7232, 27],
        [17, 1699, 65, 1600, 42],
        [186, 50448, 141, 27197, 18],
        [5, 2493, 3, 2338, 33],
        [27, 16886, 29, 17825, 33],
    ]
)


@pytest.fixture(scope="module")
def trials():
    """Log risk ratios, their standard errors, and latitudes."""
    ill, well, ill_0, well_0, latitude = TRIALS.T
    risk, risk_0 = ill / (ill + well), ill_0 / (ill_0 + well_0)
    variance = 1 / ill - 1 / (ill + well) + 1 / ill_0 - 1 / (ill_0 + well_0)
    return np.log(risk / risk_0), np.sqrt(variance), latitude


class TestPublishedExample:
    """metafor's read-me: ``rma(yi, vi, test="knha")``, without and with ``mods = ~ ablat``; its ``confint``."""

    def test_summary(self, trials):
        found = combine(*trials[:2])
        assert [found.mean, found.low, found.high] == pytest.approx([-0.7145, -1.1084, -0.3206], abs=5e-5)
        assert [found.tau**2, found.tau] == pytest.approx([0.3132, 0.5597], abs=5e-5)
        assert abs(found.Q - 152.2330) < 5e-5
        assert abs(found.I2 - 0.922214) < 5e-7
        assert np.exp(found.prediction) == pytest.approx([0.14, 1.76], abs=5e-3)

    def test_interval_of_tau(self, trials):
        found = combine(*trials[:2])
        assert [found.tau_low, found.tau_high] == pytest.approx([0.3460, 1.0543], abs=5e-5)

    def test_regression_on_latitude(self, trials):
        y, s, latitude = trials
        found = explain(y, s, {"latitude": latitude})
        assert found.tau**2 == pytest.approx(0.0764, abs=6e-5)  # they stop at steps of 1e-5
        assert abs(found.Q - 30.7331) < 5e-5
        assert abs(found.F - 12.5905) < 1e-3
        assert [found.p, found.p_moderators] == pytest.approx([0.0012, 0.0046], abs=5e-5)
        assert abs(found.R2 - 0.7562) < 1e-4
        table = found.coefficients
        assert list(table["estimate"]) == pytest.approx([0.2515, -0.0291], abs=5e-5)
        assert list(table["error"]) == pytest.approx([0.2839, 0.0082], abs=5e-5)
        assert list(table["low"]) == pytest.approx([-0.3735, -0.0472], abs=1e-4)
        assert list(table["high"]) == pytest.approx([0.8764, -0.0111], abs=1e-4)


def test_equal_errors_give_the_plain_mean():
    """With equal errors REML is the sample variance less the noise, the interval Student's of the sample."""
    y, s = np.array([0.40, 0.46, 0.55, 0.61]), 0.01
    found = combine(y, np.full(4, s))
    assert found.mean == pytest.approx(y.mean())
    assert found.tau**2 == pytest.approx(y.var(ddof=1) - s**2)
    assert found.high - found.mean == pytest.approx(3.182446 * y.std(ddof=1) / 2, rel=1e-6)


def test_sources_that_agree_have_no_tau_and_an_interval_not_below_their_noise():
    found = combine([0.500, 0.501, 0.499, 0.500], [0.02] * 4)
    assert (found.tau, found.I2) == (0.0, 0.0)
    assert found.high - found.mean == pytest.approx(3.182446 * 0.01, rel=1e-6)


def test_a_source_counts_once():
    """Three readings of one figure are one source, as sure as a typical one of them."""
    y, s = [0.50, 0.52, 0.54, 0.40, 0.45], [0.02, 0.03, 0.01, 0.02, 0.02]
    found = combine(y, s, groups=["figure", "figure", "figure", "b", "c"])
    by_hand = combine([0.52, 0.40, 0.45], [0.02, 0.02, 0.02])
    assert list(found.estimates.index) == ["figure", "b", "c"]
    assert [found.mean, found.tau, found.Q] == pytest.approx([by_hand.mean, by_hand.tau, by_hand.Q])


def test_leaving_out_the_odd_one_removes_the_scatter():
    y = pd.Series([0.50, 0.51, 0.49, 0.50, 0.70], index=list("abcde"))
    without = combine(y, [0.02] * 5).leave_one_out()
    assert without["tau"].idxmin() == "e"
    assert without.loc["e", "tau"] == 0


def test_standard_errors_of_intervals():
    assert standard_errors([0.4], [0.6]) == pytest.approx([0.1 / 1.959964], rel=1e-6)
    assert standard_errors([0.4], [0.6], level=0.8) == pytest.approx([0.1 / 1.281552], rel=1e-6)


def test_a_moderator_that_tells_all():
    tuned = np.array([0, 1, 0, 1, 0, 1])
    found = explain(0.4 + 0.2 * tuned, [0.01] * 6, {"tuned": tuned})
    assert found.R2 == 1
    assert found.coefficients.loc["tuned", "estimate"] == pytest.approx(0.2)


def test_moderators_may_be_true_or_false_and_groups_have_any_name():
    y, s = [0.45, 0.52, 0.49, 0.60], [0.02] * 4
    flags, numbers = (explain(y, s, {"tuned": each}) for each in ([False, True, False, True], [0, 1, 0, 1]))
    assert flags.p_moderators == numbers.p_moderators
    named = combine(y, s, groups=["estimate", "error", "estimate", "weight"])
    assert list(named.estimates.index) == ["estimate", "error", "weight"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: combine([0.5, 0.6], [0.1, 0.1]), "2 sources cannot tell"),
        (lambda: combine([0.5, 0.6, 0.7], [0.1, 0.1, 0.1], groups="aab"), "2 sources cannot tell"),
        (lambda: combine([0.5, np.nan, 0.7], [0.1] * 3), "estimates must be finite, got nan"),
        (lambda: combine([0.5, 0.6, 0.7], [0.1, 0.0, 0.1]), "errors must be positive and finite, got 0"),
        (lambda: combine([0.5, 0.6, 0.7], [0.1, 0.1]), "shapes"),
        (lambda: combine([0.5, 0.6, 0.7], [0.1] * 3, level=95), "level must lie between 0 and 1"),
        (lambda: explain([0.5, 0.6, 0.7, 0.8], [0.1] * 4, {"x": [1, 1, 1, 1]}), "do not differ"),
        (lambda: explain([0.5, 0.6, 0.7], [0.1] * 3, {"x": [1, 2, 3], "y": [1, 0, 0]}), "too many"),
        (lambda: explain([0.5, 0.6, 0.7, 0.8], [0.1] * 4, {}), "moderators must name at least one"),
        (lambda: explain([0.5, 0.6, 0.7, 0.8], [0.1] * 4, {"x": [1, 2]}), "moderator x must be one number a source, 4"),
        (lambda: explain([0.5, 0.6, 0.7, 0.8], [0.1] * 4, {"x": [1, 2, 0, np.nan]}), "moderator x must be finite"),
        (lambda: combine([0.5, 0.52, 0.49], [0.02] * 3, groups=["a", "b"]), "each of the 3 estimates, got 2 names"),
        (lambda: combine([0.5, 0.52, 0.49], [0.02] * 3, groups=["a", "b", None]), "got a missing name"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.slow
@pytest.mark.parametrize("tau", [0.0, 0.05])
def test_intervals_cover(tau):
    """Twelve sources whose errors differ tenfold, as those of sets of runs do: 95 % intervals, 1,000 tables.

    The Monte-Carlo error of a coverage of .95 is .007, of one of .91 .009; three of them are allowed.
    """
    rng, tables = np.random.default_rng(0), 1_000
    errors = np.geomspace(0.01, 0.1, 12)
    truths = 0.5 + tau * rng.standard_normal((tables, 13))
    y = truths[:, :12] + errors * rng.standard_normal((tables, 12))
    found = [combine(each, errors) for each in y]
    mean = np.mean([each.low <= 0.5 <= each.high for each in found])
    scatter = np.mean([each.tau_low <= tau <= each.tau_high for each in found])
    following = np.mean([a.prediction[0] <= b <= a.prediction[1] for a, b in zip(found, truths[:, 12], strict=True)])
    assert min(mean, scatter) > 0.95 - 3 * 0.007
    if tau:
        assert max(mean, scatter) < 0.95 + 3 * 0.007
        assert abs(following - 0.91) < 3 * 0.009  # as the docstring says
    else:
        assert following > 0.95


def test_ends_that_are_exchanged_and_sources_of_another_order_are_refused():
    with pytest.raises(ValueError, match="high is below low"):
        standard_errors([0.4, 0.6], [0.6, 0.4])
    y = pd.Series([0.5, 0.52, 0.48])
    with pytest.raises(ValueError, match="estimates and errors have the same labels in another order"):
        combine(y, pd.Series([0.01, 0.02, 0.03])[::-1])


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 12])
def test_one_exact_source_among_vague_ones_does_not_decide_alone(k):
    """Its own truth is taken for the mean where chance makes tau small: 71 and 74 of 100 tables held the mean."""
    rng, errors = np.random.default_rng(0), np.r_[0.05, np.ones(k - 1)]
    held = []
    for _ in range(150):
        found = combine(1 + 0.5 * rng.standard_normal(k) + errors * rng.standard_normal(k), errors)
        one = 1 + 0.5 * rng.standard_normal()
        held.append((found.low <= 1 <= found.high, found.prediction[0] <= one <= found.prediction[1]))
    assert (np.mean(held, axis=0) > 0.88).all()  # of 95 % so few come once in 2,000 such tests


def test_sources_of_which_none_decides_have_the_interval_of_hartung_and_knapp():
    y, s = np.array([0.45, 0.52, 0.49, 0.60]), np.array([0.02, 0.02, 0.03, 0.02])
    found = combine(y, s)
    w = 1 / (s**2 + found.tau**2)
    q = max(1.0, (w * (y - found.mean) ** 2).sum() / 3)
    assert found.high - found.mean == pytest.approx(3.182446 * np.sqrt(q / w.sum()), rel=1e-6)

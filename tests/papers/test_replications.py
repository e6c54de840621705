"""The optima behind the replications, to the last certified digit and by two other roads."""

import numpy as np
import pytest
from scipy import optimize, stats

import scaling
from scaling.fit.engine.problem import Objective, Problem
from scaling.papers import besiroglu2024, claims, sardana2024

needs_digitised = pytest.mark.skipif(
    not scaling.sources.is_available("besiroglu2024"), reason="the runs of besiroglu2024 are not here"
)
needs_sardana = pytest.mark.skipif(
    not scaling.sources.is_available("sardana2024"), reason="the runs of sardana2024 are not here"
)
#: the least Huber sum on the 240 runs (delta = 1e-3), certified digits
HUBER = {"E": 1.8172181, "A": 477.82587, "B": 2143.4174, "alpha": 0.34731050, "beta": 0.36717243}
#: the least sum of absolute log-residuals on the same runs, and on all 245
ABSOLUTE = {"E": 1.81686413, "A": 482.006055, "B": 2085.43625, "alpha": 0.34781307, "beta": 0.36585416}
ABSOLUTE_245 = {"E": 1.88537680, "A": 463.284581, "B": 12529.5031, "alpha": 0.34535662, "beta": 0.45189207}


def huber_sum(x, runs, delta=1e-3):
    """The objective in (ln A, ln B, ln E, alpha, beta), and its gradient, written out from the paper's equation 3."""
    log_n, log_d, log_l = (np.log(runs[name].to_numpy()) for name in ("params", "tokens", "loss"))
    a, b, e, alpha, beta = x
    terms = np.exp([a - alpha * log_n, b - beta * log_d, np.full(len(runs), e)])
    r = np.log(terms.sum(0)) - log_l
    pull = np.clip(r, -delta, delta) * terms / terms.sum(0)
    slope = np.array([*pull.sum(1), -(pull[0] * log_n).sum(), -(pull[1] * log_d).sum()])
    clipped = np.clip(r, -delta, delta)
    return float((clipped * (r - clipped / 2)).sum()), slope


def packed(law):
    return np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])


def unpacked(x):
    return dict(zip(("A", "B", "E", "alpha", "beta"), [*np.exp(x[:3]), *x[3:]], strict=True))


@needs_digitised
class TestHuberOptimum:
    def test_certified_digits(self):
        fit = scaling.fit_parametric(besiroglu2024.fitted_runs())
        assert fit.status == "identified"
        assert fit.law.constants == pytest.approx(HUBER, rel=5e-8)
        assert fit.value == pytest.approx(0.0010182740178, rel=1e-10)

    def test_another_set_of_starts(self):
        """From a coarse grid of exponents, none of which is on the estimator's own."""
        runs = besiroglu2024.fitted_runs()
        variables = tuple(runs[name].to_numpy() for name in ("params", "tokens"))
        problem = Problem.build(runs["loss"].to_numpy(), variables, ("E", "A", "B", "alpha", "beta"))
        grid = np.array([0.07, 0.13, 0.27, 0.55, 1.1])
        best, values = problem.fresh(np.ones((1, problem.n_runs)), Objective(), 9, grid)
        assert (values[0] < 0.0010182740178 * (1 + 1e-9)).sum() >= 2
        found = {name: float(value[0]) for name, value in problem.constants(best.theta).items()}
        assert found == pytest.approx(HUBER, rel=5e-8)

    @pytest.mark.parametrize("name", ["hoffmann2022", "hoffmann2022_rounded"])
    def test_scipys_bfgs_on_a_million_times_the_objective(self, name):
        runs = besiroglu2024.fitted_runs()
        start = packed(scaling.ChinchillaLaw.from_published(name))
        nudges = 1e-5 * np.eye(5)
        slope = [(huber_sum(start + d, runs)[0] - huber_sum(start - d, runs)[0]) / 2e-5 for d in nudges]
        assert huber_sum(start, runs)[1] == pytest.approx(np.array(slope), rel=1e-3)
        found = optimize.minimize(
            lambda x: tuple(1e6 * v for v in huber_sum(x, runs)), start, jac=True, method="BFGS", options={"gtol": 1e-9}
        )
        assert found.fun / 1e6 == pytest.approx(besiroglu2024.fit().value, abs=1e-14)
        assert unpacked(found.x) == pytest.approx(HUBER, rel=1e-6)

    def test_objective_at_published_constants(self):
        runs = besiroglu2024.fitted_runs()
        values = {"besiroglu2024": 0.00102284, "hoffmann2022": 0.00123116, "hoffmann2022_rounded": 0.00412101}
        for name, value in values.items():
            law = scaling.ChinchillaLaw.from_published(name)
            assert huber_sum(packed(law), runs)[0] == pytest.approx(value, abs=5e-9)

    def test_the_five_runs_left_out(self):
        everything, fitted = besiroglu2024.all_runs(), besiroglu2024.fitted_runs()
        out = everything.drop(fitted.index)
        ratio = everything["tokens"] / everything["params"]
        assert out.index.tolist() == ratio.nsmallest(5).index.sort_values().tolist() == [0, 1, 2, 3, 4]
        assert ratio[out.index].max() == pytest.approx(0.4045, abs=1e-4)
        assert ratio[fitted.index].min() > 0.456


@needs_digitised
class TestLeastAbsolute:
    @pytest.mark.parametrize(
        ("every_run", "constants", "value"),
        [(False, ABSOLUTE, 1.129494653622), (True, ABSOLUTE_245, 1.939915542007)],
        ids=["240 runs", "245 runs"],
    )
    def test_certified_digits(self, every_run, constants, value):
        fit = besiroglu2024.fit("log_absolute", every_run)
        assert fit.status == "identified"
        assert fit.law.constants == pytest.approx(constants, rel=2e-8)
        assert fit.value == pytest.approx(value, rel=1e-11)
        assert (np.abs(fit.residuals) < 1e-10).sum() == 5

    def test_the_likelihood_is_that_of_a_laplace_distribution(self):
        """Its threshold, counted in units of the scale, leaves no residual in the quadratic part."""
        r = besiroglu2024.fit("log_absolute").residuals
        value, scale = besiroglu2024.log_likelihood(r)
        width = np.abs(r).mean()
        assert 1e-3 * scale == pytest.approx(4.7e-9, rel=0.01)
        assert value == pytest.approx(stats.laplace(scale=width).logpdf(r).sum(), abs=2e-3)

    def test_likelihood_integrates_to_one(self):
        """The density at any residual: one residual, its best scale."""
        r = np.linspace(-40, 40, 800_001)
        scale = 0.3

        def density(x, delta):
            z = np.abs(x) / scale
            c = np.minimum(z, delta)
            norm = np.sqrt(2 * np.pi) * (2 * stats.norm.cdf(delta) - 1) + 2 * np.exp(-(delta**2) / 2) / delta
            return np.exp(-c * (z - c / 2)) / norm / scale

        assert np.trapezoid(density(r, 0.5), r) == pytest.approx(1, abs=1e-6)


@needs_digitised
def test_the_authors_resamples_are_solved_and_drawn_as_they_drew_them():
    boot = besiroglu2024.authors_bootstrap()
    assert (len(boot.samples), boot.unconverged) == (4000, 0.0)
    legacy = np.random.RandomState(42)
    rows = besiroglu2024.fitted_runs().index.to_numpy()
    first = legacy.choice(rows, size=len(rows), replace=True)
    drawn = besiroglu2024.all_runs().drop(columns="run").loc[first]  # a run drawn twice counts twice
    alone = scaling.fit_parametric(drawn).law.constants
    assert alone == pytest.approx(boot.samples.iloc[0].to_dict(), rel=1e-6)


@needs_digitised
def test_what_the_authors_optimiser_left_undone_is_small():
    """The reasons on the scorecard: each difference is within what is said of it, and beyond the printed digits."""
    for place, (_, share) in besiroglu2024.UNFINISHED.items():
        (claim,) = (each for each in claims(f"besiroglu2024/{place}") if "@" not in each.id)
        missed = abs(claim.ours / float(claim.published) - 1)
        assert claim.published.rounding < missed < share, place


@needs_digitised
def test_tolerances_of_other_draws_are_three_monte_carlo_errors_of_the_difference():
    """Of a standard deviation by its kurtosis, of a width by the densities at its two ends."""
    law = besiroglu2024.our_bootstrap().law
    n = len(law.a)
    for quantity in (*besiroglu2024.CONSTANTS, "a"):
        kurtosis = stats.kurtosis(getattr(law, quantity), fisher=False)
        error = 3 * np.sqrt(2) * np.sqrt((kurtosis - 1) / (4 * n))
        assert besiroglu2024.MONTE_CARLO[quantity] == pytest.approx(error, rel=0.05), quantity
    low, high = np.quantile(law.a, [0.1, 0.9])
    density = stats.gaussian_kde(law.a)([low, high])
    variance = (0.09 / density**2).sum() - 2 * 0.01 / density.prod()  # q(1-q)/f^2 each, and their covariance
    error = 3 * np.sqrt(2 * variance / n) / (high - low)
    assert besiroglu2024.MONTE_CARLO["width"] == pytest.approx(error, rel=0.05)


@needs_sardana
@pytest.mark.parametrize(
    ("cut", "runs", "value"),
    [("100", 34, 0.00021921), ("250", 39, 0.00030667), ("500", 43, 0.00039180), ("all", 47, 0.00061998)],
)
def test_sardana_cut_offs(cut, runs, value):
    fit = sardana2024.fit(cut)
    assert (len(fit.runs), fit.status) == (runs, "weak")  # their size at ten times the compute is anybody's guess
    assert fit.value == pytest.approx(value, abs=5e-9)


@needs_sardana
@pytest.mark.parametrize("cut", sardana2024.CUTS)
def test_how_far_sardanas_constants_lie_above_the_minimum(cut):
    """The reason on the scorecard: the printed A, B and E with the best exponents (the printed are too coarse)."""
    fit = sardana2024.fit(cut)
    printed = {q: float(scaling.published(f"sardana2024/table1/{cut}/{q}")) for q in ("A", "B", "E", "alpha", "beta")}
    fixed = np.log([printed["A"], printed["B"], printed["E"]])
    best = optimize.minimize(
        lambda x: 1e6 * huber_sum(np.r_[fixed, x], fit.runs)[0],
        [fit.law.alpha, fit.law.beta],
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000},
    )
    millionths = (best.fun / 1e6 / fit.value - 1) * 1e6
    assert 0 < millionths < 200
    assert not sardana2024.ABOVE[cut] or f"{millionths:.0f} millionths" == sardana2024.ABOVE[cut]

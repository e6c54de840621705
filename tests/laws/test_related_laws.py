"""Related laws: identities, limits, known numbers, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from scaling import ChinchillaLaw, FitError, PowerLaw, compute_optimal, published
from scaling.errors import FitErrorKind
from scaling.fit import fit_broken_power_law, fit_overtraining
from scaling.laws import BrokenPowerLaw, DownstreamLaw, OvertrainingLaw, PrecisionLaw, PruningSchedule, ShapeLaw
from scaling.papers import bian2025, gadre2024, jin2025, stanic2023, yao2023
from scaling.sources import published_table

# ------------------------------------------------------------------ precision

PRECISION = PrecisionLaw.from_published()
BARE = PRECISION.without_offsets()


def test_best_bits_with_and_without_the_offsets():
    """Kumar et al. 2024: seven to eight bits need the offsets of Table 2."""
    assert PRECISION.optimal_bits() == pytest.approx(7.00, abs=0.005)
    assert BARE.optimal_bits() == pytest.approx(3.47, abs=0.005)
    mean = (BARE.gamma_w + BARE.gamma_a + BARE.gamma_kv) / 3
    one = PrecisionLaw(BARE.base, mean, mean, mean, 0.06, 0.5, 0.3, 0.6)
    assert one.optimal_bits() == pytest.approx(3.71, abs=0.005)
    assert one.optimal_bits() == pytest.approx(1.9038 * mean, rel=1e-4)


@pytest.mark.parametrize("law", [PRECISION, BARE])
def test_best_bits_minimise_the_cost_of_an_effective_parameter(law):
    found = minimize_scalar(lambda p: p / law.share(p), bounds=(1.05 * law.least_bits + 0.1, 16), method="bounded")
    assert law.optimal_bits() == pytest.approx(found.x, rel=1e-5)


@pytest.mark.parametrize("flops", [1e20, 1e22, 1e24])
def test_best_bits_do_not_depend_on_the_budget(flops):
    """By brute force over bits and sizes, with C = 6/16 N D P."""

    def best_loss(bits):
        params = np.geomspace(1e6, 1e13, 20001)
        return PRECISION.loss(params, 16 * flops / (6 * params * bits), bits).min()

    bits = np.linspace(6, 8, 41)
    assert bits[np.argmin([best_loss(p) for p in bits])] == pytest.approx(7.0, abs=0.051)


@pytest.mark.parametrize(("bits", "share"), [(4, 0.191), (6, 0.611), (8, 0.828), (12, 0.967), (16, 0.994)])
def test_shares_with_offsets(bits, share):
    assert PRECISION.share(bits) == pytest.approx(share, abs=5e-4)


def test_shares_without_offsets_and_by_part():
    assert BARE.share([4, 8]) == pytest.approx([0.639, 0.924], abs=5e-4)
    parts = PRECISION.part_shares(4.0)
    assert [parts[x] for x in ("w", "a", "kv")] == pytest.approx([0.696, 0.331, 0.828], abs=5e-4)
    assert parts["w"] * parts["a"] * parts["kv"] == pytest.approx(PRECISION.share(4.0), rel=1e-12)
    assert PRECISION.share(4.0, np.inf, np.inf) == pytest.approx(parts["w"], rel=1e-12)


def test_at_infinite_precision_it_is_the_base_law():
    assert PRECISION.loss(1e8, 1e10) == PRECISION.base.loss(1e8, 1e10)
    assert PRECISION.loss(1e8, 1e10, 8.0) == PRECISION.base.loss(1e8 * PRECISION.share(8.0), 1e10)


def test_tokens_per_parameter_at_full_precision_are_eighteen_at_every_budget():
    best = compute_optimal(PRECISION.base, [1e20, 1e24])
    assert best.tokens_per_param == pytest.approx([18.01, 18.01], abs=0.005)


@pytest.mark.parametrize(
    ("params", "tokens"),
    [
        (30e6, (1.64e10, 8.86e10, 4.79e11)),
        (220e6, (3.24e10, 1.75e11, 9.48e11)),
        (8e9, (1.11e11, 6.01e11, 3.25e12)),
    ],
)
def test_critical_tokens(params, tokens):
    assert PRECISION.critical_tokens(params, [3, 4, 5]) == pytest.approx(tokens, rel=4e-3)


def test_critical_tokens_are_the_minimum_of_the_quantised_loss():
    tokens = np.geomspace(1e9, 1e13, 40001)
    total = PRECISION.base.loss(1e8, tokens) + PRECISION.quantisation_loss(1e8, tokens, 4.0)
    assert tokens[total.argmin()] == pytest.approx(PRECISION.critical_tokens(1e8, 4.0), rel=5e-4)


def test_loss_added_by_quantising():
    assert PRECISION.quantisation_loss([30e6, 220e6], 26e9, 3) == pytest.approx([0.190, 0.0956], rel=3e-3)


def test_precision_refuses():
    with pytest.raises(ValueError, match=r"bits of a must exceed 3\.11.*got 3"):
        PRECISION.share(3.0)
    with pytest.raises(ValueError, match="bits must be positive, got -1"):
        BARE.share(-1.0)
    with pytest.raises(ValueError, match="gamma_w must be positive, got 0"):
        PrecisionLaw(BARE.base, 0.0, 1, 1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="n_a must be at least 0, got -1"):
        PrecisionLaw(BARE.base, 1, 1, 1, 1, 1, 1, 1, n_a=-1.0)
    with pytest.raises(ValueError, match="known: kumar2024"):
        PrecisionLaw.from_published("kumar2023")


# ------------------------------------------------------------------ over-training


@pytest.mark.parametrize(
    ("name", "best_ratio", "size"), [("c4", 3.36, 113.7), ("redpajama", 7.42, 166.2), ("refinedweb", 5.85, 125.1)]
)
def test_best_ratio_and_coefficients(name, best_ratio, size):
    """Gadre et al. 2024: a = A 6^eta, with A as the authors' script has it."""
    law = OvertrainingLaw.from_published(name)
    assert law.best_ratio == pytest.approx(best_ratio, abs=0.01)
    np.testing.assert_allclose(law.chinchilla.A, size, atol=0.05)
    assert float(published(f"gadre2024/{name}/A")) == size


def test_it_is_the_parametric_loss_in_other_letters():
    law = OvertrainingLaw.from_published()
    params, ratio = np.geomspace(1e7, 1e11, 5)[:, None], np.geomspace(1, 1000, 7)
    np.testing.assert_allclose(
        law.loss(params, ratio * params), law.chinchilla.loss(params, ratio * params), rtol=1e-12
    )
    best = compute_optimal(law.chinchilla, [1e20, 1e24])
    np.testing.assert_allclose(best.tokens_per_param, law.best_ratio, rtol=1e-12)


def test_refit_of_the_five_runs_and_its_predictions():
    law, large = gadre2024.refit(), gadre2024.runs().loc[list(gadre2024.PREDICTED)]
    assert [law.E, law.a, law.b, law.eta] == pytest.approx([1.837, 212.2, 366.7, 0.1364], rel=5e-4)
    predicted = law.loss(large["params"], large["tokens"])
    assert predicted.tolist() == pytest.approx([2.5198, 2.4427], abs=5e-5)
    assert (100 * (predicted / large["loss"] - 1)).tolist() == pytest.approx([0.71, 0.73], abs=0.005)
    errors = DownstreamLaw.from_published().error(predicted)
    assert errors == pytest.approx([0.4925, 0.4719], abs=1.5e-4)


def test_one_run_less_moves_the_optimum():
    table = gadre2024.leave_one_out()
    assert table["M*"].min() < 6
    assert table["M*"].max() > 30
    with pytest.raises(FitError, match="1 distinct value of tokens per parameter"):
        gadre2024.refit("11M_320")


def test_overtraining_fit_recovers_a_known_law():
    truth = OvertrainingLaw(1.9, 150.0, 300.0, 0.13)
    params, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 4), [5.0, 20.0, 320.0]))
    runs = pd.DataFrame({"params": params, "tokens": ratio * params})
    law = fit_overtraining(runs.assign(loss=truth.predict(runs))).law
    assert list(law.constants.values()) == pytest.approx(list(truth.constants.values()), rel=1e-5)


def test_overtraining_refuses():
    runs = pd.DataFrame({"params": 1e8 * np.arange(1, 5), "tokens": [1e9, 2e9, 8e9, 4e9], "loss": [4.0, 3.5, 3.0, 2.5]})
    with pytest.raises(FitError, match="3 distinct runs cannot determine 4 constants") as few:
        _ = fit_overtraining(runs.head(3)).law
    assert few.value.kind is FitErrorKind.FEW
    with pytest.raises(FitError, match="1 distinct value of params"):
        _ = fit_overtraining(runs.assign(params=1e8, flops=np.nan).drop(columns="flops")).law
    with pytest.raises(FitError, match="'loss', row 3: zero"):
        fit_overtraining(runs.assign(loss=[1.0, 1.0, 1.0, 0.0]))
    with pytest.raises(ValueError, match="known: c4, redpajama, refinedweb"):
        OvertrainingLaw.from_published("pile")
    with pytest.raises(ValueError, match="17 or 46, got 20"):
        DownstreamLaw.from_published("c4", tasks=20)
    with pytest.raises(ValueError, match="flops must be positive"):
        OvertrainingLaw.from_published().loss_of_budget(0, 20)


def test_no_best_ratio_without_two_positive_terms():
    assert np.isnan(OvertrainingLaw(1, 1.0, -1.0, 0.1).best_ratio)
    ratios = OvertrainingLaw(1, np.array([1.0, -1.0]), np.array([4.0, 4.0]), 0.5).best_ratio
    np.testing.assert_array_equal(ratios, [4.0, np.nan])


@pytest.mark.parametrize("tasks", [17, 46])
def test_error_and_loss_are_inverses(tasks):
    law, loss = DownstreamLaw.from_published("c4", tasks), np.linspace(2, 6, 9)
    np.testing.assert_allclose(law.loss(law.error(loss)), loss, rtol=1e-12)
    assert np.all(np.diff(law.error(loss)) > 0)
    with pytest.raises(ValueError, match="error must be below epsilon"):
        law.loss(0.95)


# ------------------------------------------------------------------ broken power laws

BROKEN = BrokenPowerLaw(0.5, 20.0, 0.1, [1e3, 1e6], [0.4, -0.2], [0.3, 0.2])


def test_without_breaks_it_is_a_power_law():
    x = np.geomspace(1, 1e9, 7)
    np.testing.assert_allclose(BrokenPowerLaw(0.5, 20.0, 0.1)(x), PowerLaw(20.0, -0.1, 0.5)(x), rtol=1e-12)


def test_it_is_the_formula():
    """Caballero et al. 2022, equation 1, written out."""
    x = np.geomspace(1, 1e9, 50)
    y = 20.0 * x**-0.1
    for d, c, f in ((1e3, 0.4, 0.3), (1e6, -0.2, 0.2)):
        y = y * (1 + (x / d) ** (1 / f)) ** (-c * f)
    np.testing.assert_allclose(BROKEN(x), 0.5 + y, rtol=1e-12)


def test_exponents_before_between_and_behind():
    assert BROKEN.exponents == pytest.approx([-0.1, -0.5, -0.3])
    assert BROKEN.local_exponent([1e-3, 3e4, 1e12]) == pytest.approx(BROKEN.exponents, abs=1e-4)
    x, step = np.geomspace(10, 1e8, 20), 1e-5
    measured = np.log((BROKEN(x * np.exp(step)) - 0.5) / (BROKEN(x * np.exp(-step)) - 0.5)) / (2 * step)
    np.testing.assert_allclose(BROKEN.local_exponent(x), measured, atol=1e-8)


def test_far_values_do_not_overflow():
    assert BrokenPowerLaw(0.0, 1.0, 0.1, [1e3], [0.4], [1e-3])(1e12) == pytest.approx(10**-4.8, rel=1e-9)


def test_a_break_is_found_with_points_on_both_sides():
    truth, x = BrokenPowerLaw(0.5, 20.0, 0.1, [1e4], [0.4], [0.3]), np.geomspace(1e2, 1e6, 17)
    law = fit_broken_power_law(x, truth(x)).law
    assert law.breaks[0] == pytest.approx(1e4, rel=1e-3)
    assert law.exponents == pytest.approx(truth.exponents, abs=1e-3)


def test_extrapolation_of_the_addition_task():
    """The authors' script fits 14 points and predicts three; twelve and ten points do not suffice."""
    table = published_table("caballero2022/addition")["value"]
    x, y = np.array([float(id.split("/")[-1]) for id in table.index]), table.to_numpy()
    misses = {
        n: fit_broken_power_law(x[:n], y[:n], objective="log_squares", n_starts=8).candidate(x[14:]) / y[14:] - 1
        for n in (14, 12, 10)
    }
    assert np.abs(misses[14]).max() < 0.02
    assert np.abs(misses[12]).min() > 0.1
    assert misses[10].min() > 1
    assert float(published("caballero2022/addition_fitted")) == 14


def test_broken_power_laws_refuse():
    with pytest.raises(ValueError, match="of one length, got 1, 2, 1"):
        BrokenPowerLaw(0, 1, 0.1, [1], [1, 2], [1])
    with pytest.raises(ValueError, match="breaks must rise"):
        BrokenPowerLaw(0, 1, 0.1, [2, 1], [1, 2], [1, 1])
    with pytest.raises(ValueError, match="widths must be positive, got 0"):
        BrokenPowerLaw(0, 1, 0.1, [1], [1], [0])
    with pytest.raises(ValueError, match="x must be positive"):
        BROKEN([1.0, -1.0])
    with pytest.raises(FitError, match="3 distinct values of x; at least 6"):
        _ = fit_broken_power_law([1, 2, 3], [1, 2, 3]).law


# ------------------------------------------------------------------ pruning


@pytest.mark.parametrize("power", [1.0, 3.0, 0.5])
def test_mean_density_is_the_integral(power):
    plan = PruningSchedule(0.6, 0.2, 0.7, power)
    integral, _ = quad(plan.density, 0, 1, points=[0.2, 0.7], epsabs=1e-12)
    assert plan.mean_density == pytest.approx(integral, rel=1e-9)
    for share in (0.0, 0.1, 0.45, 0.7, 0.9, 1.0):
        spent, _ = quad(plan.density, 0, share, points=[0.2, 0.7] if share else None, epsabs=1e-12)
        assert plan.compute_share(share) == pytest.approx(spent / integral, abs=1e-8)


@pytest.mark.parametrize("sparsity", [0.0, 0.2, 0.4, 0.9])
def test_ramps_from_a_quarter_to_three_quarters(sparsity):
    assert PruningSchedule(sparsity, 0.25, 0.75).mean_density == pytest.approx(1 - sparsity / 2, rel=1e-12)
    assert PruningSchedule(sparsity, 0.25, 0.75, 3).mean_density == pytest.approx(1 - 5 * sparsity / 8, rel=1e-12)


def test_numbers_of_the_model_cards():
    """Jin et al. 2025: 25 and 75 per cent are shares of the compute, not of the steps."""
    table = jin2025.table()
    assert table["start, steps"].tolist() == pytest.approx([0.223, 0.192], abs=5e-4)
    assert table["stop, steps"].tolist() == pytest.approx([0.723, 0.680], abs=5e-4)
    assert table["start, compute"].tolist() == pytest.approx([0.2503, 0.2504], abs=5e-5)
    assert table["stop, compute"].tolist() == pytest.approx([0.7517, 0.7491], abs=5e-5)
    assert table["linear"].tolist() == pytest.approx([0.8946, 0.7743], abs=5e-5)
    assert table["cubic"].tolist() == pytest.approx([0.8696, 0.7255], abs=5e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, 0.2, 0.7), "sparsity must be at least 0 and below 1, got 1"),
        ((0.5, 0.7, 0.2), "start < stop"),
        ((0.5, 0.2, 1.1), "start < stop"),
        ((0.5, 0.2, 0.7, 0.0), "power must be positive, got 0"),
    ],
)
def test_pruning_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        PruningSchedule(*arguments)


def test_pruning_refuses_shares_outside_the_run():
    with pytest.raises(ValueError, match=r"lies in 0 to 1, got 1\.5"):
        PruningSchedule(0.5, 0.2, 0.7).density([0.5, 1.5])


# ------------------------------------------------------------------ shape


def test_predictions_of_the_billions():
    """Bian et al. 2025: errors of .69, .90, .92 and 1.15 per cent; without the shape 2.75 to 4.10."""
    table = bian2025.predictions("1B")
    assert table["with the shape"].tolist() == pytest.approx([2.9161, 2.9352, 2.9595, 2.9533], abs=1.5e-4)
    errors = 100 * (table["with the shape"] / table["loss"] - 1)
    assert errors.tolist() == pytest.approx([0.69, 0.90, 0.92, 1.15], abs=0.01)
    plain = 100 * (1 - table["without"] / table["loss"])
    assert (plain.min(), plain.max()) == pytest.approx((2.75, 4.10), abs=0.02)
    assert table[["loss", "with the shape", "without"]].corr("spearman").iloc[0].tolist() == pytest.approx([1, 1, -0.4])


def test_measured_optimum_is_inside_and_the_law_is_monotone():
    table = bian2025.predictions("80M").sort_values("aspect")
    assert table["loss"].idxmin() == "8x512"
    assert table["with the shape"].is_monotonic_increasing


def test_shape_law_is_its_base_times_a_factor():
    law = ShapeLaw(ChinchillaLaw(2.0, 400.0, 2000.0, 0.34, 0.36), 1e-3, 0.5)
    assert law.loss(1e9, 1e10, 100.0) == pytest.approx(law.base.loss(1e9, 1e10) * 1.01, rel=1e-12)
    assert law.loss(np.geomspace(1e8, 1e9, 3)[:, None], 1e10, [10.0, 100.0]).shape == (3, 2)
    with pytest.raises(ValueError, match="aspect must be positive, got 0"):
        law.loss(1e9, 1e10, 0)
    with pytest.raises(ValueError, match="known: bian2025"):
        ShapeLaw.from_published("bian")


# ------------------------------------------------------------------ offsets, valleys, hours


def test_ten_losses_with_and_without_an_offset():
    """Yao et al. 2023: seven fitted, three predicted."""
    ten, fit = yao2023.runs(), yao2023.fit().law
    assert [fit.coefficient, fit.exponent, fit.offset] == pytest.approx([2.4694, -0.4231, 2.9233], abs=5e-5)
    assert fit(ten["params"].iloc[7:]).tolist() == pytest.approx([3.1890, 3.0800, 3.0369], abs=5e-5)
    errors = 100 * (fit(ten["params"]) / ten["loss"] - 1).iloc[7:]
    assert errors.tolist() == pytest.approx([0.29, -0.17, -0.18], abs=0.01)
    plain = yao2023.fit(offset=False).law
    assert plain.exponent == pytest.approx(-0.0675, abs=5e-5)
    assert plain(ten["params"].iloc[7:]).tolist() == pytest.approx([3.129, 2.877, 2.733], abs=6e-4)


@pytest.mark.parametrize(
    ("flops", "above"),
    [
        (1e21, [7.45, 2.62, 0.65, 0.65, 2.66]),
        (1e23, [3.72, 1.31, 0.32, 0.33, 1.33]),
        (1e25, [1.74, 0.61, 0.15, 0.15, 0.62]),
    ],
)
def test_the_valley_is_flat_and_flatter_at_scale(flops, above):
    law, ratios = ChinchillaLaw.from_published("besiroglu2024"), np.array([0.1, 0.25, 0.5, 2, 4])
    best = compute_optimal(law, flops)
    excess = 100 * (law.loss(best.params * ratios, best.tokens / ratios) / best.loss - 1)
    assert excess == pytest.approx(above, abs=0.006)


@pytest.mark.parametrize(
    ("place", "factor"),
    [
        ("shuai2024/exponents/batch", 1.60),
        ("kaplan2020/allocation/batch", 3.02),
        ("deepseek2024/batch/exponent", 4.51),
    ],
)
def test_batch_at_a_hundred_times_the_compute(place, factor):
    assert 100 ** float(published(place)) == pytest.approx(factor, abs=0.005)


def test_nearly_parallel_lines_meet_anywhere():
    exact = stanic2023.simulate_crossing((-0.1, -0.12), 0.0, draws=3)
    assert exact == pytest.approx([50000] * 3, rel=1e-6)
    noisy = stanic2023.simulate_crossing((-0.1, -0.12), 0.005)
    steeper = stanic2023.simulate_crossing((-0.1, -0.2), 0.005)
    assert np.ptp(np.quantile(np.log(steeper), [0.05, 0.95])) < 0.5 * np.ptp(np.quantile(np.log(noisy), [0.05, 0.95]))

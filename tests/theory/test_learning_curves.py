"""Learning curves: the annealed integral to the last digits, and simulations against exponents and constants."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

import scaling
from scaling import PowerLaw
from scaling.theory import AnnealedMachine, compare_curves, measure_exponent, perceptron, students

T = np.array([0.0, 1.0, 7.0, 100.0, 1e4, 1e6])
FAR = 1000 * 2 ** np.arange(5)
NEAR = 50 * 2 ** np.arange(5)


def constant(curve, column, exponent):
    """t to the exponent times the loss at the largest t, and its standard error."""
    last = curve.iloc[-1]
    return last["examples"] ** exponent * last[[column, f"{column}_se"]].to_numpy()


def assert_constant(curve, column, exponent, expected, least_tolerance=0.0):
    value, error = constant(curve, column, exponent)
    assert abs(value - expected) < 4 * error + least_tolerance


# --- theory --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [0.5, 1, 2, 3.5, 40])
def test_entropic_loss_has_a_closed_form_without_a_solution_mass(kappa):
    machine = AnnealedMachine(kappa)
    np.testing.assert_allclose(machine.entropic_loss(T), np.log1p(kappa / (T + 1)), rtol=1e-12)
    np.testing.assert_allclose(machine.gibbs_error(T), kappa / (T + 1 + kappa), rtol=1e-12)


@pytest.mark.parametrize("machine", [AnnealedMachine(1, 0.2, 0.5), AnnealedMachine(3, 0, 0.7, 0.6)])
def test_loss_is_the_difference_of_partition_functions(machine):
    t = T[:4]
    expected = machine.log_partition(t) - machine.log_partition(t + 1)
    np.testing.assert_allclose(machine.entropic_loss(t), expected, rtol=0, atol=1e-12)
    assert machine.log_partition(0) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("kappa", "mass", "widest", "best"), [(1, 0.2, 0.5, 1), (2.5, 0, 0.3, 0.8), (2, 0.4, 1, 0.9)])
@pytest.mark.parametrize("t", [0, 3, 60])
def test_partition_function_is_the_integral(kappa, mass, widest, best, t):
    density = lambda r: (1 - r) ** t * kappa * r ** (kappa - 1) / widest**kappa  # noqa: E731
    expected = best**t * (mass + (1 - mass) * integrate.quad(density, 0, widest, epsabs=0, epsrel=1e-13)[0])
    assert np.exp(AnnealedMachine(kappa, mass, widest, best).log_partition(t)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "machine", [AnnealedMachine(3), AnnealedMachine(1, 0.2, 0.5), AnnealedMachine(2, 0.3, 0.9, 0.7)]
)
def test_asymptote_is_what_the_loss_tends_to(machine):
    law, t = machine.asymptote, 1e5
    assert machine.entropic_loss(t) - law.offset == pytest.approx(law(t) - law.offset, rel=1e-3)
    assert law.offset == pytest.approx(-np.log(machine.agreement))


def test_positive_mass_is_the_only_way_to_a_square():
    assert AnnealedMachine(1, 0.2, 0.5).asymptote.exponent == -2
    assert AnnealedMachine(1, 0.2, 0.5).asymptote.coefficient == pytest.approx(2 * 0.8 / 0.2, rel=1e-12)
    for codimension in (1, 2, 5):
        assert AnnealedMachine(codimension).asymptote.exponent == -1


def test_threshold_law():
    law = scaling.theory.noisy_threshold_law(0.075)
    k = lambda x: special.expit(x / 0.075)  # noqa: E731
    information = integrate.quad(lambda x: k(x) * (1 - k(x)) / 0.075**2, -0.5, 0.5, epsabs=0, epsrel=1e-13)[0]
    assert law.coefficient == pytest.approx(np.sqrt(2 / (np.pi * information)), rel=1e-12)
    assert law.exponent == -0.5
    narrow = scaling.theory.noisy_threshold_law(0.01).coefficient
    assert narrow == pytest.approx(np.sqrt(2 * 0.01 / np.pi), rel=1e-12)


def test_yardsticks():
    one, many = scaling.theory.yardstick_constants("uniform"), scaling.theory.yardstick_constants("normal")
    assert one == {"entropic": 1, "gibbs": pytest.approx(2 / 3), "bayes": pytest.approx(1 / 2)}
    assert many["gibbs"] / many["bayes"] == pytest.approx(np.sqrt(2), rel=1e-12)
    cdf = stats.norm.cdf
    surprise = integrate.quad(lambda z: special.entr(cdf(z)) + special.entr(cdf(-z)), -12, 12, epsrel=1e-12)[0]
    assert many["gibbs"] == pytest.approx(2 / np.sqrt(np.pi) / surprise, rel=1e-9)


def test_logistic_teacher():
    """Against quadrature; and a student that is surer than its teacher agrees more often."""
    k = lambda u: special.expit(1.5 * u)  # noqa: E731
    entropy = integrate.quad(lambda u: stats.norm.pdf(u) * (special.entr(k(u)) + special.entr(1 - k(u))), -9, 9)[0]
    assert scaling.theory.logistic_entropy(1.5) == pytest.approx(entropy, rel=1e-7)
    same = integrate.quad(lambda u: stats.norm.pdf(u) * (k(u) ** 2 + (1 - k(u)) ** 2), -9, 9)[0]
    assert scaling.theory.logistic_agreement(1.5) == pytest.approx(same, rel=1e-7)
    assert (np.diff(scaling.theory.logistic_agreement(1.5, [0, 1, 2, 10, 1e6])) > 0).all()
    assert scaling.theory.logistic_entropy(0) == pytest.approx(np.log(2), rel=1e-12)
    assert scaling.theory.logistic_agreement(0, 3.0) == pytest.approx(0.5, rel=1e-12)


# --- exponents -----------------------------------------------------------------------------------------------------


def exact_curve(exponent, error=0.01):
    t = 10 * 2.0 ** np.arange(6)
    return pd.DataFrame({"examples": t, "error": 3 * t**exponent, "error_se": error * 3 * t**exponent})


def test_exponent_of_a_power_law_is_exact():
    found = measure_exponent(exact_curve(-0.7))
    assert float(found) == pytest.approx(-0.7, abs=1e-12)
    assert -0.7 in found
    assert found.high - found.value == pytest.approx(found.value - found.low)
    assert str(found).startswith("-0.700 [-0.7")


def test_interval_covers_as_often_as_it_says():
    rng, inside = np.random.default_rng(0), 0
    for _ in range(400):
        curve = exact_curve(-0.5, 0.02)
        curve["error"] *= 1 + 0.02 * rng.standard_normal(len(curve))
        inside += -0.5 in measure_exponent(curve, level=0.9)
    assert 0.9 * 400 - 4 * 6 < inside < 0.9 * 400 + 4 * 6


def test_weights_are_those_of_the_errors():
    curve = exact_curve(-1).assign(error_se=[1e-9, 1e-9, 1e-9, 1, 1, 1])
    curve.loc[3:, "error"] *= 2
    assert float(measure_exponent(curve)) == pytest.approx(-1, abs=1e-6)
    assert float(measure_exponent(exact_curve(-1), least=40)) == pytest.approx(-1, abs=1e-12)


def test_comparison_is_text_in_rows():
    law = PowerLaw(3, -0.7)
    table = compare_curves(
        {"known": (exact_curve(-0.7), "error", law), "open": (exact_curve(-1), "error", PowerLaw(np.nan, -1))}
    )
    assert table.columns.tolist() == ["exponent", "theory", "constant", "theory"]
    assert table.loc["known"].tolist()[1:] == ["-0.7", "3.000 ± 0.030", "3"]
    assert table.loc["open"].tolist()[3] == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.drop(columns="error_se"), "no column 'error_se'"),
        (lambda c: c.head(2), "at least 3 sample sizes, got 2"),
        (lambda c: c.assign(error=0.0), "positive and finite"),
        (lambda c: c.assign(error_se=np.nan), "positive and finite"),
    ],
)
def test_curves_without_an_exponent_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        measure_exponent(change(exact_curve(-1)))


# --- simulations ---------------------------------------------------------------------------------------------------


def brute_force(t, gap, weights, repeats, seed):
    """The same game, played: a grid of machines, all examples, every machine that errs thrown out."""
    rng = np.random.default_rng(seed)
    threshold = np.sort(rng.random((400_000, weights)).prod(1))
    errors = []
    for _ in range(repeats):
        x = rng.random(t) * (1 - gap)
        x += gap * (x > (1 - gap) / 2)
        low, high = x[x < 0.5].max(initial=0), x[x > 0.5].min(initial=1)
        left = threshold[np.searchsorted(threshold, low) : np.searchsorted(threshold, high)]
        beyond = np.maximum(np.abs(left - 0.5) - gap / 2, 0) / (1 - gap)
        errors.append(beyond.mean())
    return np.mean(errors), np.std(errors) / np.sqrt(repeats)


@pytest.mark.slow
@pytest.mark.parametrize(("gap", "weights"), [(0, 1), (0.3, 1), (0, 2), (0.1, 3)])
def test_thresholds_against_brute_force(gap, weights):
    value, error = brute_force(25, gap, weights, 1500, seed=1)
    quick = scaling.theory.simulate_thresholds([25], gap=gap, weights=weights, seed=2).iloc[0]
    assert abs(quick["gibbs"] - value) < 4 * np.hypot(error, quick["gibbs_se"])


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_type_1(dimension):
    curve = scaling.theory.simulate_thresholds(FAR, dimension, seed=3)
    for column, unit in (("entropic", 1), ("gibbs", 2 / 3)):
        assert abs(float(measure_exponent(curve, column)) + 1) < 0.03
        assert_constant(curve, column, 1, unit * dimension)


def test_type_2():
    curve = scaling.theory.simulate_thresholds(FAR, gap=0.2, seed=4)
    for column in ("entropic", "gibbs"):
        assert abs(float(measure_exponent(curve, column)) + 2) < 0.05
        assert_constant(curve, column, 2, 8)


@pytest.mark.parametrize("weights", [2, 4])
def test_a_surface_of_solutions_is_type_1(weights):
    curve = scaling.theory.simulate_thresholds(FAR, weights=weights, seed=5)
    assert abs(float(measure_exponent(curve, "entropic")) + 1) < 0.03
    assert_constant(curve, "entropic", 1, 1)
    assert_constant(curve, "gibbs", 1, 2 / 3)


def test_type_3():
    curve = scaling.theory.simulate_noisy_threshold(NEAR, 0.075, seed=6)
    assert abs(float(measure_exponent(curve)) + 1 / 2) < 0.04
    assert_constant(curve, "error", 0.5, scaling.theory.noisy_threshold_law(0.075).coefficient)


@pytest.mark.parametrize(("noise", "flips", "expected"), [(0, 0.2, -1), (0.075, 0, -1 / 3), (0, 0, -1)])
def test_traps_of_type_3(noise, flips, expected):
    curve = scaling.theory.simulate_noisy_threshold(NEAR, noise, flips, "fewest_errors", seed=7)
    assert abs(float(measure_exponent(curve)) - expected) < 0.06


@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_type_4(dimension):
    curve = scaling.theory.simulate_logistic([800], dimension, repeats=800, seed=8)
    assert_constant(curve, "test", 1, dimension / 2, least_tolerance=0.02 * dimension)
    assert_constant(curve, "train", 1, dimension / 2, least_tolerance=0.02 * dimension)


def test_excess_is_the_divergence():
    """Quadrature over two directions against plain averaging over inputs."""
    w, rng = np.array([[1.2, 0.4, -0.5]]), np.random.default_rng(9)
    x = rng.standard_normal((400_000, 3))
    k, logit = special.expit(1.5 * x[:, 0]), x @ w[0]
    paid = np.logaddexp(0, logit) - k * logit - special.entr(k) - special.entr(1 - k)
    assert students._excess(w, 1.5)[0] == pytest.approx(paid.mean(), abs=4 * paid.std() / np.sqrt(len(x)))
    assert students._excess(np.array([[1.5, 0.0]]), 1.5)[0] == pytest.approx(0, abs=1e-12)


def test_likelihood_is_at_its_maximum():
    rng = np.random.default_rng(10)
    x = rng.random((50, 80))
    yes = rng.random(x.shape) < special.expit((x - 0.5) / 0.1)
    found = students._likeliest(x, yes, 0.1)
    slope = (special.expit((x - found[:, None]) / 0.1) - yes).sum(1)
    inside = (found > 0) & (found < 1)
    assert inside.any()
    np.testing.assert_allclose(slope[inside], 0, atol=1e-5)


def test_fewest_errors_makes_the_fewest_errors():
    rng = np.random.default_rng(11)
    x, yes = rng.random((40, 15)), rng.random((40, 15)) < 0.5
    mistakes = lambda w: ((x > w[..., None]) != yes).sum(-1)  # noqa: E731
    found = mistakes(students._fewest_errors(x, yes))
    everywhere = np.stack([mistakes(np.full(40, w)) for w in np.linspace(0, 1, 2001)])
    np.testing.assert_array_equal(found, np.minimum(found, everywhere.min(0)))


def test_directions_agree_with_the_teacher_who_is_one_of_them():
    """Draws make no mistake; two draws differ on average by as much as a draw and the teacher."""
    rng = np.random.default_rng(12)
    w = perceptron._version_space(rng, t=60, n=300, n_weights=3, n_draws=32)
    x = np.random.default_rng(12).standard_normal((300, 3, 60))
    x *= np.sign(x[:, :1])
    assert ((w @ x) > -1e-12).all()
    np.testing.assert_allclose(np.linalg.norm(w, axis=2), 1, rtol=1e-9)
    angle = lambda a, b: np.arccos(np.clip((a * b).sum(-1), -1, 1)).mean(1)  # noqa: E731
    difference = angle(w[:, 16:], np.array([1.0, 0, 0])) - angle(w[:, :16], w[:, 16:])
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(300)


@pytest.mark.parametrize("weights", [2, 4])
def test_perceptron(weights):
    t = 40 * weights
    curve = scaling.theory.simulate_perceptron([t], weights, repeats=300, seed=13).iloc[0]
    unit = AnnealedMachine(weights - 1).entropic_loss(t)
    assert abs(curve["entropic"] / unit - 1) < 4 * curve["entropic_se"] / unit + 0.03
    low, high = (scaling.theory.yardstick_constants(each) for each in ("normal", "uniform"))
    for name in ("gibbs", "bayes"):
        slack = 4 * curve[f"{name}_se"] / unit + 0.02
        assert low[name] - slack < curve[name] / unit < high[name] + slack


SIMULATIONS = {
    "thresholds": lambda **change: scaling.theory.simulate_thresholds(**{"examples": [5, 9], "repeats": 9} | change),
    "noisy": lambda **change: scaling.theory.simulate_noisy_threshold(**{"examples": [5, 9], "repeats": 9} | change),
    "logistic": lambda **change: scaling.theory.simulate_logistic(**{"examples": [5, 9], "repeats": 9} | change),
    "perceptron": lambda **change: scaling.theory.simulate_perceptron(**{"examples": [5, 9], "repeats": 9} | change),
}


@pytest.mark.parametrize("name", SIMULATIONS)
def test_same_seed_same_curve(name):
    simulate = SIMULATIONS[name]
    pd.testing.assert_frame_equal(simulate(seed=1), simulate(seed=1))
    assert not simulate(seed=1).equals(simulate(seed=2))
    pd.testing.assert_frame_equal(simulate(seed=1).tail(1).reset_index(drop=True), simulate(examples=9, seed=1))
    assert np.isfinite(simulate(examples=[1], seed=1).to_numpy()).all()


@pytest.mark.parametrize("name", SIMULATIONS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"examples": [0]}, "examples must be a whole number, at least 1, got 0"),
        ({"examples": [10, 2.5]}, "examples must be a whole number, at least 1, got .*2.5"),
        ({"examples": [np.nan]}, "examples must be a whole number"),
        ({"examples": []}, "examples is empty"),
        ({"repeats": 1}, "repeats must be at least 2"),
        ({"seed": -1}, "seed must be a whole number, at least 0, got -1"),
    ],
)
def test_bad_sizes_are_refused(name, change, message):
    with pytest.raises(ValueError, match=message):
        SIMULATIONS[name](**change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AnnealedMachine(0), "codimension must be larger than 0 and finite, got 0"),
        (lambda: AnnealedMachine(np.nan), "codimension must be larger than 0"),
        (lambda: AnnealedMachine(1, solution_mass=1), "solution_mass must be between 0 and 1, got 1"),
        (lambda: AnnealedMachine(1, solution_mass=-0.1), "solution_mass must be between 0 and 1, got -0.1"),
        (lambda: AnnealedMachine(1, widest=0), "widest must be between 0 and 1, got 0"),
        (lambda: AnnealedMachine(1, agreement=1.5), "agreement must be between 0 and 1, got 1.5"),
        (lambda: AnnealedMachine(1).entropic_loss(-1), "t must be a finite number of examples, at least 0, got -1"),
        (lambda: AnnealedMachine(1).log_partition(np.inf), "t must be a finite number of examples"),
        (lambda: scaling.theory.noisy_threshold_law(0), "noise must be larger than 0 and finite, got 0"),
        (lambda: scaling.theory.yardstick_constants("flat"), "marginal must be 'uniform' or 'normal', got 'flat'"),
        (lambda: scaling.theory.logistic_entropy(-1), "signal must be a finite number, at least 0, got -1"),
        (lambda: scaling.theory.logistic_agreement(1, -2), "student must be at least 0, got -2"),
        (lambda: measure_exponent(exact_curve(-1), level=1), "level must be between 0 and 1, got 1"),
        (lambda: SIMULATIONS["thresholds"](dimension=0), "dimension must be a whole number, at least 1, got 0"),
        (lambda: SIMULATIONS["thresholds"](gap=1), "gap must be at least 0 and below 1, got 1"),
        (lambda: SIMULATIONS["thresholds"](weights=1.5), "weights must be a whole number, at least 1, got 1.5"),
        (lambda: SIMULATIONS["noisy"](noise=-1), "noise must be a finite number, at least 0, got -1"),
        (lambda: SIMULATIONS["noisy"](flips=0.5), "flips must be at least 0 and below 0.5, got 0.5"),
        (lambda: SIMULATIONS["noisy"](method="mle"), "method must be 'likelihood' or 'fewest_errors', got 'mle'"),
        (lambda: SIMULATIONS["noisy"](noise=0), "needs noise > 0 and flips = 0, got noise 0"),
        (lambda: SIMULATIONS["logistic"](signal=np.inf), "signal must be a finite number, at least 0, got inf"),
        (lambda: SIMULATIONS["perceptron"](weights=1), "weights must be a whole number, at least 2, got 1"),
        (lambda: SIMULATIONS["perceptron"](draws=4), "draws must be a whole number, at least 8, got 4"),
    ],
)
def test_bad_parameters_are_named_with_their_limit(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""The toy simulation: its three approaches find what the package's do, and a seed is a seed."""

import numpy as np
import pandas as pd
import pytest
from moving_pages import answer_of, constants_of, evaluated, opened

from scaling import ChinchillaLaw, FitError, check_runs, compute_optimal, fit_envelope, fit_isoflop, fit_parametric
from scaling.book.moving import toy

pytestmark = pytest.mark.browser
SETTINGS = 300
FLOPS = 1e24


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("toy"), "toy")
    page.evaluate(
        """() => (scalingFigures.formulas.summary = (setting, flops) => {
            const { kept, fits } = scalingFigures.formulas.toyStudy(setting);
            return { kept, law: fits[2].law, found: fits.map((fit) => fit && { a: fit.a, size: fit.best(flops) }) };
        })"""
    )
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def studies(page):
    """Tables drawn in the page, and what its approaches make of them."""
    rng, first = np.random.default_rng(0), constants_of("toy")
    settings = []
    for _ in range(SETTINGS):
        start = int(rng.integers(0, 7))
        settings.append(
            {key: first[key] for key in ("law", "sizes", "tokens")}
            | {"noise": float(rng.choice([0, 1, 2, 5, 10, 20])), "decimals": int(rng.integers(2, 6))}
            | {"seed": int(rng.integers(1, 10**6)), "from": start, "to": int(rng.integers(start + 2, 9))}
        )
    found = evaluated(page, "summary", [[setting, FLOPS] for setting in settings])
    return [(checked(each["kept"]), each) for each in found]


def checked(kept):
    """Checked once for the three tests."""
    table = pd.DataFrame(kept).rename(columns={"N": "params", "D": "tokens", "C": "flops"})
    return check_runs(table[["params", "tokens", "flops", "loss"]].astype(float))


def test_the_law_is_the_packages_least_squares(studies):
    settled = 0
    for table, found in studies:
        # Huber's function with a threshold beyond every residual is the square
        ours = fit_parametric(table, objective="huber", delta=100.0).candidate
        law = ChinchillaLaw(**found["law"])
        if law.E < 0 or ours.E == 0:
            continue
        settled += 1
        N, D, L = table["params"].astype(float), table["tokens"].astype(float), table["loss"]
        squares = [np.sum((each.loss(N, D) - L) ** 2) for each in (law, ours)]
        assert squares[0] == pytest.approx(squares[1], rel=1e-6, abs=1e-16)
        assert found["found"][2]["size"] == pytest.approx(compute_optimal(ours, FLOPS).params, rel=1e-4)
    assert settled > 0.9 * SETTINGS


def test_the_parabolas_are_the_packages(studies):
    answers = 0
    for table, found in studies:
        try:
            ours = fit_isoflop(table)
        except FitError:
            assert found["found"][1] is None
            continue
        answers += 1
        assert found["found"][1]["a"] == pytest.approx(ours.a, rel=1e-6)
        assert found["found"][1]["size"] == pytest.approx(compute_optimal(ours.law, FLOPS).params, rel=1e-6)
    assert SETTINGS / 3 < answers < SETTINGS


def test_the_envelope_is_the_packages(studies):
    """Two decimals make ties, which either gives to another size; a curve's very end is in or out by rounding."""
    same = answers = 0
    for table, found in studies:
        if (table["loss"].round(2) == table["loss"]).all():
            continue
        try:
            ours = fit_envelope(table, n_budgets=200)
        except FitError:
            assert found["found"][0] is None
            continue
        answers += 1
        assert found["found"][0]["a"] == pytest.approx(ours.a, abs=0.03)
        same += found["found"][0]["a"] == pytest.approx(ours.a, rel=1e-6)
    assert answers > SETTINGS / 3
    assert same > 0.95 * answers


def test_noise_is_in_thousandths_of_a_nat_and_losses_have_their_decimals(page):
    first = constants_of("toy")
    law = ChinchillaLaw(**first["law"])
    runs = [
        pd.DataFrame(each)
        for each in evaluated(page, "toyRuns", [[first | {"noise": 5, "decimals": 3, "seed": k}] for k in range(1, 21)])
    ]
    errors = np.concatenate(
        [each["loss"] - law.loss(each["N"].astype(float), each["D"].astype(float)) for each in runs]
    )
    assert np.std(errors) == pytest.approx(0.005, rel=0.05)
    assert abs(np.mean(errors)) < 0.0005
    assert all(round(loss, 3) == loss for each in runs for loss in each["loss"])


def test_a_seed_is_a_seed(browser, tmp_path):
    page = opened(browser, tmp_path, "toy")
    first = answer_of(page)
    page.get_by_role("button", name="Draw again").click()
    page.wait_for_function("(first) => document.querySelector('.moving-answer').textContent !== first", arg=first)
    second = answer_of(page)
    again = opened(browser, tmp_path, "toy", hash="#moving-toy?seed=2")
    assert answer_of(again) == second != first
    assert answer_of(opened(browser, tmp_path, "toy")) == first


def test_the_still_shows_that_range_decides():
    rows = [line.split("|")[1:-1] for line in toy.still().splitlines() if "to" in line and line.startswith("|")]
    assert [row[0].strip() for row in rows] == ["62.5M to 500M", "62.5M to 2B", "62.5M to 16B"]
    widths = [[np.ptp(np.log([float(end) for end in cell.split(" to ")])) for cell in row[1:]] for row in rows]
    assert (np.diff(widths, axis=0) < 0).all()
    assert "no answer" in toy.still(decimals="0", noise="0")


def test_what_cannot_be_answered_is_said(browser, tmp_path):
    page = opened(browser, tmp_path, "toy", hash="#moving-toy?from=6&to=8&noise=20")
    assert "No answer by approach 1, envelope and approach 2, parabola" in page.inner_text(".moving-warning")
    page = opened(browser, tmp_path, "toy", hash="#moving-toy?to=8&noise=0&decimals=5")
    assert "only the rounding is left" in answer_of(page)
    assert not page.locator(".moving-warning").is_visible()

"""The grid explorer: its formulas are the package's, and its sentence says what the package finds."""

import numpy as np
import pytest
from moving_pages import answer_of, evaluated, opened

from scaling import ChinchillaLaw, fit_isoflop
from scaling.fit import parabola_bias
from scaling.papers import czech2026

pytestmark = pytest.mark.browser
SETTINGS = 300


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("grid"), "grid")
    yield page
    page.context.close()


def test_the_bias_is_the_packages(page):
    rng = np.random.default_rng(0)
    alpha, beta = rng.uniform(0.05, 0.8, (2, SETTINGS))
    width, centre = np.exp(rng.uniform(0.4, 3.5, SETTINGS)), np.exp(rng.uniform(-1.6, 1.6, SETTINGS))
    n = rng.integers(4, 26, SETTINGS)
    arguments = zip(alpha.tolist(), beta.tolist(), width.tolist(), n.tolist(), centre.tolist(), strict=True)
    found = [
        np.nan if each["bias"] is None else each["bias"] for each in evaluated(page, "parabolaBias", list(arguments))
    ]
    ours = [float(parabola_bias(*each)) for each in zip(alpha, beta, width, n, centre, strict=True)]
    assert np.isfinite(ours).mean() > 0.9
    np.testing.assert_allclose(found, ours, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "width", "last"), [("asymmetric", 8, 1), ("chinchilla", 16, 0.5), ("symmetric", 2, 1 / 3)]
)
def test_the_study_is_a_fit_to_noise_free_runs(page, name, width, last):
    law = czech2026.surface(name)
    runs = czech2026.noise_free_runs(law, width, off_centre=np.geomspace(1, last, czech2026.BUDGETS.size))
    fit = fit_isoflop(runs)
    setting = {"alpha": law.alpha, "beta": law.beta, "width": width, "first": 1, "last": last, "n": czech2026.N_SIZES}
    setting |= {"budgets": czech2026.BUDGETS.tolist(), "flops": czech2026.EXTRAPOLATED_TO}
    (study,) = evaluated(page, "gridStudy", [[setting]])
    assert [each["inside"] for each in study["points"]] == fit.points["usable"].tolist()
    assert study["a"] == pytest.approx(fit.a, rel=1e-6)
    assert 1 / study["factor"] == pytest.approx(1 + czech2026.tokens_error(law, fit.law) / 100, rel=1e-6)


def test_the_sentence_follows_the_grid(browser, tmp_path):
    law = czech2026.surface("asymmetric")
    page = opened(browser, tmp_path, "grid")
    bias = float(parabola_bias(law.alpha, law.beta, 8, czech2026.N_SIZES))
    assert f"{100 * (bias - 1):.2g} % above the best size" in answer_of(page)
    assert f"the exponent a is right: {law.a:.3f}" in answer_of(page)
    page = opened(browser, tmp_path, "grid", hash="#moving-grid?alpha=0.34&beta=0.28&width=2&last=0.3333")
    truth = ChinchillaLaw.from_published("hoffmann2022_rounded").a
    assert f"instead of {truth:.3f}" in answer_of(page)
    assert "At 2 of 5 budgets" in answer_of(page)
    page = opened(browser, tmp_path, "grid", hash="#moving-grid?width=1.5&first=4&last=5")
    assert "no answer" in answer_of(page)

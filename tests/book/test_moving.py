"""The figures that move: what they share."""

import numpy as np
import pytest
from moving_pages import evaluated, opened

from scaling import compute_optimal
from scaling.laws import ChinchillaLaw, CoupledLaw

SETTINGS = 300
CLOSE = 1e-6


def laws(rng, count):
    """Laws as they come: constants drawn around the published ones, half of them coupled."""
    for number in range(count):
        constants = {"E": rng.uniform(0, 2.5), "A": 10 ** rng.uniform(1, 4), "B": 10 ** rng.uniform(1, 5)}
        constants |= {"alpha": rng.uniform(0.1, 0.8), "beta": rng.uniform(0.1, 0.8)}
        yield CoupledLaw(**constants, k=rng.uniform(0.2, 1.5)) if number % 2 else ChinchillaLaw(**constants)


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("moving"), "budget")
    yield page
    page.context.close()


def test_losses_are_the_packages(page):
    rng = np.random.default_rng(0)
    drawn = list(laws(rng, SETTINGS))
    places = 10 ** rng.uniform([6, 8], [13, 16], (SETTINGS, 2))
    found = evaluated(
        page, "loss", [[law.constants, *place] for law, place in zip(drawn, places.tolist(), strict=True)]
    )
    assert found == pytest.approx([law.loss(*place) for law, place in zip(drawn, places, strict=True)], rel=CLOSE)


def test_optima_are_the_packages(page):
    rng = np.random.default_rng(1)
    drawn = list(laws(rng, SETTINGS))
    budgets = 10 ** rng.uniform(17, 28, SETTINGS)
    found = evaluated(page, "optimum", [[law.constants, C] for law, C in zip(drawn, budgets.tolist(), strict=True)])
    for law, C, each in zip(drawn, budgets, found, strict=True):
        best = compute_optimal(law, C)
        assert [each[k] for k in ("params", "tokens", "loss")] == pytest.approx(
            [best.params, best.tokens, best.loss], rel=CLOSE
        )

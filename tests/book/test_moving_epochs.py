"""The figure of epochs: its formulas are the package's law and optimum, and its sentence says what they find."""

import numpy as np
import pytest
from moving_pages import answer_of, constants_of, evaluated, opened

from scaling import compute_optimal, data_constrained_optimal
from scaling.laws import DataConstrainedLaw

pytestmark = pytest.mark.browser
SETTINGS = 300
LAW = DataConstrainedLaw.from_published()


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("epochs"), "epochs")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def settings():
    rng = np.random.default_rng(0)
    return (10 ** rng.uniform([18, 8, -1], [28, 14, 3], (SETTINGS, 3))).tolist()


def test_plans_are_the_packages(page, settings):
    law = constants_of("epochs")["law"]
    found = evaluated(page, "limitedPlan", [[law, flops, unique] for flops, unique, _ in settings])
    enough = 0
    for (flops, unique, _), each in zip(settings, found, strict=True):
        best = data_constrained_optimal(LAW, flops, unique)
        ours = [best.params, best.tokens, best.tokens / unique, best.loss]
        assert [each[key] for key in ("params", "tokens", "epochs", "loss")] == pytest.approx(ours, rel=1e-6)
        enough += best.tokens < unique
    assert 50 < enough < SETTINGS - 50


def test_losses_of_chosen_epochs_are_the_laws(page, settings):
    law = constants_of("epochs")["law"]
    found = evaluated(page, "planOf", [[law, *setting] for setting in settings])
    ours = [LAW.loss(flops / (6 * unique * epochs), unique * epochs, unique) for flops, unique, epochs in settings]
    assert [each["loss"] for each in found] == pytest.approx(ours, rel=1e-6)


def test_the_sentence_says_the_plans(browser, tmp_path):
    page = opened(browser, tmp_path, "epochs")
    best, free = data_constrained_optimal(LAW, 1e22, 25e9), compute_optimal(LAW.base, 1e22)
    assert f"The best plan reads the text {best.tokens / 25e9:.2f} times" in answer_of(page)
    assert f"lower its loss by {best.loss - free.loss:.3f} nats a token" in answer_of(page)
    assert "worth 93 % of a new one" in answer_of(page)
    page = opened(browser, tmp_path, "epochs", hash="#moving-epochs?unique=10000000000000")
    assert "there is text enough" in answer_of(page)

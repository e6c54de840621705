"""The count switch: its formulas are the package's, and the switch changes the count."""

import numpy as np
import pytest
from moving_pages import answer_of, evaluated, opened

from scaling import ChinchillaLaw, compute_optimal
from scaling.counting import EmbeddingModel, kaplan_view, local_exponent, nonembedding_flops

pytestmark = pytest.mark.browser
SETTINGS = 300
COUNTS = {False: "nonembedding", True: "total"}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("count"), "count")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def settings():
    """Laws, embeddings, and the ends of studies."""
    rng = np.random.default_rng(0)
    names = rng.choice(["besiroglu2024", "hoffmann2022"], SETTINGS)
    shapes = zip(np.exp(rng.uniform(5.6, 12.4, SETTINGS)), rng.uniform(10, 100, SETTINGS), strict=True)
    smallest = 10 ** rng.uniform(2, 9, SETTINGS)
    largest = smallest * 10 ** rng.uniform(0.5, 3, SETTINGS)
    return [
        (ChinchillaLaw.from_published(name), EmbeddingModel.from_shape(*shape), shape, low, high)
        for name, shape, low, high in zip(names, shapes, smallest, largest, strict=True)
    ]


def as_js(model):
    return {"omega": model.omega, "delta": model.exponent}


def test_the_embeddings_are_the_packages(page, settings):
    found = evaluated(page, "omega", [list(shape) for _, _, shape, _, _ in settings])
    assert found == pytest.approx([model.omega for _, model, _, _, _ in settings], rel=1e-6)


@pytest.mark.parametrize("everything", [False, True])
def test_exponent_and_compute_are_the_packages(page, settings, everything):
    arguments = [[law.constants, low, as_js(model), everything] for law, model, _, low, _ in settings]
    for name in ("localExponent", "countedFlops"):
        ours = []
        for law, model, _, low, _ in settings:
            if name == "localExponent":
                ours.append(law.a if everything else local_exponent(law, low, model))
            elif everything:
                ours.append(compute_optimal(law, params=model.total(low)).flops)
            else:
                ours.append(nonembedding_flops(law, low, model))
        assert evaluated(page, name, arguments) == pytest.approx(ours, rel=1e-6)


@pytest.mark.parametrize("everything", [False, True])
def test_the_study_is_the_packages(page, settings, everything):
    arguments = [[law.constants, low, high, as_js(model), everything, 20] for law, model, _, low, high in settings]
    for (law, model, _, low, high), found in zip(settings, evaluated(page, "countStudy", arguments), strict=True):
        ends = np.array([low, high])
        flops = (
            compute_optimal(law, params=model.total(ends)).flops if everything else nonembedding_flops(law, ends, model)
        )
        view = kaplan_view(law, np.geomspace(low, high, 20), np.geomspace(*flops, 100), model, COUNTS[everything])
        assert found["slope"] == pytest.approx(view.size_exponent, rel=1e-6)


def test_the_switch_changes_the_count(browser, tmp_path):
    page = opened(browser, tmp_path, "count")
    assert "to the power of 0.78 without embeddings, and of 0.51 with them" in answer_of(page)
    assert "anything from 0.53 to 0.98" in answer_of(page)
    page.get_by_label("Count the embeddings").check()
    page.wait_for_function("document.querySelector('.moving-answer').textContent.includes('0.51 at every size')")
    page.get_by_label("Vocabulary").first.fill("256")
    page.wait_for_function("!document.querySelector('.moving-answer').textContent.includes('20.7 million')")
    assert page.faults == []

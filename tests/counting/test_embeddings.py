"""Pearce & Song 2024: counts with and without embeddings, the local exponent, the simulated study."""

import numpy as np
import pytest
from scipy import optimize

import scaling
from scaling.counting import EmbeddingModel, kaplan_view, local_exponent, nonembedding_flops
from scaling.fit import fit_embedding_model
from scaling.papers import pearce2024

LAWS = {name: scaling.ChinchillaLaw.from_published(name) for name in ("besiroglu2024", "hoffmann2022")}
MODEL = EmbeddingModel.from_published()
SIZES = np.array([768, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1.5e9])


# ------------------------------------------------------------------ the count


@pytest.mark.parametrize("model", [MODEL, EmbeddingModel(3e6, 0.1), EmbeddingModel(0.4, 1.0), EmbeddingModel(0.0)])
def test_total_and_nonembedding_are_inverse(model):
    N = np.geomspace(1, 1e14, 57)
    np.testing.assert_allclose(model.nonembedding(model.total(N)), N, rtol=1e-12)
    np.testing.assert_allclose(model.total(N) - model.embedding(N), N, rtol=1e-6)


def test_shape_gives_the_coefficient():
    """12 n d^2 layers of width d = aspect * n, and V d embeddings."""
    vocab, aspect, width = 32_000, 40.0, 640
    bare = 12 * (width / aspect) * width**2
    assert EmbeddingModel.from_shape(vocab, aspect).embedding(bare) == pytest.approx(vocab * width, rel=1e-12)
    assert EmbeddingModel.from_shape(pearce2024.number("vocab"), pearce2024.width_over_depth()).omega == pytest.approx(
        MODEL.omega, rel=1e-12
    )


@pytest.mark.parametrize("truth", [EmbeddingModel(5e4, 0.34), EmbeddingModel(200.0, 0.6)])
def test_a_known_count_is_recovered(truth):
    N = np.geomspace(1e6, 1e10, 12)
    fit = fit_embedding_model(N, truth.total(N)).law
    assert (fit.omega, fit.exponent) == pytest.approx((truth.omega, truth.exponent), rel=1e-6)
    held = fit_embedding_model(N, EmbeddingModel(5e4).total(N), exponent=1 / 3).law
    assert held.omega == pytest.approx(5e4, rel=1e-9)


def test_two_solvers_agree_on_the_50_models():
    N, T = pearce2024.counts()
    fit = fit_embedding_model(N, T, objective="log_squares").law

    def objective(p):
        return 1e3 * ((np.log(N + np.exp(p[0]) * N ** p[1]) - np.log(T)) ** 2).sum()

    simplex = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000, "maxfev": 8000}
    twin = optimize.minimize(objective, [10.0, 0.35], method="Nelder-Mead", options=simplex)
    assert objective([np.log(fit.omega), fit.exponent]) <= twin.fun * (1 + 1e-9)
    assert fit.exponent == pytest.approx(twin.x[1], abs=1e-5)


# ------------------------------------------------------------------ the optimum


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("model", [MODEL, EmbeddingModel(2e3, 0.5)])
def test_closed_form_is_the_minimum_at_its_budget(law, model):
    for size in SIZES:
        flops = nonembedding_flops(law, size, model)

        def loss(log_size, flops=flops):
            bare = np.exp(log_size)
            return law.loss(model.total(bare), flops / (6 * bare))

        bracket = np.log(size) + np.array([-0.7, 0.0, 0.9])
        found = optimize.minimize_scalar(loss, bracket=bracket, options={"xtol": 1e-12})
        assert found.x == pytest.approx(np.log(size), abs=1e-4)
        assert found.fun == pytest.approx(loss(np.log(size)), rel=1e-12)
        slope = (loss(np.log(size) + 1e-4) - loss(np.log(size) - 1e-4)) / 2e-4
        assert abs(slope) < 1e-6 * loss(np.log(size))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("model", [MODEL, EmbeddingModel(2e3, 0.5)])
def test_local_exponent_agrees_with_finite_differences(law, model):
    h = 1e-5
    up, down = (np.log(nonembedding_flops(law, SIZES * np.exp(s), model)) for s in (h, -h))
    np.testing.assert_allclose(local_exponent(law, SIZES, model), 2 * h / (up - down), rtol=1e-8)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("besiroglu2024", [0.7624, 0.7759, 0.8297, 0.9628, 0.8532, 0.6128, 0.5354, 0.5300]),
        ("hoffmann2022", [0.7194, 0.7350, 0.7984, 0.9652, 0.8327, 0.5603, 0.4796, 0.4742]),
    ],
)
def test_local_exponent_at_eight_sizes(name, values):
    np.testing.assert_allclose(local_exponent(LAWS[name], SIZES, MODEL), values, atol=1e-4)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_local_exponent_has_its_limits_and_is_not_monotone(law):
    small, large = local_exponent(law, np.array([1e-12, 1e30]), MODEL)
    assert small == pytest.approx(law.beta / (law.beta + law.alpha / 3), rel=1e-6)
    assert large == pytest.approx(law.a, rel=1e-9)
    assert local_exponent(law, 2e6, MODEL) > 0.98 > small > large


def test_without_embeddings_nothing_is_left_to_reconcile():
    none, law, flops = EmbeddingModel(0.0), LAWS["besiroglu2024"], np.geomspace(1e18, 1e24, 5)
    best = scaling.compute_optimal(law, flops)
    np.testing.assert_allclose(nonembedding_flops(law, best.params, none), flops, rtol=1e-12)
    np.testing.assert_allclose(local_exponent(law, SIZES, none), law.a, rtol=1e-12)


# ------------------------------------------------------------------ the simulated study


@pytest.mark.parametrize("count", ["total", "nonembedding"])
def test_a_dense_list_of_sizes_finds_the_optimum(count):
    law, sizes, flops = LAWS["besiroglu2024"], np.geomspace(1e4, 1e11, 4001), np.geomspace(1e17, 1e21, 9)
    view = kaplan_view(law, sizes, flops, MODEL, count)
    if count == "total":
        np.testing.assert_allclose(view.points["params"], scaling.compute_optimal(law, flops).params, rtol=5e-3)
        assert view.size_exponent == pytest.approx(law.a, abs=1e-3)
        gamma = law.alpha * law.a
        assert view.reducible_exponent == pytest.approx(-gamma, abs=1e-4)
    else:
        np.testing.assert_allclose(nonembedding_flops(law, view.points["params"], MODEL), flops, rtol=1e-2)
    tokens = flops / (6 * view.points["params"])
    np.testing.assert_allclose(view.points["tokens"], tokens, rtol=1e-12)
    assert "N ∝ C^0." in repr(view)


def test_counts_move_the_exponent_and_the_loss():
    law = LAWS["besiroglu2024"]
    bare, whole = (pearce2024.view(count, "besiroglu2024") for count in ("nonembedding", "total"))
    assert bare.size_exponent > whole.size_exponent + 0.2
    assert bare.loss_exponent > whole.loss_exponent > whole.reducible_exponent
    assert bare.offset == law.E


# ------------------------------------------------------------------ hostile input


LAW = LAWS["besiroglu2024"]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: EmbeddingModel(-1.0), "omega must be finite and at least 0, got -1"),
        (lambda: EmbeddingModel(np.nan), "omega must be finite and at least 0, got nan"),
        (lambda: EmbeddingModel(1.0, 0.0), "exponent must be above 0 and at most 1, got 0"),
        (lambda: EmbeddingModel(1.0, 1.5), "exponent must be above 0 and at most 1, got 1.5"),
        (lambda: EmbeddingModel.from_shape(0, 40), "vocab must be positive, got 0"),
        (lambda: MODEL.total(-3), "params_nonembedding must be positive, got -3"),
        (lambda: MODEL.nonembedding([1e9, 0]), "params must be positive, got 0"),
        (lambda: fit_embedding_model([1e6, 1e7], [1e6]), "as many counts"),
        (lambda: fit_embedding_model([1e6, 1e7], [2e6, 1e7]), r"params must be larger .* got 1e\+07"),
        (
            lambda: fit_embedding_model([1e6, 1e6], [2e6, 3e6]).law,
            "1 distinct value of params_nonembedding; at least 2",
        ),
        (lambda: local_exponent(LAW, 0, MODEL), "params_nonembedding must be positive, got 0"),
        (lambda: local_exponent(scaling.ChinchillaLaw(1, 1, 1, 0, 1), 1e6, MODEL), "alpha must be positive, got 0"),
        (lambda: nonembedding_flops(scaling.ChinchillaLaw(1, 1, -2, 1, 1), 1e6, MODEL), "B must be positive, got -2"),
        (lambda: kaplan_view(LAW, [1e6], [1e18], MODEL), "at least two budgets are needed for an exponent, got 1"),
        (lambda: kaplan_view(LAW, [-1e6], [1e18, 1e19], MODEL), "params_nonembedding must be positive"),
        (lambda: kaplan_view(LAW, [1e6], [1e18, np.nan], MODEL), "flops must be positive, got nan"),
        (lambda: kaplan_view(LAW, [1e6], [1e18, 1e19], MODEL, "all"), "count must be 'nonembedding' or 'total'"),
    ],
)
def test_what_makes_no_sense_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()

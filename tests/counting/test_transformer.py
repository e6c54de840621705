"""Counting: identities, and the printed digits of Hoffmann et al.'s Tables A4 and A9."""

from dataclasses import replace

import numpy as np
import pytest

from scaling import published
from scaling.counting.transformer import (
    Architecture,
    architectures,
    configurations,
    count_params,
    flops_by_part,
    forward_flops,
    params_by_part,
    training_flops,
)
from scaling.sources import published_table

GPT = Architecture(d_model=64, n_layers=3, n_heads=4, d_head=16, d_ff=256, vocab=1000, n_ctx=128)
TABLE = architectures()
# model of Table A4 -> row of Table A9
TABLE_A4 = {"73M": "74M", "305M": "306M", "552M": "552M", "1.1B": "1143M", "1.6B": "1593M", "6.8B": "6796M"}


def test_twelve_layers_width_squared():
    assert count_params(GPT, "kaplan", embeddings=False) == 12 * 3 * 64**2


def test_smallest_model_of_kaplan_is_768_parameters():
    arch = Architecture(d_model=8, n_layers=1, n_heads=1, d_head=8, d_ff=32, vocab=50257, n_ctx=1024)
    assert count_params(arch, "kaplan", embeddings=False) == float(published("kaplan2020/params/smallest"))


@pytest.mark.parametrize("convention", ["kaplan", "chinchilla"])
def test_parts_add_up(convention):
    parts = params_by_part(GPT, convention)
    assert sum(parts.values()) == count_params(GPT, convention)
    assert count_params(GPT, convention) - count_params(GPT, convention, embeddings=False) == parts["embedding"]


def test_embeddings_of_each_convention():
    assert params_by_part(GPT, "kaplan")["embedding"] == (1000 + 128) * 64
    assert params_by_part(GPT)["embedding"] == 1000 * 64


@pytest.mark.parametrize("model", TABLE.index)
def test_table_a9(model):
    ours = count_params(Architecture.from_row(TABLE.loc[model])) / 1e6
    assert round(ours) == TABLE.loc[model, "params_millions"]


def test_there_are_fifty_architectures_in_order():
    assert len(TABLE) == 50
    assert TABLE["params_millions"].is_monotonic_increasing
    assert (TABLE["ffw"] == 4 * TABLE["d_model"]).all()


@pytest.mark.parametrize(("size", "model"), TABLE_A4.items())
def test_table_a4_without_embeddings_and_logits(size, model):
    arch = Architecture.from_row(TABLE.loc[model])
    ratio = training_flops(arch, 1.0, "chinchilla", embeddings=False) / training_flops(arch, 1.0)
    assert round(ratio, 2) == float(published(f"hoffmann2022/tableA4/{size}"))


def test_table_a4_does_not_follow_from_the_appendix_as_written():
    arch = Architecture.from_row(TABLE.loc["74M"])
    ratio = training_flops(arch, 1.0, "chinchilla") / training_flops(arch, 1.0)
    assert ratio == pytest.approx(1.58, abs=0.005)


def test_appendix_f_for_a_sequence():
    L, d, h, k, f, V, S = 3, 64, 4, 16, 256, 1000, 128
    q = h * k
    layer = 2 * 3 * S * d * q + 2 * S * S * q + 3 * h * S * S + 2 * S * S * q + 2 * S * q * d + 2 * S * (d * f + d * f)
    assert forward_flops(GPT, "chinchilla") * S == 2 * S * V * d + L * layer + 2 * S * d * V
    assert sum(flops_by_part(GPT).values()) == forward_flops(GPT, "chinchilla")


def test_kaplan_forward():
    assert forward_flops(GPT, "kaplan") == 2 * 12 * 3 * 64**2 + 2 * 3 * 128 * 64
    with pytest.raises(ValueError, match="no embeddings"):
        forward_flops(GPT, "kaplan", embeddings=True)


def test_six_n_d():
    params, tokens = np.array([1e8, 1e9]), np.array([[1e9], [1e10]])
    np.testing.assert_allclose(training_flops(params, tokens), 6 * params * tokens, rtol=1e-12)
    assert training_flops(GPT, 10.0) == 60 * count_params(GPT)
    for convention in ("6ND", "kaplan", "chinchilla"):
        assert training_flops(GPT, 7.0, convention) == pytest.approx(21 * forward_flops(GPT, convention), rel=1e-12)


@pytest.mark.parametrize("name", ["gopher", "chinchilla"])
def test_gopher_and_chinchilla(name):
    shape = {q: float(published(f"hoffmann2022/table4/{name}/{q}")) for q in ("layers", "heads", "kv", "d_model")}
    arch = Architecture.from_row({**shape, "ffw": 4 * shape["d_model"]})
    assert count_params(arch) == pytest.approx(float(published(f"hoffmann2022/table4/{name}/params")), rel=0.002)


@pytest.mark.parametrize("value", [0, -3, 2.5, "8", True, None, float("nan"), float("inf")])
def test_shape_errors_name_the_argument_and_the_value(value):
    with pytest.raises(ValueError, match=f"n_layers must be a positive whole number, got {value!r}"):
        Architecture(64, value, 4, 16, 256, 1000, 128)


def test_whole_numbers_of_any_type_are_welcome():
    assert Architecture(64.0, 3, 4, 16, 256, 1000, 128) == GPT
    assert Architecture(*np.array([64, 3, 4, 16, 256, 1000, 128])) == GPT
    assert type(Architecture(*np.array([64, 3, 4, 16, 256, 1000, 128])).d_model) is int


def test_argument_errors():
    with pytest.raises(ValueError, match="tokens must be positive and finite, got -1"):
        training_flops(1e9, [1e9, -1])
    with pytest.raises(ValueError, match="params must be positive and finite, got 0"):
        training_flops(0, 1e9)
    with pytest.raises(ValueError, match="no convention 'chincilla'; known: 6ND, kaplan, chinchilla"):
        training_flops(GPT, 1e9, "chincilla")
    with pytest.raises(ValueError, match="give an Architecture"):
        training_flops(1e9, 1e9, "chinchilla")
    with pytest.raises(ValueError, match="known: chinchilla, kaplan"):
        count_params(GPT, "6ND")


@pytest.mark.parametrize("model", configurations().index)
def test_published_configurations_are_counted_to_the_last_parameter(model):
    arch, printed = Architecture.from_published(model), published_table("releases2024")["value"]
    counts = {
        "params": count_params(arch, "as built"),
        "nonembedding": count_params(arch, "as built", embeddings=False),
    }
    of_model = {name: printed.get(f"releases2024/{model.replace('-', '_')}/{name}") for name in counts}
    assert any(of_model.values())
    slips = {"Pythia-12B": 128}  # the card's total is not the sum of its own parts
    for name, count in counts.items():
        if of_model[name] is not None:
            assert of_model[name] - count == (slips.get(model, 0) if name == "params" else 0)


def test_a_plain_count_misses_todays_models():
    """Without grouped queries, gates, untied logits and rotary positions the usual counts are off."""
    for model in ("Llama-2-7B", "Llama-3-8B", "Llama-3-70B"):
        arch = Architecture.from_published(model)
        plain = replace(arch, n_kv_heads=arch.n_heads, gated=False, tied=True)
        assert 0.05 < abs(count_params(plain) / count_params(arch, "as built") - 1) < 0.30
        assert abs(count_params(arch, "kaplan") / count_params(arch, "as built") - 1) < 0.005


def test_a_routed_model_holds_all_experts_and_pays_for_those_that_a_token_meets():
    arch = Architecture.from_published("Mixtral-8x7B")
    expert = arch.n_layers * 3 * arch.d_model * arch.d_ff
    idle = count_params(arch, "as built") - count_params(arch, "as built", active=True)
    assert idle == (arch.n_experts - arch.active_experts) * expert
    dense = replace(arch, n_experts=1, active_experts=1)
    assert params_by_part(arch)["router"] == arch.n_layers * arch.d_model * arch.n_experts
    assert "router" not in params_by_part(dense)
    for convention in ("6ND", "kaplan", "chinchilla"):
        more = replace(arch, n_experts=2 * arch.n_experts)  # as many meet a token: only the router grows
        router = 2 * arch.n_layers * arch.d_model * arch.n_experts
        assert forward_flops(more, convention) - forward_flops(arch, convention) == router
        both = replace(arch, active_experts=2 * arch.active_experts)
        assert forward_flops(both, convention) > 1.4 * forward_flops(arch, convention)


def test_shared_keys_gates_and_tied_logits_change_what_they_say():
    n, d, f, V = GPT.n_layers, GPT.d_model, GPT.d_ff, GPT.vocab
    for convention in ("kaplan", "as built"):
        whole = count_params(GPT, convention)
        assert whole - count_params(replace(GPT, n_kv_heads=1), convention) == n * 2 * d * (GPT.d_attn - GPT.d_head)
        assert count_params(replace(GPT, gated=True), convention) - whole == n * d * f
        assert count_params(replace(GPT, tied=False), convention) - whole == V * d
    flops = flops_by_part(GPT)
    assert flops_by_part(replace(GPT, gated=True))["feed_forward"] == 1.5 * flops["feed_forward"]
    assert flops["attention"] - flops_by_part(replace(GPT, n_kv_heads=2))["attention"] == n * 4 * d * GPT.d_attn // 2


def test_biases_and_positions_as_built():
    bare = count_params(GPT, "as built")
    n, d, q, f = GPT.n_layers, GPT.d_model, GPT.d_attn, GPT.d_ff
    assert count_params(replace(GPT, biases="attention"), "as built") - bare == 3 * n * q
    assert count_params(replace(GPT, biases="all"), "as built") - bare == n * (3 * q + d + f + d) + n * 2 * d + d
    assert count_params(replace(GPT, learned_positions=True), "as built") - bare == GPT.n_ctx * d


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_kv_heads": 3}, "n_kv_heads must divide n_heads = 4, got 3"),
        ({"n_kv_heads": 0}, "n_kv_heads must be a positive whole number, got 0"),
        ({"active_experts": 2}, "active_experts must be at most n_experts = 1, got 2"),
        ({"biases": True}, "biases must be one of none, attention, all, got True"),
        ({"gated": "no"}, "gated must be True or False, got 'no'"),
    ],
)
def test_options_that_make_no_model_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        replace(GPT, **options)


def test_unknown_configurations_are_named_with_the_known_ones():
    with pytest.raises(ValueError, match="no configuration is called 'Llama-4'; known: GPT-2, .*Mixtral-8x7B"):
        Architecture.from_published("Llama-4")

"""What `scaling check` advises for tables that are not yet one run a row of one kind of model."""

import json
import struct

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.errors import RunsError
from scaling.runs import collect_logs, load_runs

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)


def check(table, path, *options):
    """The exit code and the output of `scaling check` of a table."""
    table.to_csv(path, index=False)
    result = CliRunner().invoke(main, ["check", str(path), *options])
    return result.exit_code, result.output


@pytest.mark.parametrize("active", ["active_params", "n_activated_params", "params_active"])
def test_active_parameters_are_no_setting_that_was_tuned(active, tmp_path):
    """Models equal in total differ by what is active: neither a sweep, nor families, nor diverged runs."""
    N, D = (x.ravel() for x in np.meshgrid(np.geomspace(1e8, 3e9, 5), np.geomspace(5e9, 8e10, 5)))
    table = pd.DataFrame({"total_params": 2e10, active: N, "tokens": D, "loss": LAW.loss(N, D)})
    code, output = check(table, tmp_path / "t.csv")
    assert code == 1
    looks = output.partition("Worth a look")[2].partition("IsoFLOP")[0].strip().splitlines()
    assert len(looks) == 1, looks
    assert f"--column params='{active}'" in looks[0]
    assert check(table, tmp_path / "t.csv", "--column", f"params={active}")[0] == 0


def test_the_number_of_experts_is_said_before_what_else_differs(tmp_path):
    N, D, many = (x.ravel() for x in np.meshgrid([1e8, 3e8, 1e9], [3e9, 1e10, 3e10], [1, 4, 16]))
    table = pd.DataFrame({"params": N, "tokens": D, "num_experts": many, "loss": LAW.loss(N * many**0.3, D)})
    output = check(table, tmp_path / "t.csv")[1]
    assert "a mixture of experts" in output.partition("Worth a look")[2].strip().splitlines()[0]
    assert "diverged" not in output


@pytest.mark.parametrize(
    ("names", "formula"),
    [
        (("n_layer", "n_embd", "vocab_size"), "12 * n_layer * n_embd ** 2 + vocab_size * n_embd"),
        (("num_hidden_layers", "hidden_size", None), "12 * num_hidden_layers * hidden_size ** 2"),
    ],
)
def test_sizes_follow_from_the_shape_of_models(names, formula, tmp_path):
    depth, width, words = names
    rows = [(L, 64 * L, D) for L in (4, 8, 12, 16) for D in (1e9, 4e9, 1.6e10)]
    table = pd.DataFrame(rows, columns=[depth, width, "tokens"])
    size = 12.0 * table[depth] * table[width] ** 2 + (0 if words is None else 50304 * table[width])
    table["loss"] = LAW.loss(size, table["tokens"])
    if words:
        table[words] = 50304
    code, output = check(table, tmp_path / "t.csv")
    assert code == 1
    assert f"--derive params='{formula}'" in output
    assert "one variable" not in output  # models of four sizes are none
    runs = load_runs(tmp_path / "t.csv", derive={"params": formula})
    np.testing.assert_allclose(runs["params"], size)
    assert scaling.fit_parametric(runs).law.alpha == pytest.approx(LAW.alpha, rel=1e-3)


def test_columns_are_listed_once(tmp_path):
    output = check(pd.DataFrame({"a": [1], "b": [2], "loss": [3.0]}), tmp_path / "t.csv")[1]
    assert output.count("columns found") == 1
    assert "'params' or as 'tokens' or as 'flops'" in output


def test_steps_of_a_batch_that_is_not_told_become_tokens_by_an_option(tmp_path):
    rows = [(N, steps) for N in (1e8, 3e8, 1e9) for steps in (1000, 2000, 4000, 8000)]
    table = pd.DataFrame(rows, columns=["params", "step"]).assign(per_device_train_batch_size=8)
    table["loss"] = LAW.loss(table["params"], table["step"] * 262144.0)
    code, output = check(table, tmp_path / "t.csv")
    assert code == 1
    assert "--derive tokens='step * SEQUENCES * LENGTH'" in output
    assert check(table, tmp_path / "t.csv", "--derive", "tokens=step * 256 * 1024")[0] == 0


@pytest.mark.parametrize("name", ["trainer_state.json", "events.out.tfevents.1700000000.host", "wandb-summary.json"])
def test_logs_are_sent_to_their_command(name, tmp_path):
    folder = tmp_path / "my runs"
    folder.mkdir()
    (folder / name).write_text("{}")
    for path in (folder, folder / name):
        with pytest.raises(RunsError, match=f"scaling collect '{path}' -o runs.csv"):
            load_runs(path)


def test_of_two_equal_parts_of_a_model_the_one_that_is_multiplied_with_is_named(tmp_path):
    depth, budget = (x.ravel() for x in np.meshgrid(range(8, 20, 2), [1e18, 3e18, 1e19]))
    sheet = pd.DataFrame({"flops_budget": budget, "params_embedding": 32768.0 * 64 * depth})
    sheet["params_lm_head"], sheet["params_layers"] = sheet["params_embedding"], 12.0 * 64**2 * depth**3
    size = sheet["params_lm_head"] + sheet["params_layers"]
    sheet["params_total"] = size + 5 * sheet["params_embedding"]
    sheet["tokens"], sheet["loss"] = budget / (6.9 * size), LAW.loss(size, budget / (6.9 * size))
    output = check(sheet, tmp_path / "t.csv")[1]
    assert "--derive params='params_lm_head + params_layers'" in output
    told = check(sheet, tmp_path / "t.csv", "--derive", "params=params_lm_head + params_layers")[1]
    assert "budget is not 6·params·tokens but 1.15 times that" in told
    assert "takes that count" not in told  # it is taken


def state(folder, tokens=0, flos=0.0, steps=100):
    history = [{"step": steps // 2, "eval_loss": 3.2}, {"step": steps, "loss": 3.1}, {"step": steps, "eval_loss": 3.0}]
    whole = {"global_step": steps, "num_input_tokens_seen": tokens, "total_flos": flos, "log_history": history}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainer_state.json").write_text(json.dumps(whole))


def weights(path, **shapes):
    """The header of a file of weights; the numbers that it tells of are left out."""
    header = {name: {"dtype": kind, "shape": shape, "data_offsets": [0, 0]} for name, (kind, shape) in shapes.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def test_what_a_trainer_ends_with_is_taken(tmp_path):
    state(tmp_path / "run" / "checkpoint-100", tokens=10**9, flos=6e17)
    table = collect_logs(tmp_path, curves=True)
    assert table["tokens"].to_list()[-1] == 10**9
    assert np.isnan(table["tokens"].to_list()[0])
    assert table["total_flos"].to_list()[-1] == 6e17
    assert any("without embeddings" in note for note in table.attrs["notes"])
    state(tmp_path / "run" / "checkpoint-100")
    table = collect_logs(tmp_path)
    assert not {"tokens", "total_flos"} & set(table)  # a Trainer that does not count has zeros there


def test_weights_beside_a_trainer_are_counted(tmp_path):
    folder = tmp_path / "run" / "checkpoint-100"
    state(folder, tokens=10**9)
    weights(folder / "model.safetensors", wte=("BF16", [500, 64]), head=("F32", [64]), mask=("BOOL", [1024, 1024]))
    assert collect_logs(tmp_path)["params"].to_list() == [500 * 64 + 64]
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    assert "params" not in collect_logs(tmp_path)  # one of two is missing
    weights(folder / "model-00002-of-00002.safetensors", body=("F16", [10, 20, 30]))
    assert collect_logs(tmp_path)["params"].to_list() == [500 * 64 + 64 + 6000]
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"\x10\x00")
    assert "params" not in collect_logs(tmp_path)

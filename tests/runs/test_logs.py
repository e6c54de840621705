"""Logs of training tools, each in its own layout, become the runs that they tell of."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.errors import RunsError
from scaling.runs import collect_logs, load_runs
from scaling.runs.logs import records

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
SIZES = (2e7, 1e8, 5e8)
STEPS = (2000, 4000, 8000, 16000)
TOKENS = 256 * 1024  # a step
EVALS = 4


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1))


def runs():
    """Name, size, and (step, loss) of each evaluation of twelve runs."""
    for N in SIZES:
        for steps in STEPS:
            points = [
                (steps * k // EVALS, round(float(LAW.loss(N, steps * k / EVALS * TOKENS)), 6))
                for k in range(1, EVALS + 1)
            ]
            yield f"n{N:.0e}-s{steps}", N, points


def huggingface(root):
    for name, N, points in runs():
        history = []
        for step, loss in points:
            history += [{"step": step, "loss": loss + 0.1, "learning_rate": 1e-3, "epoch": 0.1}]
            history += [{"step": step, "eval_loss": loss, "eval_runtime": 1.0}]
            state = {"global_step": step, "train_batch_size": 8, "total_flos": 0, "log_history": list(history)}
            write(root / name / f"checkpoint-{step}" / "trainer_state.json", state)
        settings = {"n_params": N, "global_batch_size": 256, "max_seq_len": 1024}
        write(root / name / f"checkpoint-{points[-1][0]}" / "config.json", settings)


def wandb(root):
    for name, N, points in runs():
        folder = root / "wandb" / f"run-20260101-{name}" / "files"
        step, loss = points[-1]
        write(
            folder / "wandb-summary.json",
            {"_step": step // 10, "global_step": step, "val/loss": loss, "_runtime": 9.5, "tokens": step * TOKENS},
        )
        write(
            folder / "config.yaml", f"wandb_version: 1\nn_params:\n  desc: null\n  value: {N:.6e}\nlr:\n  value: 1e-3\n"
        )


def histories(root):
    for name, N, points in runs():
        lines = [
            {"_step": step // 10, "step": step, "val_loss": loss, "tokens": step * TOKENS} for step, loss in points
        ]
        write(root / name / "history.jsonl", "\n".join(map(json.dumps, lines)) + "\n")
        write(root / name / "config.json", {"model": {"n_params": N}})


def lightning(root):
    for k, (_, N, points) in enumerate(runs()):
        rows = [f"0,{loss + 0.1},{step},\n0,,{step},{loss}" for step, loss in points]
        write(
            root / "lightning_logs" / f"version_{k}" / "metrics.csv",
            "epoch,train_loss,step,val_loss\n" + "\n".join(rows) + "\n",
        )
        settings = f"n_params: {N:.6e}\nglobal_batch_size: 256\nseq_len: 1024\noptimizer: adamw\n"
        write(root / "lightning_logs" / f"version_{k}" / "hparams.yaml", settings)


def mlflow(root):
    for name, N, points in runs():
        folder = root / "mlruns" / "0" / f"{abs(hash(name)):x}"
        write(folder / "meta.yaml", f"run_name: {name}\nstatus: 3\n")
        write(folder / "metrics" / "val_loss", "".join(f"1700000000 {loss} {step}\n" for step, loss in points))
        write(folder / "metrics" / "tokens", "".join(f"1700000000 {step * TOKENS} {step}\n" for step, _ in points))
        write(folder / "params" / "n_params", f"{N:.0f}")
        write(folder / "tags" / "mlflow.runName", name)


def hydra(root):
    for k, (_, N, points) in enumerate(runs()):
        job = root / "multirun" / "2026-01-01" / "12-00-00" / str(k)
        write(
            job / ".hydra" / "config.yaml", f"model:\n  n_params: {N:.6e}\ndata:\n  batch_size: 256\n  seq_len: 1024\n"
        )
        write(job / "metrics.csv", "step,val_loss\n" + "".join(f"{step},{loss}\n" for step, loss in points))


def nanogpt(root):
    for name, N, points in runs():
        lines = [f"tokens per iteration will be: {TOKENS:,}", f"number of parameters: {N / 1e6:.2f}M"]
        for step, loss in points:
            lines += [
                f"step {step}: train loss {loss - 0.1:.6f}, val loss {loss:.6f}",
                f"iter {step}: loss {loss:.4f}, time 30.00ms, mfu 40%",
            ]
        write(root / f"{name}.log", "\n".join(lines) + "\n")


def nanochat(root):
    for name, N, points in runs():
        lines = [f"Number of parameters: {N:,.0f}", f"Total batch size {TOKENS:,} => gradient accumulation steps: 1"]
        for step, loss in points:
            lines += [f"step {step:05d}/{points[-1][0]} (10.00%) | loss: {loss + 0.1:.6f} | lrm: 1.00 | tok/sec: 1,000"]
            lines += [f"Step {step:05d} | Validation loss: {loss:.6f}"]
        write(root / f"{name}.txt", "\n".join(lines) + "\n")


def megatron(root):
    for name, N, points in runs():
        lines = [
            "  seq_length ...................................... 1024",
            f" > number of parameters on (tensor, pipeline) model parallel rank (0, 0): {N:.0f}",
        ]
        for step, loss in points:
            lines += [
                f" iteration {step:8d}/ {points[-1][0]:8d} | consumed samples: {step * 256:12d} | "
                f"elapsed time per iteration (ms): 10.0 | "
                f"learning rate: 1.000E-03 | global batch size:   256 | lm loss: {loss + 0.1:.6E} | loss scale: 1.0 |"
            ]
            lines += [
                f" validation loss at iteration {step} | lm loss value: {loss:.6E} | lm loss PPL: {np.exp(loss):.6E} |"
            ]
        write(root / f"{name}.out", "\n".join(lines) + "\n")


LAYOUTS = [huggingface, wandb, histories, lightning, mlflow, hydra, nanogpt, nanochat, megatron]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_each_layout_gives_its_runs_and_the_law_behind_them(layout, tmp_path):
    layout(tmp_path)
    table = collect_logs(tmp_path)
    assert len(table) == len(SIZES) * len(STEPS)
    assert table["run"].is_unique
    table.to_csv(path := tmp_path.parent / f"{layout.__name__}.csv", index=False)
    read = load_runs(path)
    truth = {(N, points[-1][0]): points[-1][1] for _, N, points in runs()}
    assert len(read) == len(truth)
    for row in read.itertuples():
        assert row.tokens == pytest.approx(row.step * TOKENS, rel=1e-12)
        assert row.loss == pytest.approx(truth[row.params, row.step], rel=2e-6)
    fit = scaling.fit_parametric(read)
    assert fit.law.alpha == pytest.approx(LAW.alpha, rel=0.01)


@pytest.mark.parametrize("layout", [each for each in LAYOUTS if each is not wandb], ids=lambda layout: layout.__name__)
def test_curves(layout, tmp_path):
    layout(tmp_path)
    table = collect_logs(tmp_path, curves=True)
    assert len(table) == len(SIZES) * len(STEPS) * EVALS
    assert table.groupby("run").size().eq(EVALS).all()
    assert not {"train_loss", "val_loss", "eval_loss"} & set(table)
    table.to_csv(path := tmp_path.parent / "curves.csv", index=False)
    assert len(load_runs(path)) == len(table)


def test_a_model_spread_over_ranks_has_no_count_of_parameters(tmp_path):
    megatron(tmp_path)
    for path in tmp_path.glob("*.out"):
        line = " > number of parameters on (tensor, pipeline) model parallel rank (1, 0): 5000000\n"
        path.write_text(line + path.read_text())
    assert "params" not in collect_logs(tmp_path)


def test_the_batch_of_one_device_is_not_taken_for_the_batch(tmp_path):
    huggingface(tmp_path)
    for path in tmp_path.rglob("config.json"):
        write(path, {key: value for key, value in json.loads(path.read_text()).items() if key != "global_batch_size"})
    collect_logs(tmp_path).to_csv(path := tmp_path / "runs.csv", index=False)
    with pytest.raises(RunsError, match="tokens are steps x sequences of a step"):
        load_runs(path)


def test_calls_of_a_logger_are_not_steps_of_training(tmp_path):
    """A count of calls times the tokens of a step would be tokens that nobody trained on."""
    histories(tmp_path)
    for path in tmp_path.rglob("history.jsonl"):
        records = [json.loads(line) for line in path.read_text().splitlines()]
        write(
            path,
            "\n".join(json.dumps({k: v for k, v in each.items() if k not in ("tokens", "step")}) for each in records)
            + "\n",
        )
        write(path.parent / "config.json", {"n_params": 1e8, "global_batch_size": 256, "seq_len": 1024})
    collect_logs(tmp_path).to_csv(path := tmp_path / "runs.csv", index=False)
    with pytest.raises(RunsError, match="tokens"):
        load_runs(path)


def test_a_batch_in_sequences_is_not_taken_for_tokens(tmp_path):
    lines = ["Total batch size: 512", "number of parameters: 100.00M", "step 100: train loss 3.1, val loss 3.2"]
    write(tmp_path / "run.log", "\n".join(lines) + "\n")
    assert "tokens" not in collect_logs(tmp_path)


def test_the_command(tmp_path):
    nanogpt(tmp_path / "logs")
    out = tmp_path / "runs.csv"
    first = CliRunner().invoke(main, ["collect", str(tmp_path / "logs"), "-o", str(out)])
    assert first.exit_code == 0, first.output
    assert "12 runs" in first.output
    assert "leaves out the position embeddings: 12 runs" in first.output
    again = CliRunner().invoke(main, ["collect", str(tmp_path / "logs"), "-o", str(out)])
    assert again.exit_code == 1
    assert "--force" in again.output
    inside = CliRunner().invoke(main, ["collect", str(tmp_path / "logs"), "-o", str(tmp_path / "logs" / "runs.csv")])
    assert inside.exit_code == 1
    assert CliRunner().invoke(main, ["check", str(out)]).exit_code == 0


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("trainer_state.json", "{", "no whole JSON"),
        ("trainer_state.json", "{}", "no log_history"),
        ("history.jsonl", '{"loss": 1}\n', "without a step"),
        ("history.jsonl", "not json\n", "line 1 is no JSON"),
        ("metrics.csv", "a,b\n1,2\n", "without a step"),
        ("notes.txt", "nothing of the kind\n", "no log of a run"),
        (".hydra/config.yaml", "a: [1\n", "no YAML"),
    ],
)
def test_what_is_broken_is_named(name, text, words, tmp_path):
    write(tmp_path / name, text)
    with pytest.raises(RunsError, match=words):
        collect_logs(tmp_path)


def test_settings_in_yaml_never_make_objects(tmp_path):
    write(tmp_path / "metrics.csv", "step,val_loss\n1,3.0\n")
    write(tmp_path / "hparams.yaml", "model: !!python/object/apply:os.system ['echo no']\nlr: 3e-4\n")
    table = collect_logs(tmp_path)
    assert table["lr"].to_list() == [3e-4]


def test_a_path_that_is_not_there():
    with pytest.raises(RunsError, match="no such file or folder"):
        collect_logs(Path("nowhere at all"))


def test_several_places_keep_their_names_apart(tmp_path):
    nanogpt(tmp_path / "a")
    nanogpt(tmp_path / "b")
    table = collect_logs([tmp_path / "a", tmp_path / "b"])
    assert table["run"].is_unique
    assert pd.Series(table["run"]).str.startswith(("a/", "b/")).all()


def test_without_its_package_an_event_file_is_named_as_what_it_is(tmp_path, monkeypatch):
    write(tmp_path / "events.out.tfevents.1700000000.host", "x")
    monkeypatch.setattr(records.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunsError, match=r"event file of TensorBoard, and reading it needs.*\[tensorboard\]"):
        collect_logs(tmp_path)

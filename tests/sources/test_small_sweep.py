"""Our own runs: the tables are what the scripts beside them make, and the scripts survive being killed."""

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import scaling

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "small_sweep"
DESIGN = pd.read_csv(FOLDER / "design.csv")
#: seconds after which something is broken, and not only slow
PATIENCE = 900
TABLES = ["small_sweep", "small_sweep_repeated", "small_sweep_rates", "small_sweep_experiments"]


@pytest.fixture
def script(monkeypatch):
    """Import one of the scripts by name, or skip where what it needs is not installed."""
    monkeypatch.syspath_prepend(str(FOLDER))

    def load(name):
        for needed in ("torch", "tokenizers"):
            if name != "design" and importlib.util.find_spec(needed) is None:
                pytest.skip(f"{needed} is not installed; 'make sweep' and .ci/run install it")
        return importlib.import_module(name)

    return load


# --- the tables ----------------------------------------------------------------------------------------------------


def test_the_design_is_what_its_script_writes(script):
    written = script("design").design()
    pd.testing.assert_frame_equal(written.reset_index(drop=True), DESIGN, check_dtype=False)


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_runs_of_the_design(name):
    runs = scaling.sources.read_dataset(name).set_index("run")
    planned = DESIGN.set_index("run").loc[runs.index]
    assert runs.index.is_unique
    for column in ("arm", "d_model", "n_layers", "n_heads", "tokens", "batch_tokens", "learning_rate", "seed"):
        assert (runs[column] == planned[column]).all(), column
    assert runs["unique_tokens"].le(planned["unique_tokens"]).all()
    pd.testing.assert_series_equal(runs["budget"], planned["budget"], check_dtype=False)
    np.testing.assert_allclose(runs["flops"], 6 * runs["params"] * runs["tokens"], rtol=1e-12)
    np.testing.assert_allclose(runs["flops_nonembedding"], 6 * runs["params_nonembedding"] * runs["tokens"], rtol=1e-12)
    groups = runs[runs["budget"].notna()]
    np.testing.assert_allclose(groups["flops"], groups["budget"], rtol=0.01)


@pytest.mark.parametrize("name", TABLES)
def test_sizes_follow_from_the_shapes(name, script):
    design = script("design")
    for row in scaling.sources.read_dataset(name).itertuples():
        if getattr(row, "architecture", "") == "recurrent":
            continue
        assert row.params == design.params(row.d_model, row.n_layers)
        assert row.params - row.params_nonembedding == (2 * design.VOCAB + design.CONTEXT) * row.d_model
        shape = scaling.counting.Architecture(
            row.d_model, row.n_layers, row.n_heads, row.d_model // row.n_heads, 4 * row.d_model, design.VOCAB, 256
        )
        assert row.flops_exact == scaling.counting.training_flops(shape, row.tokens, "chinchilla")


def test_no_run_reads_a_token_twice_unless_the_design_says_so():
    runs = scaling.sources.read_dataset("small_sweep")
    assert (runs["unique_tokens"] == runs["tokens"]).all()
    repeated = scaling.sources.read_dataset("small_sweep_repeated")
    assert (repeated["unique_tokens"] <= repeated["tokens"]).all()
    assert (repeated["unique_tokens"] < repeated["tokens"]).any()


def test_curves_end_where_their_runs_end():
    curves = scaling.load_runs("small_sweep_curves")
    runs = scaling.load_runs("small_sweep").set_index("run")
    last = curves.groupby("run").last()
    assert set(last.index) == set(runs.index)
    np.testing.assert_array_equal(last["tokens"], runs.loc[last.index, "tokens"])
    # the curve is a mean over the last tenth of the training batches: close to the held-out loss, not equal
    assert (last["loss"] - runs.loc[last.index, "loss"]).abs().max() < 0.25
    assert (curves.groupby("run").size() >= 15).all()


def test_experiments_have_curves_too():
    curves = scaling.load_runs("small_sweep_experiment_curves")
    runs = scaling.load_runs("small_sweep_experiments").set_index("run")
    last = curves.groupby("run").last()
    assert set(last.index) == set(runs.index)
    np.testing.assert_array_equal(last["tokens"], runs.loc[last.index, "tokens"])


def test_diverged_runs_are_left_out_with_a_word():
    table = scaling.sources.read_dataset("small_sweep")
    table.loc[0, ["status", "loss"]] = ["diverged", np.nan]
    with pytest.warns(scaling.errors.RunsWarning, match="'diverged' 1"):
        assert len(scaling.load_runs(table)) == len(table) - 1


# --- the scripts ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tokens(tmp_path):
    """A corpus of invented tokens, with some order in them, in place of the real one."""
    rng = np.random.default_rng(0)
    for part, size in (("training", 400_000), ("validation", 30_000)):
        steps = rng.integers(0, 8, size).cumsum() % 1_024
        steps.astype("<u2").tofile(tmp_path / f"{part}.bin")
    return tmp_path


def small_spec(train, run="tiny", **changes):
    values = dict(run=run, arm="isoflop", budget=float("nan"), d_model=8, n_layers=1, n_heads=1, tokens=51_200)
    values |= dict(unique_tokens=51_200, batch_tokens=512, learning_rate=0.03, seed=0)
    return train.Spec(**values | changes)


@pytest.mark.slow
def test_same_seed_same_loss(script, tokens):
    train = script("train")
    rows = [train.train_run(small_spec(train), tokens, tokens / "none.pt")[0] for _ in range(2)]
    assert rows[0]["loss"] == rows[1]["loss"] < np.log(1_024)
    assert rows[0]["status"] == "finished"
    assert train.train_run(small_spec(train, seed=1), tokens, tokens / "none.pt")[0]["loss"] != rows[0]["loss"]


@pytest.mark.slow
def test_a_run_that_goes_on_from_a_checkpoint_ends_as_one_that_was_not_interrupted(script, tokens, monkeypatch):
    train = script("train")
    expected, curve = train.train_run(small_spec(train), tokens, tokens / "none.pt")
    monkeypatch.setattr(train, "CHECKPOINT_EVERY", 0)
    save, calls = train.State.save, []

    def save_and_stop(state, path):
        save(state, path)
        calls.append(len(state.losses))
        if len(calls) == 40:
            raise KeyboardInterrupt

    monkeypatch.setattr(train.State, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        train.train_run(small_spec(train), tokens, tokens / "run.pt")
    row, again = train.train_run(small_spec(train), tokens, tokens / "run.pt")
    assert calls[40] == 41  # went on, not from the beginning
    assert row["loss"] == expected["loss"]
    pd.testing.assert_frame_equal(again, curve)


@pytest.mark.slow
def test_recurrent_networks_train_and_count_themselves(script, tokens):
    train = script("train")
    row, _ = train.train_run(small_spec(train, architecture="recurrent", arm="recurrent"), tokens, tokens / "none.pt")
    d = row["d_model"]
    assert row["params_nonembedding"] == 6 * d * d + 6 * d + d  # three gates with two matrices and two biases; a norm
    assert row["params"] == row["params_nonembedding"] + 2 * 1_024 * d
    assert row["loss"] < np.log(1_024)
    assert np.isnan(row["flops_exact"])
    assert row["cpu_seconds"] > 0


def test_a_run_that_diverges_says_so(script, tokens):
    train = script("train")
    row, _ = train.train_run(small_spec(train, learning_rate=1e4), tokens, tokens / "none.pt")
    assert row["status"] == "diverged"


SWEEP = """
import sys
from pathlib import Path
import train
from test_small_sweep import small_spec

if __name__ == "__main__":
    size = dict(tokens=102_400, unique_tokens=102_400)
    specs = [small_spec(train, f"run {seed}", seed=seed, **size) for seed in range(6)]
    for row in train.sweep(specs, Path(sys.argv[1]), Path(sys.argv[2]), workers=2):
        print(row["run"], flush=True)
"""


@pytest.mark.slow
def test_killing_the_sweep_loses_and_repeats_nothing(script, tokens, tmp_path):
    script("train")
    (tmp_path / "go.py").write_text(SWEEP)
    out = tmp_path / "out"
    path = os.pathsep.join([str(FOLDER), str(ROOT / "tests" / "sources"), str(ROOT)])
    command = [sys.executable, tmp_path / "go.py", tokens, out]
    options = dict(env=os.environ | {"PYTHONPATH": path}, text=True, stdout=subprocess.PIPE)
    with subprocess.Popen(command, **options) as first:
        done = [first.stdout.readline().strip() for _ in range(2)]
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=PATIENCE)  # the workers have its pipe: it ends when all have noticed and gone
    before = pd.read_csv(out / "runs.csv")
    assert set(done) <= set(before["run"])
    rest = subprocess.run(command, check=True, **options).stdout.split("\n")
    after = pd.read_csv(out / "runs.csv")
    assert sorted(after["run"]) == [f"run {seed}" for seed in range(6)]
    assert not set(rest) & set(before["run"])
    pd.testing.assert_frame_equal(after.iloc[: len(before)], before)
    assert set(pd.read_csv(out / "curves.csv.gz")["run"]) == set(after["run"])
    assert not list((out / "checkpoints").iterdir())


def test_a_full_disk_keeps_the_old_table(script, tmp_path, monkeypatch):
    train = script("train")
    train.append(tmp_path / "runs.csv", pd.DataFrame({"run": ["a"], "loss": [1.0]}))

    def fail(*arguments, **options):
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(OSError, match="No space"):
        train.append(tmp_path / "runs.csv", pd.DataFrame({"run": ["b"], "loss": [2.0]}))
    assert pd.read_csv(tmp_path / "runs.csv")["run"].tolist() == ["a"]


def test_windows_are_read_once_or_as_often_as_asked(script):
    train = script("train")
    order = train.draw_order(small_spec(train), 1_000)
    assert order.shape == (100, 2)
    assert len(np.unique(order)) == order.size
    counts = np.bincount(train.draw_order(small_spec(train, unique_tokens=12_800), 1_000).ravel())
    assert sorted(set(counts)) == [0, 4]
    with pytest.raises(ValueError, match="needs 200 windows and the corpus has 100"):
        train.draw_order(small_spec(train), 100)


def test_the_schedule_ends_at_a_tenth_with_the_run(script):
    train = script("train")
    spec = small_spec(train)
    rates = [train.learning_rate(spec, step) for step in range(spec.steps)]
    assert max(rates) == pytest.approx(spec.learning_rate)
    assert rates[-1] == pytest.approx(spec.learning_rate / 10)
    assert np.argmax(rates) in (4, 5)


def test_a_longer_cosine_is_cut_off_at_the_end_of_the_run(script):
    train = script("train")
    spec, long = small_spec(train), small_spec(train, horizon=2.0)
    twice = small_spec(train, tokens=2 * spec.tokens)
    warm_up = round(train.WARM_UP * spec.steps)
    rates = [train.learning_rate(long, step) for step in range(spec.steps)]
    assert rates[-1] > 0.5 * spec.learning_rate
    later = slice(2 * warm_up, spec.steps, 10)  # the warm-up is that of the run, the cosine that of the longer one
    expected = [train.learning_rate(twice, step) for step in range(spec.steps)]
    np.testing.assert_allclose(rates[later], expected[later], rtol=0.1)


def test_a_constant_rate_cools_down_in_the_last_fifth(script):
    train = script("train")
    spec = small_spec(train, schedule="wsd")
    rates = np.array([train.learning_rate(spec, step) for step in range(spec.steps)])
    assert (rates[5:80] == spec.learning_rate).all()
    assert rates[-1] == pytest.approx(spec.learning_rate / 10)
    np.testing.assert_allclose(np.diff(rates[81:], 2), 0, atol=1e-12)


def test_a_share_of_the_reading_comes_from_a_small_part(script):
    train = script("train")
    slots, windows = 20, 200
    for repeats in (1, 4, 20):
        unique = windows - slots + slots // repeats
        spec = small_spec(train, repeated_share=0.1, repeats=repeats, unique_tokens=256 * unique)
        counts = np.bincount(train.draw_order(spec, 1_000).ravel())
        assert np.count_nonzero(counts) == unique
        assert counts.sum() == windows
        assert (counts > 1).sum() == (slots // repeats if repeats > 1 else 0)
        assert counts.max() == repeats


def test_rounding_to_many_bits_changes_nothing_and_to_few_much(script, tokens, monkeypatch):
    train = script("train")
    import torch

    windows = train.read_windows(tokens / "validation.bin")
    monkeypatch.setattr(train, "BITS", (16, 8, 2))
    torch.manual_seed(0)
    network = train.Transformer(16, 1, 1)
    exact = train.validate(network, windows, "cpu")[0]
    losses = train.rounded_losses(network, windows, "cpu")
    assert losses["loss_16_bits"] == pytest.approx(exact, abs=1e-3)
    assert abs(losses["loss_8_bits"] - exact) < abs(losses["loss_2_bits"] - exact)


def test_experiments_vary_one_thing_each(script):
    """Beside the runs of the design that they are to be compared with."""
    train = script("train")
    table = scaling.sources.read_dataset("small_sweep_experiments")
    assert set(table["arm"]) == set(train.EXPERIMENTS)
    assert len(table) >= 60
    same = ["d_model", "n_layers", "tokens", "batch_tokens", "learning_rate"]
    for arm, varied in (("horizon", "horizon"), ("partly repeated", "repeats")):
        rows = table[table["arm"] == arm]
        assert (rows[same].nunique() == 1).all()
        assert rows[varied].nunique() == 5
        assert (rows.groupby(varied)["seed"].nunique() >= 2).all()
    shapes = table[table["arm"] == "shape"]
    assert shapes["params"].max() / shapes["params"].min() < 1.08
    assert (table[table["arm"] == "transfer"][["loss_code", "loss_prose"]] > 0).all().all()
    assert table[table["arm"] == "quantised"].filter(like="_bits").notna().all().all()


def test_loss_and_gradients_are_those_of_cross_entropy(script):
    model = script("model")
    import torch

    torch.manual_seed(0)
    network = model.Transformer(16, 2, 2)
    inputs, targets = torch.randint(0, 1_024, (2, 3, 256))
    results = []
    for loss in (network.loss(inputs, targets), _plain_loss(network, inputs, targets)):
        network.zero_grad()
        loss.backward()
        results.append([loss.detach(), *(p.grad.clone() for p in network.parameters())])
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(network.losses(inputs, targets).mean(), results[1][0])


def _plain_loss(network, inputs, targets):
    from torch.nn import functional as F

    return F.cross_entropy(network.logits(network.hidden(inputs)), targets.flatten())


def test_the_model_cannot_see_what_it_predicts(script):
    model = script("model")
    import torch

    torch.manual_seed(0)
    network = model.Transformer(16, 2, 2)
    tokens = torch.randint(0, 1_024, (1, 256))
    changed = tokens.clone()
    changed[0, 100:] = (changed[0, 100:] + 1) % 1_024
    before, after = network.hidden(tokens), network.hidden(changed)
    torch.testing.assert_close(before[:100], after[:100])
    assert not torch.allclose(before[100:], after[100:])


def test_cleaning_takes_the_licence_and_leaves_the_code(script):
    corpus = script("corpus")
    licence = "# Copyright 2020 Someone\n# All rights reserved\n\n"
    assert corpus.clean(licence + "import os\r\n\n\n\n\nx = 1  \n") == "import os\n\n\nx = 1\n"
    assert corpus.clean("# A comment\nimport os\n").startswith("# A comment")


def test_near_duplicates_share_their_shingles(script):
    corpus = script("corpus")
    lines = [f"value_{i} = compute({i * i})" for i in range(200)]
    edited = ["# another header", *lines[:100], "inserted", *lines[100:]]
    first, second = corpus.shingles("\n".join(lines)), corpus.shingles("\n".join(edited))
    other = corpus.shingles("\n".join(f"other_{i} = {i}" for i in range(200)))
    assert len(first & second) > 0.9 * len(second)
    assert not first & other


def test_a_changed_corpus_is_refused_by_name(script, tmp_path):
    corpus = script("corpus")
    (tmp_path / "training.bin").write_bytes(b"something else")
    with pytest.raises(Exception, match="training.bin has sha256 .* recorded is"):
        corpus.check([tmp_path / "training.bin"])


def test_every_package_is_pinned_with_its_hash():
    for line in (FOLDER / "packages.txt").read_text().splitlines():
        name, _, sha256 = line.partition(" --hash=sha256:")
        assert name.count("==") == 1
        assert len(sha256) == 64

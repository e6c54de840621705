"""Event files of TensorBoard, written by its layout's own writers, become the runs that they tell of."""

import importlib.util
import json
import struct

import numpy as np
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main
from scaling.errors import RunsError
from scaling.runs import collect_logs, load_runs

LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
TOKENS = 256 * 1024  # a step
#: an optional package, which the environment of the tests has
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorboardX") is None, reason="tensorboardX (extra tensorboard) is not installed"
)


def frame(message):
    """A record as the format has it: length, its checksum, message, its checksum."""
    from tensorboardX.record_writer import masked_crc32c

    head = struct.pack("<Q", len(message))
    return head + struct.pack("<I", masked_crc32c(head)) + message + struct.pack("<I", masked_crc32c(message))


def event(step, time, values=(), **fields):
    """One event with numbers by their tags, as `simple_value`, or as a tensor where a pair says of what kind."""
    from tensorboardX.proto.event_pb2 import Event

    made = Event(wall_time=time, step=step, **fields)
    for tag, number in dict(values).items():
        value = made.summary.value.add(tag=tag)
        if isinstance(number, float):
            value.simple_value = number
            continue
        kind, number = number
        value.metadata.plugin_data.plugin_name = "scalars"
        value.tensor.dtype = {"float": 1, "double": 2, "bytes": 1, "half": 19}[kind]
        if kind == "bytes":
            value.tensor.tensor_content = struct.pack("<f", number)
        elif kind == "half":
            value.tensor.tensor_content = np.float16(number).tobytes()
        else:
            getattr(value.tensor, f"{kind}_val").append(number)
    return frame(made.SerializeToString())


def events(folder, points, begun=1_700_000_000):
    """An event file with a point (step, numbers by their tags) a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"events.out.tfevents.{begun}.host.1.0"
    lines = [event(step, begun + 60.0 * k, values) for k, (step, values) in enumerate(points, 1)]
    path.write_bytes(event(0, float(begun), file_version="brain.Event:2") + b"".join(lines))
    return path


def losses(N, steps, evals=4, tag="val/loss", of=float):
    """Evaluations of a run under a tag, with a loss on training text 0.1 above."""
    at = [steps * k // evals for k in range(1, evals + 1)]
    return [(s, {tag: of(LAW.loss(N, s * TOKENS)), "train/loss": float(LAW.loss(N, s * TOKENS) + 0.1)}) for s in at]


def lightning(root, N, steps):
    """A TensorBoardLogger, with its settings in hparams.yaml and steps counted anew by `epoch`."""
    folder = root / "lightning_logs" / f"version_{N:.0f}_{steps}"
    points = [
        (step, {"val_loss": v["val/loss"], "train_loss_step": v["train/loss"], "epoch": 0.0})
        for step, v in losses(N, steps)
    ]
    events(folder, points)
    (folder / "hparams.yaml").write_text(f"n_params: {N:.6e}\nglobal_batch_size: 256\nseq_len: 1024\n")


def torch_writer(root, N, steps):
    """A SummaryWriter as scripts use it, with hyper-parameters in the folder that it makes for them."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(root / "runs" / f"{N:.0f}-{steps}")) as writer:
        for step, values in losses(N, steps):
            writer.add_scalar("Loss/validation", values["val/loss"], step)
            writer.add_scalar("Loss/train", values["train/loss"], step)
            writer.add_histogram("weights", np.arange(9.0), step)
        hyper = {"n_params": N, "global_batch_size": 256, "seq_len": 1024, "optimizer": "adamw", "tied": True}
        writer.add_hparams(hyper, {"hparam/best": 1.0}, name="1700000000.25")


def two_folders(root, N, steps):
    """Numbers as tensors, training and validation in a folder each, as Keras has them."""
    folder = root / f"{N:.0f}_{steps}"
    kind = {2000: "float", 4000: "double", 8000: "bytes"}.get(steps, "float")
    found = losses(N, steps, of=lambda loss: (kind, float(loss)))
    events(folder / "train", [(step, {"batch_loss": values["train/loss"]}) for step, values in found])
    tag = "evaluation_loss_vs_iterations"
    held = [(step, {tag: v["val/loss"], "epoch_loss": v["val/loss"]}) for step, v in found]
    events(folder / "validation", held)
    (folder / "args.json").write_text(json.dumps({"n_params": N, "global_batch_size": 256, "seq_len": 1024}))


def trainer(root, N, steps):
    """A Trainer of Hugging Face, whose arguments and configuration are texts."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(root / f"{N:.0f}-{steps}" / "runs" / "Jan01_host")) as writer:
        writer.add_text("args", json.dumps({"global_batch_size": 256, "max_seq_len": 1024, "learning_rate": 1e-3}))
        writer.add_text("model_config", json.dumps({"n_params": N}))
        for step, values in losses(N, steps):
            writer.add_scalar("train/loss", values["train/loss"], step)
            writer.add_scalar("eval/loss", values["val/loss"], step)
            writer.add_scalar("train/learning_rate", 1e-3, step)


LAYOUTS = [lightning, torch_writer, two_folders, trainer]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_each_layout_gives_its_runs_and_the_law_behind_them(layout, tmp_path):
    design = [(N, steps) for N in (2e7, 1e8, 5e8) for steps in (2000, 4000, 8000, 16000)]
    for N, steps in design:
        layout(tmp_path, N, steps)
    table = collect_logs(tmp_path)
    assert len(table) == 12
    assert table["run"].is_unique
    curves = collect_logs(tmp_path, curves=True)
    assert curves.groupby("run").size().eq(4).all()
    table.to_csv(path := tmp_path.parent / f"{layout.__name__}.csv", index=False)
    read = load_runs(path)
    assert {(row.params, row.step) for row in read.itertuples()} == set(design)
    for row in read.itertuples():
        assert row.tokens == pytest.approx(row.step * TOKENS, rel=1e-12)
        assert row.loss == pytest.approx(LAW.loss(row.params, row.tokens), rel=2e-6)
    assert scaling.fit_parametric(read).law.alpha == pytest.approx(LAW.alpha, rel=0.01)


def test_a_number_of_few_digits_is_as_it_was_logged(tmp_path):
    events(tmp_path / "a", [(10, {"val_loss": 3.1, "lr": 0.001, "small": ("half", 0.1)})])
    row = collect_logs(tmp_path).iloc[0]
    assert (row["lr"], row["small"]) == (0.001, float(np.float16(0.1)))


def test_a_run_that_still_writes_is_read_as_far_as_it_came(tmp_path):
    path = events(tmp_path / "a", [(step, {"val_loss": 3.0 - step / 1000}) for step in (10, 20, 30)])
    whole = path.read_bytes()
    for cut in range(1, 30):
        path.write_bytes(whole[:-cut])
        table = collect_logs(tmp_path)
        assert table["step"].to_list() == [20]
        assert any("not complete" in note and path.name in note for note in table.attrs["notes"])
    path.write_bytes(whole)
    assert collect_logs(tmp_path)["step"].to_list() == [30]


def test_a_broken_file_is_named_with_the_place(tmp_path):
    path = events(tmp_path / "a", [(step, {"val_loss": 3.0}) for step in (10, 20, 30)])
    whole = bytearray(path.read_bytes())
    first = len(event(0, 1.7e9, file_version="brain.Event:2"))
    for place, words in ((first, "of a length"), (first + 20, "of a record"), (first + 9, "of a length")):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with pytest.raises(RunsError, match=rf"events\.out.*\n?.*byte {first}: the checksum {words}"):
            collect_logs(tmp_path)
    path.write_bytes(whole[:first] + frame(b"\xff\xff no message"))
    with pytest.raises(RunsError, match=rf"byte {first}: a record is no event"):
        collect_logs(tmp_path)
    for text in (b"x", b"this is a text that somebody called by this name\n"):
        path.write_bytes(text)
        with pytest.raises(RunsError, match="no event file of TensorBoard, or one that was damaged"):
            collect_logs(tmp_path)


def test_pictures_may_be_broken(tmp_path):
    """Nobody waits for checksums of what is not read."""
    from tensorboardX.proto.event_pb2 import Event

    picture = Event(wall_time=1.0, step=1)
    picture.summary.value.add(tag="picture").image.encoded_image_string = b"0" * 100
    path = events(tmp_path / "a", [(10, {"val_loss": 3.0})])
    path.write_bytes(path.read_bytes() + frame(picture.SerializeToString())[:-4] + b"0000")
    assert len(collect_logs(tmp_path)) == 1


def test_a_restart_goes_on_where_the_earlier_file_was(tmp_path):
    events(tmp_path / "a", [(s, {"val_loss": 9.0 if s > 20 else 4.0}) for s in (10, 20, 30, 40)])
    events(tmp_path / "a", [(s, {"val_loss": 3.0}) for s in (30, 35)], begun=1_700_009_000)
    table = collect_logs(tmp_path, curves=True)
    assert table["step"].to_list() == [10, 20, 30, 35]
    assert table["loss"].to_list() == [4.0, 4.0, 3.0, 3.0]
    assert any("a restart" in note for note in table.attrs["notes"])


def test_files_of_one_run_may_be_named_one_by_one(tmp_path):
    files = [events(tmp_path / "a", [(10 * k, {"val_loss": 3.0})], begun=1_700_000_000 + k) for k in (1, 2)]
    assert len(collect_logs(files)) == 1
    assert len(collect_logs(files, curves=True)) == 2


def test_lines_of_one_figure_are_one_run(tmp_path):
    from tensorboardX import SummaryWriter

    for name in ("a", "b"):
        with SummaryWriter(str(tmp_path / name)) as writer:
            for step in (10, 20):
                writer.add_scalars("my/loss", {"train": 3.5, "val": 3.0}, step)
    table = collect_logs(tmp_path)
    assert table["run"].to_list() == ["a", "b"]
    assert table["loss"].to_list() == [3.0, 3.0]


def test_runs_that_are_called_train_and_test_are_two(tmp_path):
    events(tmp_path / "test", [(10, {"val_loss": 3.0})])
    events(tmp_path / "other", [(10, {"val_loss": 3.0})])
    assert set(collect_logs(tmp_path)["run"]) == {"test", "other"}


def test_epochs_are_not_taken_for_steps(tmp_path):
    """A loss logged by its epoch, beside others by steps: tokens = epoch x batch would be wrong a thousandfold."""
    folder = tmp_path / "a"
    points = []
    for epoch in range(1, 4):
        points += [(1000 * epoch - 500 + k, {"train/loss": 3.5}) for k in (0, 250)] + [(epoch, {"val/loss": 3.0})]
    events(folder, points)
    (folder / "config.json").write_text(json.dumps({"n_params": 1e8, "global_batch_size": 256, "seq_len": 1024}))
    table = collect_logs(tmp_path)
    assert "step" not in table
    assert table["epoch"].to_list() == [3]
    assert any("not the step of training" in note for note in table.attrs["notes"])
    table.to_csv(path := tmp_path / "runs.csv", index=False)
    with pytest.raises(RunsError, match="tokens"):
        load_runs(path)


def test_several_losses_on_held_out_text_are_asked_about(tmp_path):
    events(tmp_path / "a", [(10, {"val/web_loss": 3.0, "val/code_loss": 2.0, "train/loss": 2.5})])
    with pytest.raises(RunsError, match="val/web_loss, val/code_loss.*--loss NAME"):
        collect_logs(tmp_path)
    out = tmp_path / "runs.csv"
    told = CliRunner().invoke(main, ["collect", str(tmp_path / "a"), "-o", str(out), "--loss", "val/code_loss"])
    assert told.exit_code == 0, told.output
    assert "2.0" in out.read_text()


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        (("train/loss", "val/loss"), "val/loss"),
        (("Loss/train", "Loss/test"), "Loss/test"),
        (("loss/val", "loss/test", "loss/train"), "loss/val"),
        (("train/loss", "eval/loss", "eval/runtime"), "eval/loss"),
        (("lm loss", "lm loss validation", "lm loss validation ppl"), "lm loss validation"),
        (("train_loss_step", "train_loss_epoch", "val_loss_epoch"), "val_loss_epoch"),
        (("train/loss", "learning_rate"), "train/loss"),
        (("Loss/train", "Loss/val", "hparam/val_loss"), "Loss/val"),
    ],
)
def test_the_loss_on_held_out_text_is_preferred(tags, chosen, tmp_path):
    events(tmp_path / "a", [(10, {tag: 3.0 + k for k, tag in enumerate(tags)})])
    row = collect_logs(tmp_path).iloc[0]
    assert row["loss_from"] == chosen
    assert row["loss"] == 3.0 + tags.index(chosen)


def test_a_trainer_is_not_counted_twice(tmp_path):
    trainer(tmp_path, 1e8, 2000)
    output = tmp_path / "100000000-2000"
    state = {"log_history": [{"step": 2000, "eval_loss": 3.0}]}
    (output / "trainer_state.json").write_text(json.dumps(state))
    assert len(collect_logs(tmp_path)) == 1

"""What tools write: Hugging Face, Weights & Biases, Lightning, MLflow and Hydra."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import RunsError
from .log import Log, as_number, plain_numbers, read_json_file, read_yaml_file, settings, settings_beside
from .weights import count_weights

#: names of the step of a record
_STEPS = ("step", "global_step", "trainer/global_step", "train/global_step", "iteration", "iter")
#: how logs become a table, in words for those who take them for one
COLLECT = "scaling collect {} -o runs.csv makes a table"
#: what Weights & Biases counts by itself: calls of its logger, which are steps of training only if all are logged
CALLS, UNTOLD = "_step", "logger_calls"


def huggingface(path: Path) -> Log:
    """``trainer_state.json`` of a Trainer: the list of what was logged, training and evaluation apart.

    Of the checkpoints of one run each has the whole list up to it.
    """
    state = read_json_file(path)
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list):
        raise RunsError(str(path), ["this is no trainer_state.json: it has no log_history"])
    # what is stored there is the batch of one device in one pass
    small = state.get("train_batch_size")
    config = {"per_device_train_batch_size": small} if small else {}
    for beside in ("config.json", "training_args.json"):
        if (path.parent / beside).is_file():
            config |= settings(read_json_file(path.parent / beside))
    place = path.parent.parent if path.parent.name.startswith("checkpoint-") else path.parent
    points = [_renamed(record) for record in history if isinstance(record, dict) and "step" in record]
    notes = _finish(points, state)
    if (weights := count_weights(path.parent)) is not None:
        config["params"] = weights
    return Log(place, "a Hugging Face Trainer", points, config, notes=notes)


def _finish(points: list[dict[str, Any]], state: dict[str, Any]) -> tuple[str, ...]:
    """Give the points at the state's step the tokens and FLOPs that it had come to; what is to be known of these."""
    totals = plain_numbers(state)
    found = {"tokens": totals.get("num_input_tokens_seen", 0), "total_flos": totals.get("total_flos", 0)}
    found = {name: value for name, value in found.items() if value > 0}
    for point in points:
        if point["step"] == totals.get("global_step"):
            point |= {name: value for name, value in found.items() if name not in point}
    words = "total_flos of a Trainer is 6 x parameters without embeddings x tokens"
    return (words,) if "total_flos" in found else ()


def _renamed(record: dict[str, Any]) -> dict[str, Any]:
    """A record of a Trainer in which the loss says of which text it is."""
    numbers = plain_numbers(record)
    if "loss" in numbers:
        numbers["train_loss"] = numbers.pop("loss")
    if "num_input_tokens_seen" in numbers:
        numbers["tokens"] = numbers.pop("num_input_tokens_seen")
    return numbers


def json_lines(path: Path) -> Log:
    """A history of JSON lines, as an API returns it: a record a line, with its step."""
    points = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                raise RunsError(str(path), [f"line {number} is no JSON: is the file whole?"]) from None
            if isinstance(record, dict):
                points.append(plain_numbers(record))
    told = [_with_step(point) for point in points]
    if not all({"step", UNTOLD} & set(point) for point in told):
        words = f"a record without a step ({', '.join(_STEPS[:3])} ...): this is no history of a run"
        raise RunsError(str(path), [words])
    return Log(path.with_suffix(""), "a history in JSON lines", told, settings_beside(path.parent))


def _with_step(point: dict[str, Any]) -> dict[str, Any]:
    """A record with its step of training, or with the calls of the logger under a name that is no step."""
    step = next((point[name] for name in _STEPS if name in point), None)
    named = {"step": step} if step is not None else {UNTOLD: point[CALLS]} if CALLS in point else {}
    return {name: value for name, value in point.items() if not name.startswith("_")} | named


def wandb(path: Path) -> Log:
    """``wandb-summary.json`` of a run's folder of Weights & Biases: the last values, and the settings beside it."""
    summary = plain_numbers(read_json_file(path))
    config = {}
    if (beside := path.parent / "config.yaml").is_file():
        tree = read_yaml_file(beside) or {}
        tree = {key: value.get("value") for key, value in tree.items() if isinstance(value, dict) and key != "_wandb"}
        config = settings(tree)
    place = path.parent.parent if path.parent.name == "files" else path.parent
    return Log(place, "a folder of Weights & Biases", [_with_step(summary)], config)


def lightning(path: Path) -> Log:
    """``metrics.csv`` of a CSVLogger: a row a call, most cells empty; its settings in ``hparams.yaml``."""
    with path.open(encoding="utf-8", newline="") as file:
        points = [plain_numbers({k: v for k, v in row.items() if k and v}) for row in csv.DictReader(file)]
    if not all("step" in point for point in points):
        raise RunsError(str(path), ["a row without a step: this is no metrics.csv of a Lightning CSVLogger"])
    beside = path.parent / "hparams.yaml"
    config = settings(read_yaml_file(beside)) if beside.is_file() else {}
    return Log(path.parent, "a Lightning CSVLogger", points, config)


def mlflow(path: Path) -> Log:
    """``meta.yaml`` of a run's folder of MLflow, with a file a metric and a file a setting."""
    folder = path.parent
    rows: dict[int, dict[str, Any]] = {}
    for file in sorted((folder / "metrics").rglob("*")):
        if not file.is_file():
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            parts = line.split()
            if len(parts) != 3:
                raise RunsError(str(file), ["a line is not 'time value step': this is no metric of MLflow"])
            step = int(float(parts[2]))
            rows.setdefault(step, {"step": step})[file.relative_to(folder / "metrics").as_posix()] = as_number(parts[1])
    config = {}
    for file in sorted((folder / "params").glob("*")):
        config[file.name] = as_number(file.read_text(encoding="utf-8", errors="replace").strip())
    named = folder / "tags" / "mlflow.runName"
    name = named.read_text(encoding="utf-8", errors="replace").strip() if named.is_file() else ""
    return Log(folder, "a folder of MLflow", [rows[step] for step in sorted(rows)], config, name)


def hydra(path: Path) -> Log:
    """``.hydra/config.yaml``: the settings of a job, whose logs stand beside."""
    return Log(path.parent.parent, "a job of Hydra", [], settings(read_yaml_file(path)))


def is_log(path: Path) -> bool:
    """Whether a file is by its name the log of a training tool, and nothing else."""
    return path.name in ("trainer_state.json", "wandb-summary.json") or ".tfevents." in path.name


def read_place(path: Path) -> Iterator[Log]:
    """The log that a file holds, by its name; nothing where its name says nothing."""
    name = path.name
    if name == "trainer_state.json":
        yield huggingface(path)
    elif name == "wandb-summary.json":
        yield wandb(path)
    elif name == "metrics.csv":
        yield lightning(path)
    elif name == "meta.yaml" and (path.parent / "metrics").is_dir():
        yield mlflow(path)
    elif name == "config.yaml" and path.parent.name == ".hydra":
        yield hydra(path)
    elif path.suffix in (".jsonl", ".ndjson"):
        yield json_lines(path)

"""Logs in files and folders as one table: a row a run, or a row a point of its curve."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import RunsError
from .log import Log
from .text import text_log
from .tools import read_place

__all__ = ["collect_logs"]

#: endings of files that may be printed lines, and the largest that is looked through
_TEXT, LARGEST = {".log", ".txt", ".out", ""}, 2**30
#: names of losses, the better ones first
_LOSSES = (
    "val_loss",
    "eval_loss",
    "valid_loss",
    "validation_loss",
    "val/loss",
    "eval/loss",
    "valid/loss",
    "test_loss",
    "val_bpb",
)
_TRAINED = ("train_loss", "train/loss", "loss", "training_loss")


def collect_logs(paths: str | Path | Sequence[str | Path], curves: bool = False) -> pd.DataFrame:
    """The runs that logs tell of, as a table for :func:`~scaling.runs.load_runs`.

    Known are ``trainer_state.json`` of Hugging Face (of several checkpoints of a run the longest), folders of Weights &
    Biases (``wandb-summary.json``) and histories in JSON lines, ``metrics.csv`` of Lightning, folders of MLflow,
    settings of Hydra, and lines as nanoGPT, nanochat and Megatron-LM print them.
    Settings beside a log (``config.json``, ``config.yaml``, ``hparams.yaml``, ``.hydra``) become columns.

    Parameters
    ----------
    paths : str, Path or a sequence of them
        Files, and folders that are looked through.
    curves : bool, default False
        All points of each run with such a loss, instead of the last one.

    Returns
    -------
    DataFrame
        ``run``, ``step``, what was logged, and the settings, under the names that they have there. Without ``curves``
        the row of a run is its last with a loss on held-out text, or on training text where there is no other; the
        column ``loss_from`` says which. ``attrs["notes"]`` says what was found and what was passed over.

    Raises
    ------
    RunsError
        If a path is not there, a log is broken, or nothing is found.
    """
    roots = [Path(each) for each in ([paths] if isinstance(paths, (str, Path)) else paths)]
    for root in roots:
        if not root.exists():
            raise RunsError(str(root), ["there is no such file or folder"])
    logs = [log for root in roots for log in _found(root)]
    runs = _joined(logs)
    if not any(log.points for log in runs):
        shown = " and ".join(str(root) for root in roots)
        known = "trainer_state.json, wandb-summary.json, metrics.csv, meta.yaml of MLflow, JSON lines and lines"
        raise RunsError(f"{shown}: no log of a run was found there (known are {known} as trainers print them)")
    names = _names(runs, roots)
    rows: list[dict[str, Any]] = []
    notes = [
        f"{tool}: {sum(log.tool == tool for log in runs)} runs" for tool in dict.fromkeys(log.tool for log in runs)
    ]
    without = []
    for name, log in zip(names, runs, strict=True):
        points = _with_loss(log) if curves else _with_loss(log)[-1:]
        if not points:
            without.append(name)
        rows += [{"run": name} | point | {k: v for k, v in log.config.items() if k not in point} for point in points]
    if without:
        notes.append(f"{len(without)} without any loss were left out, such as {without[0]}")
    table = pd.DataFrame(rows)
    table.attrs["notes"] = notes
    return table


def _found(root: Path) -> Iterator[Log]:
    """The logs at a path, in the order of their names."""
    for path in [root] if root.is_file() else sorted(_files(root)):
        known = list(read_place(path))
        yield from known
        if not known and path.suffix in _TEXT and path.stat().st_size < LARGEST and (log := text_log(path)) is not None:
            yield log


def _files(folder: Path) -> Iterable[Path]:
    """The files below a folder; links to folders are not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(place) / name for name in files)


def _joined(logs: list[Log]) -> list[Log]:
    """One log a run: of several at one place that with most points, with the settings of all."""
    places: dict[Path, list[Log]] = {}
    for log in logs:
        places.setdefault(log.place, []).append(log)
    settings = {place: {k: v for log in found for k, v in log.config.items()} for place, found in places.items()}
    out = []
    for place, found in places.items():
        best = max(found, key=lambda log: (len(log.points), max((p.get("step", 0) for p in log.points), default=0)))
        above = {k: v for up in reversed(place.parents) if up in settings for k, v in settings[up].items()}
        if best.points:
            config = above | settings[place]
            out.append(Log(place, best.tool, best.points, config, next((log.name for log in found if log.name), "")))
    return out


def _names(runs: list[Log], roots: list[Path]) -> list[str]:
    """A name for each run: its own, or its place below what all places share."""
    shared = Path(os.path.commonpath([log.place.absolute() for log in runs]))
    base = shared if len(runs) > 1 else shared.parent
    names = [log.name or log.place.absolute().relative_to(base).as_posix() for log in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({log.place.name})" for name, log in zip(names, runs, strict=True)
    ]


def _with_loss(log: Log) -> list[dict[str, Any]]:
    """The points of a run with a loss, on held-out text if there is one, which is then called ``loss``."""
    for name in (*_LOSSES, *_TRAINED):
        if any(name in point for point in log.points):
            ours = {"loss" if name != "val_bpb" else name: name}
            return [
                {k: v for k, v in point.items() if k not in (*_LOSSES, *_TRAINED)}
                | {new: point[old] for new, old in ours.items()}
                | {"loss_from": name}
                for point in log.points
                if name in point
            ]
    return []

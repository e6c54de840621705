"""Logs in files and folders as one table: a row a run, or a row a point of its curve."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...errors import RunsError
from .log import Log
from .losses import points_with_loss
from .tensorboard import event_logs, is_events
from .text import text_log
from .tools import read_place

__all__ = ["collect_logs"]

#: endings of files that may be printed lines, and the largest that is looked through
_TEXT, LARGEST = {".log", ".txt", ".out", ""}, 2**30


def collect_logs(
    paths: str | Path | Sequence[str | Path], curves: bool = False, loss: str | None = None
) -> pd.DataFrame:
    """Gather the runs that logs tell of into a table for :func:`~scaling.runs.load_runs`.

    Known are ``trainer_state.json`` of Hugging Face (of several checkpoints of a run the longest), folders of Weights &
    Biases (``wandb-summary.json``) and histories in JSON lines, ``metrics.csv`` of Lightning, folders of MLflow,
    settings of Hydra, lines as nanoGPT, nanochat and Megatron-LM print them, and event files of TensorBoard (extra
    ``tensorboard``; several of one run, as restarts leave them, are joined).
    Settings beside a log (``config.json``, ``args.json``, ``hparams.yaml`` and the like, ``.hydra``) become columns.

    Parameters
    ----------
    paths : str, Path or a sequence of them
        Files, and folders that are looked through.
    curves : bool, default False
        All points of each run with such a loss, instead of the last one.
    loss : str, optional
        The name under which the logs have the loss, where they have several.

    Returns
    -------
    DataFrame
        ``run``, ``step``, what was logged, and the settings, under the names that they have there. Without ``curves``
        the row of a run is its last with a loss on held-out text, or on training text where there is no other; the
        column ``loss_from`` says which. ``attrs["notes"]`` says what was found and what was passed over.

    Raises
    ------
    RunsError
        If a path is not there, a log is broken, nothing is found, or a run has several losses on held-out text that no
        usual name chooses from.
    """
    roots = [Path(each) for each in ([paths] if isinstance(paths, (str, Path)) else paths)]
    for root in roots:
        if not root.exists():
            raise RunsError(str(root), ["there is no such file or folder"])
    files = [path for root in roots for path in ([root] if root.is_file() else sorted(_files(root)))]
    logs = [log for path in files for log in _found(path)]
    runs = _joined([*logs, *event_logs(filter(is_events, files))])
    if not any(log.points for log in runs):
        shown = " and ".join(str(root) for root in roots)
        known = "trainer_state.json, wandb-summary.json, metrics.csv, meta.yaml of MLflow, JSON lines, event files"
        words = f"no log of a run was found there (known are {known} of TensorBoard and lines as trainers print them)"
        raise RunsError(f"{shown}: {words}")
    names = _names(runs, roots)
    rows: list[dict[str, Any]] = []
    notes = [
        f"{tool}: {sum(log.tool == tool for log in runs)} runs" for tool in dict.fromkeys(log.tool for log in runs)
    ]
    notes += dict.fromkeys(note for log in runs for note in log.notes)
    without = []
    for name, log in zip(names, runs, strict=True):
        points = points_with_loss(log, loss)[slice(None) if curves else slice(-1, None)]
        if not points:
            without.append(name)
        rows += [{"run": name} | point | {k: v for k, v in log.config.items() if k not in point} for point in points]
    if without:
        notes.append(f"{len(without)} without any loss were left out, such as {without[0]}")
    table = pd.DataFrame(rows)
    table.attrs["notes"] = notes
    return table


def _found(path: Path) -> Iterator[Log]:
    """The logs that a file holds."""
    known = list(read_place(path))
    yield from known
    text = path.suffix in _TEXT and not is_events(path)
    if not known and text and path.stat().st_size < LARGEST and (log := text_log(path)) is not None:
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
            name = next((log.name for log in found if log.name), "")
            out.append(Log(place, best.tool, best.points, config, name, best.notes))
    return out


def _names(runs: list[Log], roots: list[Path]) -> list[str]:
    """A name for each run: its own, or its place below what all places share."""
    shared = Path(os.path.commonpath([log.place.absolute() for log in runs]))
    base = shared if len(runs) > 1 else shared.parent
    names = [log.name or log.place.absolute().relative_to(base).as_posix() for log in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({log.place.name})" for name, log in zip(names, runs, strict=True)
    ]

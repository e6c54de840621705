"""Event files of TensorBoard as runs: files of one folder, folders of one run, and steps that are not of training."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .log import Log, settings, settings_beside
from .losses import HELD, SEEN, words_of
from .records import read_events

TOOL = "event files of TensorBoard"
#: time, step and value of each number under a tag
_Series = list[tuple[float, int, float]]
#: the folder that a writer makes for one set of hyper-parameters is called by the time
_STAMP = re.compile(r"\d{9,}(\.\d+)?")
#: a step of another kind is told by the steps that other tags had reached when it was logged
_BEHIND = 2


def is_events(path: Path) -> bool:
    """Whether a file is one of TensorBoard's by its name."""
    return ".tfevents." in path.name


@dataclass
class _Folder:
    """What the event files of one folder hold."""

    series: dict[str, _Series] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def event_logs(paths: Iterable[Path]) -> Iterator[Log]:
    """The runs of event files, a folder a run.

    Of several files in a folder the later goes on where the earlier ended: what the earlier has under a tag from the
    first step of the later on, a restart has done anew. Folders that one writer made for one run (``train`` and
    ``validation``, a folder a line of a figure, a folder of hyper-parameters) are one run.
    """
    folders: dict[Path, _Folder] = {}
    for path in sorted(set(paths), key=lambda path: (path.parent, _begun(path), path.name)):
        _join(folders.setdefault(path.parent, _Folder()), path)
    for place in sorted(folders, key=lambda place: len(place.parts), reverse=True):
        if (above := _above(place, folders)) is not None:
            _lift(place, folders.pop(place), above, folders.setdefault(above, _Folder()))
    for place, folder in sorted(folders.items()):
        points, notes = _points(folder.series)
        beside = settings_beside(place)
        run = _trainer(place)
        yield Log(run, TOOL, points, beside | settings(folder.config), notes=(*folder.notes, *notes))


def _begun(path: Path) -> int:
    """When a file was begun, in seconds, as its name has it."""
    found = re.search(r"\.tfevents\.(\d+)", path.name)
    return int(found[1]) if found else 0


def _join(folder: _Folder, path: Path) -> None:
    """Add a file to those that came before it in its folder."""
    scalars, told, note = read_events(path)
    new: dict[str, _Series] = {}
    for time, step, tag, value in scalars:
        new.setdefault(tag, []).append((time, step, value))
    again = 0
    for tag, series in new.items():
        first = min(step for _, step, _ in series)
        earlier = folder.series.get(tag, [])
        kept = [each for each in earlier if each[1] < first]
        again += len(kept) < len(earlier)
        folder.series[tag] = kept + series
    if again:
        folder.notes.append(f"{path}: goes back behind an earlier file there (a restart); steps done anew count once")
    folder.notes += [note] if note else []
    folder.config |= told


def _above(place: Path, folders: dict[Path, _Folder]) -> Path | None:
    """The folder of the run whose part this folder is; None where it is a run of its own."""
    up, tags = place.parent, folders[place].series
    for run in filter(folders.__contains__, place.parents):
        if tags and all(_line(place, run, tag) for tag in tags):
            return run
    beside = [each for each in folders if each.parent == up and each != place]
    if _is_of(place, HELD) and (up in folders or any(_is_of(each, SEEN) for each in beside)):
        return up
    if _is_of(place, SEEN) and any(_is_of(each, HELD) for each in beside):
        return up
    alone = _STAMP.fullmatch(place.name) and not any(_STAMP.fullmatch(each.name) for each in beside)
    return up if alone and up in folders else None


def _is_of(folder: Path, text: set[str]) -> bool:
    """Whether a folder is called by the text that its numbers are of, and by nothing else."""
    return bool(words_of(folder.name)) and words_of(folder.name) <= text


def _line(place: Path, run: Path, tag: str) -> str:
    """The line of a figure for which a writer of `run` made the folder, if it did."""
    name = place.relative_to(run).as_posix()
    begin = next((each for each in (f"{tag}/", f"{tag.replace('/', '_')}_") if name.startswith(each)), None)
    return name.removeprefix(begin) if begin else ""


def _lift(place: Path, part: _Folder, run: Path, into: _Folder) -> None:
    """Put the numbers of a part into its run, under names that keep them apart."""
    for tag, series in part.series.items():
        line = _line(place, run, tag)
        name = f"{tag}/{line}" if line else tag if _STAMP.fullmatch(place.name) else f"{place.name}/{tag}"
        into.series.setdefault(name, []).extend(series)
    into.config |= part.config
    into.notes += part.notes


def _points(series: dict[str, _Series]) -> tuple[list[dict[str, Any]], list[str]]:
    """The numbers of a run by their step; tags whose step counts something else get no step of training."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    others = _of_other_counts(series)
    for tag, found in series.items():
        name = "epoch" if tag in others else "step"
        for _, step, value in found:
            rows.setdefault((name, step), {name: step})[tag] = value
    notes = []
    if others:
        notes.append(f"{', '.join(others)}: logged by a count that is not the step of training, here called epoch")
    return [rows[key] for key in sorted(rows)], notes


def _of_other_counts(series: dict[str, _Series]) -> list[str]:
    """Tags whose step is no step of training: by their name, or far behind that of the others at the same time."""
    found = np.array(sorted((time, step) for each in series.values() for time, step, _ in each)).reshape(-1, 2)
    reached = np.maximum.accumulate(found[:, 1])
    others = []
    for tag, each in series.items():
        time, step, _ = each[-1]
        behind = step * _BEHIND < reached[np.searchsorted(found[:, 0], time, side="right") - 1]
        if tag.rsplit("/", 1)[-1].startswith("epoch_") or (behind and len(each) > 1):
            others.append(tag)
    return others


def _trainer(place: Path) -> Path:
    """The folder of a run of Hugging Face, whose Trainer puts event files into a folder of its own."""
    output = place.parent.parent
    states = (*output.glob("trainer_state.json"), *output.glob("checkpoint-*/trainer_state.json"))
    return output if place.parent.name == "runs" and states else place

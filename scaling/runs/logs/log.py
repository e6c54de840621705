"""One training run as its log has it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import RunsError


@dataclass(frozen=True)
class Log:
    """What one place holds of one run.

    Attributes
    ----------
    place : Path
        The folder or file of the run: what stands beside it belongs to it.
    tool : str
        Who wrote it, in words.
    points : list of dict
        What was logged, in order: numbers by their names, of which ``step`` is the step of training.
    config : dict
        The settings of the run, flat; a name is the last part of its path, or as much of it as tells it apart.
    name : str
        The run's own name, where the log has one.
    notes : tuple of str
        What was passed over or read in a way that one should know.
    """

    place: Path
    tool: str
    points: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    notes: tuple[str, ...] = ()


def read_json_file(path: Path) -> Any:
    """The content of a JSON file; ``RunsError`` where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunsError(str(path), [f"this is no whole JSON: {str(error)[:80]}"]) from None


def read_yaml_file(path: Path) -> Any:
    """The content of a YAML file, without any objects; ``RunsError`` where it is none."""
    try:
        import yaml
    except ImportError:
        raise RunsError(
            str(path), ["reading it needs PyYAML: run pip install -e '.[logs]' in the project's folder"]
        ) from None
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_plain_loader(yaml))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RunsError(str(path), [f"this is no YAML: {' '.join(str(error).split())[:80]}"]) from None


def _plain_loader(yaml: Any) -> Any:
    """A safe loader that reads 1e-3 as a number and tags of other programs as what they stand on."""

    class Plain(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def untagged(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Plain.add_multi_constructor("", untagged)
    return Plain


def as_number(value: Any) -> Any:
    """Text of a number as that number; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return number
    return int(number) if number == int(number) and abs(number) < 2**53 and "e" not in value.lower() else number


def flat(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The numbers, words and flags of a tree of settings, each with its path."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from flat(value, (*path, str(key)))
    elif isinstance(tree, (str, int, float, bool)):
        yield path, as_number(tree)


def settings(tree: Any) -> dict[str, Any]:
    """A tree of settings flat: by the last part of each path where that is of one only, else by the whole."""
    found = [(path, value) for path, value in flat(tree) if path]
    last = [path[-1] for path, _ in found]
    return {(path[-1] if last.count(path[-1]) == 1 else ".".join(path)): value for path, value in found}


def settings_beside(folder: Path) -> dict[str, Any]:
    """Settings in a file beside a log, of the first name that is there."""
    for name in ("config", "args", "hparams", "training_args"):
        for ending, read in ((".json", read_json_file), (".yaml", read_yaml_file)):
            if (folder / (name + ending)).is_file():
                return settings(read(folder / (name + ending)))
    return {}


def plain_numbers(record: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a record by their names."""
    found = {}
    for name, value in record.items():
        value = as_number(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[str(name)] = value
    return found

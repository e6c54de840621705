"""Records of TensorBoard's event files: frames with checksums, and the messages in them."""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import RunsError

#: a frame is eight bytes of length, their checksum, the message and its checksum
_HEAD, _FOOT = struct.Struct("<QI"), struct.Struct("<I")
#: types of a tensor, by their number in the format
_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
_FIELDS = {1: "float_val", 2: "double_val", 3: "int_val", 9: "int64_val", 7: "string_val"}
_SETTINGS = "_hparams_/session_start_info"


def needed(path: Path) -> None:
    """Say of an event file what it is and what reads it, where that is not installed."""
    if importlib.util.find_spec("tensorboardX") is None:
        install = "run pip install -e '.[tensorboard]' in the project's folder, or download its scalars there as CSV"
        words = f"this is an event file of TensorBoard, and reading it needs tensorboardX: {install}"
        raise RunsError(str(path), [words])


def read_events(path: Path) -> tuple[list[tuple[float, int, str, float]], dict[str, Any], str]:
    """Numbers and settings of an event file.

    Returns
    -------
    scalars : list of tuple
        Seconds since 1970, step, tag and value of each number, in the order of the file.
    settings : dict
        Hyper-parameters, and texts that are an object in JSON, as they were logged.
    note : str
        What is missing, if the last record is not complete; otherwise empty.

    Raises
    ------
    RunsError
        If the file is broken, or tensorboardX is not installed.
    """
    needed(path)
    from google.protobuf.message import DecodeError
    from tensorboardX.proto.event_pb2 import Event

    scalars: list[tuple[float, int, str, float]] = []
    told: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    note, start = "", 0
    try:
        for start, message, check in _messages(path):
            if message is None:
                note = f"{path}: the last record is not complete (does the run still write?); those before were read"
                break
            event = Event.FromString(message)
            values = [_value(each, kinds) for each in event.summary.value]
            if any(value is not None for value in values) and _checksum(message) != check:
                raise _broken(path, start, "the checksum of a record is wrong")
            for each, value in zip(event.summary.value, values, strict=True):
                if isinstance(value, dict):
                    told |= value
                elif value is not None:
                    scalars.append((event.wall_time, event.step, each.tag, value))
    except DecodeError as error:
        raise _broken(path, start, "a record is no event") from error
    if note and start == 0:
        raise _broken(path, 0, "it has no complete record")
    return scalars, told, note


def _messages(path: Path) -> Iterator[tuple[int, bytes | None, int]]:
    """Place, message and checksum of each record; no message for what is cut off at the end."""
    size, start = path.stat().st_size, 0
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            if len(head) < _HEAD.size:
                yield start, None, 0
                return
            length, check = _HEAD.unpack(head)
            if _checksum(head[:8]) != check:
                raise _broken(path, start, "the checksum of a length is wrong")
            if start + _HEAD.size + length + _FOOT.size > size:
                yield start, None, 0
                return
            yield start, file.read(length), _FOOT.unpack(file.read(_FOOT.size))[0]
            start = file.tell()


def _checksum(data: bytes) -> int:
    from tensorboardX.record_writer import masked_crc32c

    return int(masked_crc32c(data))


def _broken(path: Path, place: int, words: str) -> RunsError:
    what = f"byte {place:,}: {words}: this is no event file of TensorBoard, or one that was damaged"
    return RunsError(str(path), [f"{what}; copy it anew, or leave it out"])


def _value(value: Any, kinds: dict[str, str]) -> float | dict[str, Any] | None:
    """The number of a value, the settings that it holds, or None for pictures, distributions and the like."""
    kind = kinds.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
    if value.tag == _SETTINGS:
        return _hyperparameters(value.metadata.plugin_data.content)
    if value.HasField("simple_value"):
        return _short(np.float32(value.simple_value))
    if not value.HasField("tensor"):
        return None
    if kind == "text" or value.tag.endswith("/text_summary"):
        return _object(value.tensor)
    return _number(value.tensor) if kind == "scalars" else None


def _short(number: np.floating[Any]) -> float:
    """A number of few digits as it was meant: 0.001, and not 0.0010000000474974513."""
    return float(str(number))


def _number(tensor: Any) -> float | None:
    """The number of a tensor that has one only, stored as bytes or as a field of its type."""
    if tensor.tensor_content and tensor.dtype in _TYPES:
        stored: Any = np.frombuffer(tensor.tensor_content, _TYPES[tensor.dtype])
    else:
        stored = getattr(tensor, _FIELDS.get(tensor.dtype, "float_val"))
    if len(stored) != 1:
        return None
    return _short(np.float32(stored[0])) if tensor.dtype == 1 else float(stored[0])


def _object(tensor: Any) -> dict[str, Any] | None:
    """A text that is an object in JSON, as the Trainer of Hugging Face logs its arguments."""
    try:
        found = json.loads(b"".join(tensor.string_val).decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _hyperparameters(content: bytes) -> dict[str, Any]:
    """What the plugin for hyper-parameters stores of a session."""
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    stored = HParamsPluginData.FromString(content).session_start_info.hparams
    found = {name: getattr(value, value.WhichOneof("kind") or "string_value") for name, value in stored.items()}
    return {name: value for name, value in found.items() if isinstance(value, (str, float, bool))}

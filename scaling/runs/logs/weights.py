"""How many parameters a model has, by the headers of the files of its weights."""

from __future__ import annotations

import json
import math
import re
import struct
from pathlib import Path

#: the longest header that is read
_LONGEST = 2**27
_FLOATS = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"}


def count_weights(folder: Path) -> int | None:
    """The numbers in ``model*.safetensors`` of a folder; None where they are not there, or not all.

    The header of each file is its length in eight bytes and an object in JSON with the shape of every tensor. Weights
    that stand in two places of a model, as tied embeddings do, are stored once.
    """
    files = sorted(folder.glob("model*.safetensors"))
    shards = {int(found[1]) for path in files if (found := re.search(r"-of-(\d+)$", path.stem))}
    if not files or (shards and shards != {len(files)}):
        return None
    try:
        return sum(_numbers(path) for path in files)
    except (ValueError, KeyError, TypeError, struct.error):
        return None


def _numbers(path: Path) -> int:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > _LONGEST:
            raise ValueError("too long for a header")
        header = json.loads(file.read(length))
    tensors = [entry for name, entry in header.items() if name != "__metadata__"]
    return sum(math.prod(entry["shape"]) for entry in tensors if entry["dtype"] in _FLOATS)

"""Logs that are printed lines: of nanoGPT, nanochat and Megatron-LM, and of scripts that print as these do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..._words import SCALES
from .log import Log

_N = r"([0-9][0-9,_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
#: what a line says of the whole run: our name, and where its number stands
_SETTINGS = (
    ("params", re.compile(rf"number of parameters\s*[:=]\s*{_N}\s*([KMBT])?", re.IGNORECASE)),
    ("tokens_per_step", re.compile(rf"tokens per (?:iteration|step)(?: will be)?\s*[:=]\s*{_N}()", re.I)),
    ("tokens_per_step", re.compile(rf"total batch size\s+{_N}()\s*=>", re.I)),
    ("seq_length", re.compile(rf"^\s*(?:seq_length|block_size|max_seq_len|sequence_len)\s*(?:\.{{2,}}|[:=])\s*{_N}()")),
    ("batch_size", re.compile(rf"^\s*(?:global_batch_size)\s*(?:\.{{2,}}|[:=])\s*{_N}()")),
)
#: of a model spread over ranks each tells its own part, some of it twice: only that of a single one is the model's
_RANK = re.compile(rf"number of parameters on \(.*?\) model parallel rank \(\s*(\d+),\s*(\d+)\s*\)\s*:\s*{_N}", re.I)
_NANOGPT = re.compile(rf"\bstep {_N}: train loss {_N}, val loss {_N}")
_NANOGPT_STEP = re.compile(rf"\biter {_N}: loss {_N}, time")
_NANOCHAT = re.compile(rf"\bstep {_N}(?:/{_N})?.*?\|\s*(validation bpb|validation loss|loss)\s*:\s*{_N}", re.I)
_MEGATRON = re.compile(rf"\biteration\s+{_N}/\s*{_N}\s*\|.*?\blm loss:\s*{_N}")
_MEGATRON_SAMPLES = re.compile(rf"consumed samples:\s*{_N}")
_MEGATRON_BATCH = re.compile(rf"global batch size:\s*{_N}")
_MEGATRON_EVAL = re.compile(rf"validation loss at iteration {_N}.*?\|\s*lm loss value:\s*{_N}")
_NAMES = {"validation bpb": "val_bpb", "validation loss": "val_loss", "loss": "train_loss"}


def text_log(path: Path) -> Log | None:
    """What the lines of a text say of a run; None where they say nothing of the kind."""
    points: dict[int, dict[str, Any]] = {}
    config: dict[str, Any] = {}
    ranks: dict[tuple[str, str], float] = {}
    tool = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if found := _RANK.search(line):
                ranks[found[1], found[2]] = _number(found[3])
            for name, pattern in _SETTINGS:
                if name not in config and (found := pattern.search(line)):
                    config[name] = _number(found[1]) * SCALES.get((found[2] or "").lower(), 1.0)
            for words, read in _LINES:
                if (point := read(line)) is not None:
                    tool = tool or words
                    points.setdefault(int(point["step"]), {}).update(point)
                    break
    if not points:
        return None
    if len(ranks) == 1:
        config.setdefault("params", *ranks.values())
    per_step = config.pop("tokens_per_step", None)
    rows = [points[step] for step in sorted(points)]
    for row in rows:
        if per_step and "samples" not in row:
            row["tokens"] = row["step"] * per_step
        elif "samples" in row and "seq_length" in config:
            row["tokens"] = row.pop("samples") * config["seq_length"]
    return Log(path.with_suffix(""), tool, rows, config)


def is_printed(text: str) -> bool:
    """Whether lines of a text are those that a tool that is known prints."""
    return any(read(line) is not None for line in text.split("\n") for _, read in _LINES)


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("_", ""))


def _nanogpt(line: str) -> dict[str, Any] | None:
    if found := _NANOGPT.search(line):
        return {"step": _number(found[1]), "train_loss": _number(found[2]), "val_loss": _number(found[3])}
    if found := _NANOGPT_STEP.search(line):
        return {"step": _number(found[1]), "train_loss": _number(found[2])}
    return None


def _megatron(line: str) -> dict[str, Any] | None:
    if found := _MEGATRON_EVAL.search(line):
        return {"step": _number(found[1]), "val_loss": _number(found[2])}
    if not (found := _MEGATRON.search(line)):
        return None
    point = {"step": _number(found[1]), "train_loss": _number(found[3])}
    if samples := _MEGATRON_SAMPLES.search(line):
        point["samples"] = _number(samples[1])
    if batch := _MEGATRON_BATCH.search(line):
        point["batch_size"] = _number(batch[1])
    return point


def _nanochat(line: str) -> dict[str, Any] | None:
    if found := _NANOCHAT.search(line):
        return {"step": _number(found[1]), _NAMES[found[3].lower()]: _number(found[4])}
    return None


_LINES: tuple[tuple[str, Callable[[str], dict[str, Any] | None]], ...] = (
    ("printed lines as nanoGPT has them, whose number of parameters leaves out the position embeddings", _nanogpt),
    ("printed lines as Megatron-LM has them", _megatron),
    ("printed lines as nanochat has them", _nanochat),
)

"""Which of the logged numbers is the loss of a run: one on held-out text where there is one, or asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...errors import RunsError
from .log import Log

#: names of losses, the better ones first
KNOWN = (
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
TRAINED = ("train_loss", "train/loss", "loss", "training_loss")
#: words of names: of text that is not trained on, of text that is, of a loss, and those that say nothing of either
HELD = {"val", "valid", "validation", "eval", "evaluation", "dev", "test", "heldout"}
SEEN = {"train", "training"}
_LOSS = {"loss", "nll", "xent", "crossentropy", "ce"}
_IDLE = {"epoch", "step", "steps", "vs", "iteration", "iterations", "lm", "hparam", "metrics", "mean", "avg"}


def words_of(name: str) -> set[str]:
    """The words of a name, in small letters."""
    return set(re.findall(r"[a-z]+", name.lower()))


def loss_names(log: Log, wanted: str | None = None) -> list[str]:
    """The names under which a run logs its loss, the better ones first.

    Names that everybody uses come first; then others that are a loss on held-out text by their words, such as
    ``Loss/validation``; then losses on training text.

    Raises
    ------
    RunsError
        If there are several losses on held-out text that no usual name chooses from.
    """
    logged = list(dict.fromkeys(name for point in log.points for name in point))
    if wanted is not None:
        return [wanted] if wanted in logged else []
    usual = [name for name in KNOWN if name in logged]
    held = [name for name in logged if words_of(name) & _LOSS and words_of(name) & HELD and not words_of(name) & SEEN]
    plain = [name for name in held if words_of(name) <= _LOSS | _IDLE | HELD]
    better = [name for name in plain if any(name in point and "step" in point for point in log.points)] or plain
    for lesser in ("hparam", "test"):
        better = [name for name in better if lesser not in words_of(name)] or better
    if usual or len(better) == 1:
        return [*usual, *better]
    if len(held) > 1:
        words = f"several losses on held-out text ({', '.join(held)}): which is that of the run? --loss NAME decides"
        raise RunsError(str(log.place), [words])
    seen = [name for name in logged if words_of(name) & _LOSS and words_of(name) & SEEN]
    return [*held, *(name for name in TRAINED if name in logged), *(seen if len(seen) == 1 else [])]


def points_with_loss(log: Log, wanted: str | None = None) -> list[dict[str, Any]]:
    """The points of a run with its loss, which is then called ``loss``, and ``loss_from`` for the name that it had.

    The loss in bits per byte keeps its name, because it is no loss in nats a token.
    """
    names = loss_names(log, wanted)
    if not names:
        return []
    name = names[0]
    ours = "val_bpb" if name == "val_bpb" else "loss"
    others = {each for point in log.points for each in _losses(point)}
    return [
        {key: value for key, value in point.items() if key not in others} | {ours: point[name], "loss_from": name}
        for point in log.points
        if name in point
    ]


def _losses(names: Iterable[str]) -> Iterable[str]:
    """Those of the names that are losses by their words."""
    return (name for name in names if name in (*KNOWN, *TRAINED) or words_of(name) & _LOSS & {"loss"})

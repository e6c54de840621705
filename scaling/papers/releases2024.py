"""Sizes of models whose weights were released, from the shapes that their configuration files state."""

from __future__ import annotations

from functools import partial

from ..counting.transformer import Architecture, count_params
from ..sources.numbers import published_table
from .registry import reproduces

CARD = "a slip on the card: its own count outside the embeddings and its embeddings add up to 128 less"


def size(model: str, **options: bool) -> int:
    """Parameters of a model of :func:`~scaling.counting.configurations`, as it is built."""
    return count_params(Architecture.from_published(model), "as built", **options)


_OPTIONS: dict[str, dict[str, bool]] = {"params": {}, "nonembedding": {"embeddings": False}, "active": {"active": True}}
for _id in published_table("releases2024").index:
    _, _model, _quantity = _id.split("/")
    if _quantity not in _OPTIONS:
        continue
    reproduces(_id, kind="closed form", reason=CARD if _id == "releases2024/Pythia_12B/params" else None)(
        partial(size, _model.replace("_", "-"), **_OPTIONS[_quantity])
    )

"""Sizes that stand in no column: what the shape of the models makes of them, in words."""

from __future__ import annotations

from collections.abc import Iterable

from ..._words import plain

_WIDTH = {"hiddensize", "dmodel", "nembd", "modeldim", "width", "embeddim", "hiddendim", "embeddingsize", "modelwidth"}
_DEPTH = {"numhiddenlayers", "nlayer", "nlayers", "numlayers", "depth", "layers"}
_WORDS = {"vocabsize", "paddedvocabsize", "nvocab", "vocab"}


def size_by_shape(names: Iterable[str]) -> str:
    """How the parameters of plain transformers follow from the columns of their shape; "" where these are not there.

    Layers of width d have 12 d² weights (attention 4, feed-forward 8), and each word of the vocabulary d.
    """
    known = {plain(name): str(name) for name in names if str(name).isidentifier()}
    width, depth, words = (next((known[n] for n in known if n in kind), "") for kind in (_WIDTH, _DEPTH, _WORDS))
    if not (width and depth):
        return ""
    formula = f"12 * {depth} * {width} ** 2" + (f" + {words} * {width}" if words else "")
    rest = "and twice the last part where the output has weights of its own" if words else "without embeddings"
    says = f"{depth!r} and {width!r} tell the shape of the models: of plain transformers"
    return f"{says} --derive params='{formula}' makes the parameters, {rest}; gated or narrower layers have others"

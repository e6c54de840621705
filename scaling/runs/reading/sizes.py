"""Names of models that are sizes (``50M``, ``1.0 B``) or tell them (``pythia-1.4b``)."""

from __future__ import annotations

import pandas as pd

from ..._words import plain
from .glance import fits
from .mapping import Mapped

#: columns of models
_MODELS = {
    *("model", "modelname", "name", "models", "modell", "modele", "modelo", "config", "size", "run"),
    *("模型", "モテル", "모델"),
}
_SIZE = r"(?i)[0-9]+(?:[.,][0-9]+)?\s*(?:k|m|b|bn|million|billion)"
#: a size within a name, and what says that a size is not that of all of a model
_WITHIN = r"(?i)(?<![a-z0-9.,])([0-9]+(?:[.,][0-9]+)?\s?[kmb])(?![a-z0-9])"
_OF_A_PART = r"(?i)moe|expert|tok|emb|trainable|activ|[0-9]x[0-9]|(?<![a-z])a[0-9.]+[mb](?![a-z])"


def named_sizes(frame: pd.DataFrame, mapped: list[Mapped], taken: set[int]) -> tuple[Mapped, str] | None:
    """Params that are the names of models, where no column holds them, and what is said of that."""
    if any(m.name == "params" for m in mapped) or not len(frame):
        return None
    taken = taken - {m.place for m in mapped if m.name == "run"}
    for place, header in enumerate(frame.columns):
        if place in taken or plain(str(header).replace("/", ".").rpartition(".")[2]) not in _MODELS:
            continue
        cells = frame.iloc[:, place].dropna().astype("str").str.strip()
        if len(cells) and cells.str.fullmatch(_SIZE).all() and fits("params", frame.iloc[:, place], None):
            words = f"params are the sizes in column {header!r} ({cells.iloc[0]!r} ...): counts may be other numbers"
            return Mapped("params", str(header), place), words
    return None


def told_sizes(frame: pd.DataFrame) -> str:
    """What is said of a column of models whose names tell their sizes."""
    for place, name in enumerate(frame.columns):
        if plain(name) in _MODELS and sizes_in_names(frame.iloc[:, place]) is not None:
            cell = str(frame.iloc[:, place].dropna().iloc[0])
            words = f"names in {name!r} tell sizes ({cell[:30]!r})"
            return f"{words}: --column params={name!r} takes these, though counts may be other numbers"
    return ""


def sizes_in_names(column: pd.Series) -> pd.Series | None:
    """The sizes that names of models tell, as ``pythia-1.4b`` does, where each tells one; otherwise None."""
    names = column.dropna()
    if not len(names) or pd.api.types.is_numeric_dtype(column) or names.nunique() < 2:
        return None
    names = names.astype("str").str.strip()
    found = names.str.findall(_WITHIN)
    if (found.str.len() != 1).any() or names.str.contains(_OF_A_PART).any() or not names.str.match("[^\\W\\d_]").all():
        return None
    return found.str[0].reindex(column.index)

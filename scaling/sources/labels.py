"""Names of papers, published laws and sets of runs as a reader knows them."""

from __future__ import annotations

import csv
from functools import cache

from .files import data_file

__all__ = ["label_of"]


@cache
def _labels() -> dict[str, str]:
    with open(data_file("labels.csv"), newline="", encoding="utf-8") as file:
        return {row["name"]: row["label"] for row in csv.DictReader(file)}


def label_of(name: str) -> str:
    """Name a paper, a published law or a named set of runs in words, for tables, legends and sentences.

    A name that is none of these, such as that of a reader's own table, stays as it is. A set that takes part of a
    paper's name and a place in it (``hoffmann2022/table3``) has the label of the paper.

    Parameters
    ----------
    name : str
        As ids in ``data/published.csv`` and names of sets have it.

    Returns
    -------
    str
        The label, or the name itself.

    Examples
    --------
    >>> label_of("hoffmann2022_rounded")
    'Hoffmann et al. (2022), rounded'
    >>> label_of("gadre2024/c4")
    'Gadre et al. (2024), C4'
    >>> label_of("my runs")
    'my runs'
    """
    labels = _labels()
    return labels.get(name) or labels.get(name.split("/")[0], name)

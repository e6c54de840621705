"""Our checks of the papers' numbers: one module a paper, one small function a claim.

A claim is a function that computes a published number with this package, decorated by
:func:`~scaling.papers.reproduces` with the number's id. :func:`~scaling.papers.scorecard` sets ours beside the
published ones.
"""

from . import (
    amari1992,
    besiroglu2024,
    bian2025,
    czech2026,
    deepseek2024,
    devries2023,
    gadre2024,
    hernandez2022,
    hestness2017,
    hoffmann2022,
    jin2025,
    kaplan2020,
    kumar2024,
    maloney2022,
    michaud2023,
    muennighoff2023,
    pearce2024,
    porian2024,
    sardana2024,
    sharma2020,
    shuai2024,
    stanic2023,
    videau2026,
    villalobos2022,
    yao2023,
)
from .page import ClaimsTable, claims_table
from .registry import KINDS, Claim, claims, record, reproduces, scorecard, tally

__all__ = [
    "KINDS",
    "Claim",
    "ClaimsTable",
    "amari1992",
    "besiroglu2024",
    "bian2025",
    "claims",
    "claims_table",
    "czech2026",
    "deepseek2024",
    "devries2023",
    "gadre2024",
    "hernandez2022",
    "hestness2017",
    "hoffmann2022",
    "jin2025",
    "kaplan2020",
    "kumar2024",
    "maloney2022",
    "michaud2023",
    "muennighoff2023",
    "pearce2024",
    "porian2024",
    "record",
    "reproduces",
    "sardana2024",
    "scorecard",
    "sharma2020",
    "shuai2024",
    "stanic2023",
    "tally",
    "videau2026",
    "villalobos2022",
    "yao2023",
]

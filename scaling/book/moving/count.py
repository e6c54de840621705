"""What the count switch starts from: published laws, and the shapes and sizes of Pearce & Song 2024."""

from __future__ import annotations

from typing import Any

from ...counting import EmbeddingModel
from ...laws import ChinchillaLaw
from ...papers import pearce2024

__all__ = ["TITLE", "constants"]

TITLE = "One law, counted with and without embeddings"
NOTE = (
    "Computed from a published law: nothing was trained, and there is no noise. Width over depth as in Pearce and "
    "Song (2024)."
)
#: the laws to choose from, and what they are called
LAWS = {"besiroglu2024": "Besiroglu et al. (2024)", "hoffmann2022": "Hoffmann et al. (2022)"}


def constants() -> dict[str, Any]:
    """Laws of all parameters, the growth of the embeddings, and the ends of the simulated study."""
    laws = [
        {"value": name, "label": label} | ChinchillaLaw.from_published(name).constants for name, label in LAWS.items()
    ]
    return {
        "laws": laws,
        "vocabulary": pearce2024.number("vocab"),
        "aspect": pearce2024.width_over_depth(),
        "delta": EmbeddingModel.from_published().exponent,
        "smallest": round(pearce2024.SIZES[0], -1),
        "largest": round(pearce2024.SIZES[-1], -7),
        "models": len(pearce2024.SIZES),
        "note": NOTE,
    }

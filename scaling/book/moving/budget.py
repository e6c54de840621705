"""What the budget explorer starts from: published laws, with their ranges of runs."""

from __future__ import annotations

from typing import Any

from ...laws import ChinchillaLaw

__all__ = ["TITLE", "constants"]

TITLE = "Your budget, and the size that suits it"


def constants(law: str = "besiroglu2024") -> dict[str, Any]:
    """Laws for the script."""
    return {"law": law, "laws": {name: ChinchillaLaw.from_published(name).constants for name in (law,)}}

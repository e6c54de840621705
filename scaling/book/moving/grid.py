"""What the grid explorer starts from: the exponents and grids of Czech et al. 2026.

Options of the directive: ``law``, a name or place of published exponents, and ``width``, the half-width of the grid.
"""

from __future__ import annotations

from typing import Any

from ...laws import ChinchillaLaw
from ...papers import czech2026

__all__ = ["TITLE", "constants"]

TITLE = "A parabola leans: what the grid of sizes does to the optimum"
NOTE = (
    "Computed, not trained: the loss is E + A/Nᵅ + B/Dᵝ exactly, and E, A and B cancel. Budgets as in Czech et "
    "al. (2026)."
)


def constants(law: str = "czech2026/surface/asymmetric", width: str = "8") -> dict[str, Any]:
    """The exponents of a published law, the grid's half-width, the budgets and where the line is followed to."""
    truth = ChinchillaLaw.from_published(law)
    return {
        "alpha": truth.alpha,
        "beta": truth.beta,
        "width": float(width),
        "first": 1.0,
        "last": 1.0,
        "n": czech2026.N_SIZES,
        "budgets": czech2026.BUDGETS.tolist(),
        "flops": czech2026.EXTRAPOLATED_TO,
        "note": NOTE,
    }

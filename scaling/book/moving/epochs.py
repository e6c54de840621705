"""What the figure of epochs starts from: the law of Muennighoff et al. 2023, and chapter 10's example.

Options of the directive: ``flops``, ``unique_tokens`` and ``epochs``, the budget, the text and the reader's plan.
"""

from __future__ import annotations

from typing import Any

from ...laws import DataConstrainedLaw

__all__ = ["TITLE", "constants"]

TITLE = "How often to read the text"
NOTE = (
    "Law and constants of Muennighoff et al. (2023). It cannot say that repetition harms, though in some runs it "
    "does. The level of its loss belongs to their text and tokenizer: read differences."
)


def constants(flops: str = "1e22", unique_tokens: str = "25e9", epochs: str = "4") -> dict[str, Any]:
    """The law's constants, and a budget, unique tokens and epochs to begin with."""
    law = DataConstrainedLaw.from_published()
    repetition = {"repeated": law.repeated_tokens, "excess": law.excess_params}
    return {
        "law": law.base.constants | repetition,
        "flops": float(flops),
        "unique": float(unique_tokens),
        "epochs": float(epochs),
        "note": NOTE,
    }

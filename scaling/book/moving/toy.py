"""What the toy simulation starts from: a published law, and a design that serves all three approaches."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...laws import ChinchillaLaw

__all__ = ["TITLE", "constants"]

TITLE = "Spoil a table of losses, and watch its law move"
NOTE = (
    "Simulated: nothing was trained. The truth is the law of Besiroglu et al. (2024). Simpler than the package: "
    "noise is added to the loss; approach 1 takes the last losses of one size for a curve; approach 3 minimises "
    "squares of the loss, not Huber's function of its logarithm, and lets E be negative."
)
#: sizes and tokens double, so that runs of one size are a curve and runs on a diagonal have equal compute
SIZES, TOKENS = 62.5e6 * 2.0 ** np.arange(9), 1.2e9 * 2.0 ** np.arange(9)
#: other draws of the noise that are shown beside the reader's own
DRAWS = 30


def constants(law: str = "besiroglu2024", flops: str = "1e24", decimals: str = "3", noise: str = "5") -> dict[str, Any]:
    """The truth, the design, and the decimals and noise (thousandths of a nat) to begin with."""
    return {
        "law": ChinchillaLaw.from_published(law).constants,
        "sizes": SIZES.tolist(),
        "tokens": TOKENS.tolist(),
        "flops": float(flops),
        "decimals": int(decimals),
        "noise": float(noise),
        "seed": 1,
        "from": 0,
        "to": 3,
        "draws": DRAWS,
        "note": NOTE,
    }

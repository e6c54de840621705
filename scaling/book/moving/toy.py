"""What the toy simulation starts from: a published law, and a design that serves all three approaches.

Options of the directive: ``law``, the name of the truth; ``flops``, the budget to which the fits are followed;
``decimals`` of the loss and ``noise`` in thousandths of a nat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..._words import format_count, format_flops
from ...errors import FitError
from ...fit import fit_envelope, fit_isoflop, fit_parametric
from ...laws import ChinchillaLaw
from ...optimum import compute_optimal
from ...simulate import grid_design

__all__ = ["TITLE", "constants", "still"]

TITLE = "Spoil a table of losses, and watch its law move"
NOTE = (
    "Simulated: nothing was trained. The truth is the law of Besiroglu et al. (2024). Simpler than the package: "
    "noise is added to the loss; approach 1 takes the last losses of one size for a curve; approach 3 minimises "
    "squares of the loss, not Huber's function of its logarithm, and lets E be negative."
)
#: sizes and tokens double, so that runs of one size are a curve and runs on a diagonal have equal compute
SIZES, TOKENS = 62.5e6 * 2.0 ** np.arange(9), 1.2e9 * 2.0 ** np.arange(9)
#: the models that are fitted to begin with, and in the still; other draws of the noise that are shown beside one
FROM, TO, DRAWS = 0, 3, 30
LARGEST = (TO, TO + 2, len(SIZES) - 1)

#: the law of a table by each approach
APPROACHES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "envelope": lambda runs: fit_envelope(runs, n_budgets=200).law,
    "parabola": lambda runs: fit_isoflop(runs).law,
    "law": lambda runs: fit_parametric(runs).candidate,
}


def constants(law: str = "besiroglu2024", flops: str = "1e24", decimals: str = "3", noise: str = "5") -> dict[str, Any]:
    """The truth, the design, and the settings to begin with."""
    return {
        "law": ChinchillaLaw.from_published(law).constants,
        "sizes": SIZES.tolist(),
        "tokens": TOKENS.tolist(),
        "flops": float(flops),
        "decimals": int(decimals),
        "noise": float(noise),
        "seed": 1,
        "from": FROM,
        "to": TO,
        "draws": DRAWS,
        "note": NOTE,
    }


def still(law: str = "besiroglu2024", flops: str = "1e24", decimals: str = "3", noise: str = "5") -> str:
    """A table in Markdown: the least and the largest best size over the true one, by approach and models fitted."""
    truth, rng = ChinchillaLaw.from_published(law), np.random.default_rng(0)
    design = grid_design(SIZES, TOKENS)
    loss = np.asarray(truth.loss(design["params"], design["tokens"]))
    draws = DRAWS if float(noise) else 1
    spoilt = [np.round(loss + float(noise) / 1000 * rng.normal(size=len(loss)), int(decimals)) for _ in range(draws)]
    best = float(compute_optimal(truth, float(flops)).params)
    lines = [f"| models fitted | {' | '.join(APPROACHES)} |", "|---" * (len(APPROACHES) + 1) + "|"]
    for largest in SIZES[list(LARGEST)]:
        kept = (design["params"] >= SIZES[FROM]) & (design["params"] <= largest)
        tables = [design.assign(loss=each)[kept] for each in spoilt]
        cells = [_ends([_size(fit, runs, float(flops)) / best for runs in tables]) for fit in APPROACHES.values()]
        lines.append(f"| {format_count(SIZES[FROM])} to {format_count(largest)} | {' | '.join(cells)} |")
    words = (
        f"The best size at {format_flops(float(flops))} FLOP over the true one, from {draws} simulated tables of "
        f"losses with {decimals} decimals and a noise of {noise} thousandths of a nat: the least and the largest, by "
        "the package's three approaches. Nothing was trained."
    )
    return "\n".join([words, "", *lines])


def _size(fit: Callable[[pd.DataFrame], Any], runs: pd.DataFrame, flops: float) -> float:
    """The best size at a budget; NaN where there is no fit, or its law has no optimum."""
    try:
        return float(compute_optimal(fit(runs), flops).params)
    except (FitError, ValueError):
        return np.nan


def _ends(ratios: list[float]) -> str:
    """The least and the largest in words."""
    known = [each for each in ratios if np.isfinite(each)]
    return f"{min(known):.2g} to {max(known):.2g}" if known else "no answer"

"""The tables of a plan: each number with the fitted law, and its interval over the resamples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..laws.chinchilla import ChinchillaLaw
from ..laws.repetition import DataConstrainedLaw
from ..optimum.allocation import Allocation, compute_optimal
from ..optimum.inference import inference_optimal, overtraining_overhead
from ..optimum.limited_data import data_constrained_optimal
from ..sources.numbers import published
from ..uncertainty.intervals import INFINITE, percentiles
from ..uncertainty.resampling import Bootstrap

#: sizes, as multiples of the one advised, whose cost is shown; and those of the over-training table
OFF = (0.25, 0.5, 1.0, 2.0, 4.0)
SMALLER = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25)


def quantities(found: Allocation) -> dict[str, Any]:
    return {
        "params": found.params,
        "tokens": found.tokens,
        "tokens_per_param": found.tokens_per_param,
        "loss": found.loss,
    }


def serving(law: ChinchillaLaw, flops: float, demand: float) -> dict[str, Any]:
    """The cheapest model over its life that reaches the loss of the compute-optimal one."""
    best = compute_optimal(law, flops)
    found = inference_optimal(law, best.loss, demand)
    total = found.flops + found.inference_flops
    saved = 1 - total / (flops + 2 * best.params * demand)
    return quantities(found) | {"flops": found.flops, "total_flops": total, "compute_saved": saved}


def limited(law: ChinchillaLaw, flops: float, unique: float) -> dict[str, Any]:
    """The best use of a budget on a stock of tokens that may have to be read again."""
    decays = (float(published(f"muennighoff2023/{name}")) for name in ("R_D", "R_N"))
    found = data_constrained_optimal(DataConstrainedLaw(law, *decays), flops, unique)
    free = compute_optimal(law, flops)
    return quantities(found) | {
        "epochs": np.maximum(found.tokens / unique, 1.0),
        "extra_loss": np.maximum(found.loss - free.loss, 0.0),
    }


def with_intervals(
    of: Callable[[ChinchillaLaw], dict[str, Any]], boot: Bootstrap, law: ChinchillaLaw, level: float
) -> pd.DataFrame:
    """One row a quantity: ``estimate``, ``low``, ``high``; ``widened`` where the percentiles missed the estimate."""
    estimate = pd.Series(of(law), dtype=float)
    found = boot.percentiles(level, lambda many: np.column_stack(list(of(many).values())))
    table = {"estimate": estimate, "low": found.low, "high": found.high, "widened": found.widened}
    return pd.DataFrame(table).rename_axis("quantity")


def _columns(name: str, estimate: ArrayLike, values: np.ndarray, boot: Bootstrap, level: float) -> dict[str, Any]:
    """``name``, ``name_low`` and ``name_high``; what cannot be reached (NaN) counts as infinitely much."""
    values, at = (np.where(np.isnan(x), np.finfo(float).max, x) for x in (values, np.asarray(estimate)))
    found = percentiles(values, level, at, boot.lost)
    ends = (np.where(end > INFINITE, np.inf, end) for end in (found.low, found.high))
    return dict(zip((name, f"{name}_low", f"{name}_high"), (estimate, *ends), strict=True))


def _regret(law: ChinchillaLaw, params: ArrayLike, flops: float) -> tuple[np.ndarray, np.ndarray]:
    """Loss beyond the optimum's under the same law, and the share of compute wasted."""
    best = compute_optimal(law, flops)
    loss = law.loss(params, flops / (6.0 * np.asarray(params)))
    ratio = (best.loss - law.E) / (loss - law.E)
    extra = loss - best.loss
    return np.where(extra > 1e-12 * loss, extra, 0.0), np.maximum(1 - ratio ** (1 / law.alpha + 1 / law.beta), 0.0)


def off_optimum(boot: Bootstrap, law: ChinchillaLaw, best: Allocation, level: float) -> pd.DataFrame:
    params = best.params * np.array(OFF)
    table = {"size_ratio": OFF, "params": params, "tokens": best.flops / (6 * params)}
    table["loss"] = law.loss(params, table["tokens"])
    here, there = _regret(law, params, best.flops), _regret(boot.law.as_column(), params, best.flops)
    for name, estimate, values in zip(("extra_loss", "compute_wasted"), here, there, strict=True):
        table |= _columns(name, estimate, values, boot, level)
    return pd.DataFrame(table)


def _smaller(law: ChinchillaLaw, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens as a multiple of the optimal, and the overhead; NaN where no amount of data suffices."""
    limit = (1 + law.alpha / law.beta) ** (-1 / law.alpha)
    found = overtraining_overhead(law, np.where(ratios > limit, ratios, 1.0))
    return tuple(np.where(ratios > limit, x, np.nan) for x in (found.tokens, found.flops - 1))


def overtraining(boot: Bootstrap, law: ChinchillaLaw, best: Allocation, level: float) -> pd.DataFrame:
    ratios = np.array(SMALLER)
    tokens, overhead = _smaller(law, ratios)
    table: dict[str, Any] = {"size_ratio": ratios, "params": ratios * best.params, "tokens": tokens * best.tokens}
    table["tokens_per_param"] = table["tokens"] / table["params"]
    table |= _columns("training_overhead", overhead, _smaller(boot.law.as_column(), ratios)[1], boot, level)
    table["inference_saving"] = 1 - ratios
    with np.errstate(invalid="ignore"):
        table["pays_after"] = best.flops * overhead / (2 * best.params * (1 - ratios))
    return pd.DataFrame(table)

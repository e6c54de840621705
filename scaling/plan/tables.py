"""The tables of a plan: each number with the fitted law, and its interval over the resamples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..laws.coupled import SumLaw
from ..laws.repetition import DataConstrainedLaw
from ..optimum.allocation import Allocation, compute_optimal, in_powers, sum_at
from ..optimum.inference import inference_optimal, overtraining_overhead
from ..optimum.limited_data import data_constrained_optimal
from ..runs.meter import Meter
from ..sources.numbers import published
from ..uncertainty.intervals import INFINITE, percentiles
from ..uncertainty.resampling import Bootstrap

#: sizes, as multiples of the one advised, whose cost is shown; and those of the over-training table
OFF = (0.25, 0.5, 1.0, 2.0, 4.0)
SMALLER = (1.0, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25)
#: how often the rate of a count to 6 N D is taken anew at the optimum
RATES = 8


def quantities(found: Allocation) -> dict[str, Any]:
    return {
        "params": found.params,
        "tokens": found.tokens,
        "tokens_per_param": found.tokens_per_param,
        "loss": found.loss,
    }


def serving(law: SumLaw, flops: float, demand: float, meter: Meter) -> dict[str, Any]:
    """The cheapest model over its life that reaches the loss of the compute-optimal one.

    In a count that is not 6 N D, a token that is served costs a third of one that is trained on, as it does there.
    """
    best = compute_optimal(law, flops, meter=meter)
    found = inference_optimal(law, best.loss, demand)
    training, inference, without = found.flops, found.inference_flops, 2 * best.params * demand
    if meter.is_own:
        rate, its = meter.ratio(best.params, best.tokens), meter.ratio(found.params, found.tokens)
        training, inference, without = its * training, its * inference, rate * without
    total = training + inference
    saved = np.maximum(1 - total / (flops + without), 0.0)  # which rounding may leave below zero
    return quantities(found) | {"flops": training, "total_flops": total, "compute_saved": saved}


def limited(law: SumLaw, flops: float, unique: float, meter: Meter) -> dict[str, Any]:
    """The best use of a budget on a stock of tokens that may have to be read again.

    In a count that is not 6 N D, along 6 N D at the rate that it has at the optimum found.
    """
    decays = (float(published(f"muennighoff2023/{name}")) for name in ("R_D", "R_N"))
    free = compute_optimal(law, flops, meter=meter)
    repeating = DataConstrainedLaw(law, *decays)
    found = data_constrained_optimal(repeating, free.params * free.tokens * 6 if meter.is_own else flops, unique)
    for _ in range(RATES if meter.is_own else 0):
        rate = meter.ratio(found.params, found.tokens)
        found = data_constrained_optimal(repeating, flops / np.where(np.isnan(rate), 1.0, rate), unique)
    return quantities(found) | {
        "epochs": np.maximum(found.tokens / unique, 1.0),
        "extra_loss": np.maximum(found.loss - free.loss, 0.0),
    }


def with_intervals(of: Callable[[Any], dict[str, Any]], boot: Bootstrap, law: SumLaw, level: float) -> pd.DataFrame:
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


def _regret(law: SumLaw, params: ArrayLike, flops: float, meter: Meter) -> tuple[np.ndarray, np.ndarray]:
    """Loss beyond the optimum's under the same law, and the share of compute wasted."""
    best = compute_optimal(law, flops, meter=meter)
    loss = law.loss(params, meter.tokens_for(flops, params))
    law = _as_counted(law, meter, best.params)
    ratio = sum_at(law, best.loss) / sum_at(law, loss)
    extra = loss - best.loss
    return np.where(extra > 1e-12 * loss, extra, 0.0), np.maximum(1 - ratio ** (1 / law.alpha + 1 / law.beta), 0.0)


def _as_counted(law: SumLaw, meter: Meter, params: ArrayLike) -> SumLaw:
    """The law of the powers of N and D whose product is what the compute near a size counts."""
    return in_powers(law, *meter.powers(params)) if meter.is_own else law


def off_optimum(boot: Bootstrap, law: SumLaw, best: Allocation, level: float, meter: Meter) -> pd.DataFrame:
    params = best.params * np.array(OFF)
    table = {"size_ratio": OFF, "params": params, "tokens": meter.tokens_for(best.flops, params)}
    table["loss"] = law.loss(params, table["tokens"])
    here, there = (_regret(each, params, best.flops, meter) for each in (law, boot.law.as_column()))
    for name, estimate, values in zip(("extra_loss", "compute_wasted"), here, there, strict=True):
        table |= _columns(name, estimate, values, boot, level)
    return pd.DataFrame(table)


def _smaller(law: SumLaw, ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens as a multiple of the optimal, and the overhead; NaN where no amount of data suffices."""
    limit = (1 + law.alpha / law.beta) ** (-1 / law.alpha)
    found = overtraining_overhead(law, np.where(ratios > limit, ratios, 1.0))
    return tuple(np.where(ratios > limit, x, np.nan) for x in (found.tokens, found.flops - 1))


def overtraining(boot: Bootstrap, law: SumLaw, best: Allocation, level: float, meter: Meter) -> pd.DataFrame:
    """Near the optimum the compute counts powers of N and D: ratios are taken to them, and those of tokens back."""
    ratios = np.array(SMALLER)
    p, q = meter.powers(best.params) if meter.is_own else (1.0, 1.0)
    tokens, overhead = _smaller(_as_counted(law, meter, best.params), ratios**p)
    many = _smaller(_as_counted(boot.law.as_column(), meter, best.params), ratios**p)[1]
    table: dict[str, Any] = {"size_ratio": ratios, "params": ratios * best.params}
    table["tokens"] = tokens ** (1 / q) * best.tokens
    table["tokens_per_param"] = table["tokens"] / table["params"]
    table |= _columns("training_overhead", overhead, many, boot, level)
    table["inference_saving"] = 1 - ratios
    rate = meter.ratio(best.params, best.tokens) if meter.is_own else 1.0
    with np.errstate(invalid="ignore"):
        table["pays_after"] = best.flops * overhead / (2 * best.params * (1 - ratios)) / rate
    return pd.DataFrame(table)

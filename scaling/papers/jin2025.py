"""Jin et al. 2025 (arXiv:2501.12486): pruning while training."""

from __future__ import annotations

import pandas as pd

from ..laws.pruning import PruningSchedule
from ..sources.numbers import published
from .registry import reproduces

CARDS = ("20", "40")
RAMP = "a linear ramp between the printed steps; the card's own average is a little lower"


def card(sparsity: str, quantity: str) -> float:
    """A number on the card of the model pruned by 20 or 40 per cent."""
    return float(published(f"jin2025/cards/{sparsity}/{quantity}"))


def schedule(sparsity: str, power: float = 1.0) -> PruningSchedule:
    """A ramp between the steps on the card."""
    start, stop = (card(sparsity, when) / card(sparsity, "steps") for when in ("start", "stop"))
    return PruningSchedule(float(sparsity) / 100, start, stop, power)


def compute_share(sparsity: str, when: str) -> float:
    """Share of the compute, in per cent, spent at the start or the stop of pruning, by the card's mean density."""
    plan, density = schedule(sparsity), card(sparsity, "density")
    if when == "start":
        return 100 * plan.start / density
    return 100 * (1 - (1 - plan.sparsity) * (1 - plan.stop) / density)


for _when in ("start", "stop"):
    for _size in CARDS:
        reproduces(f"jin2025/{_when}@{_size} %", kind="closed form")(
            lambda size=_size, when=_when: compute_share(size, when)
        )


@reproduces({f"jin2025/cards/{size}/mean_params": size for size in CARDS}, kind="identity")
def mean_params(sparsity: str) -> float:
    return card(sparsity, "density") * float(published("jin2025/params"))


@reproduces({f"jin2025/cards/{size}/tokens": size for size in CARDS}, kind="identity")
def tokens(sparsity: str) -> float:
    return card(sparsity, "steps") * float(published("jin2025/batch"))


@reproduces({f"jin2025/cards/{size}/density": size for size in CARDS}, kind="closed form", reason=RAMP)
def mean_density(sparsity: str) -> float:
    return schedule(sparsity).mean_density


def table() -> pd.DataFrame:
    """Start and stop of pruning in steps and in compute (shares); mean density by two ramps and as printed."""
    rows = {}
    for size in CARDS:
        plan = schedule(size)
        compute = [compute_share(size, when) / 100 for when in ("start", "stop")]
        ramps = [schedule(size, power).mean_density for power in (1, 3)]
        rows[f"{size} % pruned"] = [plan.start, plan.stop, *compute, *ramps, card(size, "density")]
    columns = ["start, steps", "stop, steps", "start, compute", "stop, compute", "linear", "cubic", "on the card"]
    return pd.DataFrame(rows, columns).T

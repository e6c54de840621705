"""Videau et al. 2026 (arXiv:2608.07222, known at second hand): a law whose two terms are coupled."""

from __future__ import annotations

from ..fit.parametric import fit_parametric
from ..sources.numbers import published
from .besiroglu2024 import SET, fitted_runs
from .registry import reproduces

DIGITISED = "videau2026/coupling/digitised"
RANGE = published(DIGITISED)


@reproduces(
    DIGITISED,
    kind="runs",
    atol=(RANGE.high - RANGE.low) / 2,
    rule="half the range that is given",
    change="by the objective of Hoffmann et al. on the 240 runs of Besiroglu et al.; the choices made are not known",
    needs=SET,
)
def coupling_of_the_digitised_runs() -> float:
    return float(fit_parametric(fitted_runs(), law="coupled").law.k)

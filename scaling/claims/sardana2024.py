"""Sardana et al. 2024 (arXiv:2401.00448): the parametric loss refitted by cut-off in tokens per parameter."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from ..fit import Fit, fit_parametric
from ..runs import load_runs
from ._registry import reproduces

SET = "sardana2024"
CUTS = {"100": 100.0, "250": 250.0, "500": 500.0, "all": np.inf}
#: how far above the minimum, relative, the objective stays with the printed A, B and E and the best exponents
ABOVE = {"100": "6 millionths", "250": "38 millionths", "500": "", "all": "91 millionths"}
#: constants of Table 1 that are not the minimum's
OFF = {"100/A", "100/E", "250/A", "250/E", "all/beta", "all/A", "all/B", "all/E"}


@cache
def fit(cut: str) -> Fit:
    """The exact optimum on the runs with at most this many tokens per parameter."""
    runs = load_runs(SET)
    return fit_parametric(runs[runs["tokens_per_param"] <= CUTS[cut]])


def constant(cut: str, quantity: str) -> float:
    return float(getattr(fit(cut).law, quantity))


for _cut, _above in ABOVE.items():
    _reason = (
        "the objective is flat along a valley of constants: with the printed A, B and E it can still come within "
        f"{_above} of the minimum, and L-BFGS-B with default tolerances, the authors' choice, stops anywhere in it"
    )
    for _q in ("alpha", "beta", "A", "B", "E"):
        reproduces(
            f"sardana2024/table1/{_cut}/{_q}",
            rtol=2e-3 if _q in "AB" else None,  # printed with more digits than such an optimiser finds
            reason=_reason if f"{_cut}/{_q}" in OFF else None,
            needs=SET,
        )(partial(constant, _cut, _q))

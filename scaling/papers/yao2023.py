"""Yao et al. 2023 (arXiv:2304.06875), nanoLM: the loss of large models from small ones of the same recipe."""

from __future__ import annotations

import pandas as pd

from ..fit.power_law import fit_power_law
from ..fit.result import Fit
from ..sources.numbers import published_table
from .registry import MEASURED, reproduces

FITTED = 7


def runs() -> pd.DataFrame:
    """Ten models of growing width after equally many steps: ``params`` in millions and ``loss``, by width."""
    table = published_table("yao2023")["value"]
    columns = {q: table.filter(like=f"/{q}") for q in ("params", "loss")}
    widths = [int(id.split("/")[1]) for id in columns["loss"].index]
    return pd.DataFrame({q: column.to_numpy() for q, column in columns.items()}, widths).rename_axis("width")


def fit(offset: bool = True) -> Fit:
    """A power law by least squares through the seven smallest."""
    small = runs().iloc[:FITTED]
    if offset:  # Huber's loss with a bound that no residual reaches is the square of the loss's residuals
        return fit_power_law(small["params"], small["loss"], offset=True, objective="huber", delta=1.0)
    return fit_power_law(small["params"], small["loss"], objective="log_squares")


def _predicted(width: int) -> float:
    return float(fit().law(runs().loc[width, "params"]))


# three of them predicted from the seven others
reproduces({f"yao2023/{width}/loss": width for width in (1024, 2048, 3072)}, kind="runs", atol=0.01, rule=MEASURED)(
    _predicted
)

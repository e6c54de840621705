"""The exponent that a measured learning curve shows, and the constant that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from .._checks import between
from ..laws.power import PowerLaw

__all__ = ["LearningExponent", "compare_curves", "measure_exponent"]


@dataclass(frozen=True)
class LearningExponent:
    """The exponent of a measured learning curve.

    Attributes
    ----------
    value : float
        The slope of ln loss against ln t.
    low, high : float
        Its interval, from the standard errors of the curve alone.
    level : float
        The interval's level.
    """

    value: float
    low: float
    high: float
    level: float

    def __float__(self) -> float:
        return self.value

    def __contains__(self, exponent: float) -> bool:
        return self.low <= exponent <= self.high

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def measure_exponent(
    curve: pd.DataFrame, loss: str = "error", least: float = 0, level: float = 0.95
) -> LearningExponent:
    r"""Fit the slope of ln loss against ln t, by least squares weighted with the curve's standard errors.

    Parameters
    ----------
    curve : DataFrame
        ``examples`` (t), the column ``loss`` and its standard error ``<loss>_se``; rows independent of each other.
    loss : str, default "error"
        Which column.
    least : float, default 0
        Rows with fewer examples are left out: an asymptotic exponent is looked for where it holds.
    level : float, default 0.95
        Of the interval, :math:`\text{value} \pm z\,\sigma`, with
        :math:`\sigma^{-2} = \sum_i w_i (\ln t_i - \overline{\ln t})^2` and :math:`w_i = (\text{loss}_i/\text{se}_i)^2`.

    Returns
    -------
    LearningExponent
        The slope and its interval.

    Raises
    ------
    ValueError
        If the columns are missing, fewer than three rows are left, a value or standard error is not positive, or
        ``level`` is not between 0 and 1.
    """
    missing = [name for name in ("examples", loss, f"{loss}_se") if name not in curve]
    if missing:
        raise ValueError(f"the curve has no column {missing[0]!r}; its columns are {list(curve.columns)}")
    between("level", level, 0, 1)
    used = curve[curve["examples"] >= least]
    t, y, se = (used[name].to_numpy(float) for name in ("examples", loss, f"{loss}_se"))
    if len(np.unique(t)) < 3:
        raise ValueError(f"an exponent needs at least 3 sample sizes, got {len(np.unique(t))} from t = {least:g} on")
    if not (np.isfinite([t, y, se]).all() and min(t.min(), y.min(), se.min()) > 0):
        raise ValueError(f"examples, {loss} and {loss}_se must be positive and finite")
    weight = (y / se) ** 2
    x = np.log(t) - np.average(np.log(t), weights=weight)
    slope = float((weight * x * np.log(y)).sum() / (weight * x**2).sum())
    margin = NormalDist().inv_cdf((1 + level) / 2) / float(np.sqrt((weight * x**2).sum()))
    return LearningExponent(slope, slope - margin, slope + margin, level)


def compare_curves(rows: Mapping[str, tuple[pd.DataFrame, str, PowerLaw]], least: float = 0) -> pd.DataFrame:
    """Set exponents and constants of learning curves beside those of a law, as text for a page.

    Parameters
    ----------
    rows : mapping of label to (curve, column, law)
        The curve as for :func:`~scaling.theory.measure_exponent`, and the law that theory expects of it; a coefficient
        of NaN says that theory gives the exponent only.
    least : float, default 0
        The exponent is measured from so many examples on.

    Returns
    -------
    DataFrame
        ``exponent`` with its 95 % interval, and that of ``theory``; ``constant``, which is the last loss over t to
        the power of theory's exponent, with its standard error, and that of ``theory``.

    Raises
    ------
    ValueError
        As :func:`~scaling.theory.measure_exponent`.
    """
    table = {}
    for label, (curve, column, law) in rows.items():
        exponent = measure_exponent(curve, column, least)
        scale = curve["examples"].iloc[-1] ** -float(law.exponent)
        value, error = scale * curve[[column, f"{column}_se"]].iloc[-1]
        known = f"{law.coefficient:.3g}" if np.isfinite(law.coefficient) else ""
        table[label] = [str(exponent), f"{law.exponent:.3g}", f"{value:.3f} ± {error:.3f}", known]
    return pd.DataFrame(table, index=["exponent", "theory", "constant", "theory"]).T

"""One table, one hold-out, several laws: each fitted to the runs that are left, and asked about the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy

from ..errors import FitError
from ..runs.curves import seed_noise
from .contenders import Contender
from .splits import Split, hold_out

#: name of the mixture of laws
STACKING = "stacking"
#: what a law counts with where it cannot be fitted, or forecasts no better
NAIVE = "the mean of the fitted"
#: inner hold-outs, each within the runs that the one before leaves, and the fewest runs to fit in them
INNER, INNER_LEAST = 2, 8
#: weight of the condition that the weights of a mixture add up to one, beside the largest error
FIRMLY = 1e4


@dataclass(frozen=True)
class Trial:
    """What laws make of one hold-out.

    Attributes
    ----------
    split : Split
    errors : dict
        Law → ln predicted − ln observed of the runs held out, as they count: those of the naive forecast, the mean of
        the fitted ln loss, where a law cannot be fitted, or its root mean square is larger.
    fitted : dict
        Law → root mean square of the errors on the runs fitted.
    inner : dict
        Law → root mean square of the errors on the inner hold-outs; NaN where the table is too small for one.
    statuses : dict
        Law → status of its fit, or ``refused``, or ``naive`` where it counts as the naive forecast.
    weights : dict
        Law → its weight in the stacking.
    noise : float
        Standard deviation of ln loss among repeated runs of the table; NaN where there are none.
    """

    split: Split
    errors: dict[str, np.ndarray]
    fitted: dict[str, float]
    inner: dict[str, float]
    statuses: dict[str, str]
    weights: dict[str, float] = field(default_factory=dict)
    noise: float = float("nan")

    def rms(self, law: str) -> float:
        """Root mean square of a law's errors, at least the noise."""
        return max(_rms(self.errors[law]), self.noise if np.isfinite(self.noise) else 0.0)


def try_laws(table: pd.DataFrame, by: str, contenders: Sequence[Contender], inner: bool = True) -> Trial:
    """Fit every law to the runs that a hold-out leaves, and predict the others.

    With ``inner``, hold-outs within the fitted runs too, and the stacking whose weights follow from them. Raises
    :class:`~scaling.errors.FitError` where the table does not allow the hold-out
    (:func:`~scaling.diagnostics.hold_out`).
    """
    split = hold_out(table, by)
    naive = _naive(split)
    errors, fitted, statuses, raw = {}, {}, {}, {}
    for each in contenders:
        raw[each.name], fitted[each.name], statuses[each.name] = _attempt(each, split)
        known = _rms(raw[each.name]) <= _rms(naive)
        errors[each.name] = raw[each.name] if known else naive
        if not known and statuses[each.name] != "refused":
            statuses[each.name] = "naive"
    out = Trial(split, errors, fitted, {}, statuses, noise=seed_noise(table))
    if inner:
        unseen = _inner_errors(split.fitted, by, contenders)
        out.inner.update({law: _rms(each) for law, each in unseen.items()})
        out.weights.update(stacking_weights(unseen))
        out.errors[STACKING] = np.sum([w * errors[law] for law, w in out.weights.items()], axis=0)
        out.statuses[STACKING] = "solved"
    return out


def _attempt(contender: Contender, split: Split) -> tuple[np.ndarray, float, str]:
    """Errors on the runs held out, the root mean square on those fitted, and the status."""
    refused = np.full(len(split.held), np.inf), float("inf"), "refused"
    try:
        fit = contender.fit(split.fitted)
    except FitError:
        return refused
    unseen = contender.errors(fit, split.held)
    if not np.isfinite(unseen).all():
        return refused
    return unseen, _rms(contender.errors(fit, split.fitted)), fit.status


def _naive(split: Split) -> np.ndarray:
    """Errors of the forecast that every run has the mean ln loss of the fitted."""
    return float(np.log(split.fitted["loss"]).mean()) - np.log(split.held["loss"].to_numpy())


def _inner_errors(fitted: pd.DataFrame, by: str, contenders: Sequence[Contender]) -> dict[str, np.ndarray]:
    """Law → errors on hold-outs of the same kind within the fitted runs, one after another; empty without any."""
    found: dict[str, list[np.ndarray]] = {each.name: [] for each in contenders}
    table = fitted
    for _ in range(INNER):
        try:
            split = hold_out(table, by, INNER_LEAST)
        except FitError:
            break
        naive = _naive(split)
        for each in contenders:
            errors = _attempt(each, split)[0]
            found[each.name].append(errors if _rms(errors) <= _rms(naive) else naive)
        table = split.fitted
    return {name: np.concatenate(parts) if parts else np.array([]) for name, parts in found.items()}


def stacking_weights(errors: dict[str, np.ndarray]) -> dict[str, float]:
    """The mixture of forecasts of ln loss with the least squared error: weights of at least 0 that add up to 1.

    Equal weights where there are no errors to go by (Wolpert 1992, with Breiman's 1996 condition on the weights).
    """
    columns = np.column_stack(list(errors.values()))
    if not len(columns):
        return dict.fromkeys(errors, 1.0 / len(errors))
    firm = FIRMLY * np.abs(columns).max()
    weights, _ = scipy.optimize.nnls(
        np.vstack([columns, np.full(columns.shape[1], firm)]), np.r_[np.zeros(len(columns)), firm]
    )
    return dict(zip(errors, map(float, weights / weights.sum()), strict=True))


def _rms(errors: np.ndarray) -> float:
    return float(np.sqrt(np.mean(errors**2))) if len(errors) else float("nan")

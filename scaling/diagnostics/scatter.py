"""Runs above the pattern of a table in which no law is found: did some diverge, or is it noise?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..fit.engine.setting_aside import noise_of

#: a loss this share above that of a run with no more parameters and tokens is above the pattern
ABOVE = 0.1
#: a run that diverged is so many deviations of the others above their trend, and these are the larger part. Of tables
#: of noise alone (8 to 30 %) one in 25 has such a run; of runs that diverged seven to nine in ten are found
SIGMAS, MAJORITY = 12.0, 0.5
#: share of runs above the pattern that is told to be noise
MANY = 0.25
#: runs from which a trend may bend, and rounds of least absolute deviations
BENDS, ROUNDS = 12, 30


def above_pattern(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The least loss of all runs that had no more than each run (n,), and the runs (n,) that do worse than that."""
    N, D, loss = (table[name].to_numpy(dtype=float) for name in ("params", "tokens", "loss"))
    smaller = (N[:, None] <= N) & (D[:, None] <= D)
    expected = np.where(smaller, loss[:, None], np.inf).min(axis=0)
    return expected, loss > expected * (1 + ABOVE)


def far_above(table: pd.DataFrame, above: np.ndarray) -> np.ndarray:
    """Those of the runs that are ``above`` (n,) the pattern that are far above the trend of the others, too.

    The trend is one of ln loss in ln N and ln D. Where all is noise, the runs that none undercuts are the lower part of
    it, and stray as much as the others lie above them, or they are too few to judge by.
    """
    if (~above).mean() < MAJORITY:
        return np.zeros_like(above)
    off, constants = _off_trend(table, ~above)
    return np.asarray(above & (off > SIGMAS * noise_of(off[~above], constants)))


def say_noise(table: pd.DataFrame) -> str:
    """How much the losses stray, where that and no divergence is why many lie above the pattern; else nothing."""
    _, above = above_pattern(table)
    if above.mean() <= MANY or far_above(table, above).any():
        return ""
    off, constants = _off_trend(table, np.ones_like(above))
    noise = np.sqrt((off**2).sum() / max(len(off) - constants, 1))
    share = f"{above.sum()} of {len(above)} runs do worse than one with no more parameters and tokens"
    return f"the losses stray by about {noise:.0%}, up and down, from any smooth trend: noise, by which {share}"


def _off_trend(table: pd.DataFrame, among: np.ndarray) -> tuple[np.ndarray, int]:
    """ln loss (n,) less the trend of the runs ``among`` (n,), by least absolute deviations, and its constants."""
    y = np.log(table["loss"].to_numpy(dtype=float))
    columns = [np.ones_like(y)]
    for name in ("params", "tokens"):
        logs = np.log(table[name].to_numpy(dtype=float))
        if width := float(np.ptp(logs)):
            x = (logs - logs.mean()) / width
            columns += [x, x * x] if among.sum() >= BENDS else [x]
    X, weights, off = np.column_stack(columns), np.ones(int(among.sum())), np.zeros_like(y)
    for _ in range(ROUNDS):
        off = y - X @ np.linalg.lstsq(X[among] * weights[:, None], y[among] * weights, rcond=None)[0]
        weights = 1 / np.sqrt(np.maximum(np.abs(off[among]), 1e-6))
    return off, X.shape[1]

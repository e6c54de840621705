"""Do rows of one size share their luck, as the points of one run do?"""

from __future__ import annotations

import shlex

import numpy as np
import pandas as pd

from ..fit.result import Fit

#: sizes with several numbers of tokens that are needed, the fewest of these, and the share of the rows
SIZES, POINTS, MOST = 5, 3, 0.6
#: sizes stray so much further than their rows from each other, and that far at least in ln loss
FURTHER, FAR = 3.0, 0.001


def shared_luck(residuals: np.ndarray, runs: pd.DataFrame) -> tuple[float, float] | None:
    """How far sizes stray from a law, and rows of one size from each other, where the first is far more; else None.

    Standard deviations of ln loss. Rows that are runs of their own stray as far from each other as sizes do.
    """
    tokens = runs.groupby("params")["tokens"].nunique()
    several = runs["params"].map(tokens >= POINTS).to_numpy(dtype=bool)
    if (tokens >= POINTS).sum() < SIZES or several.mean() < MOST:
        return None
    groups = pd.Series(residuals[several]).groupby(runs["params"].to_numpy()[several])
    within = float(np.sqrt(groups.var(ddof=1).mean()))
    between = float(groups.mean().std(ddof=1))
    return (between, within) if between > max(FAR, FURTHER * within) else None


def say_shared_luck(fit: Fit, table: pd.DataFrame) -> str:
    """Words for rows of one size that stray from the law together; nothing where they do not."""
    used = fit.weights > 0
    found = shared_luck(fit.residuals[used], fit.runs[used])
    if found is None:
        return ""
    read_from = {each["name"]: each["column"] for each in table.attrs.get("reading", {}).get("mapping", [])}
    size = shlex.quote(read_from.get("params", "params"))
    words = f"the rows of one size stray from the law together: by {found[0]:.2%} from size to size, by {found[1]:.2%} "
    words += "within one. Are they points of one run's curve, of which the law takes the last"
    words += f" (--run {size} takes them so)?" if "run" not in table else "?"
    why = "sizes differ by more than the law says, and intervals, which take rows for independent, are too narrow"
    return f"{words} If not, {why}"

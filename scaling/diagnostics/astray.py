"""Runs off the law of the others by far more than these stray, and slips of the hand that would explain them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from .._words import name_rows
from ..fit.engine.setting_aside import noise_of
from ..fit.parametric import fit_parametric
from ..fit.result import Fit

#: a run so many noises off the law of the others, and this share, is named
NOISES, OFF = 8.0, 0.005
#: share of the runs beyond which it is the law that is off, and runs that are offered to be left out by number
FEW, MOST_DROPPED = 0.15, 12
#: a slip explains a run if the law has it within so many noises without it
EXPLAINED = 3.0
#: what a hand makes of one cell: a digit more or less
_FACTORS = (10.0, 0.1)
#: sizes that are in two units lie so far apart, and with one unit a law holds for all runs within this
_GAP, _SMOOTH = 8.0, 0.02
#: and strays so many times less than with two
_BETTER = 3.0
#: each run off the law is brought within this share of its distance
_NEARER = 0.4


def misses(fit: Fit, table: pd.DataFrame) -> np.ndarray:
    """ln of the losses (n,) of a table over those that a fitted law expects."""
    expected = fit.candidate.value(table["params"].to_numpy(), table["tokens"].to_numpy())
    return np.asarray(np.log(table["loss"].to_numpy() / expected))


def noise_about(fit: Fit, table: pd.DataFrame) -> float:
    """Standard deviation of ln loss about a fitted law, which a few odd runs do not move."""
    error = misses(fit, table)
    return noise_of(error - np.median(error), len(fit.candidate.constants))


def far_from_law(fit: Fit, table: pd.DataFrame) -> np.ndarray:
    """The runs (n,) of a table that lie off the law of the others by far more than these stray; none where many do."""
    far = np.abs(misses(fit, table)) > max(OFF, NOISES * noise_about(fit, table))
    return far if far.mean() <= FEW else np.zeros_like(far)


def say_astray(fit: Fit, table: pd.DataFrame, far: np.ndarray) -> str:
    """Words for the runs of a table where ``far`` (n,) holds; nothing where it holds nowhere."""
    if not far.any():
        return ""
    error, several = misses(fit, table)[far], far.sum() > 1
    share = np.abs(np.expm1(error))
    percent = f"{share.min():.1%} to {share.max():.1%}" if several else f"{share.max():.1%}"
    way = "above" if (error > 0).all() else "below" if (error < 0).all() else "off"
    words = f"{name_rows(table.index, far)}: loss{'es' if several else ''} {percent} {way} the law of the other runs"
    words += f", which stray from it by {noise_about(fit, table):.2%}: mistyped, cut short, or of another kind?"
    slips = [f"{label}: {slip}" for label, slip in slips_of_hand(fit, table, far).items() if slip]
    words += f" ({'; '.join(slips[:MOST_DROPPED])})" if slips else ""
    if far.sum() > MOST_DROPPED:
        return words
    return f"{words} --drop {','.join(map(str, table.index[far]))} leaves {'them' if several else 'it'} out"


def slips_of_hand(fit: Fit, table: pd.DataFrame, rows: np.ndarray) -> dict[object, str]:
    """For each row where ``rows`` (n,) holds, by its label, the slips without which the law has it; "" for none.

    Nothing where fewer than half of them have any: a run that diverged is explained so by chance, now and then.
    """
    noise = noise_about(fit, table)
    near = max(OFF / 2, EXPLAINED * noise)
    found = {}
    for label, N, D, loss in table.loc[rows, ["params", "tokens", "loss"]].itertuples():
        other = {f"params {_times(f)}": (N * f, D) for f in _FACTORS}
        other |= {f"tokens {_times(f)}": (N, D * f) for f in _FACTORS}
        other |= {"params and tokens exchanged": (D, N)}
        said = [what for what, point in other.items() if abs(np.log(loss / float(fit.candidate.value(*point)))) < near]
        found[label] = f"the law has it with {' or '.join(said)}" if said else ""
    return found if 2 * sum(map(bool, found.values())) >= len(found) else {}


def in_thousands(table: pd.DataFrame, law: Fit | None) -> str:
    """Words for runs whose params or tokens are a power of a thousand off, where one law holds without that.

    Sizes in millions up to some size and in billions beyond, for a table for which no ``law`` is found; a few runs
    whose tokens per parameter lie apart from those of all others; or the runs off the ``law``.
    """
    splits = [] if law is not None else [split for name in ("params", "tokens") for split in _gaps(table, name)]
    before = np.inf if law is None else float(np.std(misses(law, table)))
    best: tuple[float, float, str, np.ndarray, float] | None = None
    for name, rows, factor in [*splits, *_of_other_ratio(table), *_off_the_law(table, law)]:
        other = table.assign(**{name: np.where(rows, table[name] * factor, table[name])})
        fit = fit_parametric(other.assign(flops=6 * other["params"] * other["tokens"]))
        if fit.status == "not_identified" or noise_about(fit, other) >= _SMOOTH:
            continue
        after = float(np.std(misses(fit, other)))
        if after < before / _BETTER and (best is None or after < best[0]):
            best = after, noise_about(fit, other), name, rows, factor
    if best is None:
        return ""
    _, noise, name, rows, factor = best
    times = {3: "a thousand", 6: "a million", 9: "a billion"}[abs(round(np.log10(factor)))]
    words = (
        f"{name_rows(table.index, rows)}: with {name} {times} times as {'large' if factor > 1 else 'small'} there, one "
    )
    words += f"law holds for all runs within {noise:.1%}: are they in another unit than the rest?"
    few = rows.sum() <= MOST_DROPPED and rows.mean() < 0.5
    return f"{words} --drop {','.join(map(str, table.index[rows]))} leaves them out" if few else words


def _gaps(table: pd.DataFrame, name: str) -> list[tuple[str, np.ndarray, float]]:
    """The rows below each wide gap in a quantity, a thousand times as large."""
    values = table[name].to_numpy()
    sizes = np.unique(values)
    wide = sizes[1:][np.diff(np.log(sizes)) > np.log(_GAP)]
    return [(name, values < edge, 1e3) for edge in wide[:MOST_DROPPED]]


def _off_the_law(table: pd.DataFrame, law: Fit | None) -> list[tuple[str, np.ndarray, float]]:
    """The rows off a law where they are several, with the powers of a thousand that bring each near to it."""
    if law is None:
        return []
    error = np.abs(misses(law, table))
    off = error > max(OFF, NOISES * noise_about(law, table))
    if not 1 < off.sum() < len(off) / 2:
        return []
    found = []
    for name, factor in product(("params", "tokens"), (1e-6, 1e-3, 1e3, 1e6)):
        there = misses(law, table[off].assign(**{name: table.loc[off, name] * factor}))
        if (np.abs(there) < _NEARER * error[off]).all():
            found.append((name, off, factor))
    return found


def _of_other_ratio(table: pd.DataFrame) -> list[tuple[str, np.ndarray, float]]:
    """The fewer rows beyond each wide gap in tokens per parameter, with the power of a thousand that closes it."""
    ratio = np.log10(table["tokens"].to_numpy() / table["params"].to_numpy())
    order, found = np.unique(ratio), []
    for edge in order[1:][np.diff(order) > np.log10(_GAP)][:MOST_DROPPED]:
        few = ratio < edge if (ratio < edge).mean() <= 0.5 else ratio >= edge
        power = 3 * round(float(np.median(ratio[~few]) - np.median(ratio[few])) / 3)
        if 3 <= abs(power) <= 9:
            found += [("tokens", few, 10.0**power), ("params", few, 10.0**-power)]
    return found


def _times(factor: float) -> str:
    return f"{factor:g} times as large" if factor > 1 else f"{1 / factor:g} times smaller"

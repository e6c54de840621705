r"""What one FLOP of a table is: its own count of compute as a function of size and tokens, beside 6 N D."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import within
from .numbers import positive_columns

__all__ = ["Meter", "find_meter"]


#: a count is told by size and tokens where nine tenths of the rows lie within this of it, in logarithms
KNOWN = 0.05
#: deviations up to this are rounding; a count with more freedom has to bring them below this share
ROUNDING, WORTH = 0.005, 0.75
#: the share of the rows that have to follow a count
MOST = 0.9
#: what is left of a count, at least, where it is extended to sizes much smaller than those seen, and its powers there
LEAST, LEAST_POWER, MOST_POWER = 1e-3, 0.1, 10.0
#: a part of a count below this share of it is rounding
NOTHING = 1e-9
#: rows of a large table from which its count is read, evenly spaced
MOST_ROWS = 20_000
#: how many other counts of parameters are looked through, alone and added up
MOST_COUNTS = 8
#: counts of weights that are looked up and not multiplied with: of two that are equal the other one is in the compute
_LOOKED_UP = re.compile(r"emb|wte|wpe|lookup")


def _above_zero(**arguments: ArrayLike) -> list[np.ndarray]:
    """Arguments as float arrays; ``ValueError`` for a number that is not positive. NaN, what is not known, stays so."""
    return within("positive", lambda x: ~(x <= 0), **arguments)


@dataclass(frozen=True)
class Meter:
    r"""A table's count of the compute of a run.

    .. math:: C(N, D) = c\,N^p D^q\,(1 + g N^{-1/3} + h N^{-2/3})

    Attributes
    ----------
    kind : {"6ND", "multiple", "power", "sizes", "unknown"}
        6 N D to rounding; c N D with another c; a product of powers; c N D times a ratio that levels off with the size,
        as counts with attention or without embeddings have, since models grow as the cube of their width, attention as
        its square and embeddings as the width; or no function of size and tokens, for which 6 N D stands.
    coefficient, params, tokens, square, linear : float
        c, p, q, g and h.
    spread : float
        How far nine tenths of the rows are within, in ln C.
    lowest, highest : float
        Of C / 6 N D over the rows.
    column : {"flops", "budget"}
        Which column it was read from.
    """

    kind: Literal["6ND", "multiple", "power", "sizes", "unknown"] = "6ND"
    coefficient: float = 6.0
    params: float = 1.0
    tokens: float = 1.0
    square: float = 0.0
    linear: float = 0.0
    spread: float = 0.0
    lowest: float = 1.0
    highest: float = 1.0
    column: str = "flops"

    @property
    def is_own(self) -> bool:
        """Whether the table counts otherwise than by 6 N D, and it is known how."""
        return self.kind in ("multiple", "power", "sizes")

    def flops(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray:
        """Count the compute C of runs.

        Parameters
        ----------
        params, tokens : float or array
            N and D, positive.

        Returns
        -------
        array
            FLOPs, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not positive, shapes do not broadcast, or Series have the same labels in another order.
        """
        N, D = _above_zero(params=params, tokens=tokens)
        if not self.is_own:
            return 6.0 * N * D
        return self.coefficient * N**self.params * D**self.tokens * self._bracket(N)

    def tokens_for(self, flops: ArrayLike, params: ArrayLike) -> np.ndarray:
        """Find the tokens on which a model of a size can be trained with a budget.

        Parameters
        ----------
        flops : float or array
            C, in this count, positive.
        params : float or array
            N, positive.

        Returns
        -------
        array
            D, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not positive, shapes do not broadcast, or Series have the same labels in another order.
        """
        C, N = _above_zero(flops=flops, params=params)
        if not self.is_own:
            return C / (6.0 * N)
        return (C / (self.coefficient * N**self.params * self._bracket(N))) ** (1.0 / self.tokens)

    def ratio(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray:
        """Compute C / 6 N D.

        Parameters
        ----------
        params, tokens : float or array
            N and D, positive.

        Returns
        -------
        array
            Of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not positive, shapes do not broadcast, or Series have the same labels in another order.
        """
        return self.flops(params, tokens) / (6.0 * np.asarray(params, dtype=float) * np.asarray(tokens, dtype=float))

    def powers(self, params: ArrayLike) -> tuple[np.ndarray, float]:
        """Compute with which powers of N and D the count grows at a size: the derivatives of ln C in ln N and ln D.

        Parameters
        ----------
        params : float or array
            N, positive.

        Returns
        -------
        tuple of array and float
            The power of N, of the shape of ``params``, and that of D.

        Raises
        ------
        ValueError
            If the argument is not positive.
        """
        (N,) = _above_zero(params=params)
        width = np.cbrt(N)
        fading = (self.square / width + 2 * self.linear / width**2) / 3
        return np.clip(self.params - fading / self._bracket(N), LEAST_POWER, MOST_POWER), self.tokens

    def bend(self, params: ArrayLike) -> np.ndarray:
        """Compute how the power of N changes with the size: the derivative of its logarithm in ln N.

        Parameters
        ----------
        params : float or array
            N, positive.

        Returns
        -------
        array
            Of the shape of ``params``.

        Raises
        ------
        ValueError
            If the argument is not positive.
        """
        width = np.cbrt(*_above_zero(params=params))
        once, twice = ((self.square / width + k * self.linear / width**2) for k in (2, 4))
        fading, falling = once / 3 / self._bracket(width**3), twice / 9 / self._bracket(width**3)
        return (falling - fading**2) / (self.params - fading)

    def _bracket(self, N: np.ndarray) -> np.ndarray:
        width = np.cbrt(N)
        return np.maximum(1.0 + self.square / width + self.linear / width**2, LEAST)

    @property
    def equation(self) -> str:
        """The count as a formula."""
        if not self.is_own:
            return "6 N D"
        if self.kind == "power":
            powers = "".join(f" {x}^{p:.4g}" for x, p in (("N", self.params), ("D", self.tokens)))
            return f"{self.coefficient:.4g}{powers}".replace("^1 ", " ").removesuffix("^1")
        parts = ((self.square, "N^(-1/3)"), (self.linear, "N^(-2/3)"))
        level = "".join(f" {'+' if part > 0 else '-'} {abs(part):.4g} {x}" for part, x in parts if part)
        return f"{self.coefficient:.4g} N D" + (f" (1{level})" if level else "")

    @property
    def words(self) -> str:
        """What is to be known of answers in compute; nothing where the count is 6 N D."""
        span = f"{self.lowest:.3g} to {self.highest:.3g}"
        if self.kind == "unknown":
            return (
                f"{self.column} is not 6·params·tokens ({span} times that) and no other function of params and tokens: "
                "answers in compute count 6·params·tokens"
            )
        if not self.is_own:
            return ""
        near = f"within {self.spread:.1%}" if self.spread >= ROUNDING / 10 else "to rounding"
        times = f"{self.coefficient / 6:.4g}" if self.kind == "multiple" else span
        return (
            f"{self.column} is not 6·params·tokens but {times} times that, {self.equation} {near}: "
            "plans, budgets and exponents of compute are in this count"
        )

    def record(self) -> dict[str, object]:
        """Give all of it to programs.

        Returns
        -------
        dict
            ``equation``, ``words`` and the fields, by name.
        """
        names = ("kind", "column", "coefficient", "params", "tokens", "square", "linear", "spread", "lowest", "highest")
        return {"equation": self.equation} | {name: getattr(self, name) for name in names} | {"words": self.words}


def find_meter(runs: pd.DataFrame, column: str = "flops") -> Meter:
    r"""Find the count of compute in a table of runs, by least absolute deviations of ln C.

    Of the forms of :class:`Meter` the simplest is taken that comes as near to the rows as any: 6 N D, then c N D, then
    a power of the size, then a ratio that levels off, then powers of size and tokens.

    Parameters
    ----------
    runs : DataFrame
        ``params``, ``tokens`` and the column of compute, positive.
    column : str
        ``flops``, or ``budget``, whose empty cells are left out.

    Returns
    -------
    Meter
        ``unknown`` where a tenth of the rows lie further than 5 % from every form.

    Raises
    ------
    RunsError
        If a column is not there, or a number in it is not positive and finite.

    Examples
    --------
    >>> runs = pd.DataFrame({"params": [1e8, 2e8, 4e8, 1e9], "tokens": [2e9, 4e9, 4e9, 2e10]})
    >>> find_meter(runs.assign(flops=2 * runs["params"] * runs["tokens"])).equation
    '2 N D'
    """
    N, D, C = positive_columns(runs, "params", "tokens", column, gaps=True)
    return meter_of(N, D, C, column)


def meter_of(params: np.ndarray, tokens: np.ndarray, flops: np.ndarray, column: str = "flops") -> Meter:
    """The same of arrays; ``column`` is what the count is called."""
    known = np.column_stack([params, tokens, flops])
    known = known[~np.isnan(known).any(axis=1)]
    if not len(known):
        return Meter(column=column)
    x, y, log_c = np.log(known).T
    off = log_c - np.log(6.0) - x - y
    if np.abs(off).max() <= 1e-9:
        return Meter(column=column)
    part = slice(None, None, -(-len(off) // MOST_ROWS))
    found = _simplest(x[part], y[part], off[part])
    if found.spread > KNOWN:
        found = Meter("unknown", spread=found.spread)
    return replace(found, lowest=float(np.exp(off.min())), highest=float(np.exp(off.max())), column=column)


def _simplest(x: np.ndarray, y: np.ndarray, off: np.ndarray) -> Meter:
    """Of all forms the first that is as near as any of those after it; the spread is that of the form."""
    forms = [Meter(spread=_spread(off)), _multiple(off)]
    sizes, lengths = len(np.unique(x)), len(np.unique(y))
    if sizes >= 3 and len(off) >= 4:
        forms.append(_powers(x[:, None], off))
    if sizes >= 4 and len(off) >= 5:
        forms.append(_levelling(x, off))
    if sizes >= 3 and lengths >= 3 and len(off) >= 6:
        forms.append(_powers(np.column_stack([x, y]), off))
    best = forms[0]
    for form in forms[1:]:
        if best.spread > ROUNDING * 0.5 and form.spread < WORTH * best.spread:
            best = form
    return best


def _spread(rest: np.ndarray) -> float:
    return float(np.quantile(np.abs(rest), MOST))


def _multiple(off: np.ndarray) -> Meter:
    k = float(np.median(off))
    return Meter("multiple", 6.0 * float(np.exp(k)), spread=_spread(off - k))


def _powers(logs: np.ndarray, off: np.ndarray) -> Meter:
    """Powers of the size, or of size and tokens: lines in their logarithms."""
    centre = logs.mean(0)
    k, *slopes = _least_absolute(np.column_stack([np.ones(len(off)), logs - centre]), off)
    rest = off - k - (logs - centre) @ slopes
    p, q = (1.0 + s for s in (*slopes, 0.0)[:2])
    return Meter("power", 6.0 * float(np.exp(k - centre @ slopes)), float(p), float(q), spread=_spread(rest))


def _levelling(x: np.ndarray, off: np.ndarray) -> Meter:
    """A ratio c (1 + g N^(-1/3) + h N^(-2/3)): linear in c, cg and ch."""
    powers = np.exp(np.outer(x - x.mean(), (0.0, -1 / 3, -2 / 3)))
    found = _least_absolute(powers * np.exp(-off)[:, None], np.ones(len(off)))
    found[np.abs(found) < NOTHING * np.abs(found).max()] = 0.0
    fitted = powers @ found
    if not (found[0] > 0 and fitted.min() > 0):
        return Meter(spread=np.inf)
    square, linear = found[1:] / found[0] * np.exp(x.mean() * np.array([1 / 3, 2 / 3]))
    spread = _spread(off - np.log(fitted))
    return Meter("sizes", 6.0 * float(found[0]), square=float(square), linear=float(linear), spread=spread)


def _least_absolute(design: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Coefficients of least absolute deviations, by reweighted least squares: a few odd rows do not move them."""
    weights = np.ones(len(target))
    for _ in range(30):
        root = np.sqrt(weights)
        found = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)[0]
        weights = 1.0 / np.maximum(np.abs(target - design @ found), 1e-6)
    return np.asarray(found)


def other_counts(frame: pd.DataFrame, meter: Meter, columns: Iterable[str]) -> str:
    """The other counts of parameters that stand in a table, in words, and which of them make the count c N D."""
    names = [name for name in columns if "param" in str(name).lower() or "weights" in str(name).lower()]
    counts = {str(name): pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in names}
    counts = {name: x for name, x in counts.items() if np.isfinite(x).all() and (x >= 1e3).all()}
    if not counts:
        return ""
    listed = ", ".join(repr(name) for name in counts)
    words = f"other counts of parameters stand in {listed}: --column params=COLUMN takes one"
    D, C = frame["tokens"].to_numpy(float), frame[meter.column].to_numpy(float)
    if meter.kind == "multiple":
        return words
    some = dict(sorted(counts.items(), key=lambda each: bool(_LOOKED_UP.search(each[0].lower())))[:MOST_COUNTS])
    for group in (*combinations(some, 1), *combinations(some, 2)):
        ratio = C / (6 * sum(some[name] for name in group) * D)
        if np.isfinite(ratio).any() and np.nanmax(ratio) < (1 + KNOWN) * np.nanmin(ratio):
            sums = " + ".join(map(repr, group))
            words += f"; {meter.column} is {np.nanmedian(ratio):.3g} times 6·({sums})·tokens"
            if len(group) > 1 and all(name.isidentifier() for name in group):
                words += f", and --derive params='{' + '.join(group)}' takes that count"
            return words
    return words

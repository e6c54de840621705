"""What a claim is, where claims are kept, and how they become a scorecard."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from ..sources.datasets import dataset_checksum, is_available
from ..sources.files import data_file
from ..sources.numbers import Published, published

__all__ = ["KINDS", "Claim", "claims", "record", "reproduces", "scorecard", "tally"]


#: how a number is computed: the word of a claim, and what it means
KINDS = {
    "runs": "recomputed from runs: a fit to them, or a statistic of them",
    "simulated": "runs or samples of a known truth are simulated, and treated as the paper treats its own",
    "closed form": "follows from a formula and other printed constants",
    "identity": "has to hold: 6ND of a row, 1 - a, a rounding, a ratio of two printed numbers, a symmetry",
    "fitted": "something of ours was chosen so that this number, or a family of them, comes out",
    "printed twice": "the paper's number beside another printed one; nothing is computed",
}
REPRODUCED = "reproduced"
CHANGED = "reproduced with a stated change"
FITTED = "fitted"
CONSISTENT = "consistent"
COARSE = "too coarse to tell"
DIFFERS = "differs"
VERDICTS = (REPRODUCED, CHANGED, DIFFERS, FITTED, CONSISTENT, COARSE)
#: what agreement is called where it is no reproduction
AGREEMENT = {"identity": CONSISTENT, "printed twice": CONSISTENT, "fitted": FITTED}
#: a tolerance wider than this share of the number tells nothing where the two agree
WIDEST = 0.25
PRINTED = "half a unit of the last printed digit"
ROUNDED = "what rounding may do to it and to the printed numbers that it is computed from"
CHOSEN = "chosen by us, wider than the noise and the finite size of the computation, narrower than what tells apart "
CHOSEN += "the exponents or factors in question"
MEASURED = "a hundredth for every measured loss or error that a law predicts: two decimals are the most to ask for"
_REGISTRY: dict[str, Claim] = {}
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Claim:
    """One published number and our way to compute it.

    Attributes
    ----------
    id : str
        Of the published number; a second way to the same number adds a label, ``id@label``.
    kind : str
        How the number is computed: one of ``runs``, ``simulated``, ``closed form``, ``identity``, ``fitted`` and
        ``printed twice``; ``KINDS`` says what they mean.
    compute : callable
        Without arguments; returns our number in the published unit.
    tolerance : float
        Largest difference, in that unit, that counts as agreement.
    rule : str
        Where the tolerance comes from.
    change : str or None
        What we do otherwise than the paper says, where that is needed to agree.
    reason : str or None
        Why the numbers differ. A claim with a reason is expected to differ.
    needs : str or None
        The downloaded set of runs that ``compute`` reads.
    family : str
        The id under which the claim is counted: its own, or that of the first of the numbers to which one thing
        was fitted.
    """

    id: str
    kind: str
    compute: Callable[[], float]
    tolerance: float
    rule: str
    change: str | None
    reason: str | None
    needs: str | None
    family: str

    @property
    def published(self) -> Published:
        """The published number that the claim is about."""
        return published(self.id.split("@")[0])

    @property
    def is_recorded(self) -> bool:
        """Whether our number has to come from the record, because the runs are not here."""
        return self.needs is not None and not is_available(self.needs)

    @property
    def ours(self) -> float:
        """Our number, computed once a process; the recorded one where the runs are not here."""
        return _recorded(self.id) if self.is_recorded else _computed(self.id)

    @property
    def note(self) -> str:
        """The reason or the stated change; empty for a claim without either."""
        return self.reason or self.change or ""

    @property
    def verdict(self) -> str:
        """Whether our number agrees with the published one.

        ``reproduced``, ``reproduced with a stated change`` or ``differs``; where agreement is no reproduction,
        ``fitted``, ``consistent`` (identities) or ``too coarse to tell`` (a tolerance of more than a quarter).
        """
        return self.judged(self.ours)

    def judged(self, ours: float) -> str:
        """Judge a number of ours.

        Parameters
        ----------
        ours : float
            In the published unit.

        Returns
        -------
        str
            As :attr:`verdict`.
        """
        # the slack keeps a value that lies exactly on the border, such as 0.455 for 0.46, inside
        if not abs(ours - float(self.published)) <= self.tolerance * (1 + 1e-9):
            return DIFFERS
        if self.kind in AGREEMENT:
            return AGREEMENT[self.kind]
        if self.tolerance > WIDEST * abs(float(self.published)):
            return COARSE
        return CHANGED if self.change else REPRODUCED


def reproduces(
    id: str | Iterable[str] | Mapping[str, Any],
    *,
    kind: str,
    rtol: float | None = None,
    atol: float | None = None,
    digits: int | None = None,
    rule: str | None = None,
    change: str | None = None,
    reason: str | None = None,
    needs: str | None = None,
) -> Callable[[_Function], _Function]:
    """Register a function that computes a published number.

    Parameters
    ----------
    id : str, iterable of str, or mapping
        The published number. A function for several numbers takes one argument: the id itself, or
        what the mapping gives for it. ``id@label`` stands for a second way to the same number.
    kind : str
        How the number is computed: ``runs``, ``simulated``, ``closed form``, ``identity``, ``fitted`` or
        ``printed twice``. The numbers of one ``fitted`` claim are a family and count once.
    rtol, atol : float, optional
        Tolerance, relative to the published value or absolute. Default: half a unit of the last
        printed digit.
    digits : int, optional
        How many of the printed digits count, where the others are the zeros of a round number.
    rule : str, optional
        Where ``rtol`` or ``atol`` comes from; needed with them, and not without.
    change : str, optional
        What has to be done otherwise than the paper says.
    reason : str, optional
        Why our number differs; declares that it does.
    needs : str, optional
        A downloaded set of runs. Where it is not available, our recorded number is used.

    Returns
    -------
    callable
        A decorator that returns the function as it is.

    Raises
    ------
    ValueError
        If the kind is none of the six, if there is more than one tolerance or one without its rule, if there is
        both a change and a reason, or if the id is taken.
    UnknownPublishedError
        If there is no such published number.
    """
    if kind not in KINDS:
        raise ValueError(f"{id}: kind={kind!r} says not how the number is computed; it is one of {', '.join(KINDS)}")
    if sum(each is not None for each in (rtol, atol, digits)) > 1:
        raise ValueError(f"{id}: give rtol, atol or digits, not more than one")
    if (rule is None) != (rtol is None and atol is None):
        raise ValueError(f"{id}: rtol or atol go with a rule, which says where the tolerance comes from")
    if change and reason:
        raise ValueError(f"{id}: a claim has a change, if it agrees, or a reason, if it differs")

    words = rule or (PRINTED if digits is None else f"half a unit of significant digit {digits}; the rest is round")

    def register(function: _Function) -> _Function:
        if isinstance(id, str):
            computes = {id: function}
        else:
            arguments = id if isinstance(id, Mapping) else {name: name for name in id}
            computes = {name: partial(function, argument) for name, argument in arguments.items()}
        for name, compute in computes.items():
            if name in _REGISTRY:
                taken = f"there is already a claim for {name}, in {origin(_REGISTRY[name])}"
                raise ValueError(f"{taken}; name@label makes another")
            number = published(name.split("@")[0])
            tolerance = number.half_unit if atol is None else atol
            if rtol is not None:
                tolerance = rtol * abs(float(number))
            if digits is not None:
                tolerance = 0.5 * 10.0 ** (math.floor(math.log10(abs(float(number)))) + 1 - digits)
            family = next(iter(computes)) if kind == "fitted" else name
            _REGISTRY[name] = Claim(name, kind, compute, tolerance, words, change, reason, needs, family)
        return function

    return register


def origin(claim: Claim) -> str:
    """The module of a claim's function."""
    function = claim.compute.func if isinstance(claim.compute, partial) else claim.compute
    return str(function.__module__)


def claims(source: str | None = None) -> list[Claim]:
    """List the registered claims whose id is ``source`` or lies below it, in the order of registration.

    Parameters
    ----------
    source : str, optional
        A paper or a part of one, such as ``"hoffmann2022/tableA4"``; by default all.

    Returns
    -------
    list of Claim
        At least one.

    Raises
    ------
    ValueError
        If no claim lies below ``source``.
    """
    prefix = (source or "").rstrip("/")
    chosen = [c for c in _REGISTRY.values() if not prefix or f"{c.id}/".startswith((f"{prefix}/", f"{prefix}@"))]
    if not chosen:
        papers = sorted({name.split("/")[0] for name in _REGISTRY})
        raise ValueError(f"no claim lies below {source!r}; papers with claims: {', '.join(papers)}")
    return chosen


@cache
def _computed(id: str) -> float:
    return float(_REGISTRY[id].compute())


@cache
def _record() -> dict[str, float]:
    table = pd.read_csv(data_file("recorded.csv"))
    return dict(zip(table["id"], table["value"].astype(float), strict=True))


def _recorded(id: str) -> float:
    if id not in _record():
        raise ValueError(
            f"no recorded number for {id}: run python -m scaling.papers where its set of runs is available"
        )
    return _record()[id]


def scorecard(source: str | None = None) -> pd.DataFrame:
    """Set our numbers beside the published ones.

    Parameters
    ----------
    source : str, optional
        A paper or a part of one, such as ``"hoffmann2022"`` or ``"hoffmann2022/tableA4"``.

    Returns
    -------
    DataFrame
        ``id``; ``kind``, how ours is computed; ``known``, at ``first`` or ``second`` hand; ``published``, ``ours``,
        ``difference`` (ours minus published), ``tolerance`` and its ``rule``; ``verdict``; ``reason``: why they
        differ, or the stated change, else empty; ``family``, under which the row is counted.

    Raises
    ------
    ValueError
        If no claim lies below ``source``.
    """
    rows = []
    for claim in claims(source):
        value, ours = float(claim.published), claim.ours
        rows.append(
            dict(
                id=claim.id,
                kind=claim.kind,
                known=claim.published.hand,
                published=value,
                ours=ours,
                difference=ours - value,
                tolerance=claim.tolerance,
                rule=claim.rule,
                verdict=claim.judged(ours),
                reason=claim.note,
                family=claim.family,
            )
        )
    return pd.DataFrame(rows)


def tally(card: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Count the rows of a scorecard that have each verdict; a fitted family counts as one.

    Parameters
    ----------
    card : DataFrame
        What :func:`scorecard` returns, or rows of it.
    *by : str
        The columns that the counts are split by; none: ``kind``.

    Returns
    -------
    DataFrame
        One row a group, one column a verdict, in a fixed order of both verdicts and kinds.

    Raises
    ------
    KeyError
        If a column is missing.
    """
    counts = card.drop_duplicates("family").groupby([*(by or ("kind",)), "verdict"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(VERDICTS), fill_value=0).rename_axis(columns=None)
    return counts if by else counts.reindex([kind for kind in KINDS if kind in counts.index])


def record() -> Path:
    """Compute every claim that needs a downloaded set and write ``data/recorded.csv``.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    DatasetError
        If one of the sets cannot be had.
    """
    rows = [
        dict(id=c.id, value=f"{_computed(c.id):.10g}", set=c.needs, sha256=dataset_checksum(c.needs))
        for c in _REGISTRY.values()
        if c.needs is not None
    ]
    path = data_file("recorded.csv")
    pd.DataFrame(rows, columns=["id", "value", "set", "sha256"]).to_csv(path, index=False)
    _record.cache_clear()
    return path

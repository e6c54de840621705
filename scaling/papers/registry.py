"""What a claim is, where claims are kept, and how they become a scorecard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from ..sources.datasets import dataset_checksum, is_available
from ..sources.files import data_file
from ..sources.numbers import Published, published

__all__ = ["Claim", "claims", "record", "reproduces", "scorecard"]


REPRODUCED = "reproduced"
CHANGED = "reproduced with a stated change"
DIFFERS = "differs"
_REGISTRY: dict[str, Claim] = {}
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Claim:
    """One published number and our way to compute it.

    Attributes
    ----------
    id : str
        Of the published number; a second way to the same number adds a label, ``id@label``.
    compute : callable
        Without arguments; returns our number in the published unit.
    tolerance : float
        Largest difference, in that unit, that counts as agreement.
    change : str or None
        What we do otherwise than the paper says, where that is needed to agree.
    reason : str or None
        Why the numbers differ. A claim with a reason is expected to differ.
    needs : str or None
        The downloaded set of runs that ``compute`` reads.
    """

    id: str
    compute: Callable[[], float]
    tolerance: float
    change: str | None
    reason: str | None
    needs: str | None

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
        """``reproduced``, ``reproduced with a stated change`` or ``differs``."""
        # the slack keeps a value that lies exactly on the border, such as 0.455 for 0.46, inside
        if not abs(self.ours - float(self.published)) <= self.tolerance * (1 + 1e-9):
            return DIFFERS
        return CHANGED if self.change else REPRODUCED


def reproduces(
    id: str | Iterable[str] | Mapping[str, Any],
    rtol: float | None = None,
    atol: float | None = None,
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
    rtol, atol : float, optional
        Tolerance, relative to the published value or absolute. Default: half a unit of the last
        printed digit.
    change : str, optional
        What has to be done otherwise than the paper says.
    reason : str, optional
        Why our number differs; declares that it does.
    needs : str, optional
        A downloaded set of runs. Where it is not available, our recorded number is used.

    Raises
    ------
    ValueError
        If both tolerances are given, or both a change and a reason, or if the id is taken.
    UnknownPublishedError
        If there is no such published number.
    """
    if rtol is not None and atol is not None:
        raise ValueError(f"{id}: give rtol or atol, not both")
    if change and reason:
        raise ValueError(f"{id}: a claim has a change, if it agrees, or a reason, if it differs")

    def register(function: _Function) -> _Function:
        if isinstance(id, str):
            computes = {id: function}
        else:
            arguments = id if isinstance(id, Mapping) else {name: name for name in id}
            computes = {name: partial(function, argument) for name, argument in arguments.items()}
        for name, compute in computes.items():
            if name in _REGISTRY:
                words = f"there is already a claim for {name}, in {origin(_REGISTRY[name])}"
                raise ValueError(f"{words}; name@label makes another")
            number = published(name.split("@")[0])
            tolerance = number.half_unit if atol is None else atol
            if rtol is not None:
                tolerance = rtol * abs(float(number))
            _REGISTRY[name] = Claim(name, compute, tolerance, change, reason, needs)
        return function

    return register


def origin(claim: Claim) -> str:
    """The module of a claim's function."""
    function = claim.compute.func if isinstance(claim.compute, partial) else claim.compute
    return str(function.__module__)


def claims(source: str | None = None) -> list[Claim]:
    """The registered claims whose id is ``source`` or lies below it, in the order of registration."""
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
    """Our numbers beside the published ones.

    Parameters
    ----------
    source : str, optional
        A paper or a part of one, such as ``"hoffmann2022"`` or ``"hoffmann2022/tableA4"``.

    Returns
    -------
    DataFrame
        ``id``, ``published``, ``ours``, ``difference`` (ours minus published), ``tolerance``,
        ``verdict`` and ``reason``: why they differ, or the stated change; else empty.

    Raises
    ------
    ValueError
        If no claim lies below ``source``.
    """
    rows = []
    for claim in claims(source):
        value = float(claim.published)
        rows.append(
            dict(
                id=claim.id,
                published=value,
                ours=claim.ours,
                difference=claim.ours - value,
                tolerance=claim.tolerance,
                verdict=claim.verdict,
                reason=claim.note,
            )
        )
    return pd.DataFrame(rows)


def record() -> Path:
    """Compute every claim that needs a downloaded set and write ``data/recorded.csv``; return its path.

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

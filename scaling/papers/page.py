"""The scorecard as a page of the book shows it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from ..sources.labels import label_of
from ..sources.numbers import published
from .registry import DIFFERS, VERDICTS, Claim, claims

__all__ = ["ClaimsTable", "claims_table"]

#: places in a paper that are named in the title of a part; of more, the first is
FEW_PLACES = 2
#: a difference below this share of the number is that of two solvers or of two processors, and says nothing; nor does
#: one below the second share of what counts as agreement
ROUNDING, TOLD = 1e-7, 1e-2


@dataclass(frozen=True, repr=False)
class ClaimsTable:
    """The scorecard as a page shows it: a narrow table, its reasons below as notes.

    Attributes
    ----------
    frame : DataFrame
        Strings, indexed by id, for which a page has words: ``published`` as printed, ``ours`` to four significant
        digits, ``difference`` (``≈ 0`` below a hundredth of the tolerance), ``tolerance``, in the full table ``kind``
        and ``known``, and ``verdict``, whose bracket points to a note.
    notes : tuple of str
        Stated changes and reasons for differences, in the order of their numbers.
    folds : tuple of (str, int)
        Title and number of rows of the parts that a page shows closed, in order; empty: one open table.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    folds: tuple[tuple[str, int], ...] = ()

    @property
    def full(self) -> bool:
        """Whether the table says of which kind each claim is."""
        return "kind" in self.frame

    def __repr__(self) -> str:
        return "\n".join([self.frame.to_string(), *(f"[{k}] {note}" for k, note in enumerate(self.notes, 1))])

    def _repr_html_(self) -> str:
        parts, start = [], 0
        for title, n_rows in self.folds:
            rows, start = self.frame.iloc[start : start + n_rows], start + n_rows
            html = self._html(rows, [_words(id) for id in rows.index])
            parts.append(f"<details><summary>{escape(title)}: {_tally(rows)}</summary>{html}</details>")
        return "".join(parts) or self._html(self.frame, [f"{_where(id)}: {_words(id)}" for id in self.frame.index])

    def _html(self, rows: pd.DataFrame, words: list[str]) -> str:
        """Some rows as a table, with the notes that they point to; whoever wants a row's id points at its words."""
        ids = [escape(id, quote=True) for id in rows.index]
        numbers = [f'<span title="{id}">{escape(text)}</span>' for id, text in zip(ids, words, strict=True)]
        shown = rows.map(escape).reset_index(drop=True)
        shown.insert(0, "number", numbers)
        cited = "".join(rows["verdict"])
        notes = "".join(f"<p>[{k}] {escape(note)}</p>" for k, note in enumerate(self.notes, 1) if f"[{k}]" in cited)
        return shown.to_html(border=0, index=False, escape=False, justify="left") + notes


def _words(id: str) -> str:
    """What the number of a claim is, and by which way it was had where there are several."""
    number, _, way = id.partition("@")
    paper, _, group = way.partition(", ")
    way = label_of(f"{paper}/{group}") if group else way
    return f"{published(number).quantity}; {way}" if way else published(number).quantity


def _where(id: str) -> str:
    """The paper of a claim, and the place in it."""
    number = published(id.split("@")[0])
    return f"{label_of(number.id)}, {number.locator}"


def _title(name: str, part: list[Claim]) -> str:
    """The paper of a part of a table, and the places in it; without a name, a title for all."""
    if not name:
        return "all papers"
    places = list(dict.fromkeys(claim.published.locator for claim in part))
    shown = " and ".join(places) if len(places) <= FEW_PLACES else f"{places[0]} and {len(places) - 1} more places"
    return f"{label_of(name)}, {shown}"


def _tally(rows: pd.DataFrame) -> str:
    """How many rows of a table have each verdict, in words."""
    counts = rows["verdict"].str.replace(r" \[\d+\]$", "", regex=True).value_counts()
    words = {verdict: verdict for verdict in VERDICTS} | ({DIFFERS: "differ"} if counts.get(DIFFERS, 0) > 1 else {})
    return ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items() if verdict in counts)


def _difference(claim: Claim, ours: float) -> str:
    """Ours minus published, to two digits; 0 where nothing but rounding is left."""
    published = float(claim.published)
    difference = ours - published
    rounding = ROUNDING * abs(published)
    if abs(difference) > max(TOLD * claim.tolerance, rounding):
        return f"{difference:.2g}"
    return "0" if abs(difference) <= rounding else "≈ 0"


def claims_table(*sources: str, folded: bool = False, full: bool = False) -> ClaimsTable:
    """Make the scorecard of one or several sources for a page.

    Parameters
    ----------
    *sources : str
        Papers or parts of them, as in :func:`~scaling.papers.scorecard`; none: everything.
    folded : bool
        Whether a page shows each source (cut to ``paper/part``) as a closed line with its verdicts counted; sources
        of one title are one line.
    full : bool
        Whether the table also says how ours is computed, and at which hand the published number is known.

    Returns
    -------
    ClaimsTable
        The rows, the notes to them, and the lines they are folded under.

    Raises
    ------
    ValueError
        If no claim lies below a source.
    """
    parts: dict[str, list[Claim]] = {}
    for source in sources or ("",):
        parts.setdefault("/".join(source.split("/")[:2]), []).extend(claims(source))
    titled: dict[str, list[Claim]] = {}
    for name, part in parts.items():
        titled.setdefault(_title(name, part), []).extend(part)
    chosen = [claim for part in titled.values() for claim in part]
    notes = tuple(dict.fromkeys(claim.note for claim in chosen if claim.note))
    rows = [
        dict(
            id=claim.id,
            published=claim.published.printed,
            ours=f"{ours:.4g}",
            difference=_difference(claim, ours),
            tolerance=f"{claim.tolerance:.2g}",
            **(dict(kind=claim.kind, known=claim.published.hand) if full else {}),
            verdict=claim.judged(ours) + (f" [{notes.index(claim.note) + 1}]" if claim.note else ""),
        )
        for claim in chosen
        for ours in [claim.ours]
    ]
    folds = tuple((title, len(part)) for title, part in titled.items())
    return ClaimsTable(pd.DataFrame(rows).set_index("id"), notes, folds if folded else ())

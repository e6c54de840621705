"""The scorecard as a page of the book shows it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby

import pandas as pd

from .registry import DIFFERS, VERDICTS, Claim, claims

__all__ = ["ClaimsTable", "claims_table"]

#: a difference below this share of the number is that of two solvers or of two processors, and says nothing
ROUNDING = 1e-7


@dataclass(frozen=True, repr=False)
class ClaimsTable:
    """The scorecard as a page shows it: a narrow table, its reasons below as notes.

    Attributes
    ----------
    frame : DataFrame
        Strings, indexed by id: ``published`` as printed, ``ours`` to four significant digits,
        ``difference``, ``tolerance``, in the full table ``kind`` and ``known``, and ``verdict``, whose bracket
        points to a note.
    notes : tuple of str
        Stated changes and reasons for differences, in the order of their numbers.
    folds : tuple of (str, int)
        Name and number of rows of the parts that a page shows closed, in order; empty: one open table.
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
        for name, n_rows in self.folds:
            rows, start = self.frame.iloc[start : start + n_rows], start + n_rows
            # the full table is wide: its rows say only what the line above them does not
            html = self._html(rows.rename(lambda id, name=name: id.removeprefix(f"{name}/")) if self.full else rows)
            parts.append(f"<details><summary>{escape(name)}: {_tally(rows)}</summary>{html}</details>")
        return "".join(parts) or self._html(self.frame)

    def _html(self, rows: pd.DataFrame) -> str:
        """Some rows as a table, with the notes that they point to."""
        shown = rows.map(escape).reset_index()
        # ids may break after a slash, or the first column alone would fill a narrow screen
        shown["id"] = [escape(id).replace("/", "/<wbr>").replace("@", "<wbr>@") for id in shown["id"]]
        cited = "".join(rows["verdict"])
        notes = "".join(f"<p>[{k}] {escape(note)}</p>" for k, note in enumerate(self.notes, 1) if f"[{k}]" in cited)
        return shown.to_html(border=0, index=False, escape=False, justify="left") + notes


def _tally(rows: pd.DataFrame) -> str:
    """How many rows of a table have each verdict, in words."""
    counts = rows["verdict"].str.replace(r" \[\d+\]$", "", regex=True).value_counts()
    words = {verdict: verdict for verdict in VERDICTS} | ({DIFFERS: "differ"} if counts.get(DIFFERS, 0) > 1 else {})
    return ", ".join(f"{counts[verdict]} {word}" for verdict, word in words.items() if verdict in counts)


def _difference(claim: Claim) -> str:
    """Ours minus published, to two digits; 0 where nothing but rounding is left."""
    published = float(claim.published)
    difference = claim.ours - published
    return "0" if abs(difference) <= ROUNDING * abs(published) else f"{difference:.2g}"


def claims_table(*sources: str, folded: bool = False, full: bool = False) -> ClaimsTable:
    """The scorecard of one or several sources for a page.

    Parameters
    ----------
    *sources : str
        Papers or parts of them, as in :func:`~scaling.papers.scorecard`; none: everything.
    folded : bool
        Whether a page shows each source (cut to ``paper/part``) as a closed line with its verdicts counted.
    full : bool
        Whether the table also says how ours is computed, and at which hand the published number is known.

    Returns
    -------
    ClaimsTable
    """
    chosen, names = [], []
    for source in sources or ("",):
        chosen += claims(source)
        names += ["/".join(source.split("/")[:2]) or "all papers"] * len(claims(source))
    notes = tuple(dict.fromkeys(claim.note for claim in chosen if claim.note))
    rows = [
        dict(
            id=claim.id,
            published=claim.published.printed,
            ours=f"{claim.ours:.4g}",
            difference=_difference(claim),
            tolerance=f"{claim.tolerance:.2g}",
            **(dict(kind=claim.kind, known=claim.published.hand) if full else {}),
            verdict=claim.verdict + (f" [{notes.index(claim.note) + 1}]" if claim.note else ""),
        )
        for claim in chosen
    ]
    folds = tuple((name, len(list(group))) for name, group in groupby(names))
    return ClaimsTable(pd.DataFrame(rows).set_index("id"), notes, folds if folded else ())

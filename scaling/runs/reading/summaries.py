"""Rows that sum up the others: totals and averages that a spreadsheet or a person wrote below the runs."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from .glance import glance
from .mapping import Mapped

#: rows at the end among which a label alone says that a row is none of the runs, and how many may be labelled there
LAST, DESCRIBED = 6, 20
#: rows up to which sums are looked for
MOST = 100_000
#: of these alone a column may have its values: an accuracy of 45 %, models p50
_PART = r"\d{1,2}(?:\.\d+)?\s?%|unique|freq|q[1-3]|p\d{2}"
_WORD = (
    r"(?:grand[ -]?|sub[ -]?)?(?:totals?|sums?|averages?|avg|means?|medians?|std(?:ev)?|standard deviation|minimum|"
    r"maximum|min|max|counts?|gesamt(?:summe)?|summe|insgesamt|durchschnitt|mittel(?:wert)?|somme|totaux|moyenne|"
    r"m[ée]diane|ecart-?type|suma|totales|promedio|media|mediana|soma|m[ée]dia|totale|somma|totaal|som|gemiddelde|razem|srednia|średnia|"
    rf"{_PART}|"
    r"итого|всего|сумма|среднее|合计|总计|总和|平均值?|均值|合計|総計|総和|小計|小计|평균|합계|총계)"
)
_LABEL = re.compile(rf"(?i)\s*[*_]*{_WORD}[*_]*\s*[:=]?\s*")
_LONGER = re.compile(rf"(?i)\s*[*_]*{_WORD}(?:\b|(?=[^\w])|$)[^\n]{{0,60}}")


def summary_rows(frame: pd.DataFrame, mapped: list[Mapped]) -> dict[object, str]:
    """The rows that sum up others, each with the words that say so.

    A label alone (``Total``) is enough in the last rows; elsewhere, where it is longer (``Total (20 runs)``) or where
    there is none, the numbers have to be sums or averages of those above.
    """
    if len(frame) < 3:
        return {}
    labels = _labels(frame)
    numbers = _numbers(frame, mapped) if len(frame) <= MOST else {}
    found: dict[int, str] = {}
    start, last = 0, _last(labels, len(frame))
    for place in sorted(k for k in labels if k < len(frame) - last):
        if (
            _LABEL.fullmatch(labels[place][1])
            and len(labels) <= len(frame) / 4
            and _sums_up(numbers, np.arange(start, place), place)
        ):
            found[place] = _said(*labels[place])
            start = place + 1
    runs = np.ones(len(frame) if numbers else 0, dtype=bool)
    runs[[k for k in labels if numbers and (k in found or k >= len(frame) - last)]] = False
    above = np.flatnonzero(runs)
    usual = len([k for k in labels if k < len(frame) - last and k not in found]) > 0
    for place in range(len(frame) - 1, max(-1, len(frame) - 1 - last), -1):
        sums = _sums_up(numbers, above[above < place], place)
        if place in labels:
            if sums or (_LABEL.fullmatch(labels[place][1]) and not usual):
                found[place] = _said(*labels[place])
        elif place == len(frame) - 1 and (words := _unlabelled(numbers, place)):
            found[place] = words
    return {frame.index[place]: words for place, words in sorted(found.items())}


def _last(labels: Mapping[int, tuple[str, str]], rows: int) -> int:
    """How many rows stand at the end, among which a label alone is enough: more where each has one of its own."""
    seen: set[str] = set()
    while len(seen) < min(DESCRIBED, rows):
        label = labels.get(rows - 1 - len(seen), ("", ""))[1].casefold()
        if not _LABEL.fullmatch(label) or label in seen:
            break
        seen.add(label)
    return max(LAST, len(seen))


def _labels(frame: pd.DataFrame) -> dict[int, tuple[str, str]]:
    """Rows with a cell that begins as a label of a summary does, with its column."""
    found: dict[int, tuple[str, str]] = {}
    first = 0 if len(frame) <= MOST else len(frame) - DESCRIBED
    for name, column in frame.iloc[first:].items():
        if pd.api.types.is_numeric_dtype(column):
            continue
        text = column.astype("str").fillna("")
        likely = text.str.fullmatch(_LONGER).to_numpy(dtype=bool)
        if text[likely].str.match(rf"(?i)\s*(?:{_PART})").all():
            continue
        for place in np.flatnonzero(likely):
            found.setdefault(first + int(place), (str(name), text.iloc[place].strip()))
    return found


def _said(column: str, label: str) -> str:
    return f"{label[:30]!r} in column {column!r} is a summary, not a run"


def _numbers(frame: pd.DataFrame, mapped: list[Mapped]) -> dict[str, np.ndarray]:
    names = ("params", "tokens", "flops", "loss")
    return {m.name: glance(m.name, frame.iloc[:, m.place], MOST) for m in mapped if m.name in names}


@np.errstate(all="ignore")
def _sums_up(numbers: Mapping[str, np.ndarray], rows: np.ndarray, place: int) -> bool:
    """Whether the numbers of a row, but for one, are sums or averages of those in other rows."""
    hits = given = 0
    for values in numbers.values():
        above = values[rows][np.isfinite(values[rows])]
        if len(above) < 2 or not np.isfinite(values[place]) or np.ptp(above) == 0:
            continue
        given += 1
        hits += bool(np.isclose(values[place], [above.sum(), above.mean()], rtol=1e-3, atol=0.0).any())
    return hits > 0 and hits >= given - 1


@np.errstate(all="ignore")
def _unlabelled(numbers: Mapping[str, np.ndarray], place: int) -> str:
    """Words for a last row without a label whose numbers are the sums, or the averages, of those above; else empty."""
    for what, of in (("sums", np.sum), ("averages", np.mean)):
        hits = []
        for name, values in numbers.items():
            above = values[:place][np.isfinite(values[:place])]
            if len(above) >= 3 and np.ptp(above) > 0 and np.isclose(values[place], of(above), rtol=5e-4, atol=0.0):
                hits.append(name)
        given = [name for name, values in numbers.items() if np.isfinite(values[place])]
        if len(hits) >= 2 or (hits and hits == given and len(numbers) > 1):
            return f"its {' and '.join(hits)} are the {what} of those above: no run"
    return ""

"""Quantities that no column holds: what is said of the columns that are like them, or of which they are made."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..._words import listed, plain
from ..headers import quoted
from ..vocabulary import KNOWN_NAMES, TRIPLE
from .counted import counted
from .derivations import made_of_a_token, of_logarithm
from .glance import fits, glance
from .hours import read_time
from .mapping import MOST_LISTED, listed_columns
from .other_laws import other_laws
from .ratios import is_logarithm, read_ratio
from .shapes import size_by_shape
from .sizes import told_sizes
from .spreads import is_spread, loss_of_another
from .units import read_header, stated_unit, unit_of_logarithm

#: parts of what is minimised, powers and sums of losses are no loss, tokens of a test or left none of training, and a
#: speed or a share of one is no compute
_UNLIKE = {
    "loss": re.compile(
        r"(?i)aux|router|balanc|\bz[\s_-]?loss|_z_?loss|regular|reducib|relative|excess|delta|scale|[\^+*]"
    ),
    "tokens": re.compile(
        r"(?i)(?<![a-z])(?:val|valid|validation|eval|test|dev|heldout|remaining|left|max|context|vocab|new|unseen|pad|"
        r"padding|special|generated|prompt|skipped|per)(?![a-z])"
    ),
    "flops": re.compile(r"(?i)^[\W_]*(?:achieved|model|hw|peak|max|avg)?[\W_]*[kmgtp]flops?[\W_]*$"),
}
#: a loss on one data set
_ON_ONE_SET = re.compile(r"(?i)(?:\w+[\s_./-]loss|loss[\s_./@-]\w+)")


def lacking_words(
    frame: pd.DataFrame,
    found: set[str],
    taken: set[int],
    places: Mapping[str, int],
    needs: Sequence[str] | None = None,
) -> list[str]:
    """Problems for quantities that no column holds; ``places`` are those of quantities that one does.

    ``needs`` are the quantities that are asked for, by default the loss and two of params, tokens and flops.
    """
    gaps = _Gaps(frame, taken)
    told = gaps.counted_otherwise(found) if needs is None else {}
    found = found | told.keys()
    near, lacking = gaps.near(_lacking(found, needs))
    hints = [(ours, gaps.hint(ours)) for ours in lacking]
    problems = [*told.values(), *near, *(_unrecognised(ours, hint) for ours, hint in hints if hint)]
    unlike = [ours for ours, hint in hints if not hint]
    problems += gaps.unlike(unlike, lacking)
    shape = size_by_shape(gaps.names) if "params" in unlike else ""
    problems += [shape] if shape else []
    if needs is not None:
        return problems
    if len(lacking) > 1 or (lacking and gaps.without_embeddings):
        problems.append("needed are the loss and two of params, tokens and flops: the third follows from flops = 6 N D")
        if gaps.lies_on_its_side(found):
            return [*problems, "the names stand down the first column, so the table lies on its side: transpose it"]
    if not shape:  # models of several sizes are no table of one variable
        problems += other_laws(frame, found, places)
    return problems


def _unrecognised(ours: str, hint: str) -> str:
    return f"no column is recognised as {ours!r}; {hint}"


def _too_few(found: set[str]) -> bool:
    """Whether the third of params, tokens and flops does not follow from others."""
    return len(found.intersection(TRIPLE)) < 2


def _lacking(found: set[str], needs: Sequence[str] | None) -> list[str]:
    """The quantities that are asked for and not found."""
    asked = ("loss", *(TRIPLE if _too_few(found) else ())) if needs is None else needs
    return [name for name in asked if name not in found]


class _Gaps:
    """A table with the places of columns that are ``taken``, and what is said of its other columns."""

    def __init__(self, frame: pd.DataFrame, taken: set[int]):
        self.frame, self.taken = frame, taken
        self.names = [str(name) for name in frame.columns]
        times = {k: read_time(name) for k, name in enumerate(self.names) if k not in taken}
        self.times = {k: time for k, time in times.items() if time}
        self.free = [k for k, time in times.items() if not time and not read_ratio(self.names[k])]

    def counted_otherwise(self, found: set[str]) -> dict[str, str]:
        """What is said of columns that count something from which a quantity follows, by the quantity."""
        told: dict[str, str] = {}
        if "flops" not in found and _too_few(found) and (words := self._of_time()):
            told["flops"] = words
        if "params" not in found and (words := told_sizes(self.frame)):
            told["params"] = _unrecognised("params", words)
        for ours in TRIPLE:
            known = found | told.keys()
            if ours not in known and _too_few(known) and (words := self._of_another(ours)):
                told[ours] = words
        return told

    def _of_time(self) -> str:
        """What is said of the first column of hours of machines, or of compute; "" where there is none."""
        for k, time in self.times.items():
            if time.machine or "comp" in plain(self.names[k]):
                return f"{time.no_count(self.names[k])}; {time.derived(self.names[k])}"
        return ""

    def _of_another(self, ours: str) -> str:
        """What is said of a column that counts something from which a quantity follows; "" where there is none."""
        for place, name in enumerate(self.names):
            if place not in self.taken and (other := counted(ours, name, self.names)):
                option = other.option(ours, name, self.names)
                words = f"{name!r} counts {other.what}: {option}, or --column {ours}=COLUMN names another column"
                return _unrecognised(ours, words)
        return ""

    @property
    def without_embeddings(self) -> str:
        """The first column of parameters without embeddings; "" where there is none."""
        read = ((name, read_header(name)) for name in self.names)
        return next((name for name, header in read if header and header.name == "params_nonembedding"), "")

    def near(self, lacking: list[str]) -> tuple[list[str], list[str]]:
        """What is said of columns that are nearly a quantity, and the quantities that are lacking still."""
        problems = []
        if "params" in lacking and (of := self.without_embeddings):
            lacking = [ours for ours in lacking if ours != "params"]
            words = f"{of!r} counts parameters without embeddings"
            hint = f"--column params={of!r} takes them all the same, for laws of that count"
            problems.append(_unrecognised("params", f"{words}: {hint}"))
        problems += self._within(lacking)
        if "loss" in lacking and (words := self._loss_of_others()):
            lacking = [ours for ours in lacking if ours != "loss"]
            problems.append(_unrecognised("loss", words))
        return problems, lacking

    def _loss_of_others(self) -> str:
        """What is said of the logarithm of a perplexity, or of a loss of a word; "" where there is none."""
        if of := next((name for name in self.names if unit_of_logarithm(name) == ""), None):
            words = f"{of!r} is the logarithm of a perplexity, which is one"
            return f"{words}: --column loss={of!r} takes a natural one, and --loss-unit bits one to base 2"
        return next((made_of_a_token(name, what) for name in self.names if (what := loss_of_another(name))), "")

    def _within(self, lacking: list[str]) -> list[str]:
        """Where quantities stand inside of what a logger wrote: under ``name.value``, or in cells of JSON as text."""
        inner = {name: read_header(name.removesuffix(".value")) for name in self.names if name.endswith(".value")}
        found = {header.name: name for name, header in inner.items() if header and header.name in lacking}
        if found:
            options = " ".join(f"--column {ours}={shlex.quote(name)}" for ours, name in found.items())
            return [f"{listed([*map(repr, found.values())])} may be {listed([*found])}: {options}"]
        first = {name: self.frame[name].dropna().head(1).tolist() for name in self.names}
        objects = re.compile(r"\s*\{.*\}\s*", re.DOTALL)
        texts = [name for name, cells in first.items() if cells and objects.fullmatch(str(cells[0]))]
        if not texts or not lacking:
            return []
        told = listed([*map(repr, texts[:4])])
        return [f"the cells of {told} are objects written as text: save them as objects, or each value as a column"]

    def hint(self, ours: str) -> str:
        """What is said of columns that are like a quantity; "" where there are none."""
        likely = [k for k in self.free if _likely(ours, self.names[k]) and self._could_be(ours, k)]
        if not likely:
            return self._speed() if ours == "flops" else ""
        first = self.names[likely[0]]
        if ours == "loss" and (several := _of_several(self.frame, first)):
            return several
        if is_logarithm(first):
            return f"{first!r} looks like its logarithm: {of_logarithm(ours, first)}"
        if ours == "loss" and len(alike := self._losses(likely)) > 1:
            more = f" and {len(alike) - 4} more" if len(alike) > 4 else ""
            return f"{', '.join(map(repr, alike[:4]))}{more} look like it: --column loss=COLUMN says which"
        return f"{first!r} looks like it: --column {ours}={first!r} takes it"

    def _could_be(self, ours: str, place: int) -> bool:
        """Whether the cells of a column whose name is like a quantity's could hold it, or its logarithm."""
        header, column = self.names[place], self.frame.iloc[:, place]
        if is_logarithm(header) or not len(column):
            return True
        given = np.isfinite(glance(ours, column)).any()
        return bool(given) and (ours == "loss" or fits(ours, column, stated_unit(ours, header)))

    def _speed(self) -> str:
        """What is said of a column that may be a speed of machines; "" where there is none."""
        speed = next((self.names[k] for k in self.free if _UNLIKE["flops"].match(self.names[k])), None)
        if speed is None:
            return ""
        words = f"where it counts all operations of a run, --column flops={speed!r} takes it"
        return f"{speed!r} may be a speed: {words}"

    def _losses(self, likely: list[int]) -> list[str]:
        """Columns that could each be the loss: those that are like it, and losses on other data sets beside them."""
        alike = [self.names[k] for k in likely if not is_logarithm(self.names[k])]
        others = [self.names[k] for k in self.free if alike and k not in likely]
        return alike + [
            name
            for name in others
            if _ON_ONE_SET.fullmatch(name) and not is_spread(name) and not _UNLIKE["loss"].search(name)
        ]

    def unlike(self, unlike: list[str], lacking: list[str]) -> list[str]:
        """What is said of quantities to which no column is like."""
        if not unlike:
            return []
        hint = f"columns found: {listed_columns(self._likely_first(lacking))}; --column {unlike[0]}=COLUMN"
        hint += " and so on name them" if len(unlike) > 1 else " names it"
        return [f"no column is recognised as {' or as '.join(map(repr, unlike))}; {hint}"]

    def _likely_first(self, lacking: list[str]) -> list[str]:
        """The names of columns, first those that could be meant where not all can be listed."""
        names = self.names
        if len(names) <= MOST_LISTED:
            return names
        telling = re.compile("param|tok|loss|flop|compute|size|ppl|nll|entrop|data|score|budget|bp[bc]")
        meant = [k for k in self.free if telling.search(names[k].lower())]
        numbers = [k for k in self.free if any(fits(ours, self.frame.iloc[:, k], None) for ours in lacking)]
        return [names[k] for k in dict.fromkeys([*meant, *numbers, *range(len(names))])]

    def lies_on_its_side(self, found: set[str]) -> bool:
        """Whether the first column, with what was found, names the quantities of a run."""
        cells = self.frame.iloc[:20, 0].dropna().astype("str") if self.names else []
        side = [header.name for cell in cells if (header := read_header(cell))]
        needed = {*TRIPLE, "loss"}
        return sum(name in needed for name in side) + len(found & needed) >= 3


def _likely(ours: str, name: str) -> bool:
    """Whether a header is like those of a quantity."""
    if (ours == "loss" and is_spread(name)) or (ours in _UNLIKE and _UNLIKE[ours].search(name)):
        return False
    word = re.sub(r"^(log10|log2|log|ln)", "", plain(name))
    known = KNOWN_NAMES[ours]
    return word in known or bool(difflib.get_close_matches(word, [k for k in known if len(k) > 3], n=1, cutoff=0.78))


def _of_several(frame: pd.DataFrame, value: str) -> str:
    """What is said of a column that holds several quantities, which a column of words names; or nothing."""
    for name in frame.columns:
        words = frame[name].dropna().astype("str")
        if pd.api.types.is_numeric_dtype(frame[name]) or not 1 < words.nunique() <= MOST_LISTED:
            continue
        headers = {word: read_header(word) for word in words.unique()}
        units = {word: header.unit for word, header in headers.items() if header and header.name == "loss"}
        if units:
            loss = next((word for word in reversed(units) if units[word] is None), [*units][-1])
            others = ", ".join(repr(word[:40]) for word in [*headers][:4])
            return _choice(value, str(name), loss, units[loss], others)
    return ""


def _choice(value: str, column: str, loss: str, unit: str | None, others: str) -> str:
    """How the loss is chosen of the quantities in one column, which a column of words names."""
    choice = f"{quoted(column)} == {loss!r}"
    choice = shlex.quote(choice) if set(choice) & set('`$"\\') else f'"{choice}"'
    stated = f" --loss-unit {unit}" if unit else ""
    said = f"{value!r} holds several quantities, which {column!r} names ({others})"
    return f"{said}: --where {choice} --column loss={shlex.quote(value)}{stated} chooses one"

"""Public checks of exercises: what an answer has to define, what must hold of it, and a hint where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import fill
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import PagesError
from ..sources.files import book_file

__all__ = ["Check", "Condition", "Hint", "check", "checks", "near"]

#: characters of a line that a notebook shows without wrapping
WIDTH = 88
#: what stands for a value that is still to be given
EMPTY = ...
NO_YAML = "Checks need PyYAML: run pip install -e '.[book]' in the project's folder. All else runs without it."


class Hint(AssertionError):
    """An answer does not pass its check; the message says what to do next."""


@dataclass(frozen=True)
class Condition:
    """What must hold of an answer: an expression in its names and the notebook's, and the hint where it is false."""

    holds: str
    hint: str


@dataclass(frozen=True)
class Check:
    """The check of an exercise.

    Attributes
    ----------
    label : str
        Of the exercise.
    answer : dict of str to str
        The names that an answer defines, and what each of them is.
    hint : str
        How to begin.
    conditions : tuple of Condition
        What must hold, in the order in which it is told.
    """

    label: str
    answer: dict[str, str]
    hint: str
    conditions: tuple[Condition, ...]

    def words(self, values: Mapping[str, Any]) -> str:
        """What to tell whose notebook holds these values; nothing if its answer passes."""
        empty = [name for name in self.answer if values.get(name, EMPTY) is EMPTY]
        if empty:
            told = "; ".join(f"`{name}` has no value ({self.answer[name]})" for name in empty)
            return f"Not answered yet: {told}. {self.hint}"
        known = {"np": np, **values, "near": near}
        for condition in self.conditions:
            try:
                with np.errstate(all="ignore"):
                    held = bool(eval(condition.holds, known))
            except Exception as error:  # whatever a student's value is, it deserves a hint
                return f"Not yet. {condition.hint} (Comparing the answer ended with {type(error).__name__}: {error})"
            if not held:
                return f"Not yet. {condition.hint}"
        return ""

    def demand(self, values: Mapping[str, Any]) -> None:
        """Raise a hint unless an answer passes, as an autograder wants to be told.

        Raises
        ------
        Hint
            If a name has no value, or a condition does not hold.
        """
        if words := self.words(values):
            raise Hint(words)


def near(found: ArrayLike, expected: ArrayLike, relative: float = 0.01) -> bool:
    """Whether numbers agree within a relative tolerance, one by one and as many of them.

    Examples
    --------
    >>> near(0.99, 1, relative=0.02), near([1, 2], [1, 2, 3])
    (True, False)
    """
    ours, theirs = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=relative, atol=0))


def check(label: str, values: Mapping[str, Any]) -> None:
    """Print whether an answer passes, or a hint; ``values`` are a notebook's ``globals()``.

    Raises
    ------
    scaling.errors.PagesError
        If there is no check of this exercise.
    """
    try:
        known = checks()
    except ModuleNotFoundError:
        print(NO_YAML)
        return
    if label not in known:
        raise PagesError(f"there is no check of an exercise {label!r}; these there are: {', '.join(known)}")
    words = known[label].words(values)
    print(fill(words, WIDTH, break_long_words=False) if words else "The answer passes its check.")


@cache
def checks() -> dict[str, Check]:
    """Every check of ``book/course/checks.yml``, by the label of its exercise."""
    import yaml

    listed = yaml.safe_load(book_file("course/checks.yml").read_text(encoding="utf-8"))
    return {label: _check(label, **entry) for label, entry in listed.items()}


def _check(label: str, answer: dict[str, str], hint: str, conditions: list[dict[str, str]]) -> Check:
    told = (Condition(each["holds"].strip(), each.get("hint", hint)) for each in conditions)
    return Check(label, answer, hint, tuple(told))

"""What can be refused, and by which error: the words that every room may use."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

__all__ = [
    "BookError",
    "DatasetError",
    "FitError",
    "FitErrorKind",
    "PagesError",
    "RunsError",
    "RunsWarning",
    "UnknownPublishedError",
]


class DatasetError(RuntimeError):
    """A set of runs cannot be had; the message says where to get the file and where to put it."""


class UnknownPublishedError(KeyError):
    """No published number has this id; the message names the closest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


class RunsError(ValueError):
    """A table that cannot be used; the message lists every problem, its place and the next step.

    Parameters
    ----------
    source : str
        What the table is called; without problems, the whole message.

    Attributes
    ----------
    problems : tuple of str
        One sentence a problem.
    """

    def __init__(self, source: str, problems: Sequence[str] = ()):
        self.problems = tuple(problems) or (source,)
        lines = [f"{source} cannot be used as a table of runs:", *(f"  - {p}" for p in problems)]
        super().__init__("\n".join(lines) if problems else source)
        self._source = source

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._source, self.problems if self.problems != (self._source,) else ())


class FitErrorKind(Enum):
    """Why a table and a law do not go together; programs ask for this, never for the words of a message."""

    #: the table itself cannot be used: a column, a value, a weight
    TABLE = "table"
    #: too few runs, sizes, budgets or curves for what is asked
    FEW = "few"
    #: the loss does not fall with one of the variables beyond noise
    UNSEEN = "unseen"
    #: some combination of the constants is left open by the runs
    UNDETERMINED = "undetermined"


class FitError(RunsError):
    """The table cannot be fitted at all, or the law asked for is not identified by it.

    Parameters
    ----------
    message : str
        What is wrong, and the next step.

    Attributes
    ----------
    kind : FitErrorKind
        Of which kind the reason is.
    """

    def __init__(self, message: str, kind: FitErrorKind = FitErrorKind.TABLE):
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.kind)


class RunsWarning(UserWarning):
    """A table that can be used, with something in it that deserves a look."""


class BookError(ValueError):
    """A book cannot be put where it was asked for; what stands there is left as it is."""


class PagesError(RuntimeError):
    """The pages of a book could not be written; the message is what stopped them."""

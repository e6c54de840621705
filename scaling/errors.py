"""What can be refused, and by which error: the words that every room may use."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["BookError", "DatasetError", "FitError", "PagesError", "RunsError", "RunsWarning", "UnknownPublishedError"]


class DatasetError(RuntimeError):
    """A set of runs cannot be had; the message says where to get the file and where to put it."""


class UnknownPublishedError(KeyError):
    """No published number has this id; the message names the closest ones."""

    def __str__(self) -> str:
        return str(self.args[0])


class RunsError(ValueError):
    """A table that cannot be used; the message lists every problem, its place and the next step.

    Attributes
    ----------
    problems : tuple of str
        One sentence a problem.
    """

    def __init__(self, source: str, problems: Sequence[str] = ()):
        self.problems = tuple(problems) or (source,)
        lines = [f"{source} cannot be used as a table of runs:", *(f"  - {p}" for p in problems)]
        super().__init__("\n".join(lines) if problems else source)


class FitError(RunsError):
    """The table cannot be fitted at all, or the law asked for is not identified by it."""

    def __init__(self, message: str):
        ValueError.__init__(self, message)
        self.problems = (message,)


class RunsWarning(UserWarning):
    """A table that can be used, with something in it that deserves a look."""


class BookError(ValueError):
    """A book cannot be put where it was asked for; what stands there is left as it is."""


class PagesError(RuntimeError):
    """The pages of a book could not be written; the message is what stopped them."""

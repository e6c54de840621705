"""What all commands share: errors in one readable block, and tables as JSON."""

from __future__ import annotations

import warnings
from concurrent.futures import BrokenExecutor
from typing import Any

import click

from .._words import printable
from ..errors import DatasetError, PagesError, RunsWarning

UNUSABLE, BROKEN, INTERRUPTED = 1, 3, 130


class Refusal(click.ClickException):
    """A message with an exit code: ``UNUSABLE`` for the table, ``BROKEN`` for what is outside it."""

    def __init__(self, message: str, exit_code: int = UNUSABLE):
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        for line in f"error: {self.message}".split("\n"):  # parts of it may come from a file
            click.echo(printable(line), file=file, err=file is None)


class Command(click.Command):
    """A click command that turns the errors of the package into messages and warnings into notes."""

    def invoke(self, context: click.Context) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RunsWarning)  # commands print these as part of their report
            try:
                return super().invoke(context)
            except (DatasetError, PagesError, OSError, BrokenExecutor) as error:
                raise Refusal(str(error), BROKEN) from error
            except MemoryError:
                raise Refusal("not enough memory for this table; try it on a part of its rows", BROKEN) from None
            except ValueError as error:  # RunsError and FitError are among these
                raise Refusal(str(error)) from error
            except KeyboardInterrupt:
                raise Refusal("interrupted", INTERRUPTED) from None

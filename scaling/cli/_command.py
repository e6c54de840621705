"""What all commands share: errors in one readable block, and tables as JSON."""

from __future__ import annotations

import json
import warnings
from typing import Any

import click
import numpy as np
import pandas as pd

from .._text import printable
from ..datasets import DatasetError
from ..runs import RunsWarning

UNUSABLE, FAILED, INTERRUPTED = 1, 3, 130


class Refusal(click.ClickException):
    """A message with an exit code: ``UNUSABLE`` for the table, ``FAILED`` for what is outside it."""

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
            except (DatasetError, OSError) as error:
                raise Refusal(str(error), FAILED) from error
            except MemoryError:
                raise Refusal("not enough memory for this table; try it on a part of its rows", FAILED) from None
            except ValueError as error:  # RunsError and FitError are among these
                raise Refusal(str(error)) from error
            except KeyboardInterrupt:
                raise Refusal("interrupted", INTERRUPTED) from None


def to_json(value: Any) -> str:
    """JSON of tables, arrays and records; what is not a number is null, as JSON has it."""
    return json.dumps(_plain(value), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.to_dict("records")]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)

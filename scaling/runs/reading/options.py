"""The options of reading, under the names that they have as arguments of ``read_table`` and ``load_runs``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import RunsError


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a table is to be read: as :func:`~scaling.runs.read_table` and :func:`~scaling.runs.load_runs` say."""

    strict: bool = False
    include_failed: bool = False
    skip_bad: bool = False
    columns: Mapping[str, str] | None = None
    units: Mapping[str, str] | None = None
    loss_unit: str | None = None
    bytes_per_token: float | None = None
    ceiling: float | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    derive: Mapping[str, str] | None = None
    where: str | Sequence[str] = ()
    run: str | Sequence[str] = ()
    curves: str | Path | None = None
    needs: Sequence[str] | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Options:
        """Those among the arguments of a function, which has some of them under the same names."""
        return cls(**{each.name: arguments[each.name] for each in fields(cls) if each.name in arguments})

    @property
    def conditions(self) -> list[str]:
        """Which rows are to be kept."""
        return listed(self.where)

    @property
    def run_columns(self) -> list[str]:
        """The columns that together name a run."""
        return listed(self.run)

    @property
    def says_how(self) -> bool:
        """Whether cells are to be read in another way than is found, or with those of a second file."""
        how = (self.columns, self.units, self.loss_unit, self.bytes_per_token, self.decimal, self.ceiling, self.curves)
        return any(value not in (None, {}) for value in how)

    @property
    def says_form(self) -> bool:
        """Whether the form of the file is stated."""
        return any(value is not None for value in (self.delimiter, self.encoding, self.sheet))

    @property
    def prepares(self) -> list[str]:
        """The options by which rows are chosen or completed."""
        asked = (("derive", self.derive), ("where", self.conditions), ("run", self.run_columns))
        return [option for option, value in asked if value]

    def check(self, source: str) -> None:
        """``RunsError`` for an option that makes no sense."""
        if self.decimal not in (None, ".", ","):
            raise RunsError(source, [f"--decimal must be . or ,: got {self.decimal!r}"])
        if self.bytes_per_token is not None and not (self.bytes_per_token > 0 and np.isfinite(self.bytes_per_token)):
            raise RunsError(source, [f"--bytes-per-token must be positive and finite, got {self.bytes_per_token:g}"])
        if self.ceiling is not None and not np.isfinite(self.ceiling):
            raise RunsError(source, [f"--ceiling must be finite, got {self.ceiling:g}"])
        if self.ceiling is not None and self.loss_unit not in (None, "other"):
            falls = f"--loss-unit {self.loss_unit} is of a loss that falls"
            raise RunsError(source, [f"{falls}, and --ceiling of a quantity that rises: choose one"])


def listed(value: str | Sequence[str]) -> list[str]:
    """One text or several, as a list."""
    return [value] if isinstance(value, str) else list(value)

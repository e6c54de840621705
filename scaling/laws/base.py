"""What a law is: the contract that every formula of this package keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import numbers
from ..errors import UnknownPublishedError
from ..sources.numbers import places_of, published

__all__ = ["Law"]

#: what a law of the loss depends on, unless it says otherwise
SIZE_AND_TOKENS = ("params", "tokens")


class HasLoss(Protocol):
    """Any law of the loss that falls with size and with tokens."""

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Loss in nats/token."""
        ...


def of_size_and_tokens(law: Any) -> HasLoss:
    """The law, if it gives a loss for a size and a number of tokens alone; else a ``TypeError`` says what it needs."""
    if not callable(getattr(law, "loss", None)):
        own = ": give its .law" if hasattr(law, "law") else ""
        raise TypeError(f"a {type(law).__name__} has no loss(params, tokens){own}")
    *others, last = getattr(law, "columns", SIZE_AND_TOKENS)
    if (*others, last) != SIZE_AND_TOKENS:
        needed = f"{', '.join(others)} and {last}" if others else last
        raise TypeError(f"a {type(law).__name__} is of {needed}, and here params and tokens are all that is given")
    return cast(HasLoss, law)


class Law:
    """A formula of a paper: a frozen dataclass of constants, vectorised, that knows no data.

    Constants may be arrays (one entry a bootstrap resample); they broadcast against the arguments by NumPy's rules.

    Attributes
    ----------
    equation : str
        The formula in plain text.
    columns : tuple of str
        What the law depends on, by the names that columns of a table of runs have, in the order of :meth:`value`.
    """

    equation: ClassVar[str] = ""
    columns: ClassVar[tuple[str, ...]] = ()

    @property
    def constants(self) -> dict[str, Any]:
        """The constants by name, in the order of the equation; :meth:`of` takes them back."""
        return {name: getattr(self, name) for name in _names(self)}

    @classmethod
    def of(cls, constants: Mapping[str, Any]) -> Self:
        """Make the law of constants by name, as :attr:`constants` gives them.

        Parameters
        ----------
        constants : dict
            A number or an array for each constant.

        Returns
        -------
        Law
            A law of this kind.

        Raises
        ------
        TypeError
            If a constant is missing, or another is given.
        """
        return cls(**constants)

    @classmethod
    def from_published(cls, name: str) -> Self:
        """Read the constants that stand below a place in ``data/published.csv``, such as ``sardana2024/constants``.

        Parameters
        ----------
        name : str
            The place.

        Returns
        -------
        Law
            A law of this kind.

        Raises
        ------
        ValueError
            If a constant of the law does not stand there.
        """
        return cls.of(read_published(name, *_names(cls)))

    def value(self, *columns: ArrayLike) -> Any:
        """Predict from values of ``columns``, in their order; for laws of the loss, the loss.

        Parameters
        ----------
        *columns : float or array
            One argument a column, positive.

        Returns
        -------
        float or array
            Of the broadcast shape, in the unit of what the law predicts.

        Raises
        ------
        TypeError
            If there are more or fewer arguments than columns.
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        return self.loss(*columns)  # type: ignore[attr-defined]  # laws of other things have a value of their own

    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Predict for each row of a table.

        Parameters
        ----------
        table : DataFrame
            With the law's ``columns``, positive.

        Returns
        -------
        array (n_rows,)
            Predictions; for constants that are arrays, by NumPy's rules.

        Raises
        ------
        ValueError
            If the table lacks a column, which the message names, or a value is not a positive number.
        """
        if missing := [name for name in self.columns if name not in table]:
            raise ValueError(f"{type(self).__name__} needs the column {missing[0]!r}, which the table does not have")
        return np.asarray(self.value(*(numbers(name, table[name]) for name in self.columns)))

    def as_column(self) -> Self:
        """Turn constants that are arrays (B,) into (B, 1), to be met with a row of arguments.

        Returns
        -------
        Law
            A law of this kind.
        """
        columns = {name: _as_column(getattr(self, name)) for name in _names(self)}
        return replace(self, **columns)  # type: ignore[type-var]  # as in _names

    def __repr__(self) -> str:
        parts = []
        for name, value in self.constants.items():
            if value is None:
                continue
            if np.ndim(value):
                parts.append(f"{name}=<{np.size(value)} values>")
            else:
                parts.append(f"{name}={value!r}" if isinstance(value, Law) else f"{name}={value:.6g}")
        return f"{type(self).__name__}({', '.join(parts)})"


def only(name: str, known: str) -> None:
    """``ValueError`` unless ``name`` is the one set of constants there is."""
    if name != known:
        raise ValueError(f"no published constants named {name!r}; known: {known}")


def read_published(place: str, *names: str, known: str = "", called: str = "") -> dict[str, float]:
    """The numbers ``place/name`` of ``data/published.csv``, by name.

    ``ValueError`` where one is missing; it says how the set was ``called`` and which are ``known``.
    """
    try:
        return {name: float(published(f"{place}/{name}")) for name in names}
    except UnknownPublishedError as error:
        known = known or ", ".join(places_of(names))
        none = f": no place in data/published.csv has {', '.join(names)}; the class makes a law of numbers"
        words = f"; known: {known}" if known else none
        raise ValueError(f"no published constants named {called or place!r}{words}") from error


def _names(law: Any) -> list[str]:
    """Names of the fields of a law or a kind of law. Each is a dataclass, which the type ``Law`` itself is not."""
    return [each.name for each in fields(law)]


def _as_column(value: Any) -> Any:
    if isinstance(value, Law):
        return value.as_column()
    return value[:, None] if isinstance(value, np.ndarray) and value.ndim == 1 else value

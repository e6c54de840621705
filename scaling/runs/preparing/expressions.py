"""Arithmetic and comparisons on columns, as ``steps * batch_size`` or ``params > 1e8 and optimizer == 'adam'``.

The text is parsed to a tree, of which numbers, words, names of columns and the operators below are known and nothing
else: nothing in it is ever run as a program. A missing cell makes a comparison neither true nor false.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from ..._words import plain
from ...errors import RunsError
from ..reading.cells import read_numbers

#: more characters or levels of brackets than these are no expression that a person wrote
LONGEST, DEEPEST = 500, 50
_ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_ORDER: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_TRUE, _FALSE = {"true", "yes", "y"}, {"false", "no", "n"}
_KNOWN = "+ - * / **, comparisons, and, or, not, in (..., ...), numbers, 'words' and names of columns"


@dataclass(frozen=True)
class Expression:
    """What an expression says of each row of a table.

    Parameters
    ----------
    text : str
        The expression. A name with blanks or signs stands in backquotes: ```Model Size` > 1e8``.
    option : str
        How the message of an error calls it, such as ``--where``.
    decimal : str, default "."
        The decimal mark of cells that are text.

    Raises
    ------
    RunsError
        If it is none, or goes beyond what is known.
    """

    text: str
    option: str
    decimal: str = "."

    def __post_init__(self) -> None:
        self._tree  # noqa: B018  (a mistake in it is said at once)

    @property
    def _tree(self) -> ast.expr:
        if len(self.text) > LONGEST:
            raise self._wrong(f"longer than {LONGEST} characters")
        text, places = self.text.strip(), self._quoted
        for place, name in enumerate(places):
            text = text.replace(f"`{name}`", f" __column_{place} ")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            near = getattr(error, "msg", "") or "it cannot be read"
            hint = "; one = sets nothing here: equal is ==" if re.search(r"[^=<>!]=[^=]", self.text) else ""
            raise self._wrong(f"{near}{hint}. A name with blanks or signs needs backquotes: `Model Size`") from None
        if _depth(tree) > DEEPEST:
            raise self._wrong(f"nested deeper than {DEEPEST} levels")
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and (found := re.fullmatch(r"__column_(\d+)", node.id)):
                node.id = places[int(found[1])]
        return tree

    @property
    def _quoted(self) -> list[str]:
        return list(dict.fromkeys(re.findall(r"`([^`]+)`", self.text)))

    @property
    def names(self) -> list[str]:
        """The columns that it names."""
        return list(dict.fromkeys(node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)))

    def numbers(self, columns: Mapping[str, pd.Series]) -> np.ndarray:
        """Its value (n,) for each row, NaN where a cell is missing; ``RunsError`` if it is a comparison."""
        value = self._value(self._tree, columns)
        if not isinstance(value, np.ndarray):
            raise self._wrong("it gives no number for each row")
        return value

    def holds(self, columns: Mapping[str, pd.Series]) -> pd.Series:
        """Whether it holds for each row, ``<NA>`` where a missing cell leaves that open."""
        value = self._truth(self._tree, columns)
        return pd.Series(value, index=next(iter(columns.values())).index)

    def _wrong(self, why: str) -> RunsError:
        return RunsError(f"{self.option} {self.text[:80]!r}: {why} (known are {_KNOWN})")

    def _column(self, name: str, columns: Mapping[str, pd.Series]) -> pd.Series:
        if name in columns:
            return columns[name]
        alike = [each for each in columns if plain(each) == plain(name)]
        if len(alike) == 1:
            return columns[alike[0]]
        shown = ", ".join(repr(each) for each in list(columns)[:30])
        hint = f"; to compare with a word, put it in quotes: '{name}'" if name.isidentifier() else ""
        raise RunsError(f"{self.option} {self.text[:80]!r}: there is no column {name!r}: columns are {shown}{hint}")

    @np.errstate(all="ignore")
    def _value(self, node: ast.expr, columns: Mapping[str, pd.Series]) -> Any:
        """A number a row, or the text of a constant."""
        match node:
            case ast.Constant(value=bool()):
                raise self._wrong("True and False stand alone or beside ==")
            case ast.Constant(value=int() | float() as number):
                try:
                    return np.full(len(next(iter(columns.values()))), float(number))
                except OverflowError:
                    raise self._wrong("a number in it is too large") from None
            case ast.Name(id=name):
                return as_numbers(self._column(name, columns), self.decimal)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self._number(inner, columns)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self._number(inner, columns)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self._number(left, columns), self._number(right, columns))
        raise self._wrong(f"{ast.unparse(node)[:60]!r} is no arithmetic on columns")

    def _number(self, node: ast.expr, columns: Mapping[str, pd.Series]) -> np.ndarray:
        return np.asarray(self._value(node, columns), dtype=float)

    def _truth(self, node: ast.expr, columns: Mapping[str, pd.Series]) -> pd.array:
        match node:
            case ast.BoolOp(op=op, values=parts):
                join = operator.and_ if isinstance(op, ast.And) else operator.or_
                return reduce(join, [self._truth(part, columns) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return ~self._truth(inner, columns)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                pairs = zip([left, *rights], ops, rights, strict=False)
                return reduce(operator.and_, [self._compared(one, op, other, columns) for one, op, other in pairs])
            case ast.Name(id=name):
                return self._flag(self._column(name, columns), name)
        raise self._wrong(f"{ast.unparse(node)[:60]!r} is neither true nor false: compare it, as in loss < 3")

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr, columns: Mapping[str, pd.Series]) -> pd.array:
        if isinstance(op, ast.In | ast.NotIn) and isinstance(right, ast.Tuple | ast.List):
            each = [self._compared(left, ast.Eq(), other, columns) for other in right.elts]
            if each:
                found = reduce(operator.or_, each)
                return ~found if isinstance(op, ast.NotIn) else found
        if type(op) not in _ORDER:
            raise self._wrong(f"{ast.unparse(right)[:60]!r} is no list to look in")
        for one, other, turn in ((left, right, False), (right, left, True)):
            if isinstance(one, ast.Name) and isinstance(other, ast.Constant) and isinstance(other.value, str | bool):
                return self._as_word(one, op, other.value, turn, columns)
        x, y = self._number(left, columns), self._number(right, columns)
        return pd.arrays.BooleanArray(np.asarray(_ORDER[type(op)](x, y), dtype=bool), np.isnan(x) | np.isnan(y))

    def _as_word(
        self, name: ast.Name, op: ast.cmpop, word: str | bool, turned: bool, columns: Mapping[str, pd.Series]
    ) -> pd.array:
        """A column beside a word or a truth."""
        column = self._column(name.id, columns)
        if not isinstance(op, ast.Eq | ast.NotEq):
            raise self._wrong(f"{word!r} has no order: it can be equal (==) or not (!=)")
        if isinstance(word, bool):
            found = self._flag(column, name.id) == word
        else:
            cells = column.astype("str").str.strip()
            missing = column.isna().to_numpy() | (cells == "").to_numpy()
            found = pd.arrays.BooleanArray((cells == word.strip()).to_numpy(dtype=bool), missing)
        return found if isinstance(op, ast.Eq) else ~found

    def _flag(self, column: pd.Series, name: str) -> pd.array:
        """A column of true and false."""
        words = column.astype("str").str.strip().str.lower()
        numbers = pd.to_numeric(words, errors="coerce")
        true, false = words.isin(_TRUE) | (numbers == 1), words.isin(_FALSE) | (numbers == 0)
        missing = column.isna() | words.isin(["", "nan", "none"])
        if not (true | false | missing).all():
            raise self._wrong(f"column {name!r} holds more than true and false: compare it, as in {name} > 0")
        return pd.arrays.BooleanArray(true.to_numpy(dtype=bool), missing.to_numpy(dtype=bool))


def _depth(tree: ast.AST) -> int:
    """The most nodes between the root and a leaf."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def as_numbers(column: pd.Series, decimal: str = ".") -> np.ndarray:
    """The cells (n,) as numbers, ``70B`` as 70e9; NaN where a cell is none."""
    if pd.api.types.is_bool_dtype(column):
        return np.asarray(column, dtype=float)
    if not pd.api.types.is_numeric_dtype(column):
        column = read_numbers("params", column, decimal)[0]
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)

"""Whether a text holds rows of a table that belongs to others, copied or rounded."""

import re

import numpy as np

#: digits that a copy keeps at least, and the most numbers between a value and that of the next row
DIGITS, STRIDE = 4, 40
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{2,}(?:[eE][-+]?\d+)?(?![\w.])")
PICTURE = re.compile(r'"image/png": ".*?"')


def _keys(values):
    """Whole numbers that are equal where values agree in their leading digits."""
    values = np.asarray(values, dtype=float)
    with np.errstate(all="ignore"):
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        keys = np.round(values * scale)
    return np.where(np.isfinite(keys), keys, 0).astype(np.int64)


def _triples(keys, stride=1):
    """Three values in a row as one number, 0 where they are not three different ones."""
    a, b, c = keys[: -2 * stride], keys[stride:-stride], keys[2 * stride :]
    different = (a != b) & (b != c) & (a != c) & (a != 0) & (b != 0) & (c != 0)
    return np.where(different, (a * 100_003 + b) * 100_003 + c, 0)


def rows_of(table):
    """What is looked for: three losses in a row, or, where there are none, results on tasks, as numbers."""
    numbers = [str(name) for name in table.select_dtypes("number")]
    losses = [name for name in numbers if name.startswith("loss")]
    results = losses or [name for name in numbers if name.startswith(("metric_", "error_"))]
    found = [_triples(_keys(table[name])) for name in results if len(table) > 2]
    return np.setdiff1d(np.concatenate(found), [0]) if found else np.array([], dtype=np.int64)


def triples_in(text):
    """All that could be three losses in a row of a text, whatever stands between the columns; pictures are no text."""
    keys = _keys([float(each) for each in NUMBER.findall(PICTURE.sub("", text))])
    hits = [_triples(keys, stride) for stride in range(1, STRIDE) if len(keys) > 2 * stride]
    return np.unique(np.concatenate([[0], *hits]))


def shown(rows, triples):
    """How many of these triples of rows stand among those of a text."""
    return int((triples[np.searchsorted(triples, rows).clip(max=len(triples) - 1)] == rows).sum())

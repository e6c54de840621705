"""Numbers, rows and text as words: for pages, terminals and JSON."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: words for a scale, by what it is worth; those that are worth one thing in one language and another in the next
#: (``bio``, ``mil``, ``兆``) are left out
_WORDS_OF = {
    1e3: "k thousand thousands kilo tsd tausend mille milliers miles migliaia duizend tusen tusind tys тыс тысяч 千 천",
    1e4: "万 萬 만",
    1e5: "lakh lakhs",
    1e6: "m mm mn mio mln million millions mega millionen millones milhoes milioni miljoen millon млн "
    "миллионов milionow milyon miljon miljoner millioner miljoonaa milioane 百万 백만",
    1e7: "crore crores",
    1e8: "亿 億 억",
    1e9: "b bn billion billions g giga mrd mld md mds milliarden milliarde milliard milliards milmillones "
    "milesdemillones bilhoes miliardi miljard miljarden miljarder milliarder miljardia milyar miliardow miliarde "
    "млрд миллиардов 十亿 十億 십억",
    1e12: "t tn trillion trillions tera billionen billones trilhoes trilyon biljoen biljoner трлн 万亿 조",
    1e15: "quadrillion quadrillions",
    2.0**10: "ki kibi",
    2.0**20: "mi mebi",
    2.0**30: "gi gibi",
    2.0**40: "ti tebi",
}
SCALES = {word: factor for factor, words in _WORDS_OF.items() for word in words.split()}
#: characters without width, which change no word
UNSEEN = dict.fromkeys([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def format_count(value: float, _position: int | None = None) -> str:
    """Write a count of parameters or tokens as people say it: ``70B``, ``1.4T``.

    Parameters
    ----------
    value : float
        The count.
    _position : int, optional
        Not used: Matplotlib gives the place of a tick.

    Returns
    -------
    str
        Three digits and a suffix; as :func:`~scaling.figures.format_flops` from 1e15 on.
    """
    for scale, suffix in _SUFFIXES:
        if abs(value) >= scale * 0.9995:
            return format_flops(value) if value >= 1e15 else f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"


def format_flops(value: float, _position: int | None = None) -> str:
    """Write a number of FLOPs as ``5.76e23``.

    Parameters
    ----------
    value : float
        The number.
    _position : int, optional
        Not used: Matplotlib gives the place of a tick.

    Returns
    -------
    str
        Three digits and a power of ten.
    """
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}" if value else "0"


def percent(level: float) -> str:
    """The level of an interval in per cent, without the sign; never rounded to 100."""
    return f"{100 * level:.12g}"


_SHOWN = 5
#: letters whose strokes and dots are no accents to Unicode
_STROKES = str.maketrans("ıłøđ", "ilod")


def name_rows(index: pd.Index, mask: np.ndarray) -> str:
    """The rows where ``mask`` holds, in words: ``lines 3, 7 and 12 more``."""
    labels = index[mask]
    return first_rows(labels, len(labels))


def first_rows(labels: pd.Index, count: int) -> str:
    """The first of ``count`` rows in words, as :func:`name_rows` has them."""
    noun = str(labels.name) if isinstance(labels.name, str) else "row"
    shown = ", ".join(str(label) for label in labels[:_SHOWN])
    more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
    return f"{noun}{'s' if count > 1 else ''} {shown}{more}"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Names with commas, and a word before the last."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def printable(text: str) -> str:
    """The text with what a terminal would obey or hide (escapes, controls, marks of direction) written out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def plain(text: object) -> str:
    """Lower-case letters, without their accents, and digits, nothing else."""
    text = str(text).casefold()
    if not text.isascii():
        text = text.translate(_STROKES)
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
        return unicodedata.normalize("NFC", "".join(filter(str.isalnum, text)))
    return re.sub(r"[^a-z0-9]", "", text)


def to_json(value: Any) -> str:
    """JSON of tables, arrays and records; what is not a number is null, as JSON has it."""
    return json.dumps(_plain_value(value), indent=2, allow_nan=False)


def _plain_value(value: Any) -> Any:
    import numpy as np  # here, so that the command line's help can have words without waiting for these
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return [_plain_value(row) for row in value.to_dict("records")]
    if isinstance(value, dict):
        return {str(key): _plain_value(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return _plain_value(value.item())
    if isinstance(value, (list, tuple, np.ndarray, pd.Series)):
        return [_plain_value(item) for item in value]
    if isinstance(value, np.generic):
        return _plain_value(value.item())
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)

"""Compare the pictures of a cell with those stored, which nbval leaves out.

The edge of a line may be another shade on another processor, and a line whose place is rounded to whole dots may be
one dot away; a point, a line or a letter may not be elsewhere.
"""

import base64
import io

import numpy as np
from PIL import Image
from scipy import ndimage

#: how much a dot's colour, of 255, may differ
SHADES = 16


def pictures_of(outputs: list) -> list[str]:
    """The pictures among a cell's outputs, as they are stored."""
    return [each["data"]["image/png"] for each in outputs if "image/png" in each.get("data", {})]


def difference(stored: list, drawn: list) -> str:
    """In words, how the pictures of the outputs differ; empty where they do not."""
    before, after = pictures_of(stored), pictures_of(drawn)
    if len(before) != len(after):
        return f"{len(before)} pictures are stored and {len(after)} were drawn"
    for old, new in zip(before, after, strict=True):
        if old != new and (words := _how_two_differ(_dots(old), _dots(new))):
            return words
    return ""


def _dots(picture: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA")).astype(int)


def _strange(dots: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which dots are of no shade between those of the other picture's dot and its neighbours."""
    low, high = (f(others, size=(3, 3, 1), mode="nearest") for f in (ndimage.minimum_filter, ndimage.maximum_filter))
    return ((dots < low - SHADES) | (dots > high + SHADES)).any(-1)


def _how_two_differ(old: np.ndarray, new: np.ndarray) -> str:
    if old.shape != new.shape:
        return f"the picture is {new.shape[1]} by {new.shape[0]} dots, stored are {old.shape[1]} by {old.shape[0]}"
    far = _strange(new, old) | _strange(old, new)
    if not far.any():
        return ""
    row, column = np.argwhere(far)[0]
    return f"{far.sum()} dots of the picture differ from the stored ones, the first in row {row}, column {column}"

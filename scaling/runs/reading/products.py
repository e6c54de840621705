"""Tokens that stand in no column of their own: what they are a product of, by the names of columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from ..._words import plain
from ..headers import quoted
from ..vocabulary import PARTS
from .cells import read_numbers
from .derivations import derive_option
from .glance import glance
from .ratios import read_ratio
from .units import unit_factor

#: factors between tokens and their product that differ so much from run to run, in logarithms, make two quantities
DIFFERENT = float(np.log(1.25))
#: numbers within 2 %, in logarithms, are one
AS_ONE = float(np.log(1.02))
#: steps are whole numbers: so near to each other are tokens of short runs, in logarithms; and so many of them
NEAR, MOST = float(np.log(1.05)), 0.9
_SCALES = {"thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}
#: factors whose headers and cells may have a unit: a batch of 4k sequences, or a sequence of 4k tokens, may be of 4,096
_IN_UNITS = ("steps", "step", "batch_tokens")
#: a header with a unit: "steps (k)", "batch (M tokens)", "steps in thousands", "k steps"; a bare letter elsewhere, as
#: in "step_k" or "K_steps", may be the name of a number
_WITH_UNIT = (
    re.compile(r"(?P<stem>.+?)[\s_]*[(\[](?P<unit>[^()\[\]]+)[)\]]"),
    re.compile(r"(?i)(?P<stem>.+?)[\s_]+(?:in[\s_]+)?(?P<unit>thousands?|millions?)"),
    re.compile(r"(?i)(?P<unit>thousands?|millions?)[\s_-]+(?:of[\s_]+)?(?P<stem>.+)"),
    re.compile(r"(?P<unit>k) ?(?P<stem>steps|iters|iterations|updates)"),
)


@dataclass(frozen=True)
class Product:
    """How ``name`` follows: a quantity of ours (``base``, "" for none) times columns, or divided by them.

    ``unit`` is the product of the units that headers state. ``asked`` says that the caller names a column of it all
    the same, which is then used.
    """

    name: str
    base: str
    places: tuple[int, ...]
    words: str
    inverse: bool = False
    asked: bool = False
    unit: float = 1.0

    def values(self, frame: pd.DataFrame, read: Mapping[str, pd.Series], mark: str) -> pd.Series:
        """The quantity, from the table as it came (its decimal mark) and from quantities that were read."""
        factor = np.full(len(frame), self.unit)
        for place in self.places:
            column = frame.iloc[:, place]
            if not pd.api.types.is_numeric_dtype(column):
                column = read_numbers(_kind(part_in_units(str(frame.columns[place]))[0]), column, mark)[0]
            factor = factor * pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        base = 1.0
        if self.base:
            base = pd.to_numeric(read[self.base], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return pd.Series(base / factor if self.inverse else base * factor, index=frame.index)

    def beside(self, column: str, named: pd.Series, follows: pd.Series) -> tuple[pd.Series, str, str]:
        """The quantity that also stands in a column: its numbers, what is used, and what is to be asked ("": nothing).

        Numbers within 2 % are one; a gap in the column is filled.
        """
        first, second = (
            pd.to_numeric(each, errors="coerce").to_numpy(float, na_value=np.nan) for each in (named, follows)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = np.abs(np.log(first / second)) > AS_ONE
        used = f"{self.name} are those of column {column!r}"
        if not apart.any():
            return named.where(named.notna(), follows), f"{used}: {self.words} says the same", ""
        if self.asked:
            return named, f"{used}, as --column says: {self.words} says something else", ""
        where = int(np.flatnonzero(apart)[0])
        label = f"{named.index.name or 'row'} {named.index[where]}"
        words = f"{column!r} and {self.words} differ in {int(apart.sum())} of {len(apart)} rows ({label}: "
        derived = " * ".join(part if part.isdigit() else quoted(part) for part in _parts(self.words))
        return (
            named,
            "",
            (
                f"{words}{first[where]:.6g} and {second[where]:.6g}), and each could be the {self.name}: "
                f"--column {self.name}={column!r} takes the first, --derive seen='{derived}' --column "
                f"{self.name}=seen the second"
            ),
        )


def _parts(words: str) -> list[str]:
    """The headers in the words of a product."""
    return [part.strip("'\"") for part in words.split(" x ")]


def per_token_remarks(frame: pd.DataFrame, read: pd.DataFrame) -> list[str]:
    """What a column of FLOPs per token says of tokens that follow from flops = 6 N D."""
    for place, header in enumerate(frame.columns):
        ratio = read_ratio(str(header))
        if ratio is None or (ratio.over, ratio.under) != ("flops", "tokens"):
            continue
        worth = unit_factor("flops", re.split(r"[\W_]", str(header).strip())[0])
        both = glance("count", frame.iloc[:, place]) / glance("count", read["params"])
        both = both * (worth if isinstance(worth, float) else 1.0)
        per_param = float(pd.Series(both).median())
        if np.isfinite(per_param) and abs(per_param / 6 - 1) > 0.02:
            words = f"{header!r} is {per_param:.3g} times params, where flops = 6 N D has 6"
            return [f"{words}: by that column tokens are {6 / per_param:.3g} times as many as is read here"]
    return []


def other_tokens(
    frame: pd.DataFrame, column: str, taken: set[int], unit: str | None = None
) -> tuple[list[str], list[str]]:
    """A question where steps, batch and sequence beside a column of tokens make other numbers of them, and notes.

    A whole number of times as many tokens is one of devices or of accumulation that no column names, which is noted.
    """
    sets = _sets_of_factors(frame, taken)
    worth = unit_factor("tokens", unit) if unit else 1.0
    ratios = [_over(frame, column, each) * (worth if isinstance(worth, float) else 1.0) for each in sets]
    if not sets or any(len(each) < 3 for each in ratios):
        return [], []
    ratio, times = ratios[0], float(np.median(ratios[0]))
    product, keep = " x ".join(map(repr, sets[0])), f"--column tokens={column!r} takes the column"
    made = derive_option("tokens", " * ".join(map(quoted, sets[0])), map(str, frame.columns))
    if all(_scatter(each) >= DIFFERENT or (_alike(each) < MOST and _far(each) > 1 - MOST) for each in ratios):
        words = f"column {column!r} is {ratio.min():.2g} to {ratio.max():.2g} times {product}"
        return [f"{words}: is it the size of a data set? {made} takes what was read in training, {keep}"], []
    if any(abs(np.log(np.median(each))) < NEAR for each in ratios) or _alike(ratio) < MOST:
        return [], []
    if times > 1.5 and abs(times - round(times)) < 0.02 * times and round(times) % 1000:
        return [], [f"column {column!r} is {times:.0f} times {product}: devices or accumulation that no column names?"]
    part = round(1 / times)
    said = f"1/{part} of" if part > 1 and abs(part * times - 1) < 0.02 else f"{times:.3g} times"
    scale = next((name for name, size in _SCALES.items() if unit is None and abs(np.log(times * size)) < NEAR), "")
    scaled = f"--unit tokens={scale} takes it in that unit, " if scale else ""
    words = f"column {column!r} is {said} {product} in {round(_alike(ratio) * len(ratio))} of {len(ratio)} rows"
    return [f"{words}: which is right? {scaled}{made} takes the product, {keep}"], []


def _sets_of_factors(frame: pd.DataFrame, taken: set[int]) -> list[list[str]]:
    """The columns of which tokens may be the product: the likeliest first, then with what may multiply the batch."""
    parts, names = parts_of(frame, taken), [str(name) for name in frame.columns]
    steps, batch = parts.get("step", parts.get("steps")), parts.get("batch", parts.get("small_batch"))
    sized = [parts["batch_tokens"]] if "batch_tokens" in parts else [batch, parts.get("sequence")]
    if steps is None or None in sized or names[steps].startswith("_"):  # such as _step, which counts calls of a logger
        return []
    factors = [names[place] for place in (steps, *sized) if place is not None]
    more = [names[parts[part]] for part in ("accumulation", "devices") if part in parts]
    if len(sized) > 1 and "batch" not in parts:
        return [[*factors, *more]]  # the batch of one device
    sets = [[*factors, *some] for k in range(len(more) + 1) for some in combinations(more, k)]
    batches, lengths = (glance("count", frame[name]) for name in (factors[1], factors[-1]))
    if len(factors) > 2 and len(frame) and np.nanmedian(batches) >= np.nanmedian(lengths):
        sets.append(factors[:2])  # a batch that is counted in tokens
    return sets


def _far(ratio: np.ndarray) -> float:
    """The share of ratios that are not one."""
    return float((np.abs(np.log(ratio)) > DIFFERENT).mean())


def _alike(ratio: np.ndarray) -> float:
    """The share of ratios that are the middle one, to rounding."""
    return float((np.abs(np.log(ratio / np.median(ratio))) < NEAR).mean())


def _over(frame: pd.DataFrame, column: str, factors: list[str]) -> np.ndarray:
    """Tokens over the product of columns, in the rows where both are known."""
    product = np.prod([glance("count", frame[name]) for name in factors], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = glance("tokens", frame[column]) / product
    return np.asarray(ratio[np.isfinite(ratio) & (ratio > 0)])


def _scatter(ratio: np.ndarray) -> float:
    return float(np.median(np.abs(np.log(ratio / np.median(ratio)))))


def part_of(header: str) -> str | None:
    """Which factor of tokens a header names: steps, batch, sequence ...; None if it names none."""
    for text in (header, header.replace("/", ".").rpartition(".")[2]):
        for part, names in PARTS.items():
            if plain(text) in names:
                return part
    return None


def part_in_units(header: str) -> tuple[str | None, float]:
    """The same, and the unit that the header states: 1,000 in ``steps (k)``, a million in ``batch (M tokens)``."""
    if part := part_of(header):
        return part, 1.0
    for form in _WITH_UNIT:
        if m := form.fullmatch(header.strip()):
            noun = re.search(r"(?i)\btok(?:en)?s?\b", m["unit"])
            word = re.sub(r"(?i)\b(?:in|tok(?:en)?s?|steps?|iter(?:ation)?s?|updates?)\b", "", m["unit"]).strip()
            part, unit = part_of(f"{m['stem']} tokens" if noun else m["stem"]), unit_factor("tokens", word)
            if part in _IN_UNITS and isinstance(unit, float) and not (part == "step" and len(word) == 1):
                return part, unit
    return None, 1.0


def _kind(part: str | None) -> str:
    """The quantity as which the cells of a factor are read: those of steps may be ``20k``."""
    return "tokens" if part in _IN_UNITS else "count"


def parts_of(frame: pd.DataFrame, taken: set[int], in_units: bool = False) -> dict[str, int]:
    """The columns of numbers that are factors of tokens, by what they are; the first of each.

    With ``in_units`` also those whose headers or cells have a unit.
    """
    found: dict[str, int] = {}
    for place, header in enumerate(frame.columns):
        part = None
        if place not in taken:
            part = part_in_units(str(header))[0] if in_units else part_of(str(header))
        if part and part not in found:
            values = glance(_kind(part) if in_units else "count", frame.iloc[:, place])
            good = values[np.isfinite(values)]
            if not len(frame) or (len(good) and (good >= 0).all()):
                found[part] = place
    return found


def tokens_by_parts(frame: pd.DataFrame, found: Mapping[str, str], taken: set[int]) -> tuple[Product | None, list[str]]:
    """How tokens (or, from tokens, params) follow from other columns, and what is unclear about it.

    ``found`` are the quantities that columns hold, with their headers, ``taken`` the places of these columns.
    """
    names = [str(name) for name in frame.columns]
    parts = parts_of(frame, taken, in_units=True)
    if "unique_tokens" in found and "epochs" in parts:
        words = f"{found['unique_tokens']!r} x {names[parts['epochs']]!r}"
        return Product("tokens", "unique_tokens", (parts["epochs"],), words), []
    for place, header in enumerate(names):
        ratio = read_ratio(header) if place not in taken else None
        if ratio is None or (len(frame) and not np.isfinite(glance("count", frame.iloc[:, place])).any()):
            continue
        for over, under in (("tokens", "params"), ("params", "tokens")):
            if (ratio.over, ratio.under) == (over, under):
                if under in found and over not in found:
                    return Product(over, under, (place,), f"{header!r} x {under}"), []
                if over in found and under not in found:
                    return Product(under, over, (place,), f"{over} / {header!r}", inverse=True), []
    steps = parts.get("step", parts.get("steps"))
    if "tokens" in found or steps is None:
        return None, []
    if "batch_tokens" in parts:
        places: tuple[int, ...] = (steps, parts["batch_tokens"])
    elif "batch" in parts and "sequence" in parts:
        places = (steps, parts["batch"], parts["sequence"])
    else:
        return None, _unclear(names, parts)
    unit = float(np.prod([part_in_units(names[place])[1] for place in places]))
    words = " x ".join([*([f"{unit:.0f}"] if unit != 1.0 else []), *(repr(names[place]) for place in places)])
    others = [parts[part] for part in ("accumulation", "devices") if part in parts]
    several = [place for place in others if (glance("count", frame.iloc[:, place]) > 1).any()]
    if several and not _is_global(names[places[1]]):
        beside = " and ".join(repr(names[place]) for place in several)
        return None, [f"tokens could be {words}, or that times {beside}: write the tokens in a column of their own"]
    return Product("tokens", "", places, words, unit=unit), []


def _is_global(header: str) -> bool:
    return any(word in plain(header) for word in ("global", "total", "effective", "gbs", "tokens"))


def _unclear(names: list[str], parts: Mapping[str, int]) -> list[str]:
    """What is said where steps stand beside a batch that does not tell its tokens."""
    written = next(
        (n for n in names if part_of(n) in ("batch", "sequence") and names.index(n) not in parts.values()), ""
    )
    if written:
        return [f"tokens are a product with column {written!r}, in which not all cells are plain numbers: write such"]
    batch = parts.get("batch", parts.get("small_batch"))
    if batch is None:
        return []
    lacking = "the sequence length" if "batch" in parts else "the sequences of a step on all devices"
    text = (
        f"tokens are steps x sequences of a step x tokens of a sequence, and beside {names[batch]!r} there is no column"
    )
    step = next(names[parts[part]] for part in ("step", "steps") if part in parts)
    others = [part for part in ("accumulation", "devices") if part in parts]
    if "batch" not in parts and others and "sequence" in parts:
        return [_of_small_batches(step, [names[parts[part]] for part in ("small_batch", *others, "sequence")], others)]
    hint = f"--derive tokens='{_in_ones(step)} * SEQUENCES * LENGTH', with the two numbers, makes them"
    return [f"{text} of {lacking}: {hint}, or add a column of them"]


def _in_ones(step: str) -> str:
    """The number of steps, in an expression, of a column whose header may state a unit."""
    unit = part_in_units(step)[1]
    return f"{unit:.0f} * {quoted(step)}" if unit != 1.0 else quoted(step)


def _of_small_batches(step: str, factors: list[str], others: list[str]) -> str:
    """How tokens follow from the batch of one device, with what else multiplies it in the table."""
    derived = " * ".join([_in_ones(step), *map(quoted, factors)])
    words = {"accumulation": "the batches that are accumulated", "devices": "the number of devices"}
    more = "".join(f", times {said} where they are several" for part, said in words.items() if part not in others)
    return (
        f"tokens are steps x sequences of a step on all devices x tokens of a sequence: --derive tokens='{derived}' "
        f"makes them{more}; devices that share the parts of one model count as one"
    )

"""Which column of a table is which quantity, and the unit that its header or an option states."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..._words import listed, plain
from ..vocabulary import KNOWN_NAMES, LIMITS
from .cells import sizes_in_names
from .counted import counted, counted_by_unit
from .flags import known_state
from .glance import fits, glance
from .hours import Time, read_time
from .other_laws import other_laws, rising_columns
from .products import (
    Product,
    by_epochs,
    derive_option,
    in_backticks,
    made_of_a_token,
    other_tokens,
    parts_of,
    says_all,
    tokens_by_parts,
)
from .ratios import is_logarithm, read_ratio
from .shapes import size_by_shape
from .spreads import is_no_loss, is_spread, loss_of_another
from .text import RawTable
from .units import LOSS_UNITS, UNIT_HELP, Header, read_header, stated_unit, to_nats, unit_factor, unit_of_logarithm

_NEEDED = ("params", "tokens", "flops")
#: names so short that the cells have to look like the quantity, where the table can do without
_WEAK = {"n", "d", "c", "l"}
#: more epochs than one, beyond what whole steps make of it
REPEATED = 1.5
#: columns that are listed in a message, at most
_LISTED = 40


@dataclass(frozen=True)
class Mapped:
    """Our ``name`` for the ``column`` at a ``place``; its ``unit`` (None: not stated) and where that is from."""

    name: str
    column: str
    place: int
    unit: str | None = None
    source: str = "assumed"
    #: the limit to which the column rises, where what it lacks of it is the quantity
    ceiling: float | None = None


def map_columns(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    units: Mapping[str, str],
    loss_unit: str | None,
    needs: Sequence[str] | None = None,
    ceiling: float | None = None,
) -> tuple[list[Mapped], Product | None, list[str], list[str]]:
    """The mapping, how what stands in no column follows from others (None: it need not), problems, and notes.

    ``needs`` are the quantities without which the table is of no use, by default the loss and two of the other three.
    With a ``ceiling``, the loss is what a column that rises to it lacks.
    """
    mapped, problems = _named(frame, columns)
    if ceiling is not None:
        if "loss" not in columns:
            found, words = rising_columns(frame)
            mapped += [Mapped("loss", str(frame.columns[k]), k) for k in found]
            problems += words
        columns, loss_unit = {**columns, "loss": ""}, "other"
    headers = {place: read_header(str(name)) for place, name in enumerate(frame.columns)}
    taken, notes = {m.place for m in mapped}, []
    weak: list[Mapped] = []
    for ours in KNOWN_NAMES:
        if any(m.name == ours for m in mapped) or ours in columns:
            continue
        places = [k for k, header in headers.items() if header and header.name == ours and k not in taken]
        chosen, words, more = _chosen(ours, frame, headers, places)
        words += _in_bits(frame, headers, places, chosen) if ours == "loss" and loss_unit is None else []
        problems += words
        notes += more
        if chosen is None:
            continue
        m = Mapped(ours, frame.columns[chosen], chosen)
        if ours == "status" and m.column != ours and len(frame) and not known_state(frame.iloc[:, chosen]):
            notes.append(f"column {m.column!r} is carried: no word in it says how a run ended")
            continue
        if plain(m.column) in _WEAK and not fits(ours, frame.iloc[:, chosen], _unit_at(headers, chosen)):
            weak.append(m)
        else:
            mapped.append(m)
            taken.add(chosen)
    if any(m.name == "params" and re.search("(?<!in)activ", plain(m.column)) for m in mapped):
        notes.append("params are those active for a token: what a mixture of experts has in all is no part of the law")
    mapped, taken = _with_sizes_as_names(frame, mapped, taken, notes)
    mapped, words = _of_one_epoch(frame, mapped, columns, taken)
    problems += words
    mapped = _budget_as_flops(mapped, notes)
    found = {m.name for m in mapped}
    for m in weak:
        if m.name == "loss" or len(found & {*_NEEDED}) < 2:
            mapped.append(m)
            taken.add(m.place)
        else:
            notes.append(f"column {m.column!r} is carried, not taken as {m.name}: its numbers are no such quantity")
    if "tokens" in (found := {m.name: m for m in mapped}) and "tokens" not in columns:
        m = found["tokens"]
        words, more = other_tokens(frame, m.column, taken, units.get("tokens") or _unit_at(headers, m.place))
        problems += words
        notes += more
    product = None
    if len({m.name for m in mapped} & {*_NEEDED}) < 2 or "unique_tokens" in {m.name for m in mapped}:
        product, words = tokens_by_parts(frame, {m.name: m.column for m in mapped}, taken)
        product = replace(product, asked=product.name in columns) if product else None
        problems += words
    mapped, words, carried = _hours(mapped, columns, units)
    problems += words
    notes += carried
    mapped, more, carried = _units(mapped, headers, units, loss_unit)
    mapped = [replace(m, ceiling=ceiling) if m.name == "loss" else m for m in mapped]
    problems += more
    notes += carried
    ambiguous = {ours for ours in KNOWN_NAMES if any(f"--column {ours}=" in words for words in problems)}
    ambiguous |= {m.name for m in mapped if m.name == "flops" and read_time(m.column)}
    known = {m.name for m in mapped} | ambiguous | ({product.name} if product else set())
    places = {m.name: m.place for m in mapped}
    return mapped, product, problems + _missing(frame, known, taken, places, needs), notes


def _budget_as_flops(mapped: list[Mapped], notes: list[str]) -> list[Mapped]:
    """Where nothing else says how long runs were, a nominal budget is taken for their FLOPs."""
    found = {m.name: m for m in mapped}
    if "budget" not in found or len(found.keys() & set(_NEEDED)) != 1 or "flops" in found or "unique_tokens" in found:
        return mapped
    notes.append(f"flops are those of column {found['budget'].column!r}: a nominal budget may not be what was spent")
    return [replace(m, name="flops") if m.name == "budget" else m for m in mapped]


def _unit_at(headers: Mapping[int, Header | None], place: int) -> str | None:
    header = headers.get(place)
    return header.unit if header else None


def _chosen(
    ours: str, frame: pd.DataFrame, headers: Mapping[int, Header | None], places: list[int]
) -> tuple[int | None, list[str], list[str]]:
    """The place of a quantity among columns that name it (None: none, or it is asked), problems, notes."""
    notes: list[str] = []
    if doubled := _doubled([str(frame.columns[k]) for k in places]):
        return None, [f"column {doubled!r} stands there twice: keep one, or --column {ours}=COLUMN says which"], []
    if len(places) > 1 and ours in (*_NEEDED, "loss"):
        likely = [k for k in places if fits(ours, frame.iloc[:, k], _unit_at(headers, k))]
        other = [k for k in places if likely and k not in likely]
        notes = [f"column {frame.columns[k]!r} is carried, not taken as {ours}: its numbers are no such" for k in other]
        places = likely or places
    if len(places) < 2:
        return (places[0] if places else None), [], notes
    exact = [k for k in places if frame.columns[k] == ours]
    first = (exact or _in_nats(headers, places) or places)[0]
    twins = {k for k in places if plain(frame.columns[k]) == plain(frame.columns[first])} - {first}
    units = {k: _unit_at(headers, k) for k in places}
    same = {
        k: ours in LIMITS and (k in twins or units[k] != units[first]) and _agree(ours, frame, headers, first, k)
        for k in places
        if k != first
    }
    differ = [k for k in same if not same[k]]
    if (exact and not twins & set(differ)) or not differ:
        found = [f"column {frame.columns[k]!r} is carried, not used: {frame.columns[first]!r} is there" for k in same]
        said = [words + (" and says the same" if same[k] else "") for k, words in zip(same, found, strict=True)]
        return first, [], notes + said
    asked = [first, *differ]
    found = " and ".join(repr(frame.columns[k]) for k in asked[:4])
    found += f" and {len(asked) - 4} more" if len(asked) > 4 else ""
    words = f"{found} could each be {ours!r}: --column {ours}=COLUMN says which"
    return (None, [words], notes) if ours in (*_NEEDED, "loss") else (None, [], [words])


def _in_bits(
    frame: pd.DataFrame, headers: Mapping[int, Header | None], places: list[int], chosen: int | None
) -> list[str]:
    """A question where a loss without a unit is the logarithm to base 2 of a perplexity beside it."""
    if chosen is None or _unit_at(headers, chosen) is not None:
        return []
    loss = glance("loss", frame.iloc[:, chosen])
    for k in places:
        if _unit_at(headers, k) == "perplexity" and k != chosen:
            with np.errstate(invalid="ignore", divide="ignore"):
                apart = np.abs(np.log2(glance("loss", frame.iloc[:, k])) / loss - 1)
            if (apart < 1e-2).mean() > 0.9:
                name, other = frame.columns[chosen], frame.columns[k]
                return [
                    f"column {name!r} is the logarithm to base 2 of {other!r}, so in bits: --loss-unit bits takes it so"
                ]
    return []


def _doubled(names: list[str]) -> str | None:
    """A name that stands among these twice: the second time it is ``name (2)``."""
    return next((name for name in names if f"{name} (2)" in names), None) if len(names) > 1 else None


def _in_nats(headers: Mapping[int, Header | None], places: list[int]) -> list[int]:
    """The columns whose header does not name another unit of loss."""
    return [k for k in places if _unit_at(headers, k) in (None, "nats")]


def _agree(ours: str, frame: pd.DataFrame, headers: Mapping[int, Header | None], a: int, b: int) -> bool:
    """Whether two columns say the same of a quantity, each in its unit: a perplexity and its logarithm do."""
    if not len(frame):
        return False
    left, right = (_in_ours(ours, frame.iloc[:, k], _unit_at(headers, k)) for k in (a, b))
    both = np.isfinite(left) & np.isfinite(right) & (left > 0) & (right > 0)
    if not both.any() or both.sum() < 0.9 * max(np.isfinite(left).sum(), np.isfinite(right).sum()):
        return False
    ratio = np.log(left[both] / right[both])
    per_byte = ours == "loss" and any(str(_unit_at(headers, k)).endswith(("byte", "character")) for k in (a, b))
    return bool(np.abs(ratio - (np.median(ratio) if per_byte else 0.0)).max() < (1e-3 if per_byte else 5e-3))


def _in_ours(ours: str, column: pd.Series, unit: str | None) -> np.ndarray:
    values = glance(ours, column)
    factor = unit_factor(ours, unit) if unit else 1.0
    if isinstance(factor, str):
        return to_nats(values, factor, 1.0)
    return values * (factor if factor is not None else np.nan)


def _with_sizes_as_names(
    frame: pd.DataFrame, mapped: list[Mapped], taken: set[int], notes: list[str]
) -> tuple[list[Mapped], set[int]]:
    """Where no column is params, one of models whose names are sizes is: ``50M``, ``1.0 B``."""
    if any(m.name == "params" for m in mapped) or not len(frame):
        return mapped, taken
    for place, header in enumerate(frame.columns):
        name = plain(str(header).replace("/", ".").rpartition(".")[2])
        if name not in _MODELS or (place in taken and not any(m.place == place and m.name == "run" for m in mapped)):
            continue
        cells = frame.iloc[:, place].dropna().astype("str").str.strip()
        if len(cells) and cells.str.fullmatch(_SIZE).all() and fits("params", frame.iloc[:, place], None):
            notes.append(
                f"params are the sizes in column {header!r} ({cells.iloc[0]!r} ...): counts may be other numbers"
            )
            rest = [m for m in mapped if m.place != place]
            return [*rest, Mapped("params", str(header), place)], taken | {place}
    return mapped, taken


#: columns of models, and a name that is a size
_MODELS = {
    "model",
    "modelname",
    "name",
    "models",
    "modell",
    "modele",
    "modelo",
    "config",
    "size",
    "run",
    "模型",
    "モテル",
    "모델",
}
_SIZE = r"(?i)[0-9]+(?:[.,][0-9]+)?\s*(?:k|m|b|bn|million|billion)"


def _of_one_epoch(
    frame: pd.DataFrame, mapped: list[Mapped], columns: Mapping[str, str], taken: set[int]
) -> tuple[list[Mapped], list[str]]:
    """Tokens of the data set are those of one epoch where the number of epochs stands beside them; what is unclear."""
    parts, found = parts_of(frame, taken), {m.name: m for m in mapped}
    if "epochs" not in parts or "unique_tokens" in found or "tokens" in columns or "tokens" not in found:
        return mapped, []
    tokens = found["tokens"]
    if by_epochs(tokens.column):
        return [replace(m, name="unique_tokens") if m is tokens else m for m in mapped], []
    numbers = pd.DataFrame(
        {n: glance(n, frame.iloc[:, m.place]) for n, m in found.items() if n in ("params", "tokens")}
    )
    epochs = pd.Series(glance("epochs", frame.iloc[:, parts["epochs"]]))
    differ = epochs.groupby([numbers[name] for name in numbers], dropna=False).transform("nunique") > 1
    name = str(frame.columns[parts["epochs"]])
    if len(frame) and differ.mean() >= 0.5:
        seen = f"runs of the same {tokens.column!r} differ in {name!r}"
    elif not says_all(tokens.column) and (epochs > REPEATED).all() and epochs.nunique() == 1:
        seen = f"every run has {epochs.iloc[0]:g} {name!r} beside {tokens.column!r}"
    else:
        return mapped, []
    one, all_ = (f"--column {ours}={tokens.column!r}" for ours in ("unique_tokens", "tokens"))
    words = f"{seen}: are these the tokens of one epoch? {one} multiplies them; {all_} takes them as all that were seen"
    return mapped, [words]


def _named(frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[list[Mapped], list[str]]:
    """The columns that the caller names."""
    mapped, problems = [], []
    names = [str(name) for name in frame.columns]
    for ours, theirs in columns.items():
        if ours not in KNOWN_NAMES:
            problems.append(f"--column {ours[:40]}=...: no such quantity; there are {', '.join(KNOWN_NAMES)}")
        elif theirs not in names:
            close = difflib.get_close_matches(theirs, names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {_listed(names)}"
            problems.append(f"--column {ours}={theirs[:40]}: no such column; {hint}")
        elif names.index(theirs) in {m.place for m in mapped}:
            problems.append(f"--column {ours}={theirs[:40]}: this column is named twice")
        elif ours == "run" and "loss" not in columns and _is_loss(theirs, names):
            problems.append(f"--run {theirs[:40]}: this is the loss, not the name of a run; name what tells runs apart")
        elif ours in LIMITS and (ratio := read_ratio(theirs)) and not (ours == "loss" and loss_of_another(theirs)):
            halves = f" ({ratio.over} over {ratio.under})" if ratio.over and ratio.under else ""
            hint = "leave the option out, and it is multiplied" if halves else "name a column of the quantity itself"
            problems.append(f"--column {ours}={theirs[:40]}: this is a ratio or a rate{halves}, not {ours}: {hint}")
        elif (other := counted(ours, theirs, names)) and other.what != "sequences":
            words = f"this counts {other.what}, not {ours}: {other.option(ours, theirs, names)}"
            problems.append(f"--column {ours}={theirs[:40]}: {words}")
        elif ours in LIMITS and is_logarithm(theirs) and not (ours == "loss" and unit_of_logarithm(theirs) is not None):
            words = "this is a logarithm: add a column with the quantity itself"
            problems.append(f"--column {ours}={theirs[:40]}: {words}")
        elif ours == "loss" and is_no_loss(theirs):
            words = "it says how far losses spread, or of how many: name the loss itself"
            problems.append(f"--column {ours}={theirs[:40]}: {words}")
        else:
            mapped.append(Mapped(ours, theirs, names.index(theirs)))
    return mapped, problems


def _is_loss(theirs: str, names: list[str]) -> bool:
    """Whether a header is the only one of a loss."""
    losses = [name for name in names if (header := read_header(name)) and header.name == "loss"]
    return losses == [theirs]


def _hours(
    mapped: list[Mapped], columns: Mapping[str, str], units: Mapping[str, str]
) -> tuple[list[Mapped], list[str], list[str]]:
    """The mapping without hours of machines that are not needed; problems with those that are, whatever their unit."""
    whole = {"params", "tokens"} <= {m.name for m in mapped}
    out, problems, notes = [], [], []
    for m in mapped:
        time = read_time(m.column) if m.name.startswith(("flops", "budget")) else None
        if time is None or (not time.machine and time.seconds == 86400 and m.name in units):
            out.append(m)  # days of which it is said that they are PF-days
        elif whole and m.name not in columns:
            notes.append(f"column {m.column!r} is carried, not used: it counts time, not floating-point operations")
        else:
            out.append(m)
            given = f"--unit {m.name}={units[m.name][:20]}: " if m.name in units else ""
            hint = f"leave the option out: {m.name} follows from params and tokens"
            if not whole:
                instead = f"without --column {m.name}=..., " if m.name in columns else ""
                hint = instead + time.derived(m.column)
            problems.append(f"{given}{_no_count(m.column, time)}; {hint}")
    return out, problems, notes


def _no_count(header: str, time: Time) -> str:
    unit = {3600: "hours", 86400: "days", 60: "minutes", 1: "seconds", 604800: "weeks"}[time.seconds]
    return (
        f"column {header!r} counts {unit}{f' of a {time.machine}' if time.machine else ''}, which is no count of "
        "floating-point operations"
    )


def _units(
    mapped: list[Mapped], headers: Mapping[int, Header | None], units: Mapping[str, str], loss_unit: str | None
) -> tuple[list[Mapped], list[str], list[str]]:
    """The mapping with the units that options or headers state; problems, and notes."""
    options, problems, notes, out = dict(units), [], [], []
    names = {m.name for m in mapped}
    if loss_unit is not None:
        options["loss"] = loss_unit
    for ours, unit in options.items():
        option = "--loss-unit " + unit if ours == "loss" and loss_unit else f"--unit {ours}={unit}"
        if ours not in LIMITS or unit_factor(ours, unit) is None:
            known = "nats, bits, bits_per_byte, nats_per_byte, perplexity" if ours == "loss" else UNIT_HELP
            problems.append(
                f"{option[:60]}: no such unit; known: {known}"
                if ours in LIMITS
                else f"{option[:60]}: no quantity {ours[:40]!r}; there are {', '.join(LIMITS)}"
            )
        elif all(m.name != ours for m in mapped):
            problems.append(f"{option[:60]}: the table has no column for {ours!r}")
    for m in mapped:
        if m.name == "loss" and "loss" not in options and (what := loss_of_another(m.column)):
            problems.append(f"column {made_of_a_token(m.column, what)}; --loss-unit UNIT takes it for one of a token")
            continue
        header = headers.get(m.place)
        if m.name in LIMITS and (header is None or header.name != m.name):
            other = header is not None and header.name.startswith(f"{m.name}_")  # such as params_nonembedding
            unit = header.unit if header and other else stated_unit(m.name, m.column)
            header = Header(m.name, unit) if unit else None
        if m.name in options and unit_factor(m.name, options[m.name]) is not None:
            unit = LOSS_UNITS[plain(options["loss"])] if m.name == "loss" else options[m.name]
            m = replace(m, unit=unit, source="option")
        elif header and header.unit and m.name in LIMITS:
            unit = unit_factor(m.name, header.unit) if m.name == "loss" else header.unit
            if unit_factor(m.name, header.unit) is None and m.name == "flops" and {"params", "tokens"} <= names:
                notes.append(f"column {m.column!r} is carried, not used: {header.unit[:30]!r} is no unit of flops")
                continue
            if unit_factor(m.name, header.unit) is None and read_time(m.column) is None:  # which is told by itself
                problems.append(f"column {m.column!r} ({m.name}): {_unknown(m, header.unit)}")
            m = replace(m, unit=str(unit), source="header")
        out.append(m)
    return out, problems, notes


#: words for tokens that a run was meant to read
_PLANNED = "planned|target|goal|budget|max|maximum|intended|scheduled"


def _unknown(m: Mapped, unit: str) -> str:
    """What is said of a unit that is none of the quantity's."""
    if other := counted_by_unit(m.name, m.column, unit):
        return f"{unit[:30]!r} counts {other.what}, not {m.name}: {other.option(m.name, m.column, ())}"
    if m.name == "tokens" and re.fullmatch(_PLANNED, plain(unit)):
        words = "says that they were to be read, and runs may have ended before"
        return f"{unit[:30]!r} {words}: --unit tokens=count takes them where none has, or in another unit"
    if re.fullmatch(r"log(10|2|e)?|ln|lg", plain(unit)):
        return (
            f"{unit[:30]!r} says that it is a logarithm: {_of_logarithm(m.name, f'{plain(unit)} {m.column}', m.column)}"
        )
    decide = "--loss-unit UNIT" if m.name == "loss" else f"--unit {m.name}=UNIT"
    return f"unit {unit[:30]!r} is not known; {decide} decides"


def _missing(
    frame: pd.DataFrame,
    found: set[str],
    taken: set[int],
    places: Mapping[str, int],
    needs: Sequence[str] | None = None,
) -> list[str]:
    """Problems for quantities that no column holds; ``places`` are those of quantities that one does."""
    names = [str(name) for name in frame.columns]
    problems, unlike = [], []
    timed = {k: time for k, name in enumerate(names) if k not in taken and (time := read_time(name))}
    first = next((k for k, time in timed.items() if time.machine or "comp" in plain(names[k])), None)
    if needs is None and first is not None and len(found & set(_NEEDED)) < 2 and "flops" not in found:
        problems.append(f"{_no_count(names[first], timed[first])}; {timed[first].derived(names[first])}")
        found = found | {"flops"}
    if "params" not in found and needs is None and (named := _named_by_size(frame)):
        problems.append(f"no column is recognised as 'params'; {named}")
        found = found | {"params"}
    for ours in _NEEDED if needs is None else ():
        if ours not in found and len(found & set(_NEEDED)) < 2 and (words := _of_another(ours, names, taken)):
            problems.append(words)
            found = found | {ours}
    lacking = [name for name in (("loss",) if needs is None else needs) if name not in found]
    if needs is None and len(found & set(_NEEDED)) < 2:
        lacking += [name for name in _NEEDED if name not in found]
    free = [k for k in range(len(names)) if k not in taken and k not in timed and not read_ratio(names[k])]
    without = next((n for n in names if (header := read_header(n)) and header.name == "params_nonembedding"), None)
    if "params" in lacking and without:
        lacking.remove("params")
        words = f"no column is recognised as 'params'; {without!r} counts parameters without embeddings"
        problems.append(f"{words}: --column params={without!r} takes them all the same, for laws of that count")
    problems += _within(frame, names, lacking)
    if "loss" in lacking and (of := next((n for n in names if unit_of_logarithm(n) == ""), None)):
        lacking.remove("loss")
        words = f"no column is recognised as 'loss'; {of!r} is the logarithm of a perplexity, which is one"
        problems.append(f"{words}: --column loss={of!r} takes a natural one, and --loss-unit bits one to base 2")
    if "loss" in lacking and (of := next((n for n in names if loss_of_another(n)), None)):
        lacking.remove("loss")
        problems.append(f"no column is recognised as 'loss'; {made_of_a_token(of, loss_of_another(of))}")
    for ours in lacking:
        likely = [k for k in free if _likely(ours, names[k]) and _could_be(ours, frame.iloc[:, k], names[k])]
        alike = [names[k] for k in likely if not is_logarithm(names[k])]
        alike += [
            names[k]
            for k in free
            if alike
            and k not in likely
            and _ON_ONE_SET.fullmatch(names[k])
            and not is_spread(names[k])
            and not _UNLIKE["loss"].search(names[k])
        ]
        if not likely:
            speed = next((names[k] for k in free if ours == "flops" and _UNLIKE["flops"].match(names[k])), None)
            if speed is None:
                unlike.append(ours)
                continue
            hint = (
                f"{speed!r} may be a speed: where it counts all operations of a run, --column {ours}={speed!r} takes it"
            )
            problems.append(f"no column is recognised as {ours!r}; {hint}")
            continue
        if ours == "loss" and (several := _of_several(frame, names[likely[0]])):
            hint = several
        elif is_logarithm(names[likely[0]]):
            hint = f"{names[likely[0]]!r} looks like its logarithm: {_of_logarithm(ours, names[likely[0]])}"
        elif ours == "loss" and len(alike) > 1:
            more = f" and {len(alike) - 4} more" if len(alike) > 4 else ""
            hint = f"{', '.join(map(repr, alike[:4]))}{more} look like it: --column loss=COLUMN says which"
        else:
            hint = f"{names[likely[0]]!r} looks like it: --column {ours}={names[likely[0]]!r} takes it"
        problems.append(f"no column is recognised as {ours!r}; {hint}")
    if unlike:
        hint = f"columns found: {_listed(_likely_first(frame, free, lacking))}; --column {unlike[0]}=COLUMN"
        hint += " and so on name them" if len(unlike) > 1 else " names it"
        problems.append(f"no column is recognised as {' or as '.join(map(repr, unlike))}; {hint}")
    shape = size_by_shape(names) if "params" in unlike else ""
    problems += [shape] if shape else []
    if needs is not None:
        return problems
    if len(lacking) > 1 or (lacking and without):
        problems.append("needed are the loss and two of params, tokens and flops: the third follows from flops = 6 N D")
        cells = frame.iloc[:20, 0].dropna().astype("str") if frame.shape[1] else []
        side = [header.name for cell in cells if (header := read_header(cell))]
        if sum(name in {*_NEEDED, "loss"} for name in side) + len(found & {*_NEEDED, "loss"}) >= 3:
            return [*problems, "the names stand down the first column, so the table lies on its side: transpose it"]
    if not shape:  # models of several sizes are no table of one variable
        problems += other_laws(frame, found, places)
    return problems


def _named_by_size(frame: pd.DataFrame) -> str:
    """What is said of a column of models whose names tell their sizes."""
    for place, name in enumerate(frame.columns):
        if plain(name) in _MODELS and sizes_in_names(frame.iloc[:, place]) is not None:
            cell = str(frame.iloc[:, place].dropna().iloc[0])
            words = f"names in {name!r} tell sizes ({cell[:30]!r})"
            return f"{words}: --column params={name!r} takes these, though counts may be other numbers"
    return ""


def _of_another(ours: str, names: list[str], taken: set[int]) -> str:
    """What is said of a column that counts something from which a quantity follows; "" where there is none."""
    for place, name in enumerate(names):
        if place not in taken and (other := counted(ours, name, names)):
            words = f"no column is recognised as {ours!r}; {name!r} counts {other.what}"
            return f"{words}: {other.option(ours, name, names)}, or --column {ours}=COLUMN names another column"
    return ""


def _within(frame: pd.DataFrame, names: list[str], lacking: list[str]) -> list[str]:
    """Where quantities stand inside of what a logger wrote: under ``name.value``, or in cells that are JSON as text."""
    inner = {name: read_header(name.removesuffix(".value")) for name in names if name.endswith(".value")}
    found = {header.name: name for name, header in inner.items() if header and header.name in lacking}
    if found:
        options = " ".join(f"--column {ours}={shlex.quote(name)}" for ours, name in found.items())
        return [f"{listed([*map(repr, found.values())])} may be {listed([*found])}: {options}"]
    first = {name: frame[name].dropna().head(1).tolist() for name in names}
    texts = [name for name, cells in first.items() if cells and re.fullmatch(r"\s*\{.*\}\s*", str(cells[0]), re.DOTALL)]
    if texts and lacking:
        told = listed([*map(repr, texts[:4])])
        return [f"the cells of {told} are objects written as text: save them as objects, or each value as a column"]
    return []


#: parts of what is minimised, powers and sums of losses are no loss, tokens of a test or left none of training, and a
#: speed or a share of one is no compute
_UNLIKE = {
    "loss": re.compile(
        r"(?i)aux|router|balanc|\bz[\s_-]?loss|_z_?loss|regular|reducib|relative|excess|delta|scale|[\^+*]"
    ),
    "tokens": re.compile(
        r"(?i)(?<![a-z])(?:val|valid|validation|eval|test|dev|heldout|remaining|left|max|context|vocab|new|unseen|pad|"
        r"padding|special|generated|prompt|skipped|per)(?![a-z])"
    ),
    "flops": re.compile(r"(?i)^[\W_]*(?:achieved|model|hw|peak|max|avg)?[\W_]*[kmgtp]flops?[\W_]*$"),
}
#: a loss on one data set
_ON_ONE_SET = re.compile(r"(?i)(?:\w+[\s_./-]loss|loss[\s_./@-]\w+)")


def _of_several(frame: pd.DataFrame, value: str) -> str:
    """What is said of a column that holds several quantities, which a column of words names; or nothing."""
    for name in frame.columns:
        words = frame[name].dropna().astype("str")
        if pd.api.types.is_numeric_dtype(frame[name]) or not 1 < words.nunique() <= _LISTED:
            continue
        units = {
            word: header.unit for word in words.unique() if (header := read_header(word)) and header.name == "loss"
        }
        if units:
            loss = [word for word in units if units[word] is None][-1:] or [*units][-1:]
            others = ", ".join(repr(word[:40]) for word in words.unique()[:4])
            choice = f"{in_backticks(str(name))} == {loss[0]!r}"
            choice = shlex.quote(choice) if set(choice) & set('`$"\\') else f'"{choice}"'
            unit = f" --loss-unit {units[loss[0]]}" if units[loss[0]] else ""
            said = (
                f"{value!r} holds several quantities, which {str(name)!r} names ({others}): --where {choice} --column "
            )
            return f"{said}loss={shlex.quote(value)}{unit} chooses one"
    return ""


def _of_logarithm(ours: str, name: str, column: str = "") -> str:
    """How the quantity follows from the column of its logarithm, as an option where the ``name`` says the base."""
    column = column or name
    base = "10" if re.search(r"(?i)log_?\s*10|lg", name) else "2" if re.search(r"(?i)log_?\s*2", name) else ""
    base = base or ("2.718281828459045" if re.match(r"\s*ln", name) else "")
    return (
        derive_option(ours, f"{base} ** {in_backticks(column)}", [column])
        if base
        else "add a column with the quantity itself"
    )


def _likely_first(frame: pd.DataFrame, free: list[int], lacking: list[str]) -> list[str]:
    """The names of columns, first those that could be meant where not all can be listed."""
    names = [str(name) for name in frame.columns]
    if len(names) <= _LISTED:
        return names
    telling = re.compile("param|tok|loss|flop|compute|size|ppl|nll|entrop|data|score|budget|bp[bc]")
    meant = [k for k in free if telling.search(names[k].lower())]
    numbers = [k for k in free if any(fits(ours, frame.iloc[:, k], None) for ours in lacking)]
    return [names[k] for k in dict.fromkeys([*meant, *numbers, *range(len(names))])]


def _could_be(ours: str, column: pd.Series, header: str) -> bool:
    """Whether the cells of a column whose name is like a quantity's could hold it, or its logarithm."""
    if is_logarithm(header):
        return True
    values = glance(ours, column)
    given = values[np.isfinite(values)]
    if not len(column):
        return True
    return len(given) > 0 and (ours == "loss" or fits(ours, column, stated_unit(ours, header)))


def _likely(ours: str, name: str) -> bool:
    if (ours == "loss" and is_spread(name)) or (ours in _UNLIKE and _UNLIKE[ours].search(name)):
        return False
    word = re.sub(r"^(log10|log2|log|ln)", "", plain(name))
    known = KNOWN_NAMES[ours]
    return word in known or bool(difflib.get_close_matches(word, [k for k in known if len(k) > 3], n=1, cutoff=0.78))


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:_LISTED])
    return shown + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")


def unit_row(raw: RawTable, mapped: list[Mapped]) -> tuple[RawTable, list[Mapped]]:
    """Units that stand in a row of their own below the header are moved into the mapping."""
    numeric = [m for m in mapped if m.name in LIMITS]
    if not numeric or len(raw.frame) < 2:
        return raw, mapped
    stated = {}
    for m in numeric:
        cell = raw.frame.iloc[0, m.place]
        word = "" if pd.isna(cell) else str(cell).strip().strip("()[]")
        if word in _BLANK and m.name != "loss":
            return raw, mapped
        if word not in _BLANK:
            stated[m.name] = f"{float(word):.0e}" if re.fullmatch(r"10+(\.0*)?", word) else word
    if not stated or any(unit_factor(name, unit) is None for name, unit in stated.items()):
        return raw, mapped
    powers = any(re.search(r"\d", unit) for unit in stated.values())
    if powers and all(fits(m.name, raw.frame.iloc[1:, m.place], None) for m in numeric):
        return raw, mapped  # a run of a million parameters whose loss is not known
    out = []
    for m in mapped:
        if m.name in stated and m.source != "option":
            unit = unit_factor(m.name, stated[m.name]) if m.name == "loss" else stated[m.name]
            m = replace(m, unit=str(unit), source="header")
        out.append(m)
    label = f"{raw.frame.index.name} {raw.frame.index[0]}"
    return replace(raw, frame=raw.frame.iloc[1:], notes=[*raw.notes, f"{label} states the units"]), out


#: cells of a row of units that state none
_BLANK = ("", "-", "--", "–", "—", "/")

"""Several columns that could be one quantity: which of them it is, or the question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..._words import plain
from ..vocabulary import LIMITS
from .glance import fits, glance
from .units import Header, to_nats, unit_factor

#: quantities of which one of several columns has to be chosen
_ASKED = ("params", "tokens", "flops", "loss")


@dataclass(frozen=True, eq=False)
class Rival:
    """A column whose header names a quantity (``ours``), in the ``unit`` that it states (None: it states none)."""

    ours: str
    place: int
    header: str
    unit: str | None
    cells: pd.Series

    @property
    def fits(self) -> bool:
        """Whether the cells could be the quantity."""
        return fits(self.ours, self.cells, self.unit)

    def numbers(self) -> np.ndarray:
        """The first cells in our unit."""
        values = glance(self.ours, self.cells)
        factor = unit_factor(self.ours, self.unit) if self.unit else 1.0
        if isinstance(factor, str):
            return to_nats(values, factor, 1.0)
        return values * (factor if factor is not None else np.nan)


def rivals_for(ours: str, frame: pd.DataFrame, headers: Mapping[int, Header | None], taken: set[int]) -> list[Rival]:
    """The columns whose headers name a quantity, without those that are taken."""
    found = [(k, header) for k, header in headers.items() if header and header.name == ours and k not in taken]
    return [Rival(ours, k, frame.columns[k], header.unit, frame.iloc[:, k]) for k, header in found]


def chosen_rival(ours: str, rivals: list[Rival]) -> tuple[Rival | None, list[str], list[str]]:
    """The one of these that is the quantity (None: none, or it is asked), problems, notes."""
    if doubled := _doubled([str(r.header) for r in rivals]):
        return None, [f"column {doubled!r} stands there twice: keep one, or --column {ours}=COLUMN says which"], []
    rivals, notes = _likely(ours, rivals)
    if len(rivals) < 2:
        return (rivals[0] if rivals else None), [], notes
    exact = [r for r in rivals if r.header == ours]
    first = (exact or [r for r in rivals if r.unit in (None, "nats")] or rivals)[0]
    others = [r for r in rivals if r is not first]
    twins = [r for r in others if plain(r.header) == plain(first.header)]
    same = [r for r in others if ours in LIMITS and (r in twins or r.unit != first.unit) and _agree(first, r)]
    differ = [r for r in others if r not in same]
    if not differ or (exact and not any(r in differ for r in twins)):
        return first, [], [*notes, *(_carried(r, first, r in same) for r in others)]
    question = _question(ours, [first, *differ])
    return (None, [question], notes) if ours in _ASKED else (None, [], [question])


def _doubled(names: list[str]) -> str | None:
    """A name that stands among these twice: the second time it is ``name (2)``."""
    return next((name for name in names if f"{name} (2)" in names), None) if len(names) > 1 else None


def _likely(ours: str, rivals: list[Rival]) -> tuple[list[Rival], list[str]]:
    """Those whose numbers could be the quantity where some could, and notes of the others."""
    if len(rivals) < 2 or ours not in _ASKED:
        return rivals, []
    likely = [r for r in rivals if r.fits]
    if not likely:
        return rivals, []
    other = [r for r in rivals if r not in likely]
    return likely, [f"column {r.header!r} is carried, not taken as {ours}: its numbers are no such" for r in other]


def _carried(rival: Rival, used: Rival, same: bool) -> str:
    words = f"column {rival.header!r} is carried, not used: {used.header!r} is there"
    return words + (" and says the same" if same else "")


def _question(ours: str, rivals: list[Rival]) -> str:
    found = " and ".join(repr(r.header) for r in rivals[:4])
    found += f" and {len(rivals) - 4} more" if len(rivals) > 4 else ""
    return f"{found} could each be {ours!r}: --column {ours}=COLUMN says which"


def _agree(a: Rival, b: Rival) -> bool:
    """Whether two columns say the same of a quantity, each in its unit: a perplexity and its logarithm do."""
    if not len(a.cells):
        return False
    left, right = a.numbers(), b.numbers()
    both = np.isfinite(left) & np.isfinite(right) & (left > 0) & (right > 0)
    if not both.any() or both.sum() < 0.9 * max(np.isfinite(left).sum(), np.isfinite(right).sum()):
        return False
    ratio = np.log(left[both] / right[both])
    per_byte = a.ours == "loss" and any(str(r.unit).endswith(("byte", "character")) for r in (a, b))
    return bool(np.abs(ratio - (np.median(ratio) if per_byte else 0.0)).max() < (1e-3 if per_byte else 5e-3))


def ask_of_bits(loss: Rival | None, rivals: Iterable[Rival]) -> list[str]:
    """A question where a loss without a unit is the logarithm to base 2 of a perplexity beside it."""
    if loss is None or loss.unit is not None:
        return []
    values = glance("loss", loss.cells)
    for other in rivals:
        if other.unit == "perplexity" and other is not loss:
            with np.errstate(invalid="ignore", divide="ignore"):
                apart = np.abs(np.log2(glance("loss", other.cells)) / values - 1)
            if (apart < 1e-2).mean() > 0.9:
                words = f"column {loss.header!r} is the logarithm to base 2 of {other.header!r}, so in bits"
                return [f"{words}: --loss-unit bits takes it so"]
    return []

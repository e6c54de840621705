"""Columns that count something else than a quantity of ours, and what makes the quantity of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..._words import SCALES, plain
from ..headers import quoted
from .derivations import derive_option
from .products import part_of
from .ratios import read_ratio
from .units import read_header, unit_factor

_BYTES = r"(?:k|m|g|t|ki|mi|gi|ti)?(?:b|bytes?)"
#: units of something else, and what one of them has to be multiplied with
_OTHER = {
    "tokens": {
        "bytes": (_BYTES, "TOKENS_PER_BYTE"),
        "words": (r"words?|worter|mots|palabras|слов", "TOKENS_PER_WORD"),
        "characters": (r"characters?|chars?|zeichen|字符|字数", "TOKENS_PER_CHARACTER"),
        "sequences": (r"sequences?|seqs?|samples?|examples?|documents?|docs?", "TOKENS_PER_SEQUENCE"),
    },
    "params": {"bytes": (_BYTES, "PARAMS_PER_BYTE")},
    "flops": {"multiplications with an addition": (r"(?:k|m|g|t|p|e|z)?macs?", "2")},
}
#: words around such a unit in a header of its own
_AROUND = (
    "n num no number of total train training trained data dataset corpus text seen consumed processed read in size "
    "utf8 raw count"
)
_CHINCHILLA = re.compile(r"(x|n|times|multiples?|of)*chinchilla(x|optimal|multiples?|multipliers?|factor|ratio|times)*")
_FORWARD = re.compile(r"(total|n|num)?(forward|fwd|forwardpass)(only)?flops?|flops?(forward|fwd|forwardonly)")
#: a part of a model that is none by itself
_EMBEDDING = re.compile(
    r"(n|num|token|input|output|word)*(embeddings?|emb|lmhead|unembedding|head)(params?|parameters)"
)
_PART = re.compile(
    r"(?:n|num|token|input|output|word|non)*(?:embeddings?|emb|lmhead|unembedding|head|backbone|body|transformer|"
    r"attention|attn|mlp|ffn|blocks?|layers?|encoder|decoder)(?:params?|parameters)"
)


@dataclass(frozen=True)
class Counted:
    """What a column counts instead, and the expression that makes the quantity of it."""

    what: str
    expression: str

    def option(self, ours: str, header: str, headers: Sequence[str]) -> str:
        """The option that makes the quantity, in words."""
        number = ", with the number," if re.search(r"[A-Z]{3,}_PER_|NUMBER|PARAMETERS", self.expression) else ""
        return f"{derive_option(ours, self.expression, [header, *headers])}{number} makes them"


def counted_by_unit(ours: str, header: str, unit: str) -> Counted | None:
    """What a column in this unit counts, where the unit is one of something else."""
    word, name = plain(unit), quoted(header)
    for what, (pattern, factor) in _OTHER.get(ours, {}).items():
        if re.fullmatch(pattern, word):
            return Counted(what, " * ".join([name, *_scale(word, what), factor]))
    if found := re.fullmatch(r"(?i)(?:per|/)\s*(gpus?|devices?|ranks?|nodes?|workers?|chips?|tpus?)", unit.strip()):
        return Counted(f"those of one {found[1]}", f"{name} * NUMBER_OF_{found[1].upper().removesuffix('S')}S")
    return None


def counted(ours: str, header: str, headers: Sequence[str] = ()) -> Counted | None:
    """What a header says that its column counts instead of our quantity; None where it says nothing of the kind.

    Of the ``headers`` of the table one may tell the number that is lacking.
    """
    word, name = plain(header), quoted(header)
    if ours == "tokens" and _CHINCHILLA.fullmatch(word):
        return Counted("multiples of 20 tokens per parameter", f"20 * {_params(headers)} * {name}")
    if ours == "flops" and _FORWARD.fullmatch(word):
        return Counted("the forward pass, a third of training", f"3 * {name}")
    if ours == "params" and _EMBEDDING.fullmatch(word):
        return _sum_of_parts(headers)
    if read_ratio(header) or part_of(header):
        return None
    words = [part for part in re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", header) if part]
    telling = [part for part in words if plain(part) not in _AROUND.split()]
    found = counted_by_unit(ours, header, telling[0]) if len(telling) == 1 and len(plain(telling[0])) > 1 else None
    if found and found.what == "sequences" and (length := next((h for h in headers if part_of(h) == "sequence"), "")):
        return Counted(found.what, f"{name} * {quoted(length)}")
    return found


def _params(headers: Sequence[str]) -> str:
    """The column of the parameters as it stands in an expression, in counts."""
    for header in headers:
        if (found := read_header(header)) and found.name == "params":
            worth = unit_factor("params", found.unit) if found.unit else 1.0
            return quoted(header) + (f" * {worth:g}" if isinstance(worth, float) and worth != 1.0 else "")
    return "PARAMETERS"


def _sum_of_parts(headers: Sequence[str]) -> Counted:
    """The parts of models that the table has, as their sum."""
    parts = [quoted(header) for header in headers if _PART.fullmatch(plain(header))]
    return Counted("a part of the parameters", " + ".join(parts) if len(parts) > 1 else "`THIS` + `THE OTHERS`")


def _scale(word: str, what: str) -> list[str]:
    """The factor of a unit's prefix, as it stands in an expression."""
    prefix = re.match("[kmgtpez]i?(?=b|macs?$)", word) if what != "words" else None
    if prefix is None:
        return []
    worth = {"p": 1e15, "e": 1e18, "z": 1e21}.get(prefix[0], SCALES.get(prefix[0], 1.0))
    return [f"{worth:.0f}" if prefix[0].endswith("i") else f"{worth:.0e}".replace("e+", "e").replace("e0", "e")]

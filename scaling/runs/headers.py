"""The columns that a table carries beside its quantities: what their headers say, and how these are typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

import pandas as pd

from .._words import plain
from .vocabulary import LABELS, LIMITS, STANDS_FOR

#: names of what is tuned and not scaled, whole or as a part
_TUNED = re.compile(
    r"lr|eta|learningrate|bs|batch|batchsize|wd|weightdecay|warmup\w*|dropout|momentum|beta[12]|epochs?|"
    r"\w*(learningrate|batchsize|weightdecay|epochs)"
)
#: names of what tells runs of one setting apart
REPEATS = re.compile(r"\w*(seed|trial|replica)\w*|runs?|run_?(id|name|nr|no)|rep|repeats?|repetition")
STEPS = re.compile(r"\w*(steps?|iters?|iterations?|checkpoints?|ckpt)\w*")


def is_called(pattern: re.Pattern[str], name: str) -> bool:
    """Whether a header, or a word of it, is what the pattern says."""
    return any(pattern.fullmatch(word) for word in [plain(name), *re.split(r"[^a-z0-9]+", name.lower())])


def is_tuned(name: str) -> bool:
    """Whether a header names what is tuned and not scaled, as a learning rate."""
    return is_called(_TUNED, name)


def carried(runs: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Columns that are no quantity and no label of ours."""
    for place, name in enumerate(runs.columns):
        if name not in (*LIMITS, *LABELS, STANDS_FOR):
            yield str(name), runs.iloc[:, place]


def quoted(name: str) -> str:
    """A name as it stands in a condition or in another expression."""
    return name if name.isidentifier() else f"`{name}`"


def typed(names: Sequence[str]) -> str:
    """Names of columns as they are typed in a shell."""
    return shlex.quote(",".join(names))

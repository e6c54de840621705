"""What to say of columns that explain how rows differ: what is swept, or which families are pooled."""

from __future__ import annotations

import shlex

from ..._words import plain
from ...runs.headers import is_tuned, quoted, typed
from .result import BEST, CHOOSE, Pooling


def explained_by(
    names: tuple[str, ...],
    seen: str,
    within: bool = False,
    numbers: bool = False,
    chosen: bool = False,
    multiplied: bool = False,
    single: bool = False,
) -> Pooling:
    """What to say of columns that explain differences among rows, the strongest first.

    ``within`` says that rows of one size and length differ in them, ``numbers`` that they hold numbers, ``chosen``
    that the best of each design was kept, ``multiplied`` that tokens are counted with every repetition,
    ``single`` that no two rows are of one size and length.
    """
    words = f"{seen}, which {' and '.join(map(repr, names[:3]))} explain{'s' * (len(names) == 1)}"
    if epochs := [name for name in names if "epoch" in plain(name)]:
        if multiplied:
            why = "a token that is read again is worth less than a new one"
            keep = f"--where {shlex.quote(f'{quoted(epochs[0])} <= 1')} keeps the runs on new tokens"
            return Pooling("sweep", names, f"{words}: {why}. {keep}, --group {typed(epochs[:1])} fits each by itself")
        told = "tokens has to be what was trained on, with every repetition: multiply it, or keep one number of epochs"
        return Pooling("sweep", names, f"{words}: {told}")
    if any(is_tuned(name) for name in names) and chosen:
        why = "the best of each design was kept, but not all designs came as near to their best"
        return Pooling(
            "sweep", names, f"{words}: {why}. {CHOOSE}: --where leaves out those that were tried with too few settings"
        )
    if single and any(is_tuned(name) for name in names):
        why = "not all runs were tuned alike, and those that were tuned badly lie above the law of the others"
        return Pooling("sweep", names, f"{words}: {why}. {CHOOSE}: --where chooses those with settings near the best")
    if any(is_tuned(name) for name in names):
        return Pooling("sweep", names, f"{words}: a sweep, not one run of each size and number of tokens. {BEST}")
    if within and numbers:
        asked = f"a setting that was tuned? --best-of params,tokens --over {typed(names)} keeps the best of each"
        return Pooling("sweep", names, f"{words}: {asked}. Or families? --group {typed(names[:1])} fits each by itself")
    choose = f"--group {typed(names[:1])} fits the rows of each by themselves, --where chooses those of one"
    return Pooling("families", names, f"{words}: several families or data sets are pooled. {CHOOSE}: {choose}")

"""Headers that say how long machines were busy: hours of GPUs are no count of FLOPs until their speed is known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..._words import plain
from ..headers import quoted
from .mapping import Mapped
from .ratios import read_ratio, without_run

#: seconds of a word for a time, as :func:`~scaling._words.plain` has it
_SECONDS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heures", "horas", "小时"), 3600),
    **dict.fromkeys(("day", "days", "tag", "tage", "jours", "dias", "天"), 86400),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("week", "weeks"), 604800),
}
_UNITS = {3600: "hours", 86400: "days", 60: "minutes", 1: "seconds", 604800: "weeks"}
_TIMES = "|".join(sorted(_SECONDS, key=len, reverse=True))
#: machines by kind and by name, as ``h100``, ``tpuv4`` and ``mi300x`` are
_MACHINE = (
    r"(?:gpu|tpu|npu|device|node|chip|accelerator|core|card|machine|server|[abhlptv]\d{2,3}s?|g[bh]200|mi\d{3}x?|"
)
_MACHINE += r"tpuv\d[a-z]?)"
#: a machine, what may stand between, and a time at the end, but for words that say nothing
_OF_MACHINES = re.compile(
    rf"(?:.*?)({_MACHINE})s?(?:\d+gb|sxm\d?|pcie)?(?:time|chip)?({_TIMES})(?:total|used|spent|sum)?"
)
_PLAIN = re.compile(rf"(?i)(?:.*[\s_(\[./-])({'|'.join(t for t in _TIMES.split('|') if len(t) > 1)})[)\]]?")
#: units of compute in which a time stands, such as PF-days
_OF_FLOPS = re.compile(r"flop|pfs?(?:days?|tage?|jours?|dias?|h|hours?|d)$")


@dataclass(frozen=True)
class Time:
    """What a header counts: times of so many ``seconds``, of a ``machine`` ("" where it names none)."""

    seconds: int
    machine: str

    def no_count(self, header: str) -> str:
        """That the column of this ``header`` counts a time."""
        article = "an" if self.machine[:1] in tuple("aAHLMN") else "a"  # as the letters are said
        counted = _UNITS[self.seconds] + (f" of {article} {self.machine}" if self.machine else "")
        return f"column {header!r} counts {counted}, which is no count of floating-point operations"

    def derived(self, header: str) -> str:
        """How FLOPs follow from the column of this ``header``, as an option, and what to put in."""
        name = quoted(header)
        times = f" * {self.seconds}" if self.seconds > 1 else ""
        who = f"one {self.machine}" if self.machine else "all machines together"
        return (
            f"--derive flops='{name}{times} * FLOPS_PER_SECOND' makes one, where FLOPS_PER_SECOND stands for what "
            f"{who} did in a second of training: write the number there, such as 4e14 for an H100 at 40 % of its peak"
        )


def read_time(header: str) -> Time | None:
    """The time of machines that a header names, as ``gpu_hours``, ``H100-hours`` and ``node days`` do, or None."""
    header = without_run(header)
    word = plain(header)
    if _OF_FLOPS.search(word) or read_ratio(header):
        return None
    if found := _OF_MACHINES.fullmatch(word):
        known = re.fullmatch(r"device|node|chip|accelerator|core|card|machine|server", found[1])
        return Time(_SECONDS[found[2]], found[1] if known else found[1].upper())
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header.strip())
    if found := _PLAIN.fullmatch(spaced):
        return Time(_SECONDS[plain(found[1])], "")
    return None


def without_hours(
    mapped: list[Mapped], columns: Mapping[str, str], units: Mapping[str, str]
) -> tuple[list[Mapped], list[str], list[str]]:
    """The mapping without hours of machines that are not needed; problems with those that are, and notes."""
    whole = {"params", "tokens"} <= {m.name for m in mapped}
    out: list[Mapped] = []
    problems, notes = [], []
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
            problems.append(f"{given}{time.no_count(m.column)}; {hint}")
    return out, problems, notes

"""What is asked, kind by kind, and how an answer to it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["ASKED", "FAULTS", "KINDS", "OWN", "POINTS", "SHARED", "Kind", "Question", "reasons"]

#: questions to the whole class, the points of each, and of all of them
ASKED, POINTS = 5, 4
SHARED = ASKED * POINTS
#: the other points, of a hundred, which are for one's own table
OWN = 100 - SHARED


@dataclass(frozen=True)
class Question:
    """One thing to find.

    Attributes
    ----------
    name : str
        Of the line in the answer file; with an interval there are two more lines, ``... low`` and ``... high``.
    words : str
        The question; ``{budget}`` is the class's.
    points : int
        Of a hundred.
    log : bool
        Whether errors are compared as factors.
    """

    name: str
    words: str
    points: int
    log: bool = False

    @property
    def lines(self) -> tuple[str, str, str]:
        """Names of the three lines of a number with its interval."""
        return self.name, f"{self.name} low", f"{self.name} high"


@dataclass(frozen=True)
class Kind:
    """A kind of assignment: what is done, which quantities are asked, and for what else there are points.

    ``why`` are the ways in which a table may not identify what is asked, ``chapters`` those whose quizzes the questions
    to the whole class come from.
    """

    title: str
    task: str
    chapters: tuple[str, ...]
    numbers: tuple[Question, ...] = ()
    status: int = 0
    plan: int = 0
    verdict: tuple[int, int] = (0, 0)
    why: tuple[str, ...] = ()


#: why runs may not identify a law: the word to answer with, and what it means
REASONS = {
    "line": "tokens are the same multiple of the parameters in every run, so that their effects cannot be told apart",
    "one_length": "all runs were trained on the same number of tokens",
    "one_size": "all runs have the same number of parameters",
    "few_runs": "there are too few runs to judge by",
    "one_side": "in every group all sizes lie on the same side of the minimum",
    "few_sizes": "every group has fewer than four sizes, so that nothing is left to judge its parabola by",
    "one_budget": "there is one group of equal compute only",
}
#: what can be wrong with a table of an audit: the word to answer with, and what it means
FAULTS = {
    "repeated": "rows stand there more than once, with the same loss to the last digit, and count as runs",
    "units": "some losses are in another unit than the others",
    "line": "tokens are the same multiple of the parameters in every run, so that their effects cannot be told apart",
    "diverged": "some runs lost far more than their neighbours: they diverged",
}
_OF_RUNS = ("line", "one_length", "one_size", "few_runs")
_A = Question("a", "The exponent $a$ with which the compute-optimal number of parameters grows with compute.", 20)
_SIZE = Question("params", "The compute-optimal number of parameters for {budget} FLOP.", 24, log=True)
_LOSS = Question("loss", "The loss of the compute-optimal run for {budget} FLOP, in nats per token.", 24)

KINDS = {
    "fit": Kind(
        "Fit a scaling law",
        "Fit $L = E + A/N^\\alpha + B/D^\\beta$ to the runs (approach 3), and say how sure you are.",
        ("07", "11", "13"),
        (_A, _SIZE, _LOSS),
        status=12,
        why=_OF_RUNS,
    ),
    "isoflop": Kind(
        "Find the optimum by parabolas",
        "Fit a parabola to each group of equal compute, and a line through the minima (approach 2). How sure are you?",
        ("06", "11", "13"),
        (replace(_A, points=34), replace(_SIZE, points=34)),
        status=12,
        why=("one_side", "few_sizes", "one_budget"),
    ),
    "plan": Kind(
        "Plan a run",
        "You have {budget} FLOP for one training run. Say from the runs at hand what to train.",
        ("07", "12", "13"),
        (Question("loss", "The loss that such a run reaches on average over its luck, in nats per token.", 26),),
        status=12,
        plan=42,
        why=_OF_RUNS,
    ),
    "audit": Kind(
        "Audit three tables",
        "Three laboratories trained models of one kind, and sent a table each. Two are sound; one cannot be trusted. "
        "Say which, and why, and what the two sound ones together say (approach 3).",
        ("05", "11", "12"),
        (replace(_SIZE, points=25), replace(_LOSS, points=20)),
        verdict=(20, 15),
    ),
}


def reasons(kind: str) -> dict[str, str]:
    """The words for what can be wrong with a table of this kind, and what they mean."""
    return FAULTS if KINDS[kind].verdict[0] else {word: REASONS[word] for word in KINDS[kind].why}

"""A class's tables: each student's runs follow a law of their own, which only the key has."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..._checks import at_least_zero, whole_number
from ...errors import FitError, RunsWarning
from ...fit.isoflop import fit_isoflop
from ...fit.parametric import fit_parametric
from ...laws.chinchilla import ChinchillaLaw
from ...optimum.allocation import compute_optimal
from ...simulate import chinchilla_like_design, isoflop_design, simulate_runs
from ...uncertainty.resampling import bootstrap
from .questions import FAULTS, KINDS
from .shared import draw_questions

__all__ = ["Class", "Student", "make_class"]

#: of so many students, one has a table that does not identify the law
ONE_IN = 15
#: runs of a table, and of each of an audit's
RUNS, AUDITED = 60, 40
#: as many as are too few, of runs for a law and of sizes for a parabola
FEW_RUNS, FEW_SIZES = 6, 3
#: how far beyond the most expensive run the budget lies
REACH = 10.0
#: IsoFLOP groups, sizes of each, and half the range of the sizes as a factor
BUDGETS, SIZES, WIDTH = np.geomspace(1e18, 1e21, 7), 9, 6.0
#: a group's sizes lie so many times below the optimum where they do not identify it, and tokens per parameter of the
#: middle one that runs may have
OFF, RATIOS = 10.0, (2.0, 8_000.0)
#: a table identifies what is asked if the careful interval of the size ends within this factor of the estimate: well
#: within the factor of two that the sheet names, so that another careful way comes to the same answer
CLEAR = 1.6
#: noise up to which a fault of an audit stands out
AUDITABLE = 0.03
#: laws that are tried until a table is what it should be
TRIES = 50
#: noise beyond which losses are not those of training runs
MOST_NOISE = 0.2
#: digits of what is written down
DIGITS, DECIMALS = 6, 4
#: resamples behind the reference interval of approach 2
RESAMPLES = 400
#: losses of an audit's faults: a nat in bits, and by how much diverged runs are above the law
BITS, LOST = 1 / np.log(2), (1.2, 1.6)


@dataclass(frozen=True)
class Student:
    """What one student is given, and what only the teacher knows.

    Attributes
    ----------
    name : str
    tables : dict of DataFrame
        By the name of the file.
    budget : float
        FLOPs that are asked about.
    secret : dict
        The law, and what is right: ``identified``, ``truth`` and ``reference`` by question, and an audit's verdict.
    """

    name: str
    tables: dict[str, pd.DataFrame] = field(repr=False)
    budget: float
    secret: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Class:
    """All students of a class, the questions to all of them, and what it was made of."""

    kind: str
    noise: float
    seed: int
    students: tuple[Student, ...]
    shared: list[dict[str, Any]] = field(repr=False)

    def key(self) -> dict[str, Any]:
        """What marking needs, as JSON has it."""
        students = {each.name: {"budget": each.budget, **each.secret} for each in self.students}
        return {"kind": self.kind, "noise": self.noise, "seed": self.seed, "shared": self.shared, "students": students}


def make_class(n_students: int, kind: str = "fit", noise: float = 0.006, seed: int = 0) -> Class:
    """Tables for a class, each from a secret law of its own.

    One in fifteen tables, at least one of a class of fifteen or more, does not identify the law: sizes and tokens rise
    together, all sizes of every group lie on one side of the optimum, or the like. There the right answer is to say so,
    and why. Some questions on the method are the same for all.

    Parameters
    ----------
    n_students : int
        At least 1.
    kind : {"fit", "isoflop", "plan", "audit"}
    noise : float
        Standard deviation of ln loss.
    seed : int
        The same seed, the same class; classes of other kinds share nothing with it.

    Raises
    ------
    ValueError
        For a kind that there is not, or a number that makes no sense; also where the noise is so large that no table
        identifies its law.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    n_students = whole_number("n_students", n_students)
    if (sigma := at_least_zero("noise", noise)) > MOST_NOISE:
        raise ValueError(f"noise of {noise:g} is no runs': at most {MOST_NOISE:g}")
    if kind == "audit" and sigma > AUDITABLE:
        raise ValueError(f"noise of {noise:g} hides the faults of an audit: at most {AUDITABLE:g}")
    digits = max(2, len(str(n_students)))
    root = np.random.SeedSequence([seed, *kind.encode()])
    shared = draw_questions(kind, np.random.default_rng(root))
    streams = root.spawn(n_students + 1)
    dice = np.random.default_rng(streams[-1])
    hidden = set(dice.choice(n_students, n_students // ONE_IN, replace=False).tolist()) if kind != "audit" else set()
    make = _audit if kind == "audit" else _law_of
    students = []
    for number, stream in enumerate(streams[:-1]):
        rng = np.random.default_rng(stream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RunsWarning)
            student = make(f"student_{number + 1:0{digits}d}", kind, sigma, number not in hidden, rng)
        students.append(student)
    return Class(kind, noise, seed, tuple(students), shared)


def secret_law(rng: np.random.Generator) -> ChinchillaLaw:
    """A law as steep as those of language models or up to twice, with its optimum at 5 to 80 tokens a parameter.

    That is at 1e21 FLOP. So wide a range leaves little to guess.
    """
    E, alpha, beta = rng.uniform(1.2, 2.4), *rng.uniform(0.25, 0.55, 2)
    size = np.sqrt(1e21 / 6 / np.exp(rng.uniform(np.log(5), np.log(80))))
    part = rng.uniform(0.2, 0.5)
    A = part * size**alpha
    B = alpha * part / beta * (1e21 / 6 / size) ** beta
    return ChinchillaLaw(E=float(E), A=float(A), B=float(B), alpha=float(alpha), beta=float(beta))


def _law_of(name: str, kind: str, noise: float, identified: bool, rng: np.random.Generator) -> Student:
    """A student with a table that does, or does not, identify a law."""
    reason = "" if identified else str(rng.choice(KINDS[kind].why))
    for _ in range(TRIES):
        law = secret_law(rng)
        design = _groups(law, reason) if kind == "isoflop" else _ragged(reason, rng)
        runs = _written(simulate_runs(law, design, noise, seed=int(rng.integers(2**31))))
        budget = _rounded(REACH * float(runs["flops"].max()), 2)
        told, reference = _reference(kind, runs, budget)
        middle = float((runs["tokens"] / runs["params"]).median())
        clear = told if identified else not reference  # not a wide interval: none at all
        if clear and RATIOS[0] <= middle <= RATIOS[1]:
            break
    else:
        words = "identifies" if identified else "hides"
        raise ValueError(f"with noise of {noise:g} no table of {TRIES} {words} its law: ask for less noise")
    secret = {"identified": identified, "why": reason, "reference": reference, **_true(kind, law, budget)}
    return Student(name, {"runs.csv": runs}, budget, secret)


def _true(kind: str, law: ChinchillaLaw, budget: float) -> dict[str, dict[str, float]]:
    """The law, and by question what it says."""
    best = compute_optimal(law, budget)
    truth = {"a": law.a, "params": best.params, "loss": best.loss}
    return {
        "law": {each: _rounded(value) for each, value in law.constants.items()},
        "truth": {question.name: _rounded(truth[question.name]) for question in KINDS[kind].numbers},
    }


def _ragged(reason: str, rng: np.random.Generator) -> pd.DataFrame:
    """Sizes and tokens all over the plane, unless there is a reason why not."""
    n = FEW_RUNS if reason == "few_runs" else RUNS
    design = chinchilla_like_design(n, seed=int(rng.integers(2**31)))[["params", "tokens"]]
    if reason == "line":
        return design.assign(tokens=float(_rounded(rng.uniform(8, 40), 2)) * design["params"])
    if reason in ("one_length", "one_size"):
        column = "tokens" if reason == "one_length" else "params"
        return design.assign(**{column: _rounded(design[column].median(), 2)})
    return design


def _groups(law: ChinchillaLaw, reason: str) -> pd.DataFrame:
    """Groups of equal compute about their optima, unless there is a reason why not."""
    budgets = BUDGETS[-1:] if reason == "one_budget" else BUDGETS
    center = np.asarray(compute_optimal(law, budgets).params) / (OFF if reason == "one_side" else 1.0)
    return isoflop_design(budgets, n_sizes=FEW_SIZES if reason == "few_sizes" else SIZES, width=WIDTH, center=center)


def _reference(kind: str, runs: pd.DataFrame, budget: float) -> tuple[bool, dict[str, list[float]]]:
    """Whether the runs identify what is asked, and the careful answers: estimate, low and high by question."""
    return _by_parabolas(runs, budget) if kind == "isoflop" else _by_law(kind, runs, budget)


def _by_law(kind: str, runs: pd.DataFrame, budget: float) -> tuple[bool, dict[str, list[float]]]:
    fit = fit_parametric(runs)
    if fit.status not in ("identified", "at_bound"):
        return False, {}
    rows = fit.certainty(budget).set_index("quantity")
    found = {name: [_rounded(x) for x in rows.loc[name, ["value", "low", "high"]]] for name in ("a", "params", "loss")}
    best = compute_optimal(fit.law, budget)
    asked = {each.name: found[each.name] for each in KINDS[kind].numbers}
    planned = {"plan": [_rounded(best.params), _rounded(best.tokens), *found["params"][1:]]} if kind == "plan" else {}
    return _is_clear(*found["params"]), asked | planned


def _by_parabolas(runs: pd.DataFrame, budget: float) -> tuple[bool, dict[str, list[float]]]:
    try:
        fit = fit_isoflop(runs)
        boot = bootstrap(fit, RESAMPLES)
        a = boot.percentiles(of="a")
        size = boot.percentiles(of=lambda law: compute_optimal(law, budget).params)
        rows = {
            "a": (fit.a, a.low, a.high),
            "params": (float(compute_optimal(fit.law, budget).params), size.low, size.high),
        }
    except FitError:
        return False, {}
    found = {name: [_rounded(float(x)) for x in row] for name, row in rows.items()}
    return bool(np.isfinite(list(found.values())).all()) and _is_clear(*found["params"]), found


def _is_clear(size: float, low: float, high: float) -> bool:
    return high <= CLEAR * size and size <= CLEAR * low


def _audit(name: str, kind: str, noise: float, identified: bool, rng: np.random.Generator) -> Student:
    """A student with three tables of one law, one of which has a fault; the others identify the law together."""
    fault, bad = str(rng.choice([*FAULTS])), int(rng.integers(3))
    for _ in range(TRIES):
        law, tables = secret_law(rng), {}
        for place, letter in enumerate("ABC"):
            design = chinchilla_like_design(AUDITED, seed=int(rng.integers(2**31)))[["params", "tokens"]]
            if fault == "line" and place == bad:
                design = design.assign(tokens=20.0 * design["params"])
            runs = _written(simulate_runs(law, design, noise, seed=int(rng.integers(2**31))))
            tables[letter] = _with_fault(runs, fault, rng) if place == bad else runs
        sound = pd.concat([runs for letter, runs in tables.items() if letter != "ABC"[bad]], ignore_index=True)
        budget = _rounded(REACH * float(sound["flops"].max()), 2)
        told, reference = _by_law(kind, sound, budget)
        if told:
            break
    else:
        raise ValueError(f"with noise of {noise:g} no tables of {TRIES} identify their law: ask for less noise")
    secret = {"identified": True, "verdict": ["ABC"[bad], fault], "reference": reference, **_true(kind, law, budget)}
    return Student(name, {f"table_{letter}.csv": runs for letter, runs in tables.items()}, budget, secret)


def _with_fault(runs: pd.DataFrame, fault: str, rng: np.random.Generator) -> pd.DataFrame:
    some = np.sort(rng.choice(len(runs), len(runs) // 5, replace=False))
    if fault == "repeated":
        return pd.concat([runs, runs.iloc[some]]).sample(frac=1, random_state=int(rng.integers(2**31)))
    factor = np.ones(len(runs))
    if fault == "units":
        factor[some] = BITS
    elif fault == "diverged":
        factor[some] = rng.uniform(*LOST, len(some))
    return runs.assign(loss=np.round(runs["loss"] * factor, DECIMALS))


def _written(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs as a file has them: whole counts, losses of four decimals, compute that is 6 N D of these."""
    whole = {name: np.round(runs[name]).astype("int64") for name in ("params", "tokens")}
    loss = np.round(runs["loss"], DECIMALS)
    shown = pd.DataFrame(whole).assign(loss=loss)
    shown["flops"] = 6.0 * shown["params"] * shown["tokens"]
    return shown if "budget" not in runs else shown.assign(budget=runs["budget"].to_numpy())


def _rounded(value: Any, digits: int = DIGITS) -> float:
    return float(f"{float(value):.{digits}g}")


def key_of(text: Mapping[str, Any]) -> Mapping[str, Any]:
    """A key that was read from JSON; ``ValueError`` says what is missing in it."""
    if not isinstance(text, Mapping) or text.get("kind") not in KINDS or not isinstance(text.get("students"), Mapping):
        raise ValueError("this is no key of an assignment: it has no kind and no students")
    shared = text.get("shared")
    if not isinstance(shared, list) or not all(
        isinstance(each, Mapping) and {"right", "choices", "why"} <= set(each) for each in shared
    ):
        raise ValueError("the key lacks the questions to the whole class: make the class again")
    own = {"verdict"} if text["kind"] == "audit" else {"why"}
    for name, about in text["students"].items():
        if not isinstance(about, Mapping) or not own | {"identified", "truth", "reference", "budget", "law"} <= set(
            about
        ):
            raise ValueError(
                f"the key of {name} lacks something: make the class again, or take the key that belongs to it"
            )
    return text

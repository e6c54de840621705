"""Are the marks of an assignment fair? Classes of simulated students of five kinds, ranked by their mean marks.

``python benchmarks/assignments.py --classes 100`` says in how many classes the order is exact, careful, careless,
copying, guessing, and which pair fails in the others; how many of the copying students are named with their neighbour;
and how many others are. ``--first 1000`` takes other seeds.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

import scaling
from scaling.course.assignments.answers import Answers
from scaling.course.assignments.classes import Class, Student, make_class
from scaling.course.assignments.copying import neighbours
from scaling.course.assignments.marking import mark
from scaling.course.assignments.questions import FAULTS, KINDS
from scaling.course.assignments.shared import line

SORTS = ("exact", "careful", "careless", "copying", "guessing")


#: how often a sort answers rightly what is asked in a word or a letter; otherwise it draws an answer
KNOWS = {"exact": 1.0, "careful": 0.95, "careless": 0.7, "guessing": 0.0}


def answers_of(
    sort: str, student: Student, neighbour: Student, made: Class, rng: np.random.Generator
) -> dict[str, Any]:
    """What a student of a sort answers; a copying one all that a careful neighbour does."""
    if sort == "copying":
        return answers_of("careful", neighbour, neighbour, made, rng)
    shared = {
        line(number): about["right"] if rng.random() < KNOWS[sort] else str(rng.choice([*about["choices"]]))
        for number, about in enumerate(made.shared, 1)
    }
    return shared | _of_own(sort, student, made.kind, rng)


def _of_own(sort: str, student: Student, kind: str, rng: np.random.Generator) -> dict[str, Any]:
    secret, values = student.secret, _verdict(sort, student, rng) if kind == "audit" else {}
    if sort == "guessing":
        size = np.sqrt(student.budget / 120) * 10 ** rng.uniform(-1, 1)
        a, loss = rng.uniform(0.3, 0.7), rng.uniform(1.5, 3.5)
        rows = {
            "a": (a, a - 0.1, a + 0.1),
            "params": (size, size / 3, 3 * size),
            "loss": (loss, loss - 0.3, loss + 0.3),
        }
        told, plan = str(rng.choice(["yes", "no"])), (size, student.budget / 6 / size)
    elif sort == "careless":
        rows, told, plan = _careless(student, kind, values)
    elif not secret["identified"]:
        return {"identified": "no", "reason": secret["why"]}
    elif sort == "exact":
        rows = {name: (t, 0.999 * t, 1.001 * t) for name, t in secret["truth"].items()}
        best = scaling.compute_optimal(scaling.ChinchillaLaw(**secret["law"]), student.budget)
        told, plan = "yes", (best.params, best.tokens)
    elif kind == "audit" and values["table"] != secret["verdict"][0]:
        certain = scaling.fit_parametric(_runs(student, values)).certainty(student.budget).set_index("quantity")
        rows = {name: tuple(certain.loc[name, ["value", "low", "high"]]) for name in secret["truth"]}
        told, plan = "yes", (1.0, 1.0)
    else:
        rows = {name: tuple(row) for name, row in secret["reference"].items() if name != "plan"}
        told, plan = "yes", secret["reference"].get("plan", (1.0, 1.0))
    values |= {"identified": told} if KINDS[kind].status else {}
    if sort == "guessing" and values.get("identified") == "no":
        return values | {"reason": str(rng.choice(KINDS[kind].why))}
    for question in KINDS[kind].numbers:
        values |= {name: float(f"{x:.4g}") for name, x in zip(question.lines, rows[question.name], strict=True)}
    if KINDS[kind].plan:
        values |= {"params": float(f"{plan[0]:.4g}"), "tokens": float(f"{plan[1]:.4g}")}
    return values


def _runs(student: Student, values: Mapping[str, Any]) -> pd.DataFrame:
    """The student's runs; of an audit's tables those that the student holds for sound."""
    kept = [runs for name, runs in student.tables.items() if name != f"table_{values.get('table')}.csv"]
    return pd.concat(kept, ignore_index=True)


def _careless(
    student: Student, kind: str, values: Mapping[str, Any]
) -> tuple[dict[str, tuple[float, ...]], str, tuple[float, float]]:
    """A fit by the mean of squares to a part of the runs, with an interval of two per cent either way."""
    runs = _runs(student, values)
    try:
        if kind == "isoflop":
            law: Any = scaling.fit_isoflop(runs.iloc[:-9]).law
        else:
            law = scaling.fit_parametric(runs.iloc[::2], objective="log_squares").candidate
        best = scaling.compute_optimal(law, student.budget)
        found = {"a": float(law.a), "params": float(best.params), "loss": float(best.loss or np.nan)}
        plan = float(best.params), float(best.tokens)
    except (scaling.FitError, ValueError, TypeError):
        size = float(np.sqrt(student.budget / 120))
        found, plan = {"a": 0.5, "params": size, "loss": 2.2}, (size, 20 * size)
    return {name: (x, 0.98 * x, 1.02 * x) for name, x in found.items()}, "yes", plan


def _verdict(sort: str, student: Student, rng: np.random.Generator) -> dict[str, Any]:
    table, fault = student.secret["verdict"]
    if rng.random() >= KNOWS[sort]:
        table, fault = str(rng.choice(list("ABC"))), str(rng.choice([*FAULTS]))
    elif sort == "careless" and rng.random() < 0.5:
        fault = str(rng.choice([*FAULTS]))
    return {"table": table, "reason": fault}


def marked(made: Class, seed: int) -> pd.DataFrame:
    """The marks of a class of equal numbers of each sort, and who was named."""
    rng, key = np.random.default_rng([seed, 7]), made.key()
    sorts = [SORTS[number % len(SORTS)] for number in range(len(made.students))]
    given = {
        student.name: Answers(student.name, answers_of(sort, student, made.students[number - 2], made, rng))
        for number, (sort, student) in enumerate(zip(sorts, made.students, strict=True))
    }
    told = neighbours(key, given)
    rows = [
        {
            "sort": sort,
            "total": mark(made.kind, key["students"][name], given[name], made.shared).total,
            "named": name in told,
        }
        for sort, name in zip(sorts, given, strict=True)
    ]
    return pd.DataFrame(rows)


def study(kind: str, n_classes: int, first: int = 0, n_students: int = 30) -> Mapping[str, Any]:
    """Shares over classes of seeds from the first on, and how often each pair of neighbours in the order fails."""
    ranked, failed, means, copied, others = 0, dict.fromkeys(SORTS[1:], 0), [], [], []
    for seed in range(first, first + n_classes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = marked(make_class(n_students, kind, seed=seed), seed)
        mean = table.groupby("sort")["total"].mean()[list(SORTS)]
        falls = mean.diff().dropna() < 0
        falls["careful"] |= mean["careful"] == mean["exact"]  # both may have all points
        ranked += bool(falls.all())
        for sort in falls.index[~falls]:
            failed[sort] += 1
        means.append(mean)
        copied.append(table.loc[table["sort"] == "copying", "named"].mean())
        others.append(table[table["sort"] != "copying"].groupby("sort")["named"].mean())
    mean = pd.DataFrame(means).mean().round(1).to_dict()
    return {
        "ranked": ranked,
        "failed": {f"{better} over {sort}": failed[sort] for better, sort in pairwise(SORTS) if failed[sort]},
        "classes": n_classes,
        "means": mean,
        "copying named": np.mean(copied),
        "others": pd.DataFrame(others).mean().round(4).to_dict(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first class; the others follow")
    parser.add_argument("--kind", choices=KINDS, action="append")
    arguments = parser.parse_args()
    for kind in arguments.kind or KINDS:
        found = study(kind, arguments.classes, arguments.first)
        share = found["ranked"] / arguments.classes
        error = np.sqrt(share * (1 - share) / arguments.classes)
        print(
            f"{kind}: in order {found['ranked']} of {arguments.classes} (± {error:.3f}), failing {found['failed']}; "
            f"{found['means']}; copying named {found['copying named']:.3f}, others {found['others']}",
            flush=True,
        )


if __name__ == "__main__":
    main()

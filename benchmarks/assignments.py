"""Are the marks of an assignment fair? Classes of simulated students of five kinds, ranked by their mean marks.

``python benchmarks/assignments.py --classes 100`` says in how many classes the order is exact, careful, careless,
copying, guessing; how many of the copying students are named with their neighbour; and how many others are.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import scaling
from scaling.course.assignments.answers import Answers
from scaling.course.assignments.classes import Class, Student, make_class
from scaling.course.assignments.copying import neighbours
from scaling.course.assignments.marking import mark
from scaling.course.assignments.questions import FAULTS, KINDS

SORTS = ("exact", "careful", "careless", "copying", "guessing")


def answers_of(sort: str, student: Student, neighbour: Student, kind: str, rng: np.random.Generator) -> dict[str, Any]:
    """What a student of a sort answers."""
    if sort == "copying":
        return answers_of("careful", neighbour, neighbour, kind, rng)
    if kind == "audit":
        return _verdict(sort, student, rng)
    secret = student.secret
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
        rows, told, plan = _careless(student, kind)
    elif not secret["identified"]:
        return {"identified": "no", "reason": secret["why"]}
    elif sort == "exact":
        rows = {name: (t, 0.999 * t, 1.001 * t) for name, t in secret["truth"].items()}
        best = scaling.compute_optimal(scaling.ChinchillaLaw(**secret["law"]), student.budget)
        told, plan = "yes", (best.params, best.tokens)
    else:
        rows = {name: tuple(row) for name, row in secret["reference"].items() if name != "plan"}
        told, plan = "yes", secret["reference"].get("plan", (1.0, 1.0))
    values: dict[str, Any] = {"identified": told}
    if sort == "guessing" and told == "no":
        return values | {"reason": str(rng.choice(KINDS[kind].why))}
    for question in KINDS[kind].numbers:
        values |= {line: float(f"{x:.4g}") for line, x in zip(question.lines, rows[question.name], strict=True)}
    if KINDS[kind].plan:
        values |= {"params": float(f"{plan[0]:.4g}"), "tokens": float(f"{plan[1]:.4g}")}
    return values


def _careless(student: Student, kind: str) -> tuple[dict[str, tuple[float, ...]], str, tuple[float, float]]:
    """A fit by the mean of squares to a part of the runs, with an interval of two per cent either way."""
    runs = student.tables["runs.csv"].iloc[::2]
    try:
        if kind == "isoflop":
            law: Any = scaling.fit_isoflop(student.tables["runs.csv"].iloc[:-9]).law
        else:
            law = scaling.fit_parametric(runs, objective="log_squares").candidate
        best = scaling.compute_optimal(law, student.budget)
        found = {"a": float(law.a), "params": float(best.params), "loss": float(best.loss or np.nan)}
        plan = float(best.params), float(best.tokens)
    except (scaling.FitError, ValueError, TypeError):
        size = float(np.sqrt(student.budget / 120))
        found, plan = {"a": 0.5, "params": size, "loss": 2.2}, (size, 20 * size)
    return {name: (x, 0.98 * x, 1.02 * x) for name, x in found.items()}, "yes", plan


def _verdict(sort: str, student: Student, rng: np.random.Generator) -> dict[str, Any]:
    table, fault = student.secret["verdict"]
    right = {"exact": 1.0, "careful": 0.95, "careless": 0.7, "guessing": 0.0}[sort]
    if rng.random() >= right:
        table, fault = str(rng.choice(list("ABC"))), str(rng.choice([*FAULTS]))
    elif sort == "careless" and rng.random() < 0.5:
        fault = str(rng.choice([*FAULTS]))
    return {"table": table, "reason": fault}


def marked(made: Class, seed: int) -> pd.DataFrame:
    """The marks of a class of equal numbers of each sort, and who was named."""
    rng, key = np.random.default_rng([seed, 7]), made.key()
    sorts = [SORTS[number % len(SORTS)] for number in range(len(made.students))]
    given = {
        student.name: Answers(student.name, answers_of(sort, student, made.students[number - 2], made.kind, rng))
        for number, (sort, student) in enumerate(zip(sorts, made.students, strict=True))
    }
    told = neighbours(key, given)
    rows = [
        {"sort": sort, "total": mark(made.kind, key["students"][name], given[name]).total, "named": name in told}
        for sort, name in zip(sorts, given, strict=True)
    ]
    return pd.DataFrame(rows)


def study(kind: str, n_classes: int, n_students: int = 30) -> Mapping[str, Any]:
    """Shares over classes."""
    ranked, apart, means, copied, others = 0, 0, [], [], []
    for seed in range(n_classes):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = marked(make_class(n_students, kind, seed=seed), seed)
        mean = table.groupby("sort")["total"].mean()[list(SORTS)]
        falls = mean.diff().dropna() < 0
        falls["careful"] |= mean["careful"] == mean["exact"]  # both may have all points
        ranked += bool(falls.all())
        apart += bool(falls.drop("guessing").all() and mean["guessing"] < mean["careless"])
        means.append(mean)
        copied.append(table.loc[table["sort"] == "copying", "named"].mean())
        others.append(table[table["sort"] != "copying"].groupby("sort")["named"].mean())
    mean = pd.DataFrame(means).mean().round(1).to_dict()
    return {
        "ranked": ranked,
        "apart": apart,
        "classes": n_classes,
        "means": mean,
        "copying named": np.mean(copied),
        "others": np.mean(others),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--kind", choices=KINDS, action="append")
    arguments = parser.parse_args()
    for kind in arguments.kind or KINDS:
        found = study(kind, arguments.classes)
        error = np.sqrt(0.05 * 0.95 / arguments.classes)
        shares = f"copying named {found['copying named']:.3f}, others {found['others']}"
        order = (
            f"in order {found['ranked']}, but for the last two {found['apart']} of {found['classes']} (± {error:.2f})"
        )
        print(f"{kind}: {order}; {found['means']}; {shares}", flush=True)


if __name__ == "__main__":
    main()

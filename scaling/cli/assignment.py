"""``scaling assignment``: a table of their own for each student, and marks for what they say of it."""

from __future__ import annotations

import os
import secrets
import shutil
from datetime import datetime
from pathlib import Path

import click

from .command import BROKEN, Command, Refusal, terminable
from .folder import need, place_of, unchanged
from .writing import write_whole

KINDS = ("fit", "isoflop", "plan", "audit")


@click.group("assignment")
def command() -> None:
    """Give each student a table of their own, drawn from a secret law, and mark what they say of it.

    Example: scaling assignment new --students 30 --kind fit --out homework
    """


@command.command("new", cls=Command)
@click.option("--students", type=click.IntRange(1, 2_000), required=True, help="How many.")
@click.option("--kind", type=click.Choice(KINDS), default="fit", show_default=True, help="What they are to do.")
@click.option("--noise", type=click.FloatRange(0, 0.2), default=0.006, show_default=True, help="Of ln loss.")
@click.option("--seed", type=click.IntRange(0), help="The same seed, the same class; by default one that nobody knows.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
def new(students: int, kind: str, noise: float, seed: int | None, out: Path) -> None:
    """Make a class: OUT/students is handed out, OUT/key.json stays with you.

    Each student gets runs of a law of their own, a sheet with the questions, and a file of lines to fill in. One table
    in fifteen does not identify its law: there the right answer is to say so. (In an audit, one of three tables cannot
    be trusted.) Five questions on the method are the same for the whole class, which may answer them together.

    Example: scaling assignment new --students 30 --kind fit --out homework
    """
    need(["yaml"], "course")
    from ..book.staging import staged
    from ..course.assignments.classes import make_class
    from ..course.assignments.folders import KEY, STUDENTS, write_class

    target = place_of(out)
    with unchanged(target, "class"), terminable(), staged(target, False, "class") as (result, _):
        try:
            made = make_class(students, kind, noise, secrets.randbits(63) if seed is None else seed)
        except ValueError as error:
            raise Refusal(str(error)) from None
        write_class(made, result)
    hidden = sum(not each.secret["identified"] for each in made.students)
    about = (
        "of the three tables of each one cannot be trusted" if kind == "audit" else f"{hidden} tables identify nothing"
    )
    click.echo(f"{students} students, {kind}; {about}.")
    click.echo(f"Hand out {target / STUDENTS}; keep {target / KEY} to yourself.")


@command.command("mark", cls=Command)
@click.argument("key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("answers", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The table of marks to write, CSV.")
@click.option("--due", type=click.DateTime(), help="Files saved later are called late, such as 2027-03-01T12:00:00.")
def mark(key: Path, answers: Path, out: Path, due: datetime | None) -> None:
    """Mark the answer files in a folder with the KEY of their class.

    Writes a table, a row a student, and beside it a folder of pages, one for each student to read. Nothing that is
    there already is overwritten.

    Example: scaling assignment mark homework/key.json answers -o marks.csv
    """
    from ..book.staging import staged
    from ..course.assignments.folders import mark_all, read_key

    target = place_of(out)
    if os.path.lexists(target):
        raise Refusal(f"{target} is there already: name another, or move it away", BROKEN)
    if not target.parent.is_dir():
        raise Refusal(f"there is no folder {target.parent} to put {target.name} in", BROKEN)
    marks, pages = mark_all(read_key(key), answers, None if due is None else due.timestamp())
    pages_at = target.with_name(f"{target.stem}_feedback")
    with unchanged(pages_at, "feedback"), terminable(), staged(pages_at, False, "feedback") as (result, _):
        for name, page in pages.items():
            (result / f"{name}.md").write_text(page, encoding="utf-8")
    try:
        write_whole(target, marks.to_csv(index=False, lineterminator="\n"))
    except BaseException:
        shutil.rmtree(pages_at)
        raise
    of_students = marks[marks["student"] != ""]
    middle = of_students["total"].median()
    click.echo(f"{len(of_students)} students, in the middle {middle:g} of 100 points.")
    for row in marks[(marks["remarks"] != "") | (marks["ask"] != "")].itertuples():
        click.echo(f"  {row.student or row.file}: {'; '.join(filter(None, (row.ask, row.remarks)))}")
    click.echo(f"Marks are in {target}, pages for the students in {pages_at}.")

"""``scaling course``: notebooks, slides, figures, data and handouts for a course, from the chapters."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ..book.chapters import Chapter
from ..book.staging import staged
from ..course.lectures import Lecture, lectures
from ..sources.files import chapter_files
from .command import Command, terminable
from .folder import need, place_of, unchanged

#: what a kit is made with
NEEDED = ["papermill", "ipykernel", "yaml", "math_core", "markdown_it", "mdit_py_plugins", "pybtex", "pygments"]
NEEDED += ["sphinx", "sphinx_revealjs"]


@click.command("course", cls=Command)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option("--chapters", "wanted", metavar="06,07,...", help="Only these chapters, by number.")
@click.option("--lecture", "numbers", type=int, multiple=True, help="What this lecture needs, by its number; repeat.")
@click.option("--title", default="Scaling laws, recomputed", show_default=True, help="The name of your course.")
@click.option("--term", default="", help="When it is held, such as 'Spring 2027'.")
@click.option("--stored", is_flag=True, help="Execute nothing: figures are the pictures that the notebooks store.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Chapters run at the same time.")
@click.option("--force", is_flag=True, help="Replace an earlier kit at DIR, when the new one is complete.")
@click.option("--open", "show", is_flag=True, help="Open the kit in a browser.")
def command(
    out: Path,
    wanted: str | None,
    numbers: tuple[int, ...],
    title: str,
    term: str,
    stored: bool,
    workers: int,
    force: bool,
    show: bool,
) -> None:
    """Make a kit for a course: notebooks, slides, figures, data and handouts.

    Students' notebooks have an answer cell in the place of each solution, and a cell that checks what is computed;
    the whole ones lie beside them. Slides are shown in any browser, without a network, with notes for the speaker
    (press S), which have the run sheet's questions. Each chapter has slides, and each lecture whose chapters are all in
    the kit; what is read at home before a lecture or after it is there as notebooks. Figures are drawn anew, as
    SVG and PDF, which takes some seconds a chapter; all else is made of what the notebooks store.

    The kit appears only when it is complete: interrupt this, and what stood at DIR stands there still.

    Example: scaling course --out kit --lecture 2 --title 'Language models' --term 'Spring 2027'
    """
    need(NEEDED, "course")
    from ..course.deck import Course  # these import what was just asked for
    from ..course.kit import Kit

    given = _lectures(numbers)
    chapters = _chosen(wanted, given)
    held = {each.number for each in chapters}
    taught = [each for each in given or lectures() if held.issuperset(each.chapters)]
    target, started = place_of(out), time.monotonic()
    kit = Kit(chapters, _to_read(taught, held), taught, Course(title, term), 0 if stored else workers)
    with unchanged(target, "kit"), terminable(), staged(target, force, "kit") as (result, _):
        summary = kit.write(result, lambda words: click.echo(f"  {words} ...", err=True))
    for about in summary["slides"].values():
        click.echo(f"{about['slides']:4d} slides  {about['title']}")
    click.echo(f"{len(chapters)} chapters, {len(summary['figures'])} figures, in {time.monotonic() - started:.0f} s.")
    click.echo(f"Open {target / 'index.html'}")
    if show:
        click.launch((target / "index.html").as_uri())


def _lectures(numbers: tuple[int, ...]) -> list[Lecture]:
    known = {each.number: each for each in lectures()}
    for number in numbers:
        if number not in known:
            told = "; ".join(f"{each.number}, {each.title}" for each in known.values())
            raise click.UsageError(f"there is no lecture {number}; these there are: {told}")
    return [known[number] for number in sorted(set(numbers))]


def _to_read(taught: list[Lecture], held: set[str]) -> list[Chapter]:
    """What students read at home before these lectures and after them, beyond the chapters that the kit has.

    A package that was installed without the project's folder has no replications, and leaves them out.
    """
    folder = chapter_files()[0].parent
    near = {number for each in taught for number in (each.number - 1, each.number)}
    wanted = dict.fromkeys(name for each in lectures() if each.number in near for name in each.reading)
    paths = [folder / f"{name}.ipynb" for name in wanted]
    return [Chapter(path) for path in paths if path.is_file() and path.name[:2] not in held]


def _chosen(wanted: str | None, given: list[Lecture]) -> list[Chapter]:
    """The chapters asked for by number or by lecture, in the book's order; all, if nothing is asked for."""
    known = {path.name[:2]: Chapter(path) for path in chapter_files()}
    numbers = {number for each in given for number in each.chapters}
    for name in map(str.strip, wanted.split(",")) if wanted is not None else ():
        number = name.zfill(2) if name else name
        if number not in known:
            raise click.UsageError(f"there is no chapter {name!r}; these there are: {', '.join(known)}")
        numbers.add(number)
    return [known[number] for number in sorted(numbers)] if numbers else list(known.values())

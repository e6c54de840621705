"""``scaling rerun``: the chapters of the book on one's own runs, as a book."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click

from .._words import to_json
from ..book.chapters import FAILED, Chapter, chapters_on_runs
from ..book.make import Making, as_table
from ..book.staging import staged
from .command import BROKEN, Command, Refusal, terminable
from .folder import need, place_of, unchanged
from .options import runs_options
from .quantity import Compute, Quantity
from .reading import read_runs

#: what can be asked by -p: its kind of number, and its meaning
ASKED = {
    "flops": (Compute(), "the training budget, in FLOPs"),
    "inference_tokens": (Quantity(zero=True), "the tokens that the model will read and write in its life"),
}
NEEDED = ("papermill", "ipykernel", "jupyter_book", "math_core", "sympy")


@click.command("rerun", cls=Command)
@click.argument("tables", nargs=-1, required=True, metavar="RUNS.csv ...")
@runs_options
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option("--force", is_flag=True, help="Replace an earlier book at DIR, when the new one is complete.")
@click.option("--chapters", "wanted", metavar="05,06,...", help="Only these chapters, by number.")
@click.option(
    "-p",
    "given",
    multiple=True,
    metavar="NAME=NUMBER",
    help="What is asked: flops=1e24, the training budget, or inference_tokens=1e13, what the model will serve; repeat.",
)
@click.option("--flops", type=Compute(), help="The training budget, FLOPs or '100 PF-days': the same as -p flops=.")
@click.option("--inference-tokens", type=Quantity(zero=True), help="The same as -p inference_tokens=.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Chapters run at the same time.")
@click.option("--resamples", type=click.IntRange(2), help="Of every bootstrap; default: as each chapter has it.")
@click.option("--backend", type=click.Choice(["loky", "dask"]), help="Spread the work over processes or a cluster.")
@click.option("--scheduler", metavar="ADDRESS", help="Of the Dask cluster, such as tcp://10.0.0.1:8786.")
@click.option("--open", "show", is_flag=True, help="Open the book in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(
    tables: tuple[str, ...],
    reading: dict[str, Any],
    out: Path,
    force: bool,
    wanted: str | None,
    given: tuple[str, ...],
    flops: float | None,
    inference_tokens: float | None,
    workers: int,
    resamples: int | None,
    backend: str | None,
    scheduler: str | None,
    show: bool,
    as_json: bool,
) -> None:
    """Run the chapters on your runs and build a book of them.

    A chapter that your table does not allow says so on its page; one that fails is shown with its cell and error,
    and the others go on. The book is DIR/index.html, needs no network, and appears only when it is complete:
    interrupt this, and what stood at DIR stands there still. Several tables make a book each, DIR/NAME, and a page that
    sets them side by side.

    Its first page is a report: what to train with a budget, how sure that is, what to distrust, and which runs to add.
    The budget is ten times the compute of the most expensive run, unless --flops names another; the chapters that
    take a budget follow it.

    On a Dask cluster the numbers are the same to the last bit, and what a lost worker had to do is done by another.

    Example: scaling rerun my_runs.csv --out my_book --flops 1e24
    """
    if (backend == "dask") != (scheduler is not None):
        raise click.UsageError("--backend dask and --scheduler ADDRESS go together")
    need(NEEDED, "book")
    need({"loky": ["joblib"], "dask": ["distributed"]}.get(backend, []), "cluster")
    chapters, parameters = _chosen(wanted), _parameters(given, flops=flops, inference_tokens=inference_tokens)
    # a table that cannot be used stops all, before any work
    read = {name: as_table(read_runs(source, reading)) for name, source in zip(_names(tables), tables, strict=True)}
    target = place_of(out)
    for source in tables:
        table = Path(source).resolve()
        if table.is_relative_to(target):
            raise Refusal(f"{source} lies inside {target}, which the book would replace: choose another folder")
        if table.is_dir() and target.is_relative_to(table):
            raise Refusal(f"{target} lies inside the table {source}, which is never changed: choose another folder")
    with unchanged(target, "book"), terminable(), staged(target, force) as (result, work), _client(scheduler):
        making = Making(read, chapters, result, work, resamples, backend, workers, parameters)
        summaries = making.all_books()
    failed = [each for summary in summaries.values() for each in summary["chapters"] if each["outcome"] == FAILED]
    if as_json:
        click.echo(to_json(summaries if len(tables) > 1 else next(iter(summaries.values()))))
    else:
        click.echo(f"Open {target / 'index.html'}")
    if show:
        click.launch((target / "index.html").as_uri())
    if failed:
        told = "\n".join(f"  {each['chapter']}, cell {each['cell']}: {each['error']}" for each in failed)
        raise Refusal(f"{len(failed)} of the chapters failed; the book has all others.\n{told}", BROKEN)


def _chosen(wanted: str | None) -> list[Chapter]:
    known = {chapter.number: chapter for chapter in chapters_on_runs()}
    if wanted is None:
        return list(known.values())
    numbers = [each.strip().zfill(2) for each in wanted.split(",")]
    for number in numbers:
        if number not in known:
            raise click.UsageError(f"no chapter {number} takes a table of runs; these do: {', '.join(known)}")
    return [known[number] for number in sorted(set(numbers))]


def _parameters(given: tuple[str, ...], **options: float | None) -> dict[str, float]:
    """What is asked, by name, of -p and of options; refused where it is no number, or a name that nothing takes."""
    asked = {name: value for name, value in options.items() if value is not None}
    for each in given:
        name, sign, number = (part.strip() for part in each.partition("="))
        if name not in ASKED:
            known = " and ".join(f"{known} ({meaning})" for known, (_, meaning) in ASKED.items())
            raise click.UsageError(f"-p {each}: nothing takes a {name!r}; these can be asked: {known}")
        if name in asked:
            raise click.UsageError(f"-p {name} is given twice")
        if not sign or not number:
            raise click.UsageError(f"-p {each}: write {name}= and a number, such as {name}=1e24")
        kind, _ = ASKED[name]
        try:
            asked[name] = kind.convert(number, None, None)
        except click.BadParameter as error:
            raise click.UsageError(f"-p {name}: {error.message}") from None
    return asked


def _names(tables: tuple[str, ...]) -> list[str]:
    """A folder's name for each table: its own, made plain, and unlike the others."""
    names: list[str] = []
    for source in tables:
        stem = re.sub(r"[^\w.-]+", "_", os.path.splitext(Path(source).name)[0]).strip("._") or "table"
        same = sum(name == stem or name.startswith(f"{stem}-") for name in names)
        names.append(f"{stem}-{same + 1}" if same else stem)
    return names


def _client(scheduler: str | None) -> AbstractContextManager[Any]:
    if scheduler is None:
        return nullcontext()
    from .._parallel.cluster import connected

    return connected(scheduler)

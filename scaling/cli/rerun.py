"""``scaling rerun``: the chapters of the book on one's own runs, as a book."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pandas as pd
from tqdm import tqdm

from .._parallel import spread
from .._tables import LIMITS
from ._chapters import FAILED, Chapter, Outcome, chapters_on_runs, execute, stop_all
from ._command import FAILED as EXIT_FAILED
from ._command import Command, Refusal, to_json
from ._pages import write_sources
from ._runs import read_runs, runs_options
from ._sphinx import complaints_of, copy_mathjax, run_sphinx, what_failed
from ._stage import MARK, staged
from ._summary import front_page, index_of_books, summarise

#: resamples behind the intervals of the summary
RESAMPLES = 1000
#: what a chapter may need of a table; other columns do not go into the book
COLUMNS = (*LIMITS, "run", "seed")
NEEDED = ("papermill", "ipykernel", "jupyter_book", "mathjax", "sympy")
#: a name of a run that stands on at least this many rows, of one size and of different lengths, is that of a curve
CURVE_POINTS = 20


@click.command(cls=Command)
@click.argument("tables", nargs=-1, required=True, metavar="RUNS.csv ...")
@runs_options
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option("--force", is_flag=True, help="Replace an earlier book at DIR, when the new one is complete.")
@click.option("--chapters", "wanted", metavar="05,06,...", help="Only these chapters, by number.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Chapters run at the same time.")
@click.option("--resamples", type=click.IntRange(2), help="Of every bootstrap; default: as each chapter has it.")
@click.option("--backend", type=click.Choice(["loky", "dask"]), help="Spread the work by joblib instead.")
@click.option("--scheduler", metavar="ADDRESS", help="Of the Dask cluster, such as tcp://10.0.0.1:8786.")
@click.option("--open", "show", is_flag=True, help="Open the book in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def rerun(
    tables: tuple[str, ...],
    reading: dict[str, Any],
    out: Path,
    force: bool,
    wanted: str | None,
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
    interrupt this, and what stood at DIR stands there still. Several tables make a book each, DIR/NAME.

    Example: scaling rerun my_runs.csv --out my_book
    """
    if (backend == "dask") != (scheduler is not None):
        raise click.UsageError("--backend dask and --scheduler ADDRESS go together")
    _need(NEEDED, "book")
    _need({"loky": ["joblib"], "dask": ["joblib", "distributed"]}.get(backend, []), "cluster")
    chapters = _chosen(wanted)
    # a table that cannot be used stops all, before any work
    read = {name: _as_table(read_runs(source, **reading)) for name, source in zip(_names(tables), tables, strict=True)}
    target = out.expanduser().resolve()
    for source in tables:
        if Path(source).resolve().is_relative_to(target):
            raise Refusal(f"{source} lies inside {target}, which the book would replace: choose another folder")
    with _terminable(), staged(target, force) as (result, work), _client(scheduler):
        summaries = _Making(read, chapters, result, work, resamples, backend, workers).all_books()
    failed = [each for summary in summaries.values() for each in summary["chapters"] if each["outcome"] == FAILED]
    if as_json:
        click.echo(to_json(summaries if len(tables) > 1 else next(iter(summaries.values()))))
    else:
        click.echo(f"Open {target / 'index.html'}")
    if show:
        click.launch((target / "index.html").as_uri())
    if failed:
        told = "\n".join(f"  {each['chapter']}, cell {each['cell']}: {each['error']}" for each in failed)
        raise Refusal(f"{len(failed)} of the chapters failed; the book has all others.\n{told}", EXIT_FAILED)


@dataclass(frozen=True)
class _Table:
    """A table of runs, and its training curves where it has them."""

    runs: pd.DataFrame
    curves: pd.DataFrame | None

    def for_chapter(self, chapter: Chapter) -> dict[str, str]:
        """CSV by parameter; the chapter on training curves gets them in the place of the runs."""
        if self.curves is None:
            return {"runs_file": _plain_csv(self.runs)}
        if "curves_file" in chapter.parameters:
            return {"runs_file": _plain_csv(self.runs), "curves_file": _plain_csv(self.curves)}
        return {"runs_file": _plain_csv(self.curves if chapter.name.endswith("_envelope") else self.runs)}


def _need(modules: Iterable[str], extra: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise Refusal(f"this needs {', '.join(missing)}: pip install 'scaling[{extra}]'", EXIT_FAILED)


def _chosen(wanted: str | None) -> list[Chapter]:
    known = {chapter.number: chapter for chapter in chapters_on_runs()}
    if wanted is None:
        return list(known.values())
    numbers = [each.strip().zfill(2) for each in wanted.split(",")]
    for number in numbers:
        if number not in known:
            raise click.UsageError(f"no chapter {number} takes a table of runs; these do: {', '.join(known)}")
    return [known[number] for number in sorted(set(numbers))]


def _names(tables: tuple[str, ...]) -> list[str]:
    """A folder's name for each table: its own, made plain, and unlike the others."""
    names: list[str] = []
    for source in tables:
        stem = re.sub(r"[^\w.-]+", "_", Path(source).stem).strip("._") or "table"
        same = sum(name == stem or name.startswith(f"{stem}-") for name in names)
        names.append(f"{stem}-{same + 1}" if same else stem)
    return names


def _as_table(runs: pd.DataFrame) -> _Table:
    """Runs and, where a run has many rows of different length, their curves: the runs are then the last points."""
    if "run" not in runs:
        return _Table(runs, None)
    groups = runs.groupby("run")
    rows, tokens = groups.size(), groups["tokens"]
    if rows.median() < CURVE_POINTS or (tokens.nunique() < rows).any() or (groups["params"].nunique() > 1).any():
        return _Table(runs, None)
    final = runs.loc[tokens.idxmax()].sort_index()
    final.attrs = runs.attrs | {"notes": [*runs.attrs["notes"], f"{len(final)} curves: their last points are the runs"]}
    return _Table(final, runs)


def _plain_csv(runs: pd.DataFrame) -> str:
    """Our columns only; labels keep letters, digits and plain signs, so that no page can take them for more."""
    table = runs[[name for name in COLUMNS if name in runs]].copy()
    if "run" in table:
        table["run"] = _plain_labels(table["run"])
    if "seed" in table and not pd.api.types.is_numeric_dtype(table["seed"]):
        table["seed"] = pd.factorize(table["seed"])[0]
    return table.to_csv(index=False)


def _plain_labels(labels: pd.Series) -> pd.Series:
    distinct = pd.Series(labels.dropna().unique(), dtype=object)
    plain = distinct.astype(str).str.replace(r"[^\w .,:;+=()%-]", "_", regex=True).str.strip().str[:60]
    plain = plain.str.replace(r"^[=+-](?!\d)", "_", regex=True)  # a spreadsheet would take it for a formula
    again = plain.groupby(plain).cumcount()
    plain = plain.where(again == 0, plain + " (" + (again + 1).astype(str) + ")")
    return labels.map(dict(zip(distinct, plain, strict=True)))


@contextmanager
def _terminable() -> Iterator[None]:
    """Being told to terminate is an interruption like any other: what was begun is removed."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _client(scheduler: str | None) -> Iterator[None]:
    if scheduler is None:
        yield
        return
    from distributed import Client

    with Client(scheduler, timeout=10):
        yield


@dataclass(frozen=True)
class _Making:
    """The making of the books of some tables, in two folders: one that will be the result, one for the work."""

    tables: dict[str, _Table]  # by the name of the book
    chapters: list[Chapter]
    result: Path
    work: Path
    resamples: int | None
    backend: str | None
    workers: int

    def all_books(self) -> dict[str, Any]:
        """Execute all chapters, then write the books; their summaries by name."""
        outcomes = self._outcomes()
        summaries = {}
        for name, table in self.tables.items():
            single = len(self.tables) == 1
            place = self.result if single else self.result / name
            summaries[name] = self._book(name, table, {each: outcomes[name, each] for each in self.chapters}, place)
        if len(self.tables) > 1:
            (self.result / "index.html").write_text(index_of_books(summaries), encoding="utf-8")
            (self.result / MARK).write_text(to_json(summaries), encoding="utf-8")
        return summaries

    def _outcomes(self) -> dict[tuple[str, Chapter], Outcome]:
        jobs = [(name, chapter) for name in self.tables for chapter in self.chapters]
        outcomes = {}
        with tqdm(total=len(jobs), disable=None, unit="chapter", file=sys.stderr) as bar:
            for job, outcome in self._executed(jobs):
                outcomes[job] = outcome
                bar.update()
                name, chapter = job
                where = chapter.name if len(self.tables) == 1 else f"{name}: {chapter.name}"
                bar.write(f"  {where} {_told(outcome)}", file=sys.stderr)
        return outcomes

    def _executed(self, jobs: list[tuple[str, Chapter]]) -> Iterator[tuple[tuple[str, Chapter], Outcome]]:
        """Outcomes as they come; by threads that wait for processes, or by joblib."""
        items = [self._item(*job) for job in jobs]
        if self.backend is not None:
            yield from zip(jobs, spread(execute, items, self.backend, self.workers), strict=True)
            return
        pool = ThreadPoolExecutor(self.workers)
        try:
            waiting = {pool.submit(execute, *item): job for item, job in zip(items, jobs, strict=True)}
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            pool.shutdown()

    def _item(self, name: str, chapter: Chapter) -> tuple[str, dict[str, str], dict[str, Any], str]:
        few = self.resamples is not None and "n_resamples" in chapter.parameters
        given = {"n_resamples": self.resamples} if few else {}
        scratch = "" if self.backend == "dask" else str(self.work)
        return chapter.text, self.tables[name].for_chapter(chapter), given, scratch

    def _book(self, name: str, table: _Table, outcomes: dict[Chapter, Outcome], place: Path) -> dict[str, Any]:
        """Write one book at a place; its summary."""
        options = {"n_resamples": self.resamples or RESAMPLES, "seed": 0}
        summary = summarise(table.runs, table.curves, options, self.backend)
        summary["chapters"] = [_entry(chapter, outcome) for chapter, outcome in outcomes.items()]
        source, built = self.work / name / "source", self.work / name / "built"
        write_sources(source, front_page(summary, outcomes, table.runs), outcomes, "Scaling laws of your runs")
        code, words = run_sphinx(source, built, strict=False)
        html = built / "_build" / "html"
        if code or not (html / "index.html").is_file():
            raise Refusal(f"the pages could not be written.\n{what_failed(words, source)}", EXIT_FAILED)
        copy_mathjax(html)
        shutil.copytree(html, place, dirs_exist_ok=True)
        (place / "runs.csv").write_text(_plain_csv(table.runs), encoding="utf-8")
        summary["complaints"] = complaints_of(words, source)
        (place / MARK).write_text(to_json(summary), encoding="utf-8")
        return summary


def _told(outcome: Outcome) -> str:
    """One line on a chapter, or the cell and the error at which it stopped."""
    if outcome.kind != FAILED:
        return outcome.kind
    cell = "\n".join(f"    | {line}" for line in outcome.source.splitlines())
    return f"failed in cell {outcome.cell}\n{cell}\n    {outcome.error}: {outcome.message}"


def _entry(chapter: Chapter, outcome: Outcome) -> dict[str, Any]:
    entry = {"chapter": chapter.name, "title": chapter.title, "page": f"notebooks/{chapter.name}.html"}
    entry["outcome"] = outcome.kind
    if outcome.error:
        entry |= {"cell": outcome.cell, "source": outcome.source, "error": f"{outcome.error}: {outcome.message}"}
    return entry

"""The making of a book of one's own runs: tables in, chapters executed, pages out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from .._parallel import spread
from .._words import to_json
from ..errors import PagesError
from ..runs.curves import last_points
from ..runs.nouns import UNIT, Nouns
from ..runs.vocabulary import LIMITS, STANDS_FOR
from .answers import Answers, Question
from .chapters import FAILED, Chapter, Outcome, execute, executing, without_places
from .comparison import common_budget, comparison_page
from .pages import write_sources
from .pictures import draw
from .report import front_page
from .sphinx import complaints_of, run_sphinx, what_failed
from .staging import MARK
from .summary import summarise
from .wording import sentence

#: resamples behind the intervals of the summary
RESAMPLES = 1000
#: what a chapter may need of a table; other columns do not go into the book
COLUMNS = (*LIMITS, "run", "seed", STANDS_FOR)


@dataclass(frozen=True)
class Table:
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


def as_table(runs: pd.DataFrame) -> Table:
    """Runs and, where a run has several rows, their curves: the runs are then the last points."""
    final = last_points(runs)
    if len(final) == len(runs):
        return Table(runs, None)
    note = f"curves: the runs are the last rows of {len(final)} runs, with {len(runs)} rows in all"
    final.attrs = runs.attrs | {"notes": [*runs.attrs["notes"], note]}
    return Table(final, runs)


def _plain_csv(runs: pd.DataFrame) -> str:
    """Our columns only; labels keep letters, digits and plain signs, so that no page can take them for more."""
    table = runs[[name for name in COLUMNS if name in runs]].copy()
    if (nouns := Nouns.of(runs)).measures_otherwise:
        table[UNIT] = nouns.loss
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


@dataclass(frozen=True)
class Making:
    """The making of the books of some tables, in two folders: one that will be the result, one for the work."""

    tables: dict[str, Table]  # by the name of the book
    chapters: list[Chapter]
    result: Path
    work: Path
    resamples: int | None
    backend: str | None
    workers: int
    parameters: dict[str, float] = field(default_factory=dict)  # what the reader asks: see parameters.ASKED

    def all_books(self) -> dict[str, Any]:
        """Execute all chapters, then write the books; their summaries by name."""
        jobs = [(name, chapter) for name in self.tables for chapter in self.chapters]
        with self._executing(jobs) as coming:
            answers = {name: Answers(each.runs, each.curves, self.question) for name, each in self.tables.items()}
            summaries = {name: summarise(each) for name, each in answers.items()}
            compared = _side_by_side(answers)
            pictures = {name: draw(each, summaries[name]["answer"]["kind"]) for name, each in answers.items()}
            outcomes = self._collect(coming, len(jobs))
        for name, summary in summaries.items():
            place = self.result if len(self.tables) == 1 else self.result / name
            told = {each: outcomes[name, each] for each in self.chapters}
            self._write_book(name, summary, told, pictures[name], place)
        if len(self.tables) > 1:
            (self.result / "index.html").write_text(comparison_page(summaries, compared), encoding="utf-8")
            (self.result / MARK).write_text(to_json(summaries), encoding="utf-8")
        return summaries

    @contextmanager
    def _executing(self, jobs: list[tuple[str, Chapter]]) -> Iterator[Iterator[tuple[tuple[str, Chapter], Outcome]]]:
        """Outcomes as they come; from processes of this machine, or by joblib."""
        items = {job: self._item(*job) for job in jobs}
        if self.backend is not None:
            with closing(spread(execute, items.values(), self.backend, self.workers)) as coming:
                yield zip(jobs, coming, strict=True)
            return
        with executing(items, self.workers) as coming:
            yield coming

    def _collect(
        self, coming: Iterator[tuple[tuple[str, Chapter], Outcome]], total: int
    ) -> dict[tuple[str, Chapter], Outcome]:
        """All outcomes, told as they come."""
        outcomes = {}
        with tqdm(total=total, disable=None, unit="chapter", file=sys.stderr) as bar:
            for job, outcome in coming:
                outcomes[job] = outcome
                bar.update()
                name, chapter = job
                where = chapter.name if len(self.tables) == 1 else f"{name}: {chapter.name}"
                bar.write(f"  {where} {_told(outcome)}", file=sys.stderr)
        return outcomes

    def _item(self, name: str, chapter: Chapter) -> tuple[str, dict[str, str], dict[str, Any], str]:
        few = self.resamples is not None and "n_resamples" in chapter.parameters
        given = {"n_resamples": self.resamples} if few else {}
        given |= {key: value for key, value in self.parameters.items() if key in chapter.parameters}
        scratch = "" if self.backend == "dask" else str(self.work)
        return chapter.text, self.tables[name].for_chapter(chapter), given, scratch

    @property
    def question(self) -> Question:
        """What is asked of every table."""
        return Question(**self.parameters, n_resamples=self.resamples or RESAMPLES, backend=self.backend)

    def _write_book(
        self,
        name: str,
        summary: dict[str, Any],
        outcomes: dict[Chapter, Outcome],
        pictures: dict[str, str],
        place: Path,
    ) -> None:
        """Write one book at a place, and complete its summary."""
        table = self.tables[name]
        summary["chapters"] = [_entry(chapter, outcome) for chapter, outcome in outcomes.items()]
        source, built = self.work / name / "source", self.work / name / "built"
        nouns = Nouns.of(table.runs)
        words = f"{sentence(nouns.about())} Where this chapter shows these runs, read it so." if nouns.about() else ""
        words += " Where its text counts in nats, it speaks of runs of the book." if nouns.measures_otherwise else ""
        write_sources(source, front_page(summary, outcomes, table.runs), outcomes, "Scaling laws of your runs", words)
        for file, picture in pictures.items():
            (source / file).write_text(picture, encoding="utf-8")
        (source / MARK).write_text(to_json(summary), encoding="utf-8")
        code, words = run_sphinx(source, built, strict=False)
        html = built / "_build" / "html"
        if code or not (html / "index.html").is_file():
            raise PagesError(f"the pages could not be written.\n{what_failed(words, source)}")
        shutil.copytree(html, place, dirs_exist_ok=True)
        (place / "runs.csv").write_text(_plain_csv(table.runs), encoding="utf-8")
        summary["complaints"] = [without_places(each, source) for each in complaints_of(words, source)]
        (place / MARK).write_text(to_json(summary), encoding="utf-8")


def _side_by_side(answers: dict[str, Answers]) -> dict[str, dict[str, Any]]:
    """What several tables answer at one budget; nothing of a single one."""
    if len(answers) == 1:
        return {}
    flops = common_budget(answers)
    asked = {name: each.question.flops is not None for name, each in answers.items()}
    return {name: each.at(flops).brief() | {"asked": asked[name]} for name, each in answers.items()}


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

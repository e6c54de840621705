"""``scaling rerun``, interrupted or killed at each of its stages: a book stands whole or not at all."""

import itertools
import json
import multiprocessing
import os
import signal

import held
import pandas as pd
import pytest

from scaling.book.staging import MARK

pytestmark = pytest.mark.slow
#: runs of the table of the book that stands, and of the one that is being made
OLD, NEW = 12, 13
#: to whom each signal goes: Ctrl-C and the end of a terminal reach all that a shell has started, `kill` one process
SENDERS = {signal.SIGINT: os.killpg, signal.SIGHUP: os.killpg, signal.SIGTERM: os.kill, signal.SIGKILL: os.killpg}
#: from where processes are forked, so that each need not import the package again
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["scaling.cli.rerun", "scaling.book.make"])


class Making:
    """A folder in which a book of one chapter is made by a process that is held at a stage."""

    def __init__(self, folder):
        self.folder, self.place = folder, folder / "place"
        self.place.mkdir()
        self.listener = held.Listener(folder / "pipe")
        self.chapters = [held.chapter(folder, "21_held", held.holding_cell(self.listener.path))]

    def arguments(self, rows):
        held.table(self.folder / "runs.csv", rows)
        return [self.folder / "runs.csv", "--out", self.place / "book", "--resamples", "2", "--force"]

    def finish(self, rows):
        """Make a book of so many runs, not held."""
        with pytest.raises(SystemExit) as end:
            held.rerun(self.arguments(rows), self.chapters)
        assert end.value.code == 0

    def end_at(self, stage, number):
        """Begin a book, send a signal when it has come to the stage; the exit code and what was said."""
        words = self.folder / "words.txt"
        given = (self.arguments(NEW), self.chapters, stage, self.listener.path, words)
        process = PROCESSES.Process(target=held.held_rerun, args=given)
        process.start()
        self.listener.wait_until_held(process)
        SENDERS[number](process.pid, number)
        process.join(held.PATIENCE)
        self.listener.wait_until_gone()
        return process.exitcode, words.read_text()

    def runs_of_the_book(self):
        """Number of runs that every part of the book gives; None if there is no book."""
        book = self.place / "book"
        if not book.exists():
            return None
        count = json.loads((book / MARK).read_text())["input"]["rows"]
        assert len(pd.read_csv(book / "runs.csv")) == count
        assert f"{count} training runs" in (book / "index.html").read_text()
        return count


@pytest.fixture
def making(tmp_path):
    making = Making(tmp_path)
    yield making
    making.listener.close()


@pytest.mark.parametrize("before", [None, OLD])
@pytest.mark.parametrize("stage", held.STAGES)
def test_killed_a_book_stands_whole_or_not_at_all(making, stage, before):
    if before:
        making.finish(before)
    code, _ = making.end_at(stage, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert making.runs_of_the_book() == (NEW if stage == "placed" else before)
    making.finish(OLD)
    assert making.runs_of_the_book() == OLD
    assert [path.name for path in making.place.iterdir()] == ["book"], "what the killed one has left is removed"


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        *itertools.product(held.STAGES, [signal.SIGINT, signal.SIGTERM]),
        *itertools.product(["reading", "executing"], [signal.SIGHUP]),  # from which on all is as with SIGTERM
    ],
)
def test_interrupted_it_removes_what_it_began(making, stage, number):
    making.finish(OLD)
    code, words = making.end_at(stage, number)
    if stage == "reading" and number != signal.SIGINT:
        assert code == -number  # nothing is begun, and nothing to be told
    else:
        assert code == 130
        assert "interrupted" in words
    assert making.runs_of_the_book() == (NEW if stage == "placed" else OLD)
    left = [path.suffix for path in making.place.iterdir() if path.name != "book"]
    assert left == ([".unfinished"] if stage == "placed" else []), "only an interrupted removal is left to the next"

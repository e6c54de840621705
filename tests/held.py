"""``scaling rerun`` in a process of its own, which says when it has come to a named stage, and stays there.

So it is ended exactly where a test wants it to be ended, however fast or busy the machine is.
"""

import inspect
import os
import signal
import sys
from contextlib import ExitStack, nullcontext, suppress
from multiprocessing import connection
from pathlib import Path
from unittest.mock import patch

import nbformat

import scaling
from scaling.book.chapters import DONE, Chapter, Outcome
from scaling.book.pictures import LOSSES, SIZES
from scaling.cli import main

#: seconds after which something is broken, and not only slow
PATIENCE = 120
#: a variable of the environment of all that a held command starts
MARK = "STARTED_BY_THE_COMMAND_HELD_AT"
#: what is called first at each stage; while chapters are executed, one of them is held by a cell of its own
STAGES = {
    "reading": "scaling.cli.rerun.read_runs",
    "executing": None,
    "writing": "scaling.book.sphinx.progress",  # for each line that Sphinx says, so in the middle of its work
    "placing": "scaling.book.staging._put",
    "placed": "scaling.book.staging._remove",
}


LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)


def table(path, rows):
    """Write a table of so many runs."""
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21], n_sizes=8, width=6.0, law=LAW)
    scaling.simulate_runs(LAW, design, noise=0.003, seed=1).head(rows).to_csv(path, index=False)


def chapter(folder, name, source):
    """A chapter on runs, of one cell."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    notebook.cells = [
        nbformat.v4.new_markdown_cell("# A chapter"),
        nbformat.v4.new_code_cell("runs_file = None", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(source),
    ]
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return Chapter(folder / f"{name}.ipynb")


def hold(pipe):
    """Say through a named pipe that this place is reached, and stay until a signal comes."""
    with open(pipe, "w") as said:
        print("here", file=said, flush=True)
        signal.pause()


def holding_cell(pipe):
    """Code that holds a chapter."""
    return f"import signal\n{inspect.getsource(hold)}\nhold({str(pipe)!r})"


def held_rerun(arguments, chapters, stage, pipe, words):
    """The command, held at a stage, in a process group of its own; ``words`` is the file for what it says.

    What it starts can be told from all other processes by :data:`MARK` in its environment.
    """
    os.setsid()
    os.environ[MARK] = str(pipe)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup may have begun the tests
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what runs in its background
    os.dup2(os.open(words, os.O_CREAT | os.O_WRONLY), sys.stderr.fileno())
    place = STAGES[stage]
    with patch(place, lambda *_, **__: hold(pipe)) if place else nullcontext():
        rerun(arguments, chapters, executed=stage == "executing", written=stage == "writing")


def rerun(arguments, chapters, executed=False, written=False):
    """The command on these chapters, which are executed, and pages written, or only pretended to be."""
    with ExitStack() as stack:
        stack.enter_context(patch("scaling.cli.rerun.chapters_on_runs", lambda: chapters))
        if not executed:
            stack.enter_context(patch("scaling.book.chapters.chapter_processes", nullcontext))
            for room in ("chapters", "make"):
                stack.enter_context(patch(f"scaling.book.{room}.execute", lambda text, *_, **__: Outcome(DONE, text)))
        if not written:
            stack.enter_context(patch("scaling.book.make.run_sphinx", _write_the_front_page))
            for slow, made in {"_checks": [], "_next_runs": {"reason": "not asked"}, "_plan": "not asked"}.items():
                stack.enter_context(patch(f"scaling.book.answers.Answers.{slow}", return_value=made))
            stack.enter_context(patch("scaling.book.make.draw", return_value={LOSSES: "<svg/>", SIZES: "<svg/>"}))
        main(["rerun", *map(str, arguments)])


def _write_the_front_page(source, output, **_):
    html = output / "_build" / "html"
    html.mkdir(parents=True)
    (html / "index.html").write_text((source / "index.md").read_text())
    return 0, ""


def started(pipe):
    """The processes that a command has started which is held at a pipe."""
    mark = f"{MARK}={pipe}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


class Listener:
    """The reading end of a named pipe: waits for what happens at the other end."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path, self.handle = path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_until_held(self, process):
        """Until the stage is reached, or the process has ended without reaching it."""
        happened = connection.wait([self.handle, process.sentinel], PATIENCE)
        assert self.handle in happened, f"the stage was never reached; exit code {process.exitcode}"
        assert os.read(self.handle, 100) == b"here\n"

    def wait_until_gone(self):
        """Until whoever was held has ended, a chapter's kernel too."""
        assert connection.wait([self.handle], PATIENCE), "what was held goes on"
        assert os.read(self.handle, 100) == b""

    def close(self):
        os.close(self.handle)

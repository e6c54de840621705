"""Chapters in processes of their own: a forked one is as a fresh one, and none outlives whoever asked for it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from scaling.book import processes
from scaling.book.chapters import DONE, FAILED, execute, executing
from scaling.book.processes import FreshProcesses, WarmProcesses, chapter_processes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not processes.CAN_FORK, reason="forked processes are for Linux; others start fresh ones"),
]
#: what a cell can see of its process that may not differ, whether it was forked or started
PROBE = """
import logging, os, random, signal, sys, warnings
import matplotlib, numpy, pandas
import matplotlib.pyplot as plt
import scaling

print(sorted(set(os.environ) - {"JPY_PARENT_PID"}))
print(os.getcwd(), sys.path, sys.argv[:2], __name__, sys.modules["__main__"].__dict__ is globals())
print([signal.getsignal(each) for each in sorted(signal.Signals) if each not in {signal.SIGINT, signal.SIGUSR1}])
print(os.getpgrp() == os.getpid() == os.getsid(0))
print(logging.getLogger().handlers, [f for f in warnings.filters if f[1] is None and f[2].__module__ == "builtins"])
print(pandas.describe_option(_print_desc=False).lower())  # UTF-8 or utf-8
print(numpy.get_printoptions(), numpy.geterr(), numpy.random.get_state()[0])
print(plt.get_fignums(), matplotlib.get_backend(), plt.isinteractive())
print(sorted(matplotlib.rcParams.items(), key=str))
print(scaling.__file__, hasattr(sys, "ps1"), sys.flags, sys.stdin, sys.dont_write_bytecode)
plt.plot([1, 2])
"""
RUNNING = "import os, time\nopen({!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}')\ntime.sleep(600)"


def chapter(*sources):
    """A notebook of such cells, as text."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.writes(
        nbformat.v4.new_notebook(
            metadata=kernel,
            cells=[nbformat.v4.new_code_cell(source, id=f"c{number}") for number, source in enumerate(sources)],
        )
    )


def said(outcome):
    """What the cells of a chapter printed."""
    assert outcome.kind == DONE, outcome
    outputs = [output for cell in json.loads(outcome.notebook)["cells"] for output in cell["outputs"]]
    return "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")


@pytest.fixture(scope="module")
def warm():
    with WarmProcesses() as made:
        yield made


def test_a_forked_chapter_is_as_a_fresh_one(warm):
    """The same words, the same picture, the same metadata; whatever a library finds out when it is imported."""
    with FreshProcesses() as fresh:
        forked, started = (execute(chapter(PROBE), {}, {}, processes=each) for each in (warm, fresh))
    assert said(forked) == said(started)
    *_, one = json.loads(forked.notebook)["cells"][0]["outputs"]
    *_, other = json.loads(started.notebook)["cells"][0]["outputs"]
    assert one["data"]["image/png"] == other["data"]["image/png"]
    assert json.loads(forked.notebook)["metadata"] == json.loads(started.notebook)["metadata"]


def test_chapters_know_nothing_of_each_other(warm):
    """Neither random numbers nor changed modules, settings, files or variables of the environment."""
    change = "import os, pandas, matplotlib\npandas.mark = os.environ['MARK'] = 1 * '1'\nmatplotlib.rcdefaults()\n"
    change += "matplotlib.rcParams['lines.linewidth'] = 77\nopen('mark', 'w')"
    look = "import os, pandas, matplotlib\nprint(hasattr(pandas, 'mark'), 'MARK' in os.environ, os.path.exists('mark'))"
    look += "\nprint(matplotlib.rcParams['lines.linewidth'] == 77)"
    draw = "import random, uuid, numpy, tempfile\n"
    draw += "print(random.random(), numpy.random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()))"
    one, other = (said(execute(chapter(draw, each), {}, {}, processes=warm)) for each in (change, look))
    assert other.splitlines()[1:] == ["False False False", "False"]
    assert not set(one.split()) & set(other.splitlines()[0].split())


def test_what_is_forked_has_one_thread(warm):
    said(execute(chapter("print(1)"), {}, {}, processes=warm))
    assert len(os.listdir(f"/proc/{warm._process.pid}/task")) == 1


def test_a_chapter_that_ends_its_process_is_told(warm):
    outcome = execute(
        chapter("import os, sys; print('last words', file=sys.__stderr__); os._exit(3)"), {}, {}, "", warm
    )
    assert outcome.kind == FAILED
    assert "Kernel died" in outcome.message
    killed = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
    outcome = execute(chapter(killed), {}, {}, processes=warm)
    assert (outcome.kind, outcome.error) == (FAILED, "the process ended")


@pytest.mark.parametrize(
    "full",
    [
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\nwith open('large', 'w') as file:\n"
        "    file.write('x' * 5000)",
        "resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (1000, 1000))\nprint('x' * 5000)",
    ],
    ids=["in a cell", "for the notebook"],
)
def test_no_room_for_a_chapter_is_no_fault_of_its_own(warm, tmp_path, full):
    """What it says would stand in the book as if the table were at fault."""
    with pytest.raises(OSError, match="File too large"):
        execute(chapter(f"import os, resource\n{full}"), {}, {}, str(tmp_path), warm)
    assert list(tmp_path.iterdir()) == []


def test_the_traceback_is_kept(warm):
    outcome = execute(chapter("def f():\n    return 1 / 0", "f()"), {}, {}, processes=warm)
    assert (outcome.kind, outcome.cell, outcome.source) == (FAILED, 2, "f()")
    assert "return 1 / 0" in outcome.traceback
    assert outcome.traceback.endswith("ZeroDivisionError: division by zero")


def test_what_is_printed_in_pieces_is_one_output(warm):
    pieces = "import sys, time\nfor word in 'ab':\n    print(word, end=' ', flush=True)\n    time.sleep(0.5)\n"
    pieces += "print('c', file=sys.stderr)"
    (cell,) = json.loads(execute(chapter(pieces), {}, {}, processes=warm).notebook)["cells"]
    assert ["".join(output["text"]) for output in cell["outputs"]] == ["a b ", "c\n"]


def pids(path):
    """Those of a chapter's kernel and of its papermill, when it has come to its cell."""
    while not (path.is_file() and (text := path.read_text())):
        time.sleep(0.02)
    return [int(each) for each in text.split()]


def wait_until_gone(numbers):
    for number in numbers:
        while Path(f"/proc/{number}").exists():
            time.sleep(0.02)


@pytest.mark.parametrize("kind", [WarmProcesses, FreshProcesses])
def test_what_still_runs_is_ended_with_the_block(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("scaling.book.chapters.chapter_processes", kind)
    items = {name: (chapter(RUNNING.format(str(tmp_path / name))), {}, {}, str(tmp_path)) for name in "ab"}
    with executing(items, 2):
        running = pids(tmp_path / "a") + pids(tmp_path / "b")
    wait_until_gone(running)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("kind", ["WarmProcesses", "FreshProcesses"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_process_that_asked(tmp_path, number, kind):
    code = f"import sys\nfrom scaling.book.chapters import execute\nfrom scaling.book.processes import {kind}\n"
    code += f"execute(sys.argv[1], {{}}, {{}}, sys.argv[2], {kind}())"
    asked = chapter(RUNNING.format(str(tmp_path / "running")))
    process = subprocess.Popen([sys.executable, "-c", code, asked, str(tmp_path)])
    running = pids(tmp_path / "running")
    process.send_signal(number)
    assert process.wait() == -number
    wait_until_gone(running)


def test_systems_that_cannot_fork_start_fresh_processes(monkeypatch):
    monkeypatch.setattr(processes, "CAN_FORK", False)
    assert type(chapter_processes()) is FreshProcesses

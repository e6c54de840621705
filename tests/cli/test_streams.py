"""What a command prints when nobody reads it, and what it says when the unforeseen happens."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from scaling.cli import COMMANDS, main
from scaling.cli.command import CLOSED, DEBUG, terminable

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes, limits and signals are those of POSIX")
SIGHUP = getattr(signal, "SIGHUP", signal.SIGTERM)
START = "import sys; sys.argv[0] = 'scaling'; from scaling.cli import main; main()"
SIGPIPE = 128 + 13


def start(*arguments, **how):
    """``scaling ARGUMENTS`` in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", START, *map(str, arguments)], stderr=subprocess.PIPE, **how)


def closed_pipe():
    """The writing end of a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("check", "--help"), ("check",), ("check", "--json")]
)
def test_a_closed_pipe_ends_in_silence(sound_table, arguments):
    runs = [sound_table] if arguments[0] == "check" and "--help" not in arguments else []
    writer = closed_pipe()
    process = start(*arguments, *runs, stdout=writer)
    os.close(writer)
    assert process.communicate()[1] == b""
    assert process.returncode == CLOSED == SIGPIPE


def test_a_refusal_that_nobody_reads_ends_in_silence(tmp_path):
    writer = closed_pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", START, "check", str(tmp_path / "no.csv")], stdout=writer, stderr=writer
    )
    os.close(writer)
    assert process.wait() == CLOSED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_disk_below_the_output_is_told(sound_table):
    with open("/dev/full", "wb") as full:
        process = start("check", sound_table, stdout=full)
    assert process.communicate()[1].decode() == "error: no space is left on the disk\n"
    assert process.returncode == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no limit of the address space")
def test_little_memory_is_told(sound_table):
    """Too little for the libraries: the end is in words."""
    import resource

    for megabytes in (60, 200):
        limits = (megabytes << 20,) * 2
        process = start("check", sound_table, preexec_fn=partial(resource.setrlimit, resource.RLIMIT_AS, limits))
        told = process.communicate()[1].decode()
        # a library in C may be the first to lack it, and ends the process in words of its own
        own = told.startswith(("OpenBLAS error: Memory allocation", "<jemalloc>"))
        assert own or (process.returncode, told[:25]) == (3, "error: not enough memory "), told


class Unforeseen(Exception):
    pass


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_unforeseen_is_told_in_words(command, sound_table, tmp_path, monkeypatch):
    if command in ("rerun", "course"):
        pytest.importorskip("papermill")

    def fail(*_, **__):
        raise Unforeseen("a thing\x1b[31m")

    module = sys.modules.get(f"scaling.cli.{command}") or __import__(f"scaling.cli.{command}", fromlist=["x"])
    monkeypatch.delenv(DEBUG, raising=False)
    called = {"datasets": "list_datasets", "collect": "collect_logs", "course": "lectures", "assignment": "place_of"}
    monkeypatch.setattr(module, called.get(command, "read_runs"), fail)
    more = {"plan": ["--flops", "1e22"], "rerun": ["--out", str(tmp_path / "book")]}
    more |= {"collect": ["--out", str(tmp_path / "runs.csv")], "course": ["--out", str(tmp_path / "kit")]}
    more |= {"assignment": ["new", "--students", "2", "--out", str(tmp_path / "class")]}
    table = [] if command in ("assignment", "course", "datasets") else [str(sound_table)]
    arguments = [command, *table, *more.get(command, [])]
    result = CliRunner().invoke(main, arguments)
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 3
    assert "Unforeseen: a thing\\x1b[31m" in result.output
    assert f"cli/{command}.py, line" in result.output
    assert "report it" in result.output
    assert "Traceback" not in result.output
    monkeypatch.setenv(DEBUG, "1")
    assert isinstance(CliRunner().invoke(main, arguments).exception, Unforeseen)


def test_an_error_of_a_library_is_not_said_to_be_the_table_s(sound_table, monkeypatch):
    import numpy as np

    monkeypatch.delenv(DEBUG, raising=False)
    monkeypatch.setattr("scaling.cli.check.inspect_runs", lambda runs: np.reshape(np.zeros(3), (2, 2)).max())
    result = CliRunner().invoke(main, ["check", str(sound_table)])
    assert result.exit_code == 3
    assert "fault of the program" in result.output


def test_signals_that_were_ignored_stay_so():
    """As ``nohup`` has it."""
    before = signal.signal(SIGHUP, signal.SIG_IGN)
    try:
        with terminable():
            assert signal.getsignal(SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), SIGHUP)
    finally:
        signal.signal(SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, SIGHUP])
def test_a_second_signal_does_not_disturb_the_cleaning_up(number):
    before, cleaned = signal.getsignal(number), []

    def work():
        with terminable():
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                os.kill(os.getpid(), number)
                cleaned.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert cleaned
    assert signal.getsignal(number) == before

"""The processes in which chapters are executed: forked from a warm one, or each started afresh."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self, cast

from .._parallel import still_wanted

__all__ = ["FreshProcesses", "WarmProcesses", "chapter_processes", "fork_kernels", "shared_processes"]

#: seconds between two questions whether a chapter is still wanted
LOOK = 1.0
#: the libraries of macOS do not survive a fork, and Windows has none
CAN_FORK = sys.platform == "linux"
THREADS = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
#: a process that is forked may have one thread; Arrow, which pandas imports where it is installed, would start another
ALONE = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
# without the folder that `python -c` puts on the path
SERVE = "import sys; sys.path[:] = filter(None, sys.path); from scaling.book.warm import serve; serve(int(sys.argv[1]))"


class FreshProcesses:
    """Starts a new Python for each chapter, which imports all that it needs: seconds."""

    def __init__(self) -> None:
        self._live: set[subprocess.Popen[str]] = set()

    def run(self, folder: Path, environment: dict[str, str]) -> str | None:
        """Execute the notebook of a folder; what was said if the process ended badly."""
        script = Path(__file__).with_name("papermill_job.py")
        command = [sys.executable, "-P", str(script), str(os.getpid())]
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            self._live.add(process)
            wanted = still_wanted()
            try:
                while True:
                    try:
                        words = process.communicate(timeout=LOOK)[1]
                        break
                    except subprocess.TimeoutExpired:
                        if not wanted():
                            process.kill()
            finally:
                self._live.discard(process)
        return words if process.returncode else None

    def close(self) -> None:
        """End what runs."""
        for process in list(self._live):
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WarmProcesses:
    """Forks a process for each chapter from one that has imported all that they need: a few hundredths of a second.

    All of them end when this object is closed, or when this process ends in whatever way.
    """

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            handle = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(handle)],
                env=os.environ | THREADS | ALONE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[handle],
                start_new_session=True,  # Ctrl-C is for us
            )

    def fork(self) -> socket.socket:
        """The socket of a new process, which waits to be told what to do (`warm`)."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return ours

    def run(self, folder: Path, environment: dict[str, str]) -> str | None:
        """Execute the notebook of a folder; what was said if the process ended badly."""
        told, heard, wanted = {"folder": str(folder), "environment": environment}, b"", still_wanted()
        with suppress(OSError), self.fork() as request:  # if the process ends, or these are closed
            request.sendall(json.dumps(told).encode() + b"\n")
            while True:
                if not select.select([request], [], [], LOOK)[0]:
                    if heard and not wanted():
                        os.kill(int(heard.split()[0]), signal.SIGKILL)  # it says its number first
                    continue
                if not (words := request.recv(1024)):
                    break
                heard += words
        if heard.endswith(b"done"):
            return None
        last = folder / "words.txt"
        return last.read_text(encoding="utf-8", errors="replace") if last.is_file() else ""

    def close(self) -> None:
        """End what runs, and the process from which it was forked."""
        self._control.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def chapter_processes() -> WarmProcesses | FreshProcesses:
    """The quicker kind that this system allows."""
    return WarmProcesses() if CAN_FORK else FreshProcesses()


def fork_kernels() -> None:
    """Let every kernel that Jupyter starts in this process be forked, where that makes no difference to it.

    What is forked has imported NumPy with one thread already, so that must be what the environment asks for.
    """
    if CAN_FORK and all(os.environ.get(name) == number for name, number in THREADS.items()):
        from . import warm

        warm.fork_kernels(lambda: cast(WarmProcesses, shared_processes()).fork())


@cache
def shared_processes() -> WarmProcesses | FreshProcesses:
    """Those of whoever has none of their own: they end with this process."""
    return chapter_processes()

"""The process that has imported what every chapter needs, and is forked for each: `processes` starts it.

What is forked is as a fresh process would be: a session of its own, an environment that is given, random numbers that
nobody else has. Two things are forked: a chapter, which papermill executes, and a kernel, which executes cells. Both
are asked for by a socket, over which one line of JSON says what the new process is to do.
"""

from __future__ import annotations

import builtins
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from . import papermill_job

__all__ = ["DONE", "ForkedKernel", "fork_kernels", "serve"]

DONE = b"done"
#: what papermill, a kernel and the chapters import; the rooms of the package are added
NEEDED = (
    "papermill",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "IPython.core.completer",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "numpy",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "seaborn",
    "scaling.course.checks",
)
NOT_NEEDED = ("scaling.cli", "scaling.book", "scaling.course", "scaling.papers.__main__", "scaling._parallel.cluster")
#: of prctl (Linux): the signal that a process gets when its parent ends
PR_SET_PDEATHSIG = 1


def serve(number: int) -> None:
    """Import all, then fork a process for each socket that comes over the socket of that number, until it is closed."""
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what is forked
    gc.collect()
    gc.freeze()  # what is shared stays shared: no collection touches it
    control = socket.socket(fileno=number)
    while True:
        message, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        request = socket.socket(fileno=handles[0])
        request.set_inheritable(False)
        if not _fork():
            control.close()
            _become(request)
        request.close()


def _import_all() -> None:
    """Import what is needed as a kernel would: some libraries look, when they are imported, whether they are in one."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # Matplotlib
    vars(builtins)["get_ipython"] = lambda: SimpleNamespace(kernel=None)  # pandas
    sys.modules |= dict.fromkeys(papermill_job.GRAMMARS)  # type: ignore[arg-type]
    for name in (*NEEDED, *_rooms()):
        importlib.import_module(name)
    for name in papermill_job.GRAMMARS:
        del sys.modules[name]
    del vars(builtins)["get_ipython"]


def _rooms(package: str = __package__.partition(".")[0]) -> Iterator[str]:
    """Every module of the package that a chapter may use."""
    for each in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if not each.name.startswith(NOT_NEEDED):
            yield each.name
            if each.ispkg:
                yield from _rooms(each.name)


def _fork() -> int:
    """Fork a process that ends when this one does; 0 in the new process."""
    parent = os.getpid()
    child = os.fork()
    if not child:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended already
            os._exit(1)
    return child


def _become(request: socket.socket) -> Never:
    """Do in this forked process what the request says, and end."""
    request.sendall(f"{os.getpid()}\n".encode())
    with request.makefile("rb") as lines:
        told = json.loads(lines.readline())
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    tempfile.tempdir = None
    random.seed()
    importlib.import_module("numpy").random.seed()
    if "kernel" in told:
        request.close()
        _run_kernel(told["kernel"])
        sys.exit()
    _run_chapter(Path(told["folder"]), request)
    os._exit(0)


def _run_chapter(folder: Path, request: socket.socket) -> None:
    with (folder / "words.txt").open("wb") as words:
        os.dup2(words.fileno(), sys.stderr.fileno())
    # forked now: later there will be threads and sockets of papermill's here
    ours, theirs = socket.socketpair()
    if not _fork():
        ours.close()
        request.close()
        _become(theirs)
    theirs.close()
    waiting = [ours]
    fork_kernels(waiting.pop)
    papermill_job.main()
    sys.stderr.flush()
    request.sendall(DONE)


def _run_kernel(arguments: list[str]) -> None:
    from ipykernel.kernelapp import IPKernelApp

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv = [str(importlib.import_module("ipykernel_launcher").__file__), *arguments]
    IPKernelApp.launch_instance(parent_handle=os.getppid())


class ForkedKernel(LocalProvisioner):
    """Provides Jupyter with a kernel that is forked instead of started."""

    fork: Callable[[], socket.socket]
    process: Any = None

    async def launch_kernel(self, cmd: list[str], **given: Any) -> Any:
        """Tell a forked process what a kernel of this command is to know; other commands are started."""
        if cmd[:3] != [sys.executable, "-m", "ipykernel_launcher"]:
            return await super().launch_kernel(cmd, **given)
        request = type(self).fork()
        told = {"kernel": cmd[3:], "environment": given["env"], "folder": str(given.get("cwd") or Path.cwd())}
        with request:
            request.sendall(json.dumps(told).encode() + b"\n")
            with request.makefile("rb") as lines:
                self.process = _Forked(int(lines.readline()))
        self.pid = self.pgid = self.process.pid
        self.cwd = told["folder"]
        return self.connection_info


class _Forked:
    """What Jupyter wants to do with a process, for one that is not a child of ours."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 1
        return None

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.01)
        return 1

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def fork_kernels(fork: Callable[[], socket.socket]) -> None:
    """Let every kernel that Jupyter starts in this process be forked: ``fork`` gives the socket of a new process."""
    ForkedKernel.fork = staticmethod(fork)
    factory = KernelProvisionerFactory.instance()
    name = "forked"
    factory.provisioners[name] = EntryPoint(name, f"{__name__}:{ForkedKernel.__name__}", factory.GROUP_NAME)
    factory.default_provisioner_name = name

"""What all commands share: errors in one readable block, signals, and output that nobody reads any more."""

from __future__ import annotations

import errno
import gc
import os
import platform
import re
import select
import shutil
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from .. import __version__
from .._words import printable
from ..errors import BookError, DatasetError, PagesError, RunsError, RunsWarning

#: what a shell reports of a program that wrote to a closed pipe is 128 and the number of SIGPIPE
UNUSABLE, BROKEN, INTERRUPTED, CLOSED = 1, 3, 130, 141
#: an environment variable; if it is set, errors of this program come with their traceback
DEBUG = "SCALING_DEBUG"
#: the package
HERE = Path(__file__).parents[1]
#: what a system says when there is no room, in words
FULL = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "your share of the disk is used up",
    errno.EFBIG: "the file would be larger than your limit for files",
    errno.ENOMEM: "the system gives no more memory",
    errno.EMFILE: "too many files are open",
}
#: a program and its libraries, as they end without memory for their own code
_NO_MEMORY = ("cannot allocate memory", "failed to map segment", "can't start new thread", "out of memory")


class Refusal(click.ClickException):
    """A message with an exit code: ``UNUSABLE`` for the table, ``BROKEN`` for what is outside it."""

    def __init__(self, message: str, exit_code: int = UNUSABLE):
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        for line in f"error: {self.message}".split("\n"):  # parts of it may come from a file
            click.echo(printable(line), file=file, err=file is None)


class Command(click.Command):
    """A click command that turns the errors of the package into messages and warnings into notes."""

    def invoke(self, context: click.Context) -> Any:
        with warnings.catch_warnings(), refusing():
            warnings.simplefilter("ignore", RunsWarning)  # commands print these as part of their report
            return super().invoke(context)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn every error into a message and an exit code; none ends in a traceback, unless that is asked for."""
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort):
        raise
    except BrokenPipeError as error:
        if _unread(sys.stdout) or _unread(sys.stderr):
            raise SystemExit(CLOSED) from None
        raise Refusal(reason(error), BROKEN) from error
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        raise Refusal(f"{where}{reason(error)}", BROKEN) from error
    except (DatasetError, PagesError, BrokenExecutor) as error:
        raise Refusal(str(error), BROKEN) from error
    except MemoryError:
        raise Refusal("not enough memory for this table; try it on a part of its rows", BROKEN) from None
    except (RunsError, BookError) as error:
        raise Refusal(str(error)) from error
    except KeyboardInterrupt:
        raise Refusal("interrupted", INTERRUPTED) from None
    except Exception as error:
        _give_up(error)


def reason(error: OSError) -> str:
    """What the system says, without the number of its error and the file."""
    if isinstance(error, shutil.Error):  # of copying many files: the last of what it lists
        words = str(error.args[0][-1][-1] if isinstance(error.args[0], list) else error)
    else:
        words = error.strerror or str(error)
    number = re.match(r"\[Errno (\d+)\] ", words)
    return FULL.get(int(number[1]) if number else error.errno or 0, words)


def _give_up(error: Exception) -> NoReturn:
    """Say of an error that nobody foresaw what it is and what to do with it; those of arguments say it themselves."""
    frames, ours = _frames(error)
    if refuses_an_argument(error):
        raise Refusal(str(error)) from error
    if any(words in told.lower() for words in _NO_MEMORY for told in _chain(error)):
        raise Refusal("not enough memory for this program and its libraries", BROKEN) from error
    if isinstance(error, ImportError) and frames[-1] in ours:
        raise Refusal(str(error), BROKEN) from error
    if os.environ.get(DEBUG):
        raise error
    last = ours[-1]
    where = f"{Path(last.filename).relative_to(HERE).as_posix()}, line {last.lineno}"
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    raise Refusal(
        f"this program has met something that it does not know: {told} ({where}; scaling {__version__}, "
        f"Python {platform.python_version()}).\nThat is a fault of the program. Please report it with the command "
        f"and, if you may, the first lines of the table; {DEBUG}=1 in the environment shows the traceback.",
        BROKEN,
    ) from error


def refuses_an_argument(error: Exception) -> bool:
    """Whether the package itself refuses an argument by this error."""
    frames, ours = _frames(error)
    return isinstance(error, ValueError) and frames[-1] in ours


def _frames(error: Exception) -> tuple[traceback.StackSummary, list[traceback.FrameSummary]]:
    """Where an error passed, and those places that are ours."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames, [frame for frame in frames if Path(frame.filename).is_relative_to(HERE)]


def _chain(error: BaseException | None) -> Iterator[str]:
    """The words of an error and of those from which it came."""
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _unread(stream: Any) -> bool:
    """Whether a stream is a pipe from which nobody reads any more."""
    if not hasattr(select, "poll"):  # Windows
        return True
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
    except (OSError, ValueError, AttributeError):
        return False
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _stuck(stream: Any) -> bool:
    """Whether something waits in a stream that can no longer be written."""
    try:
        stream.flush()
    except (OSError, AttributeError):
        return stream is not None
    return False


def let_go() -> None:
    """Forget what cannot be written, which Python would try again, and report, when it ends."""
    for stream in (sys.stdout, sys.stderr):
        if _stuck(stream):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def staying() -> Iterator[None]:
    """What is imported stays to the end: to look for garbage in it, now and when Python ends, takes a third as long."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collects:
            gc.enable()


@contextmanager
def terminable() -> Iterator[None]:
    """Being told to terminate, or the end of the terminal, interrupts as Ctrl-C does: what was begun is removed.

    A signal that was ignored when the program began, as ``nohup`` has it, stays ignored. A second one does not disturb.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) not in (signal.SIG_IGN, None)]

    def interrupt(*_: Any) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, interrupt) for number in numbers}
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

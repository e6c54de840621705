"""What the commands share that make a folder of pages: where it goes, what it needs, and a word if it fails."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .command import BROKEN, Refusal, reason


def place_of(out: Path) -> Path:
    """Where the folder is to stand; a link in its place is not followed."""
    try:
        path = Path(os.path.abspath(out.expanduser()))
    except RuntimeError:
        raise Refusal(f"--out {out}: nobody of this name has a home here") from None
    return path.parent.resolve() / path.name


@contextmanager
def unchanged(target: Path, what: str) -> Iterator[None]:
    """Say of a failure outside the tables that what stood at the target stands there still."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refusal(f"no {what} was made, and nothing at {target} was changed: {reason(error)}", BROKEN) from error


def need(modules: Iterable[str], extra: str) -> None:
    """Refuse where a module of an extra is not installed, with how to install it."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        install = f"run pip install -e '.[{extra}]' in the project's folder"
        raise Refusal(f"this needs {', '.join(missing)}: {install}", BROKEN)

"""The chapters that take a table of runs, and the execution of one of them."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import sys
import tempfile
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from ..sources.files import chapter_files
from .processes import THREADS, FreshProcesses, WarmProcesses, chapter_processes, shared_processes

__all__ = [
    "CAPTION",
    "DONE",
    "FAILED",
    "NOT_POSSIBLE",
    "Chapter",
    "Outcome",
    "chapters_on_runs",
    "execute",
    "executing",
    "is_caption",
    "without_places",
]


#: the folder of the chapters whose runs have to be downloaded
REPLICATIONS = "replications"
DONE, NOT_POSSIBLE, FAILED = "done", "not possible with this table", "failed"
#: errors by which the package says that a table does not allow what was asked of it
ABOUT_THE_TABLE = ("FitError", "RunsError")
#: where Jupyter, IPython and Matplotlib would write outside the folder of the run
PLACES = ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR", "TMPDIR")
#: what the system says where there is no room to write
NO_ROOM = re.compile("|".join(rf"\[Errno {number}\]" for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)))
#: the tag of a cell that says for JupyterLab what the metadata of the figure above it say
CAPTION = "caption"
Job = TypeVar("Job", bound=Hashable)


@dataclass(frozen=True)
class Chapter:
    """A chapter's file, and what its cells say about it."""

    path: Path

    @property
    def name(self) -> str:
        """Such as ``05_envelope``."""
        return self.path.stem

    @property
    def place(self) -> str:
        """Below the folder of the notebooks, such as ``05_envelope`` or ``replications/atlas``."""
        above = self.path.parent.name
        return f"{above}/{self.name}" if above == REPLICATIONS else self.name

    @property
    def number(self) -> str:
        return self.name[:2]

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def title(self) -> str:
        first = "".join(json.loads(self.text)["cells"][0]["source"])
        return re.search(r"^# +(.+)$", first, flags=re.MULTILINE)[1]

    @cached_property
    def parameters(self) -> list[str]:
        """Names in the cell tagged ``parameters``."""
        for cell in json.loads(self.text)["cells"]:
            if "parameters" in cell["metadata"].get("tags", []):
                nodes = ast.walk(ast.parse("".join(cell["source"])))
                return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        return []


@dataclass(frozen=True)
class Outcome:
    """What became of a chapter: its executed notebook, or the cell at which it stopped and why."""

    kind: str
    notebook: str = ""
    cell: int | None = None
    source: str = ""
    error: str = ""
    message: str = field(default="", repr=False)
    traceback: str = field(default="", repr=False)


def is_caption(cell: dict[str, Any]) -> bool:
    """Whether a cell only says for JupyterLab what a figure's metadata say: no page shows it, no kit counts it."""
    return CAPTION in cell["metadata"].get("tags", [])


def chapters_on_runs() -> list[Chapter]:
    """The chapters that have the parameter ``runs_file``, in their order."""
    return [chapter for chapter in map(Chapter, chapter_files()) if "runs_file" in chapter.parameters]


def execute(
    notebook: str,
    tables: dict[str, str],
    parameters: dict[str, Any],
    scratch: str = "",
    processes: WarmProcesses | FreshProcesses | None = None,
) -> Outcome:
    """Run a chapter, given as text, on tables, given as text; so it can be done on another machine too.

    ``tables`` gives the CSV text for each parameter that wants the path of one, such as ``runs_file``. The chapter runs
    in a process of its own, one of ``processes``, and all files are written in a folder of its own: inside ``scratch``
    where that exists, and removed at the end. ``OSError`` if there is no room for what it writes: that says nothing of
    the chapter.
    """
    place = scratch if scratch and Path(scratch).is_dir() else None
    with tempfile.TemporaryDirectory(dir=place, prefix="chapter-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        given = {name: f"{name.removesuffix('_file')}.csv" for name in tables} | parameters
        for name, text in tables.items():
            (folder / given[name]).write_text(text, encoding="utf-8")
        (folder / "before.ipynb").write_text(notebook, encoding="utf-8")
        (folder / "parameters.json").write_text(json.dumps(given), encoding="utf-8")
        words = (processes or shared_processes()).run(folder, _contained(folder))
        if (folder / "error.json").is_file():
            story = json.loads((folder / "error.json").read_text(encoding="utf-8"))
            kind = NOT_POSSIBLE if story["error"] in ABOUT_THE_TABLE else FAILED
            message, traceback = (
                without_places(_without_colours(story[name]), folder) for name in ("message", "traceback")
            )
            _need_room(folder, message)
            return Outcome(kind, "", story["cell"], story["source"], story["error"], message, traceback)
        if not (folder / "after.ipynb").is_file() or words is not None:
            message = without_places(_without_colours(words or ""), folder)[-2000:]
            _need_room(folder, message)
            return Outcome(FAILED, error="the process ended", message=message)
        return Outcome(DONE, _publishable(folder, (folder / "after.ipynb").read_text(encoding="utf-8")))


@contextmanager
def executing(items: Mapping[Job, tuple[Any, ...]], workers: int) -> Iterator[Iterator[tuple[Job, Outcome]]]:
    """Execute many chapters, ``workers`` at a time: each job's outcome, as they come.

    An item holds what :func:`execute` takes. They begin at once, and what still runs when the block ends is ended.
    """
    with ThreadPoolExecutor(workers) as pool, chapter_processes() as processes:
        waiting = {pool.submit(execute, *item, processes=processes): job for job, item in items.items()}
        try:
            yield ((waiting[future], future.result()) for future in as_completed(waiting))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _contained(folder: Path) -> dict[str, str]:
    """An environment in which Jupyter, IPython and Matplotlib write inside the folder."""
    private = {name: str(folder / name.lower()) for name in PLACES}
    for place in private.values():
        Path(place).mkdir(exist_ok=True)
    quiet = {"JUPYTER_PREFER_ENV_PATH": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    return os.environ | private | THREADS | quiet


def _without_colours(words: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", words or "")


def _need_room(folder: Path, message: str) -> None:
    """``OSError`` where a chapter has stopped because nothing could be written."""
    if found := NO_ROOM.search(message):
        number = int(found[0].removeprefix("[Errno ").removesuffix("]"))
        raise OSError(number, os.strerror(number))
    with tempfile.TemporaryFile(dir=folder) as file:  # it may have had no room for its last words
        file.write(bytes(1 << 16))
        file.flush()
        os.fsync(file.fileno())


def without_places(words: str, folder: Path) -> str:
    """The words without the folder that is about to vanish, and without where this machine keeps what it has."""
    words = words.replace(f"{folder}/", "").replace(str(folder), ".")
    for place in _places():
        words = re.sub(rf"(?<![\w./-]){re.escape(place)}(?![\w-])", "...", words)
    return words


@cache
def _places() -> list[str]:
    """Folders whose names tell of this machine: longest first."""
    found = {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), tempfile.gettempdir()}
    for place in (Path.cwd, Path.home):
        with suppress(OSError, RuntimeError):  # it is gone; nobody's home
            found.add(str(place()))
    found |= {str(Path(place).resolve()) for place in found}
    return sorted((place for place in found if len(Path(place).parts) > 1), key=len, reverse=True)


def _publishable(folder: Path, text: str) -> str:
    """The executed notebook without times and without the folder that is about to vanish."""
    notebook = json.loads(text)
    notebook["metadata"].pop("papermill", None)
    for cell in notebook["cells"]:
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["id"] = "injected-parameters"  # papermill draws one by chance
        for name in ("papermill", "execution"):
            cell["metadata"].pop(name, None)
        if cell["metadata"].get("tags") == []:
            del cell["metadata"]["tags"]  # papermill adds an empty list
        if cell["cell_type"] == "code":
            cell["outputs"] = [_placeless(output, folder) for output in _joined(cell["outputs"])]
    return json.dumps(notebook, indent=1, ensure_ascii=False)


def _placeless(told: Any, folder: Path, kind: str = "text/") -> Any:
    """What a cell has put out, with all its words :func:`without_places`; pictures have none."""
    if isinstance(told, dict):
        return {name: _placeless(each, folder, name if "/" in name else kind) for name, each in told.items()}
    if isinstance(told, list):
        return [_placeless(each, folder, kind) for each in told]
    return without_places(told, folder) if isinstance(told, str) and not kind.startswith("image/") else told


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs of a cell, with what it printed in one piece: a busy kernel sends it in several."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        stream = output.get("name")
        if stream and joined and joined[-1].get("name") == stream:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined

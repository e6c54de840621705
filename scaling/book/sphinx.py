"""Running Jupyter Book and reading what it says; the whole book and the book of one's own runs are built by this."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["complaints_of", "run_sphinx", "what_failed"]


# Without the packages of these names, jsonschema does not compile the grammars of addresses: a second.
# The trees of documents are large and live long; to look through them for garbage so often as is usual takes a fifth.
START = (
    "import gc, sys; gc.set_threshold(100_000, 20, 50); "
    "from scaling._parallel.parent import end_with; end_with(int(sys.argv.pop(1))); "
    "sys.modules |= dict.fromkeys(('rfc3987_syntax', 'rfc3986_validator')); "
    "from jupyter_book.cli.main import main; main()"
)


def run_sphinx(
    source: Path, output: Path, show: Callable[[str], None] = lambda line: None, strict: bool = True
) -> tuple[int, str]:
    """Run Jupyter Book on a folder, showing how far it is; its exit code and all its words. ``strict``: no warnings."""
    command = [sys.executable, "-c", START, str(os.getpid())]
    command += ["build", str(source), "--path-output", str(output), "-n", "--keep-going"]
    command += ["-W"] if strict else []
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    lines = []
    with subprocess.Popen(
        command,
        cwd=source,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout:
                lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
                if (shown := progress(lines[-1], source)) is not None:
                    show(shown)
        except BaseException:
            process.kill()
            raise
    return process.returncode, "".join(lines)


def progress(line: str, source: Path) -> str | None:
    """What to show of one line of Sphinx's: where it is, and complaints."""
    line = line.replace(f"{source}/", "").strip()
    if line == "preparing documents... done":
        return "  writing the pages ..."
    return f"  {line}" if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line) else None


def complaints_of(words: str, source: Path) -> list[str]:
    """The warnings and errors among Sphinx's words, each once."""
    shown = [progress(line, source) for line in words.splitlines()]
    return list(dict.fromkeys(line.strip() for line in shown if line and not line.endswith(" ...")))


def what_failed(words: str, source: Path) -> str:
    """The warnings that stopped the build, or the last words."""
    return "\n".join(complaints_of(words, source)) or words[-3000:]

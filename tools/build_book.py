"""Build the book from a clean state, warnings as errors, and say which page to open.

`python tools/build_book.py [--output FOLDER]` executes every notebook but the replications and writes HTML that needs
no network: MathJax is copied from the installed package into the pages' own folder.
"""

import argparse
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MATHJAX = "mathjax/static/mathjax"


def copy_mathjax(html: Path) -> None:
    """Put MathJax, one file and its licence, where the pages look for it."""
    package = importlib.metadata.distribution("django-static-mathjax")
    target = html / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("es5/tex-svg.js", "LICENSE"):
        shutil.copy(package.locate_file(f"{MATHJAX}/{name}"), target)


def run_sphinx(output: Path) -> tuple[int, str]:
    """Run Jupyter Book, showing what it prints as it comes; return its exit code and its words."""
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        str(ROOT),
        "--path-output",
        str(output),
    ]
    command += ["-W", "-n", "--keep-going"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
    return process.returncode, "".join(lines)


def what_failed(words: str, html: Path) -> str:
    """The chapter and the cell's error when a notebook failed, else the warnings that stopped the build."""
    reports = sorted(html.glob("reports/**/*.err.log"))
    if reports:
        parts = []
        for report in reports:
            chapter = report.relative_to(html / "reports").with_suffix("").with_suffix("")
            parts.append(f"chapter {chapter} failed:\n{report.read_text().strip()[-3000:]}")
        return "\n\n".join(parts)
    warnings = [line for line in words.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL)\b|rror:", line)]
    return "\n".join(dict.fromkeys(warnings)) or "see the messages above"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT, help="folder that receives _build (default: the checkout)")
    output = parser.parse_args().output.resolve()
    built = output / "_build"
    html = built / "html"
    shutil.rmtree(built, ignore_errors=True)
    started = time.time()
    print("Executing the notebooks and writing the pages ...", flush=True)
    code, words = run_sphinx(output)
    page = html / "index.html"
    if code or not page.is_file():
        print(f"\nerror: the book was not built.\n{what_failed(words, html)}", file=sys.stderr)
        return code or 1
    copy_mathjax(html)
    now = time.time()
    install = started - float(os.environ.get("STARTED", started))
    print(f"\nBook built in {now - started:.0f} s (setting up the environment: {max(install, 0):.0f} s).")
    print(f"Open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

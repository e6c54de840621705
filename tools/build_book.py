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


def progress(line: str) -> str | None:
    """What to show of one line of Sphinx's: chapters as they are executed, and complaints."""
    line = line.replace(f"{ROOT}/", "").strip()
    if found := re.match(r"(\S+\.ipynb): Executing notebook", line):
        return f"  executing {found[1]} ..."
    if found := re.match(r"\S+\.ipynb: Executed notebook in ([\d.]+) seconds", line):
        return f"            {found[1]} s"
    if line == "preparing documents... done":
        return "  writing the pages ..."
    complaint = re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line) and "IPKernelApp" not in line
    return f"  {line}" if complaint else None


def run_sphinx(output: Path) -> tuple[int, str]:
    """Run Jupyter Book, showing how far it is; return its exit code and all its words."""
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(ROOT), "--path-output", str(output)]
    command += ["-W", "-n", "--keep-going"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
            if (shown := progress(lines[-1])) is not None:
                print(shown, flush=True)
    return process.returncode, "".join(lines)


def what_failed(words: str) -> str:
    """The chapter and its cell's error when a notebook failed, else the warnings that stopped the build."""
    chapter = re.search(r"(\S+\.ipynb): WARNING: Executing notebook failed", words)
    cell = re.search(r"^nbclient\.exceptions\.\w+: (.*?)^The above exception", words, flags=re.DOTALL | re.MULTILINE)
    if chapter and cell:
        return f"chapter {chapter[1].replace(f'{ROOT}/', '')} failed. {cell[1].strip()}"
    complaints = [line for line in map(progress, words.splitlines()) if line and not line.endswith((" ...", " s"))]
    return "\n".join(dict.fromkeys(complaints)) or words[-3000:]


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
    built.mkdir(exist_ok=True)
    (built / "build.log").write_text(words)
    if code or not page.is_file():
        print(f"\nerror: the book was not built.\n{what_failed(words)}", file=sys.stderr)
        print(f"\nEverything that was said on the way is in {built / 'build.log'}", file=sys.stderr)
        return code or 1
    copy_mathjax(html)
    now = time.time()
    install = started - float(os.environ.get("STARTED", started))
    print(f"\nBook built in {now - started:.0f} s (setting up the environment: {max(install, 0):.0f} s).")
    print(f"Open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

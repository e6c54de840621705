"""Build the book from a clean state, warnings as errors, and say which page to open.

`python tools/build_book.py [--output FOLDER] [--workers N]` executes every notebook but the replications, some at a
time, puts them where Sphinx looks for executed notebooks, and writes HTML that needs no network. The picture of the
package's layers is drawn first, from the code.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import layers  # beside this script, which Python puts on the path

from scaling.book.chapters import DONE, Chapter, Outcome, executing
from scaling.book.sphinx import run_sphinx, what_failed

ROOT = Path(__file__).resolve().parents[1]
Execute = Callable[[dict[Chapter, Any], int], AbstractContextManager[Iterator[tuple[Chapter, Outcome]]]]


def say(words: str) -> None:
    print(words, flush=True)


def execute_chapters(cache: Path, workers: int, execute: Execute = executing) -> str:
    """Execute the chapters into the cache that Sphinx reads, and draw the layers; what failed, or nothing."""
    chapters = [Chapter(path) for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))]
    started, failures = time.monotonic(), []
    with execute({chapter: (chapter.text, {}, {}) for chapter in chapters}, workers) as outcomes:
        layers.draw(layers.PICTURE)
        for chapter, outcome in outcomes:
            if outcome.kind != DONE:
                failures.append(told(chapter, outcome))
                continue
            put(cache, chapter, outcome)
            say(f"  {chapter.path.relative_to(ROOT)} executed, {time.monotonic() - started:.0f} s after the start")
    return "\n\n".join(failures)


def put(cache: Path, chapter: Chapter, outcome: Outcome) -> None:
    """Put an executed chapter where Sphinx looks for it."""
    import nbformat  # these take a second, in which chapters are executed already
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    get_cache(str(cache)).cache_notebook_bundle(CacheBundleIn(nbformat.reads(outcome.notebook, 4), str(chapter.path)))


def told(chapter: Chapter, outcome: Outcome) -> str:
    """The chapter, its cell and the traceback."""
    words = f"chapter {chapter.path.relative_to(ROOT)} failed in code cell {outcome.cell}.\n{outcome.source}\n"
    return words + (outcome.traceback or f"{outcome.error}: {outcome.message}")


def main(given: Sequence[str] | None = None, execute: Execute = executing) -> int:
    """Build the book as the command line says; the exit code. The tests give what has executed the chapters before."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT, help="folder that receives _build (default: the checkout)")
    parser.add_argument("--workers", type=int, default=2, help="chapters executed at the same time (default: 2)")
    arguments = parser.parse_args(given)
    built = arguments.output.resolve() / "_build"
    html = built / "html"
    shutil.rmtree(built, ignore_errors=True)
    started = time.time()
    say("Executing the notebooks ...")
    if failures := execute_chapters(built / ".jupyter_cache", arguments.workers, execute):
        print(f"\nerror: the book was not built.\n{failures}", file=sys.stderr)
        return 1
    code, words = run_sphinx(ROOT, built.parent, show=say)
    page = html / "index.html"
    (built / "build.log").write_text(words)
    if code or not page.is_file():
        print(f"\nerror: the book was not built.\n{what_failed(words, ROOT)}", file=sys.stderr)
        print(f"\nEverything that was said on the way is in {built / 'build.log'}", file=sys.stderr)
        return code or 1
    now = time.time()
    install = started - float(os.environ.get("STARTED", started))
    print(f"\nBook built in {now - started:.0f} s (setting up the environment: {max(install, 0):.0f} s).")
    print(f"Open {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Build the book from a clean state, warnings as errors, and say which page to open.

`python tools/build_book.py [--output FOLDER]` executes every notebook but the replications and writes HTML that needs
no network: MathJax is copied from the installed package into the pages' own folder. The picture of the package's layers
is drawn first, from the code.
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import layers  # beside this script, which Python puts on the path

from scaling.book.sphinx import copy_mathjax, run_sphinx, what_failed

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT, help="folder that receives _build (default: the checkout)")
    output = parser.parse_args().output.resolve()
    built = output / "_build"
    html = built / "html"
    shutil.rmtree(built, ignore_errors=True)
    started = time.time()
    layers.draw(layers.PICTURE)
    print("Executing the notebooks and writing the pages ...", flush=True)
    code, words = run_sphinx(ROOT, output, show=lambda line: print(line, flush=True))
    page = html / "index.html"
    built.mkdir(exist_ok=True)
    (built / "build.log").write_text(words)
    if code or not page.is_file():
        print(f"\nerror: the book was not built.\n{what_failed(words, ROOT)}", file=sys.stderr)
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

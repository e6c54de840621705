"""The league of laws on every public table that can be had: ``make league``.

Prints the verdict and the tables as Markdown, and with ``--out data/league.csv`` writes every score for the book. The
protocol stands in ``scaling/diagnostics/standings.py``; it was fixed before the results.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd

from scaling.diagnostics import PUBLIC, league, public_tables
from scaling.diagnostics.splits import HOLDOUTS


def main() -> None:
    """Run the league and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="where the scores go, as CSV")
    parser.add_argument("--jobs", type=int, default=-1, help="processes; all processors by default")
    options = parser.parse_args()
    started = time.perf_counter()
    tables, missing = public_tables()
    sources = {each.name: each.source for each in PUBLIC}
    found = league(tables, sources=sources, backend="loky", n_jobs=options.jobs)
    print(found.to_markdown())
    for name, why in missing.items():
        print(f"Not on this machine: {name}: {why}")
    with pd.option_context("display.width", 200, "display.max_columns", 20):
        for kind in HOLDOUTS:
            print(f"\nErrors in per cent, {kind}:\n{found.table(kind).to_string(float_format='{:.2f}'.format)}")
    print(f"\n{len(tables)} tables in {time.perf_counter() - started:.0f} s")
    if options.out is not None:
        found.record().to_csv(options.out, index=False, float_format="%.10g")


if __name__ == "__main__":
    main()

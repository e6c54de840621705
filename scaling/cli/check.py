"""``scaling check``: is this table sound, and what can be learned from it?"""

from __future__ import annotations

from typing import Any

import click
import pandas as pd

from .._words import to_json
from ..diagnostics.approaches import APPROACH_NAMES
from ..diagnostics.inspection import Inspection, inspect_runs, verdict
from ..errors import FitError, RunsError
from ..runs.curves import count_runs, counted, last_points
from ..runs.meter import find_meter
from ..runs.nouns import Nouns
from ..runs.table import describe_runs
from .command import UNUSABLE, Command
from .options import runs_options
from .reading import read_runs
from .terminal import bullets, format_options, grid, heading, say


@click.command("check", cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUNS ...")
@runs_options
@format_options
@click.pass_context
def command(context: click.Context, runs: tuple[str, ...], reading: dict[str, Any], as_json: bool) -> None:
    """Say what is in a table of training runs: columns, problems, groups, outliers, what it identifies.

    RUNS is a file (CSV, TSV, Parquet or JSON lines; one row a training run), a folder of Parquet files or the name of a
    data set or of a group of one, as gadre2024/c4. Its loss and two of params, tokens and flops are needed; common
    names and units are recognised, and whatever was mapped is said. Of Parquet with more than 1,000,000 rows, which may
    be larger than memory, all rows are checked and a part is kept: the last row of each run and a random sample; it is
    said how.
    Exit code 0: usable. 1: not, and the message says why.

    \b
    Example:
        scaling check my_runs.csv
        scaling check sweep.tsv --column params="Model Size" --unit params=millions
        scaling check checkpoints/ --column run=job_id
    """
    try:
        table = read_runs(runs, reading)
    except RunsError as error:
        if not as_json:
            raise
        click.echo(to_json({"usable": False, "problems": list(error.problems)}))
        context.exit(UNUSABLE)
    found = inspect_runs(table)
    click.echo(to_json(_as_dict(table, found))) if as_json else _print(table, found)
    context.exit(0 if found.usable else UNUSABLE)


def _print(table: pd.DataFrame, found: Inspection) -> None:
    reading = table.attrs["reading"]
    say(f"{reading['name']}: {counted(table)}; {reading['kind']}; sha256 {reading['sha256'][:12]}")
    if reading["mapping"]:
        heading("Columns, as they were read")
        mapping = pd.DataFrame(reading["mapping"])[["name", "column", "unit", "from"]]
        grid(
            mapping.fillna("").rename(columns={"name": "ours", "column": "in the file"}),
            tuple(mapping) + ("ours", "in the file"),
            ours=True,
        )
        bullets([*filter(None, [Nouns.of(table).about()])], ours=True)
    notes = [*reading["notes"], *table.attrs["notes"]]
    if notes:
        heading("Notes")
        bullets(notes)
    if thinning := reading.get("thinning"):
        heading(f"Ranges of all {thinning['rows']:,} rows")
        grid(pd.DataFrame(thinning["ranges"]).T.rename_axis("quantity").reset_index(), ("quantity",))
    heading("Ranges of the rows that were kept" if thinning else "Ranges")
    grid(describe_runs(table).reset_index(), ("quantity",))
    if looks := [*found.looks, *table.attrs["warnings"]]:
        heading("Worth a look")
        bullets(looks, most=40)
    heading(f"IsoFLOP groups of at least four sizes: {len(found.groups) or 'none'}")
    if len(found.groups):
        grid(found.groups.head(20))
        if len(found.groups) > 20:
            say(f"  and {len(found.groups) - 20} more")
    heading("What can be fitted")
    ends = last_points(table)
    if len(ends) < len(table):
        say(f"  (approaches 2 and 3 use the last point of each of {len(ends):,} runs)")
    for number, fit in found.approaches.items():
        bullets([f"approach {number}, {APPROACH_NAMES[number]}: {verdict(fit)}"])
    heading("Usable." if found.usable else "Not usable: no approach can be fitted to this table.")


def _as_dict(table: pd.DataFrame, found: Inspection) -> dict[str, Any]:
    return {
        "usable": found.usable,
        "problems": [],
        "input": table.attrs["reading"],
        "runs": count_runs(table),
        "rows": len(table),
        "meter": find_meter(table).record(),
        "notes": table.attrs["notes"],
        "warnings": table.attrs["warnings"],
        "ranges": describe_runs(table).reset_index(),
        "groups": found.groups,
        "diverged": found.diverged.rename_axis("at").reset_index(),
        "copies": found.copies,
        "slips": found.slips,
        "one_sided": found.one_sided,
        "astray": found.astray,
        "untold": found.untold,
        "luck": found.luck,
        "alone": found.alone,
        "pooled": [{"kind": each.kind, "columns": each.columns, "words": each.words} for each in found.pooled],
        "spikes": found.spikes.rename_axis("at").reset_index(),
        "approaches": {
            number: {"possible": not isinstance(fit, FitError), "verdict": verdict(fit)}
            for number, fit in found.approaches.items()
        },
    }

"""``scaling collect``: logs of training tools as a table of runs."""

from __future__ import annotations

from pathlib import Path

import click

from ..runs.logs import collect_logs
from .command import Command, Refusal
from .terminal import bullets, say
from .writing import claim, write_whole


@click.command("collect", cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="PATHS ...")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The table to write, as CSV.")
@click.option("--curves", is_flag=True, help="All points of each run, not the last one only.")
@click.option("--loss", metavar="NAME", help="Which loss is meant, where the logs have several.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def command(paths: tuple[str, ...], out: Path, curves: bool, loss: str | None, force: bool) -> None:
    """Make a table of runs from the logs in PATHS, files or folders.

    Known are trainer_state.json of Hugging Face, folders of Weights & Biases and histories in JSON lines, metrics.csv
    of Lightning, MLflow, Hydra, lines as nanoGPT, nanochat and Megatron-LM print them, and event files of TensorBoard.
    The table has the names of the logs; `scaling check` reads it and says what is missing, such as the number of
    parameters where no log tells it.

    \b
    Example:
        scaling collect runs/ -o runs.csv
        scaling check runs.csv --column params=n_params
    """
    claim(out, paths, force)
    if any(Path(each).is_dir() and out.resolve().is_relative_to(Path(each).resolve()) for each in paths):
        raise Refusal(f"--out {out} lies inside the logs, which are never changed: name another place")
    table = collect_logs(list(paths), curves, loss)
    claim(out, paths, force)
    write_whole(out, table.to_csv(index=False))
    what = "points" if curves else "runs"
    say(f"{len(table):,} {what}; columns {', '.join(map(str, table.columns))}")
    bullets(table.attrs["notes"])
    say("", f"Written: {out}", f"Next: scaling check {out}")

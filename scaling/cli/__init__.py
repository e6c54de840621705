"""The command ``scaling``: check a table of runs, fit it, plan with it, rerun the chapters on it.

Exit codes: 0, done; 1, the table or what was asked of it cannot be used, and the message says why; 2, the command
line is wrong; 3, something outside the table failed (a file, a download, a chapter); 130, interrupted.
"""

from __future__ import annotations

import click

from .. import __version__
from .check import check
from .datasets import datasets
from .fit import fit
from .plan import plan
from .rerun import rerun

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="scaling")
def main() -> None:
    """Scaling laws from a table of training runs.

    A first look at your own table, then its laws:

    \b
        scaling check my_runs.csv
        scaling fit my_runs.csv
        scaling plan my_runs.csv --flops 1e24
    """


for command in (check, fit, plan, rerun, datasets):
    main.add_command(command)

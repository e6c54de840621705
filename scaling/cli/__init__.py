"""The command ``scaling``: check a table of runs, fit it, plan with it, rerun the chapters on it.

Exit codes: 0, done; 1, the table or what was asked of it cannot be used, and the message says why; 2, the command
line is wrong; 3, something outside the table failed (a file, a download, a chapter); 130, interrupted; 141, nobody
reads what is printed any more, as in ``scaling check runs.csv | head -1``.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from .. import __version__
from .command import CLOSED, let_go, refusing, staying

__all__ = ["main"]

#: each command and its line in the help; a command is imported when it is asked for
COMMANDS = {
    "assignment": "Give each student a table of their own, drawn from a secret law, and mark what they say of it.",
    "check": "Say what is in a table of training runs: columns, problems, groups, outliers, what it identifies.",
    "collect": "Make a table of runs from the logs in PATHS, files or folders.",
    "course": "Make a kit for a course: notebooks, slides, figures, data and handouts.",
    "datasets": "List the sets of runs: embedded, downloaded already, or to be downloaded at first use.",
    "fit": "Fit scaling laws to a table of training runs: constants, intervals, extrapolation.",
    "plan": "Plan a training run from RUNS, a table of smaller ones (as for `scaling check`).",
    "rerun": "Run the chapters on your runs and build a book of them.",
}


class _Commands(click.Group):
    """A group that knows its commands by name, so that help and version need no NumPy."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().main(*arguments, **options)
        except OSError:  # where a message should go nobody listens
            raise SystemExit(CLOSED) from None
        finally:
            let_go()

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with refusing():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with refusing():  # importing a command may fail, too
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{__name__}.{cmd_name}"
        if name not in sys.modules:
            with staying():
                importlib.import_module(name)
        return sys.modules[name].command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="scaling")
def main() -> None:
    """Scaling laws from a table of training runs.

    A first look at your own table, then its laws:

    \b
        scaling check my_runs.csv
        scaling fit my_runs.csv
        scaling plan my_runs.csv --flops 1e24
    """

"""A table of training runs, one row a run: read it, check it, describe it."""

from .budgets import find_budgets
from .curves import last_points, seed_noise
from .logs import collect_logs
from .meter import Meter, find_meter
from .nouns import Nouns
from .preparing.cooldowns import annealed_points
from .preparing.selection import select_runs
from .preparing.sweeps import best_of
from .reading.door import load_runs
from .reading.table import RunsTable, read_table
from .table import check_runs, describe_runs

__all__ = [
    "Meter",
    "Nouns",
    "RunsTable",
    "annealed_points",
    "best_of",
    "check_runs",
    "collect_logs",
    "describe_runs",
    "find_budgets",
    "find_meter",
    "last_points",
    "seed_noise",
    "load_runs",
    "read_table",
    "select_runs",
]

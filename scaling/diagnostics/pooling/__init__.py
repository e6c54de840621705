"""Rows that are not one run each of one family: sweeps, checkpoints without a run, families, mixtures of experts."""

from ...runs.headers import is_tuned as is_tuned  # for the commands; the room does not offer it
from .result import Pooling
from .search import find_pooling
from .shifts import say_untold as say_untold  # for the inspection
from .sweeps import swept_columns

__all__ = ["Pooling", "find_pooling", "swept_columns"]

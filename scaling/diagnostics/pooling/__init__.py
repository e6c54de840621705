"""Rows that are not one run each of one family: sweeps, checkpoints without a run, families, mixtures of experts."""

from .headers import is_tuned
from .result import Pooling
from .search import find_pooling
from .sweeps import swept_columns

__all__ = ["Pooling", "find_pooling", "is_tuned", "swept_columns"]

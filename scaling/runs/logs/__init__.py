"""Logs of training tools as a table of runs: what each tool writes, found in folders and files, and read."""

from .collection import collect_logs

__all__ = ["collect_logs"]

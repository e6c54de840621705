"""Many independent pieces of work: one after the other, spread by joblib, or over a Dask cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable
from typing import Any

from .parent import end_with

__all__ = ["spread", "still_wanted"]

INSTALL = "run pip install -e '.[cluster]' in the project's folder"


def spread(
    function: Callable[..., Any], items: Iterable[tuple[Any, ...]], backend: str | None = None, n_jobs: int = -1
) -> Generator[Any, None, None]:
    """``function(*item)`` of each item, in their order.

    Without a backend the items are done one by one in this process. ``"loky"`` and ``"threading"`` are joblib's;
    ``"dask"`` is the cluster of an open ``distributed.Client``. What an item is, and so its result, never depends on
    the number of workers, or on whether some of them were lost. ``ImportError`` says what to install.
    """
    if backend is None:
        return (function(*item) for item in items)
    if backend == "dask":
        return _over_a_cluster(function, items, n_jobs)
    try:
        import joblib
    except ImportError as error:
        raise ImportError(f"backend {backend!r} needs joblib: {INSTALL}") from error
    with joblib.parallel_config(backend):
        pool = joblib.Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)
    if backend == "loky":
        return pool(joblib.delayed(_tied)(os.getpid(), function, *item) for item in items)
    return pool(joblib.delayed(function)(*item) for item in items)


def _tied(process: int, function: Callable[..., Any], *item: Any) -> Any:
    """A piece of work in a process that ends with the one that asked for it; joblib's would wait for minutes."""
    end_with(process)
    return function(*item)


def still_wanted() -> Callable[[], bool]:
    """The question whether anybody waits for what is done here: long work on a cluster has to ask it now and then."""
    if "distributed" not in sys.modules:  # so this is no task of a cluster
        return lambda: True
    from . import cluster

    return cluster.still_wanted()


def _over_a_cluster(
    function: Callable[..., Any], items: Iterable[tuple[Any, ...]], n_jobs: int
) -> Generator[Any, None, None]:
    try:
        from .cluster import need_a_client, spread_over
    except ImportError as error:
        raise ImportError(f"backend 'dask' needs distributed: {INSTALL}") from error
    need_a_client()
    return spread_over(function, items, n_jobs)

"""Many independent pieces of work: one after the other, or spread by a backend of joblib's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["spread"]

INSTALL = "run pip install -e '.[cluster]' in the project's folder"


def spread(
    function: Callable[..., Any], items: Iterable[tuple[Any, ...]], backend: str | None = None, n_jobs: int = -1
) -> Iterator[Any]:
    """``function(*item)`` of each item, in their order.

    Without a backend the items are done one by one in this process. With one (``"loky"``, ``"threading"``, or
    ``"dask"`` inside a ``with distributed.Client(address)``) joblib spreads them; what an item is, and so its result,
    never depends on the number of workers. ``ImportError`` says what to install.
    """
    if backend is None:
        return (function(*item) for item in items)
    try:
        import joblib
    except ImportError as error:
        raise ImportError(f"backend {backend!r} needs joblib: {INSTALL}") from error
    if backend == "dask":
        _need_a_client()
    with joblib.parallel_config(backend):  # which knows dask, too
        pool = joblib.Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)
    return pool(joblib.delayed(function)(*item) for item in items)


def _need_a_client() -> None:
    try:
        from distributed import get_client
    except ImportError as error:
        raise ImportError(f"backend 'dask' needs distributed: {INSTALL}") from error
    try:
        get_client()
    except ValueError:
        raise ValueError("backend 'dask' needs a scheduler: open a distributed.Client(address) first") from None

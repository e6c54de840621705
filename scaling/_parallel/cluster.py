"""A Dask cluster: whether a scheduler answers at an address, and work that outlives the workers that do it.

joblib's backend for Dask puts arrays on the workers first, and they are lost with a worker. Here each task
carries what it needs, so that the scheduler gives it to another worker when its own is lost, before or after its end.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import islice
from typing import Any

import dask
from dask.utils import format_time, parse_timedelta
from distributed import Client, KilledWorker, Security, get_client, get_worker, rpc, worker_client
from distributed.scheduler import NoWorkerError
from distributed.utils import LoopRunner

__all__ = ["connected", "need_a_client", "spread_over", "still_wanted"]

#: seconds between two looks at the workers; seconds without any after which this is said
LOOK, SILENCE = 1.0, 10.0
#: tasks given out for each thread of the cluster, so that none waits for its next one
GIVEN = 2
#: times as many may wait, finished, for an earlier one
AHEAD = 4
#: how long to wait for a worker where Dask's own setting leaves it open
PATIENCE = "5 minutes"
#: states of a task on a worker whose result nobody waits for: it was cancelled, or its client has ended
UNWANTED = {"cancelled", "released", "forgotten"}
LOST = "the scheduler of the cluster was lost, and all results that lay there: {}"
NONE_LEFT = (
    "the cluster has had no workers for {}: start some, or wait longer for them with "
    "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT='1 hour'"
)


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """A client of the scheduler at an address; ``ConnectionError`` if none answers there.

    A connection may take as long as Dask's setting ``distributed.comm.timeouts.connect`` says, by default 30 seconds.
    """
    limit = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
    try:
        # in a loop of its own: a notebook's is running where it is called
        kind = LoopRunner().run_sync(_kind, address, limit)
    except TimeoutError:
        words = f"takes connections, but has not answered as a Dask scheduler does within {format_time(limit)}"
        raise ConnectionError(f"what listens at {address} {words}: is this the scheduler's port?") from None
    except (OSError, TypeError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler can be reached at {address!r}: {_reason(error)}") from error
    except (MemoryError, Exception) as error:  # a stranger's first letters are read as the length of a message
        said = f" ({error})" if str(error) else ""
        raise ConnectionError(f"what answers at {address} is not a Dask scheduler: is this its port?{said}") from error
    if kind != "Scheduler":
        raise ConnectionError(f"at {address} is a Dask {kind.lower()}: the address of the scheduler is needed")
    with Client(address, timeout=limit) as client:
        yield client


async def _kind(address: str, limit: float) -> str:
    """``"Scheduler"``, ``"Worker"`` or ``"Nanny"``; a ``Client`` would wait for the answer of a stranger for ever."""
    identity = Security().get_connection_args("client")
    async with asyncio.timeout(1.25 * limit), rpc(address, timeout=limit, connection_args=identity) as server:
        return str((await server.identity())["type"])


def _reason(error: BaseException) -> str:
    """What an error says, and what the first of its causes said."""
    first = error
    while first.__cause__ is not None:
        first = first.__cause__
    return f"{error} ({first})" if str(first) and first is not error else str(error)


def need_a_client() -> None:
    """``ValueError`` where no client is open."""
    try:
        get_client()
    except ValueError:
        raise ValueError("backend 'dask' needs a scheduler: open a distributed.Client(address) first") from None


def _client() -> AbstractContextManager[Client]:
    """The open client; inside a task of Dask's, one that leaves the task's thread to other tasks."""
    try:
        get_worker()
    except ValueError:
        return nullcontext(get_client())
    return worker_client()


def still_wanted() -> Callable[[], bool]:
    """Inside a task, the question whether its result is still wanted: Dask forgets a task, but does not end it."""
    try:
        worker = get_worker()
        key = worker.get_current_task()
    except ValueError:  # in no task
        return lambda: True

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state not in UNWANTED

    return wanted


def spread_over(
    function: Callable[..., Any], items: Iterable[tuple[Any, ...]], n_jobs: int
) -> Generator[Any, None, None]:
    """``function(*item)`` of each item, in their order; at most ``n_jobs`` at a time, if that is positive.

    Tasks of lost workers are done by others. ``BrokenExecutor`` says so if a task has ended each worker that took it,
    or if no worker is left for as long as Dask's setting ``distributed.scheduler.no-workers-timeout`` says, by default
    five minutes; ``ConnectionError``, if the scheduler is lost.
    """
    rest, tasks = iter(items), deque[Future[Any]]()
    with _client() as client:
        pool, workers = client.get_executor(pure=False), _Workers(client)
        try:
            while True:
                threads = workers.threads()
                width = n_jobs if n_jobs > 0 else max(1, GIVEN * threads)
                unfinished = sum(not task.done() for task in tasks)
                room = max(0, min(width - unfinished, AHEAD * width - len(tasks)))
                # Dask warns of large tasks, but whatever a worker needs has to travel
                with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 GiB"}):
                    tasks.extend(pool.submit(function, *item) for item in islice(rest, room))
                if not tasks:
                    return
                if tasks[0].done():
                    yield _result(tasks.popleft())
                else:
                    wait([task for task in tasks if not task.done()], LOOK, FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def _result(task: Future[Any]) -> Any:
    """Of a task that is done; an error of Dask's in words that say what to do."""
    try:
        return task.result()
    except KilledWorker as error:
        words = f"{error.allowed_failures + 1} workers of the cluster ended while they did one and the same task"
        more = "give a worker more memory, or fewer threads; its log says why it ended"
        raise BrokenExecutor(f"{words}, the last at {error.last_worker.address}: {more}") from error
    except NoWorkerError as error:
        raise BrokenExecutor(NONE_LEFT.format(format_time(error.timeout))) from error
    except CancelledError as error:
        raise ConnectionError(LOST.format(error)) from error


class _Workers:
    """The workers of a cluster, and since when there are none."""

    def __init__(self, client: Client):
        self.client = client
        given = dask.config.get("distributed.scheduler.no-workers-timeout")
        self.patience = parse_timedelta(given or PATIENCE)
        self.seen, self.told = time.monotonic(), False

    def threads(self) -> int:
        """Of all workers together; a word after a while without any, then ``BrokenExecutor``."""
        try:
            threads = sum(self.client.nthreads().values())
        except OSError as error:
            raise ConnectionError(LOST.format(error)) from error
        now = time.monotonic()
        if threads:
            self.seen, self.told = now, False
        elif now - self.seen > self.patience:
            raise BrokenExecutor(NONE_LEFT.format(format_time(self.patience)))
        elif now - self.seen > SILENCE and not self.told:
            words = f"the cluster at {self.client.scheduler.address} has no workers"
            warnings.warn(f"{words}: waiting for one, for {format_time(self.patience)}", stacklevel=3)
            self.told = True
        return threads

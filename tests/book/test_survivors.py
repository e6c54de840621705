"""No process that ``scaling rerun`` has started survives it, in whatever way it ends."""

import multiprocessing
import os
import signal
import sys
from multiprocessing import connection

import held
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the table of processes is read as Linux has it"),
]
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["scaling.cli.rerun", "scaling.book.make"])
#: what is started besides the kernel that is held: the chapter and the process from which both are forked; joblib's
#: worker before these; Sphinx
LEAST = {("executing", None): 3, ("executing", "loky"): 4, ("writing", None): 1}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(("stage", "backend"), LEAST)
def test_no_process_survives(tmp_path, stage, backend, number):
    """The signal goes to the command alone: nobody else is told."""
    held.table(tmp_path / "runs.csv", 12)
    listener = held.Listener(tmp_path / "pipe")
    chapters = [held.chapter(tmp_path, "21_held", held.holding_cell(listener.path))]
    arguments = [tmp_path / "runs.csv", "--out", tmp_path / "book", "--resamples", "2"]
    arguments += ["--backend", backend] if backend else []
    given = (arguments, chapters, stage, listener.path, tmp_path / "words.txt")
    process = PROCESSES.Process(target=held.held_rerun, args=given)
    process.start()
    listener.wait_until_held(process)
    handles = [os.pidfd_open(each) for each in held.started(listener.path)]
    assert len(handles) >= LEAST[stage, backend]
    os.kill(process.pid, number)
    process.join(held.PATIENCE)
    assert process.exitcode == (-number if number == signal.SIGKILL else 130)
    waiting = set(handles)
    while waiting:
        ended = connection.wait(list(waiting), held.PATIENCE)
        assert ended, "a process goes on"
        waiting -= set(ended)
    assert held.started(listener.path) == []
    for handle in handles:
        os.close(handle)
    listener.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_cluster_goes_on_without_the_chapters(tmp_path, number):
    """Its workers are others' and stay; what they did for the command ends with it."""
    distributed = pytest.importorskip("distributed")
    held.table(tmp_path / "runs.csv", 12)
    listener = held.Listener(tmp_path / "pipe")
    chapters = [held.chapter(tmp_path, "21_held", held.holding_cell(listener.path))]
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        arguments = [tmp_path / "runs.csv", "--out", tmp_path / "book", "--resamples", "2", "--backend", "dask"]
        arguments += ["--scheduler", cluster.scheduler_address]
        given = (arguments, chapters, "executing", listener.path, tmp_path / "words.txt")
        process = PROCESSES.Process(target=held.held_rerun, args=given)
        process.start()
        listener.wait_until_held(process)
        os.kill(process.pid, number)
        process.join(held.PATIENCE)
        assert process.exitcode == (-number if number == signal.SIGKILL else 130)
        listener.wait_until_gone()
        with distributed.Client(cluster) as client:
            assert client.submit(sum, [1, 2]).result(held.PATIENCE) == 3
    listener.close()

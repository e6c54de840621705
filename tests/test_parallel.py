"""Work that is spread over processes or a cluster gives what one process gives, to the last bit."""

import asyncio
import http.server
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling._parallel import spread

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)


@pytest.fixture(scope="module")
def runs():
    return scaling.simulate_runs(LAW, scaling.simulate.chinchilla_like_design(120, seed=1), noise=0.01, seed=1)


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two workers on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.fixture(params=["threading", "loky", "dask"])
def backend(request):
    if request.param != "dask":
        yield request.param
        return
    from distributed import Client

    with Client(request.getfixturevalue("cluster")):
        yield "dask"


@pytest.mark.slow
def test_resamples_do_not_depend_on_who_solves_them(runs, backend):
    fit = scaling.fit_parametric(runs)
    alone = scaling.bootstrap(fit, 1100, seed=3)  # three blocks
    for n_jobs in (1, 2):
        shared = scaling.bootstrap(fit, 1100, seed=3, backend=backend, n_jobs=n_jobs)
        assert np.array_equal(shared.samples, alone.samples)
        assert (shared.at_bound, shared.not_identified) == (alone.at_bound, alone.not_identified)


@pytest.mark.slow
def test_fresh_starts_do_not_depend_on_who_solves_them(runs):
    """A table on which warm starts are trapped, so that every resample gets starts of its own."""
    flat = scaling.ChinchillaLaw(E=0.05, A=8, B=20, alpha=0.10, beta=0.12)
    fit = scaling.fit_parametric(scaling.simulate_runs(flat, runs[["params", "tokens"]].head(60), noise=0.01, seed=2))
    alone = scaling.bootstrap(fit, 600)
    assert alone.fresh_starts
    pd.testing.assert_frame_equal(scaling.bootstrap(fit, 600, backend="threading").samples, alone.samples, rtol=1e-12)


def test_held_out_errors_do_not_depend_on_who_computes_them(runs, backend):
    alone = scaling.diagnostics.holdout_table(runs, fractions=(0.1, 0.3, 0.5))
    pd.testing.assert_frame_equal(
        scaling.diagnostics.holdout_table(runs, fractions=(0.1, 0.3, 0.5), backend=backend), alone
    )


def test_a_row_of_the_table_is_a_holdout(runs):
    table, one = scaling.diagnostics.holdout_table(runs, fractions=[0.25]), scaling.holdout(runs, fraction=0.25)
    row = table.loc[0.25]
    assert row["rms"] == one.rms
    assert row["fitted"] == len(one.fit.runs)
    assert row["predicted"] == len(one.tested)
    assert row["bias"] == pytest.approx(one.tested["error"].mean())
    assert row["reach"] == one.tested["flops"].max() / one.fit.runs["flops"].max()


def test_a_fraction_that_cannot_be_held_out_says_why(runs):
    same = scaling.simulate.isoflop_design([1e20], n_sizes=8, law=LAW)
    table = scaling.diagnostics.holdout_table(scaling.simulate_runs(LAW, same.assign(flops=1e20)), fractions=[0.2])
    assert "holding out" in table.loc[0.2, "status"]


@pytest.mark.parametrize("fractions", [(), (0.2, 1.0), (-0.1,)])
def test_bad_fractions(runs, fractions):
    with pytest.raises(ValueError, match="fractions"):
        scaling.diagnostics.holdout_table(runs, fractions=fractions)


def test_bad_columns(runs):
    with pytest.raises(scaling.FitError, match="no column 'cost'"):
        scaling.diagnostics.holdout_table(runs, by="cost")


def test_dask_needs_a_client():
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="open a distributed.Client"):
        list(spread(np.sqrt, [(1,)], "dask"))


def test_results_come_in_order(backend):
    assert list(spread(divmod, [(i, 3) for i in range(20)], backend, 2)) == [divmod(i, 3) for i in range(20)]


# --- a cluster whose workers are lost --------------------------------------------------------------------------------


@contextmanager
def workers(number, *options):
    """A scheduler of its own, with workers that are other processes; the client, and the processes started."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--nthreads", "1"]
        started = [subprocess.Popen([*command, "--no-dashboard", *options]) for _ in range(number)]
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(number, timeout=300)
                yield client
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()


def kill_one(client):
    os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)


@pytest.fixture
def at_result(monkeypatch):
    """``at_result(number, act)`` acts when the cluster has given so many results."""
    from scaling._parallel import cluster

    def arrange(number, act):
        counted, whole = itertools.count(1), cluster.spread_over

        def spread_over(*given):
            for result in whole(*given):
                if next(counted) == number:
                    act()
                yield result

        monkeypatch.setattr(cluster, "spread_over", spread_over)
        return counted

    return arrange


@pytest.fixture(scope="module")
def alone():
    """Ten thousand resamples that one process has solved."""
    design = scaling.simulate.chinchilla_like_design(240, seed=1)
    fit = scaling.fit_parametric(scaling.simulate_runs(LAW, design, noise=0.01, seed=1))
    return scaling.bootstrap(fit, 10_000, seed=3)


@pytest.mark.slow
@pytest.mark.parametrize(("option", "moment"), [("--nanny", 2), ("--no-nanny", 6), ("--no-nanny", 14)])
def test_a_killed_worker_does_not_kill_a_bootstrap(alone, option, moment, at_result):
    """In the first pass over ten blocks or in the second; whether the worker is started again or not."""
    with workers(2, option) as client:
        counted = at_result(moment, lambda: kill_one(client))
        shared = scaling.bootstrap(alone.fit, 10_000, seed=3, backend="dask")
        assert next(counted) > moment, "nothing was killed"
    assert np.array_equal(shared.samples, alone.samples)


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_task_that_ends_its_workers_is_not_tried_for_ever():
    dask = pytest.importorskip("dask")
    words = "2 workers of the cluster ended while they did one and the same task"
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        workers(2, "--no-nanny"),
        pytest.raises(BrokenExecutor, match=words),
    ):
        list(spread(die, [(1,)], "dask"))


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [-1, 2])
def test_without_workers_it_says_so_and_gives_up(n_jobs, monkeypatch):
    dask = pytest.importorskip("dask")
    monkeypatch.setattr("scaling._parallel.cluster.SILENCE", 0.0)
    with (
        workers(1, "--no-nanny"),
        dask.config.set({"distributed.scheduler.no-workers-timeout": "1500ms"}),
        pytest.raises(BrokenExecutor, match="no workers for 1.5"),
        pytest.warns(match="waiting for one"),
    ):
        list(spread(die, [(1,)], "dask", n_jobs))


@pytest.mark.slow
def test_a_lost_scheduler_is_told(tmp_path):
    distributed = pytest.importorskip("distributed")
    where = ["--scheduler-file", str(tmp_path / "scheduler.json"), "--no-dashboard"]
    module = [sys.executable, "-m"]
    scheduler = subprocess.Popen([*module, "distributed.cli.dask_scheduler", "--port", "0", *where])
    worker = subprocess.Popen([*module, "distributed.cli.dask_worker", "--no-nanny", "--death-timeout", "300", *where])
    try:
        with distributed.Client(scheduler_file=where[1], timeout=300) as client:
            client.wait_for_workers(1, timeout=300)
            results = spread(divmod, itertools.repeat((7, 2), 1000), "dask")
            assert next(results) == (3, 1)
            scheduler.kill()
            with pytest.raises(ConnectionError, match="the scheduler of the cluster was lost"):
                list(results)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def test_an_error_of_a_task_is_raised_as_it_is(backend):
    with pytest.raises(ZeroDivisionError):
        list(spread(divmod, [(1, 1), (1, 0)], backend))


# --- addresses at which no scheduler answers -------------------------------------------------------------------------


@contextmanager
def listener(words=None):
    """The port of a socket that is silent, or says the same to everyone."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            try:
                while True:
                    with server.accept()[0] as guest:
                        guest.recv(1)
                        guest.sendall(words)
            except OSError:  # closed
                return

        if words is not None:
            threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def web_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def closed():
    with listener() as port:
        pass
    yield port


STRANGERS = {
    # that of Python 3.14 answers to what is no request; those before wait for its end
    "web server": (web_server, ("takes connections, but has not answered", "is not a Dask scheduler")),
    "proxy": (lambda: listener(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ("is not a Dask scheduler",)),
    "login": (lambda: listener(b"SSH-2.0-OpenSSH_9.2\r\n"), ("is not a Dask scheduler",)),
    "silent": (listener, ("takes connections, but has not answered",)),
    "closed": (closed, ("no Dask scheduler can be reached",)),
}


@pytest.mark.slow
@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_at_the_address_is_told_from_a_scheduler(stranger, runs, tmp_path):
    pytest.importorskip("distributed")  # whose defaults a setting must not come before
    dask = pytest.importorskip("dask")
    from click.testing import CliRunner

    from scaling.cli import main

    make, words = STRANGERS[stranger]
    runs.to_csv(tmp_path / "runs.csv", index=False)
    with make() as port, dask.config.set({"distributed.comm.timeouts.connect": "500ms"}):
        address = f"tcp://127.0.0.1:{port}"
        command = ["rerun", str(tmp_path / "runs.csv"), "--out", str(tmp_path / "book"), "--backend", "dask"]
        result = CliRunner().invoke(main, [*command, "--scheduler", address])
    assert result.exit_code == 3, result.exception
    assert address in result.output
    assert any(each in result.output for each in words)
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


@pytest.mark.parametrize("address", ["", "nonsense", "http://127.0.0.1:8787", "tcp://127.0.0.1:port"])
def test_what_is_no_address(address):
    pytest.importorskip("distributed")
    from scaling._parallel.cluster import connected

    with pytest.raises(ConnectionError, match="no Dask scheduler can be reached at"), connected(address):
        pass


@pytest.mark.parametrize("loop", ["none", "running"])
def test_the_address_of_a_worker_is_not_that_of_the_scheduler(cluster, loop):
    """Called from a script, and from a notebook, in whose thread a loop is running."""
    from scaling._parallel.cluster import connected

    def ask():
        with connected(cluster.scheduler_address) as client:
            (address, *_) = client.nthreads()
        with pytest.raises(ConnectionError, match="is a Dask worker"), connected(address):
            pass

    async def cell():
        ask()

    if loop == "none":
        ask()
    else:  # in a thread of its own: a browser's loop may run in this one
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, cell()).result()

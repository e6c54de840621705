"""``scaling fit --out``: only plain files that are ours are replaced, whole or not at all."""

import json
import os
import signal
import socket
import stat
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from full_disk import FullDisk

import scaling
from scaling.cli import COMMANDS, main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes, limits and signals are those of POSIX")
SIGHUP = getattr(signal, "SIGHUP", signal.SIGTERM)
OLD = '{"theirs": 1}\n'


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def fit(table, out, *more):
    return run("fit", table, "--approach", "3", "--resamples", "2", "--out", out, *more)


@pytest.fixture
def table(sound_table, tmp_path):
    """A table in a folder of its own."""
    path = tmp_path / "runs.csv"
    path.write_bytes(sound_table.read_bytes())
    return path


def test_every_option_that_writes_is_known_here():
    """A new one has to be tested for what it replaces: ``fit`` here, the others in their rooms."""
    found = {}
    for name in COMMANDS:
        options = main.get_command(None, name).params
        found[name] = {each.name for each in options if each.name in {"out", "output", "save", "write", "plot", "log"}}
    assert {name: options for name, options in found.items() if options} == {
        name: {"out"} for name in ("collect", "course", "fit", "rerun")
    }


def test_what_was_written_is_replaced(table, tmp_path):
    out = tmp_path / "fit.json"
    assert fit(table, out).exit_code == 0
    out.chmod(0o600)
    first = out.read_text()
    assert fit(table, out, "--seed", "1").exit_code == 0
    assert json.loads(out.read_text())["options"]["seed"] == 1
    assert out.read_text() != first
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_new_file_is_for_whom_the_user_says(table, tmp_path):
    mask = os.umask(0o027)
    try:
        assert fit(table, tmp_path / "fit.json").exit_code == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "fit.json").stat().st_mode) == 0o640


def test_an_empty_file_is_filled(table, tmp_path):
    (tmp_path / "fit.json").touch()
    assert fit(table, tmp_path / "fit.json").exit_code == 0
    assert json.loads((tmp_path / "fit.json").read_text())["approaches"]


@pytest.mark.parametrize("content", [OLD, "# thesis", "[]", '{"input": 1, "versions": [], "options": 2}', "[" * 20_000])
def test_another_file_needs_force(table, tmp_path, content):
    out = tmp_path / "other.json"
    out.write_text(content)
    with patch("scaling.cli.fit.read_runs", side_effect=AssertionError("before any work")):
        refused = run("fit", table, "--out", out)
    assert refused.exit_code == 1
    assert "--force" in refused.output
    assert out.read_text() == content
    if content == OLD:
        assert fit(table, out, "--force").exit_code == 0
        assert json.loads(out.read_text())["approaches"]


def link(place, tmp_path):
    (tmp_path / "theirs.json").write_text(OLD)
    place.symlink_to(tmp_path / "theirs.json")


def dangling_link(place, tmp_path):
    place.symlink_to(tmp_path / "nothing.json")


def pipe(place, _):
    os.mkfifo(place)


def a_socket(place, _):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(place))


def folder(place, _):
    place.mkdir()


@pytest.mark.parametrize("make", [link, dangling_link, pipe, a_socket, folder])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_what_is_no_plain_file_is_left_as_it_is(table, tmp_path, monkeypatch, make, force):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    make(Path("out"), tmp_path)
    before = os.lstat("out")
    refused = fit(table, "out", *force)
    assert refused.exit_code == 1
    assert "left as it is" in refused.output
    after = os.lstat("out")
    assert (before.st_mode, before.st_ino, before.st_mtime_ns) == (after.st_mode, after.st_ino, after.st_mtime_ns)
    assert not (tmp_path / "nothing.json").exists()
    if make is link:
        assert (tmp_path / "theirs.json").read_text() == OLD


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full", "/dev/stdout"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_no_device_is_written(table, device, force):
    if not os.path.lexists(device):
        pytest.skip(f"there is no {device} here")
    before = os.lstat(device)
    assert fit(table, device, *force).exit_code == 1
    assert (os.lstat(device).st_mode, os.lstat(device).st_ino) == (before.st_mode, before.st_ino)


def test_the_table_is_never_written(table, tmp_path):
    before = table.read_bytes()
    (tmp_path / "same.csv").hardlink_to(table)
    (tmp_path / "linked").symlink_to(tmp_path)
    for out in (table, tmp_path / "same.csv", tmp_path / "linked" / "runs.csv", tmp_path / "linked" / ".." / table):
        refused = fit(table, out, "--force")
        assert refused.exit_code == 1
        assert "never changed" in refused.output
    assert table.read_bytes() == before
    packed = tmp_path / "packed"
    packed.mkdir()
    scaling.load_runs(table).to_parquet(packed / "part.parquet")
    assert "never changed" in fit(packed, packed / "fit.json", "--force").output
    assert [path.name for path in packed.iterdir()] == ["part.parquet"]


def test_a_data_set_is_never_written(monkeypatch):
    path = scaling.sources.fetch("small_sweep")
    before = path.read_bytes()
    refused = fit("small_sweep", path, "--force")
    assert "never changed" in refused.output
    assert path.read_bytes() == before


def test_what_comes_to_stand_there_meanwhile_is_left_as_it_is(table, tmp_path):
    out = tmp_path / "fit.json"

    def meanwhile(result):
        out.write_text(OLD)
        return json.dumps(result, default=str)

    with patch("scaling.cli.fit.to_json", meanwhile):
        assert fit(table, out).exit_code == 1
    assert out.read_text() == OLD


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the names of open files are Linux's")
def test_on_a_full_disk_what_was_there_stays(table, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    out = place / "fit.json"
    out.write_text(OLD)
    with FullDisk(place) as disk:
        assert fit(table, out, "--force").exit_code == 0
    assert disk.count == 2, "the letters of a file, and its renaming"
    for at in range(1, disk.count + 1):
        out.write_text(OLD)
        with FullDisk(place, at):
            full = fit(table, out, "--force")
        assert full.exit_code == 3
        assert full.output.splitlines()[-1] == (
            f"error: --out {out} could not be written, and nothing there was changed: no space is left on the disk"
        )
        assert out.read_text() == OLD
        assert [path.name for path in place.iterdir()] == ["fit.json"]


@pytest.mark.parametrize("number", [signal.SIGTERM, SIGHUP, signal.SIGINT])
def test_interrupted_while_it_writes(table, tmp_path, number):
    out, replace = tmp_path / "fit.json", os.replace

    def interrupted(*names):
        os.kill(os.getpid(), number)
        replace(*names)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    try:
        with patch("os.replace", interrupted):
            ended = fit(table, out)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.exit_code == 130
    assert "interrupted" in ended.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv"]

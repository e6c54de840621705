"""The page from raw files to laws: it runs as printed, each command is one that was advised, and the law is right."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "book/raw_files.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
TRUTH = {"E": 1.7, "A": 400, "B": 1000, "alpha": 0.34, "beta": 0.36}
#: what stands in a command by the reader's choice, not by advice
OURS = {"--approach", "--resamples", "--out", "-o", "--bytes-per-token"}


def shell(code, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}
    return subprocess.run(["bash", "-uc", code], cwd=folder, env=environment, capture_output=True, text=True)


def options(command):
    """The options of a command with their values, but those that are the reader's choice."""
    words = iter(shlex.split(command))
    return {(word, next(words)) for word in words if word.startswith("-") and word not in OURS}


def as_words(text):
    return re.sub(r"\s+", " ", text)


def play(blocks, folder):
    """Run the blocks of a dialogue, and judge each command by what was said before it; the commands."""
    said, commands, latest = "", [], ""
    for kind, text in blocks:
        if kind == "text":
            missing = [line for line in text.splitlines() if as_words(line) not in as_words(latest)]
            assert not missing, f"{missing} not in\n{latest}"
            continue
        latest = ""
        lines = [text] if text.startswith("python") else text.replace("\\\n", " ").splitlines()
        for line in lines:
            run = shell(line, folder)
            allowed = (0, 1) if line.startswith("scaling check") else (0,)
            assert run.returncode in allowed, f"{line}\n{run.stderr[-2000:]}"
            latest += run.stdout + run.stderr
            if line.startswith("scaling"):
                for option, value in options(line):
                    plain = said.replace("'", "")
                    assert f"{option} {value}" in plain, f"{option} {value} was not advised in\n{said}"
                said += run.stdout + run.stderr
                commands.append(line)
    return commands


def laws(path):
    """The constants of approach 3 with their intervals, of each family in the record of a fit."""
    record = json.loads(path.read_text())
    found = {}
    for family, each in record.get("groups", {"all": record}).items():
        constants = each["approaches"]["3"]["constants"]
        found[family] = {one["name"]: (one["estimate"], one["low"], one["high"]) for one in constants}
    return found


def is_right(law, truth):
    """Whether the intervals hold the truth, and the exponents are within a tenth of it."""
    near = all(abs(law[name][0] / truth[name] - 1) < 0.1 for name in ("alpha", "beta"))
    return near and all(law[name][1] <= truth[name] <= law[name][2] for name in truth)


def width(law):
    """The width of the interval of alpha."""
    return law["alpha"][2] - law["alpha"][1]


@pytest.mark.slow
@pytest.mark.parametrize("title", SECTIONS)
def test_each_dialogue_ends_in_the_law_behind_its_file(title, tmp_path):
    blocks = re.findall(r"```(bash|text)\n(.*?)```", SECTIONS[title], flags=re.DOTALL)
    commands = play(blocks, tmp_path)
    assert 2 <= len(commands) <= 3
    last, record = commands[-1], next(tmp_path.glob("*.json"))
    assert f"--out {record.name}" in last
    families = {"web": TRUTH, "code": TRUTH | {"E": 0.9}} if "--group" in last else {"all": TRUTH}
    found = laws(record)
    assert found.keys() == families.keys()
    for family, truth in families.items():
        assert is_right(found[family], truth), found[family]
    # and what was advised is needed: without it there is no law, a wrong one, or one that is known far less well
    kept = re.sub(r"--(best-of|group|run|derive|column (?=params|flops))\s*(?:[^\s']|'[^']*')+", "", last)
    assert kept != last
    record.unlink()
    if shell(kept, tmp_path).returncode == 0:
        other = laws(record)["all"]
        assert not is_right(other, TRUTH) or width(other) > 2 * min(map(width, found.values()))

"""What runs on others' machines: sound by the schema and a linter, and every command in it exists here."""

import re
import shlex
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TARGETS = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[1].split()


def jobs(path):
    return yaml.safe_load(path.read_text())["jobs"]


def commands():
    """Every command of every workflow."""
    for path in WORKFLOWS:
        for job in jobs(path).values():
            for step in job["steps"]:
                if "run" in step:
                    yield path.stem, step["run"]


def tool(name, *arguments):
    command = [Path(sysconfig.get_path("scripts"), name), *arguments, *WORKFLOWS]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_there_are_tests_a_book_and_a_release():
    assert [path.stem for path in WORKFLOWS] == ["book", "release", "tests"]


@pytest.mark.slow
def test_workflows_follow_the_schema():
    checked = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_linter_finds_nothing():
    checked = tool("zizmor", "--offline", "--config", ROOT / ".github/zizmor.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_the_schema_and_the_linter_can_fail(path, tmp_path):
    """The same file with a misspelt key, and with a secret-bearing checkout, is not sound."""
    text = path.read_text()
    scripts = Path(sysconfig.get_path("scripts"))
    misspelt = tmp_path / "misspelt.yml"
    misspelt.write_text(text.replace("runs-on:", "run-on:"))
    command = [scripts / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", misspelt]
    assert subprocess.run(command, capture_output=True).returncode
    leaking = tmp_path / "leaking.yml"
    leaking.write_text(text.replace("persist-credentials: false", "persist-credentials: true"))
    if leaking.read_text() != text:
        assert subprocess.run([scripts / "zizmor", "--offline", leaking], capture_output=True).returncode


def test_every_target_and_tool_exists():
    found = set()
    for _, command in commands():
        if named := re.match(r"(?:make|python tools/make\.py) (.+)", command):
            targets = [word for word in shlex.split(named[1]) if "=" not in word]
            assert set(targets) <= set(TARGETS), command
            found |= set(targets)
        for script in re.findall(r"tools/\w+\.py|tests/\S+\.py|constraints\S+\.txt", command):
            assert (ROOT / script).is_file(), command
    assert {"environment", "check", "lint", "test", "book"} <= found


def test_every_system_and_python_is_tried():
    matrix = jobs(ROOT / ".github/workflows/tests.yml")["quick"]["strategy"]["matrix"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert matrix["python"] == named
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}


def test_every_action_is_the_platforms_own_at_a_version():
    for path in WORKFLOWS:
        for used in re.findall(r"uses: (\S+)", path.read_text()):
            assert re.fullmatch(r"actions/[\w-]+@v\d+", used), used


def test_nobody_claims_that_they_have_run():
    for path in WORKFLOWS:
        assert path.read_text().startswith("# No runner has seen this file yet")
    assert "no runner has seen" in re.sub(r"\s+", " ", (ROOT / "book/status.md").read_text())


def test_lowest_versions_are_those_of_pyproject():
    """One line for each dependency of the package and of its extras, at the version where its claim begins."""
    lists = PROJECT["optional-dependencies"]
    extras = sorted(set(lists) - {"book", "course", "checks", "test", "sweep"})
    claimed = {}
    for requirement in map(Requirement, sum((lists[name] for name in extras), PROJECT["dependencies"])):
        (lowest,) = [each.version for each in requirement.specifier if each.operator in (">=", "==")]
        claimed[canonicalize_name(requirement.name)] = Version(lowest)
    lines = (ROOT / "constraints-lowest.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert lines[1:] == sorted(lines[1:])
    assert {name: Version(lowest) for name, lowest in pinned.items()} == claimed
    (command,) = [command for _, command in commands() if "constraints-lowest.txt" in command]
    assert f"'.[{','.join(extras)}]'" in command


def test_contributors_are_told_what_the_workflow_does_with_the_lowest_versions():
    page = (ROOT / "CONTRIBUTING.md").read_text()
    lowest = [command for _, command in commands() if ".venv-lowest/bin" in command]
    assert len(lowest) == 2
    assert all(command in page for command in lowest)

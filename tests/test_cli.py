"""The command ``scaling``: what each command prints, its exit codes, its errors."""

import json

import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main


def run(*arguments):
    """The result of ``scaling ARGUMENTS``; an exception that a command let through is raised again."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize("command", sorted(main.commands))
def test_help_teaches_by_an_example(command):
    words = run(command, "--help").output
    assert f"scaling {command}" in words.split("Example", 1)[1]


def test_datasets_are_those_of_the_package():
    rows = json.loads(run("datasets", "--json").output)
    assert [row["name"] for row in rows] == list(scaling.list_datasets().index)
    assert all(name in run("datasets").output for name in scaling.list_datasets().index)


def test_an_unknown_command_is_a_wrong_command_line():
    assert run("nothing").exit_code == 2

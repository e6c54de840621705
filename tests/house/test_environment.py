"""How the environment is made: by uv, or else by pip; what is half made goes away; without make too."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import environment
import make
import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[1].split()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose environment is made by recorders in place of venv, ensurepip, uv and pip."""
    folder, done = tmp_path / "tests" / "checkout", []
    folder.mkdir(parents=True)
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    monkeypatch.setattr(environment, "ROOT", folder)
    monkeypatch.setattr(environment, "VENV", folder / ".venv")
    monkeypatch.setattr(environment, "STAMP", folder / ".venv" / "finished")
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(environment, "start", lambda: (folder / ".venv").mkdir(exist_ok=True))
    monkeypatch.setattr(environment, "bring_pip", lambda: done.append("ensurepip"))
    monkeypatch.setattr(environment, "install_by_uv", lambda: done.append("uv"))
    monkeypatch.setattr(environment, "install_by_pip", lambda *what, total: done.append(("pip", *what)))
    return folder, done


def test_uv_installs_and_a_finished_environment_is_left_alone(checkout, capsys):
    _, done = checkout
    assert environment.main([]) == 0
    assert environment.main([]) == 0
    assert done == ["uv"]
    assert "Environment ready" in capsys.readouterr().out


def test_an_activated_environment_is_made_anew_by_the_python_beneath(tmp_path):
    """As after a pull that moved a pin: `make` then runs the Python of the environment that goes away."""
    folder, code = tmp_path / ".venv", "import environment as e, pathlib; e.VENV = pathlib.Path({!r}); e.start()"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    inside = folder / environment.PYTHON.relative_to(environment.VENV)
    (folder / "old").touch()
    subprocess.run([inside, "-c", code.format(str(folder))], cwd=ROOT / "tools", check=True)
    assert not (folder / "old").exists()
    assert subprocess.run([inside, "-c", ""]).returncode == 0


@pytest.mark.parametrize("error", [OSError("no uv"), subprocess.CalledProcessError(2, "uv")])
def test_where_uv_fails_pip_installs_the_same_with_a_word(checkout, monkeypatch, capsys, error):
    _, done = checkout

    def fail():
        raise error

    monkeypatch.setattr(environment, "install_by_uv", fail)
    assert environment.main([]) == 0
    assert done == [
        "ensurepip",
        ("pip", "--require-hashes", "-r", environment.PINS),
        ("pip", *environment.ITSELF),
    ]
    out = capsys.readouterr().out
    assert str(error) in out
    assert "pip does" in out


@pytest.mark.parametrize(("error", "status"), [(OSError("disk full"), 1), (KeyboardInterrupt(), 130)])
def test_what_is_half_made_goes_away(checkout, monkeypatch, capsys, error, status):
    folder, _ = checkout

    def fail(*what, total=0):
        raise error

    monkeypatch.setattr(environment, "install_by_uv", fail)
    monkeypatch.setattr(environment, "install_by_pip", fail)
    assert environment.main([]) == status
    assert not (folder / ".venv").exists()
    assert "the half-made .venv was removed" in capsys.readouterr().err


def test_another_python_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(environment, "NEWEST", (3, 10))
    assert environment.main([]) == 1
    assert "the pins are for" in capsys.readouterr().err


def test_uv_is_told_pips_settings():
    """In pip's order: files, then what is set for `install`, then the process's environment."""
    listing = "\n".join(
        [
            ":env:.find-links='wheels more'",
            ":env:.timeout='180'",
            "global.cert='certificates.pem'",
            "global.constraint='constraints.txt'",
            "global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'",
            "global.index-url='https://public.example/simple'",
            "install.index-url='https://company.example/simple'",
        ]
    )
    assert environment.settings(listing) == {
        "UV_FIND_LINKS": "wheels,more",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "certificates.pem",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_DEFAULT_INDEX": "https://company.example/simple",
    }
    assert environment.settings("") == {}


def test_pip_lists_its_settings_as_we_read_them(tmp_path):
    """The pip of this environment, asked for real."""
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://company.example/simple\n")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    told = own | {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_NO_INDEX": "1"}
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, env=told, capture_output=True, text=True, check=True).stdout
    found = environment.settings(listing)
    assert found["UV_DEFAULT_INDEX"] == "https://company.example/simple"
    assert found["UV_NO_INDEX"] == "1"


def test_what_is_compiled_does_not_depend_on_where_the_checkout_lies():
    unused = re.compile(environment.UNUSED)
    place = "/tests/mypy/.venv/lib/python3.11/site-packages/"
    assert unused.search(place + "numpy/linalg/tests/test_linalg.py")
    assert unused.search(place + "mypy/build.py")
    assert not unused.search(place + "numpy/testing/__init__.py")
    assert not unused.search(place + "_pytest/mark/__init__.py")


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"help", "environment"}))
def test_without_make_the_same_commands_run(target):
    """tools/make.py says what make says, with a variable that is given too."""
    variables = ["WORKERS=3", "PYTEST_ARGS=-k 'one or two'", "RUNS=one two", f"PYTHON={sys.executable}"]
    ways = (["make", "--no-print-directory", "-o", "environment"], [sys.executable, "tools/make.py"])
    expected, said = (subprocess.check_output([*way, "-n", target, *variables], cwd=ROOT, text=True) for way in ways)
    assert said.replace("'", "").replace('"', "").split() == expected.replace("'", "").replace('"', "").split()
    assert said


def test_without_make_a_wrong_target_is_named():
    run = subprocess.run([sys.executable, ROOT / "tools/make.py", "bake"], capture_output=True, text=True)
    assert run.returncode == 1
    assert "no target 'bake'" in run.stderr


def test_without_make_programs_are_found_where_this_system_has_them(tmp_path, monkeypatch):
    tool = tmp_path / ("ruff.exe" if os.name == "nt" else "ruff")
    tool.touch(mode=0o755)
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")
    assert make.program(".venv/bin/ruff") == str(tool)
    assert make.program("elsewhere") == "elsewhere"


def test_every_python_of_the_pins_is_named_wherever_one_is():
    minors = [f"3.{minor}" for minor in range(environment.OLDEST[1], environment.NEWEST[1] + 1)]
    classifiers = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert classifiers == minors
    check = re.search(r"(\(3, \d+\)) <= sys.version_info\[:2\] <= (\(3, \d+\))", (ROOT / "Makefile").read_text())
    assert [ast.literal_eval(each) for each in check.groups()] == [environment.OLDEST, environment.NEWEST]
    words = f"{', '.join(minors[:-1])} {{}} {minors[-1]}"
    for page, word in (("README.md", "or"), ("CONTRIBUTING.md", "or"), ("book/status.md", "and"), ("Makefile", "or")):
        assert words.format(word) in (ROOT / page).read_text(), page

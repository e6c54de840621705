"""The house around the package: pins in step, nothing private in the files, a wheel that works, commands as printed."""

import gzip
import importlib.metadata
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import leaks
import numpy as np
import pandas as pd
import pins as tools_pins
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import scaling
from scaling.sources.files import checksum
from scaling.sources.sets import SETS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def stanzas(file):
    """Each requirement of a file of pins, with the hashes below it."""
    text = re.sub(r"^#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE).replace("\\\n", "")
    for line in text.splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line)
        yield Requirement(requirement), hashes


def pins(*files):
    """Name and version of every pin of requirements.txt that applies here, or of the files that are named."""
    found = {}
    for requirement, _ in itertools.chain.from_iterable(map(stanzas, files or ["requirements.txt"])):
        if requirement.marker is None or requirement.marker.evaluate():
            ((operator, version),) = [(each.operator, each.version) for each in requirement.specifier]
            assert operator == "==", requirement
            found[canonicalize_name(requirement.name)] = version
    return found


def declared():
    """Every requirement that pyproject.toml states."""
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values(), PROJECT["build-system"]["requires"]]
    return [Requirement(text) for names in lists for text in names]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-uv.txt"])
def test_every_pin_has_hashes_and_no_address(file):
    """So `pip install --require-hashes` takes it; which index it asks is the reader's choice."""
    pinned = list(stanzas(file))
    assert pinned
    for requirement, hashes in pinned:
        assert re.fullmatch(r"==[A-Za-z0-9.!+]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


def test_training_pins_are_plain():
    """The build of PyTorch, and so its hash, is the machine's choice."""
    for line in (ROOT / "requirements-sweep.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line), line


def test_pins_are_for_every_platform():
    """What only another platform needs is there too, with a marker."""
    marked = {requirement.name: str(requirement.marker) for requirement, _ in stanzas("requirements.txt")}
    assert "darwin" in marked["appnope"]
    assert "win32" in marked["colorama"]


def test_pins_are_of_what_pyproject_asks_for():
    """tools/pins.py makes them of the extras that are not trained with."""
    assert {option.partition("=")[2] for option in tools_pins.EXTRAS} == set(EXTRAS) - {"sweep"}


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_pins_satisfy_pyproject(requirement):
    name, pinned = canonicalize_name(requirement.name), pins("requirements.txt", "requirements-sweep.txt")
    assert name in pinned, f"{name} is in pyproject.toml but neither in requirements.txt nor requirements-sweep.txt"
    assert requirement.specifier.contains(pinned[name], prereleases=True)


def test_environment_yml_takes_the_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.txt"]  # where hashes are asked for, pip takes no folder in the same call
    assert "pip install --no-deps --no-build-isolation -e ." in (ROOT / "postBuild").read_text()
    python = dict(entry.split("=") for entry in conda if "=" in entry)["python"]
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"{python}.0")


def test_pins_are_closed():
    """Every dependency of a pinned package that applies here is pinned too, at a version that it accepts."""
    pinned = pins()
    for name in pinned:
        try:
            requires = importlib.metadata.distribution(name).requires or []
        except importlib.metadata.PackageNotFoundError:
            continue  # a pin for another version of Python
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                version = pinned.get(canonicalize_name(requirement.name))
                assert version, f"{name} needs {requirement}, which is not pinned"
                assert requirement.specifier.contains(version, prereleases=True), f"{name} needs {requirement}"


def test_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == scaling.__version__
    assert f"## {scaling.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def instructions():
    """Every `pip install` that a page or a message of the package prints: the file and what is to be installed."""
    printed = [*ROOT.glob("*.md"), *ROOT.glob("book/*.md"), *ROOT.glob("templates/*"), *ROOT.glob("data/**/*.md")]
    for path in [*printed, *ROOT.glob("scaling/**/*.py")]:
        if path.is_file():
            for found in re.finditer(r"pip install ((?:-\w )?[^\s`\"]+)", path.read_text()):
                yield path.relative_to(ROOT).as_posix(), found[1]


def test_what_is_said_to_install_is_this_project():
    """From its folder and with an extra that it has: on an index, the short name is somebody else's."""
    extras, found = PROJECT["project"]["optional-dependencies"], dict(instructions())
    # the command names the extra that its packages belong to
    commands = "".join((ROOT / f"scaling/cli/{name}.py").read_text() for name in ("course", "rerun"))
    needed = set(re.findall(r'\bneed\(.*"(\w+)"\)', commands))
    assert needed == {"book", "cluster", "course"} <= set(extras)
    for place, what in instructions():
        named = re.fullmatch(r"-e '\.\[([\w{},]+)\]'", what)
        assert named, f"{place}: pip install {what}"
        is_told = (place, named[1]) == ("scaling/cli/folder.py", "{extra}")
        assert is_told or set(named[1].split(",")) <= set(extras), place
    messages = {
        "scaling/runs/logs/log.py",
        "scaling/_parallel/spreading.py",
        "scaling/runs/reading/parquet.py",
        "scaling/cli/folder.py",
    }
    assert messages | {"book/rerun.md"} <= set(found)


def tracked_files():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_machine_paths_or_registry_hosts():
    folders = "|".join(["root", "work", "tmp", "home", "Users"])
    hosts = "|".join(["py" + "pi", "python" + "hosted", "npm" + "js", "deb" + "ian.org", "ana" + "conda.org"])
    private = re.compile(rf"(?<![\w.~])/({folders})/[\w.]|\b({hosts})\b")
    found = []
    for path in tracked_files():
        if path.name == ".gitignore" or path.suffix in {".png", ".ico", ".gz", ".woff2"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := private.search(re.sub(r'"image/png": ".*"', "", line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert not found, "\n".join(found)


def test_downloaded_sets_are_not_committed():
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    for dataset in scaling.sources.list_datasets().query("kind == 'downloaded'").index:
        ours = {f"data/{dataset}/{name}" for name in ("README.md", "files.csv")}
        assert not [name for name in names if f"{dataset}/" in name and name not in ours]


def test_no_file_is_one_of_a_downloaded_set():
    others = {pin.sha256 for dataset in SETS.values() for pin in dataset.files}
    assert not [path for path in tracked_files() if checksum(path) in others]


@pytest.fixture(scope="module")
def triples():
    """What every file that may hold a table has of three numbers in a row."""
    kinds = {".csv", ".json", ".ipynb", ".md", ".py", ".txt", ".tsv"}
    texts = {path: path.read_text() for path in tracked_files() if path.suffix in kinds}
    texts |= {path: gzip.decompress(path.read_bytes()).decode() for path in tracked_files() if path.suffix == ".gz"}
    return {path.relative_to(ROOT).as_posix(): leaks.triples_in(text) for path, text in texts.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_no_file_holds_rows_of_a_downloaded_set(name, triples):
    if not scaling.sources.is_available(name):
        pytest.skip(f"the runs of {name} are not here")
    rows = leaks.rows_of(scaling.sources.read_dataset(name))
    found = {path: leaks.shown(rows, each) for path, each in triples.items()}
    assert {path: count for path, count in found.items() if count > 8} == {}


@pytest.mark.parametrize("form", ["copied", "rounded", "in a page", "as JSON"])
def test_rows_of_a_set_are_found_in_any_form(form):
    random = np.random.default_rng(1)
    table = pd.DataFrame({"run": range(40), "params": random.uniform(1e6, 1e9, 40), "loss": random.uniform(2, 4, 40)})
    text = {
        "copied": table.to_csv(),
        "rounded": table[["loss", "params"]].round(3).to_csv(sep="\t"),
        "in a page": table.to_string(),
        "as JSON": json.dumps(table.to_dict("records")),
    }[form]
    assert leaks.shown(leaks.rows_of(table), leaks.triples_in(text)) >= 35
    others = table.assign(loss=random.uniform(2, 4, 40))
    assert leaks.shown(leaks.rows_of(others), leaks.triples_in(text)) == 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources so that nothing is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in ("scaling", "data", "book", "notebooks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", *PROJECT["project"]["license-files"]):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source / "dist", source]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    (path,) = (source / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of an empty environment that has the wheel, and its folder of packages."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True)
    # NumPy and the rest are taken from where the tests run: a .pth inside that folder is not followed
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    return python, site


def test_the_wheel_has_every_package():
    """A folder of modules that is not named is not in the wheel, where nobody misses it until a command fails."""
    made = {"scaling._data", "scaling._book", "scaling._notebooks"}  # of other folders
    named = set(PROJECT["tool"]["setuptools"]["packages"]) - made
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "scaling").rglob("__init__.py")}
    assert named == there


def test_wheel_works_outside_the_checkout(installed, tmp_path):
    """In an empty environment the wheel imports, every module of it, and finds its tables."""
    python, site = installed
    script = (
        "import importlib, importlib.metadata, pkgutil, scaling\n"
        "for module in pkgutil.walk_packages(scaling.__path__, 'scaling.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "print(scaling.__file__)\n"
        f"assert importlib.metadata.version('{PROJECT['project']['name']}') == scaling.__version__\n"
        "tables = scaling.counting.architectures(), scaling.sources.large_models()\n"
        "from scaling.sources import datasets\n"
        "for name in datasets.dataset_names():\n"
        "    assert datasets.passport_of(datasets.find_dataset(name)[0]).is_file(), name\n"
        "    assert len(scaling.sources.dataset_checksum(name)) == 64\n"
        "print(float(scaling.published('hoffmann2022/eq10/E')), *map(len, tables))\n"
    )
    run = subprocess.run([python, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    place, numbers = run.stdout.splitlines()
    assert Path(place).is_relative_to(site)
    assert numbers == "1.69 50 6"
    assert (site / "scaling" / "_data" / "README.md").is_file()


def test_rerun_works_from_the_wheel(installed, tmp_path):
    """The wheel carries the chapters and all that a book of one's own runs is made of."""
    law = scaling.ChinchillaLaw(E=1.9, A=300, B=900, alpha=0.32, beta=0.34)
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=6, law=law)
    scaling.simulate_runs(law, design, noise=0.003).to_csv(tmp_path / "runs.csv", index=False)
    script = "from scaling.cli import main; main()"
    arguments = ["rerun", "runs.csv", "--out", "book", "--chapters", "06", "--resamples", "20", "--json"]
    run = subprocess.run([installed[0], "-I", "-c", script, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    summary = json.loads(run.stdout)
    assert [each["outcome"] for each in summary["chapters"]] == ["done"]
    assert not summary["complaints"]
    assert (tmp_path / "book" / "notebooks" / "06_isoflop.html").is_file()


def test_course_works_from_the_wheel(installed, tmp_path):
    """The wheel carries the lectures and the style of a kit, and finds the chapters that it brings."""
    arguments = ["course", "--out", "kit", "--chapters", "19", "--stored"]
    script = "from scaling.cli import main; main()"
    run = subprocess.run([installed[0], "-I", "-c", script, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for part in ("student/19_promises.ipynb", "slides/19_promises.html", "style/slides.js", "handouts/formulas.html"):
        assert (tmp_path / "kit" / part).is_file(), part


def commands(page):
    """The shell blocks of a page, each with the output printed below it (None where there is none).

    Blocks that set things up (make, git, source) are what these tests stand on, and are left out.
    """
    blocks = re.findall(r"```bash\n(.*?)```(?:\s*```text\n(.*?)```)?", (ROOT / page).read_text(), flags=re.DOTALL)
    return [(code, output or None) for code, output in blocks if not re.match(r"(make|git|source)\b", code)]


@pytest.mark.slow  # a book is among what they make
@pytest.mark.parametrize("page", ["README.md", "book/rerun.md"])
def test_commands_run_as_printed(page, tmp_path):
    """In order and in one folder, as a reader would."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    blocks = commands(page)
    assert blocks
    for code, output in blocks:
        missing = [
            name
            for name in scaling.sources.list_datasets().index
            if name in code and not scaling.sources.is_available(name)
        ]
        if missing:
            continue
        run = subprocess.run(
            ["bash", "-euc", code], cwd=tmp_path, env=os.environ | {"PATH": path}, capture_output=True, text=True
        )
        assert run.returncode == 0, f"{code}\n{run.stderr[-3000:]}"
        if output is not None:
            assert run.stdout.strip() == output.strip()

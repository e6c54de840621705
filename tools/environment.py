"""Make or refresh `.venv`: the exact pins of requirements.txt and the package itself, in place.

uv installs them, which pip brings into a temporary folder; where uv cannot be had or fails, pip installs them itself.
With --sweep, what training needs is added (requirements-sweep.txt). Run by the Makefile with any Python 3.11 to 3.14;
uses the standard library only. A finished environment carries a stamp that says for which folder, which Python and
which pins it was made; without the stamp it is made anew.
"""

import ast
import contextlib
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "finished"
SWEEP_STAMP = VENV / "finished-sweep"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = ROOT / "requirements.txt"
UV_PIN = ROOT / "requirements-uv.txt"
SWEEP_PINS = ROOT / "requirements-sweep.txt"
ITSELF = ["--no-deps", "--no-build-isolation", "-e", ROOT]
#: the tests of others, and what no chapter or test imports: a third of all code
UNUSED = r"site-packages[/\\]((pip|setuptools|mypyc?|fontTools)|.*[/\\]tests?)[/\\]"
OLDEST, NEWEST = (3, 11), (3, 14)

#: pip's settings, and uv's names for them; uv reads none of pip's by itself
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}


def identity() -> str:
    """What the environment depends on: the folder, the Python, the pins and the package's own settings."""
    pins = PINS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return f"{ROOT}\n{platform.python_version()}\n{hashlib.sha256(pins).hexdigest()}\n"


def is_finished() -> bool:
    """Whether the stamp matches and the environment's Python still starts."""
    if not STAMP.is_file() or STAMP.read_text() != identity() or not PYTHON.exists():
        return False
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('scaling') is None)"
    return subprocess.run([PYTHON, "-c", probe], cwd=VENV, capture_output=True).returncode == 0


def count(pins: Path) -> int:
    """How many packages a file of pins names."""
    return len(re.findall(r"^[\w.-]+==", pins.read_text(), flags=re.MULTILINE))


def bring_pip() -> None:
    """Install the pip that comes with Python into the environment."""
    subprocess.run([PYTHON, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)


def settings(listing: str) -> dict[str, str]:
    """The environment variables that tell uv what `pip config list` says."""
    found = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", listing, flags=re.MULTILINE):
            found[name] = ast.literal_eval(value)
    separators = {"extra-index-url": " ", "trusted-host": " ", "find-links": ","}
    return {
        variable: separators[name].join(found[name].split()) if name in separators else found[name]
        for name, variable in SETTINGS.items()
        if name in found
    }


@contextlib.contextmanager
def uv() -> Iterator[tuple[list[str], dict[str, str]]]:
    """uv's command and its environment variables; pip brings it into a folder that goes away again."""
    own = importlib.util.find_spec("pip") is not None
    if not own:
        bring_pip()
    pip = [sys.executable if own else PYTHON, "-m", "pip", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory(prefix="scaling-uv-") as folder:
        bring = ["install", "-qq", "--require-hashes", "--no-compile", "--target", folder, "-r", UV_PIN]
        subprocess.run([*pip, *bring], check=True, env=os.environ | {"PIP_REQUIRE_VIRTUALENV": "0"})
        listing = subprocess.run([*pip, "config", "list"], check=True, stdout=subprocess.PIPE, text=True).stdout
        # like pip, take a version from any index that has it: the hashes say that it is the right one
        told = settings(listing) | {"UV_INDEX_STRATEGY": "unsafe-best-match"} | os.environ
        yield [shutil.which("uv", path=Path(folder, "bin")), "pip"], told


def install_by_uv() -> None:
    """Let uv install the pins and the package; its progress is for a terminal only."""
    with uv() as (command, told):
        install = [*command, "install", "--python", PYTHON, *([] if sys.stderr.isatty() else ["--quiet"])]
        subprocess.run([*install, "--require-hashes", "-r", PINS], check=True, env=told)
        subprocess.run([*install, *ITSELF], check=True, env=told)


def install_by_pip(*what: str | Path, total: int) -> None:
    """Run the environment's pip, telling from time to time how far it is."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile", "--progress-bar", "off"]
    seen, words = 0, []
    with subprocess.Popen([*command, *what], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout:
            words.append(line)
            if line.startswith(("Collecting", "Processing")):
                seen += 1
                if seen % 25 == 0:
                    print(f"  {seen} of {total} packages found", flush=True)
            elif line.startswith("Installing collected packages"):
                print("  unpacking ...", flush=True)
    if pip.returncode:
        print("".join(words[-20:]), file=sys.stderr)
        raise subprocess.CalledProcessError(pip.returncode, "pip install")


def start() -> None:
    """Create an environment in which there is nothing yet, not even pip."""
    # where .venv is activated, this very Python goes away with it: the one beneath makes the new one
    beneath = getattr(sys, "_base_executable", sys.executable)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([beneath, "-m", "venv", "--without-pip", VENV], check=True)


def make() -> None:
    """Create the environment, install into it, and compile what programs import."""
    print(f"Making .venv with Python {platform.python_version()} ...", flush=True)
    start()
    print("Installing the packages of requirements.txt (about 1 GB on disk) ...", flush=True)
    try:
        install_by_uv()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"uv could not do it ({error}): pip does, which takes longer ...", flush=True)
        start()
        bring_pip()
        install_by_pip("--require-hashes", "-r", PINS, total=count(PINS))
        install_by_pip(*ITSELF, total=1)
    print("Compiling ...", flush=True)
    # some packages carry files that no Python compiles: this is for speed only, and what it leaves out is no error
    compiling = ["-W", "ignore", "-m", "compileall", "-qq", "-j", "0", "-x", UNUSED, VENV]
    subprocess.run([PYTHON, *compiling])
    STAMP.write_text(identity())


def clear_half_made() -> str:
    """Remove an environment that is not finished; says so."""
    if is_finished():
        return ""
    shutil.rmtree(VENV, ignore_errors=True)
    return "; the half-made .venv was removed"


def add_sweep() -> None:
    """Install what training needs into a finished environment."""
    pins = SWEEP_PINS.read_text()
    if SWEEP_STAMP.is_file() and SWEEP_STAMP.read_text() == pins:
        return
    print("Installing PyTorch and the tokenizer (200 MB for the CPU build, several GB with CUDA) ...", flush=True)
    install_by_pip("-r", SWEEP_PINS, total=count(SWEEP_PINS))
    SWEEP_STAMP.write_text(pins)


def main(options: list[str]) -> int:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        print(f"error: this is Python {platform.python_version()}; the pins are for 3.11 to 3.14.", file=sys.stderr)
        return 1
    finished, sweep = is_finished(), "--sweep" in options
    if finished and not sweep:
        return 0
    started = time.monotonic()
    try:
        if not finished:
            make()
        if sweep:
            add_sweep()
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"error: the environment could not be made: {error}{clear_half_made()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted{clear_half_made()}", file=sys.stderr)
        return 130
    print(f"Environment ready in {time.monotonic() - started:.0f} s.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

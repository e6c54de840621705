"""Make or refresh `.venv`: the exact pins of requirements.txt and the package itself, in place.

With --sweep, what training needs is added (requirements-sweep.txt). Run by the Makefile with any Python 3.11 to 3.13;
uses the standard library only. A finished environment carries a stamp that says for which folder, which Python and
which pins it was made; without the stamp it is made anew.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "finished"
SWEEP_STAMP = VENV / "finished-sweep"
PYTHON = VENV / "bin" / "python"


def identity() -> str:
    """What the environment depends on: the folder, the Python, the pins and the package's own settings."""
    pins = b"".join((ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml"))
    return f"{ROOT}\n{platform.python_version()}\n{hashlib.sha256(pins).hexdigest()}\n"


def is_finished() -> bool:
    """Whether the stamp matches and the environment's Python still starts."""
    if not STAMP.is_file() or STAMP.read_text() != identity() or not PYTHON.exists():
        return False
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('scaling') is None)"
    return subprocess.run([PYTHON, "-c", probe], cwd=VENV, capture_output=True).returncode == 0


def install(arguments: list[str], total: int) -> None:
    """Run pip, telling from time to time how far it is."""
    command = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile", "--progress-bar", "off"]
    seen, words = 0, []
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
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


def make() -> None:
    """Create the environment from nothing and install into it."""
    requirements = ROOT / "requirements.txt"
    total = len(requirements.read_text().split())
    print(f"Making .venv with Python {platform.python_version()} ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    print(f"Installing {total} packages (about 1 GB on disk, one to a few minutes) ...", flush=True)
    install(["-r", str(requirements)], total)
    install(["--no-deps", "--no-build-isolation", "-e", str(ROOT)], 1)
    STAMP.write_text(identity())


def clear_half_made() -> str:
    """Remove an environment that is not finished; says so."""
    if is_finished():
        return ""
    shutil.rmtree(VENV, ignore_errors=True)
    return "; the half-made .venv was removed"


def add_sweep() -> None:
    """Install what training needs into a finished environment."""
    requirements = ROOT / "requirements-sweep.txt"
    pins = requirements.read_text()
    if SWEEP_STAMP.is_file() and SWEEP_STAMP.read_text() == pins:
        return
    print("Installing PyTorch and the tokenizer (200 MB for the CPU build, several GB with CUDA) ...", flush=True)
    install(["-r", str(requirements)], len(pins.split()))
    SWEEP_STAMP.write_text(pins)


def main() -> int:
    finished, sweep = is_finished(), "--sweep" in sys.argv[1:]
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
    sys.exit(main())

"""Make or refresh `.venv`: the exact pins of requirements.txt and the package itself, in place.

Run by the Makefile with any Python 3.11 to 3.13; uses the standard library only. A finished environment carries a
stamp that says for which folder, which Python and which pins it was made; without the stamp it is made anew.
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


def make() -> None:
    """Create the environment from nothing and install into it."""
    requirements = ROOT / "requirements.txt"
    count = sum(1 for line in requirements.read_text().splitlines() if line.strip())
    print(f"Making .venv with Python {platform.python_version()} ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    print(f"Installing {count} packages (about 1 GB on disk, half a minute to a few minutes) ...", flush=True)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--progress-bar", "on"]
    subprocess.run([*pip, "-r", requirements], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", ROOT], check=True)
    STAMP.write_text(identity())


def main() -> int:
    if is_finished():
        return 0
    started = time.monotonic()
    try:
        make()
    except (subprocess.CalledProcessError, OSError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        print(f"error: the environment could not be made, so .venv was removed again: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(VENV, ignore_errors=True)
        print("interrupted: the half-made .venv was removed", file=sys.stderr)
        return 130
    print(f"Environment ready in {time.monotonic() - started:.0f} s.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Remove .venv and everything that was built or left behind by tools, as `make clean` does; standard library only."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("_build", "build", "dist", "*.egg-info", ".*_cache", ".hypothesis", "**/__pycache__")


def main() -> None:
    # the environment first: the search for bytecode need not walk through it
    shutil.rmtree(ROOT / ".venv", ignore_errors=True)
    for pattern in FOLDERS:
        for folder in list(ROOT.glob(pattern)):
            shutil.rmtree(folder, ignore_errors=True)
    (ROOT / "book/_static/layers.svg").unlink(missing_ok=True)


if __name__ == "__main__":
    main()

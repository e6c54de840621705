"""Write requirements.txt and requirements-uv.txt anew, with the hashes of every file that the index offers.

What stands there keeps its version, unless pyproject.toml asks for another; options go to `uv pip compile`: `--upgrade`
takes the newest of everything, `--upgrade-package NAME` of one. Then each platform and Python of the workflows is
asked for: every pin must have a wheel there, so that nobody needs a compiler.
"""

import subprocess
import sys

from environment import NEWEST, OLDEST, PINS, ROOT, UV_PIN, uv

HEADER = "# Written by tools/pins.py: everything that `make environment` installs, on every platform, with hashes.\n"
NAMES = ("book", "course", "checks", "test", "parquet", "cluster", "logs", "sheets", "tensorboard")
EXTRAS = [f"--extra={name}" for name in NAMES]
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")


def main() -> int:
    oldest = f"{OLDEST[0]}.{OLDEST[1]}"
    with uv() as (command, told):
        # folders and indexes beside the main one may lack files of other platforms, and so their hashes
        told = {name: value for name, value in told.items() if name not in ("UV_INDEX", "UV_FIND_LINKS")}
        compile = [*command, "compile", "--quiet", "--no-header", "--no-annotate", "--python", sys.executable]
        write = [*compile, "--universal", "--generate-hashes", "--python-version", oldest, *sys.argv[1:]]
        for target, sources in ((PINS, [ROOT / "pyproject.toml", *EXTRAS]), (UV_PIN, ["-"])):
            subprocess.run([*write, "--output-file", target, *sources], check=True, env=told, input=b"uv")
            target.write_text(HEADER + target.read_text())
        missing = 0
        for platform in PLATFORMS:
            for minor in range(OLDEST[1], NEWEST[1] + 1):
                ask = ["--python-platform", platform, "--python-version", f"3.{minor}", "--only-binary", ":all:"]
                for pins in (PINS, UV_PIN):
                    asked = subprocess.run([*compile, *ask, "--no-deps", pins], stdout=subprocess.DEVNULL, env=told)
                    missing += asked.returncode != 0
    print(f"{PINS.name} and {UV_PIN.name} are written; {missing} combinations of platform and Python lack a wheel.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

"""Do what `make TARGET` does, for a machine without make: `python tools/make.py test WORKERS=4`, on Windows too.

The Makefile stays the one place that says what a target is: its recipes are read here, and their commands, which need
no shell, are run. Only the recipe of `environment` is shell, to find a Python; here there is one already. -n prints the
commands instead of running them.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

import environment

MAKEFILE = environment.ROOT / "Makefile"


def commands(target: str, given: dict[str, str]) -> list[list[str]]:
    """The commands of a target, with the variables that are given, in the process's environment, or in the Makefile."""
    text = MAKEFILE.read_text()
    recipe = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n?)+)", text, flags=re.MULTILINE)
    if recipe is None:
        sys.exit(f"error: the Makefile has no target {target!r}; `python tools/make.py help` lists them.")
    if target == "environment":
        return [[sys.executable, "tools/environment.py"]]
    variables = dict(re.findall(r"^(\w+) [?:]= (.*)$", text, flags=re.MULTILINE))
    variables |= os.environ | {"PYTHON": shlex.quote(sys.executable), "RUN": variables["RUN"]} | given

    def value(reference: re.Match) -> str:
        name, _, argument = reference[1].partition(" ")
        return shlex.join(glob.glob(argument)) if name == "wildcard" else variables.get(name, "")

    return [shlex.split(re.sub(r"\$\((.*?)\)", value, line.strip("\t@"))) for line in recipe[1].splitlines()]


def program(name: str) -> str:
    """A command of the environment, in the folder where this system has it; any other as it is."""
    folder = environment.PYTHON.parent
    return shutil.which(name.removeprefix(".venv/bin/"), path=folder) if name.startswith(".venv/bin/") else name


def main() -> int:
    """Run the targets one after the other, and give the status of the first command that fails."""
    asked = [argument for argument in sys.argv[1:] if "=" not in argument]
    given = dict(argument.split("=", 1) for argument in sys.argv[1:] if "=" in argument)
    targets = [argument for argument in asked if argument != "-n"] or ["help"]
    os.chdir(environment.ROOT)
    recipes = [command for target in targets for command in commands(target, given)]
    if "-n" not in asked and set(targets) - {"help", "clean", "environment"} and (failed := environment.main([])):
        return failed
    exports = dict(re.findall(r"^export (\w+) = (.*)$", MAKEFILE.read_text(), flags=re.MULTILINE))
    told = os.environ | exports | {"STARTED": str(int(time.time()))}
    for name, *arguments in recipes:
        if "-n" in asked:
            print(shlex.join([name, *arguments]))
        elif name == "echo":
            print(*arguments)
        elif failed := subprocess.run([program(name), *arguments], env=told).returncode:
            return failed
    return 0


if __name__ == "__main__":
    sys.exit(main())

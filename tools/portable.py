"""Run every notebook as processors of other kinds would, and compare with what is stored.

`python tools/portable.py [--quick] [NOTEBOOK ...]` takes the kernels of OpenBLAS and the instructions of NumPy and of
the C library that this processor has, oldest first, with one BLAS thread and with two, and runs the notebooks under
nbval with each. An output that differs from the stored one was a matter of rounding: print what is meant instead (a
count, fewer digits, "less than"), and do not loosen the comparison. --quick takes the two settings furthest apart.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: OpenBLAS kernels by the processor's family: the name to ask for, what OpenBLAS then calls itself, and the highest of
#: the steps below that such a processor has
KERNELS = {
    "x86_64": [
        ("Prescott", {"Prescott", "Katmai", "Core2"}, 0),
        ("Nehalem", {"Nehalem"}, 0),
        ("Haswell", {"Haswell", "Zen"}, 1),
        ("SkylakeX", {"SkylakeX", "Cooperlake", "Sapphirerapids"}, 2),
    ],
    "aarch64": [("ARMV8", {"armv8", "ARMV8"}, 2), ("NEOVERSEN1", {"neoversen1", "NEOVERSEN1"}, 2)],
}
#: what NumPy calls the instructions beyond each step (its older and newer releases name them differently), and the C
#: library, whose exp and log choose among the same
BEYOND = {
    0: ("AVX", "AVX2", "F16C", "FMA3", "X86_V3", "X86_V4", "AVX512"),
    1: ("X86_V4", "AVX512"),
    2: (),
}
LIBRARY = {0: "-AVX,-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL", 1: "-AVX512F,-AVX512VL", 2: ""}
ASK = """
import json, numpy, scipy.linalg, threadpoolctl
from numpy._core._multiarray_umath import __cpu_features__ as on
blas = [i["architecture"] for i in threadpoolctl.threadpool_info() if i.get("internal_api") == "openblas"]
print(json.dumps({"blas": blas, "on": [name for name, there in on.items() if there]}))
"""


@dataclass(frozen=True)
class Setting:
    """One kind of processor: an OpenBLAS kernel, what NumPy and the C library may use, and BLAS threads."""

    kernel: str
    called: frozenset[str]
    step: int
    threads: int

    def __str__(self) -> str:
        return f"{self.kernel}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def environment(self, dispatched: list[str]) -> dict[str, str]:
        """The environment of a process that computes like this; ``dispatched`` is what NumPy could switch off here."""
        off = [name for name in dispatched if name.startswith(BEYOND[self.step])]
        wanted = {
            "OPENBLAS_CORETYPE": self.kernel,
            "NPY_DISABLE_CPU_FEATURES": " ".join(off),
            "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={LIBRARY[self.step]}" if LIBRARY[self.step] else "",
            "OPENBLAS_NUM_THREADS": str(self.threads),
            "OMP_NUM_THREADS": str(self.threads),
        }
        return {name: value for name, value in os.environ.items() if name not in wanted} | {
            name: value for name, value in wanted.items() if value
        }

    def works(self, dispatched: list[str]) -> bool:
        """Whether OpenBLAS and NumPy do what is asked on this processor."""
        told = subprocess.run([sys.executable, "-c", ASK], env=self.environment(dispatched), capture_output=True)
        if told.returncode:
            return False
        found = json.loads(told.stdout)
        beyond = [name for name in found["on"] if name in dispatched and name.startswith(BEYOND[self.step])]
        return bool(found["blas"]) and set(found["blas"]) <= self.called and not beyond


def settings_here() -> list[Setting]:
    """The settings of this processor's family, oldest first."""
    family = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    return [
        Setting(kernel, frozenset(called), step, threads)
        for kernel, called, step in KERNELS.get(family, [])
        for threads in (1, 2)
    ]


def dispatched() -> list[str]:
    """The instructions that NumPy chooses among at run time, of those that this processor has."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", default=["notebooks"], help="default: all")
    parser.add_argument("--quick", action="store_true", help="only the two settings furthest apart")
    parser.add_argument("--workers", default="2", help="processes at a time (default: 2)")
    options = parser.parse_args()
    switches = dispatched()
    wanted = settings_here()
    possible = [setting for setting in wanted if setting.works(switches)]
    for setting in wanted:
        if setting not in possible:
            print(f"{setting}: not on this processor", flush=True)
    if not possible:
        print(f"error: no OpenBLAS kernel can be chosen on {platform.machine()}", file=sys.stderr)
        return 2
    failed = []
    for setting in [possible[0], possible[-1]] if options.quick else possible:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", options.workers]
        command += ["--dist", "loadfile", "--nbval", "--nbval-current-env", *options.notebooks]
        done = subprocess.run(command, cwd=ROOT, env=setting.environment(switches), capture_output=True, text=True)
        words = done.stdout.strip().splitlines()
        print(f"{setting}: {words[-1].strip('= ') if words else done.stderr[-500:]}", flush=True)
        if done.returncode:
            failed.append(setting)
            print("\n".join(words[:-1]), flush=True)
    if failed:
        print(f"Outputs depend on the processor: {'; '.join(map(str, failed))}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

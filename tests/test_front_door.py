"""The front door: few names, loaded when they are asked for, and the old ones with a word on where they went."""

import subprocess
import sys

import pytest

import scaling
from scaling.cli import COMMANDS


def modules_after(code):
    """Names of the modules that a fresh interpreter has loaded after some code."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_about_thirty_names_and_the_rooms():
    names = [name for name in scaling.__all__ if getattr(scaling, name).__class__.__name__ != "module"]
    rooms = sorted(set(scaling.__all__) - set(names))
    assert 25 <= len(names) <= 35
    assert rooms == sorted(
        [
            "counting",
            "diagnostics",
            "errors",
            "figures",
            "fit",
            "laws",
            "optimum",
            "papers",
            "plan",
            "runs",
            "simulate",
            "sources",
            "theory",
            "uncertainty",
        ]
    )
    assert set(scaling.__all__) <= set(dir(scaling))


def test_importing_the_package_loads_nothing_heavy():
    loaded = modules_after("import scaling")
    assert not loaded & {"numpy", "pandas", "scipy", "matplotlib", "papermill", "scaling.papers", "scaling.figures"}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_help_and_version_need_no_numpy(arguments):
    code = f"from scaling.cli import main\ntry:\n    main({arguments})\nexcept SystemExit:\n    pass"
    assert not modules_after(code) & {"numpy", "pandas", "scipy", "matplotlib"}


def test_a_fit_loads_no_figures_and_no_papers():
    loaded = modules_after("import scaling; scaling.fit_parametric, scaling.load_runs, scaling.bootstrap")
    assert not loaded & {"matplotlib", "seaborn", "papermill", "scaling.papers", "scaling.figures"}


#: takes as long to import as pandas does, and no table of runs needs it that has the usual form
HEAVY = {"scipy.optimize", "scipy.ndimage", "scipy.special", "scipy.linalg", "scipy.sparse", "scipy.stats"}
HEAVY |= {"matplotlib", "seaborn", "pooch", "tqdm", "papermill", "joblib", "scaling.papers", "scaling.figures"}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["check"], ["check", "--json"], ["plan", "--flops", "1e24"]])
def test_a_look_at_a_table_and_a_plan_load_nothing_heavy(arguments, tmp_path):
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    # of fewer runs the terms of the coupled law are in doubt, which asks for a quantile that SciPy knows, and so does
    # the check of shared noise where that law is told, as it is by chance of the runs of seed 0
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20, 1e21, 1e22], law=law)
    scaling.simulate_runs(law, design, noise=0.004, seed=1).to_csv(tmp_path / "runs.csv", index=False)
    asked = [arguments[0], str(tmp_path / "runs.csv"), *arguments[1:]]
    code = f"from scaling.cli import main\ntry:\n    main({asked})\nexcept SystemExit as end:\n    assert not end.code"
    assert not modules_after(code) & HEAVY


def test_help_says_of_each_command_what_the_command_says():
    for name, words in COMMANDS.items():
        command = __import__(f"scaling.cli.{name}", fromlist=["command"]).command
        assert " ".join(command.help.split()).startswith(words.rstrip("."))


def test_no_module_bears_the_name_of_a_public_function():
    import pkgutil

    modules = {m.name.rsplit(".", 1)[1] for m in pkgutil.walk_packages(scaling.__path__, "scaling.")}
    rooms = [getattr(scaling, name) for name in scaling.__all__ if type(getattr(scaling, name)).__name__ == "module"]
    public = {name for room in rooms for name in room.__all__ if callable(getattr(room, name, None))}
    assert not modules & (public | {n for n in scaling.__all__ if callable(getattr(scaling, n))})


@pytest.mark.parametrize("name", sorted(scaling._ROOM_OF))
def test_an_old_name_works_and_says_where_it_went(name):
    room = scaling._ROOM_OF[name]
    with pytest.warns(DeprecationWarning, match=rf"scaling\.{name} is now scaling\.{room}\.{name};"):
        assert getattr(scaling, name) is getattr(getattr(scaling, room), name)


def test_two_old_names_are_special():
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    with pytest.warns(DeprecationWarning, match=r"is now scaling\.laws\.ChinchillaLaw\.a"):
        assert scaling.size_exponent(law) == law.a
    with pytest.warns(DeprecationWarning, match=r"scaling\.claims is now scaling\.papers"):
        assert scaling.claims is scaling.papers


def test_a_name_that_never_was_is_refused():
    with pytest.raises(AttributeError, match="fit_everything"):
        _ = scaling.fit_everything

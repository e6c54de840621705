"""The options that turn other people's rows into one row a run: in every command, followed to the right law."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main

WILD = Path(__file__).parents[1] / "wild"
LAW = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)


def run(*arguments, data=None):
    result = CliRunner().invoke(main, [str(each) for each in arguments], input=data)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def fitted(path, *options):
    result = run("fit", path, "--approach", 3, "--resamples", 100, "--json", *options)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.slow
def test_a_sweep_is_followed_by_the_advice_of_check_to_the_right_law():
    path = WILD / "lr_batch_sweep.csv"
    said = run("check", path, "--column", "params=N").output
    assert "--best-of params,tokens keeps the one of least loss" in said
    found = fitted(path, "--column", "params=N", "--best-of", "params,tokens")
    a = found["approaches"]["3"]["exponents"]["a"]
    assert a["low"] < 0.515 < a["high"]
    assert a["high"] - a["low"] < 0.35
    pooled = fitted(path, "--column", "params=N")["approaches"]["3"]["exponents"]["a"]
    assert abs(a["estimate"] - 0.515) < abs(pooled["estimate"] - 0.515)
    assert run("plan", path, "--column", "params=N", "--flops", "1e22", "--resamples", 100).exit_code == 1
    best = ("--column", "params=N", "--best-of", "params,tokens")
    assert run("plan", path, *best, "--flops", "1e22", "--resamples", 100).exit_code == 0


def test_checkpoints_are_followed_by_the_advice_of_check_to_curves():
    path = WILD / "checkpoints_no_run_column.csv"
    assert "--run N,total_steps,peak_lr takes them as the name of a run" in run("check", path).output
    said = run("check", path, "--run", "N,total_steps,peak_lr").output
    assert "--best-of params,tokens keeps" in said
    one = run("check", path, "--run", "N,total_steps,peak_lr", "--best-of", "params,tokens", "--json")
    assert json.loads(one.stdout)["pooled"] == []


def families(tmp_path):
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=5, law=LAW)
    parts = []
    for seed, (name, E) in enumerate({"web": 1.7, "code": 0.9}.items()):
        law = scaling.ChinchillaLaw(E=E, A=400, B=1000, alpha=0.34, beta=0.36)
        parts.append(scaling.simulate_runs(law, design, noise=0.002, seed=seed).assign(corpus=name))
    pd.concat(parts, ignore_index=True).to_csv(path := tmp_path / "families.csv", index=False)
    return path


@pytest.mark.slow
def test_two_families_are_fitted_side_by_side(tmp_path):
    path = families(tmp_path)
    said = run("check", path).output
    assert "--group corpus fits the rows of each by themselves" in said
    found = fitted(path, "--group", "corpus")
    assert list(found["groups"]) == ["web", "code"]
    for name in ("web", "code"):
        only = fitted(path, "--where", f"corpus == '{name}'")
        constants = only["approaches"]["3"]["constants"]
        assert found["groups"][name]["approaches"]["3"]["constants"] == constants
        low, high = (only["approaches"]["3"]["exponents"]["a"][end] for end in ("low", "high"))
        assert low < LAW.a < high
    shown = run("fit", path, "--group", "corpus", "--approach", 3, "--resamples", 100).output
    assert "Side by side: approach 3 for each corpus" in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--group", "nothing"), "--group nothing: there is no such column"),
        (("--group", "loss"), "a quantity of the law itself"),
        (("--over", "lr"), "belongs to --best-of"),
        (("--vertex",), "belongs to --best-of"),
        (("--x", "flops"), "--x belongs to --law power"),
        (("--where", "corpus == 'none'"), "leaves no row"),
        (("--derive", "tokens"), "NAME=EXPR"),
        (("--curves", "nowhere.csv"), "there is no such file"),
        (("--run", "job"), "--run job: there is no such column"),
        (("--law", "power"), "against what"),
        (("--law", "power", "--x", "width"), "no such column"),
        (("--law", "power", "--x", "flops", "--drop", "3"), "--where chooses points"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(options, words, tmp_path):
    result = run("fit", families(tmp_path), *options)
    assert result.exit_code in (1, 2)
    assert words in result.output


@pytest.mark.slow
def test_standard_input_packed_and_several_files(tmp_path):
    path = families(tmp_path)
    whole = json.loads(run("check", path, "--json").stdout)
    piped = json.loads(run("check", "-", "--json", data=gzip.compress(path.read_bytes())).stdout)
    assert piped["ranges"] == whole["ranges"]
    table = pd.read_csv(path)
    for name, part in table.groupby("corpus"):
        part.drop(columns="corpus").to_csv(tmp_path / f"{name}.csv", index=False)
    both = fitted(tmp_path / "web.csv", tmp_path / "code.csv", "--group", "file")
    assert list(both["groups"]) == ["web.csv", "code.csv"]
    alone = fitted(tmp_path / "web.csv")["approaches"]["3"]["constants"]
    assert both["groups"]["web.csv"]["approaches"]["3"]["constants"] == alone


@pytest.mark.parametrize(
    ("name", "x", "truth"), [("q4_one_variable", "tokens", (1.7, -0.35)), ("q4_loss_vs_compute", "flops", (None, None))]
)
def test_the_law_of_one_variable(name, x, truth, tmp_path):
    path = WILD / f"{name}.csv"
    assert f"scaling fit --law power --x {x}" in run("check", path).output
    result = run("fit", path, "--law", "power", "--json", "--out", tmp_path / "law.json")
    found = json.loads(result.stdout)
    assert json.loads((tmp_path / "law.json").read_text()) == found
    constants = {row["name"]: row for row in found["constants"]}
    table = pd.read_csv(path)
    fit = scaling.fit_power_law(table.iloc[:, 0], table["loss"], offset=True)
    assert constants["b"]["estimate"] == pytest.approx(fit.candidate.exponent, rel=1e-12)
    for row, true in zip((constants["c"], constants["b"]), truth, strict=True):
        assert row["low"] < row["estimate"] < row["high"]
        assert true is None or row["low"] <= true <= row["high"]


def test_an_accuracy_is_fitted_below_its_ceiling(tmp_path):
    x = np.geomspace(1e18, 1e22, 9)
    pd.DataFrame({"compute": x, "accuracy": 0.9 - 3e3 * x**-0.22}).to_csv(path := tmp_path / "acc.csv", index=False)
    said = run("check", path).output
    assert "scaling fit --law power --x flops --y 'accuracy' --ceiling 1" in said
    found = json.loads(run("fit", path, "--law", "power", "--y", "accuracy", "--ceiling", 1, "--json").stdout)
    constants = {row["name"]: row["estimate"] for row in found["constants"]}
    assert constants["c"] == pytest.approx(0.1, rel=1e-3)
    assert constants["b"] == pytest.approx(-0.22, rel=1e-3)
    told = run("fit", path, "--law", "power", "--y", "accuracy", "--higher-is-better", "--ceiling", 1).output
    assert told.splitlines()[-2].split()[:2] == ["1.000e23", "0.8739"]  # the accuracy there, not what it lacks


def test_size_and_tokens_that_rise_together_are_offered_the_law_in_compute_alone(tmp_path):
    N = np.geomspace(1e7, 1e10, 12)
    noise = np.exp(np.random.default_rng(0).normal(0, 0.002, 12))
    pd.DataFrame({"params": N, "tokens": 20 * N, "loss": LAW.loss(N, 20 * N) * noise}).to_csv(
        tmp_path / "t.csv", index=False
    )
    refused = run("fit", tmp_path / "t.csv")
    assert refused.exit_code == 1
    assert "in compute alone the loss is" in refused.output
    assert run("fit", tmp_path / "t.csv", "--law", "power", "--x", "flops").exit_code == 0


def test_the_objective_is_that_of_the_package(tmp_path):
    path = families(tmp_path)
    found = fitted(path, "--where", "corpus == 'web'", "--objective", "log_squares")
    table = pd.read_csv(path)
    fit = scaling.fit_parametric(table[table["corpus"] == "web"], objective="log_squares")
    for row in found["approaches"]["3"]["constants"]:
        assert row["estimate"] == pytest.approx(fit.candidate.constants[row["name"]], rel=1e-12)


@pytest.mark.slow
def test_intervals_of_the_law_of_one_variable_cover():
    x, tables = np.geomspace(1e17, 1e22, 12), 300
    rng, hits = np.random.default_rng(0), 0
    for seed in range(tables):
        y = (1.7 + 68 * x**-0.09) * np.exp(rng.normal(0, 0.002, 12))
        boot = scaling.bootstrap(scaling.fit_power_law(x, y, offset=True), 200, seed)
        span = boot.percentiles(0.95, of=lambda law: law.value(1e24))
        hits += bool(span.low <= 1.7 + 68 * 1e24**-0.09 <= span.high)
    assert abs(hits / tables - 0.95) < 0.03 + 2 * np.sqrt(0.95 * 0.05 / tables)


def two_sets(tmp_path):
    """A sweep of two data sets in one file, one easier than the other."""
    rows = [
        (N, D, lr, s)
        for N in (1e8, 3e8, 1e9, 3e9)
        for D in (3e9, 1e10, 3e10)
        for lr in (1e-3, 2e-3)
        for s in ("web", "code")
    ]
    table = pd.DataFrame(rows, columns=["params", "tokens", "lr", "train_set"])
    noise = np.exp(np.random.default_rng(0).normal(0, 0.002, len(table)))
    table["loss"] = LAW.loss(table["params"], table["tokens"]) * noise * (1 + 0.2 * np.log(table["lr"] / 1e-3) ** 2)
    table.loc[table["train_set"] == "code", "loss"] -= 0.5
    table.to_csv(path := tmp_path / "two_sets.csv", index=False)
    return path


@pytest.mark.parametrize("command", [("check",), ("fit",), ("plan", "--flops", "1e22")])
def test_the_best_of_two_families_is_not_taken_for_the_best_of_a_sweep(command, tmp_path):
    path = two_sets(tmp_path)
    refused = run(command[0], path, "--best-of", "params,tokens", *command[1:])
    assert refused.exit_code == 1
    assert "rows of one design differ in 'train_set', too" in refused.output


def test_groups_choose_their_own_best(tmp_path):
    path = two_sets(tmp_path)
    found = fitted(path, "--best-of", "params,tokens", "--group", "train_set")
    assert {name: one["approaches"]["3"]["runs"] for name, one in found["groups"].items()} == {"web": 12, "code": 12}
    alone = fitted(path, "--best-of", "params,tokens", "--where", "train_set == 'web'")
    assert found["groups"]["web"]["approaches"]["3"]["constants"] == alone["approaches"]["3"]["constants"]


def test_a_setting_of_an_unknown_name_is_asked_about(tmp_path):
    table = pd.read_csv(two_sets(tmp_path)).rename(columns={"lr": "temperature"})
    table[table["train_set"] == "web"].drop(columns="train_set").to_csv(path := tmp_path / "t.csv", index=False)
    said = run("check", path).output
    assert "a setting that was tuned? --best-of params,tokens --over temperature" in said
    assert fitted(path, "--best-of", "params,tokens", "--over", "temperature")["approaches"]["3"]["runs"] == 12


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--group", "train_set"), "takes no --group"),
        (("--approach", "2"), "takes no --approach"),
        (("--y", "acc"), "--ceiling 1 fits what is missing to it"),
        (("--y", "percent", "--ceiling", "1"), "is it per cent? --ceiling 100"),
    ],
)
def test_the_law_of_one_variable_refuses_what_it_cannot_mean(options, words, tmp_path):
    C = np.geomspace(1e18, 1e22, 9)
    table = pd.DataFrame({"flops": C, "acc": 0.9 - 3e3 * C**-0.22, "percent": 90 - 3e5 * C**-0.22, "train_set": "web"})
    table.to_csv(path := tmp_path / "acc.csv", index=False)
    refused = run("fit", path, "--law", "power", "--x", "flops", *options)
    assert refused.exit_code in (1, 2)
    assert words in refused.output


@pytest.mark.parametrize(("draw", "said"), [("exponential", True), ("normal", False)])
def test_points_that_only_lose_are_said(draw, said, tmp_path):
    rng, C = np.random.default_rng(0), np.geomspace(1e17, 1e22, 40)
    noise = rng.exponential(0.02, 40) if draw == "exponential" else rng.normal(0, 0.02, 40)
    pd.DataFrame({"flops": C, "loss": (1.7 + 68 * C**-0.09) * np.exp(noise)}).to_csv(
        path := tmp_path / "c.csv", index=False
    )
    assert ("residuals lean upwards" in run("fit", path, "--law", "power").output) is said


def test_a_grid_of_sizes_and_lengths_is_no_curve_of_compute(tmp_path):
    rows = [(N, D) for N in (1e8, 3e8, 1e9, 3e9) for D in (3e9, 1e10, 3e10, 1e11)]
    table = pd.DataFrame(rows, columns=["params", "tokens"])
    table["loss"] = LAW.loss(table["params"], table["tokens"])
    table.to_csv(path := tmp_path / "grid.csv", index=False)
    assert "something besides flops varies among them" in run("fit", path, "--law", "power", "--x", "flops").output


def test_sequences_taken_for_tokens_are_asked_about(tmp_path):
    design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=5, law=LAW)
    table = scaling.simulate_runs(LAW, design, noise=0.002, seed=0)[["params", "tokens", "loss"]]
    table.assign(sequences=table["tokens"] / 2048).drop(columns="tokens").to_csv(
        path := tmp_path / "s.csv", index=False
    )
    asked = run("check", path, "--derive", "tokens=sequences")
    assert asked.exit_code == 1
    assert "tokens per parameter, where 1 to 10,000 are usual" in asked.output


@pytest.fixture
def two_families(tmp_path):
    """Two corpora of one law but for E, and a third with too few runs."""
    parts = []
    for seed, (corpus, E) in enumerate({"web": 1.7, "code": 0.9}.items()):
        law = scaling.ChinchillaLaw(E=E, A=400.0, B=1000.0, alpha=0.34, beta=0.36)
        design = scaling.simulate.isoflop_design([1e18, 1e19, 1e20], n_sizes=5, law=law)
        parts.append(scaling.simulate_runs(law, design, noise=0.002, seed=seed).assign(corpus=corpus))
    parts.append(parts[0].iloc[:3].assign(corpus="few"))
    pd.concat(parts).to_csv(tmp_path / "families.csv", index=False)
    return tmp_path / "families.csv"


@pytest.mark.slow
def test_a_plan_for_each_group_is_the_plan_of_its_rows(two_families):
    words = ("plan", two_families, "--flops", "1e22", "--resamples", 100)
    each = json.loads(run(*words, "--group", "corpus", "--json").output)["groups"]
    assert list(each) == ["web", "code", "few"]
    assert not each["few"]["possible"]
    for corpus in ("web", "code"):
        alone = json.loads(run(*words, "--where", f"corpus == '{corpus}'", "--json").output)
        assert each[corpus]["allocation"] == alone["allocation"]
    text = run(*words, "--group", "corpus").output
    assert "== corpus: code ==" in text
    table = text[text.index("Side by side") :].splitlines()
    assert [line.split()[0] for line in table[2:4]] == ["web", "code"]
    assert "groups without a law: 'few'" in text


@pytest.mark.parametrize("command", [("fit",), ("plan", "--flops", "1e22")])
def test_groups_none_of_which_has_a_law_are_refused(command, two_families):
    done = run(*command, two_families, "--group", "corpus", "--where", "corpus == 'few'")
    assert done.exit_code == 1
    assert "for any group" in done.output


def whole_steps(path, seed=0):
    """A sweep over batch sizes in which every run has a whole number of steps."""
    law, rng = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36), np.random.default_rng(seed)
    rows = [(N, N * r, bs) for N in (2e7, 5e7, 1.2e8, 3e8, 7e8) for r in (8, 20, 50, 120) for bs in (128, 512, 2048)]
    table = pd.DataFrame(rows, columns=["n_params", "tokens", "batch_size"])
    step = 2048 * table["batch_size"]
    table["tokens"] = np.round(table["tokens"] / step) * step
    away = np.log(table["batch_size"] / (512 * (table["tokens"] / 5e9) ** 0.4))
    table["loss"] = law.loss(table["n_params"], table["tokens"]) * (1 + 0.03 * away**2)
    table["loss"] *= np.exp(0.002 * rng.standard_normal(len(table)))
    table.to_csv(path, index=False)
    return path


def test_a_sweep_in_whole_steps_has_a_plan_by_the_advice_of_the_refusal(tmp_path):
    path = whole_steps(tmp_path / "t.csv")
    asked = ("plan", path, "--flops", "3.5e20", "--resamples", 100)
    refused = run(*asked)
    assert refused.exit_code == 1
    assert "share params and tokens" in refused.output
    assert "--best-of params,tokens keeps the one of least loss of each" in refused.output
    planned = run(*asked, "--best-of", "params,tokens")
    assert planned.exit_code == 0, planned.output
    assert "tokens of one design differ by up to" in planned.output


def test_advice_that_was_followed_is_not_repeated(tmp_path):
    """Of each design another batch size is best, by far, and those of one are worse in all designs."""
    table = pd.read_csv(whole_steps(tmp_path / "t.csv"))
    best = np.repeat(np.random.default_rng(1).integers(3, size=20), 3)
    table["loss"] *= np.where(np.arange(len(table)) % 3 == best, 1.0, 1.5)
    table["loss"] *= np.exp(0.1 * (table["batch_size"] == 2048))
    table.to_csv(tmp_path / "t.csv", index=False)
    said = run("plan", tmp_path / "t.csv", "--flops", "3.5e20", "--best-of", "params,tokens")
    assert said.exit_code == 1
    assert "'batch_size' explains" in said.output
    assert "--best-of params,tokens keeps" not in said.output
    assert "--where" in said.output

"""Tables that count compute in their own way: what the commands answer is in that count, and right."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import scaling
from scaling.cli import main

LAW = scaling.ChinchillaLaw(1.7, 400.0, 1500.0, 0.34, 0.32)


def width(N):
    return np.cbrt(np.asarray(N) / 12 * 64)


#: FLOPs a token of a model of N parameters
COUNTS = {
    "forward passes": lambda N: 2.0 * N,
    "patches of an image": lambda N: 6.0 * 196 * N,
    "per step of a batch": lambda N: 6.0 * N / 512,
    "attention": lambda N: 6.0 * N * (1 + 4096 / (6 * width(N))),
    "no embeddings": lambda N: 6.0 * (N - 2_000 * width(N)),
    "active parameters": lambda N: 6.0 * 3.1 * N**0.92,
}


#: sizes among which the optimum is sought, and the steps of a first look: the loss has one valley along a budget
SIZES, COARSE = np.exp(np.linspace(np.log(1e6), np.log(1e13), 2_000_001)), 1_000


def best(rate, flops):
    """The optimum of the true law in a count, by brute force."""

    def lowest(N):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.argmin(LAW.loss(N, np.where(rate(N) > 0, flops / rate(N), 1e-9)))

    near = COARSE * lowest(SIZES[::COARSE])
    around = SIZES[max(near - COARSE, 0) : near + COARSE + 1]
    found = around[lowest(around)]
    return found, flops / rate(found)


def sweep(rate, column, noise=0.001, seed=0, spread=5.0):
    """IsoFLOP groups in a count, around their optima."""
    rng, rows = np.random.default_rng(seed), []
    for C in np.geomspace(1e18, 1e21, 5) * rate(3e8) / 1.8e9:
        N = best(rate, C)[0] * np.geomspace(1 / spread, spread, 9)
        D = np.round(C / rate(N))
        loss = LAW.loss(N, D) * np.exp(rng.normal(0, noise, len(N)))
        rows.append(pd.DataFrame({"params": N.round(), "tokens": D, column: C, "loss": loss}))
    return pd.concat(rows, ignore_index=True)


def answer(command, table, path, *options):
    table.to_csv(path, index=False)
    result = CliRunner().invoke(main, [command, str(path), *map(str, options), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.mark.slow
@pytest.mark.parametrize("column", ["flops", "budget"])
@pytest.mark.parametrize("name", COUNTS)
def test_a_plan_costs_its_budget_in_the_tables_own_count(name, column, tmp_path):
    rate = COUNTS[name]
    table = sweep(rate, column)
    C = 10 * table[column].max()
    options = ("--flops", C, "--next-budget", C / 10, "--inference-tokens", 1e12, "--unique-tokens", 1e11)
    record = answer("plan", table, tmp_path / "runs.csv", *options, "--resamples", 100)
    assert record["meter"]["kind"] in ("multiple", "power", "sizes")
    plan = pd.DataFrame(record["allocation"]).set_index(["problem", "quantity"])["estimate"]
    for problem in ("compute-optimal", "limited data"):
        N, D = plan[problem, "params"], plan[problem, "tokens"]
        assert rate(N) * D == pytest.approx(C, rel=0.01)
    size, tokens = best(rate, C)
    assert plan["compute-optimal", "params"] == pytest.approx(size, rel=0.15)
    assert plan["compute-optimal", "tokens"] == pytest.approx(tokens, rel=0.15)
    N, D = plan["with inference", "params"], plan["with inference", "tokens"]
    assert rate(N) * D == pytest.approx(plan["with inference", "flops"], rel=0.01)
    off = pd.DataFrame(record["off_optimum"])
    np.testing.assert_allclose(rate(off["params"]) * off["tokens"], C, rtol=0.01)
    assert record["reach"] == pytest.approx(10, rel=0.01)
    more = pd.DataFrame(record["next_runs"]["runs"])
    np.testing.assert_allclose(rate(more["params"]) * more["tokens"], more["flops"], rtol=0.01)
    assert record["next_runs"]["estimate"] == pytest.approx(plan["compute-optimal", "params"])
    assert any("not 6·params·tokens" in note for note in record["notes"])


def test_the_count_is_told_once_above_a_plan(tmp_path):
    table = sweep(COUNTS["active parameters"], "flops")
    table.to_csv(path := tmp_path / "runs.csv", index=False)
    result = CliRunner().invoke(main, ["plan", str(path), "--flops", "1e23", "--resamples", "100"])
    assert result.exit_code == 0
    assert result.output.count("is not 6·params·tokens") == 1


@pytest.mark.slow
@pytest.mark.parametrize("column", ["flops", "budget"])
@pytest.mark.parametrize("name", COUNTS)
def test_exponents_are_those_of_the_count(name, column, tmp_path):
    rate = COUNTS[name]
    table = sweep(rate, column, spread=3.0)
    record = answer("fit", table, tmp_path / "runs.csv", "--resamples", 100)
    budgets = np.unique(table[column])
    sizes, tokens = np.transpose([best(rate, C) for C in budgets])
    truth = {name: np.polyfit(np.log(budgets), np.log(x), 1)[0] for name, x in (("a", sizes), ("b", tokens))}
    second = record["approaches"]["2"]
    constants = {row["name"]: row["estimate"] for row in second["constants"]}
    D = constants["k_D"] * budgets ** constants["b"]
    np.testing.assert_allclose(D, tokens, rtol=0.12)
    for exponent, value in truth.items():
        assert second["exponents"][exponent]["estimate"] == pytest.approx(value, abs=0.02)
    ends = [np.log(best(rate, C)) for C in budgets.max() * np.array([0.99, 1.01])]
    local = np.subtract(*ends[::-1]) / np.log(1.01 / 0.99)
    third = record["approaches"]["3"]
    for exponent, value in zip("ab", local, strict=True):
        assert third["exponents"][exponent]["estimate"] == pytest.approx(value, abs=0.02)
    asked = pd.DataFrame(third["certainty"])
    sizes = asked[asked["quantity"] == "params"]
    assert sizes["flops"].iloc[0] == pytest.approx(budgets.max(), rel=1e-3)
    for row in sizes.itertuples():
        assert row.low < best(rate, row.flops)[0] < row.high
    a = asked[asked["quantity"] == "a"].iloc[0]
    assert a["low"] < local[0] < a["high"]


def test_budgets_that_are_no_function_of_the_runs_are_said_and_six_n_d_is_used(tmp_path):
    table = sweep(lambda N: 6.0 * N, "budget")
    table["budget"] = table.groupby("budget").ngroup().map(dict(enumerate([3e9, 1e9, 4e9, 1.5e9, 9e9])))
    record = answer("fit", table, tmp_path / "runs.csv", "--resamples", 100, "--approach", 2)
    second = record["approaches"]["2"]
    assert second["meter"]["kind"] == "unknown"
    assert "no other function" in " ".join(record["notes"])
    a, b = (second["exponents"][x]["estimate"] for x in "ab")
    assert (a, a + b) == pytest.approx((LAW.a, 1.0), abs=0.02)


def test_a_table_by_six_n_d_has_nothing_to_say(tmp_path):
    record = answer("check", sweep(lambda N: 6.0 * N, "flops"), tmp_path / "runs.csv")
    assert record["meter"]["kind"] == "6ND"
    assert not record["meter"]["words"]
    assert not any("6·params" in note for note in record["notes"] + record["warnings"])


def best_tokens(table):
    """Vertex of a parabola of the loss in ln tokens through all runs of each budget, and whether it lies among them."""
    rows = []
    for C, group in table.groupby("flops_budget"):
        y = np.log(group["tokens_trained"])
        bend, rise, _ = np.polyfit(y - y.mean(), group["val_bpb"], 2)
        best = y.mean() - rise / (2 * bend)
        rows.append({"flops": C, "tokens": np.exp(best), "inside": bool(y.min() < best < y.max())})
    return pd.DataFrame(rows)


def slope(optima):
    return np.polyfit(np.log(optima["flops"]), np.log(optima["tokens"]), 1)[0]


def test_a_depth_sweep_with_budgets_of_its_own_and_many_counts_of_parameters():
    path = Path(__file__).parents[1] / "wild" / "nanochat_like.csv"
    options = ["--bytes-per-token", "4.8", "--approach", "2", "--resamples", "200", "--json"]
    record = json.loads(CliRunner().invoke(main, ["fit", str(path), *options]).output)
    second = record["approaches"]["2"]
    constants = {row["name"]: row["estimate"] for row in second["constants"]}
    assert constants["k_D"] * 2.15e18 ** constants["b"] == pytest.approx(6.6e9, rel=0.05)
    b, optima = second["exponents"]["b"], best_tokens(pd.read_csv(path))
    # parabolas through all runs of all four budgets; that of the least budget has its minimum beyond the longest run
    assert slope(optima) == pytest.approx(0.465, abs=5e-4)
    assert optima["inside"].tolist() == [False, True, True, True]
    # an extrapolated minimum is no measurement: without it the same parabolas give .502, and ours .520
    assert slope(optima[optima["inside"]]) == pytest.approx(0.502, abs=5e-4)
    assert b["estimate"] == pytest.approx(0.502, abs=0.02)
    assert b["low"] < 0.465 < b["high"]
    words = " ".join(record["notes"])
    assert "budget is not 6·params·tokens" in words
    for count in ("params_wte", "params_value_embeds", "params_lm_head", "params_transformer"):
        assert repr(count) in words
    assert "budget is 1.15 times 6·(" in words

"""The best of each design: which row, what is said of edges, and what a parabola finds between the rows."""

import time

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.errors import RunsError
from scaling.runs import best_of, load_runs, select_runs


def sweep(rates, best=2e-3, bend=0.02, noise=0.0, seed=0):
    """Runs of six designs at these learning rates, with a valley in ln rate that no design's law knows."""
    law = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.34)
    rows = [(N, D, lr) for N in (1e8, 3e8, 1e9) for D in (2e9, 2e10) for lr in rates]
    table = pd.DataFrame(rows, columns=["params", "tokens", "lr"])
    rng = np.random.default_rng(seed)
    away = np.log(table["lr"] / best)
    table["loss"] = law.loss(table["params"], table["tokens"]) + bend * away**2 + noise * rng.normal(size=len(table))
    return scaling.check_runs(table), law


def test_the_least_loss_of_each_design():
    runs, _ = sweep(np.geomspace(5e-4, 8e-3, 5))
    best = best_of(runs)
    assert len(best) == 6
    least = runs.groupby(["params", "tokens"])["loss"].min()
    np.testing.assert_array_equal(best.set_index(["params", "tokens"])["loss"].sort_index(), least.sort_index())
    assert best.attrs["notes"][-1] == "the best of each params and tokens was kept: 6 of 30 rows"
    assert not any("repeat" in note for note in best.attrs["notes"])


def test_a_parabola_finds_the_bottom_of_a_parabolic_valley():
    rates = np.geomspace(6e-4, 6e-3, 4)
    runs, law = sweep(rates)
    best = best_of(runs, how="parabola")
    np.testing.assert_allclose(best["loss"], law.loss(best["params"], best["tokens"]), rtol=1e-12)
    assert (best_of(runs)["loss"] > best["loss"]).all()


def test_two_swept_columns_add_up():
    runs, law = sweep(np.geomspace(6e-4, 6e-3, 4))
    wide = pd.concat([runs.assign(bs=b, loss=runs["loss"] + 0.01 * np.log(b / 300) ** 2) for b in (64, 128, 512, 1024)])
    wide = wide.reset_index(drop=True)
    best = best_of(wide, how="parabola")
    np.testing.assert_allclose(best["loss"], law.loss(best["params"], best["tokens"]), rtol=1e-12)


@pytest.mark.parametrize(("rates", "word"), [((4e-3, 8e-3), "smallest"), ((2e-4, 1e-3), "largest")])
def test_a_best_at_the_edge_is_said(rates, word):
    runs, _ = sweep(rates)
    (edge,) = [note for note in best_of(runs).attrs["notes"] if "edge" in note or "was tried" in note]
    assert f"in 6 of 6 designs the best 'lr' is the {word} that was tried" in edge
    parabola = best_of(runs, how="parabola")
    np.testing.assert_array_equal(parabola["loss"], best_of(runs)["loss"])


@pytest.mark.slow
def test_the_least_of_four_equal_runs_is_low_by_what_the_docstring_says():
    noise = 0.01
    gaps = []
    for seed in range(300):
        runs, law = sweep([2e-3 * (1 + k * 1e-9) for k in range(4)], bend=0.0, noise=noise, seed=seed)
        best = best_of(runs)
        gaps.append((law.loss(best["params"], best["tokens"]) - best["loss"]) / noise)
    assert np.mean(gaps) == pytest.approx(1.03, abs=4 * np.std(gaps) / np.sqrt(1800))


def test_curves_are_chosen_by_their_last_points():
    runs, _ = sweep([1e-3, 2e-3, 4e-3])
    points = pd.concat(
        [
            runs.assign(run=range(len(runs)), tokens=runs["tokens"] * f, loss=runs["loss"] / f**0.1)
            for f in (0.25, 0.5, 1)
        ]
    )
    curves = scaling.check_runs(points.drop(columns="flops").reset_index(drop=True))
    best = best_of(curves)
    assert len(best) == 6 * 3
    assert (best["lr"] == 2e-3).all()
    with pytest.raises(RunsError, match="a parabola has no curve"):
        best_of(curves, how="parabola")


def test_words_that_vary_within_a_design_are_said():
    runs, _ = sweep([1e-3, 2e-3])
    corpus = np.where(np.arange(len(runs)) % 2 == 0, "web", "code")
    (said,) = [note for note in best_of(runs.assign(corpus=corpus)).attrs["notes"] if "corpus" in note]
    assert "where it tells families apart, the easier one wins" in said
    alone = runs.assign(corpus=np.where(runs["params"] > 2e8, "web", "code"))
    assert not any("corpus" in note for note in best_of(alone).attrs["notes"])


def test_refusals():
    runs, _ = sweep([1e-3, 2e-3])
    for arguments, words in (
        (dict(by="width"), "there is no column 'width'"),
        (dict(over="wd"), "there is no column 'wd'"),
        (dict(by=["params", "tokens", "lr"]), "no two rows agree"),
        (dict(how="mean"), "minimum"),
        (dict(by=[]), "by names no column"),
    ):
        with pytest.raises(RunsError, match=words):
            best_of(runs, **arguments)
    for name in ("loss", "tokens"):
        with pytest.raises(RunsError, match=f"column '{name}', .*: 'x' is not a number"):
            best_of(runs.assign(**{name: "x"}))
    assert len(best_of(runs.assign(loss=runs["loss"].astype(str)))) == len(best_of(runs))
    with pytest.raises(RunsError, match="leaves no row"):
        select_runs(runs, "loss > 100")


def test_select_says_what_it_left_out():
    runs, _ = sweep([1e-3, 2e-3])
    some = select_runs(runs, ["lr < 1.5e-3", "params < 5e8"])
    assert len(some) == 4
    assert "6 of 12 rows left out (--where lr < 1.5e-3)" in some.attrs["notes"]
    assert len(runs) == 12


@pytest.mark.slow
def test_a_million_rows(tmp_path):
    rng = np.random.default_rng(0)
    many = 1_000_000
    table = pd.DataFrame(
        {"params": rng.choice(np.geomspace(1e7, 1e10, 500), many), "lr": rng.choice([1e-3, 2e-3, 4e-3], many)}
    )
    table["tokens"] = 20 * table["params"] * rng.choice([1, 2, 4], many)
    table["loss"] = 1.7 + 400 * table["params"] ** -0.34 + 1000 * table["tokens"] ** -0.34 + rng.exponential(0.01, many)
    table.to_csv(path := tmp_path / "many.csv", index=False)
    start = time.process_time()
    best = best_of(load_runs(path))
    assert len(best) == 1500
    assert time.process_time() - start < 10


def in_whole_steps(batches=(128, 512, 2048), lengths=(8, 20, 50, 120)):
    """Batch sizes of 20 designs, each trained for a whole number of steps, so that the tokens of one design differ."""
    law = scaling.ChinchillaLaw(E=1.7, A=400, B=1000, alpha=0.34, beta=0.36)
    rows = [(N, N * r, bs) for N in (2e7, 5e7, 1.2e8, 3e8, 7e8) for r in lengths for bs in batches]
    table = pd.DataFrame(rows, columns=["params", "tokens", "batch_size"])
    step = 2048 * table["batch_size"]
    table["tokens"] = np.round(table["tokens"] / step) * step
    away = np.log(table["batch_size"] / (512 * (table["tokens"] / 5e9) ** 0.4))
    noise = 0.002 * np.random.default_rng(0).standard_normal(len(table))
    table["loss"] = law.loss(table["params"], table["tokens"]) * (1 + 0.03 * away**2) * np.exp(noise)
    return table


def test_tokens_of_whole_steps_are_one_design():
    runs = scaling.check_runs(in_whole_steps())
    assert runs.groupby("params")["tokens"].nunique().min() > 4
    best = best_of(runs)
    assert len(best) == 20
    least = runs.loc[runs.groupby(np.arange(len(runs)) // 3)["loss"].idxmin()]
    pd.testing.assert_frame_equal(pd.DataFrame(best), least, check_like=True)  # each with the tokens of its own
    (note,) = [each for each in best.attrs["notes"] if "was kept" in each]
    apart = runs.groupby(np.arange(len(runs)) // 3)["tokens"].agg(lambda each: each.max() / each.min() - 1).max()
    assert note.endswith(f"20 of 60 rows (tokens of one design differ by up to {apart:.1%})")


def test_tokens_that_go_on_without_a_gap_are_designs_of_their_own():
    """Values each within a percent of the next, over more than three: no design has these."""
    tokens = 2e9 * 1.008 ** np.arange(40)
    runs = scaling.check_runs(pd.DataFrame({"params": 1e8, "tokens": tokens, "loss": 3.0 - 1e-3 * np.arange(40)}))
    with pytest.raises(RunsError, match="each is a design of its own"):
        best_of(runs)
    apart = pd.DataFrame({"params": [1e8, 1e8, 1e8], "tokens": [2e9, 2.05e9, 2.05e9], "loss": [3.0, 2.9, 2.8]})
    assert best_of(scaling.check_runs(apart))["tokens"].tolist() == [2e9, 2.05e9]

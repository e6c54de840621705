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
    ):
        with pytest.raises(RunsError, match=words):
            best_of(runs, **arguments)
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

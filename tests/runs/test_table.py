"""Loading and checking tables of runs: what is accepted, what is refused, and in which words."""

import time
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.errors import RunsError, RunsWarning
from scaling.runs import check_runs, describe_runs, load_runs, repetition
from scaling.runs.repetition import PART
from scaling.sources.datasets import dataset_checksum, is_available


@pytest.fixture
def table():
    return pd.DataFrame(
        {"params": [7e7, 1e8, 1e9, 7e9], "tokens": [1e9, 2e9, 3e10, 1e11], "loss": [3.9, 3.5, 2.5, 2.2]}
    )


def problems_of(*args, **kwargs):
    with pytest.raises(RunsError) as caught:
        check_runs(*args, **kwargs)
    return "\n".join(caught.value.problems)


# -- what is accepted


def test_flops_follows_from_params_and_tokens(table):
    runs = check_runs(table)
    assert list(runs.columns) == ["params", "tokens", "loss", "flops"]
    np.testing.assert_allclose(runs["flops"], 6 * table["params"] * table["tokens"], rtol=1e-15)


@pytest.mark.parametrize("missing", ["params", "tokens", "flops"])
def test_any_two_of_params_tokens_flops_are_enough(table, missing):
    full = check_runs(table)
    again = check_runs(full.drop(columns=missing))
    np.testing.assert_allclose(again[full.columns], full, rtol=1e-14)
    assert any(missing in note for note in again.attrs["notes"])


def test_a_gap_in_one_of_the_three_is_filled_row_by_row(table):
    full = check_runs(table)
    holes = full.copy()
    holes.loc[0, "params"] = holes.loc[1, "tokens"] = holes.loc[2, "flops"] = np.nan
    np.testing.assert_allclose(check_runs(holes)[full.columns], full, rtol=1e-14)
    holes.loc[0, "tokens"] = np.nan
    assert "'tokens', row 0: missing value" in problems_of(holes)


def test_the_callers_table_is_never_changed(table):
    table["status"] = ["finished", "failed", "finished", "finished"]
    before = table.copy(deep=True)
    with pytest.warns(RunsWarning):
        runs = check_runs(table)
    runs["loss"] = 0.0
    pd.testing.assert_frame_equal(table, before)
    assert table.attrs == {}


def test_columns_of_ones_own_are_carried_in_order(table):
    table.insert(0, "optimizer", "adamw")
    table["lr"] = 1e-3
    assert list(check_runs(table).columns) == ["params", "tokens", "loss", "flops", "optimizer", "lr"]


def test_checking_twice_changes_nothing_and_warns_once(table):
    table["flops"] = 6 * table["params"] * table["tokens"] * [1, 1, 1, 2]
    with pytest.warns(RunsWarning, match=r"row 3: flops is not 6·params·tokens \(worst ratio 2,"):
        once = check_runs(table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twice = check_runs(once)
    pd.testing.assert_frame_equal(once, twice)


def test_numbers_written_as_text_integers_and_decimals_are_numbers(table):
    odd = table.astype(object)
    odd["params"] = ["7e7", " 100000000 ", 10**9, Decimal("7e9")]
    pd.testing.assert_frame_equal(check_runs(odd), check_runs(table))
    pd.testing.assert_frame_equal(check_runs(table.astype({"params": "Int64"})), check_runs(table))


# -- duplicates, status


def test_repeated_runs_are_reported_and_kept(table):
    repeated = pd.concat([table, table.iloc[[0]], table.iloc[[1]].assign(loss=3.51)], ignore_index=True)
    runs = check_runs(repeated)
    assert len(runs) == 6
    notes = " / ".join(runs.attrs["notes"])
    assert "2 runs repeat another's params and tokens" in notes
    assert "1 of these repeat its loss too: row 4" in notes
    assert describe_runs(repeated).loc["runs", ["count", "distinct"]].tolist() == [6, 5]


def test_unfinished_rows_are_left_out_with_a_word(table):
    table["status"] = ["finished", "failed", " Finished", None]
    table.loc[1, "loss"] = np.nan
    with pytest.warns(RunsWarning, match="2 of 4 runs left out, status not 'finished': 'failed' 1, 'empty' 1"):
        assert len(check_runs(table)) == 2
    kept = check_runs(table, include_failed=True)
    assert len(kept) == 4
    assert kept["loss"].isna().tolist() == [False, True, False, False]


def test_no_finished_row_is_an_error(table):
    text = problems_of(table.assign(status="done"))
    assert "no row has the status 'finished' (found: 'done' 4)" in text


# -- what is refused


@pytest.mark.parametrize(
    ("given", "expected"),
    [("parms", "params"), ("Model Size", "params"), ("Tokns", "tokens"), ("D", "tokens"), ("val_loss", "loss")],
)
def test_a_misspelt_column_is_recognised(table, given, expected):
    text = problems_of(table.rename(columns={expected: given}))
    assert f"column {expected!r} is missing; {given!r} looks like it" in text
    assert f"df.rename(columns={{{given!r}: {expected!r}}})" in text


def test_a_misspelt_optional_column_is_pointed_out(table):
    with pytest.warns(RunsWarning, match="'stauts' is carried but not used; if it is 'status', rename it"):
        check_runs(table.assign(stauts="failed"))


@pytest.mark.parametrize(("column", "advice"), [("perplexity", "logarithm"), ("bits_per_token", "ln 2 = 0.6931")])
def test_a_loss_in_another_unit_is_named(table, column, advice):
    text = problems_of(table.rename(columns={"loss": column}))
    assert f"column 'loss' is missing; from {column!r}" in text
    assert advice in text


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("params", "70B", "'70B' is not a number: write 7e+10"),
        ("params", "1,000,000", "'1,000,000' is not a number: write numbers without commas"),
        ("loss", "diverged", "'diverged' is not a number"),
        ("loss", True, "'True' is not a number"),
        ("loss", [1.0], "'[1.0]' is not a number"),
        ("loss", np.nan, "missing value"),
        ("loss", "", "missing value"),
        ("loss", np.inf, "infinite value"),
        ("tokens", 10**400, "infinite value"),
        ("params", 0, "zero, where a positive number is needed"),
        ("tokens", -1e9, "negative, where a positive number is needed"),
        ("params", 0.07, "below 1; params is a count of parameters: 70 billion is 70e9"),
        ("params", 1e300, "above 1e+18"),
        ("tokens", 1e-300, "below 1; tokens is a count of tokens"),
        ("loss", 1e-300, "below 1e-06"),
        ("loss", 1e300, "above 1000; loss is in nats per token"),
    ],
)
def test_a_bad_cell_is_named_with_its_place_and_the_next_step(table, column, value, expected):
    bad = table.astype(object)
    bad.at[2, column] = value
    assert f"column {column!r}, row 2: {expected}" in problems_of(bad)


def test_all_problems_come_in_one_error(table):
    bad = table.astype(object)
    bad.at[0, "params"], bad.at[1, "tokens"], bad.at[3, "loss"] = "x", -1, None
    assert problems_of(bad).count("\n") == 2


def test_long_lists_of_rows_are_cut(table):
    many = pd.concat([table.assign(loss=0)] * 10, ignore_index=True)
    assert "rows 0, 1, 2, 3, 4 and 35 more: zero" in problems_of(many)


def test_what_follows_from_6nd_is_checked_too(table):
    text = problems_of(table.assign(flops=10.0).drop(columns="tokens"))
    assert "column 'tokens', rows 0, 1, 2, 3: below 1" in text
    assert "follows from flops = 6 N D" in text


@pytest.mark.parametrize("bad", [None, 3, [1, 2], {"params": [1]}])
def test_other_types_are_refused(bad):
    with pytest.raises(RunsError, match="give a DataFrame"):
        check_runs(bad)
    with pytest.raises(RunsError, match="give a DataFrame"):
        load_runs(bad)


def test_empty_doubled_and_nested_columns_are_refused(table):
    assert "no rows" in problems_of(table.iloc[:0])
    assert "'loss' stands there twice" in problems_of(pd.concat([table, table[["loss"]]], axis=1))
    assert "several levels" in problems_of(pd.concat({"a": table}, axis=1))
    assert "columns found: none" in problems_of(pd.DataFrame(index=[0]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"params": [70, 100, 400, 900]}, "fewer than 1,000 parameters"),
        ({"tokens": [1e3, 2e9, 3e10, 1e11]}, "row 0: fewer than one token per 1,000 parameters"),
        ({"loss": [49.4, 3.5, 2.5, 2.2]}, "row 0: loss above 30 nats per token: is it a perplexity"),
        ({"params_nonembedding": [1e9, 1e7, 1e7, 1e7]}, "row 0: params_nonembedding exceeds params"),
    ],
)
def test_improbable_units_are_warned_of(table, change, words):
    with pytest.warns(RunsWarning, match=words):
        check_runs(table.assign(**change))


def test_flops_in_pf_days_are_refused(table):
    flops = 6 * table["params"] * table["tokens"] / 8.64e19
    assert "one PF-day is 8.64e19" in problems_of(table.assign(flops=flops))


# -- files and names


def test_a_file_gives_the_same_table_and_its_lines_as_index(table, tmp_path):
    path = tmp_path / "runs.csv"
    table.to_csv(path, index=False)
    runs = load_runs(path)
    assert runs.index.name == "line"
    assert runs.index.tolist() == [2, 3, 4, 5]
    pd.testing.assert_frame_equal(runs.reset_index(drop=True), check_runs(table))
    pd.testing.assert_frame_equal(load_runs(str(path)), runs)


def test_a_file_with_blank_lines_spaces_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("\ufeff params , tokens,loss\n1e8,2e9,3.5\n\n1e9, 2e10,2.6\n", encoding="utf-8")
    assert load_runs(path).index.tolist() == [2, 4]
    path.write_text("params,tokens,loss\n1e8,2e9,3.5\n\n1e9,2e10,n.a.\n")
    with pytest.raises(RunsError, match=r"runs.csv cannot be used(.|\n)*column 'loss', line 4: 'n.a.' is not a number"):
        load_runs(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"params,tokens,loss\n1e8,2e9,3.5\n1,2,3,4,5\n", "more fields than the 3 of the header"),
        (b"params,tokens,loss\n1e8,2e9,3.5,7\n", "more fields than the 3 of the header"),
        (b"params,tokens,loss,loss\n1e8,2e9,3.5,7\n", "'loss' stands there twice"),
        (b"params,tokens,loss\n", "there are no rows"),
        (bytes(range(256)), "a binary file, not a table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, content, words):
    path = tmp_path / "runs.csv"
    path.write_bytes(content)
    with pytest.raises(RunsError, match=words):
        load_runs(path)


@pytest.mark.parametrize("strict", [True, False])
def test_one_door_for_any_separator(table, tmp_path, strict):
    path = tmp_path / "runs.csv"
    table.to_csv(path, index=False, sep=";")
    pd.testing.assert_frame_equal(load_runs(path, strict=strict).reset_index(drop=True), check_runs(table))


def test_a_strict_reading_takes_our_names_and_units_only(table, tmp_path):
    theirs = table.rename(columns={"params": "Model Size"})
    theirs.to_csv(tmp_path / "runs.csv", index=False)
    for source in (theirs, tmp_path / "runs.csv"):
        assert load_runs(source)["params"].tolist() == table["params"].tolist()
        with pytest.raises(RunsError, match="column 'params' is missing"):
            load_runs(source, strict=True)
    with pytest.raises(RunsError, match="takes no columns, units or decimal mark"):
        load_runs(table, strict=True, units={"params": "millions"})
    millions = load_runs(table.assign(params=table["params"] / 1e6), units={"params": "millions"})
    np.testing.assert_allclose(millions["params"], table["params"])
    assert millions.attrs["reading"]["mapping"][0]["unit"] == "millions"


def test_a_table_in_memory_may_have_bad_rows_left_out(table):
    bad = table.assign(loss=[3.0, np.nan, 2.5, 2.2])
    with pytest.raises(RunsError, match="--skip-bad, in Python skip_bad=True"):
        load_runs(bad)
    assert load_runs(bad, skip_bad=True)["loss"].tolist() == [3.0, 2.5, 2.2]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(RunsError, match="there is no such file"):
        load_runs(tmp_path / "nothing.csv")


def test_a_misspelt_data_set_is_recognised():
    with pytest.raises(RunsError, match="did you mean the data set 'besiroglu2024'"):
        load_runs("besirogl2024")


def test_describe_gives_ranges(table):
    text = describe_runs(table.assign(budget=[1e18, 1e18, np.nan, np.nan], seed=[0, 1, 0, 0]))
    assert text.loc["params", "min"] == 7e7
    assert text.loc["tokens per param", "max"] == pytest.approx(30)
    assert text.loc["budget", ["count", "distinct"]].tolist() == [2, 1]
    assert text.loc["seed", "distinct"] == 2


def many_runs(n):
    rng = np.random.default_rng(0)
    params, tokens, loss = np.exp(rng.uniform(18, 24, n)), np.exp(rng.uniform(20, 26, n)), rng.uniform(2, 4, n)
    return pd.DataFrame({"params": params, "tokens": tokens, "loss": loss, "status": "finished"})


def processor_time(call):
    """The least of three; other work on the machine takes turns with it and is not counted."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


@pytest.mark.slow
def test_the_time_of_a_check_grows_as_the_rows_do():
    few, many = (processor_time(lambda table=table: check_runs(table)) for table in map(many_runs, (10**5, 8 * 10**5)))
    assert many < 20 * few  # 8 times if it grows as the rows, 64 times if as their square


def test_no_table_of_what_was_seen_grows_with_the_rows(monkeypatch):
    lengths, duplicated = [], pd.DataFrame.duplicated

    def noted(self, *args, **options):
        lengths.append(len(self))
        return duplicated(self, *args, **options)

    monkeypatch.setattr(pd.DataFrame, "duplicated", noted)
    assert check_runs(many_runs(10**6)).attrs["notes"] == ["flops of 1000000 runs follows from flops = 6 N D"]
    assert sum(lengths) == 10**6
    assert max(lengths) < 2 * PART


@pytest.mark.parametrize("part", [1, 7, 1000])
@pytest.mark.parametrize("every", [False, True])
def test_repeated_rows_are_those_of_one_table_in_parts(part, every, monkeypatch):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.integers(1, 8, (300, 3)).astype(float), columns=["params", "tokens", "loss"])
    table.loc[rng.random(300) < 0.2, "loss"] = np.nan
    table.loc[rng.random(300) < 0.1, "loss"] = -np.array([np.nan])  # a missing value with another bit
    monkeypatch.setattr(repetition, "PART", part)
    for names in (["params", "tokens"], ["params", "tokens", "loss"]):
        expected = table.duplicated(names, keep=False if every else "first").to_numpy()
        assert np.array_equal(repetition.repeated_rows(table, names, every), expected)
        assert 0 < expected.sum() < len(table)


def test_repeats_are_counted_and_named_in_a_large_table():
    table = many_runs(2 * PART + 1)
    table.loc[[5, PART], ["params", "tokens"]] = table.loc[7, ["params", "tokens"]].to_list()
    table.loc[2 * PART] = table.loc[3]
    notes = check_runs(table.rename_axis("line")).attrs["notes"]
    assert notes[1:] == [
        "3 runs repeat another's params and tokens (kept)",
        f"1 of these repeat its loss too: line {2 * PART}",
    ]


@pytest.mark.parametrize(("name", "rows"), [("besiroglu2024", 245), ("sardana2024", 47)])
def test_the_named_sets_pass_without_a_warning(name, rows):
    if not is_available(name):
        pytest.skip(f"the set {name} is not on this machine")
    runs = load_runs(name)
    assert len(runs) == rows
    assert runs.attrs["warnings"] == []


GROUPED = pytest.mark.skipif(not is_available("gadre2024"), reason="the set gadre2024 is not on this machine")


@GROUPED
def test_a_group_of_a_named_set_is_a_table():
    runs = load_runs("gadre2024/c4")
    assert len(runs) == 34
    assert runs.attrs["reading"]["name"] == "gadre2024/c4"
    assert runs.attrs["reading"]["sha256"] == dataset_checksum("gadre2024")
    assert runs.attrs["warnings"] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gadre2024/c5", "no group 'c5' .did you mean 'c4'..; its groups: c4, rpj, rw"),
        ("gadre2024/redpajama", "no group 'redpajama' .did you mean 'rpj'..; its groups: c4, rpj, rw"),
        ("sardana2024/150M", "sardana2024 has no group '150M'; it has no groups"),
        ("gadre224/c4", "did you mean the data set 'gadre2024'"),
        ("gadre2024/c4/x", "no group 'c4/x'"),
        ("gadre2024/", "did you mean the data set 'gadre2024'"),
        ("gadre2024/c4.csv", "no such file"),
        ("nothing/c4", "no such file"),
    ],
)
def test_an_unknown_group_is_refused_with_those_there_are(name, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunsError, match=words):
        load_runs(name)


@pytest.mark.parametrize("name", ["gadre2024", "gadre2024/c4"])
def test_a_file_goes_before_a_named_set_and_a_folder_can_be_reached(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"params": [1e8, 1e9], "tokens": [1e9, 1e10], "loss": [3.0, 2.5]})
    Path(name).parent.mkdir(exist_ok=True)
    table.to_csv(name, index=False)
    assert len(load_runs(name)) == len(load_runs(f"./{name}")) == 2
    Path(name).unlink()
    Path(name).mkdir(parents=True, exist_ok=True)
    table.to_parquet(Path(name) / "part.parquet")
    assert len(load_runs(f"./{name}")) == len(load_runs(Path(name))) == 2

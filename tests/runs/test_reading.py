"""Reading a stranger's table: names, units, marks and formats; what can be read in two ways is refused."""

import dataclasses
import inspect
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scaling
from scaling.runs.reading.cells import decimal_mark, read_numbers
from scaling.runs.reading.options import Options
from scaling.runs.reading.ratios import read_ratio
from scaling.runs.reading.units import Header, read_header, stated_unit, unit_factor

ROWS = [(7e7, 1.4e9, 3.5), (1e9, 2e10, 2.7), (7e10, 1.4e12, 1.95)]


def read(tmp_path, content, **options):
    path = tmp_path / "table"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return scaling.runs.read_table(path, **options)


def values(table):
    return table.frame[["params", "tokens", "loss"]].to_numpy(dtype=float)


def refused(tmp_path, content, **options):
    with pytest.raises(scaling.RunsError) as error:
        read(tmp_path, content, **options)
    return str(error.value)


# -- headers


@pytest.mark.parametrize(
    ("text", "name", "unit"),
    [
        ("N", "params", None),
        ("n_params", "params", None),
        ("Model Size", "params", None),
        ("modelSize", "params", None),
        ("params (M)", "params", "M"),
        ("tokens_B", "tokens", "B"),
        ("params_in_millions", "params", "millions"),
        ("Parameters, millions", "params", "millions"),
        ("Parameters (N)", "params", None),
        ("Params (non-embedding)", "params_nonembedding", None),
        ("val/loss", "loss", None),
        ("summary.val_loss", "loss", None),
        ("loss_bits_per_token", "loss", "bits"),
        ("eval loss [bits/token]", "loss", "bits/token"),
        ("bpb", "loss", "bits_per_byte"),
        ("val_ppl", "loss", "perplexity"),
        ("compute_pf_days", "flops", "PF-days"),
        ("PF-days", "flops", "PF-days"),
        ("FLOPs (1e18)", "flops", "1e18"),
        ("C (EFLOPs)", "flops", "EFLOPs"),
        ("State", "status", None),
        ("Parameter (Mio.)", "params", "Mio."),
        ("Trainingstoken (Mrd.)", "tokens", "Mrd."),
        ("Rechenaufwand (PF-Tage)", "flops", "PF-Tage"),
        ("Perplexität", "loss", "perplexity"),
        ("参数量（百万）", "params", "百万"),
        ("パラメータ数", "params", None),
        ("Nombre de paramètres (millions)", "params", "millions"),
        ("M params", "params", "M"),
        ("billions of tokens", "tokens", "billions"),
        ("GTokens", "tokens", "g"),
        ("params (×10⁶)", "params", "x10^6"),
        ("FLOPs (x 10^{18})", "flops", "x 10^18"),
        ("tokens (1e9 tokens)", "tokens", "1e9 tokens"),
        ("# tokens (B)", "tokens", "B"),
        ("Params (N, M)", "params", "M"),
        ("Params (non-embedding, M)", "params_nonembedding", "M"),
        ("throughput/total_tokens (Tsd.)", "tokens", "Tsd."),
        ("throughput/total_gflops", "flops", "gflops"),
        ("Val BPC", "loss", "bits_per_character"),
        ("loss per token", "loss", None),
        ("tokens per run", "tokens", None),
        ("tokens per epoch", "unique_tokens", None),
    ],
)
def test_headers_that_are_known(text, name, unit):
    assert read_header(text) == Header(name, unit)


NONE = ["log_params", "log10(N)", "parms", "", "  ", "loss_gap", "depth", "gpu_hours", "tflops", "batch_size"]
RATIOS = {
    ("tokens", "params"): ["tokens/param", "tokens_per_param", "D/N", "D:N", "TPP", "token pro Parameter", "D_over_N"],
    ("flops", "tokens"): ["FLOPs/token", "FLOPs per token", "C/D"],
    ("params", "tokens"): ["params per token", "N / D"],
    ("tokens", ""): ["tok/sec", "tokens per second", "throughput/tokens_per_second", "tokens/GPU", "tok/s"],
    ("", "tokens"): ["ms/token", "bytes per token"],
}


@pytest.mark.parametrize("text", [text for texts in RATIOS.values() for text in texts])
def test_ratios_and_rates_are_no_quantities(text):
    found = read_ratio(text)
    assert found is not None
    assert text in RATIOS[(found.over, found.under)]
    assert read_header(text) is None


@pytest.mark.parametrize("text", ["train/loss", "config.n_params", "nats/token", "tokens/1e9", "data/tokens", "loss"])
def test_paths_and_units_are_no_ratios(text):
    assert read_ratio(text) is None
    assert read_header(text) is not None


@pytest.mark.parametrize(
    ("name", "text", "unit"),
    [
        ("tokens", "Training set (M)", "M"),
        ("params", "Weights total (k)", "k"),
        ("params", "size_m", "m"),
        ("params", "Model, in Mio.", "Mio."),
        ("flops", "run/total_tflops", "tflops"),
        ("tokens", "seen [x1e9]", "x1e9"),
        ("loss", "Score (bits)", "bits"),
        ("params", "weights (bytes)", "bytes"),
        ("loss", "Final NLL", None),
        ("params", "model", None),
        ("params", "c", None),
        ("tokens", "corpus (train)", None),
    ],
)
def test_a_unit_in_a_header_holds_for_a_column_named_by_hand(name, text, unit):
    assert stated_unit(name, text) == unit


@pytest.mark.parametrize("text", NONE)
def test_headers_are_matched_whole_and_never_by_likeness(text):
    assert read_header(text) is None


@pytest.mark.parametrize("ours", ["params", "tokens", "loss", "flops", "params_nonembedding", "budget", "run", "seed"])
def test_our_own_names_are_known(ours):
    assert read_header(ours) == Header(ours)


@pytest.mark.parametrize(
    ("name", "unit", "factor"),
    [
        ("params", "millions", 1e6),
        ("tokens", "T", 1e12),
        ("tokens", "B tokens", 1e9),
        ("flops", "PF-days", 8.64e19),
        ("flops", "petaflop/s-days", 8.64e19),
        ("flops", "ZFLOP", 1e21),
        ("flops", "10^18", 1e18),
        ("params", "count", 1.0),
        ("params", "GB", None),
        ("params", "PF-days", None),
        ("loss", "bits/token", "bits"),
        ("params", "Mi", 2.0**20),
        ("tokens", "×10⁹", 1e9),
        ("tokens", "亿", 1e8),
        ("tokens", "1e9 tokens", 1e9),
        ("tokens", "Bio", None),
        ("flops", "GFLOP/s", None),
        ("loss", "M", None),
    ],
)
def test_units(name, unit, factor):
    assert unit_factor(name, unit) == factor


def test_a_pf_day_is_a_day_of_petaflops():
    assert unit_factor("flops", "PF-days") == float(scaling.published("kaplan2020/flops/pf_day"))


# -- cells


@pytest.mark.parametrize(
    ("cell", "mark", "value"),
    [
        ("70B", ".", 70e9),
        ("1.4T", ".", 1.4e12),
        ("300 million", ".", 3e8),
        ("1,000,000", ".", 1e6),
        ("1 000 000", ".", 1e6),
        ("1'000'000", ".", 1e6),
        ("1_000_000", ".", 1e6),
        ("1.000.000", ",", 1e6),
        ("1,4T", ",", 1.4e12),
        ("7.0E+09", ".", 7e9),
        (".5", ".", 0.5),
        ("\u22123", ".", -3.0),
    ],
)
def test_cells_that_are_numbers(cell, mark, value):
    column, _, _ = read_numbers("params", pd.Series([cell]), mark)
    assert column.iloc[0] == value


@pytest.mark.parametrize("cell", ["12,34,567", "1,00", "1..2", "7e", "e9", "70X", "--1", "1 00", "=1+1", "0x10", "7 8"])
def test_cells_that_are_none_stay_as_they_are(cell):
    column, _, _ = read_numbers("params", pd.Series([cell]), ".")
    assert column.iloc[0] == cell


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["2,31"], ","),
        (["1.234,5"], ","),
        (["1.234.567"], ","),
        (["2.31", "1,000"], "."),
        (["1,234,567"], "."),
        (["0,314"], ","),
        (["70"], "."),
    ],
)
def test_the_decimal_mark_is_told_by_cells_that_leave_no_choice(cells, mark):
    assert decimal_mark({"loss": pd.Series(cells, name="loss")})[0] == mark


@pytest.mark.parametrize("cells", [["1,234"], ["2,31", "2.31"]])
def test_where_they_do_not_it_is_asked(cells):
    mark, words = decimal_mark({"loss": pd.Series(cells)})
    assert mark == ""
    assert "--decimal" in words


@given(st.floats(1e3, 1e18), st.sampled_from([".", ","]))
@settings(max_examples=100)
def test_any_number_is_read_as_it_was_written(value, mark):
    written = [f"{value:,.2f}", f"{value:.6g}", f"{value / 1e6:.9f}M"]
    if mark == ",":
        written = [text.translate(str.maketrans(",.", ".,")) for text in written]
    column, own, units = read_numbers("params", pd.Series(written), mark)
    np.testing.assert_allclose(column.to_numpy(dtype=float), value, rtol=2e-5, atol=0.01 if value < 1e5 else 60)
    assert own.tolist() == [False, False, True]
    assert units == ["M"]


# -- tables


FORMS = {
    "counts": "N,D,L\n70000000,1400000000,3.5\n1e9,2e10,2.7\n7e10,1.4e12,1.95\n",
    "letters": "Model Size\tTokens\tval_loss\n70M\t1.4B\t3.5\n1B\t20B\t2.7\n70B\t1.4T\t1.95\n",
    "headers": "params (M);tokens (B);loss\n70;1,4;3,5\n1000;20;2,7\n70.000;1.400;1,95\n",
    "unit row": "params,tokens,loss\nmillions,billions,nats\n70,1.4,3.5\n1000,20,2.7\n70000,1400,1.95\n",
    "bars": "loss|n_params|num_tokens|note\n3.5|70,000,000|1,400,000,000|a\n2.7|1e9|2e10|b\n1.95|7e10|1.4e12|c\n",
    "JSON": json.dumps([{"N": "70M", "D": 1.4e9, "loss": 3.5}, *({"N": n, "D": d, "loss": v} for n, d, v in ROWS[1:])]),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_table_in_many_forms(tmp_path, form):
    np.testing.assert_allclose(values(read(tmp_path, FORMS[form])), ROWS, rtol=1e-14)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path, encoding):
    content = FORMS["bars"].replace("|a\n", "|modèle\n").encode(encoding)
    table = read(tmp_path, content)
    np.testing.assert_allclose(values(table), ROWS)
    assert table.frame["note"].iloc[0] == "modèle"


@pytest.mark.parametrize(
    ("encodings", "header"),
    [
        ("gbk gb18030", "参数量,训练词元数,损失,组"),
        ("gbk", "参数,训练tokens,验证loss,名称"),
        ("cp932 euc_jp", "パラメータ数,トークン数,損失,名前"),
        ("cp949", "파라미터,토큰,손실,이름"),
        ("cp1251 koi8-r", "Параметры,Токены,Потери,Имя"),
        ("cp1250", "Počet parametrů,Počet tokenů,Ztráta,jméno"),
        ("cp1254 mac-roman cp850", "Nombre de paramètres,Jetons,Perte,modèle"),
        ("cp1254", "Parametre sayısı,Token sayısı,Kayıp,ad"),
        ("mac-roman cp850", "Número de parámetros,Número de tokens,Pérdida,nombre"),
    ],
)
def test_headers_tell_an_encoding_that_nothing_else_does(tmp_path, encodings, header):
    rows = "\n".join(f"{params:g},{tokens:g},{loss:g},a" for params, tokens, loss in ROWS)
    for encoding in encodings.split():
        table = read(tmp_path, f"{header}\n{rows}\n".encode(encoding))
        np.testing.assert_allclose(values(table), ROWS)
        assert [*table.mapping["column"], *table.frame.columns[3:]] == header.split(","), encoding
        assert "--encoding decides" in table.notes[0]


def test_headers_that_are_known_anyway_tell_no_other_encoding(tmp_path):
    rows = "\n".join(f"{params:g},{tokens:g},{loss:g},modèle" for params, tokens, loss in ROWS)
    table = read(tmp_path, f"params,tokens,loss,note\n{rows}\n".encode("cp1252"))
    assert "Windows-1252" in table.kind
    assert table.frame["note"].iloc[0] == "modèle"


def test_parquet(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["n_params", "tokens (B)", "loss"])
    frame["tokens (B)"] /= 1e9
    frame.to_parquet(tmp_path / "t.parquet")
    table = scaling.runs.read_table(tmp_path / "t.parquet")
    np.testing.assert_allclose(values(table), ROWS)
    assert table.frame.index.name == "row"


@pytest.mark.parametrize("mark", ["*", "**", "†", "‡", "§", "^a", "*^"])
@pytest.mark.parametrize("row", [0, 1])
def test_a_mark_of_a_footnote_is_asked_about(tmp_path, mark, row):
    marked = [
        f"{params / 1e6:g}M{mark * (k == row)},{tokens:g},{loss:g}" for k, (params, tokens, loss) in enumerate(ROWS)
    ]
    table = read(tmp_path, "\n".join(["params,tokens,loss", *marked]))
    with pytest.raises(scaling.RunsError, match=rf"M{re.escape(mark)}' is not a number: write"):
        scaling.check_runs(table.frame)


def test_flops_and_losses_in_other_units(tmp_path):
    text = "N,compute (PF-days),loss_bpb\n1e9,2,1.0\n"
    table = read(tmp_path, text, bytes_per_token=4.5)
    assert table.frame["flops"].iloc[0] == pytest.approx(2 * 8.64e19)
    assert table.frame["loss"].iloc[0] == pytest.approx(4.5 * np.log(2))
    assert "--bytes-per-token" in refused(tmp_path, text)
    table = read(tmp_path, "N,D,ppl\n1e9,2e10,20\n")
    assert table.frame["loss"].iloc[0] == pytest.approx(np.log(20))
    table = read(tmp_path, "N,D,loss\n1e9,2e10,3.5\n", loss_unit="bits")
    assert table.frame["loss"].iloc[0] == pytest.approx(3.5 * np.log(2))


def test_everything_that_was_mapped_is_said(tmp_path):
    table = read(tmp_path, FORMS["headers"])
    said = table.mapping.set_index("name")
    assert said.loc["params"].tolist() == ["params (M)", "M", "header"]
    assert said.loc["loss"].tolist() == ["loss", "nats", "assumed"]
    assert "numbers have decimal commas" in table.notes
    assert "semicolons" in table.kind
    assert "params (M)" in repr(table)


COLUMNS = "params,tokens,loss\n70e6,1.4e9,3.5\n1e9,2e10,2.7\n7e10,1.4e12,1.95\n"


@pytest.mark.parametrize(
    ("other", "option", "said"),
    [
        ("tokens/param", {"columns": {"tokens": "tokens/param"}}, "this is a ratio or a rate (tokens over params)"),
        ("logN", {"columns": {"params": "logN"}}, "this is a logarithm"),
        ("Loss", {}, "'loss' and 'Loss' could each be 'loss'"),
        ("loss", {}, "column 'loss' stands there twice"),
    ],
)
def test_what_is_no_quantity_or_could_be_either_is_said(tmp_path, other, option, said):
    rows = COLUMNS.splitlines()
    text = "\n".join([f"{rows[0]},{other}", *(f"{row},{k + 2.5}" for k, row in enumerate(rows[1:]))])
    assert said in refused(tmp_path, text, **option)


def test_a_hint_is_given_only_for_cells_that_could_be_the_quantity(tmp_path):
    text = "param_scale,toknes,loss\nsmall,1e9,3.1\nlarge,2e9,2.9\n"
    words = refused(tmp_path, text)
    assert "'toknes' looks like it: --column tokens='toknes'" in words
    assert "--column params='param_scale'" not in words
    many = "".join(f"a{k}," for k in range(60))
    words = refused(tmp_path, f"{many}mp,loss\n" + f"{'0,' * 60}5e7,3.1\n{'0,' * 60}7e7,3.0\n")
    assert words.index("'mp'") < words.index("'a0'")


def test_labels_say_which_rows_are_no_runs_only_where_they_do(tmp_path):
    rows = COLUMNS.splitlines()
    for label, last in {"max-lr": 3, "mean pool": 3, "Total": 2, "MEAN": 2}.items():
        text = "\n".join([f"{rows[0]},model", *(f"{row},m" for row in rows[1:-1]), f"{rows[-1]},{label}"])
        assert len(read(tmp_path, text).frame) == last, label
    pooled = "\n".join([f"{rows[0]},pool", *(f"{row},{('mean', 'max')[k % 2]}" for k, row in enumerate(rows[1:] * 5))])
    assert len(read(tmp_path, pooled).frame) == 15


def test_tokens_of_one_epoch_are_told_from_all_tokens(tmp_path):
    text = "params,tokens,epochs,loss\n" + "".join(
        f"{N},1e9,{epochs},{3 - epochs / 100 - N / 1e10}\n" for N in (1e8, 1e9) for epochs in (2, 4, 8)
    )
    assert "--column unique_tokens='tokens' multiplies them" in refused(tmp_path, text)
    table = read(tmp_path, text, columns={"unique_tokens": "tokens"})
    assert table.frame["tokens"].tolist() == [2e9, 4e9, 8e9] * 2
    assert (table.frame["unique_tokens"] == 1e9).all()
    assert (read(tmp_path, text, columns={"tokens": "tokens"}).frame["tokens"] == 1e9).all()


@pytest.mark.parametrize("cell", ['5" disk', 'x"y"', '"two, words\nand 1,2,3,4 more"'])
def test_quotation_marks_that_swallow_nothing_are_left_alone(tmp_path, cell):
    rows = COLUMNS.splitlines()
    table = read(tmp_path, "\n".join([f"{rows[0]},model", f"{rows[1]},{cell}", *(f"{row},m" for row in rows[2:])]))
    np.testing.assert_allclose(values(table), ROWS)
    assert not any("quotation" in note for note in table.notes)


def test_options_decide_over_headers(tmp_path):
    table = read(tmp_path, "a,tokens (B),loss\n70,1.4,3.5\n", columns={"params": "a"}, units={"params": "millions"})
    np.testing.assert_allclose(values(table), ROWS[:1])
    assert table.mapping["from"].tolist() == ["option", "header", "assumed"]
    table = read(tmp_path, "N,tokens (B),loss\n7e7,1.4e9,3.5\n", units={"tokens": "count"})
    np.testing.assert_allclose(values(table), ROWS[:1])


def test_rows_are_lines_of_the_file(tmp_path):
    text = 'Runs of May\n\nN,D,loss,note\n7e7,1.4e9,3.5,"two\nlines"\n\n# resumed\n1e9,2e10,2.7,\n7e10,1.4e12,1.95,\n'
    table = read(tmp_path, text)
    assert table.frame.index.tolist() == [4, 8, 9]
    assert table.frame.index.name == "line"
    assert any("line 6: left out, blank" in note for note in table.notes)


def test_other_columns_are_carried_and_never_replace_ours(tmp_path):
    table = read(tmp_path, "N,params,tokens,loss,x\n1e9,5e8,2e10,2.7,a\n", columns={"params": "N"})
    assert table.frame.columns.tolist() == ["params", "tokens", "loss", "params (as given)", "x"]
    assert table.frame["params"].iloc[0] == 1e9


def test_the_checksum_is_that_of_the_file(tmp_path):
    import hashlib

    table = read(tmp_path, FORMS["counts"])
    assert table.sha256 == hashlib.sha256(FORMS["counts"].encode()).hexdigest()


def test_our_own_tables_are_read_as_load_runs_reads_them(tmp_path):
    runs = scaling.load_runs("small_sweep")
    runs.to_csv(tmp_path / "runs.csv", index=False)
    table = scaling.check_runs(scaling.runs.read_table(tmp_path / "runs.csv").frame)
    pd.testing.assert_frame_equal(
        table[runs.columns].reset_index(drop=True), runs.reset_index(drop=True), check_dtype=False
    )
    assert table.index[0] == 2


def outcome(tmp_path, content):
    """The table, checked, or the words of its refusal."""
    try:
        table = read(tmp_path, content)
        scaling.check_runs(table.frame)
    except scaling.RunsError as error:
        return str(error)
    return table


HYPOTHESIS = settings(
    max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@given(st.binary(max_size=300))
@HYPOTHESIS
def test_any_bytes(tmp_path, content):
    assert "cannot be used as a table of runs" in outcome(tmp_path, content)


CELLS = st.sampled_from(["1e9", "70B", "2,31", "1,234", "", "x", "#REF!", '"', "\u202e", "1.5", "nan", "-3", "\n", "="])


@pytest.mark.slow
@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=6), st.sampled_from(",;\t|"))
@HYPOTHESIS
@pytest.mark.filterwarnings("ignore::scaling.errors.RunsWarning")
def test_any_cells_below_a_header(tmp_path, rows, mark):
    text = mark.join(["params", "tokens", "loss"]) + "\n" + "\n".join(mark.join(row) for row in rows)
    found = outcome(tmp_path, text)
    if isinstance(found, str):
        assert len(found) > 60
    else:
        assert (values(found) > 0).all()


@pytest.mark.parametrize("percentiles", [None, [0.05, 0.95], [0.1, 0.25, 0.333, 0.75, 0.9]])
@pytest.mark.parametrize("label", ["", "statistic"])
def test_what_describe_says_of_the_runs_is_left_out(tmp_path, percentiles, label):
    runs = pd.DataFrame({"params": np.geomspace(1e8, 1e10, 9), "tokens": 2e10, "loss": np.linspace(3, 2, 9)})
    (path := tmp_path / "t.csv").write_text(
        runs.to_csv(index_label=label) + runs.describe(percentiles).to_csv(header=False)
    )
    table = scaling.runs.read_table(path)
    assert len(table.frame) == 9
    assert sum("is a summary, not a run" in note for note in table.notes) == len(runs.describe(percentiles))


@pytest.mark.parametrize("header", ["tokens", "training tokens", "D", "train_tokens"])
@pytest.mark.parametrize("epochs", ["epochs", "num_epochs"])
def test_tokens_beside_one_number_of_epochs_are_asked_about(tmp_path, header, epochs):
    text = f"params,{header},{epochs},loss\n" + "".join(
        f"{N},{D},4,{3 - D / 1e11 - N / 1e11}\n" for N in (1e8, 1e9) for D in (1e9, 2e9, 4e9)
    )
    said = refused(tmp_path, text)
    assert f"every run has 4 {epochs!r} beside {header!r}: are these the tokens of one epoch?" in said
    assert f"--column unique_tokens={header!r} multiplies them; --column tokens={header!r} takes them as all" in said
    seen = read(tmp_path, text, columns={"tokens": header})
    assert seen.frame["tokens"].tolist() == [1e9, 2e9, 4e9] * 2
    assert any("taken as all that were seen" in note for note in seen.notes)
    assert read(tmp_path, text, columns={"unique_tokens": header}).frame["tokens"].tolist() == [4e9, 8e9, 16e9] * 2
    assert len(read(tmp_path, text.replace(",4,", ",1,")).frame) == 6
    assert len(read(tmp_path, text.replace(header, "tokens_seen", 1)).frame) == 6


@pytest.mark.parametrize(
    ("header", "unit", "said"),
    [
        ("loss", None, "the loss is read in nats, not per byte"),
        ("loss", "bits", "the loss is read in bits"),
        ("loss", "bits_per_byte", ""),
        ("loss (bits per byte)", None, ""),
    ],
)
def test_bytes_of_a_token_for_a_loss_that_is_not_per_byte_are_said_to_change_nothing(tmp_path, header, unit, said):
    text = f"params,tokens,{header}\n" + "".join(f"{N},2e10,{3 - N / 1e10}\n" for N in (1e8, 3e8, 1e9))
    notes = [each for each in read(tmp_path, text, loss_unit=unit, bytes_per_token=4).notes if "bytes-per" in each]
    assert len(notes) == bool(said)
    assert not notes or said in notes[0]


def test_a_loss_is_no_name_of_a_run(tmp_path):
    assert "--run loss: this is the loss, not the name of a run" in refused(tmp_path, COLUMNS, run="loss")


def test_quantities_within_objects_are_told(tmp_path):
    whole = {"config": {"n_params": {"value": 1e8}, "tokens": {"value": 2e9}}, "summary": {"val_loss": 3.0}}
    (path := tmp_path / "t.jsonl").write_text("\n".join([json.dumps(whole)] * 3))
    with pytest.raises(scaling.RunsError) as error:
        scaling.runs.read_table(path)
    assert "--column params=config.n_params.value --column tokens=config.tokens.value" in str(error.value)
    path.write_text("\n".join([json.dumps({name: json.dumps(part) for name, part in whole.items()})] * 3))
    with pytest.raises(scaling.RunsError, match="the cells of 'config' and 'summary' are objects written as text"):
        scaling.runs.read_table(path)


def written(tmp_path, form, head=("params", "tokens", "loss"), foot="", above=""):
    """Twelve runs with cells of this form, read."""
    N, ratio = (x.ravel() for x in np.meshgrid([5e7, 2e8, 8e8], [5, 20, 60, 180]))
    loss = scaling.ChinchillaLaw(E=1.7, A=400.0, B=1000.0, alpha=0.34, beta=0.36).loss(N, N * ratio)
    rows = [form(*row) for row in zip(N, N * ratio, loss, strict=True)]
    text = above + "\n".join(";".join(row) for row in [head, *rows]) + "\n" + foot
    (path := tmp_path / "runs.csv").write_text(text, encoding="utf-8")
    return path, pd.DataFrame({"params": N, "tokens": N * ratio, "loss": loss})


def plainly(N, D, L):
    return f"{N:.0f}", f"{D:.0f}", f"{L:.6f}"


DRESSES = {
    "wide": lambda cell: cell.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789."}),
    "a formula's": '="{}"'.format,
    "single": "'{}'".format,
    "an apostrophe": "'{}".format,
    "code": "`{}`".format,
    "mathematics": "${}$".format,
    "unseen": "\u200b{}".format,
    "curly": "“{}”".format,
}


@pytest.mark.parametrize("dress", DRESSES)
def test_what_stands_around_numbers_is_no_part_of_them(tmp_path, dress):
    path, truth = written(tmp_path, lambda *row: [*map(DRESSES[dress], plainly(*row))])
    pd.testing.assert_frame_equal(scaling.load_runs(path)[[*truth]].reset_index(drop=True), truth, rtol=1e-5)


@pytest.mark.parametrize("form", ["{:.4f} ± 0.02", "{:.4f} +/- 0.02", "{:.4f} (0.004)", "{:.4f}(21)"])
def test_spreads_behind_losses_are_left_out_and_said(tmp_path, form):
    path, truth = written(tmp_path, lambda N, D, L: (f"{N:.0f}", f"{D:.0f}", form.format(L)))
    read = scaling.runs.read_table(path)
    np.testing.assert_allclose(read.frame["loss"], truth["loss"], rtol=1e-3)
    assert "column 'loss': the spreads behind 12 numbers are left out" in read.notes


@pytest.mark.parametrize("form", ["{:.4f} (3.02)", "{:.4f} (3)", "{:.4f}*"])
def test_what_may_be_something_else_behind_a_loss_is_asked_about(tmp_path, form):
    path, _ = written(tmp_path, lambda N, D, L: (f"{N:.0f}", f"{D:.0f}", form.format(L)))
    with pytest.raises(scaling.RunsError, match="is not a number"):
        scaling.load_runs(path)


@pytest.mark.parametrize(("unit", "worth"), [("bits", np.log(2)), ("nats", 1.0), (" bits/token", np.log(2))])
def test_a_unit_in_all_cells_of_the_loss_is_its_unit(tmp_path, unit, worth):
    path, truth = written(tmp_path, lambda N, D, L: (f"{N:.0f}", f"{D:.0f}", f"{L / worth:.6f}{unit}"))
    np.testing.assert_allclose(scaling.load_runs(path)["loss"], truth["loss"], rtol=1e-5)


def test_a_unit_in_some_cells_of_the_loss_is_not_to_be_written_without_it(tmp_path):
    path, _ = written(tmp_path, lambda N, D, L: (f"{N:.0f}", f"{D:.0f}", f"{L:.4f}{' bits' if N > 1e8 else ''}"))
    with pytest.raises(scaling.RunsError, match="write the unit into the header"):
        scaling.load_runs(path)


@pytest.mark.parametrize("row", ["10^6;10^9;", "1e6;1e9;-", "×10⁶;×10⁹;nats", "M;B;", "[millions];[billions];"])
def test_a_row_of_units_need_not_have_one_for_the_loss(tmp_path, row):
    path, truth = written(tmp_path, lambda N, D, L: (f"{N / 1e6:g}", f"{D / 1e9:g}", f"{L:.6f}"))
    head, rows = path.read_text().split("\n", 1)
    path.write_text(f"{head}\n{row}\n{rows}", encoding="utf-8")
    pd.testing.assert_frame_equal(scaling.load_runs(path)[[*truth]].reset_index(drop=True), truth, rtol=1e-5)


def test_a_run_of_a_million_parameters_without_a_loss_is_no_row_of_units(tmp_path):
    path, _ = written(tmp_path, plainly)
    head, rows = path.read_text().split("\n", 1)
    path.write_text(f"{head}\n1000000;1000000000;\n{rows}")
    with pytest.raises(scaling.RunsError, match="line 2: missing value"):
        scaling.load_runs(path)


@pytest.mark.parametrize("foot", ["\nAll losses are of the last step.\n", "* restarted once;;\n"])
def test_text_below_a_table_is_left_out(tmp_path, foot):
    path, truth = written(tmp_path, plainly, foot=foot)
    read = scaling.runs.read_table(path)
    assert len(read.frame) == len(truth)
    assert any("a line of text without numbers" in note for note in read.notes)


@pytest.mark.parametrize("place", ["above", "foot"])
@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("Losses in bits per token", "bits"),
        ("Loss: bits per byte", "bits_per_byte"),
        ("loss is a perplexity", "perplex"),
    ],
)
def test_a_unit_of_losses_in_text_beside_the_table_is_asked_about(tmp_path, place, line, unit):
    path, truth = written(tmp_path, plainly, **{place: f"{line}\n"})
    with pytest.raises(scaling.RunsError, match=f"{line!r} stands beside the table: --loss-unit {unit}"):
        scaling.load_runs(path)
    assert len(scaling.load_runs(path, loss_unit="nats")) == len(truth)


@pytest.mark.parametrize("line", ["Losses in nats", "Trained with 8-bit optimizers, loss scaled", "Our 64-bit runs"])
def test_other_text_beside_a_table_is_not(tmp_path, line):
    path, truth = written(tmp_path, plainly, above=f"{line}\n")
    assert len(scaling.load_runs(path)) == len(truth)


@pytest.mark.parametrize("word", ["miles de millones", "miljard", "milyar", "miljarder", "crore"])
def test_words_for_scales_of_other_languages(tmp_path, word):
    worth = 1e7 if word == "crore" else 1e9
    path, truth = written(tmp_path, lambda N, D, L: (f"{N:.0f}", f"{D / worth:g} {word}", f"{L:.4f}"))
    np.testing.assert_allclose(scaling.load_runs(path)["tokens"], truth["tokens"])


@pytest.mark.parametrize("read", [scaling.load_runs, scaling.runs.read_table])
def test_every_argument_of_reading_is_an_option_of_the_same_type(read):
    options = {field.name: (field.type, field.default) for field in dataclasses.fields(Options)}
    given = {name: (each.annotation, each.default) for name, each in inspect.signature(read).parameters.items()}
    assert [name for name in given if given[name] != options.get(name)] == [next(iter(given))]  # what is read

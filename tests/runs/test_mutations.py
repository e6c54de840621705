"""Sound tables whose law is known, under other people's headers, units and layouts: right, asked, or refused.

What says its units in words that are known must come out right, too: nothing that is clear is asked.
"""

import itertools
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scaling

#: header words of each quantity, in several languages
WORDS = {
    "params": [
        "params",
        "N",
        "n_params",
        "Model Size",
        "Parameters",
        "num_parameters",
        "config.n_params",
        "Parameter",
        "参数量",
    ]
    + [
        "Nombre de paramètres",
        "Parámetros",
        "パラメータ数",
        "# params",
        "No. of params",
        "Weights",
        "param_count",
        "파라미터",
    ],
    "tokens": [
        "tokens",
        "D",
        "n_tokens",
        "Training Tokens",
        "train/tokens",
        "tokens seen",
        "Trainingstoken",
        "训练词元数",
    ]
    + [
        "Nombre de tokens",
        "トークン数",
        "# tokens",
        "total_tokens",
        "Dataset Size",
        "throughput/total_tokens",
        "토큰 수",
    ],
    "flops": ["flops", "C", "total_flops", "Training FLOPs", "compute", "Rechenaufwand", "计算量", "train_flops"],
    "loss": [
        "loss",
        "val_loss",
        "Final Loss",
        "eval/loss",
        "Validation loss",
        "Verlust",
        "Perte",
        "损失",
        "検証損失",
        "NLL",
    ],
}
#: ways to write a scale behind a header
SCALES = {
    1e3: ["(k)", "(thousands)", "[K]", "in thousands", "(x10^3)", "(×10³)", "(Tsd.)", "(10^3)"],
    1e6: [
        "(M)",
        "(millions)",
        "[M]",
        "in millions",
        "(x10^6)",
        "(×10⁶)",
        "(Mio.)",
        "(1e6)",
        ", M",
        "_M",
        "(百万)",
        "(in M)",
    ],
    1e9: [
        "(B)",
        "(billions)",
        "[B]",
        "in billions",
        "(10^9)",
        "(×10⁹)",
        "(Mrd.)",
        "(1e9)",
        "_B",
        "(十亿)",
        "(bn)",
        "(milliards)",
    ],
}
FLOPS = {1e18: ["(1e18)", "(EFLOPs)", "(10^18)", "[EFLOP]"], 8.64e19: ["(PF-days)", "[PF-Tage]", "(petaflop/s-days)"]}
LOSSES = {
    "nats": (lambda x: x, ["", "(nats)", "[nats/token]"]),
    "bits": (lambda x: x / np.log(2), ["(bits)", "(bits/token)", "[bits per token]"]),
    "perplexity": (np.exp, []),
}
#: columns that are no quantity, however much their names are like one
OTHERS = {
    "tok/sec": lambda t: 1e5 + 0 * t["params"],
    "tokens_per_second": lambda t: 2e5 + 0 * t["params"],
    "D/N": lambda t: t["tokens"] / t["params"],
    "tokens per param": lambda t: t["tokens"] / t["params"],
    "FLOPs/token": lambda t: 6 * t["params"],
    "params per token": lambda t: t["params"] / t["tokens"],
    "gpu_hours": lambda t: t["flops"] / 1e18,
    "d_model": lambda t: 64 * np.round(t["params"] ** 0.3),
    "layers": lambda t: np.round(t["params"] ** 0.15),
    "lr": lambda t: 3e-4 + 0 * t["params"],
    "ms/token": lambda t: t["params"] / 1e9,
    "loss_gap": lambda t: t["loss"] - 1.7,
    "compute (GPU hours)": lambda t: t["flops"] / 1e18,
}
SUMMARIES = ["Total", "Total (20 runs)", "Summe", "合計", "Average", "Mean of all runs", "", "moyenne", "TOTAL:"]
FLAGS = {
    "failed": ("False", "True"),
    "diverged": ("no", "yes"),
    "ok": ("1", "0"),
    "finished": ("True", "False"),
    "State": ("finished", "crashed"),
    "outcome": ("success", "diverged"),
    "is_nan": ("0", "1"),
    "run_status": ("completed", "failed"),
}


def truth(seed):
    """Runs of a law, and the law."""
    rng = np.random.default_rng(seed)
    E, A, B = rng.uniform(1.6, 1.9), np.exp(rng.uniform(5.7, 6.3)), np.exp(rng.uniform(6.0, 7.6))
    law = scaling.ChinchillaLaw(E=E, A=A, B=B, alpha=rng.uniform(0.32, 0.36), beta=rng.uniform(0.32, 0.37))
    sizes = np.geomspace(5e7, 3.2e9, 4) * rng.uniform(0.8, 1.2)
    N, D = (grid.ravel() for grid in np.meshgrid(sizes.round(-4), np.geomspace(1e9, 2.56e11, 5).round(-6)))
    loss = law.loss(N, D) * np.exp(0.003 * rng.standard_normal(20))
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss, "flops": 6 * N * D})


def read(path, **options):
    """The runs of a file, or the words of the refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scaling.errors.RunsWarning)
        try:
            return scaling.load_runs(path, **options)
        except scaling.RunsError as error:
            return str(error)


def assert_right(found, runs):
    assert not isinstance(found, str), found
    assert len(found) == len(runs), found.attrs["reading"]["notes"]
    names = ["params", "tokens", "loss"]
    np.testing.assert_allclose(found[names].to_numpy(), runs[names].to_numpy(), rtol=2e-3)


@st.composite
def clear_tables(draw):
    """A table that says all that a reader needs, the runs that it holds."""
    runs = truth(draw(st.integers(0, 2**16)))
    given_ = draw(
        st.sampled_from([("params", "tokens"), ("params", "tokens", "flops"), ("params", "flops"), ("tokens", "flops")])
    )
    columns = {}
    for name in given_:
        word, values = draw(st.sampled_from(WORDS[name])), runs[name]
        factor = draw(st.sampled_from([1.0, *(FLOPS if name == "flops" else SCALES)]))
        if factor != 1.0:
            suffix = draw(st.sampled_from((FLOPS if name == "flops" else SCALES)[factor]))
            word = word + suffix if suffix[0] in "_," else f"{word} {suffix}"
            if len(word) < 4 and suffix[0] in "_":
                word, values = WORDS[name][0], runs[name]
                factor = 1.0
        columns[word] = values / factor
    kind = draw(st.sampled_from(list(LOSSES)))
    change, suffixes = LOSSES[kind]
    word = (
        "val_ppl"
        if kind == "perplexity"
        else f"{draw(st.sampled_from(WORDS['loss']))} {draw(st.sampled_from(suffixes))}"
    )
    columns[word.strip()] = change(runs["loss"])
    frame = pd.DataFrame(columns)
    for other in draw(st.lists(st.sampled_from(list(OTHERS)), unique=True, max_size=4)):
        frame.insert(draw(st.integers(0, frame.shape[1])), other, OTHERS[other](runs))
    return frame, runs


SETTINGS = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.mark.slow
@SETTINGS
@given(clear_tables(), st.sampled_from(["csv", "semicolons", "json", "columns", "split", "markdown"]))
def test_a_table_that_states_its_units_is_read_right(tmp_path, table, form):
    frame, runs = table
    path = tmp_path / "runs"
    if form == "csv":
        frame.to_csv(path, index=False)
    elif form == "semicolons":
        frame.to_csv(path, index=False, sep=";", decimal=",", float_format="%.6f")
        assert_right(read(path, decimal=","), runs)
        return
    elif form == "markdown":
        rows = [list(frame.columns), ["---"] * frame.shape[1], *frame.map(repr).to_numpy().tolist()]
        path.write_text("\n".join("| " + " | ".join(row) + " |" for row in rows))
    else:
        frame.to_json(
            path, orient={"json": "records", "columns": "columns", "split": "split"}[form], double_precision=15
        )
    assert_right(read(path), runs)


@pytest.mark.slow
@SETTINGS
@given(clear_tables(), st.sampled_from(SUMMARIES), st.booleans(), st.sampled_from([*FLAGS, ""]))
def test_rows_that_are_no_runs_are_left_out(tmp_path, table, label, averages, flag):
    frame, runs = table
    frame.insert(0, "model", [f"m{i}" for i in range(len(frame))])
    numbers = frame.drop(columns="model")
    if flag:
        failed = np.arange(len(frame)) % 7 == 3
        spoilt = next(column for column in numbers if read_as_loss(column))
        frame.loc[failed, spoilt] = frame.loc[failed, spoilt] * 3
        frame[flag] = np.where(failed, FLAGS[flag][1], FLAGS[flag][0])
        runs = runs[~failed]
    last = (frame[numbers.columns].mean() if averages else frame[numbers.columns].sum()).to_dict() | {"model": label}
    frame = pd.concat([frame, pd.DataFrame([last])], ignore_index=True)
    frame.to_csv(tmp_path / "runs.csv", index=False)
    found = read(tmp_path / "runs.csv")
    assert_right(found, runs)
    assert "left out" in " ".join(found.attrs["reading"]["notes"])


def read_as_loss(column):
    header = scaling.runs.reading.units.read_header(column)
    return header is not None and header.name == "loss"


#: what a table may hold under bare names, by what it does to the numbers
UNSAID = {
    "params": [1.0, 1e3, 1e6, 1e9],
    "tokens": [1.0, 1e3, 1e6, 1e9, 1e12],
    "loss": {
        "nats": lambda x: x,
        "bits": lambda x: x / np.log(2),
        "perplexity": np.exp,
        "logarithm": np.log,
        "logarithm to base 10": np.log10,
        "bits per byte": lambda x: x / np.log(2) / 4.5,
        "error rate": lambda x: (x - 1.2) / 5,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "tokens", "kind"),
    [each for each in itertools.product(*UNSAID.values()) if each[1] != 1e3 or each[2] == "nats"],
)
def test_units_that_nobody_states_are_asked(tmp_path, params, tokens, kind):
    """All numbers of a table together tell them, of runs that are like published ones.

    Tokens in thousands beside losses in another unit, too, could be a table of its own.
    """
    runs = truth(2)
    frame = pd.DataFrame(
        {
            "params": runs["params"] / params,
            "tokens": runs["tokens"] / tokens,
            "loss": UNSAID["loss"][kind](runs["loss"]),
        }
    )
    frame.to_csv(tmp_path / "runs.csv", index=False)
    found = read(tmp_path / "runs.csv")
    if (params, tokens, kind) == (1.0, 1.0, "nats"):
        assert_right(found, runs)
    else:
        assert isinstance(found, str), found.describe()
        assert "--unit" in found or "--loss-unit" in found


def test_records_in_any_shape_are_the_same_runs(tmp_path):
    runs = truth(2)
    frame = runs[["params", "tokens", "loss"]]
    records = frame.to_dict("records")
    named = {f"run{i}": record for i, record in enumerate(records)}
    shapes = {
        "indented": json.dumps(records, indent=2),
        "under a key": json.dumps({"meta": {"seed": 0}, "runs": records}, indent=1),
        "deeper": json.dumps({"study": {"name": "x", "results": records}}),
        "named": json.dumps(named),
        "named under a key": json.dumps({"runs": named, "version": 1}, indent=2),
        "lists": json.dumps(frame.to_dict("list")),
        "rows below names": json.dumps([list(frame.columns), *frame.to_numpy().tolist()]),
        "one after the other, indented": "\n".join(json.dumps(record, indent=2) for record in records),
        "nested": json.dumps(
            [
                {"config": {"n_params": r["params"]}, "summary": {"tokens": r["tokens"], "loss": r["loss"]}}
                for r in records
            ]
        ),
        **{
            orient: frame.to_json(orient=orient, double_precision=15)
            for orient in ("records", "columns", "index", "split", "table")
        },
    }
    for name, text in shapes.items():
        (tmp_path / "runs.json").write_text(text)
        assert_right(read(tmp_path / "runs.json"), runs), name


@pytest.mark.parametrize(
    "text", ["{}", "[]", "[{}]", "{}\n{}\n", '{"runs": []}', "[[1, 2], [3, 4]]", '{"a": 1}', "[1]", '"x"', "null"]
)
def test_json_without_runs_is_a_sentence(tmp_path, text):
    (tmp_path / "runs.json").write_text(text)
    assert "cannot be used as a table of runs" in read(tmp_path / "runs.json")


MATRICES = {
    "sizes by budgets": ("N \\ C", lambda n: f"{n:.0f}", lambda t: f"{t:g}", "flops"),
    "sizes in words by tokens": ("params / tokens", lambda n: f"{n / 1e6:g}M", lambda t: f"{t / 1e9:g}B", "tokens"),
    "the axis in the header": ("params", lambda n: f"{n:.0f}", lambda t: f"D={t:g}", "tokens"),
}


@pytest.mark.parametrize("markdown", [False, True])
@pytest.mark.parametrize("kind", MATRICES)
def test_a_matrix_of_sizes_is_read_where_it_says_what_it_is(tmp_path, kind, markdown):
    corner, row, column, axis = MATRICES[kind]
    law = scaling.ChinchillaLaw.from_published("besiroglu2024")
    sizes, across = (
        np.array([5e7, 2e8, 8e8, 3.2e9]),
        np.array([1e19, 1e20, 1e21]) if axis == "flops" else np.array([1e9, 1e10, 1e11]),
    )
    rows = [[corner, *map(column, across)]]
    expected = []
    for N in sizes:
        tokens = across / (6 * N) if axis == "flops" else across
        rows.append([row(N), *(f"{law.loss(N, D):.6f}" for D in tokens)])
        expected += [(N, D, law.loss(N, D)) for D in tokens]
    if markdown:
        rows.insert(1, ["---"] * len(rows[0]))
    text = "\n".join("| " + " | ".join(r) + " |" for r in rows) if markdown else "\n".join(",".join(r) for r in rows)
    (tmp_path / "runs.csv").write_text(text)
    found = read(tmp_path / "runs.csv")
    assert_right(found, pd.DataFrame(expected, columns=["params", "tokens", "loss"]))
    assert "this is a matrix" in " ".join(found.attrs["reading"]["notes"])

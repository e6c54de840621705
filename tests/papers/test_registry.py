"""The claims: every verdict is what was declared, and the record agrees with what is recomputed."""

import re
from html import escape

import pandas as pd
import pytest

import scaling
from scaling import published
from scaling.papers import (
    KINDS,
    claims,
    claims_table,
    czech2026,
    hoffmann2022,
    pearce2024,
    reproduces,
    scorecard,
    tally,
)
from scaling.papers import registry as _registry
from scaling.sources.datasets import dataset_checksum, is_available
from scaling.sources.files import data_file

CLAIMS = {claim.id: claim for claim in claims()}
RECORDED = pd.read_csv(data_file("recorded.csv")).set_index("id")


@pytest.fixture
def registry(monkeypatch):
    """An empty registry with empty caches."""
    monkeypatch.setattr(_registry, "_REGISTRY", {})
    for cached in (_registry._computed, _registry._record):
        cached.cache_clear()
    yield
    for cached in (_registry._computed, _registry._record):
        cached.cache_clear()


@pytest.mark.parametrize("id", CLAIMS)
def test_verdict_is_the_declared_one(id):
    """An undeclared mismatch fails, and so does a declared one that suddenly agrees."""
    claim = CLAIMS[id]
    expected = "differs" if claim.reason else "reproduced with a stated change" if claim.change else "reproduced"
    agreed = {"identity": "consistent", "printed twice": "consistent", "fitted": "fitted"}
    if expected != "differs":
        coarse = "too coarse to tell" if claim.tolerance > 0.25 * abs(float(claim.published)) else expected
        expected = agreed.get(claim.kind, coarse)
    assert claim.verdict == expected, f"ours {claim.ours:.10g}, published {claim.published}, ± {claim.tolerance:.3g}"


@pytest.mark.parametrize("id", [claim.id for claim in CLAIMS.values() if claim.needs])
def test_record_agrees_with_what_is_recomputed(id):
    claim = CLAIMS[id]
    assert RECORDED.loc[id, "set"] == claim.needs
    assert RECORDED.loc[id, "sha256"] == dataset_checksum(claim.needs)
    if not is_available(claim.needs):
        pytest.skip(f"the runs of {claim.needs} are not here")
    assert claim.ours == pytest.approx(float(RECORDED.loc[id, "value"]), rel=1e-6)


def test_nothing_is_recorded_without_a_claim():
    assert set(RECORDED.index) == {claim.id for claim in CLAIMS.values() if claim.needs}


def test_scorecard_columns_and_rows():
    table = scorecard()
    columns = ["id", "kind", "known", "published", "ours", "difference", "tolerance", "rule", "verdict", "reason"]
    assert table.columns.tolist() == [*columns, "family"]
    assert table["id"].tolist() == list(CLAIMS)
    assert table[["published", "ours"]].notna().all().all()
    pd.testing.assert_series_equal(table["difference"], table["ours"] - table["published"], check_names=False)
    assert (table.loc[table["verdict"].isin(["differs", "reproduced with a stated change"]), "reason"] != "").all()
    assert set(table["kind"]) == set(KINDS)
    second = [published(id.split("@")[0]).known == "secondary" for id in table["id"]]
    assert table["known"].tolist() == ["second" if each else "first" for each in second]
    assert (table["rule"] != "").all()


def test_nothing_is_called_reproduced_that_could_not_have_failed():
    """Neither what arithmetic or our own choice makes agree nor what a wide tolerance does."""
    table = scorecard()
    reproduced = table[table["verdict"].str.startswith("reproduced")]
    assert set(reproduced["kind"]) == {"runs", "simulated", "closed form"}
    assert (reproduced["tolerance"] <= 0.25 * reproduced["published"].abs()).all()


def test_tally_counts_every_row_once_and_every_fitted_family_once():
    table = scorecard()
    fitted = table[table["kind"] == "fitted"]
    families = fitted.groupby("family", sort=False).size().to_dict()
    assert families == {
        "sardana2024/dollars/30B/params@one factor": 7,
        "hoffmann2022/tableA9/44M": 50,
        "kaplan2020/params/smallest": 1,
    }
    counts = tally(table)
    assert counts.index.tolist() == list(KINDS)
    assert counts.to_numpy().sum() == len(table) - len(fitted) + len(families)
    assert counts.loc["fitted"].to_dict() == {**dict.fromkeys(counts.columns, 0), "fitted": 3}
    assert tally(table, "known", "kind").to_numpy().sum() == counts.to_numpy().sum()


def test_one_minus_a_holds_for_every_pair_that_is_called_an_identity():
    """b of the paper's approaches says nothing that a has not said."""
    for approach in ("approach1/{}", "approach2/{}", "approach3/{}", "approach3/{}@Table A3"):
        a, b = (CLAIMS[f"hoffmann2022/table2/{approach.format(q)}"] for q in "ab")
        assert (a.kind, b.kind) == ("closed form", "identity")
        assert a.ours + b.ours == pytest.approx(1, abs=1e-3)


def test_full_table_for_pages_says_kind_and_hand():
    table = claims_table("devries2023/llama7b", full=True).frame
    assert table.loc["devries2023/llama7b/flops", ["kind", "known"]].tolist() == ["identity", "second"]
    assert "kind" not in claims_table("devries2023/llama7b").frame
    folded = claims_table("devries2023/llama7b", "jin2025/start", folded=True, full=True)
    assert "<summary>de Vries (2023), post: " in folded._repr_html_()
    assert '<td><span title="devries2023/llama7b/flops">compute of LLaMA-7B</span></td>' in folded._repr_html_()
    assert '<span title="jin2025/start@20 %">' in folded._repr_html_()
    assert "; 20 %</span>" in folded._repr_html_()
    assert "devries2023/llama7b/flops" in repr(folded)


def test_scorecard_covers_the_literature():
    numbers = {id.split("@")[0] for id in CLAIMS}
    assert len(numbers) >= 200
    assert len({id.split("/")[0] for id in numbers}) >= 15


def test_scorecard_of_a_part():
    assert len(scorecard("hoffmann2022/tableA9")) == 50
    ways = scorecard("hoffmann2022/table2/approach3/a")["id"].tolist()
    czech = tuple(f"@czech2026, {group}" for group in ("chinchilla", "ml_scalefit"))
    labels = ("@refit", *czech, "@Table A3", "", "@rounded constants")
    assert ways == [f"hoffmann2022/table2/approach3/a{label}" for label in labels]
    with pytest.raises(ValueError, match="papers with claims: .*hoffmann2022"):
        scorecard("hofmann2022")


def test_table_for_pages_shows_numbers_as_printed():
    table = claims_table("hoffmann2022/table2/approach1")
    assert table.frame["published"].tolist() == ["0.50", "0.50"]
    assert table.frame["ours"].tolist() == ["0.4981", "0.5019"]
    assert table.frame["verdict"].tolist() == ["reproduced with a stated change [1]", "consistent [1]"]
    assert len(table.notes) == 1


def test_table_for_pages_says_every_reason_whole():
    table = claims_table("hoffmann2022/tableA4", "kaplan2020/params")
    assert len(table.frame) == 14
    for text in (repr(table), table._repr_html_()):
        assert "embeddings and final logits counted, as Appendix F says" in text
        assert "..." not in text
    assert len(claims_table().frame) == len(CLAIMS)


def test_folded_table_shows_every_row_under_its_source():
    sources = ("hoffmann2022/table2", "besiroglu2024/estimates", "hernandez2022")
    flat, folded = claims_table(*sources), claims_table(*sources, folded=True)
    assert repr(folded) == repr(flat)
    parts = folded._repr_html_().split("<details>")[1:]
    assert len(parts) == len(sources)
    titles = (
        "Hoffmann et al. (2022), Table 2",
        "Besiroglu et al. (2024), table of estimates and standard errors",
        "Hernandez et al. (2022), Abstract",
    )
    for source, title, part in zip(sources, titles, parts, strict=True):
        alone = claims_table(source)
        assert part.startswith(f"<summary>{title}: ")
        assert part.count("<tr") == len(alone.frame) + 1
        assert sorted(note for note in flat.notes if f"] {escape(note)}</p>" in part) == sorted(alone.notes)
    assert "<summary>Hernandez et al. (2022), Abstract: 1 consistent</summary>" in parts[-1]
    assert "<details>" not in flat._repr_html_()
    assert ">Hernandez et al. (2022), Abstract: " in flat._repr_html_()
    deep = claims_table("hoffmann2022/tableA3/approach3/1B", "hoffmann2022/tableA3/approach3/10B", folded=True)
    assert deep.folds == (("Hoffmann et al. (2022), Table A3", len(deep.frame)),)


def test_a_page_names_numbers_in_words_that_tell_them_apart():
    """No identifier is shown, and no two rows of a closed part have the same words."""
    names = dict.fromkeys("/".join(id.split("@")[0].split("/")[:2]) for id in CLAIMS)
    html = claims_table(*names, folded=True)._repr_html_()
    for part in html.split("<details>")[1:]:
        words = re.findall(r'<span title="[^"]*">(.*?)</span>', part)
        assert words
        assert len(set(words)) == len(words), words
    shown = re.sub(r'title="[^"]*"', "", html)
    assert not re.search(r"[a-z]+20[0-9]{2}(/|_|<)", shown)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("hoffmann2022", 1.06, 1.19), ("hoffmann2022_rounded", 1.57, 2.23), (None, 0.98, 1.10)],
)
def test_no_published_constants_give_table_a3(name, least, most):
    """The reason given on the scorecard, number by number; None: de Vries's exponents."""
    exponents = {q: float(published(f"sardana2024/constants/{q}")) for q in ("E", "A", "B", "alpha", "beta")}
    law = scaling.ChinchillaLaw.from_published(name) if name else scaling.ChinchillaLaw(**exponents)
    ratios = [
        hoffmann2022.optimal_tokens(law, params) / float(published(f"hoffmann2022/tableA3/approach3/{size}/tokens"))
        for size, params in hoffmann2022.SIZES.items()
    ]
    assert least <= min(ratios) <= max(ratios) <= most


def test_optimal_tokens_and_compute_optimal_are_the_same_optimum():
    law = scaling.ChinchillaLaw.from_published("hoffmann2022")
    optimum = scaling.compute_optimal(law, 1e23)
    assert hoffmann2022.optimal_tokens(law, optimum.params) == pytest.approx(optimum.tokens, rel=1e-12)


def test_parabolas_without_safeguard_agree_with_fit_isoflop_where_both_apply():
    law = czech2026.surface("chinchilla")
    runs = czech2026.noise_free_runs(law, width=8.0)
    safe, bare = scaling.fit_isoflop(runs).law, czech2026.parabolas(runs)
    assert czech2026.tokens_error(law, bare) == pytest.approx(czech2026.tokens_error(law, safe), rel=1e-6)


# ------------------------------------------------------------------ the decorator


def test_default_tolerance_is_half_a_unit_of_the_last_digit(registry):
    reproduces("hoffmann2022/table2/approach1/a", kind="runs")(lambda: 0.5049)
    reproduces("hoffmann2022/table2/approach1/a@off", kind="runs")(lambda: 0.5051)
    assert scorecard()["verdict"].tolist() == ["reproduced", "differs"]


def test_relative_and_absolute_tolerance(registry):
    reproduces("hoffmann2022/eq10/A@r", kind="runs", rtol=0.01, rule="a test")(lambda: 410.0)
    reproduces("hoffmann2022/eq10/A@a", kind="runs", atol=1.0, rule="a test")(lambda: 408.0)
    assert scorecard()["tolerance"].tolist() == pytest.approx([4.064, 1.0])
    assert scorecard()["verdict"].tolist() == ["reproduced", "differs"]


def test_a_difference_of_rounding_is_none(registry):
    """Its digits would be others on another processor; so would those of a hundredth of what counts as agreement."""
    reproduces("hoffmann2022/eq10/A", kind="runs")(lambda: 406.4 * (1 + 4e-8))
    reproduces("hoffmann2022/eq10/B", kind="runs", atol=0.01, rule="a test")(lambda: 410.7 * (1 - 1e-6))
    reproduces("hoffmann2022/eq10/E", kind="runs", atol=0.01, rule="a test")(lambda: 1.69 + 9e-5)
    assert claims_table().frame["difference"].tolist() == ["0", "-0.00041", "≈ 0"]


def test_a_change_is_said(registry):
    reproduces("hoffmann2022/eq10/A", kind="runs", change="by other means")(lambda: 406.4)
    assert scorecard().loc[0, ["verdict", "reason"]].tolist() == ["reproduced with a stated change", "by other means"]


def test_a_value_that_is_no_number_differs(registry):
    reproduces("hoffmann2022/eq10/A", kind="runs")(lambda: float("nan"))
    assert scorecard()["verdict"].tolist() == ["differs"]


@pytest.mark.parametrize(
    ("kind", "near", "far"),
    [
        ("runs", "reproduced", "differs"),
        ("simulated", "reproduced", "differs"),
        ("closed form", "reproduced", "differs"),
        ("identity", "consistent", "differs"),
        ("printed twice", "consistent", "differs"),
        ("fitted", "fitted", "differs"),
    ],
)
def test_only_what_could_have_come_out_otherwise_is_reproduced(registry, kind, near, far):
    reproduces("hoffmann2022/eq10/A", kind=kind)(lambda: 406.4)
    reproduces("hoffmann2022/eq10/B", kind=kind)(lambda: 500.0)
    assert scorecard()["verdict"].tolist() == [near, far]


def test_a_tolerance_of_half_the_number_tells_nothing(registry):
    """Unless the two differ by more than that."""
    reproduces("kaplan2020/eq6.8/C", kind="closed form", change="by other means")(lambda: 1.2e4)
    reproduces("kaplan2020/eq6.8/C@far", kind="closed form")(lambda: 1e5)
    assert scorecard()["verdict"].tolist() == ["too coarse to tell", "differs"]


def test_digits_of_a_round_number(registry):
    reproduces("gadre2024/less_compute/loss", kind="closed form", digits=1)(lambda: 349.0)
    reproduces("gadre2024/less_compute/loss@2", kind="closed form", digits=2)(lambda: 306.0)
    assert scorecard()["tolerance"].tolist() == [50.0, 5.0]
    assert scorecard()["verdict"].tolist() == ["reproduced", "differs"]


def test_a_family_that_was_fitted_counts_once(registry):
    reproduces(["hoffmann2022/eq10/A", "hoffmann2022/eq10/B"], kind="fitted")(lambda id: float(published(id)))
    reproduces(["hoffmann2022/eq10/E", "hoffmann2022/eq10/alpha"], kind="identity")(lambda id: float(published(id)))
    counts = tally(scorecard())
    assert counts.loc["fitted", "fitted"] == 1
    assert counts.loc["identity", "consistent"] == 2
    assert counts.to_numpy().sum() == 3


def test_one_function_for_several_numbers(registry):
    @reproduces(["hoffmann2022/eq10/A", "hoffmann2022/eq10/B"], kind="closed form")
    def by_id(id):
        return float(published(id))

    reproduces({"hoffmann2022/eq10/E": 1.69}, kind="closed form")(lambda value: value)
    assert scorecard()["verdict"].tolist() == ["reproduced"] * 3
    assert by_id("hoffmann2022/eq10/A") == 406.4


def test_mistakes_in_a_claim_are_refused(registry):
    with pytest.raises(KeyError, match="did you mean"):
        reproduces("hoffmann2022/eq10/a1pha", kind="runs")(lambda: 1.0)
    with pytest.raises(ValueError, match="not more than one"):
        reproduces("hoffmann2022/eq10/A", kind="runs", rtol=1, atol=1, rule="a test")
    with pytest.raises(TypeError, match="kind"):
        reproduces("hoffmann2022/eq10/A")
    with pytest.raises(
        ValueError, match="kind='guess'.* runs, simulated, closed form, identity, fitted, printed twice"
    ):
        reproduces("hoffmann2022/eq10/A", kind="guess")
    for tolerance in ({"rtol": 0.1}, {"atol": 0.1}, {"rule": "none"}, {"digits": 1, "rule": "none"}):
        with pytest.raises(ValueError, match="go with a rule"):
            reproduces("hoffmann2022/eq10/A", kind="runs", **tolerance)
    with pytest.raises(ValueError, match="a change, if it agrees"):
        reproduces("hoffmann2022/eq10/A", kind="runs", change="x", reason="y")
    reproduces("hoffmann2022/eq10/A", kind="runs")(lambda: 1.0)
    with pytest.raises(ValueError, match="already a claim"):
        reproduces("hoffmann2022/eq10/A", kind="runs")(lambda: 1.0)


def test_without_the_runs_the_recorded_number_gives_the_verdict(registry, monkeypatch, tmp_path):
    path = tmp_path / "recorded.csv"
    path.write_text("id,value,set,sha256\n")
    monkeypatch.setattr(_registry, "data_file", lambda name: path)
    monkeypatch.setattr(_registry, "is_available", lambda name: False)
    calls = []
    reproduces("hoffmann2022/eq10/A", kind="runs", needs="besiroglu2024")(lambda: calls.append(1) or 406.41)
    with pytest.raises(ValueError, match=r"python -m scaling\.papers"):
        scorecard()
    assert _registry.record() == path
    assert path.read_text().splitlines()[1].startswith("hoffmann2022/eq10/A,406.41,besiroglu2024,193478df")
    _registry._computed.cache_clear()
    assert scorecard()["verdict"].tolist() == ["reproduced"]
    assert len(calls) == 1


@pytest.mark.parametrize("step", ["kaplan", "head", "warmup", "decay", "tuned"])
def test_porians_printed_exponents_are_the_stored_ones_rounded(step):
    """Two transcriptions against each other; no claim, since nothing is recomputed."""
    printed, stored = published(f"porian2024/refinedweb/{step}"), published(f"porian2024/results/refinedweb/{step}")
    assert abs(stored.value - printed.value) <= printed.half_unit * (1 + 1e-9)
    assert printed.low <= stored.value <= printed.high


def test_pearces_grid_of_sizes_is_the_printed_range():
    """The sizes of the released script, a power of ten each, against the two sizes that are printed."""
    ends = [published(f"pearce2024/simulation/{end}").value for end in ("smallest", "largest")]
    assert pearce2024.SIZES[[0, -1]] == pytest.approx(ends, rel=0.01)

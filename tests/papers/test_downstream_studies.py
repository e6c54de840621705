"""From runs to tasks: the model ladder, and public models in few dimensions."""

import numpy as np
import pytest

from scaling import published
from scaling.papers import bhagia2024, ruan2024
from scaling.sources import is_available

ladder = pytest.mark.skipif(not is_available("bhagia2024"), reason="the runs of bhagia2024 are not here")
public = pytest.mark.skipif(not is_available("ruan2024"), reason="the models of ruan2024 are not here")


@ladder
def test_both_steps_see_the_tables_that_the_authors_fit():
    assert len(bhagia2024.first_step("bpb_mmlu_test").runs) == 16
    fit = bhagia2024.second_step("mmlu_test")
    assert (len(fit.runs), fit.n_runs) == (1402, 17)  # the last is the invented point
    assert (fit.status, fit.held) == ("at_bound", ("ceiling",))
    assert bhagia2024.first_step("bpb_csqa_val").held == ("E",)


@ladder
def test_two_of_the_ten_tasks_do_not_follow_from_the_ladder():
    """The two that the paper leaves out of its eight."""
    lost = [task for task in bhagia2024.ALL if bhagia2024.first_step(f"bpb_{task}").status == "not_identified"]
    assert lost == ["winogrande_val", "boolq_val"]
    assert bhagia2024.second_step("boolq_val").status == "not_identified"


@pytest.mark.slow
@ladder
def test_the_direct_law_of_the_accuracy_has_no_minimum_where_it_is_said():
    for task in ("mmlu_test", "socialiqa_val", "csqa_val", "piqa_val"):
        reason = bhagia2024.DIRECT[task]
        values = [bhagia2024.direct(task, largest)[1] for largest in (3.0, bhagia2024.LARGEST_LEVEL)]
        falls = values[1] < 0.999 * values[0]
        assert falls == (reason is not None and reason.startswith("the objective has no minimum")), task
    stopped = [float(published(f"bhagia2024/direct/{task}/accuracy")) for task in bhagia2024.TASKS]
    assert max(map(stopped.count, stopped)) == 4


@public
def test_scores_are_filled_in_where_they_are_missing_only():
    table = ruan2024.models()
    raw, whole = table[list(ruan2024.BENCHMARKS)].to_numpy(float), ruan2024.filled(table)
    known = ~np.isnan(raw)
    np.testing.assert_allclose(whole[known], raw[known], atol=1e-12)
    assert (~known).sum() == 6
    assert ((whole >= 0) & (whole <= 1)).all()


@public
def test_the_first_component_rises_with_compute_within_a_family():
    table = ruan2024.models()
    first = ruan2024.components(table)[0][:, 0]
    table = table.assign(
        first=first * np.sign(np.corrcoef(first, table["metric_mmlu"])[0, 1]), log=np.log(table["flops"])
    )
    families = [each for _, each in table.dropna(subset="flops").groupby("family") if len(each) > 2]
    assert len(families) == 14
    within = min(each["first"].corr(each["log"]) for each in families)
    assert within > 0.9 > table["first"].corr(table["log"])


@public
def test_a_choice_may_be_small_and_tell_little():
    found = ruan2024.choices(7e9)
    assert np.isfinite(found.value[found.models >= ruan2024.COMPONENTS]).all()
    best = [found.value[found.models <= budget].max() for budget in ruan2024.BUDGETS]
    assert np.all(np.diff(best) >= 0)
    assert found.value.max() < -ruan2024.COMPONENTS  # all models together tell three components

"""Kaplan et al. 2020 (arXiv:2001.08361): counts, the laws, and the allocation of compute."""

from __future__ import annotations

import numpy as np

from ..counting.transformer import Architecture, count_params
from ..laws.kaplan import KaplanLaw, kaplan_curve
from ..laws.power import PowerLaw
from ..optimum.kaplan import KaplanFrontier, KaplanTraining
from ..sources.numbers import published
from .registry import ROUNDED, reproduces


def number(name: str) -> float:
    return float(published(f"kaplan2020/{name}"))


def _exponent(name: str) -> float:
    return number(f"allocation/{name}")


def _shape(d_model: int, n_layers: int) -> Architecture:
    """Equation 2.1's standard shape: attention as wide as the model, feed-forward four times."""
    vocab, n_ctx = (int(float(published(f"kaplan2020/params/{name}"))) for name in ("vocab", "n_ctx"))
    return Architecture(d_model, n_layers, 1, d_model, 4 * d_model, vocab, n_ctx)


@reproduces("kaplan2020/params/factor", kind="identity")
def params_over_layers_and_width_squared() -> float:
    arch = _shape(d_model=256, n_layers=6)
    return count_params(arch, "kaplan", embeddings=False) / (arch.n_layers * arch.d_model**2)


@reproduces("kaplan2020/params/smallest", kind="fitted")
def smallest_model() -> float:
    """One layer of width 8: a shape that the paper does not give, and that has this size."""
    return count_params(_shape(d_model=8, n_layers=1), "kaplan", embeddings=False)


@reproduces("kaplan2020/flops/pf_day", kind="identity")
def petaflop_day() -> float:
    return 1e15 * 24 * 60 * 60


@reproduces("kaplan2020/allocation/b", kind="identity")
def tokens_exponent_from_size_exponent() -> float:
    """C = 6ND makes the two exponents add up to one."""
    return 1.0 - _exponent("a")


@reproduces("kaplan2020/allocation/b@batch and steps", kind="identity")
def tokens_exponent_from_batch_and_steps() -> float:
    """Tokens are batch size times steps."""
    return _exponent("batch") + _exponent("steps")


PARAPHRASE = "Hoffmann et al.'s paraphrase; the exponents of Kaplan et al. give this number, and they print 5 and 2"


@reproduces("hoffmann2022/kaplan/factor_size", kind="identity", reason=PARAPHRASE)
@reproduces("kaplan2020/allocation/factor_size", kind="identity")
def size_for_ten_times_the_compute() -> float:
    return 10.0 ** _exponent("a")


@reproduces("hoffmann2022/kaplan/factor_tokens", kind="identity", reason=PARAPHRASE)
@reproduces("kaplan2020/allocation/factor_tokens", kind="identity")
def tokens_for_ten_times_the_compute() -> float:
    return 10.0 ** _exponent("b")


@reproduces(
    "kaplan2020/eq4.4/coefficient",
    kind="closed form",
    change="matched at a billion parameters, because the printed exponent, 0.74, is rounded",
)
def tokens_against_overfitting() -> float:
    size = 1e9
    tokens = KaplanLaw.from_published().tokens_to_avoid(size, number("eq4.4/loss_noise"))
    return tokens / size ** number("eq4.4/exponent")


@reproduces("kaplan2020/eq4.4/exponent", kind="closed form")
def exponent_of_tokens_against_overfitting() -> float:
    law = KaplanLaw.from_published()
    return law.alpha_N / law.alpha_D


def predicted() -> KaplanFrontier:
    """The closed forms of Appendix B with Table 3 and equation 5.3."""
    return KaplanTraining.from_published().frontier()


def pf_days(count: float = 1.0) -> float:
    """FLOPs in so many PF-days."""
    return count * number("flops/pf_day")


NOT_THE_FORMULA = "the formula printed beside it gives 0.052, as Equation B.7 has it"
TREND = "a trend drawn through runs; the closed form of the paper's own laws gives this"


@reproduces("kaplan2020/eq1.3/alpha_C@Appendix B", kind="closed form", reason=TREND)
@reproduces("kaplan2020/eq6.4/alpha_C", kind="closed form", reason=NOT_THE_FORMULA)
@reproduces("kaplan2020/eqB.7/alpha_C", kind="closed form")
def loss_exponent_from_the_others() -> float:
    return -predicted().loss.exponent


@reproduces("kaplan2020/eq6.4/a", kind="closed form")
def size_exponent_from_the_printed_one() -> float:
    """Equation 6.4's number over the exponent of L(N)."""
    return number("eq6.4/alpha_C") / number("eq1.1/alpha_N")


@reproduces(
    "kaplan2020/eq6.4/a@Appendix B", kind="closed form", reason="with 0.052, which the formula gives, in place of 0.054"
)
@reproduces("kaplan2020/allocation/a@Appendix B", kind="closed form", reason=TREND)
def size_exponent_predicted() -> float:
    return predicted().params.exponent


@reproduces("kaplan2020/allocation/batch", kind="closed form")
def batch_exponent_from_loss_exponent() -> float:
    return number("eq1.3/alpha_C") / number("eq5.3/alpha_B")


@reproduces("kaplan2020/allocation/steps", kind="identity")
def steps_exponent_left_over() -> float:
    """C_min = 6 N B S_min makes the three exponents add up to one."""
    return 1.0 - _exponent("a") - _exponent("batch")


@reproduces("kaplan2020/allocation/steps@Appendix B", kind="closed form", reason=TREND)
def steps_exponent_predicted() -> float:
    return predicted().steps.exponent


_THREE = [published(f"kaplan2020/allocation/coefficient_{q}") for q in "SNB"]


@reproduces(
    "kaplan2020/allocation/coefficient_S", kind="identity", rtol=sum(each.rounding for each in _THREE), rule=ROUNDED
)
def steps_coefficient_left_over() -> float:
    return pf_days() / (6.0 * _exponent("coefficient_N") * _exponent("coefficient_B"))


@reproduces("kaplan2020/allocation/coefficient_D", kind="identity")
def tokens_coefficient() -> float:
    """At the critical batch size a run takes twice S_min."""
    return 2.0 * _exponent("coefficient_B") * _exponent("coefficient_S")


@reproduces(
    "kaplan2020/eq6.7/coefficient",
    kind="identity",
    reason="2 C_min / 6N with the N of Table 6 gives half of it, Table 6's own tokens",
)
def tokens_coefficient_of_one_epoch() -> float:
    return 2.0 * pf_days() / (6.0 * _exponent("coefficient_N"))


@reproduces("kaplan2020/eq6.7/exponent", kind="identity", reason="the exponent of N in Table 6, 0.73, leaves 0.27")
def tokens_exponent_of_one_epoch() -> float:
    return 1.0 - _exponent("a")


def crossing(tokens: PowerLaw) -> float:
    """C_min, FLOPs, at which L(C_min) meets the loss that so many tokens allow."""
    data, compute = kaplan_curve("tokens"), kaplan_curve("min_flops")
    limit = PowerLaw(data.coefficient * tokens.coefficient**data.exponent, data.exponent * tokens.exponent)
    return float((compute.coefficient / limit.coefficient) ** (1.0 / (limit.exponent - compute.exponent)))


def one_epoch() -> PowerLaw:
    """Equation 6.7, of C_min in FLOPs."""
    exponent = number("eq6.7/exponent")
    return PowerLaw(number("eq6.7/coefficient") * pf_days() ** -exponent, exponent)


TABLE_6 = "with the tokens of Table 6; those of Equation 6.7 put the crossing ten times higher"


@reproduces("kaplan2020/eq6.8/C", kind="closed form", change=TABLE_6)
def crossing_compute() -> float:
    return crossing(KaplanFrontier.from_published().tokens) / pf_days()


@reproduces(
    "kaplan2020/eq6.8/C@Equation 6.7",
    kind="closed form",
    reason="the two lines fall almost alike, so that a factor of two in the tokens moves the crossing tenfold",
)
def crossing_compute_of_one_epoch() -> float:
    return crossing(one_epoch()) / pf_days()


@reproduces("kaplan2020/eq6.8/N", kind="closed form", change=TABLE_6)
def crossing_size() -> float:
    table = KaplanFrontier.from_published()
    return table.params(crossing(table.tokens))


@reproduces(
    "kaplan2020/eq6.8/D",
    kind="closed form",
    reason="at the crossing, Table 6 has a quarter of it; the paper gives a power of ten",
)
def crossing_tokens() -> float:
    table = KaplanFrontier.from_published()
    return table.tokens(crossing(table.tokens))


@reproduces("kaplan2020/eq6.8/L", kind="closed form", change=TABLE_6)
def crossing_loss() -> float:
    return kaplan_curve("min_flops")(crossing(KaplanFrontier.from_published().tokens))


@reproduces(
    "kaplan2020/allocation/a_raw",
    kind="closed form",
    reason="from the paper's laws at its batch size, over its sizes; their local exponent falls from 0.90 to 0.71",
)
def size_exponent_at_a_fixed_batch() -> float:
    """Least squares of ln N on ln C, raw compute, along the best runs for the sizes of the paper."""
    theory = KaplanTraining.from_published()
    sizes = np.geomspace(number("params/smallest"), number("params/largest"), 50)
    runs = theory.optimal(theory.stopping_loss(sizes), number("training/batch"))
    return float(np.polyfit(np.log(runs.flops), np.log(runs.params), 1)[0])


@reproduces("kaplan2020/appendixB/excess_loss", kind="closed form")
def loss_above_convergence() -> float:
    return 100.0 * KaplanTraining.from_published().excess_loss


@reproduces(
    "kaplan2020/appendixB/excess_0.6",
    kind="closed form",
    reason="the paper gives one number for both ends, and this end costs less",
)
def compute_at_smaller_size() -> float:
    return 100.0 * (KaplanTraining.from_published().excess_flops(0.6) - 1.0)


@reproduces("kaplan2020/appendixB/excess_2.2", kind="closed form")
def compute_at_larger_size() -> float:
    return 100.0 * (KaplanTraining.from_published().excess_flops(2.2) - 1.0)


@reproduces({f"kaplan2020/appendixB/{name}": name for name in ("params", "steps", "flops")}, kind="closed form")
def against_a_run_to_convergence(name: str) -> float:
    shares = (0.01 * number(f"appendixB/{which}") for which in ("excess_loss", "converged"))
    return KaplanTraining.from_published().stopping_early(*shares)[name]

"""Kaplan et al. 2020 (arXiv:2001.08361): counts and the allocation of compute."""

from __future__ import annotations

from ..flops import Architecture, count_params
from ..published import published
from ._registry import reproduces


def _exponent(name: str) -> float:
    return float(published(f"kaplan2020/allocation/{name}"))


def _shape(d_model: int, n_layers: int) -> Architecture:
    """Equation 2.1's standard shape: attention as wide as the model, feed-forward four times."""
    vocab, n_ctx = (int(float(published(f"kaplan2020/params/{name}"))) for name in ("vocab", "n_ctx"))
    return Architecture(d_model, n_layers, 1, d_model, 4 * d_model, vocab, n_ctx)


@reproduces("kaplan2020/params/factor")
def params_over_layers_and_width_squared() -> float:
    arch = _shape(d_model=256, n_layers=6)
    return count_params(arch, "kaplan", embeddings=False) / (arch.n_layers * arch.d_model**2)


@reproduces("kaplan2020/params/smallest")
def smallest_model() -> float:
    """One layer of width 8."""
    return count_params(_shape(d_model=8, n_layers=1), "kaplan", embeddings=False)


@reproduces("kaplan2020/flops/pf_day")
def petaflop_day() -> float:
    return 1e15 * 24 * 60 * 60


@reproduces("kaplan2020/allocation/b")
def tokens_exponent_from_size_exponent() -> float:
    """C = 6ND makes the two exponents add up to one."""
    return 1.0 - _exponent("a")


@reproduces("kaplan2020/allocation/b@batch and steps")
def tokens_exponent_from_batch_and_steps() -> float:
    """Tokens are batch size times steps."""
    return _exponent("batch") + _exponent("steps")


PARAPHRASE = "Hoffmann et al.'s paraphrase; the exponents of Kaplan et al. give this number, and they print 5 and 2"


@reproduces("hoffmann2022/kaplan/factor_size", reason=PARAPHRASE)
@reproduces("kaplan2020/allocation/factor_size")
def size_for_ten_times_the_compute() -> float:
    return 10.0 ** _exponent("a")


@reproduces("hoffmann2022/kaplan/factor_tokens", reason=PARAPHRASE)
@reproduces("kaplan2020/allocation/factor_tokens")
def tokens_for_ten_times_the_compute() -> float:
    return 10.0 ** _exponent("b")

"""Small studies of papers: offsets, valleys, hours."""

import numpy as np
import pytest

from scaling import ChinchillaLaw, compute_optimal, published
from scaling.papers import stanic2023, yao2023


def test_ten_losses_with_and_without_an_offset():
    """Yao et al. 2023: seven fitted, three predicted."""
    ten, fit = yao2023.runs(), yao2023.fit().law
    assert [fit.coefficient, fit.exponent, fit.offset] == pytest.approx([2.4694, -0.4231, 2.9233], abs=5e-5)
    assert fit(ten["params"].iloc[7:]).tolist() == pytest.approx([3.1890, 3.0800, 3.0369], abs=5e-5)
    errors = 100 * (fit(ten["params"]) / ten["loss"] - 1).iloc[7:]
    assert errors.tolist() == pytest.approx([0.29, -0.17, -0.18], abs=0.01)
    plain = yao2023.fit(offset=False).law
    assert plain.exponent == pytest.approx(-0.0675, abs=5e-5)
    assert plain(ten["params"].iloc[7:]).tolist() == pytest.approx([3.129, 2.877, 2.733], abs=6e-4)


@pytest.mark.parametrize(
    ("flops", "above"),
    [
        (1e21, [7.45, 2.62, 0.65, 0.65, 2.66]),
        (1e23, [3.72, 1.31, 0.32, 0.33, 1.33]),
        (1e25, [1.74, 0.61, 0.15, 0.15, 0.62]),
    ],
)
def test_the_valley_is_flat_and_flatter_at_scale(flops, above):
    law, ratios = ChinchillaLaw.from_published("besiroglu2024"), np.array([0.1, 0.25, 0.5, 2, 4])
    best = compute_optimal(law, flops)
    excess = 100 * (law.loss(best.params * ratios, best.tokens / ratios) / best.loss - 1)
    assert excess == pytest.approx(above, abs=0.006)


@pytest.mark.parametrize(
    ("place", "factor"),
    [
        ("shuai2024/exponents/batch", 1.60),
        ("kaplan2020/allocation/batch", 3.02),
        ("deepseek2024/batch/exponent", 4.51),
    ],
)
def test_batch_at_a_hundred_times_the_compute(place, factor):
    assert 100 ** float(published(place)) == pytest.approx(factor, abs=0.005)


def test_nearly_parallel_lines_meet_anywhere():
    exact = stanic2023.simulate_crossing((-0.1, -0.12), 0.0, draws=3)
    assert exact == pytest.approx([50000] * 3, rel=1e-6)
    noisy = stanic2023.simulate_crossing((-0.1, -0.12), 0.005)
    steeper = stanic2023.simulate_crossing((-0.1, -0.2), 0.005)
    assert np.ptp(np.quantile(np.log(steeper), [0.05, 0.95])) < 0.5 * np.ptp(np.quantile(np.log(noisy), [0.05, 0.95]))

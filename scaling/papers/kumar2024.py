"""Kumar et al. 2024 (arXiv:2411.04330): scaling laws for precision."""

from __future__ import annotations

import scipy

from ..laws.precision import PrecisionLaw
from .registry import reproduces

OFFSETS = "with the offsets of Table 2 inside the exponentials; the formulas in the text leave them out"
BARE = "the formula as the text prints it, with the constants of Table 2 but without their offsets"


def law() -> PrecisionLaw:
    """The fit of Table 2, offsets included."""
    return PrecisionLaw.from_published("kumar2024")


reproduces("kumar2024/optimal_bits/from", kind="closed form", change=OFFSETS)(lambda: law().optimal_bits())
reproduces("kumar2024/optimal_bits/from@as printed", kind="closed form", reason=BARE)(
    lambda: law().without_offsets().optimal_bits()
)


@reproduces("kumar2024/fourfold_bits", kind="closed form", change=OFFSETS)
def bits_at_which_a_quarter_of_the_parameters_counts() -> float:
    fit = law()
    return float(scipy.optimize.brentq(lambda bits: fit.share(bits) - 0.25, 1.01 * fit.least_bits, 16.0))

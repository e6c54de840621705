"""Should it be believed? A table looked at, approaches and laws compared, fits tried on runs they have not seen."""

from .approaches import APPROACH_NAMES, APPROACHES, Approaches, compare_approaches, fit_approaches
from .extrapolation import audit_coverage, extrapolation_audit
from .held_out import Holdout, holdout, holdout_table
from .inspection import Inspection, inspect_runs
from .laws import LawComparison, compare_laws
from .pairing import Paired, pair
from .sensitivity import digits_study, huber_study, rounded_study, stopping_study

__all__ = [
    "APPROACHES",
    "APPROACH_NAMES",
    "Approaches",
    "Holdout",
    "Inspection",
    "LawComparison",
    "Paired",
    "audit_coverage",
    "compare_approaches",
    "compare_laws",
    "digits_study",
    "extrapolation_audit",
    "fit_approaches",
    "holdout",
    "holdout_table",
    "huber_study",
    "inspect_runs",
    "pair",
    "rounded_study",
    "stopping_study",
]

"""Should it be believed? A table looked at, approaches and laws compared, fits tried on runs they have not seen."""

from .approaches import APPROACH_NAMES, APPROACHES, Approaches, compare_approaches, fit_approaches
from .atlas import atlas_rows, atlas_tables
from .choice import BestLaw, best_law
from .contenders import CONTENDERS, QUICK, Contender
from .discrepancy import Band, Discrepancy, find_discrepancy
from .extrapolation import audit_coverage, extrapolation_audit
from .held_out import Holdout, chance_of_miss, holdout, holdout_table
from .heterogeneity import Combined, Explained, combine, explain, standard_errors
from .inspection import Inspection, inspect_runs
from .laws import LawComparison, compare_laws
from .pairing import Paired, pair
from .pooling import Pooling, find_pooling, swept_columns
from .public_sets import LEFT_OUT, PUBLIC, PublicTable, best_of_each, public_tables, recorded_league
from .ruling import Rival, Ruling, better_law, find_rival, rule_on
from .sensitivity import digits_study, huber_study, rounded_study, stopping_study
from .skewness import Skewness, residual_skewness
from .spikes import find_spikes
from .splits import HOLDOUTS, Split, hold_out
from .standings import League, league
from .survey import survey_sets

__all__ = [
    "APPROACHES",
    "APPROACH_NAMES",
    "Approaches",
    "Band",
    "BestLaw",
    "CONTENDERS",
    "Combined",
    "Contender",
    "Discrepancy",
    "Explained",
    "HOLDOUTS",
    "Holdout",
    "Inspection",
    "LEFT_OUT",
    "LawComparison",
    "League",
    "PUBLIC",
    "Paired",
    "Pooling",
    "PublicTable",
    "QUICK",
    "Rival",
    "Ruling",
    "Skewness",
    "Split",
    "atlas_rows",
    "atlas_tables",
    "audit_coverage",
    "best_law",
    "best_of_each",
    "better_law",
    "chance_of_miss",
    "combine",
    "compare_approaches",
    "compare_laws",
    "digits_study",
    "explain",
    "extrapolation_audit",
    "find_discrepancy",
    "find_pooling",
    "find_rival",
    "swept_columns",
    "find_spikes",
    "fit_approaches",
    "hold_out",
    "holdout",
    "holdout_table",
    "huber_study",
    "inspect_runs",
    "league",
    "pair",
    "public_tables",
    "recorded_league",
    "residual_skewness",
    "rounded_study",
    "rule_on",
    "standard_errors",
    "stopping_study",
    "survey_sets",
]

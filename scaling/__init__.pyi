# The front door, and the rooms: what `import scaling` offers. lazy_loader reads this file.

from . import (
    counting,
    diagnostics,
    errors,
    figures,
    fit,
    laws,
    optimum,
    papers,
    plan,
    runs,
    simulate,
    sources,
    theory,
    uncertainty,
)
from .diagnostics import compare_approaches, compare_laws, extrapolation_audit, holdout, inspect_runs
from .errors import FitError, RunsError
from .figures import set_style
from .fit import Fit, fit_envelope, fit_isoflop, fit_parametric, fit_power_law
from .laws import ChinchillaLaw, FrontierLaw, PowerLaw
from .optimum import Allocation, compute_optimal, data_constrained_optimal, inference_optimal
from .papers import claims_table, scorecard
from .plan import plan_training, suggest_runs
from .runs import check_runs, describe_runs, load_runs
from .simulate import simulate_runs
from .sources import published
from .uncertainty import bootstrap

__version__: str
__all__ = [
    "Allocation",
    "ChinchillaLaw",
    "Fit",
    "FitError",
    "FrontierLaw",
    "PowerLaw",
    "RunsError",
    "bootstrap",
    "check_runs",
    "claims_table",
    "compare_approaches",
    "compare_laws",
    "compute_optimal",
    "counting",
    "data_constrained_optimal",
    "describe_runs",
    "diagnostics",
    "errors",
    "extrapolation_audit",
    "figures",
    "fit",
    "fit_envelope",
    "fit_isoflop",
    "fit_parametric",
    "fit_power_law",
    "holdout",
    "inference_optimal",
    "inspect_runs",
    "laws",
    "load_runs",
    "optimum",
    "papers",
    "plan",
    "plan_training",
    "published",
    "runs",
    "scorecard",
    "set_style",
    "simulate",
    "simulate_runs",
    "sources",
    "suggest_runs",
    "theory",
    "uncertainty",
]

"""The executable companion to the neural-scaling-law papers.

``import scaling`` gives every public name; the modules are nouns of the papers and are read in the
order in which a table of runs passes through them.
"""

from .approaches import Approaches, compare_approaches, size_exponent
from .audit import audit_coverage, extrapolation_audit
from .bootstrap import Bootstrap, bootstrap
from .broken_power_law import BrokenPowerLaw, fit_broken_power_law
from .claims import Claim, claims_table, reproduces, scorecard
from .comparison import LawComparison, compare_laws
from .data_limits import DataConstrainedLaw, data_constrained_optimal, effective_amount
from .datasets import DatasetError, fetch, is_available, list_datasets, read_dataset
from .envelope import fit_envelope
from .exponents import LearningExponent, compare_curves, measure_exponent
from .figures import (
    format_count,
    format_flops,
    plot_bootstrap,
    plot_contours,
    plot_curves,
    plot_frontier,
    plot_isoflop,
    plot_landscape,
    plot_learning_curves,
    plot_residuals,
    plot_runs,
    plot_spread,
    set_style,
)
from .fit import Fit, FitError, fit_parametric
from .flops import (
    Architecture,
    architectures,
    count_params,
    flops_by_part,
    forward_flops,
    params_by_part,
    training_flops,
)
from .frontier import FrontierFit
from .holdout import Holdout, holdout, holdout_table
from .inference import CostModel, flop_price, inference_optimal, overtraining_overhead
from .inspection import Inspection, inspect_runs
from .isoflop import find_budgets, fit_isoflop, parabola_bias
from .isoloss import tokens_to_reach
from .kaplan import CriticalBatch, KaplanLaw, KaplanStepsLaw, kaplan_curve
from .kaplan_fit import fit_kaplan, fit_kaplan_steps
from .kaplan_training import KaplanFrontier, KaplanTraining
from .laws import ChinchillaLaw, FrontierLaw, PowerLaw, RosenfeldLaw
from .learning_curves import (
    AnnealedMachine,
    logistic_agreement,
    logistic_entropy,
    noisy_threshold_law,
    yardstick_constants,
)
from .manifold import simulate_interpolation
from .next_runs import NextRuns, suggest_runs
from .optimum import Allocation, compute_optimal, deadweight_compute
from .overtraining import DownstreamLaw, OvertrainingLaw, fit_overtraining
from .perceptron import simulate_perceptron
from .plan import Plan, plan_training
from .power_law import fit_power_law
from .precision import PrecisionLaw
from .pruning import PruningSchedule
from .published import Published, UnknownPublishedError, large_models, published, published_table
from .quanta import QuantaModel, simulate_quanta
from .random_features import RandomFeatureModel, simulate_random_features
from .reconcile import (
    EmbeddingModel,
    KaplanView,
    fit_embedding_model,
    kaplan_view,
    local_exponent,
    nonembedding_flops,
)
from .rosenfeld import fit_rosenfeld
from .runs import RunsError, RunsWarning, check_runs, describe_runs, load_runs
from .sensitivity import digits_study, huber_study, rounded_study, stopping_study
from .shape import ShapeLaw
from .simulate import chinchilla_like_design, grid_design, isoflop_design, simulate_curves, simulate_runs
from .students import simulate_logistic, simulate_noisy_threshold, simulate_thresholds
from .study_figures import plot_audit, plot_parabola_bias, plot_rounded_study, plot_thresholds
from .subsampling import subsampled_bootstrap
from .tables import RunsTable, read_table

__all__ = [
    "Allocation",
    "AnnealedMachine",
    "Approaches",
    "Architecture",
    "Bootstrap",
    "BrokenPowerLaw",
    "ChinchillaLaw",
    "Claim",
    "CostModel",
    "CriticalBatch",
    "DataConstrainedLaw",
    "DatasetError",
    "DownstreamLaw",
    "EmbeddingModel",
    "Fit",
    "FitError",
    "FrontierFit",
    "FrontierLaw",
    "Holdout",
    "Inspection",
    "KaplanFrontier",
    "KaplanLaw",
    "KaplanStepsLaw",
    "KaplanTraining",
    "KaplanView",
    "LawComparison",
    "LearningExponent",
    "OvertrainingLaw",
    "NextRuns",
    "Plan",
    "PowerLaw",
    "PrecisionLaw",
    "PruningSchedule",
    "Published",
    "QuantaModel",
    "RandomFeatureModel",
    "RosenfeldLaw",
    "RunsError",
    "RunsTable",
    "RunsWarning",
    "ShapeLaw",
    "UnknownPublishedError",
    "architectures",
    "audit_coverage",
    "bootstrap",
    "check_runs",
    "chinchilla_like_design",
    "claims_table",
    "compare_approaches",
    "compare_curves",
    "compare_laws",
    "compute_optimal",
    "count_params",
    "data_constrained_optimal",
    "deadweight_compute",
    "describe_runs",
    "digits_study",
    "effective_amount",
    "extrapolation_audit",
    "fetch",
    "fit_broken_power_law",
    "find_budgets",
    "fit_embedding_model",
    "fit_envelope",
    "fit_isoflop",
    "fit_kaplan",
    "fit_kaplan_steps",
    "fit_overtraining",
    "fit_parametric",
    "fit_power_law",
    "fit_rosenfeld",
    "flop_price",
    "flops_by_part",
    "format_count",
    "format_flops",
    "forward_flops",
    "grid_design",
    "holdout",
    "huber_study",
    "holdout_table",
    "inference_optimal",
    "inspect_runs",
    "is_available",
    "isoflop_design",
    "kaplan_curve",
    "kaplan_view",
    "large_models",
    "list_datasets",
    "load_runs",
    "local_exponent",
    "nonembedding_flops",
    "overtraining_overhead",
    "logistic_agreement",
    "logistic_entropy",
    "measure_exponent",
    "noisy_threshold_law",
    "parabola_bias",
    "params_by_part",
    "plot_audit",
    "plan_training",
    "plot_bootstrap",
    "plot_contours",
    "plot_curves",
    "plot_frontier",
    "plot_isoflop",
    "plot_landscape",
    "plot_learning_curves",
    "plot_parabola_bias",
    "plot_residuals",
    "plot_rounded_study",
    "plot_runs",
    "plot_spread",
    "plot_thresholds",
    "published",
    "published_table",
    "read_dataset",
    "read_table",
    "reproduces",
    "rounded_study",
    "scorecard",
    "set_style",
    "simulate_curves",
    "simulate_interpolation",
    "simulate_logistic",
    "simulate_noisy_threshold",
    "simulate_perceptron",
    "simulate_quanta",
    "simulate_random_features",
    "simulate_runs",
    "simulate_thresholds",
    "stopping_study",
    "tokens_to_reach",
    "suggest_runs",
    "subsampled_bootstrap",
    "size_exponent",
    "training_flops",
    "yardstick_constants",
]
__version__ = "0.1.0"

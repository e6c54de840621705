"""The executable companion to the neural-scaling-law papers.

``import scaling`` gives every public name; the modules are nouns of the papers and are read in the
order in which a table of runs passes through them.
"""

from .approaches import Approaches, compare_approaches, size_exponent
from .bootstrap import Bootstrap, bootstrap
from .claims import Claim, claims_table, reproduces, scorecard
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
from .isoflop import fit_isoflop
from .kaplan import CriticalBatch, KaplanLaw, KaplanStepsLaw, kaplan_curve
from .kaplan_fit import fit_kaplan, fit_kaplan_steps
from .kaplan_training import KaplanFrontier, KaplanTraining
from .laws import ChinchillaLaw, FrontierLaw, PowerLaw
from .learning_curves import (
    AnnealedMachine,
    logistic_agreement,
    logistic_entropy,
    noisy_threshold_law,
    yardstick_constants,
)
from .optimum import Allocation, compute_optimal
from .perceptron import simulate_perceptron
from .power_law import fit_power_law
from .published import Published, UnknownPublishedError, large_models, published, published_table
from .reconcile import (
    EmbeddingModel,
    KaplanView,
    fit_embedding_model,
    kaplan_view,
    local_exponent,
    nonembedding_flops,
)
from .runs import RunsError, RunsWarning, check_runs, describe_runs, load_runs
from .simulate import chinchilla_like_design, grid_design, isoflop_design, simulate_curves, simulate_runs
from .students import simulate_logistic, simulate_noisy_threshold, simulate_thresholds

__all__ = [
    "Allocation",
    "AnnealedMachine",
    "Approaches",
    "Architecture",
    "Bootstrap",
    "ChinchillaLaw",
    "Claim",
    "CostModel",
    "CriticalBatch",
    "DataConstrainedLaw",
    "DatasetError",
    "EmbeddingModel",
    "Fit",
    "FitError",
    "FrontierFit",
    "FrontierLaw",
    "Holdout",
    "KaplanFrontier",
    "KaplanLaw",
    "KaplanStepsLaw",
    "KaplanTraining",
    "KaplanView",
    "LearningExponent",
    "PowerLaw",
    "Published",
    "RunsError",
    "RunsWarning",
    "UnknownPublishedError",
    "architectures",
    "bootstrap",
    "check_runs",
    "chinchilla_like_design",
    "claims_table",
    "compare_approaches",
    "compare_curves",
    "compute_optimal",
    "count_params",
    "data_constrained_optimal",
    "describe_runs",
    "effective_amount",
    "fetch",
    "fit_embedding_model",
    "fit_envelope",
    "fit_isoflop",
    "fit_kaplan",
    "fit_kaplan_steps",
    "fit_parametric",
    "fit_power_law",
    "flop_price",
    "flops_by_part",
    "format_count",
    "format_flops",
    "forward_flops",
    "grid_design",
    "holdout",
    "holdout_table",
    "inference_optimal",
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
    "params_by_part",
    "plot_bootstrap",
    "plot_contours",
    "plot_curves",
    "plot_frontier",
    "plot_isoflop",
    "plot_landscape",
    "plot_learning_curves",
    "plot_residuals",
    "plot_runs",
    "plot_spread",
    "published",
    "published_table",
    "read_dataset",
    "reproduces",
    "scorecard",
    "set_style",
    "simulate_curves",
    "simulate_logistic",
    "simulate_noisy_threshold",
    "simulate_perceptron",
    "simulate_runs",
    "simulate_thresholds",
    "size_exponent",
    "training_flops",
    "yardstick_constants",
]
__version__ = "0.1.0"

"""The executable companion to the neural-scaling-law papers.

The front door has the names that most people need; all others are asked for by room, such as
``scaling.laws.KaplanLaw`` or ``scaling.figures.plot_runs``. Nothing is imported before it is used (PEP 562).
"""

from __future__ import annotations

import importlib
import operator
import warnings
from typing import Any

import lazy_loader

__version__ = "0.2.0"

_from_a_room, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

#: names that stood here in 0.1.0, by the room in which they are now; this list goes with the next version
_MOVED_TO = {
    "sources": "Published fetch is_available large_models list_datasets published_table read_dataset",
    "laws": "BrokenPowerLaw CriticalBatch DataConstrainedLaw DownstreamLaw KaplanLaw KaplanStepsLaw "
    "OvertrainingLaw PrecisionLaw PruningSchedule RosenfeldLaw ShapeLaw effective_amount kaplan_curve",
    "counting": "Architecture EmbeddingModel KaplanView architectures count_params flops_by_part "
    "forward_flops kaplan_view local_exponent nonembedding_flops params_by_part training_flops",
    "theory": "AnnealedMachine LearningExponent QuantaModel RandomFeatureModel compare_curves logistic_agreement "
    "logistic_entropy measure_exponent noisy_threshold_law simulate_interpolation simulate_logistic "
    "simulate_noisy_threshold simulate_perceptron simulate_quanta simulate_random_features "
    "simulate_thresholds yardstick_constants",
    "runs": "RunsTable find_budgets read_table",
    "optimum": "CostModel KaplanFrontier KaplanTraining deadweight_compute flop_price overtraining_overhead "
    "tokens_to_reach",
    "simulate": "chinchilla_like_design grid_design isoflop_design simulate_curves",
    "fit": "FrontierFit fit_broken_power_law fit_embedding_model fit_kaplan fit_kaplan_steps fit_overtraining "
    "fit_rosenfeld parabola_bias",
    "uncertainty": "Bootstrap subsampled_bootstrap",
    "diagnostics": "Approaches Holdout Inspection LawComparison audit_coverage digits_study holdout_table huber_study "
    "rounded_study stopping_study",
    "plan": "NextRuns Plan",
    "figures": "format_count format_flops plot_audit plot_bootstrap plot_contours plot_curves plot_frontier "
    "plot_isoflop plot_landscape plot_learning_curves plot_parabola_bias plot_residuals "
    "plot_rounded_study plot_runs plot_spread plot_thresholds",
    "papers": "Claim reproduces",
    "errors": "DatasetError RunsWarning UnknownPublishedError",
}
_ROOM_OF = {name: room for room, names in _MOVED_TO.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "claims":
        return _moved(name, "papers", importlib.import_module("scaling.papers"))
    if name == "size_exponent":
        return _moved(name, "laws.ChinchillaLaw.a", operator.attrgetter("a"))
    if name in _ROOM_OF:
        room = importlib.import_module(f"{__name__}.{_ROOM_OF[name]}")
        return _moved(name, f"{_ROOM_OF[name]}.{name}", getattr(room, name))
    return _from_a_room(name)


def _moved(name: str, place: str, value: Any) -> Any:
    words = f"scaling.{name} is now scaling.{place}; the old name goes with the next version"
    warnings.warn(words, DeprecationWarning, stacklevel=3)
    return value

"""The formulas of the papers: frozen dataclasses, vectorised, that know no data."""

from .base import Law
from .broken import BrokenPowerLaw
from .chinchilla import ChinchillaLaw
from .kaplan import CriticalBatch, KaplanLaw, KaplanStepsLaw, kaplan_curve
from .overtraining import DownstreamLaw, OvertrainingLaw
from .power import FrontierLaw, PowerLaw
from .precision import PrecisionLaw
from .pruning import PruningSchedule
from .repetition import DataConstrainedLaw, effective_amount
from .rosenfeld import RosenfeldLaw
from .routed import GranularLaw, RoutedLaw
from .shape import ShapeLaw

__all__ = [
    "BrokenPowerLaw",
    "ChinchillaLaw",
    "CriticalBatch",
    "DataConstrainedLaw",
    "DownstreamLaw",
    "FrontierLaw",
    "GranularLaw",
    "KaplanLaw",
    "KaplanStepsLaw",
    "Law",
    "OvertrainingLaw",
    "PowerLaw",
    "PrecisionLaw",
    "PruningSchedule",
    "RosenfeldLaw",
    "RoutedLaw",
    "ShapeLaw",
    "effective_amount",
    "kaplan_curve",
]

"""The formulas of the papers: frozen dataclasses, vectorised, that know no data."""

from .base import Law
from .bounded import BoundedLaw
from .broken import BrokenPowerLaw
from .chinchilla import ChinchillaLaw
from .coupled import CoupledLaw
from .farseer import FarseerLaw
from .hyperparameters import StepLaw
from .kaplan import CriticalBatch, KaplanLaw, KaplanStepsLaw, kaplan_curve
from .overtraining import DownstreamLaw, OvertrainingLaw, SigmoidLaw
from .power import FrontierLaw, PowerLaw
from .precision import PrecisionLaw
from .pruning import PruningSchedule
from .repetition import DataConstrainedLaw, effective_amount
from .rosenfeld import RosenfeldLaw
from .routed import GranularLaw, RoutedLaw
from .schedule import MomentumLaw, MultiPowerLaw, learning_rates
from .shape import ShapeLaw
from .tasks import TaskLaw
from .vocabulary import VocabularyLaw

__all__ = [
    "BoundedLaw",
    "BrokenPowerLaw",
    "ChinchillaLaw",
    "CoupledLaw",
    "CriticalBatch",
    "DataConstrainedLaw",
    "DownstreamLaw",
    "FarseerLaw",
    "FrontierLaw",
    "GranularLaw",
    "KaplanLaw",
    "KaplanStepsLaw",
    "Law",
    "MomentumLaw",
    "MultiPowerLaw",
    "OvertrainingLaw",
    "PowerLaw",
    "PrecisionLaw",
    "PruningSchedule",
    "RosenfeldLaw",
    "RoutedLaw",
    "ShapeLaw",
    "SigmoidLaw",
    "StepLaw",
    "TaskLaw",
    "VocabularyLaw",
    "effective_amount",
    "kaplan_curve",
    "learning_rates",
]

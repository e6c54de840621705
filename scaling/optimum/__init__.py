"""Law and budget -> allocation: how large a model, on how many tokens?"""

from .allocation import Allocation, compute_optimal, deadweight_compute
from .equal_loss import tokens_to_reach
from .inference import CostModel, flop_price, inference_optimal, overtraining_overhead
from .kaplan import KaplanFrontier, KaplanTraining
from .limited_data import data_constrained_optimal

__all__ = [
    "Allocation",
    "CostModel",
    "KaplanFrontier",
    "KaplanTraining",
    "compute_optimal",
    "data_constrained_optimal",
    "deadweight_compute",
    "flop_price",
    "inference_optimal",
    "overtraining_overhead",
    "tokens_to_reach",
]

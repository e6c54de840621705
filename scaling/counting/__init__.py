"""What N and C count: parameters and FLOPs of a transformer, with embeddings and without."""

from .embeddings import EmbeddingModel, local_exponent, nonembedding_flops
from .kaplan_study import KaplanView, kaplan_view
from .memory import training_memory
from .transformer import (
    Architecture,
    architectures,
    configurations,
    count_params,
    flops_by_part,
    forward_flops,
    params_by_part,
    training_flops,
)

__all__ = [
    "Architecture",
    "EmbeddingModel",
    "KaplanView",
    "architectures",
    "configurations",
    "count_params",
    "flops_by_part",
    "forward_flops",
    "kaplan_view",
    "local_exponent",
    "nonembedding_flops",
    "params_by_part",
    "training_flops",
    "training_memory",
]

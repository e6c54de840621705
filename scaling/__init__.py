"""The executable companion to the neural-scaling-law papers.

``import scaling`` gives every public name; the modules are nouns of the papers and are read in the
order in which a table of runs passes through them.
"""

from .datasets import DatasetError, fetch, is_available, list_datasets, read_dataset
from .flops import (
    Architecture,
    architectures,
    count_params,
    flops_by_part,
    forward_flops,
    params_by_part,
    training_flops,
)
from .laws import ChinchillaLaw, FrontierLaw, PowerLaw
from .published import Published, UnknownPublishedError, large_models, published, published_table

__all__ = [
    "Architecture",
    "ChinchillaLaw",
    "DatasetError",
    "FrontierLaw",
    "PowerLaw",
    "Published",
    "UnknownPublishedError",
    "architectures",
    "count_params",
    "fetch",
    "flops_by_part",
    "forward_flops",
    "is_available",
    "large_models",
    "list_datasets",
    "params_by_part",
    "published",
    "published_table",
    "read_dataset",
    "training_flops",
]
__version__ = "0.1.0"

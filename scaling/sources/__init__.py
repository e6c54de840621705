"""What is read: the papers' numbers, and the named sets of runs."""

from .datasets import dataset_checksum, dataset_names, fetch, is_available, list_datasets, read_dataset
from .labels import label_of
from .numbers import Published, large_models, published, published_table

__all__ = [
    "Published",
    "dataset_checksum",
    "dataset_names",
    "fetch",
    "is_available",
    "label_of",
    "large_models",
    "list_datasets",
    "published",
    "published_table",
    "read_dataset",
]

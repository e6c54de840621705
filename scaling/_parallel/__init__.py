"""Many independent pieces of work, spread over threads, processes or a cluster."""

from .spreading import spread

__all__ = ["spread"]

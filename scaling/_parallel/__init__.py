"""Many independent pieces of work, spread over threads, processes or a cluster."""

from .spreading import spread, still_wanted

__all__ = ["spread", "still_wanted"]

"""How sure is a fit? The same fit on resampled tables."""

from .resampling import Bootstrap, bootstrap
from .subsampling import subsampled_bootstrap

__all__ = ["Bootstrap", "bootstrap", "subsampled_bootstrap"]

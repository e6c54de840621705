"""How sure is a fit? The same fit on resampled tables."""

from .intervals import Interval
from .prediction import Noise, noise_of
from .resampling import Bootstrap, bootstrap
from .subsampling import subsampled_bootstrap

__all__ = ["Bootstrap", "Interval", "Noise", "bootstrap", "noise_of", "subsampled_bootstrap"]

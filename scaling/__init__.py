"""The executable companion to the neural-scaling-law papers.

``import scaling`` gives every public name; the modules are nouns of the papers and are read in the
order in which a table of runs passes through them.
"""

from .laws import ChinchillaLaw, FrontierLaw, PowerLaw
from .published import Published, UnknownPublishedError, large_models, published, published_table

__all__ = [
    "ChinchillaLaw",
    "FrontierLaw",
    "PowerLaw",
    "Published",
    "UnknownPublishedError",
    "large_models",
    "published",
    "published_table",
]
__version__ = "0.1.0"

"""The executable companion to the neural-scaling-law papers.

``import scaling`` gives every public name; the modules are nouns of the papers and are read in the
order in which a table of runs passes through them.
"""

from .laws import ChinchillaLaw, FrontierLaw, PowerLaw

__all__ = ["ChinchillaLaw", "FrontierLaw", "PowerLaw"]
__version__ = "0.1.0"

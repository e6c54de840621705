"""Runs -> law, with a status that says how far to trust it."""

from .broken import fit_broken_power_law
from .downstream import fit_downstream
from .embeddings import fit_embedding_model
from .envelope import fit_envelope
from .farseer import fit_farseer
from .frontier import FrontierFit
from .isoflop import fit_isoflop
from .isoflop_bias import grid_bias, parabola_bias
from .kaplan import fit_kaplan, fit_kaplan_steps
from .one_sided import noise_scales
from .overtraining import fit_overtraining
from .parametric import fit_parametric
from .power_law import fit_power_law
from .result import Fit, Resampled
from .rosenfeld import fit_rosenfeld
from .routed import fit_routed
from .schedule import fit_momentum, fit_multi_power
from .two_steps import fit_two_steps

__all__ = [
    "Fit",
    "FrontierFit",
    "Resampled",
    "fit_broken_power_law",
    "fit_downstream",
    "fit_embedding_model",
    "fit_envelope",
    "fit_farseer",
    "fit_isoflop",
    "fit_kaplan",
    "fit_kaplan_steps",
    "fit_momentum",
    "fit_multi_power",
    "fit_overtraining",
    "fit_parametric",
    "fit_power_law",
    "fit_rosenfeld",
    "fit_routed",
    "fit_two_steps",
    "grid_bias",
    "noise_scales",
    "parabola_bias",
]

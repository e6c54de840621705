"""Figures draw; they compute nothing."""

from .._words import format_count, format_flops
from .costs import plot_cost_map, plot_overtraining, plot_worth
from .laws import (
    plot_bootstrap,
    plot_contours,
    plot_downstream,
    plot_frontier,
    plot_landscape,
    plot_residuals,
    plot_spread,
    plot_surface,
)
from .runs import plot_curves, plot_isoflop, plot_ratios, plot_runs
from .standings import plot_foresight, plot_league
from .studies import (
    plot_atlas,
    plot_audit,
    plot_learning_rates,
    plot_parabola_bias,
    plot_rounded_study,
    plot_thresholds,
)
from .style import COLORMAP, PALETTE, labels_of, legend_above, set_style
from .theory import plot_block, plot_learning_curves, plot_shares, plot_size_exponents, plot_yardsticks

__all__ = [
    "COLORMAP",
    "PALETTE",
    "format_count",
    "format_flops",
    "labels_of",
    "legend_above",
    "plot_atlas",
    "plot_audit",
    "plot_block",
    "plot_bootstrap",
    "plot_contours",
    "plot_cost_map",
    "plot_curves",
    "plot_downstream",
    "plot_foresight",
    "plot_frontier",
    "plot_isoflop",
    "plot_landscape",
    "plot_league",
    "plot_learning_curves",
    "plot_learning_rates",
    "plot_overtraining",
    "plot_parabola_bias",
    "plot_ratios",
    "plot_residuals",
    "plot_rounded_study",
    "plot_runs",
    "plot_shares",
    "plot_size_exponents",
    "plot_spread",
    "plot_surface",
    "plot_thresholds",
    "plot_worth",
    "plot_yardsticks",
    "set_style",
]

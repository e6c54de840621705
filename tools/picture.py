"""Draw the README's picture, `book/_static/result.png`: simulated runs, the law fitted to them, its optimum."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import scaling

TARGET = Path(__file__).resolve().parents[1] / "book" / "_static" / "result.png"


def main() -> None:
    scaling.set_style()
    truth = scaling.ChinchillaLaw.from_published("besiroglu2024")
    runs = scaling.simulate_runs(truth, scaling.simulate.chinchilla_like_design(240, seed=0), noise=0.005, seed=0)
    fit = scaling.fit_parametric(runs)
    resampled = scaling.bootstrap(fit, n_resamples=1000, seed=0)
    budgets = np.geomspace(1e18, 1e26, 60)
    spread = [scaling.compute_optimal(resampled.law, budget).params for budget in budgets]
    low, high = np.percentile(spread, [5, 95], axis=1)

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
    scaling.figures.plot_contours(fit.law, np.geomspace(4e7, 2e10, 120), np.geomspace(2e8, 1e12, 120), ax=left)
    left.plot(runs["params"], runs["tokens"], "o", color="black", markersize=2.5, alpha=0.6)
    right.fill_between(budgets, low, high, alpha=0.35, label="90 % of 1,000 resamples")
    right.plot(budgets, scaling.compute_optimal(fit.law, budgets).params, label="by the fitted law")
    right.plot(budgets, scaling.compute_optimal(truth, budgets).params, "--", color="black", label="by the true law")
    right.axvspan(runs["flops"].min(), runs["flops"].max(), color="grey", alpha=0.15, label="budgets of the runs")
    right.set(xscale="log", yscale="log", xlabel="Training compute $C$ [FLOP]", ylabel="Best size, in parameters")
    right.yaxis.set_major_formatter(scaling.figures.format_count)
    scaling.figures.legend_above(right)
    figure.savefig(TARGET, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()

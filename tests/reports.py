"""Tables of a known law, and what a report answers of them."""

import scaling
from scaling.book.answers import Answers, Question
from scaling.book.make import as_table

LAW = scaling.ChinchillaLaw(E=1.9, A=300.0, B=900.0, alpha=0.32, beta=0.34)
BUDGETS = [1e18, 1e19, 1e20, 1e21]


def isoflop(noise=0.003, n_sizes=8, budgets=BUDGETS, **more):
    design = scaling.simulate.isoflop_design(budgets, n_sizes=n_sizes, width=6.0, law=LAW)
    return scaling.simulate_runs(LAW, design.assign(**more), noise=noise, seed=1)


def asked(runs, flops=None, served=None):
    table = as_table(scaling.load_runs(runs))
    return Answers(table.runs, table.curves, Question(flops, served, n_resamples=100))

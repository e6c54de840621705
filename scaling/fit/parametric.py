"""Approach 3: the parametric loss of Hoffmann et al. 2022 fitted to a table of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import number
from .._words import listed
from ..errors import FitError
from ..laws.chinchilla import ChinchillaLaw
from ..laws.coupled import CoupledLaw, SumLaw
from .certainty import open_questions
from .common import chosen_rows, finish
from .engine.one_sided import LIKELIHOOD
from .engine.problem import COUPLINGS, EXPONENTS, Objective, Problem
from .one_sided import one_sided
from .result import Fit

__all__ = ["fit_parametric"]

#: the laws by name
LAWS: dict[str, type[SumLaw]] = {"additive": ChinchillaLaw, "coupled": CoupledLaw}


def fit_parametric(
    runs: pd.DataFrame,
    *,
    objective: str = "log_huber",
    delta: float = 1e-3,
    tau: float = 0.5,
    weights: ArrayLike | None = None,
    n_starts: int = 4,
    rows: str = "last",
    law: str = "additive",
    fixed: Mapping[str, float] | None = None,
    tied: bool = False,
) -> Fit:
    r"""Fit :math:`L = E + A/N^{\alpha} + B/D^{\beta}` to a table of runs: approach 3.

    Or, with ``law="coupled"``, :math:`L = E + (A/N^{\alpha} + B/D^{\beta})^k` (see Notes).

    By default the objective of Hoffmann et al. 2022 (section 3.3, equation 3), the **sum** over runs

    .. math::

        & \sum_i w_i\,\mathrm{Huber}_\delta(\ell_i - \ln L_i), \\
        & \ell_i = \mathrm{LSE}(a - \alpha\ln N_i,\; b - \beta\ln D_i,\; e), \\
        & a = \ln A,\; b = \ln B,\; e = \ln E.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens`` and ``loss`` (nats/token), as :func:`~scaling.runs.load_runs` returns.
    objective : {"log_huber", "huber", "log_squares", "log_absolute", "log_one_sided"}
        Huber loss of log-residuals (the paper's), Huber loss of raw residuals, least squares of
        log-residuals (sum of squares), least absolute deviations of log-residuals, or the likelihood of noise that
        mostly loses (see Notes).
    delta : float
        Huber threshold: in ln loss for ``log_huber``, in nats/token for ``huber``.
    tau : float
        Between 0 and 1: what a run adds to the sum is multiplied by 2 tau where it lies above the law, by 2 - 2 tau
        where it does not. Below 0.5 the law comes to lie lower, among the well-tuned runs: at about the share tau of
        the runs with a ``delta`` far below the noise, at an expectile (Newey and Powell 1987) with ``log_squares``.
    weights : array (n_rows,), optional
        Non-negative weight of each row of ``runs``.
    n_starts : int
        Starting points to polish, the most promising of a grid of exponents.
    rows : {"last", "all"}
        Where a ``run`` has several rows, as training curves do: fit the last of each run
        (:func:`~scaling.runs.last_points`), and keep the others in ``dropped``; or fit all of them, of which
        :func:`~scaling.uncertainty.bootstrap` draws whole runs, since the rows of one run share its luck.
    law : {"additive", "coupled"}
        A :class:`~scaling.laws.ChinchillaLaw`, or the :class:`~scaling.laws.CoupledLaw` of which it is a case.
    fixed : dict, optional
        Constants that are given and not fitted: ``E``, and of the additive law ``alpha`` and ``beta``, of the coupled
        one ``k``. Every interval then takes them for exact.
    tied : bool
        Whether alpha and beta are one constant. Then N* and D* grow alike, a = b = 1/2, whatever the runs say.

    Returns
    -------
    Fit
        ``status`` says whether the law is identified; bounds (E ≥ 0, exponents in [0.01, 2]) are
        reached exactly.

    Raises
    ------
    FitError
        For a table that cannot be used at all: a missing column, text, a value that is not positive; or for a given E
        that a run lies below.
    ValueError
        For an unknown objective, law or choice of ``rows``, a ``delta`` or an ``n_starts`` that makes no sense; for a
        constant that cannot be given, or not such a value.

    Notes
    -----
    Diverged, badly tuned or unlucky runs only lose. ``log_one_sided`` is the likelihood of a stochastic frontier
    (Aigner, Lovell and Schmidt 1977): the law is that of well-tuned runs, above which every run lies by a normal and a
    half-normal part whose sizes are estimated with it (:func:`~scaling.fit.noise_scales`),

    .. math:: \ln L_i = \ell_i + v_i + u_i, \qquad v_i \sim \mathcal N(0, \sigma_v^2), \quad
        u_i = |\mathcal N(0, \sigma_u^2)|,

    with a penalty on :math:`\sigma_u/\sigma_v`, after Azzalini and Arellano-Valle 2013 (arXiv:1203.2376). What all
    runs lose in common multiplies E, A and B alike: a, N* and D* do not depend on it, E and every predicted loss do.
    They are those of well-tuned runs; the others reach :math:`e^{\sigma_u\sqrt{2/\pi}}` times as much or so on average.
    Whether the runs identify the law is judged by least squares.

    The coupled law is sought in the coordinates of :class:`~scaling.laws.CoupledLaw`'s S and T: bounded are k, in
    [0.05, 4], and what the loss falls with, k alpha and k beta, in [0.01, 2]. The search begins at the minimum of the
    additive law, with k = 1, and at other k, and only descends, so that the fit is no worse than that of the additive
    law (of least absolute deviations this holds where runs are many enough to identify either).
    k and E trade off against each other; :meth:`Fit.certainty` has an interval for each.

    Examples
    --------
    >>> import scaling
    >>> truth = scaling.ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    >>> runs = scaling.simulate_runs(truth, scaling.simulate.grid_design([1e8, 1e9, 1e10], [1e9, 1e10, 1e11]))
    >>> scaling.fit_parametric(runs).law
    ChinchillaLaw(E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    """
    if law not in LAWS:
        raise ValueError(f"law must be {' or '.join(map(repr, LAWS))}, got {law!r}")
    kind, given = LAWS[law], _given(law, fixed, tied)
    if objective == LIKELIHOOD:
        if tau != 0.5:
            raise ValueError(f"tau = {tau:g} goes with other objectives: {LIKELIHOOD!r} estimates how far noise leans")
        same: dict[str, Any] = {"n_starts": n_starts, "rows": rows, "law": law, "fixed": fixed, "tied": tied}
        squares = fit_parametric(runs, objective="log_squares", weights=weights, **same)
        return one_sided(squares, partial(fit_parametric, squares.runs, objective=objective, **same))
    aim = Objective(objective, delta, tau)
    used = chosen_rows(runs, rows, weights)
    N, D, L = used.columns("params", "tokens", "loss")
    if given.get("E", 0.0) >= (least := float(L[used.weights > 0].min())):
        raise FitError(
            f"E = {given['E']:g} is given, and a run has a loss of {least:g}: no law with such an E reaches it"
        )
    problem = sum_problem(kind, L, (N, D), raw=aim.raw, tau=tau, fixed=given, tied=tied)
    return finish(
        problem,
        used.weights,
        aim,
        n_starts,
        {"params": N, "tokens": D},
        build=partial(_of_one_exponent, kind) if tied else kind,
        again=partial(
            fit_parametric,
            used.table,
            objective=objective,
            delta=delta,
            tau=tau,
            n_starts=n_starts,
            rows=rows,
            law=law,
            fixed=fixed,
            tied=tied,
        ),
        runs=used.table,
        dropped=used.dropped,
        clusters=used.clusters,
        asked=open_questions,
    )


def _of_one_exponent(kind: type[SumLaw], alpha: ArrayLike, **rest: ArrayLike) -> SumLaw:
    return kind(**rest, alpha=alpha, beta=alpha)  # type: ignore[arg-type]


def _given(law: str, fixed: Mapping[str, float] | None, tied: bool) -> dict[str, float]:
    """Constants that are given, as the engine has them; ``ValueError`` for what cannot be given."""
    ranges = {"E": (0.0, np.inf)}
    ranges |= {"k": COUPLINGS} if law == "coupled" else {"alpha": EXPONENTS, "beta": EXPONENTS}
    given = {}
    if not isinstance(fixed, Mapping | None):
        raise ValueError(f"fixed must give constants by name, as {{'E': 1.7}}, got {fixed!r}")
    for name, each in (fixed or {}).items():
        value = number(name, each)
        if name not in ranges:
            raise ValueError(f"{name} cannot be given: of the {law} law, {listed(list(ranges), 'or')} can")
        low, high = ranges[name]
        if not (low <= value <= high and np.isfinite(value)):
            span = f"from {low:g} to {high:g}" if np.isfinite(high) else "0 or more"
            raise ValueError(f"{name} = {value:g} is out of the range of the search, {span}")
        given[name] = value
    if tied and "beta" in given:
        beta = given.pop("beta")
        if given.setdefault("alpha", beta) != beta:
            raise ValueError(f"alpha and beta are tied, and given as {given['alpha']:g} and {beta:g}")
    return given


def sum_problem(kind: type[SumLaw], loss: np.ndarray, variables: tuple[np.ndarray, ...], **options: Any) -> Problem:
    """The engine's problem of a law of one of these kinds, for a loss at sizes and tokens."""
    names, couplings = tuple(each.name for each in fields(kind)), COUPLINGS if kind is CoupledLaw else None
    return Problem.build(loss, variables, names, couplings=couplings, **options)


def law_name(fit: Fit) -> str:
    """The name by which :func:`fit_parametric` knows the law of a fit."""
    return next(name for name, kind in LAWS.items() if type(fit.candidate) is kind)

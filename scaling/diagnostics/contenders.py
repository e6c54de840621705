"""The laws that are compared on held-out runs: each with its fit, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..fit.broken import fit_broken_power_law
from ..fit.farseer import fit_farseer
from ..fit.kaplan import fit_kaplan
from ..fit.overtraining import fit_overtraining
from ..fit.parametric import fit_parametric
from ..fit.power_law import fit_power_law
from ..fit.result import Fit
from ..fit.rosenfeld import fit_rosenfeld

__all__ = ["CONTENDERS", "QUICK", "Contender"]

#: loss of a guess for the envelope of Rosenfeld et al., where a table does not tell its vocabulary: ln 50,000 nats.
#: Vocabularies of 32,000 to 128,256 would make it 10.4 to 11.8
GUESS = float(np.log(50_000))


@dataclass(frozen=True, repr=False)
class Contender:
    """A law that takes part: its equation, the number of its constants, and the fit of it.

    Attributes
    ----------
    name, equation : str
        What it is called, and its formula in plain text.
    constants : int
        How many the law has.
    method : callable
        From a table of runs to a :class:`~scaling.fit.Fit`; with ``column``, from that column and the loss.
    column : str or None
        The one column that a law of one variable sees.
    options : dict
        Passed to ``method``.
    """

    name: str
    equation: str
    constants: int
    method: Callable[..., Fit]
    column: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Contender({self.name!r})"

    def fit(self, runs: pd.DataFrame) -> Fit:
        """Fit the law to runs, by the objective that all have in common unless ``options`` say otherwise.

        Parameters
        ----------
        runs : DataFrame
            As ``method`` takes them; with ``column``, that one and ``loss``.

        Returns
        -------
        Fit
            Of the law.

        Raises
        ------
        FitError
            If the runs cannot be fitted.
        KeyError
            If the table lacks ``column`` or ``loss``.
        """
        options = {"objective": "log_huber"} | self.options
        if self.column is None:
            return self.method(runs, **options)
        return self.method(runs[self.column], runs["loss"], **options)

    def errors(self, fit: Fit, runs: pd.DataFrame) -> np.ndarray:
        """Compute ln predicted - ln observed for each run.

        Parameters
        ----------
        fit : Fit
            Of this law.
        runs : DataFrame
            With the law's columns, or ``column``, and ``loss``.

        Returns
        -------
        array (n_runs,)
            The errors.

        Raises
        ------
        ValueError
            If a column of the law is missing.
        KeyError
            If ``column`` or ``loss`` is.
        """
        table = runs if self.column is None else runs.assign(x=runs[self.column])
        with np.errstate(all="ignore"):
            return np.log(fit.candidate.predict(table) / runs["loss"].to_numpy())


ADDITIVE = Contender("Chinchilla", "E + A/N^alpha + B/D^beta", 5, fit_parametric)
COUPLED = Contender("coupled", "E + (A/N^alpha + B/D^beta)^k", 6, fit_parametric, options={"law": "coupled"})
KAPLAN = Contender("Kaplan", "((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D", 4, fit_kaplan)
OFFSET = {"offset": True}
OF_COMPUTE = Contender("compute alone", "E + c/C^gamma", 3, fit_power_law, "flops", OFFSET)
TIED = Contender("tied exponents", "E + A/N^alpha + B/D^alpha", 4, fit_overtraining)

#: laws whose fits take few milliseconds, for :func:`~scaling.diagnostics.best_law`
QUICK = (ADDITIVE, COUPLED, OF_COMPUTE)
#: what :func:`~scaling.diagnostics.league` compares unless told otherwise, simple laws first
CONTENDERS = (
    ADDITIVE,
    COUPLED,
    TIED,
    KAPLAN,
    Contender(
        "Rosenfeld", "S/sqrt(1 + (S/guess)^2), S = E + A/N^alpha + B/D^beta", 5, partial(fit_rosenfeld, guess=GUESS)
    ),
    Contender("Farseer", "exp(a3 N^gamma + b3) + exp(a2 N^beta + b2)/D^exp(a1 N^alpha + b1)", 9, fit_farseer),
    OF_COMPUTE,
    Contender(
        "broken, of compute",
        "a + b C^-c0 (1 + (C/d)^(1/f))^(-c1 f)",
        6,
        fit_broken_power_law,
        "flops",
        options={"objective": "log_squares"},
    ),
)


#: the name of a law with options of one's own, and what these are where nothing is asked for
AS_ASKED = "the law as asked"
USUAL_OBJECTIVE, USUAL_DELTA = "log_huber", 1e-3


def as_asked(
    law: str = "additive",
    objective: str = USUAL_OBJECTIVE,
    delta: float = USUAL_DELTA,
    fixed: Mapping[str, float] | None = None,
    tied: bool = False,
) -> Contender | None:
    """The parametric law as the options of :func:`~scaling.fit.fit_parametric` make it, to be compared with the others.

    It is called "the law as asked"; of the coupled law without other options it is the one that takes part by its
    name. None where the options are the usual ones: that is the Chinchilla law.
    """
    given = dict(fixed or {})
    plain = COUPLED if law == "coupled" else ADDITIVE
    if not (given or tied) and (objective, delta) == (USUAL_OBJECTIVE, USUAL_DELTA):
        return COUPLED if law == "coupled" else None
    equation = plain.equation.replace("D^beta", "D^alpha") if tied else plain.equation
    names = {"alpha" if tied and name == "beta" else name: value for name, value in given.items()}
    words = [equation, *(f"{name} = {value:g} given" for name, value in names.items())]
    if (objective, delta) != (USUAL_OBJECTIVE, USUAL_DELTA):
        words.append(f"by {objective}" + (f" with delta {delta:g}" if delta != USUAL_DELTA else ""))
    options = {"law": law, "objective": objective, "delta": delta, "fixed": given, "tied": tied}
    return Contender(AS_ASKED, ", ".join(words), plain.constants - tied - len(names), fit_parametric, options=options)

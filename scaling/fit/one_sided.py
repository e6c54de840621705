"""Runs that mostly lose: badly tuned or cut short, they lie above the law of well-tuned ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .engine.identify import held
from .engine.one_sided import LIKELIHOOD, Likelihood, OneSidedProblem
from .result import Fit, Minimum

__all__ = ["noise_scales"]


def one_sided(squares: Fit, again: Callable[..., Fit]) -> Fit:
    """The fit of least squares, turned into that of the likelihood; ``again`` makes it under other weights."""
    assert squares._minimum is not None  # the engine's
    aim, weights = Likelihood(), squares.weights / squares.weights.max()
    problem = OneSidedProblem.of(squares._minimum.problem)
    found = problem.from_squares(squares._minimum.theta[None], weights[None])
    constants = {name: float(x[0]) for name, x in problem.constants(found.theta).items()}
    on_bound = held(problem.plain, found.theta[0, : len(problem.names)])
    status, message = squares.status, squares.message
    if status != "not_identified":
        if not found.converged[0]:
            status, message = "not_converged", "the solver stopped before the minimum: report this table"
        elif on_bound and on_bound != squares.held:
            at = ", ".join(f"{name} = {constants[name]:g}" for name in on_bound)
            status, message = "at_bound", f"{at} (on its bound)"
        elif on_bound != squares.held:
            status, message = (
                "weak",
                f"least squares end on a bound of {', '.join(squares.held)}, this likelihood does not",
            )
    return replace(
        squares,
        candidate=squares.law_of(constants),
        value=float(found.value[0] * squares.weights.max()),
        objective=aim.name,
        status=status,
        message=message,
        held=on_bound,
        residuals=-problem.residuals(found.theta)[0],
        _again=again,
        _minimum=Minimum(problem, found.theta[0], aim),
    )


def noise_scales(fit: Fit) -> tuple[float, float]:
    r"""Estimate how much runs scatter about their law, and how much they lose, by the objective ``log_one_sided``.

    Parameters
    ----------
    fit : Fit
        Of :func:`~scaling.fit.fit_parametric` with ``objective="log_one_sided"``.

    Returns
    -------
    (float, float)
        Standard deviation :math:`\sigma_v` of the normal part and scale :math:`\sigma_u` of the half-normal one, in ln
        loss; a run loses :math:`\sigma_u \sqrt{2/\pi}` on average.

    Raises
    ------
    TypeError
        If the fit has another objective.
    """
    if fit._minimum is None or not isinstance(fit._minimum.problem, OneSidedProblem):
        raise TypeError(f"a fit by {fit.objective!r} has no such scales: fit with objective={LIKELIHOOD!r}")
    normal, half_normal = fit._minimum.problem.scales(fit._minimum.theta[None])
    return float(normal[0]), float(half_normal[0])

"""Learning curves of machines that make decisions: what theory says.

``t`` counts training examples. If a share q of the machines that are still possible give the right answer to the
next question, the *entropic loss* is -ln q nats, the *Gibbs error* 1 - q (one of them, drawn at random, decides),
the *Bayes error* 1 where q < 1/2 (they vote) and otherwise 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._checks import at_least_zero, between
from ..laws.power import PowerLaw

__all__ = ["AnnealedMachine", "logistic_agreement", "logistic_entropy", "noisy_threshold_law", "yardstick_constants"]


@dataclass(frozen=True)
class AnnealedMachine:
    r"""A learning machine as the annealed approximation sees it: how many machines are nearly as good as the best.

    A machine agrees with the teacher's answer with probability :math:`s = s^*(1 - r)`, where r is its shortfall.
    The prior mass of the machines with a shortfall of at most r is

    .. math:: \mu(r) = \mu_0 + (1 - \mu_0)\,(r/R)^\kappa, \qquad 0 \le r \le R.

    Averaging over examples before the logarithm is taken (the annealed approximation) leaves the moments of s,

    .. math:: \langle Z_t \rangle = \int s^t \,\mathrm d\mu = {s^*}^t
              \Big[ \mu_0 + (1 - \mu_0)\, \kappa\, R^{-\kappa}\, \mathrm B_R(\kappa, t + 1) \Big],

    with the incomplete beta function :math:`\mathrm B_R(a, b) = \int_0^R r^{a-1} (1-r)^{b-1} \mathrm dr`.

    Parameters
    ----------
    codimension : float
        :math:`\kappa`, positive: the number of directions that lead away from the best machines, where the shortfall
        grows linearly with the distance (hard decisions); half that number where it grows as the square.
    solution_mass : float, default 0
        :math:`\mu_0` in [0, 1): prior mass of the machines that are as good as the best.
    widest : float, default 1
        R in (0, 1]: the largest shortfall. Without a solution mass it does not matter at large t.
    agreement : float, default 1
        :math:`s^*` in (0, 1]: how often the best machine agrees; below 1 for a stochastic one.

    Raises
    ------
    ValueError
        Naming the parameter, its value and the limit.

    References
    ----------
    The approximation: Amari, Fujita & Shinomoto 1992, Neural Computation 4:605-618. The form of
    :math:`\mu(r)` and the constants are ours.

    Examples
    --------
    >>> AnnealedMachine(codimension=3).asymptote
    PowerLaw(coefficient=3, exponent=-1, offset=0)
    """

    codimension: float
    solution_mass: float = 0.0
    widest: float = 1.0
    agreement: float = 1.0

    def __post_init__(self) -> None:
        between("codimension", self.codimension, 0, np.inf)
        if self.solution_mass != 0:
            between("solution_mass", self.solution_mass, 0, 1)
        for name in ("widest", "agreement"):
            if getattr(self, name) != 1:
                between(name, getattr(self, name), 0, 1)

    def log_partition(self, t: ArrayLike) -> np.ndarray | float:
        """Compute ln <Z_t>, the logarithm of the mean prior mass that agrees with t examples.

        Parameters
        ----------
        t : float or array
            Number of examples, at least 0.

        Returns
        -------
        float or array
            Of the shape of ``t``.

        Raises
        ------
        ValueError
            If a number of examples is negative or not finite.
        """
        t = _examples(t)
        with np.errstate(divide="ignore"):
            solved = np.log(self.solution_mass)
        return (t * np.log(self.agreement) + np.logaddexp(solved, self._log_moment(0, t)))[()]

    def entropic_loss(self, t: ArrayLike) -> np.ndarray | float:
        """Compute ln <Z_t> - ln <Z_{t+1}>, the loss after t examples.

        Parameters
        ----------
        t : float or array
            Number of examples, at least 0.

        Returns
        -------
        float or array
            Nats an example, of the shape of ``t``.

        Raises
        ------
        ValueError
            If a number of examples is negative or not finite.
        """
        t = _examples(t)
        kappa = self.codimension
        with np.errstate(over="ignore"):
            # what survives over what is lost: the ratio of two beta functions in closed form, plus the solutions
            kept = special.betainc(kappa, t + 2, self.widest) / special.betainc(kappa + 1, t + 1, self.widest)
            survive = kept * (t + 1) / kappa + self.solution_mass * np.exp(-self._log_moment(1, t))
        return (np.log1p(1 / survive) - np.log(self.agreement))[()]

    def gibbs_error(self, t: ArrayLike) -> np.ndarray | float:
        """Compute 1 - <Z_{t+1}> / <Z_t>, the annealed probability of a wrong decision after t examples.

        Parameters
        ----------
        t : float or array
            Number of examples, at least 0.

        Returns
        -------
        float or array
            Probability, of the shape of ``t``.

        Raises
        ------
        ValueError
            If a number of examples is negative or not finite.
        """
        return (-np.expm1(-np.asarray(self.entropic_loss(t))))[()]

    @property
    def asymptote(self) -> PowerLaw:
        r"""The entropic loss at large t, as a power law of t.

        :math:`-\ln s^* + \kappa/t` if :math:`\mu_0 = 0`; otherwise
        :math:`-\ln s^* + \frac{1 - \mu_0}{\mu_0}\, \kappa\,\Gamma(\kappa + 1)\, R^{-\kappa}\, t^{-(\kappa+1)}`.
        """
        c, floor = self.codimension, -np.log(self.agreement) + 0.0
        if not self.solution_mass:
            return PowerLaw(c, -1, floor)
        odds = (1 - self.solution_mass) / self.solution_mass
        return PowerLaw(odds * c * special.gamma(c + 1) / self.widest**c, -(c + 1), floor)

    def _log_moment(self, power: int, t: np.ndarray) -> np.ndarray:
        """ln of the integral of r^power (1 - r)^t over the machines with a shortfall."""
        c, a = self.codimension, self.codimension + power
        wide = np.log(special.betainc(a, t + 1, self.widest)) + special.betaln(a, t + 1) + np.log(c)
        return np.log1p(-self.solution_mass) - c * np.log(self.widest) + wide


def noisy_threshold_law(noise: float) -> PowerLaw:
    r"""Derive the error of a threshold set by maximum likelihood from noisy answers, as a power law of t.

    Inputs are uniform on [0, 1], the teacher says yes with probability :math:`1/(1 + e^{-(x - 1/2)/\tau})`, and

    .. math:: \varepsilon = p \sqrt{\frac{2}{\pi J t}}, \qquad J = \tfrac1\tau \tanh \tfrac{1}{4\tau}, \quad p = 1:

    the threshold is normal around 1/2 with variance 1/(J t), J the Fisher information of an example, and the error
    is the mean absolute deviation times the density p of inputs there. For small :math:`\tau` the coefficient is
    :math:`\sqrt{2\tau/\pi}`.

    Parameters
    ----------
    noise : float
        :math:`\tau`, positive, in units of the input.

    Returns
    -------
    PowerLaw
        Probability of a wrong decision, of the number of examples.

    Raises
    ------
    ValueError
        If ``noise`` is not a positive finite number.
    """
    between("noise", noise, 0, np.inf)
    information = np.tanh(1 / (4 * noise)) / noise
    return PowerLaw(float(np.sqrt(2 / (np.pi * information))), -0.5)


def logistic_entropy(signal: float) -> float:
    r"""Compute the entropy of a logistic teacher's answers, :math:`H_0 = \langle h(k(w_0 \cdot x)) \rangle`.

    Inputs x are standard normal.

    Parameters
    ----------
    signal : float
        Length of :math:`w_0`, at least 0.

    Returns
    -------
    float
        Nats an example.

    Raises
    ------
    ValueError
        If ``signal`` is negative or not finite.
    """
    u, weight = normal_nodes()
    k = special.expit(at_least_zero("signal", signal) * u)
    return float(weight @ (special.entr(k) + special.entr(1 - k)))


def logistic_agreement(signal: float, student: ArrayLike = 1.0) -> np.ndarray | float:
    r"""Compute how often a logistic machine of weights :math:`c\,w_0` gives the teacher's answer, both at random.

    .. math:: s(c) = \big\langle k(u)\,k(cu) + (1 - k(u))(1 - k(cu)) \big\rangle, \qquad u = w_0 \cdot x

    Parameters
    ----------
    signal : float
        Length of :math:`w_0`, at least 0.
    student : float or array
        c, at least 0.

    Returns
    -------
    float or array
        Probability, of the shape of ``student``.

    Raises
    ------
    ValueError
        If an argument is negative, or ``signal`` is not finite.
    """
    u, weight = normal_nodes()
    c = np.asarray(student, dtype=float)
    if not (c >= 0).all():
        raise ValueError(f"student must be at least 0, got {c.min():g}")
    u = at_least_zero("signal", signal) * u
    teacher, machine = special.expit(u), special.expit(c[..., None] * u)
    return ((teacher * machine + (1 - teacher) * (1 - machine)) @ weight)[()]


def yardstick_constants(marginal: str) -> dict[str, float]:
    r"""Compute entropic loss, Gibbs and Bayes error of a hard machine with a unique solution, in units of m/t.

    A new example cuts the machines that are still possible; let z be where they lie across the cut, with distribution
    function F. The place of the cut is uniform on their scale and the teacher one of them, so that the three are

    .. math:: \int h(F)\,\mathrm dz, \qquad \int 2F(1 - F)\,\mathrm dz, \qquad \int \min(F, 1 - F)\,\mathrm dz

    up to a common factor, h the entropy of a yes or no in nats. The factor is fixed by the entropic loss, m/t.

    Parameters
    ----------
    marginal : {"uniform", "normal"}
        F: uniform for one dimension (a threshold, two weights), normal in the limit of many.

    Returns
    -------
    dict
        ``entropic`` (nats; 1), ``gibbs`` and ``bayes`` (probabilities).

    Raises
    ------
    ValueError
        For another marginal.

    References
    ----------
    Gibbs over Bayes tends to the square root of 2: Opper & Haussler 1991, Phys. Rev. Lett. 66:2677.
    """
    if marginal not in ("uniform", "normal"):
        raise ValueError(f"marginal must be 'uniform' or 'normal', got {marginal!r}")
    if marginal == "uniform":
        return {"entropic": 1.0, "gibbs": 2 / 3, "bayes": 1 / 2}
    z, step = np.linspace(-12, 12, 4801, retstep=True)
    F = special.ndtr(z)
    entropic = float(step * (special.entr(F) + special.entr(special.ndtr(-z))).sum())
    return {"entropic": 1.0, "gibbs": 2 / np.sqrt(np.pi) / entropic, "bayes": np.sqrt(2 / np.pi) / entropic}


def _examples(t: ArrayLike) -> np.ndarray:
    t = np.asarray(t, dtype=float)
    bad = ~((t >= 0) & np.isfinite(t))
    if bad.any():
        raise ValueError(f"t must be a finite number of examples, at least 0, got {t[bad].flat[0]:g}")
    return t


def normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a mean over a standard normal variable."""
    node, weight = np.polynomial.hermite_e.hermegauss(40)
    return node, weight / weight.sum()

"""A solvable model with power laws in parameters and in data: random features (Maloney, Roberts & Sully 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import generator, positive, positive_finite, whole_number, within
from .._roots import lowest, newton_bracketed
from ..laws.power import PowerLaw

__all__ = ["RandomFeatureModel", "simulate_random_features"]


#: eigenvalues up to this one are summed one by one; beyond, an integral with this many nodes
ONE_BY_ONE, NODES = 1000, 80
#: last of Newton's steps in ln kappa: all digits count where N or T is hardly above the dimension
EXACT = 4e-15
#: how far above the ridgeless value, in ln kappa, the best ridge is sought
WIDEST = 30.0


@dataclass(frozen=True)
class RandomFeatureModel:
    r"""Linear regression on random features of data whose spectrum is a power law.

    Latent data are Gaussian in ``latent`` dimensions, with variances :math:`\lambda_I = I^{-(1+\alpha)}`. The
    target is a linear function of them with weights of variance one, without noise. The student sees N random linear
    combinations of the latent variables, Gaussian with variance 1/N, and fits T samples by least squares with a
    ridge :math:`\delta`. The loss is the mean squared error on new data.

    With :math:`d_1(\kappa) = \sum_I \lambda_I/(\lambda_I+\kappa)` and
    :math:`d_2(\kappa) = \sum_I [\lambda_I/(\lambda_I+\kappa)]^2`, :math:`\kappa` solves

    .. math:: \delta = \kappa\,(T - d_1)\left(1 - \frac{d_1}{N}\right)

    and the loss of large models on large samples is

    .. math::

        L = \frac{\kappa\,(d_1 - \rho\,d_2)}{1 - [(1-\rho)\,d_1 + \rho\,d_2]/T}, \qquad
        \rho = \frac{N - d_1}{N - d_2}.

    Parameters
    ----------
    alpha : float
        Positive: the spectrum's exponent less one, and the exponent of the loss.
    latent : int
        M, the number of latent dimensions; N or T must lie below it.

    Raises
    ------
    ValueError
        If ``alpha`` is not positive and finite, or ``latent`` is no whole number from 2.

    References
    ----------
    Maloney, Roberts & Sully 2022 (arXiv:2210.16859); the formulas were derived anew and checked by simulation.
    """

    alpha: float
    latent: int = 2_000_000

    def __post_init__(self) -> None:
        positive_finite(alpha=self.alpha)
        whole_number("latent", self.latent, 2)

    def spectrum(self, index: ArrayLike) -> np.ndarray | float:
        r"""Compute the variance of a latent variable.

        Parameters
        ----------
        index : float or array
            I, from 1 to ``latent``.

        Returns
        -------
        float or array
            :math:`\lambda_I`, of the shape of ``index``.

        Raises
        ------
        ValueError
            If an index lies outside.
        """
        (place,) = positive(index=index)
        if (place < 1).any() or (place > self.latent).any():
            raise ValueError(f"index must lie between 1 and {self.latent}, got {place.min():g} to {place.max():g}")
        return (place ** -(1 + self.alpha))[()]

    @cached_property
    def _quadrature(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and weights that stand for the sum over the spectrum (Euler and Maclaurin's midpoint rule)."""
        first = np.arange(1, min(ONE_BY_ONE, self.latent) + 1)
        place, weight = first.astype(float), np.ones(len(first))
        if self.latent > ONE_BY_ONE:
            x, w = np.polynomial.legendre.leggauss(NODES)
            low, high = np.log(ONE_BY_ONE + 0.5), np.log(self.latent + 0.5)
            u = low + (high - low) * (x + 1) / 2
            # the integral, less 1/24 of the slope's rise from one end to the other
            ends = np.array([ONE_BY_ONE, ONE_BY_ONE + 1, self.latent, self.latent + 1.0])
            place = np.concatenate([place, np.exp(u), ends])
            weight = np.concatenate([weight, w * (high - low) / 2 * np.exp(u), np.array([-1, 1, 1, -1]) / 24])
        return place ** -(1 + self.alpha), weight

    def _dimensions(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """d1 and d2 at kappa = exp(u), an array (n,)."""
        eigenvalues, weights = self._quadrature
        share = eigenvalues / (eigenvalues + np.exp(u)[:, None])
        return share @ weights, (share * share) @ weights

    def dimensions(self, kappa: ArrayLike) -> tuple[np.ndarray | float, np.ndarray | float]:
        r"""Compute the effective dimensions :math:`d_1` and :math:`d_2`.

        Parameters
        ----------
        kappa : float or array
            Where, positive.

        Returns
        -------
        tuple of float or array
            :math:`d_1` and :math:`d_2`, each of the shape of ``kappa``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (value,) = positive(kappa=kappa)
        d1, d2 = self._dimensions(np.log(value.ravel()))
        return d1.reshape(value.shape)[()], d2.reshape(value.shape)[()]

    def fixed_point(self, params: ArrayLike, samples: ArrayLike, ridge: ArrayLike = 0.0) -> np.ndarray | float:
        r"""Find :math:`\kappa`, a bracketed root of a monotone function.

        Without a ridge, :math:`d_1(\kappa) = \min(N, T)`.

        Parameters
        ----------
        params, samples : float or array
            N and T, positive; one of them below ``latent``.
        ridge : float or array
            :math:`\delta`, at least 0.

        Returns
        -------
        float or array
            :math:`\kappa`, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not positive (the ridge: is negative), or neither N nor T lies below ``latent``.
        """
        N, T, delta = self._arguments(params, samples, ridge)
        return np.exp(self._log_kappa(N.ravel(), T.ravel(), delta.ravel())).reshape(N.shape)[()]

    def _arguments(self, params: ArrayLike, samples: ArrayLike, ridge: ArrayLike) -> list[np.ndarray]:
        N, T = positive(params=params, samples=samples)
        N, T, delta = np.broadcast_arrays(N, T, _ridge(ridge))
        least = np.minimum(N, T)
        if (least >= self.latent).any():
            raise ValueError(f"params or samples must stay below latent = {self.latent}, got {least.max():g} of both")
        return [N, T, delta]

    def _log_kappa(self, N: np.ndarray, T: np.ndarray, delta: np.ndarray) -> np.ndarray:
        bare = self._ridgeless(np.minimum(N, T))
        ridged = delta > 0
        if not ridged.any():
            return bare
        n, t, target, low = N[ridged], T[ridged], np.log(delta[ridged]), bare[ridged]

        def excess(u: np.ndarray, n: np.ndarray, t: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            d1, d2 = self._dimensions(u)
            left, room = np.maximum(t - d1, 1e-300), np.maximum(1 - d1 / n, 1e-300)
            return u + np.log(left) + np.log(room) - target, 1 + (d1 - d2) * (1 / left + 1 / (n * room))

        high = np.maximum(low, target - np.log(t)) + 1
        while (short := excess(high, n, t, target)[0] < 0).any():
            high = np.where(short, high + 2, high)
        u = bare.copy()
        u[ridged] = newton_bracketed(excess, (low + high) / 2, low, high, (n, t, target), EXACT)
        return u

    def _ridgeless(self, m: np.ndarray) -> np.ndarray:
        """ln kappa with d1 = m; the dimension falls from ``latent`` to 0 as kappa grows."""

        def excess(u: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            d1, d2 = self._dimensions(u)
            return np.log(m / d1), (d1 - d2) / d1

        # d1 < sum(lambda)/kappa bounds kappa above; d1 > latent / (1 + kappa / lambda_min), below
        eigenvalues, weights = self._quadrature
        high = np.log(eigenvalues @ weights / m) + 1e-9
        low = np.log((self.latent / m - 1) * float(self.latent) ** -(1 + self.alpha)) - 1e-9
        return newton_bracketed(excess, (low + high) / 2, low, high, (m,), EXACT)

    def _loss(self, u: np.ndarray, N: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The loss where kappa = exp(u)."""
        d1, d2 = self._dimensions(u)
        rho = 1 - (d1 - d2) / (N - d2)  # (N - d1) / (N - d2), for infinite N too
        return np.exp(u) * (d1 - rho * d2) / (1 - ((1 - rho) * d1 + rho * d2) / T)

    def loss(self, params: ArrayLike, samples: ArrayLike, ridge: ArrayLike | None = None) -> np.ndarray | float:
        r"""Compute the mean squared error of N features fitted to T samples with a ridge.

        Without a ridge it is :math:`\kappa m/(1 - m/\max(N, T))`, :math:`m = \min(N, T)`: symmetric in N and T, and
        infinite where they are equal.

        Parameters
        ----------
        params, samples : float or array
            N and T, positive; one of them below ``latent``.
        ridge : float or array, optional
            :math:`\delta`, at least 0; by default the best.

        Returns
        -------
        float or array
            Mean squared error on new data, of the broadcast shape.

        Raises
        ------
        ValueError
            As of :meth:`fixed_point`.
        """
        if ridge is None:
            return self.best_ridge(params, samples)[1]
        N, T, delta = self._arguments(params, samples, ridge)
        n, t = N.ravel(), T.ravel()
        u = self._log_kappa(n, t, delta.ravel())
        least, most = np.minimum(n, t), np.maximum(n, t)
        with np.errstate(divide="ignore", invalid="ignore"):
            bare = np.exp(u) * least / (1 - least / most)
            loss = np.where(delta.ravel() > 0, self._loss(u, n, t), bare)
        return loss.reshape(N.shape)[()]

    def best_ridge(self, params: ArrayLike, samples: ArrayLike) -> tuple[np.ndarray | float, np.ndarray | float]:
        """Find the ridge with the least loss.

        Parameters
        ----------
        params, samples : float or array
            N and T, positive; one of them below ``latent``.

        Returns
        -------
        tuple of float or array
            The ridge and the loss, each of the broadcast shape.

        Raises
        ------
        ValueError
            As of :meth:`fixed_point`.
        """
        N, T, _ = self._arguments(params, samples, 0.0)
        n, t = N.ravel(), T.ravel()
        low = self._ridgeless(np.minimum(n, t))
        u = lowest(self._loss, low, low + WIDEST, (n, t))
        d1, _ = self._dimensions(u)
        ridge = np.exp(u) * (t - d1) * (1 - d1 / n)
        return ridge.reshape(N.shape)[()], self._loss(u, n, t).reshape(N.shape)[()]

    def local_exponent(self, params: ArrayLike) -> np.ndarray | float:
        r"""Compute the slope of ln loss against ln N on endless samples.

        It is :math:`-d_2/(d_1 - d_2)` at :math:`d_1(\kappa) = N`;
        it tends to :math:`-\alpha` for :math:`1 \ll N \ll M`.

        Parameters
        ----------
        params : float or array
            N, positive and below ``latent``.

        Returns
        -------
        float or array
            The slope, negative, of the shape of ``params``.

        Raises
        ------
        ValueError
            As of :meth:`fixed_point`.
        """
        d1, d2 = self.dimensions(self.fixed_point(params, np.inf))
        return -d2 / (d1 - d2)

    @property
    def asymptote(self) -> PowerLaw:
        r"""The loss in min(N, T) when the other is far larger and the latent dimension larger still.

        .. math:: \left[\frac{\pi/(1+\alpha)}{\sin(\pi/(1+\alpha))}\right]^{1+\alpha} m^{-\alpha}
        """
        angle = np.pi / (1 + self.alpha)
        return PowerLaw(float((angle / np.sin(angle)) ** (1 + self.alpha)), -self.alpha)


def simulate_random_features(
    model: RandomFeatureModel,
    params: ArrayLike,
    samples: ArrayLike,
    ridge: ArrayLike | None = 0.0,
    repeats: int = 4,
    teachers: int = 8,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw data, features and targets, train, and measure the loss: no approximation but the average over draws.

    One singular value decomposition of the features gives the student for every ridge; the loss on new data is
    computed from its weights, without sampling.

    Parameters
    ----------
    model : RandomFeatureModel
        Its ``latent`` times ``samples`` numbers are held in memory.
    params, samples : array (n,)
        N and T, at least 1 and finite, rounded to whole numbers and broadcast against each other.
    ridge : array or None, default 0
        Each is tried on every pair (N, T) and the same draws. With 0, the solution of least norm; with None,
        the ridge that theory calls best for the pair.
    repeats : int, default 4
        Draws of data and features, at least 2.
    teachers : int, default 8
        Targets fitted to each draw and averaged.
    seed : int
        Same seed, same draws.

    Returns
    -------
    DataFrame
        ``params``, ``samples``, ``ridge``, ``loss`` and its standard error over the draws, ``loss_se``.

    Raises
    ------
    ValueError
        Naming the argument and its value.
    """
    counts = within("at least 1 and finite", lambda x: (x >= 1) & np.isfinite(x), params=params, samples=samples)
    sizes = [np.round(array.ravel()) for array in np.broadcast_arrays(*counts)]
    every = np.atleast_2d(model.best_ridge(*sizes)[0]).T if ridge is None else np.ravel(_ridge(ridge))[None]
    repeats, teachers = whole_number("repeats", repeats, 2), whole_number("teachers", teachers)
    rng = generator(seed)
    scale = np.sqrt(model.spectrum(np.arange(1, model.latent + 1)))
    rows: list[tuple[float, ...]] = []
    for N, T, deltas in zip(*sizes, np.broadcast_to(every, (len(sizes[0]), every.shape[1])), strict=True):
        losses = np.array([_train(scale, round(N), round(T), deltas, teachers, rng) for _ in range(repeats)])
        errors = losses.std(0, ddof=1) / np.sqrt(repeats)
        rows += zip([N] * len(deltas), [T] * len(deltas), deltas, losses.mean(0), errors, strict=True)
    return pd.DataFrame(rows, columns=["params", "samples", "ridge", "loss", "loss_se"])


def _train(
    scale: np.ndarray, N: int, T: int, deltas: np.ndarray, teachers: int, rng: np.random.Generator
) -> np.ndarray:
    """The loss for each ridge, averaged over teachers, on one draw of data and features."""
    latent = rng.standard_normal((T, len(scale))) * scale
    features = rng.standard_normal((len(scale), N)) / np.sqrt(N)
    teacher = rng.standard_normal((len(scale), teachers))
    left, singular, right = np.linalg.svd(latent @ features, full_matrices=False)
    seen = left.T @ (latent @ teacher)
    losses = []
    for delta in deltas:
        student = right.T @ (seen * (singular / (singular**2 + delta))[:, None])
        losses.append(np.mean(np.sum((scale[:, None] * (teacher - features @ student)) ** 2, axis=0)))
    return np.array(losses)


def _ridge(ridge: ArrayLike) -> np.ndarray:
    return within("finite and at least 0", lambda x: (x >= 0) & np.isfinite(x), ridge=ridge)[0]

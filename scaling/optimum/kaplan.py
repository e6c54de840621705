"""Training as Kaplan et al. 2020 (arXiv:2001.08361) model it: steps, batch size, and the best use of compute.

Letters and units as in the module kaplan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .._roots import find_root
from ..laws.base import Law, only
from ..laws.kaplan import CriticalBatch, KaplanStepsLaw, kaplan_curve, kaplan_number
from ..laws.power import PowerLaw
from .allocation import Allocation

__all__ = ["KaplanFrontier", "KaplanTraining"]


@dataclass(frozen=True, repr=False)
class KaplanFrontier(Law):
    """The best use of a budget C_min as power laws of it: Table 6, or what Appendix B makes of the laws.

    Each is a power law of C_min in FLOPs.

    Parameters
    ----------
    params : PowerLaw
        Parameters without embeddings.
    batch : PowerLaw
        The critical batch, tokens.
    steps : PowerLaw
        S_min.
    tokens : PowerLaw
        At the critical batch, where 2 S_min steps are taken.
    loss : PowerLaw
        Nats/token.

    References
    ----------
    Kaplan et al. 2020 (arXiv:2001.08361), Table 6 and Appendix B.
    """

    params: PowerLaw
    batch: PowerLaw
    steps: PowerLaw
    tokens: PowerLaw
    loss: PowerLaw

    equation: ClassVar[str] = "each of N, B, S_min, D and L is k * C_min**p"
    columns: ClassVar[tuple[str, ...]] = ("flops",)

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the best size at a budget.

        Parameters
        ----------
        *columns : float or array
            C_min alone, FLOPs, positive.

        Returns
        -------
        float or array
            Parameters without embeddings, of the shape of the budget.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        return self.params(*columns)

    @classmethod
    def from_published(cls, name: str = "kaplan2020") -> KaplanFrontier:
        """Read the empirical trends of the paper's Table 6, with the loss of equation 1.3.

        Parameters
        ----------
        name : {"kaplan2020"}
            The one set there is.

        Returns
        -------
        KaplanFrontier
            In FLOPs, where the paper has PF-days.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "kaplan2020")
        rows = {"params": ("N", "a"), "batch": ("B", "batch"), "steps": ("S", "steps"), "tokens": ("D", "b")}
        day, trends = kaplan_number("flops/pf_day"), {}
        for name, (letter, exponent) in rows.items():
            power = kaplan_number(f"allocation/{exponent}")
            trends[name] = PowerLaw(kaplan_number(f"allocation/coefficient_{letter}") * day**-power, power)
        return cls(**trends, loss=kaplan_curve("min_flops"))


@dataclass(frozen=True, repr=False)
class KaplanTraining(Law):
    r"""Training as the paper models it: L(N, S_min) with the critical batch size (section 6, Appendix B).

    Parameters
    ----------
    curve : KaplanStepsLaw
        The loss of a size after S_min steps.
    batch : CriticalBatch
        The critical batch at a loss.

    Raises
    ------
    ValueError
        If a constant of either is not positive.

    Notes
    -----
    At a loss L and any batch size the compute is :math:`C = 6N\,(B + B_{crit}(L))\,S_{min}(N, L)`. Only the product
    of N and S_min depends on N, so that the best size for a loss is the same at all batch sizes:
    :math:`L = (1 + \alpha_N/\alpha_S)\,(N_c/N)^{\alpha_N}` (equation B.4).

    References
    ----------
    Kaplan et al. 2020 (arXiv:2001.08361), section 6 and Appendix B.
    """

    curve: KaplanStepsLaw
    batch: CriticalBatch

    equation: ClassVar[str] = "L(N, S_min) with S_min = S / (1 + B_crit(L) / B)"
    columns: ClassVar[tuple[str, ...]] = ("params", "steps", "batch")

    def __post_init__(self) -> None:
        positive(**self.curve.constants, **self.batch.constants)

    @classmethod
    def from_published(cls, name: str = "kaplan2020") -> KaplanTraining:
        """Read the constants of Table 3 and of equation 5.3.

        Parameters
        ----------
        name : {"kaplan2020"}
            The one set there is.

        Returns
        -------
        KaplanTraining
            With these constants.

        Raises
        ------
        ValueError
            For any other name.
        """
        only(name, "kaplan2020")
        return cls(KaplanStepsLaw.from_published(), CriticalBatch.from_published())

    @property
    def excess_loss(self) -> float | np.ndarray:
        r"""Share by which the best stopping point lies above convergence, :math:`\alpha_N/\alpha_S`."""
        return self.curve.alpha_N / self.curve.alpha_S

    def stopping_loss(self, params: ArrayLike) -> np.ndarray | float:
        r"""Compute the loss for which a size is the best, :math:`(1 + \alpha_N/\alpha_S)\,(N_c/N)^{\alpha_N}`.

        It is so at any batch size.

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.

        Returns
        -------
        float or array
            Nats/token, of the shape of ``params``.

        Raises
        ------
        ValueError
            If the argument is not a positive number.
        """
        (N,) = positive(params=params)
        return ((1 + self.excess_loss) * (self.curve.N_c / N) ** self.curve.alpha_N)[()]

    def loss(self, params: ArrayLike, steps: ArrayLike, batch: ArrayLike) -> np.ndarray | float:
        """Solve L = L(N, S / (1 + B_crit(L)/B)) for the loss.

        A bracketed root between the loss of ``steps`` at an endless batch and that with the critical batch of
        the converged model, in the logarithm of what is above convergence.

        Parameters
        ----------
        params : float or array
            Parameters without embeddings, positive.
        steps : float or array
            S, the steps taken, positive.
        batch : float or array
            B, tokens a step, positive.

        Returns
        -------
        float or array
            Loss in nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        N, S, B = np.broadcast_arrays(*positive(params=params, steps=steps, batch=batch))
        law, floor = self.curve, (self.curve.N_c / N) ** self.curve.alpha_N
        low = law.alpha_S * np.log(law.S_c / S)
        high = low + law.alpha_S * np.log1p(self.batch(floor) / B)

        def excess(u: np.ndarray, floor: np.ndarray, S: np.ndarray, B: np.ndarray) -> np.ndarray:
            """ln of the steps there are over those that a loss takes; below zero the loss is higher."""
            needed = np.log(law.S_c) - u / law.alpha_S + np.log1p(self.batch(floor + np.exp(u)) / B)
            return np.log(S) - needed

        u = find_root(excess, (low - 1e-9, high + 1e-9), (floor, S, B)).x
        return (floor + np.exp(u))[()]

    def optimal(self, loss: ArrayLike, batch: ArrayLike) -> Allocation:
        """Find the cheapest way to a loss at a batch: size, tokens and raw compute.

        Parameters
        ----------
        loss : float or array
            Nats/token, positive.
        batch : float or array
            B, tokens a step, positive.

        Returns
        -------
        Allocation
            ``params`` (without embeddings), ``tokens`` = B S, ``flops`` = 6 N B S.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        L, B = np.broadcast_arrays(*positive(loss=loss, batch=batch))
        r, law = self.excess_loss, self.curve
        N = law.N_c * ((1 + r) / L) ** (1 / law.alpha_N)
        least = law.S_c * ((1 + r) / (r * L)) ** (1 / law.alpha_S)
        tokens = least * (B + self.batch(L))
        return Allocation(*(np.array(x)[()] for x in (N, tokens, 6 * N * tokens, L)))

    def size_exponent(self, loss: ArrayLike, batch: ArrayLike) -> np.ndarray | float:
        r"""Compute d ln N / d ln C along the cheapest runs at a fixed ``batch``, C the raw compute.

        .. math:: \frac{d\ln N}{d\ln C} = \frac{1/\alpha_N}{1/\alpha_N + 1/\alpha_S + (1/\alpha_B)\,
                  B_{crit}(L)/(B + B_{crit}(L))}

        From :math:`\alpha_C/\alpha_N` far below the critical batch, as against C_min, to
        :math:`\alpha_S/(\alpha_N + \alpha_S)` far above it. Ours; the paper reads such exponents off its figures.

        Parameters
        ----------
        loss : float or array
            Nats/token, positive.
        batch : float or array
            B, tokens a step, positive.

        Returns
        -------
        float or array
            The exponent, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        L, B = positive(loss=loss, batch=batch)
        critical = self.batch(L)
        moving = critical / (B + critical) / self.batch.alpha_B
        return (1 / (1 + self.curve.alpha_N * (1 / self.curve.alpha_S + moving)))[()]

    def frontier(self) -> KaplanFrontier:
        r"""Derive the best use of C_min in closed form (Appendix B).

        .. math:: L = (C_c/C_{min})^{\alpha_C}, \quad \frac1{\alpha_C} = \frac1{\alpha_S} + \frac1{\alpha_B}
                  + \frac1{\alpha_N}, \quad C_c = 6 N_c B_* S_c\,(1 + r)^{1/\alpha_S + 1/\alpha_N}\,r^{-1/\alpha_S}

        with :math:`r = \alpha_N/\alpha_S`; the size, the batch and the steps that belong to that loss follow.

        Returns
        -------
        KaplanFrontier
            Power laws of C_min in FLOPs.
        """
        law, r = self.curve, self.excess_loss
        alpha = 1 / (1 / law.alpha_S + 1 / self.batch.alpha_B + 1 / law.alpha_N)
        log_scale = np.log(6 * law.N_c * self.batch.B_star * law.S_c)
        log_scale += (1 / law.alpha_S + 1 / law.alpha_N) * np.log1p(r) - np.log(r) / law.alpha_S

        def along(scale: float | np.ndarray, own: float | np.ndarray) -> PowerLaw:
            """scale * L**(-1/own) as a power law of C_min."""
            return PowerLaw(scale * np.exp(-log_scale * alpha / own), alpha / own)

        params = along(law.N_c * (1 + r) ** (1 / law.alpha_N), law.alpha_N)
        batch = along(self.batch.B_star, self.batch.alpha_B)
        steps = along(law.S_c * ((1 + r) / r) ** (1 / law.alpha_S), law.alpha_S)
        tokens = PowerLaw(2 * batch.coefficient * steps.coefficient, batch.exponent + steps.exponent)
        return KaplanFrontier(params, batch, steps, tokens, PowerLaw(np.exp(alpha * log_scale), -alpha))

    def excess_flops(self, size_ratio: ArrayLike) -> np.ndarray | float:
        r"""Compute what the same loss costs at another than the best size, over the cost at the best (Appendix B).

        .. math:: \frac{C(N)}{C(N_{eff})} = \frac{N}{N_{eff}} \left[1 + \frac{\alpha_S}{\alpha_N}
                  \left(1 - \left(\frac{N_{eff}}{N}\right)^{\alpha_N}\right)\right]^{-1/\alpha_S}

        Parameters
        ----------
        size_ratio : float or array
            N / N_eff, positive.

        Returns
        -------
        float or array
            The ratio of compute, of the shape of ``size_ratio``.

        Raises
        ------
        ValueError
            For a ratio at which even endless training does not reach the loss, or that is not positive.
        """
        (k,) = positive(size_ratio=size_ratio)
        smallest = (1 + self.excess_loss) ** (-1 / self.curve.alpha_N)
        if np.any(k <= smallest):
            raise ValueError(
                f"size_ratio must be larger than {smallest:.4g}, got {k.min():g}: a smaller model never has that loss"
            )
        left = 1 + (1 - k**-self.curve.alpha_N) / self.excess_loss
        return (k * left ** (-1 / self.curve.alpha_S))[()]

    def stopping_early(self, excess: ArrayLike, than: ArrayLike) -> dict[str, np.ndarray | float]:
        r"""Compare size, steps and compute of two ways to one loss, stopped at shares above convergence.

        .. math:: \frac{N}{N'} = \left(\frac{1 + f}{1 + f'}\right)^{1/\alpha_N}, \qquad
                  \frac{S}{S'} = \left(\frac{1 + 1/f}{1 + 1/f'}\right)^{1/\alpha_S}

        Parameters
        ----------
        excess, than : float or array
            f of the one and f' of the other: the loss is (1 + f) times that of the converged model.

        Returns
        -------
        dict
            ``params``, ``steps`` and ``flops`` (their product, at one batch size), each the one over the other.

        Raises
        ------
        ValueError
            For shares that are not positive.
        """
        f, other = positive(excess=excess, than=than)
        params = ((1 + f) / (1 + other)) ** (1 / self.curve.alpha_N)
        steps = ((1 + 1 / f) / (1 + 1 / other)) ** (1 / self.curve.alpha_S)
        return {"params": params[()], "steps": steps[()], "flops": (params * steps)[()]}

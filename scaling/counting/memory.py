"""Memory that training and serving a model take up, by what is kept of each parameter."""

from __future__ import annotations

from .._checks import at_least_zero
from .transformer import Architecture, count_params

__all__ = ["training_memory"]


def training_memory(
    arch: Architecture,
    convention: str = "as built",
    *,
    weights: float = 2.0,
    gradients: float = 2.0,
    optimiser: float = 12.0,
) -> dict[str, float]:
    r"""Count the bytes that are kept of a model while it is trained, one copy of it.

    .. math:: M = N\,(m_w + m_g + m_o)

    N are all parameters, of several experts all of them: those that a token does not meet are kept as well. What
    grows with the batch, the activations, is not counted.

    Parameters
    ----------
    arch : Architecture
        The shape of the model.
    convention : {"chinchilla", "kaplan", "as built"}
        How N is counted, as in :func:`~scaling.counting.params_by_part`.
    weights, gradients, optimiser : float
        Bytes a parameter. By default weights and gradients in 16 bits; and, for Adam, two moments and a copy of the
        weights in 32 bits. A model that is only served keeps its weights.

    Returns
    -------
    dict
        ``weights``, ``gradients`` and ``optimiser``: bytes.

    Raises
    ------
    ValueError
        For bytes below zero, and for an unknown convention.

    Examples
    --------
    >>> round(sum(training_memory(Architecture.from_published("Mixtral-8x7B")).values()) / 1e9)
    747
    """
    kept = dict(weights=weights, gradients=gradients, optimiser=optimiser)
    N = count_params(arch, convention)
    return {part: N * at_least_zero(part, each) for part, each in kept.items()}

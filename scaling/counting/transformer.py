"""Counting parameters and FLOPs of a decoder-only transformer, every convention by its name.

Symbols: ``n`` layers, ``d`` width (``d_model``), ``q`` attention width (heads times ``d_head``), ``f``
feed-forward width, ``V`` vocabulary, ``S`` sequence length. One multiply-add is 2 FLOPs; a backward
pass costs two forward passes, so training costs three.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from .._checks import positive_finite
from ..sources.files import data_file
from ..sources.numbers import published

__all__ = [
    "Architecture",
    "architectures",
    "count_params",
    "flops_by_part",
    "forward_flops",
    "params_by_part",
    "training_flops",
]


PARAM_CONVENTIONS = ("chinchilla", "kaplan")
FLOP_CONVENTIONS = ("6ND", "kaplan", "chinchilla")


@dataclass(frozen=True)
class Architecture:
    """The shape of a decoder-only transformer.

    Parameters
    ----------
    d_model : int
        Width of the residual stream, d.
    n_layers : int
        Number of layers, n.
    n_heads : int
        Attention heads a layer.
    d_head : int
        Key and value size of one head.
    d_ff : int
        Width of the feed-forward layer, f.
    vocab : int
        Number of tokens in the vocabulary, V.
    n_ctx : int
        Sequence length in tokens, S.

    Raises
    ------
    ValueError
        If one of them is not a positive whole number; the message names it and its value.

    Examples
    --------
    >>> smallest = Architecture(d_model=8, n_layers=1, n_heads=1, d_head=8, d_ff=32, vocab=50257, n_ctx=1024)
    >>> count_params(smallest, "kaplan", embeddings=False)
    768
    """

    d_model: int
    n_layers: int
    n_heads: int
    d_head: int
    d_ff: int
    vocab: int
    n_ctx: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not value > 0 or value % 1:
                raise ValueError(f"{field.name} must be a positive whole number, got {value!r}")
            object.__setattr__(self, field.name, int(value))

    @property
    def d_attn(self) -> int:
        """Attention width q: heads times the size of one."""
        return self.n_heads * self.d_head

    @classmethod
    def from_row(cls, row: pd.Series, vocab: int | None = None, n_ctx: int | None = None) -> Architecture:
        """The architecture of one row of :func:`~scaling.counting.architectures`.

        ``vocab`` and ``n_ctx`` are not in the table; by default those of the paper, 32,000 and 2,048.
        """
        return cls(
            d_model=row["d_model"],
            n_layers=row["layers"],
            n_heads=row["heads"],
            d_head=row["kv"],
            d_ff=row["ffw"],
            vocab=int(float(published("hoffmann2022/model/vocab"))) if vocab is None else vocab,
            n_ctx=int(float(published("hoffmann2022/model/n_ctx"))) if n_ctx is None else n_ctx,
        )


def architectures() -> pd.DataFrame:
    """The 50 architectures of Hoffmann et al. 2022, Table A9.

    Returns
    -------
    DataFrame
        Index ``model``, the printed size (``"44M"`` to ``"16183M"``); columns ``params_millions`` as
        printed, ``d_model``, ``ffw``, ``kv``, ``heads``, ``layers``. Give a row to
        :meth:`~scaling.counting.Architecture.from_row`.

    Examples
    --------
    >>> count_params(Architecture.from_row(architectures().loc["16183M"]))
    16183490560
    """
    table = pd.read_csv(data_file("architectures.csv"))
    ids = table.pop("id")
    table.insert(0, "params_millions", [float(published(id)) for id in ids])
    return table.set_index(pd.Index([id.rsplit("/", 1)[-1] for id in ids], name="model"))


def _known(convention: str, conventions: tuple[str, ...]) -> None:
    if convention not in conventions:
        raise ValueError(f"no convention {convention!r}; known: {', '.join(conventions)}")


def params_by_part(arch: Architecture, convention: str = "chinchilla") -> dict[str, int]:
    r"""Parameters of each part of the model, all layers together.

    Parameters
    ----------
    arch : Architecture
    convention : {"chinchilla", "kaplan"}
        ``kaplan``: weights only, :math:`4 n d q` in attention and :math:`2 n d f` in the feed-forward
        layers (Kaplan et al. 2020, equation 2.1), learned positions :math:`S d`.
        ``chinchilla``: with biases and the gains of the norms, relative positions
        :math:`n (dq + 2q)`, and one matrix for embedding and logits.

    Returns
    -------
    dict
        ``feed_forward``, ``attention``, ``positions``, ``norms``, ``embedding``: parameter counts.
        Learned absolute positions belong to the embedding.

    Raises
    ------
    ValueError
        For an unknown convention.
    """
    _known(convention, PARAM_CONVENTIONS)
    n, d, q, f = arch.n_layers, arch.d_model, arch.d_attn, arch.d_ff
    if convention == "kaplan":
        embedding = (arch.vocab + arch.n_ctx) * d
        return dict(feed_forward=2 * n * d * f, attention=4 * n * d * q, positions=0, norms=0, embedding=embedding)
    return dict(
        feed_forward=n * (d * f + f + f * d),
        attention=n * (3 * d * q + 3 * q + q * d),
        positions=n * (d * q + 2 * q),
        norms=n * 2 * d + d,
        embedding=arch.vocab * d,
    )


def count_params(arch: Architecture, convention: str = "chinchilla", embeddings: bool = True) -> int:
    r"""Number of parameters, N.

    .. math::

        N_{kaplan} &= 2dn(2q + f) \,[+(V + S)d] \\
        N_{chinchilla} &= n[(4dq + 3q) + (dq + 2q) \\
                       &+ (2df + f) + 2d] + d \,[+Vd]

    The last brackets are the embeddings. With q = d and f = 4d the first is :math:`12 n d^2`. Hoffmann
    et al. 2022 state no formula; the second gives all 50 sizes of their Table A9 to the printed digit,
    which pins the sum of the vectors of length d, not what each of them is for.

    Parameters
    ----------
    arch : Architecture
    convention : {"chinchilla", "kaplan"}
    embeddings : bool, default True
        Whether the embeddings are counted.

    Returns
    -------
    int
        Parameters.

    Raises
    ------
    ValueError
        For an unknown convention.
    """
    parts = params_by_part(arch, convention)
    return sum(count for part, count in parts.items() if embeddings or part != "embedding")


def flops_by_part(arch: Architecture) -> dict[str, int]:
    r"""Forward FLOPs a token of each part, all layers together (Hoffmann et al. 2022, Appendix F).

    The appendix counts a sequence; here everything is divided by its length S, so that sums over
    keys become terms in S. ``attention`` are its weight matrices, :math:`n(6dq + 2qd)`; ``context`` is
    what it does with other tokens, :math:`n(2Sq + 3S\,\mathrm{heads} + 2Sq)`: scores, softmax,
    weighted sum; ``feed_forward`` :math:`4ndf`; ``embedding`` and ``logits`` :math:`2Vd` each, the
    embedding as if it were a matrix product.

    Returns
    -------
    dict
        Part to FLOPs a token.
    """
    n, d, q, S = arch.n_layers, arch.d_model, arch.d_attn, arch.n_ctx
    return dict(
        feed_forward=n * 4 * d * arch.d_ff,
        attention=n * (6 * d * q + 2 * q * d),
        context=n * (4 * S * q + 3 * arch.n_heads * S),
        embedding=2 * arch.vocab * d,
        logits=2 * arch.vocab * d,
    )


def forward_flops(arch: Architecture, convention: str = "6ND", embeddings: bool | None = None) -> int:
    r"""FLOPs of a forward pass, a token.

    Parameters
    ----------
    arch : Architecture
    convention : {"6ND", "kaplan", "chinchilla"}
        ``6ND``: :math:`2N` with N by :func:`~scaling.counting.count_params`. ``kaplan``: :math:`2N + 2 n S q` with
        Kaplan's N (Kaplan et al. 2020, Table 1; its equation 2.2 prints d for q). ``chinchilla``: the
        sum of :func:`~scaling.counting.flops_by_part`.
    embeddings : bool, optional
        Whether embedding and logits are counted. Default: as the convention's paper says, which is
        yes for ``6ND`` and ``chinchilla`` and no for ``kaplan``, where yes is not defined. Table A4 of
        Hoffmann et al. is reproduced only with ``embeddings=False``.

    Returns
    -------
    int
        FLOPs a token.

    Raises
    ------
    ValueError
        For an unknown convention, and for ``kaplan`` with embeddings.
    """
    _known(convention, FLOP_CONVENTIONS)
    if convention == "kaplan":
        if embeddings:
            raise ValueError("the kaplan convention counts no embeddings: leave embeddings out or choose another")
        return 2 * count_params(arch, "kaplan", embeddings=False) + 2 * arch.n_layers * arch.n_ctx * arch.d_attn
    counted = embeddings is None or embeddings
    if convention == "6ND":
        return 2 * count_params(arch, embeddings=counted)
    parts = flops_by_part(arch)
    return sum(flops for part, flops in parts.items() if counted or part not in ("embedding", "logits"))


def training_flops(
    arch_or_params: Architecture | ArrayLike,
    tokens: ArrayLike,
    convention: str = "6ND",
    embeddings: bool | None = None,
) -> Any:
    r"""Training FLOPs, C: three times the forward FLOPs, times the tokens.

    .. math::

        C &= 6 N D \quad\text{or} \\
        C &= 3\,D \cdot (\text{forward FLOPs a token})

    Parameters
    ----------
    arch_or_params : Architecture or array
        A shape, or parameter counts N (then only ``6ND`` has a meaning).
    tokens : array
        Training tokens D; broadcasts against N.
    convention, embeddings
        As in :func:`~scaling.counting.forward_flops`.

    Returns
    -------
    float or array
        FLOPs.

    Raises
    ------
    ValueError
        For an argument that is not positive (the message names it and a value), and for a convention
        that needs the shape when only N is given.

    Examples
    --------
    >>> float(training_flops(70e9, 1.4e12))
    5.88e+23
    """
    (D,) = positive_finite(tokens=tokens)
    if isinstance(arch_or_params, Architecture):
        return (3.0 * forward_flops(arch_or_params, convention, embeddings) * D)[()]
    _known(convention, FLOP_CONVENTIONS)
    if convention != "6ND" or embeddings is not None:
        raise ValueError("with a parameter count only the 6ND convention is defined; give an Architecture for others")
    (N,) = positive_finite(params=arch_or_params)
    return (6.0 * N * D)[()]

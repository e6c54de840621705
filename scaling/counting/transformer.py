"""Counting parameters and FLOPs of a decoder-only transformer, every convention by its name.

Symbols: ``n`` layers, ``d`` width (``d_model``), ``q`` attention width (heads times ``d_head``), ``g`` that of keys and
values, ``f`` feed-forward width, ``V`` vocabulary, ``S`` sequence length. One multiply-add is 2 FLOPs; a backward
pass costs two forward passes, so training costs three.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .._checks import positive_finite
from ..sources.files import data_file
from ..sources.numbers import published

__all__ = [
    "Architecture",
    "architectures",
    "configurations",
    "count_params",
    "flops_by_part",
    "forward_flops",
    "params_by_part",
    "training_flops",
]


PARAM_CONVENTIONS = ("chinchilla", "kaplan", "as built")
FLOP_CONVENTIONS = ("6ND", "kaplan", "chinchilla")
BIASES = ("none", "attention", "all")
#: fields of an architecture that are counts
WHOLE = (
    *("d_model", "n_layers", "n_heads", "d_head", "d_ff", "vocab", "n_ctx"),
    *("n_kv_heads", "n_experts", "active_experts"),
)


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
    n_kv_heads : int, optional
        Heads of keys and values, which groups of attention heads share (grouped-query attention). Default: all.
    gated : bool
        Whether the feed-forward layer has a third matrix, whose output multiplies that of the first.
    tied : bool
        Whether embedding and logits share one matrix.
    biases : {"none", "attention", "all"}
        Which matrices have a bias in the convention ``as built``: none, those of queries, keys and values, or all; with
        ``all`` the norms have one too.
    learned_positions : bool
        Whether each position of the sequence has a vector of its own, in the convention ``as built``.
    n_experts, active_experts : int
        Feed-forward layers side by side in each layer, and how many of them a token meets. With more than one expert
        there is a router, a matrix of d times the number of experts.

    Raises
    ------
    ValueError
        If a number is not a positive whole number, if heads cannot be shared out evenly, if more experts are active
        than there are, or for another word for ``biases``; the message names the argument and its value.

    Examples
    --------
    >>> smallest = Architecture(d_model=8, n_layers=1, n_heads=1, d_head=8, d_ff=32, vocab=50257, n_ctx=1024)
    >>> count_params(smallest, "kaplan", embeddings=False)
    768
    >>> count_params(Architecture.from_published("Llama-3-8B"), "as built")
    8030261248
    """

    d_model: int
    n_layers: int
    n_heads: int
    d_head: int
    d_ff: int
    vocab: int
    n_ctx: int
    n_kv_heads: int | None = None
    gated: bool = False
    tied: bool = True
    biases: str = "none"
    learned_positions: bool = False
    n_experts: int = 1
    active_experts: int = 1

    def __post_init__(self) -> None:
        if self.n_kv_heads is None:
            object.__setattr__(self, "n_kv_heads", self.n_heads)
        for name in WHOLE:
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not value > 0 or value % 1:
                raise ValueError(f"{name} must be a positive whole number, got {value!r}")
            object.__setattr__(self, name, int(value))
        for name in ("gated", "tied", "learned_positions"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise ValueError(f"{name} must be True or False, got {getattr(self, name)!r}")
            object.__setattr__(self, name, bool(getattr(self, name)))
        if self.d_attn % self.d_kv:
            raise ValueError(f"n_kv_heads must divide n_heads = {self.n_heads}, got {self.n_kv_heads}")
        if self.active_experts > self.n_experts:
            raise ValueError(f"active_experts must be at most n_experts = {self.n_experts}, got {self.active_experts}")
        if self.biases not in BIASES:
            raise ValueError(f"biases must be one of {', '.join(BIASES)}, got {self.biases!r}")

    @property
    def d_attn(self) -> int:
        """Attention width q: heads times the size of one."""
        return self.n_heads * self.d_head

    @property
    def d_kv(self) -> int:
        """Width g of the keys, and of the values: their heads times the size of one."""
        return (self.n_kv_heads or self.n_heads) * self.d_head

    @classmethod
    def from_published(cls, name: str) -> Architecture:
        """Take a model of :func:`~scaling.counting.configurations` by its name.

        Parameters
        ----------
        name : str
            A label of that table's index, such as ``"Llama-3-8B"``.

        Returns
        -------
        Architecture
            Its shape.

        Raises
        ------
        ValueError
            For a name that is not in the table.
        """
        table = configurations()
        if name not in table.index:
            raise ValueError(f"no configuration is called {name!r}; known: {', '.join(table.index)}")
        return cls(**table.loc[name, [field.name for field in fields(cls)]])

    @classmethod
    def from_row(cls, row: pd.Series, vocab: int | None = None, n_ctx: int | None = None) -> Architecture:
        """Make the architecture of one row of :func:`~scaling.counting.architectures`.

        Parameters
        ----------
        row : Series
            With ``d_model``, ``layers``, ``heads``, ``kv`` and ``ffw``.
        vocab, n_ctx : int, optional
            Not in the table; by default those of the paper, 32,000 and 2,048 tokens.

        Returns
        -------
        Architecture
            The shape.

        Raises
        ------
        KeyError
            If the row lacks one of the five.
        ValueError
            If a number is not a positive whole number.
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
    """Load the 50 architectures of Hoffmann et al. 2022, Table A9.

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


def configurations() -> pd.DataFrame:
    """Load the shapes of models that others published, as their configuration files state them.

    Returns
    -------
    DataFrame
        Index ``model``; the fields of :class:`~scaling.counting.Architecture`, and ``known``: how the shape is known.
        :meth:`~scaling.counting.Architecture.from_published` makes a row an architecture.
    """
    return pd.read_csv(data_file("configurations.csv"), index_col="model", keep_default_na=False)


def _known(convention: str, conventions: tuple[str, ...]) -> None:
    if convention not in conventions:
        raise ValueError(f"no convention {convention!r}; known: {', '.join(conventions)}")


def params_by_part(arch: Architecture, convention: str = "chinchilla", active: bool = False) -> dict[str, int]:
    r"""Count the parameters of each part of the model, all layers together.

    Parameters
    ----------
    arch : Architecture
        The shape of the model.
    convention : {"chinchilla", "kaplan", "as built"}
        ``kaplan``: weights only, :math:`2 n d (q + g)` in attention and :math:`2 n d f` in the feed-forward
        layers (Kaplan et al. 2020, equation 2.1, where g = q), learned positions :math:`S d`.
        ``chinchilla``: with biases and the gains of the norms, relative positions
        :math:`n (dq + 2q)`, and one matrix for embedding and logits.
        ``as built``: every number that the architecture says it has, two norms a layer and one after the last.
    active : bool, default False
        Whether only the experts that a token meets are counted.

    Returns
    -------
    dict
        ``feed_forward``, ``attention``, ``positions``, ``norms``, ``embedding`` and, where there is more than one
        expert, ``router``: parameter counts. Learned absolute positions belong to the embedding, and so does a matrix
        of logits of its own. A gated layer has :math:`3 n d f` weights in its feed-forward part.

    Raises
    ------
    ValueError
        For an unknown convention.
    """
    _known(convention, PARAM_CONVENTIONS)
    n, d, q, g, f = arch.n_layers, arch.d_model, arch.d_attn, arch.d_kv, arch.d_ff
    experts = arch.active_experts if active else arch.n_experts
    inward = 2 if arch.gated else 1
    parts = dict(
        feed_forward=n * experts * (inward + 1) * d * f,
        attention=n * 2 * (d * q + d * g),
        positions=0,
        norms=0,
        embedding=arch.vocab * d * (1 if arch.tied else 2),
    )
    if convention == "kaplan":
        parts["embedding"] += arch.n_ctx * d
    elif convention == "chinchilla":
        parts["feed_forward"] += n * experts * f
        parts["attention"] += n * (q + 2 * g)
        parts["positions"] = n * (d * q + 2 * q)
        parts["norms"] = n * 2 * d + d
    else:
        everywhere = arch.biases == "all"
        parts["feed_forward"] += n * experts * (inward * f + d) * everywhere
        parts["attention"] += n * ((q + 2 * g) * (arch.biases != "none") + d * everywhere)
        parts["norms"] = (n * 2 * d + d) * (2 if everywhere else 1)
        parts["embedding"] += arch.n_ctx * d * arch.learned_positions
    if arch.n_experts > 1:
        parts["router"] = n * d * arch.n_experts
    return parts


def count_params(
    arch: Architecture, convention: str = "chinchilla", embeddings: bool = True, active: bool = False
) -> int:
    r"""Count the parameters of a model, N.

    .. math::

        N_{kaplan} &= 2dn(2q + f) \,[+(V + S)d] \\
        N_{chinchilla} &= n[(4dq + 3q) + (dq + 2q) \\
                       &+ (2df + f) + 2d] + d \,[+Vd]

    for a plain model (every head has keys of its own, no gate, one expert, logits tied to the embedding). The last
    brackets are the embeddings. With q = d and f = 4d the first is :math:`12 n d^2`. Hoffmann
    et al. 2022 state no formula; the second gives all 50 sizes of their Table A9 to the printed digit,
    which pins the sum of the vectors of length d, not what each of them is for.

    Parameters
    ----------
    arch : Architecture
        The shape of the model.
    convention : {"chinchilla", "kaplan", "as built"}
        As in :func:`~scaling.counting.params_by_part`.
    embeddings : bool, default True
        Whether the embeddings are counted, and with them positions that are learned and logits of their own.
    active : bool, default False
        Whether only the experts that a token meets are counted.

    Returns
    -------
    int
        Parameters.

    Raises
    ------
    ValueError
        For an unknown convention.
    """
    parts = params_by_part(arch, convention, active)
    return sum(count for part, count in parts.items() if embeddings or part != "embedding")


def flops_by_part(arch: Architecture) -> dict[str, int]:
    r"""Count the forward FLOPs a token of each part, all layers together (Hoffmann et al. 2022, Appendix F).

    The appendix counts a sequence; here everything is divided by its length S, so that sums over
    keys become terms in S. ``attention`` are its weight matrices, :math:`n(6dq + 2qd)`; ``context`` is
    what it does with other tokens, :math:`n(2Sq + 3S\,\mathrm{heads} + 2Sq)`: scores, softmax,
    weighted sum; ``feed_forward`` :math:`4ndf`; ``embedding`` and ``logits`` :math:`2Vd` each, the
    embedding as if it were a matrix product. Shared keys and values cost :math:`4dg` instead of :math:`4dq`, a gate
    half as much again as the layer without it; of several experts those that a token meets are counted, and a
    ``router``, :math:`2nd` an expert.

    Parameters
    ----------
    arch : Architecture
        The shape of the model.

    Returns
    -------
    dict
        Part to FLOPs a token.
    """
    n, d, q, S = arch.n_layers, arch.d_model, arch.d_attn, arch.n_ctx
    parts = dict(
        feed_forward=n * arch.active_experts * (6 if arch.gated else 4) * d * arch.d_ff,
        attention=n * (2 * d * q + 4 * d * arch.d_kv + 2 * q * d),
        context=n * (4 * S * q + 3 * arch.n_heads * S),
        embedding=2 * arch.vocab * d,
        logits=2 * arch.vocab * d,
    )
    if arch.n_experts > 1:
        parts["router"] = n * 2 * d * arch.n_experts
    return parts


def forward_flops(arch: Architecture, convention: str = "6ND", embeddings: bool | None = None) -> int:
    r"""Count the FLOPs of a forward pass, a token.

    Parameters
    ----------
    arch : Architecture
        The shape of the model.
    convention : {"6ND", "kaplan", "chinchilla"}
        ``6ND``: :math:`2N` with N by :func:`~scaling.counting.count_params`, of several experts those that a token
        meets. ``kaplan``: :math:`2N + 2 n S q` with
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
        weights = count_params(arch, "kaplan", embeddings=False, active=True)
        return 2 * weights + 2 * arch.n_layers * arch.n_ctx * arch.d_attn
    counted = embeddings is None or embeddings
    if convention == "6ND":
        return 2 * count_params(arch, embeddings=counted, active=True)
    parts = flops_by_part(arch)
    return sum(flops for part, flops in parts.items() if counted or part not in ("embedding", "logits"))


def training_flops(
    arch_or_params: Architecture | ArrayLike,
    tokens: ArrayLike,
    convention: str = "6ND",
    embeddings: bool | None = None,
) -> Any:
    r"""Count training FLOPs, C: three times the forward FLOPs, times the tokens.

    .. math::

        C &= 6 N D \quad\text{or} \\
        C &= 3\,D \cdot (\text{forward FLOPs a token})

    Parameters
    ----------
    arch_or_params : Architecture or float or array
        A shape, or parameter counts N (then only ``6ND`` has a meaning).
    tokens : float or array
        Training tokens D; broadcasts against N.
    convention : {"6ND", "kaplan", "chinchilla"}
        As in :func:`~scaling.counting.forward_flops`.
    embeddings : bool, optional
        As there; not with a parameter count.

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

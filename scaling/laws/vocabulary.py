"""What a larger vocabulary is worth: the law of Tao et al. 2024 (arXiv:2407.13623)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._checks import positive
from .base import Law, read_published

__all__ = ["VocabularyLaw"]

#: what the authors count parameters and tokens in
MILLION, BILLION = 1e6, 1e9


@dataclass(frozen=True, repr=False)
class VocabularyLaw(Law):
    r"""The loss beyond that of word frequencies, with parameters of the vocabulary apart from all others.

    .. math:: L_u = \frac{A_1}{N_{nv}^{\alpha_1}} + \frac{A_2}{N_v^{\alpha_2}} + \frac{B}{D^{\beta}} - E

    :math:`L_u` is the loss less that of a model that knows the frequency of each word and nothing else. It is negative,
    and can be compared between vocabularies, which losses a token cannot.

    Parameters
    ----------
    A1, alpha1 : float or array
        Of :math:`N_{nv}`, the parameters without those of the vocabulary.
    A2, alpha2 : float or array
        Of :math:`N_v`, the parameters of the vocabulary: its size times the width.
    B, beta : float or array
        Of the tokens D.
    E : float or array
        How far below the frequencies the loss can fall, in nats/token.

    References
    ----------
    Tao et al. 2024 (arXiv:2407.13623), approach 3; the authors tie :math:`\alpha_1 = \beta`, and count parameters in
    millions and tokens in billions. Their code counts 2.7 to 3.0 times the tokens there are, so that their constants
    (``tao2024/approach3``) belong to tokens counted in that way; see :mod:`scaling.papers.tao2024`.

    Examples
    --------
    >>> law = VocabularyLaw(A1=2.0, alpha1=0.5, A2=3.0, alpha2=0.5, B=4.0, beta=0.5, E=5.0)
    >>> float(law.value(4.0, 9.0, 16.0))  # 2/2 + 3/3 + 4/4 - 5
    -2.0
    """

    A1: float | np.ndarray
    alpha1: float | np.ndarray
    A2: float | np.ndarray
    alpha2: float | np.ndarray
    B: float | np.ndarray
    beta: float | np.ndarray
    E: float | np.ndarray

    equation: ClassVar[str] = "L_u = A1 / N_nv**alpha1 + A2 / N_v**alpha2 + B / D**beta - E"
    columns: ClassVar[tuple[str, ...]] = ("params_nonvocabulary", "params_vocabulary", "tokens")

    @classmethod
    def of_millions(cls, **constants: float) -> VocabularyLaw:
        """Make the law of constants that count parameters in millions and tokens in billions, as the authors do.

        Parameters
        ----------
        **constants : float
            The seven constants.

        Returns
        -------
        VocabularyLaw
            In parameters and tokens.

        Raises
        ------
        TypeError
            If a constant is missing, or another name is given.
        """
        scaled = dict(constants)
        for coefficient, exponent, unit in (
            ("A1", "alpha1", MILLION),
            ("A2", "alpha2", MILLION),
            ("B", "beta", BILLION),
        ):
            if {coefficient, exponent} <= constants.keys():
                scaled[coefficient] = constants[coefficient] * unit ** constants[exponent]
        return cls(**scaled)

    @property
    def in_millions(self) -> dict[str, float | np.ndarray]:
        """The constants by name, as the authors count."""
        return {
            **self.constants,
            "A1": self.A1 * MILLION**-self.alpha1,
            "A2": self.A2 * MILLION**-self.alpha2,
            "B": self.B * BILLION**-self.beta,
        }

    @classmethod
    def from_published(cls, name: str) -> VocabularyLaw:
        """Read constants in the authors' units from a place in ``data/published.csv``.

        Parameters
        ----------
        name : str
            The place, below which stand all seven constants.

        Returns
        -------
        VocabularyLaw
            In parameters and tokens.

        Raises
        ------
        ValueError
            If one does not stand there.
        """
        return cls.of_millions(**read_published(name, "A1", "alpha1", "A2", "alpha2", "B", "beta", "E"))

    def value(self, *columns: ArrayLike) -> np.ndarray | float:
        """Predict the loss less that of word frequencies.

        Parameters
        ----------
        *columns : float or array
            Parameters without those of the vocabulary, those of the vocabulary, and tokens; positive.

        Returns
        -------
        float or array
            Nats/token, of the broadcast shape.

        Raises
        ------
        ValueError
            If an argument is not a positive number, shapes do not broadcast, or Series have the same labels in another
            order.
        """
        nonvocabulary, vocabulary, tokens = columns
        N, V, D = positive(params_nonvocabulary=nonvocabulary, params_vocabulary=vocabulary, tokens=tokens)
        return np.asarray(self.A1 * N**-self.alpha1 + self.A2 * V**-self.alpha2 + self.B * D**-self.beta - self.E)[()]

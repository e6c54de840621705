"""What a law is."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike


class HasLoss(Protocol):
    """Any law of the loss that falls with size and with tokens."""

    def loss(self, params: ArrayLike, tokens: ArrayLike) -> np.ndarray | float:
        """Loss in nats/token."""
        ...


class Law:
    """What every law shares: a readable form and access to its constants by name."""

    equation: ClassVar[str] = ""

    @property
    def constants(self) -> dict[str, float | np.ndarray]:
        """The constants by name, in the order of the equation."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def as_column(self) -> Self:
        """A law whose constants are arrays (B,), with these as (B, 1): to be met with a row of arguments."""
        return replace(self, **{f.name: _as_column(getattr(self, f.name)) for f in fields(self)})

    def __repr__(self) -> str:
        parts = []
        for name, value in self.constants.items():
            if value is None:
                continue
            if np.ndim(value):
                parts.append(f"{name}=<{np.size(value)} values>")
            else:
                parts.append(f"{name}={value!r}" if isinstance(value, Law) else f"{name}={value:.6g}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _as_column(value: Any) -> Any:
    if isinstance(value, Law):
        return value.as_column()
    return value[:, None] if isinstance(value, np.ndarray) and value.ndim == 1 else value

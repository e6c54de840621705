"""Numbers as people say them."""

from __future__ import annotations

_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def format_count(value: float, _position: int | None = None) -> str:
    """A count of parameters or tokens as people say it: ``70B``, ``1.4T``."""
    for scale, suffix in _SUFFIXES:
        if abs(value) >= scale * 0.9995:
            return format_flops(value) if value >= 1e15 else f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"


def format_flops(value: float, _position: int | None = None) -> str:
    """A number of FLOPs as ``5.76e23``."""
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}" if value else "0"

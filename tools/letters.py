"""Measure the letters of a figure as they are drawn, in pixels of the page on a phone.

What a label's font says is not what a reader sees: the figure is narrowed to the page, and superscripts and
subscripts are smaller than the text that they stand in.
"""

from typing import Any

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

#: pixels that a page leaves a figure on a phone 360 pixels wide (measured), and the least size of a letter there
PHONE, LEAST = 312, 8.0
#: inches of white that are left around a figure when it is stored
PADDING = 0.2


class _Reader(RendererAgg):
    """Draws, and keeps the size in points of the smallest letter of each text."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(*figure.get_size_inches() * figure.dpi, figure.dpi)
        self.read: dict[str, float] = {}

    def draw_text(self, gc: Any, x: float, y: float, s: str, prop: FontProperties, *more: Any, **options: Any) -> None:
        self.read[s] = min(self.read.get(s, float("inf")), prop.get_size_in_points())
        super().draw_text(gc, x, y, s, prop, *more, **options)

    def draw_mathtext(self, gc: Any, x: float, y: float, s: str, prop: FontProperties, angle: float) -> None:
        glyphs = MathTextParser("path").parse(s, 72, prop).glyphs
        self.read[s] = min([self.read[s], *(glyph[1] for glyph in glyphs)])
        super().draw_mathtext(gc, x, y, s, prop, angle)


def letters(figure: Figure, width: float = PHONE) -> dict[str, float]:
    """The size of the smallest letter of each text, in pixels of a page that leaves the figure ``width`` pixels."""
    reader = _Reader(figure)
    figure.draw(reader)
    inches = figure.get_tightbbox(reader).width + PADDING
    return {text: points / 72 * min(width / inches, figure.dpi) for text, points in reader.read.items()}


def check(figure: Figure) -> None:
    """Raise ValueError, naming the texts, where letters are smaller than a reader with a phone can read."""
    if small := {text: size for text, size in letters(figure).items() if size < LEAST}:
        told = ", ".join(f"{text!r} ({size:.1f} pixels)" for text, size in small.items())
        raise ValueError(
            f"letters smaller than {LEAST:g} pixels on a phone: {told}. Use words for superscripts and subscripts, "
            "or narrow the figure."
        )


def watch() -> None:
    """Check every figure of this process once it was drawn."""
    draw = FigureCanvasBase.print_figure

    def checked(canvas: FigureCanvasBase, *args: Any, **options: Any) -> Any:
        drawn = draw(canvas, *args, **options)
        check(canvas.figure)
        return drawn

    FigureCanvasBase.print_figure = checked

"""Bian, Yan and Venkataraman 2025 (arXiv:2501.18107): shapes that are quick to serve."""

from __future__ import annotations

import pandas as pd

from ..laws.chinchilla import ChinchillaLaw
from ..laws.shape import ShapeLaw
from ..sources.numbers import published, published_table
from .registry import MEASURED, reproduces

#: vocabulary of the models, and the multiple to which the feed-forward layers are rounded up
VOCAB, MULTIPLE = 50432, 256
#: of the models of about a billion parameters: twenty tokens for each parameter of 24 x 2048, in whole billions
TOKENS_1B = 29e9
FAR = "a loss that was measured: the law lies 0.69 to 1.15 % above the four"


def count_params(layers: int, width: int) -> int:
    """Parameters of the models' architecture: gated feed-forward layers, embedding and logits not shared."""
    hidden = MULTIPLE * ((8 * width // 3 + MULTIPLE - 1) // MULTIPLE)
    return 2 * VOCAB * width + layers * (4 * width**2 + 3 * width * hidden + 2 * width) + width


def shapes(size: str) -> pd.DataFrame:
    """The shapes of one size, ``80M`` or ``1B``: layers, width, params (our count), aspect, loss (measured)."""
    table = published_table(f"bian2025/{size}")["value"].filter(like="/loss")
    pairs = [tuple(map(int, id.split("/")[2].split("x"))) for id in table.index]
    frame = pd.DataFrame(pairs, [id.split("/")[2] for id in table.index], ["layers", "width"])
    counted = [count_params(*pair) for pair in pairs]
    return frame.assign(params=counted, aspect=frame["width"] / frame["layers"], loss=table.to_numpy())


def predictions(size: str) -> pd.DataFrame:
    """The shapes with the losses that the two laws of the authors' fit predict."""
    table = shapes(size)
    tokens = TOKENS_1B if size == "1B" else float(published(f"bian2025/{size}/tokens"))
    plain = ChinchillaLaw.from_published("bian2025/chinchilla").loss(table["params"], tokens)
    shaped = ShapeLaw.from_published().loss(table["params"], tokens, table["aspect"])
    return table.assign(**{"with the shape": shaped, "without": plain})


for _shape in ("24x2048", "16x2560", "12x2816", "12x3072"):
    reproduces(f"bian2025/1B/{_shape}/loss", kind="closed form", atol=0.01, rule=MEASURED, reason=FAR)(
        lambda shape=_shape: float(predictions("1B").loc[shape, "with the shape"])
    )


@reproduces(
    {f"bian2025/80M/{shape}/params": shape for shape in ("22x384", "13x448", "8x512", "5x576", "3x640")},
    kind="closed form",
)
def params(shape: str) -> float:
    return float(count_params(*map(int, shape.split("x"))))


@reproduces("bian2025/speedup", kind="identity")
def speedup() -> float:
    usual, quick = (float(published(f"bian2025/latency/{shape}")) for shape in ("24x2048", "12x3072"))
    return usual / quick

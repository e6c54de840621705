"""Points that Besiroglu et al. 2024 read off Figure 4 of Hoffmann et al. 2022."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..downloaded import Downloaded


def read(folder: Path) -> pd.DataFrame:
    """The tokens were not digitised: they follow from D = C/(6N)."""
    raw = pd.read_csv(folder / "svg_extracted_data.csv")
    params, flops = raw["Model Size"], raw["Training FLOP"]
    columns = {"params": params, "tokens": flops / (6 * params), "loss": raw["loss"], "flops": flops}
    return pd.DataFrame({**columns, "run": [f"point {row}" for row in range(len(raw))]})


SET = Downloaded(
    name="besiroglu2024",
    repository="epoch-research/analyzing-chinchilla",
    commit="92258837425e1b5f2851d624287f0120583a3d0e",
    licence="none stated",
    source="Besiroglu et al. 2024, points digitised from Figure 4 of Hoffmann et al. 2022",
    rows=245,
    read=read,
)

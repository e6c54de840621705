"""Images of figures bear the names of their figures: fig-isoflop-parabolas.png instead of a checksum."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

__all__ = ["name_images", "setup"]

#: how MyST-NB names the pictures of a notebook
CHECKSUM = re.compile(r"[0-9a-f]{64}")


def name_images(app: Sphinx, doctree: nodes.document) -> None:
    """Copy the image of each figure with a label to a file of that name, and show the copy."""
    from docutils import nodes

    for figure in doctree.findall(nodes.figure):
        images = [(each, Path(app.env.relfn2path(each["uri"])[1])) for each in figure.findall(nodes.image)]
        if not (figure["ids"] and len(images) == 1 and images[0][1].is_file()):
            continue
        ((image, file),) = images
        if file.suffix == ".png":
            image["classes"] += _shape(file)
        if CHECKSUM.fullmatch(file.stem) and (name := figure["ids"][0]):
            shutil.copyfile(file, file.with_stem(name))
            image["uri"] = str(PurePosixPath(image["uri"]).with_stem(name))


def _shape(file: Path) -> list[str]:
    """What style sheets are told of a picture that is higher than wide: on paper it takes more of the page."""
    head = file.read_bytes()[16:24]
    width, height = int.from_bytes(head[:4]), int.from_bytes(head[4:])
    return ["very-tall"] if height > 1.6 * width else ["tall"] if height > 1.05 * width else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, before it collects the images of a page."""
    app.connect("doctree-read", name_images, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

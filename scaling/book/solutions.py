"""A book without solutions, for a class that has still to find them: ``hide_solutions: true`` in ``_config.yml``.

sphinx-exercise leaves a solution out where it begins, but not where it ends, and what stands between stays on the page.
Here it reads all of them, and they are taken away afterwards; so are the notebooks to download, which hold them, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["setup"]


def take_over(app: Sphinx, config: Config) -> None:
    """Let sphinx-exercise show the solutions, which :func:`leave_out` takes away, and offer no notebook."""
    config.leave_out_solutions = config.leave_out_solutions or config.hide_solutions
    config.hide_solutions = False
    if config.leave_out_solutions:
        config.html_copy_source = False
        config.html_theme_options = {**config.html_theme_options, "use_download_button": False}


def leave_out(app: Sphinx, doctree: nodes.document) -> None:
    """Take the solutions of a page away."""
    from sphinx_exercise.nodes import solution_node

    if app.config.leave_out_solutions:
        for solution in list(doctree.findall(solution_node)):
            solution.parent.remove(solution)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, after sphinx-exercise."""
    app.add_config_value("leave_out_solutions", False, "env")
    app.connect("config-inited", take_over)
    app.connect("doctree-read", leave_out, priority=50)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

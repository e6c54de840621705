"""The first page of a kit, from what the kit says of itself."""

from __future__ import annotations

from html import escape
from typing import Any

from .handouts import HANDOUTS
from .pages import page, to_line

__all__ = ["first_page"]

ABOUT = """\
<p>Everything here works without a network. Start a slide show and press <kbd>S</kbd> for the speaker's view,
<kbd>F</kbd> for the full screen, <kbd>Esc</kbd> for all slides at a glance; add <code>?print-pdf</code> to its address
to print it.</p>
"""
CHECKED = """\
<p>Below the answer to a computation stands a cell that checks it; run it, and it says that the answer passes, or gives
a hint. It needs nothing but the package. To mark notebooks, install otter-grader, which the first line does in the
project's folder, and call it here, chapter by chapter:</p>
<pre>pip install -e '.[checks]'
otter generate -t checks/{chapter} -o autograder.zip
otter run -a autograder.zip homework.ipynb</pre>
<p>Solutions get all points and empty answers none. Its files are in a folder for each chapter.</p>
"""
LICENCES = """\
<p>Training runs of our own; <a href="data/passport.html">how they were made</a>. The tables are under CC BY 4.0, as are
the text and the figures of this kit; code is under the BSD 3-Clause licence, and
<a href="style/reveal/LICENSE">reveal.js</a> under the MIT licence.</p>
"""


def first_page(summary: dict[str, Any]) -> str:
    """A page that links all of a kit."""
    title, notebooks = summary["kit"], {f"{each['chapter']}.ipynb": each["title"] for each in summary["chapters"]}
    to_read = {f"{each['chapter']}.ipynb": f"{each['title']} (read at home)" for each in summary["reading"]}
    slides = {
        f"{name}.html": f"{about['title']}, {about['slides']} slides" for name, about in summary["slides"].items()
    }
    figures = {"index.html": f"{len(summary['figures'])} figures, with captions and alternative texts"}
    tables = {name: f"{name}: {words}" for name, words in summary["data"].items()}
    parts = [
        f"<h1>{escape(title)}</h1>\n",
        f'<p class="about">{escape(summary["term"])}</p>\n' if summary["term"] else "",
        ABOUT,
        _links("Slides", "slides", slides),
        _links("For the teacher", "lectures", summary["lectures"]),
        _links("Notebooks for students, without solutions", "student", notebooks | to_read),
        _links("Notebooks with solutions", "solutions", notebooks | to_read),
        _checks(summary["checks"], notebooks),
        _links("Handouts", "handouts", HANDOUTS),
        _links("Figures", "figures", figures),
        _links("Data", "data", tables),
        LICENCES,
    ]
    return page(title, "".join(parts), depth=0)


def _checks(counts: dict[str, int], notebooks: dict[str, str]) -> str:
    """How answers are checked, and the folders of checks; nothing where no chapter has some."""
    if not counts:
        return ""
    folders = {name: f"{notebooks[f'{name}.ipynb']}, {count} checks" for name, count in counts.items()}
    heading, _, links = _links("Checks of answers", "checks", folders).partition("\n")
    return f"{heading}\n{CHECKED.format(chapter=next(iter(counts)))}{links}"


def _links(heading: str, folder: str, names: dict[str, str]) -> str:
    """A heading and a list of links; nothing where there are none."""
    items = "".join(f'<li><a href="{folder}/{name}">{to_line(words)}</a></li>\n' for name, words in names.items())
    return f"<h2>{heading}</h2>\n<ul>\n{items}</ul>\n" if items else ""

"""Pages with moving figures, opened from files in Chromium: what the tests of every figure need.

``opened(browser, folder, name, options, ...)`` writes a page as Sphinx would, with the figure's own constants from
Python, and opens it; ``evaluated`` asks a formula of the scripts for its value at many settings in one call.
"""

import importlib
import json
import pkgutil
from pathlib import Path

from visits import DESK

import scaling.book.moving
from scaling._words import to_json
from scaling.sources.files import book_file

SCRIPTS = Path(book_file("_static/moving"))
#: every figure there is: a module of scaling.book.moving
FIGURES = sorted(each.name.replace("_", "-") for each in pkgutil.iter_modules(scaling.book.moving.__path__))
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>A page with a figure</title>
<link rel="stylesheet" href="{folder}/moving.css">
<style>body {{font: 16px sans-serif; margin: 0 16px; background: {ground}; color: {ink}}}
main {{max-width: 740px; margin: auto}}</style>
{scripts}</head><body><main><h1>A page</h1>
<div class="moving" id="moving-{name}" data-figure="{name}"><script type="application/json">{constants}</script>
<div class="moving-still"><p>The still.</p></div></div></main></body></html>"""


def constants_of(name, **options):
    """What Python gives a figure, as the page has it."""
    figure = importlib.import_module(f"scaling.book.moving.{name.replace('-', '_')}")
    return {"title": figure.TITLE} | figure.constants(**options)


def written(folder, name, theme="light", **options):
    """The path of a page with one figure; its scripts are loaded from where they lie."""
    scripts = "".join(f'<script defer src="{(SCRIPTS / each).as_uri()}.js"></script>' for each in ("core", name))
    ground, ink = {"light": ("#fff", "#222"), "dark": ("#14181e", "#ddd")}[theme]
    text = PAGE.format(
        folder=SCRIPTS.as_uri(),
        name=name,
        theme=theme,
        ground=ground,
        ink=ink,
        scripts=scripts,
        constants=to_json(constants_of(name, **options)).replace("<", "\\u003c"),
    )
    path = folder / f"{name}-{theme}.html"
    path.write_text(text, encoding="utf-8")
    return path


def opened(browser, folder, name, theme="light", size=DESK, hash="", script=True, motion=None, **options):
    """A page of the browser with the figure on it; ``page.faults`` collects what goes wrong or leaves the machine."""
    context = browser.new_context(viewport=size, java_script_enabled=script, reduced_motion=motion)
    page = context.new_page()
    page.faults = []
    page.on("console", lambda message: message.type in {"error", "warning"} and page.faults.append(message.text))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or page.faults.append(asked.url))
    page.goto(written(folder, name, theme, **options).as_uri() + hash)
    return page


def evaluated(page, formula, settings):
    """Values of ``scalingFigures.formulas[formula]`` at lists of arguments; what is not a number is None."""
    call = "([name, settings]) => settings.map(args => window.scalingFigures.formulas[name](...args))"
    return page.evaluate(call, [formula, json.loads(json.dumps(settings))])


def answer_of(page):
    """The sentence of a figure, once it is built."""
    page.wait_for_selector(".moving-built")
    return page.inner_text(".moving-answer")

"""Public docstrings keep their promise: every parameter with type and meaning, what is returned, and what is raised."""

import ast
import enum
import functools
import importlib
import inspect
import re
import textwrap

import api_page
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import Validator, get_doc_object, validate

from scaling import _checks

#: what numpydoc looks at: order of sections and gaps between them (GL), summaries (SS), parameters that are missing,
#: unknown, out of order, or without type or meaning (PR), what is returned (RT) and yielded (YD)
ASKED = {"GL03", "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS05", "SS06", "RT01", "RT03", "YD01"}
ASKED |= {"PR01", "PR02", "PR03", "PR04", "PR06", "PR07", "PR10"}
#: words with which a sentence does not tell what to do
NO_VERBS = {"A", "An", "All", "At", "Each", "Every", "How", "If", "One", "That", "The", "This", "What", "Where"}
#: functions that refuse an argument by a ValueError
CHECKS = {name for name, each in inspect.getmembers(_checks, inspect.isfunction) if "ValueError" in str(each.__doc__)}
#: sections whose entries have a type, the two of fields first
SECTIONS = ("Parameters", "Attributes", "Returns")
READ_AS_FIELDS = (property, functools.cached_property)
MEMBERS = (*READ_AS_FIELDS, classmethod, staticmethod)


def members(kind):
    """Public methods and properties of a class of ours, each under the path at which it is defined."""
    for base in kind.__mro__:
        if base.__module__.startswith("scaling"):
            for name, value in vars(base).items():
                if name[0] != "_" and (isinstance(value, MEMBERS) or inspect.isfunction(value)):
                    yield f"{base.__module__}.{base.__qualname__}.{name}", value


def everything():
    """Every public function and class by its path, and their members once each."""
    found = {}
    for room in api_page.ROOMS:
        module = importlib.import_module(f"scaling.{room}")
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and not inspect.ismodule(value):
                found[f"scaling.{room}.{name}"] = value
                found |= dict(members(value)) if inspect.isclass(value) else {}
    return found


PUBLIC = everything()


def of_fields(kind, doc):
    """Fields stand under Parameters where users make the object, under Attributes where they get it; never in both."""
    made, received = ({each for entry in doc[name] for each in entry.name.split(", ")} for name in SECTIONS[:2])
    given = () if issubclass(kind, enum.Enum) else Validator(get_doc_object(kind)).signature_parameters
    public = {name for name in given if not name.startswith("_")}
    yield from (f"the field {name} is not documented" for name in public - made - received)
    yield from (f"the field {name} is documented twice" for name in made & received)
    for entry in doc["Attributes"]:
        if not (entry.type or isinstance(inspect.getattr_static(kind, entry.name, None), READ_AS_FIELDS)):
            yield f"the field {entry.name} has no type"
        if not entry.desc:
            yield f"the field {entry.name} has no description"


def of_shapes(doc):
    """Arrays without a shape."""
    for entry in (entry for name in SECTIONS for entry in doc[name]):
        if re.fullmatch(r"array(, optional)?", entry.type or entry.name) and "shape" not in " ".join(entry.desc):
            yield f"{entry.name}: give the shape, as in `array (n_runs,)`, or say whose shape it has"


def raised(node):
    """Errors that the code of a function raises itself, or by one of our checks; of a class, those of its making."""
    if isinstance(node, ast.ClassDef):
        makers = [each for each in node.body if getattr(each, "name", "") in ("__init__", "__post_init__")]
        return set().union(*map(raised, makers))
    calls = {each: getattr(each.func, "id", "") for each in ast.walk(node) if isinstance(each, ast.Call)}
    errors = {calls.get(each.exc, "") for each in ast.walk(node) if isinstance(each, ast.Raise)}
    return (errors | ({"ValueError"} if CHECKS & set(calls.values()) else set())) - {""}


def of_errors(value, doc):
    """Errors that are raised and not documented, or documented without a word on when."""
    entries = {entry.type or entry.name: entry.desc for entry in doc["Raises"]}
    yield from (f"when is {error} raised?" for error, words in entries.items() if not words)
    told = {error.strip() for each in entries for error in each.split(",")}
    code = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    yield from (f"{error} is raised, and not documented" for error in raised(code) - told)


def amiss(name, value):
    """All that is to be mended in the docstring of a public name."""
    found = [f"{code} {words}" for code, words in validate(name)["errors"] if code in ASKED]
    if isinstance(value, READ_AS_FIELDS):
        return found
    value = getattr(value, "__func__", value)
    doc = NumpyDocString(inspect.getdoc(value) or "")
    if inspect.isclass(value):
        found = [words for words in found if not words.startswith("PR01")] + list(of_fields(value, doc))
    elif (first := " ".join(doc["Summary"]).partition(" ")[0]) in NO_VERBS:
        found.append(f"{first!r} is no verb: say what the function does")
    return found + list(of_shapes(doc)) + list(of_errors(value, doc))


@pytest.mark.parametrize("name", PUBLIC)
def test_public_docstring(name):
    assert amiss(name, PUBLIC[name]) == []

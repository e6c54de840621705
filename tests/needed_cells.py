"""Which cells of a chapter some of them need: a guess from the names that each reads, binds and changes.

Whoever leaves the others out has to compare what is left with what is stored: then a wrong guess is seen.
"""

import ast
import dis
from functools import cached_property
from types import CodeType


class Cell:
    """What a cell does to names: those that it ``reads``, as they were before it, and those that it ``binds``."""

    def __init__(self, source):
        self.tree, self.reads, self.binds = ast.parse(source), set(), set()
        for step in dis.get_instructions(compile(self.tree, "cell", "exec")):
            if step.opname == "STORE_NAME":
                self.binds.add(step.argval)
            elif step.opname == "LOAD_NAME":
                self.reads |= {step.argval} - self.binds
            elif isinstance(step.argval, CodeType):
                self.reads |= set(_globals(step.argval)) - self.binds

    @cached_property
    def changes(self):
        """Names whose values are changed in place: ``x.a = 1``, ``x["a"] = 1``, ``x.append(1)``."""
        nodes = list(ast.walk(self.tree))
        places = [
            each.value for each in nodes if isinstance(getattr(each, "ctx", None), ast.Store) and hasattr(each, "value")
        ]
        calls = [each.value.func for each in nodes if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
        return {_root(each) for each in places + [each for each in calls if isinstance(each, ast.Attribute)]}

    @cached_property
    def settles(self):
        """Names that it surely binds, whatever happens in it."""
        kinds = ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom | ast.FunctionDef
        return set().union(*(Cell.bound(each) for each in self.tree.body if isinstance(each, kinds)))

    @staticmethod
    def bound(node):
        code = compile(ast.Module([node], []), "cell", "exec")
        return {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_NAME"}

    @cached_property
    def imports(self):
        names = [each for each in ast.walk(self.tree) if isinstance(each, ast.alias)]
        return {(each.asname or each.name).partition(".")[0] for each in names}

    @cached_property
    def functions(self):
        """What each function of the cell reads when it is called."""
        inner = {
            each.co_name: set(_globals(each))
            for each in compile(self.tree, "cell", "exec").co_consts
            if isinstance(each, CodeType)
        }
        return {name: names for name, names in inner.items() if name in self.binds}

    @cached_property
    def dice(self):
        """Generators of random numbers: who draws from one changes it."""
        made = [
            each for each in self.tree.body if isinstance(each, ast.Assign) and "default_rng" in ast.dump(each.value)
        ]
        return {
            name.id
            for each in made
            for target in each.targets
            for name in ast.walk(target)
            if isinstance(name, ast.Name)
        }


def depending(sources, names):
    """The places of the cells that read one of these names, or what others have made of it."""
    cells, found, made = [Cell(source) for source in sources], [], set(names)
    imported = set().union(*(cell.imports for cell in cells))
    functions = {name: read for cell in cells for name, read in cell.functions.items()}
    for place, cell in enumerate(cells):
        if _with_called(cell.reads, functions) & made:
            found.append(place)
            made |= cell.binds | (cell.changes - imported)
        else:
            made -= cell.settles - set(names)
    return found


def needed(sources, wanted):
    """The places of the cells that those at the places ``wanted`` need, these included."""
    cells = [Cell(source) for source in sources]
    imported = set().union(*(cell.imports for cell in cells))
    dice = set().union(*(cell.dice for cell in cells))
    functions = {name: names for cell in cells for name, names in cell.functions.items()}
    kept, live = [], set()
    for place, cell in reversed(list(enumerate(cells))):
        touched = cell.binds | (cell.changes - imported) | (cell.reads & dice)
        if place in wanted or touched & live:
            kept.append(place)
            live = _with_called((live - cell.binds) | cell.reads, functions)
    return kept[::-1]


def _with_called(names, functions):
    """Names, and all that the functions among them read when they are called."""
    new = set(names)
    while new:
        new = set().union(*(functions.get(name, set()) for name in new)) - names
        names = names | new
    return names


def _globals(code):
    """Names that a function reads from the cells around it."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
        elif isinstance(step.argval, CodeType):
            yield from _globals(step.argval)


def _root(node):
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, "id", "")

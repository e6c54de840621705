"""A formula in a line keeps the signs that belong to it."""

from docutils import nodes
from docutils.utils import new_document

from scaling.book.formulas import keep_signs, to_mathml


def kept(*parts):
    """What stands together, of words and formulas (in dollars) of a line; and the words of the line."""
    line = nodes.paragraph()
    line += [nodes.math("", part[1:-1]) if part.startswith("$") else nodes.Text(part) for part in parts]
    document = new_document("line")
    document += line
    keep_signs(document)
    return [each.astext() for each in line.findall(nodes.inline)], line.astext()


def test_brackets_and_stops_stay_with_their_formula():
    assert kept("the size (", "$N$", "), and ", "$D$", ".") == (["(N),", "D."], "the size (N), and D.")


def test_words_beside_a_formula_do_not():
    assert kept("of ", "$N$", " and", "$D$", " more") == ([], "of N and" + "D more")


def test_a_line_of_one_formula_is_left_as_it_is():
    assert kept("$N$") == ([], "N")


def test_a_closing_bracket_before_an_exponent_is_as_tall_as_the_opening_one():
    sized, grown = (
        to_mathml(rf"{a}(\frac{{N}}{{M}}{b})^{{-1}}") for a, b in ((r"\Bigl", r"\Bigr"), (r"\left", r"\right"))
    )
    assert sized == grown

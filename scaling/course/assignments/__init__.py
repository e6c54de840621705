"""Assignments: a table of their own for each student, drawn from a secret law, and marks for what they say of it."""

from .answers import Answers, read_answers
from .classes import Class, make_class
from .marking import Marks, mark

__all__ = ["Answers", "Class", "Marks", "make_class", "mark", "read_answers"]

"""Write book/course/quizzes.md from quizzes.yml: three questions a chapter, with the answers folded.

`python tools/quizzes.py`; a test holds the page to the file.
"""

from __future__ import annotations

from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "book" / "course"
HEAD = """(quizzes)=
# Three questions a chapter

For the first five minutes of a lesson, or the last. Each wrong answer is a mistake that people make; the folded
answer says why it is one. The questions are in `book/course/quizzes.yml`, from which this page is written.
"""


def page() -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for chapter in yaml.safe_load((FOLDER / "quizzes.yml").read_text(encoding="utf-8")):
        number = chapter["chapter"]
        (notebook,) = FOLDER.parents[1].glob(f"notebooks/{number}_*.ipynb")
        parts.append(f"## {f'Chapter {int(number)}' if int(number) else 'The tour'}\n")
        parts.append(f"[](../../notebooks/{notebook.name})\n")
        parts += [question(place, each, int(number)) for place, each in enumerate(chapter["questions"], 1)]
    return "\n".join(parts)


def question(place: int, about: dict, number: int) -> str:
    """A question with its answers, the right one where the numbers of chapter and question put it."""
    answers = [(each["says"], f"No. {each['why']}") for each in about["wrong"]]
    answers.insert((number + 2 * place) % (len(answers) + 1), (about["right"], "Yes."))
    listed = "\n".join(f"- **{letter}** {says}" for letter, (says, _) in zip("abc", answers, strict=True))
    told = "\n".join(f"- **{letter}** {why}" for letter, (_, why) in zip("abc", answers, strict=True))
    return f"**{place}.** {about['ask']}\n\n{listed}\n\n```{{admonition}} Answer\n:class: dropdown\n{told}\n```\n"


if __name__ == "__main__":
    (FOLDER / "quizzes.md").write_text(page(), encoding="utf-8")
    print("book/course/quizzes.md written")

"""Books in folders of any name: braces and letters of any alphabet are no hindrance, and no path stays in the pages."""

import json
import sys
from pathlib import Path

import held
import pytest

import scaling
from scaling.book.chapters import DONE, FAILED, without_places
from scaling.book.staging import MARK

pytestmark = pytest.mark.slow
#: what papermill would fill, what Sphinx would format, and letters of more than one byte
NAME = "é {0} {runs_file} {{ü}} %s 数"
#: every way in which a path can get into what a chapter shows
TELLS = """
import os, sys, warnings
import numpy, pandas as pd
print(len(pd.read_csv(runs_file)), "runs in", os.getcwd(), "with", numpy.__file__, sys.executable)
print(os.path.abspath(runs_file), file=sys.stderr)
warnings.warn("seen")
display({"text/html": f"<b>{os.getcwd()}</b>"}, raw=True)
{"there": os.path.abspath(runs_file)}
"""
FAILS = "import os\nopen(os.path.abspath('nothing.csv'))"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of two chapters, one of which fails."""
    place = tmp_path_factory.mktemp("places") / NAME
    place.mkdir()
    held.table(place / f"{NAME}.csv", 12)
    chapters = [held.chapter(place, "21_tells", TELLS), held.chapter(place, "22_fails", FAILS)]
    with pytest.raises(SystemExit) as end:
        held.rerun(
            [place / f"{NAME}.csv", "--out", place / "book {}", "--resamples", "2"],
            chapters,
            executed=True,
            written=True,
        )
    assert end.value.code == 3, "one of the chapters is meant to fail"
    return place / "book {}"


def test_a_folder_may_have_any_name(book):
    summary = json.loads((book / MARK).read_text())
    assert [each["outcome"] for each in summary["chapters"]] == [DONE, FAILED]
    assert summary["chapters"][1]["error"] == "FileNotFoundError: [Errno 2] No such file or directory: 'nothing.csv'"
    assert not summary["complaints"]
    assert "12 runs in . with ..." in (book / "notebooks" / "21_tells.html").read_text()


def test_no_path_of_the_machine_stays(book):
    places = [book.parent, *book.parent.parents[:-1], sys.prefix, Path(scaling.__file__).parents[1], Path.home()]
    for path in book.rglob("*"):
        if path.is_file() and "_static" not in path.relative_to(book).parts:
            text = path.read_text(errors="replace")
            for place in map(str, places):
                shapes = {place, json.dumps(place)[1:-1], place.encode("unicode_escape").decode()}
                assert not any(f"{shape}/" in text or f"{shape}'" in text for shape in shapes), (path.name, place)


def test_only_whole_paths_are_taken_out(tmp_path):
    home = str(Path.home())
    words = f"{tmp_path}/a.csv in {tmp_path}, not {home}less or x{home} but {home}/b and '{home}'"
    assert without_places(words, tmp_path) == f"a.csv in ., not {home}less or x{home} but .../b and '...'"

"""Sheets of workbooks, made here by hand: read as the CSV that they would be, asked about, or refused in words."""

import importlib.util
import io
import random
import zipfile
from xml.sax.saxutils import escape

import pytest
from click.testing import CliRunner

from scaling.cli import main
from scaling.errors import RunsError
from scaling.runs import load_runs
from scaling.runs.reading import workbooks

ROWS = [["params", "tokens", "loss"], [7e7, 1.4e9, 3.5], ["410M", "8.2B", 2.9], [1e9, 2e10, 2.7]]
#: an optional package, which the environment of the tests has
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("python_calamine") is None, reason="python-calamine (extra sheets) is not installed"
)


def packed(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def excel(sheets, hidden=()):
    """A workbook as Excel writes it, as far as a reader needs."""
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main_space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    numbered = list(enumerate(sheets, 1))
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main_space}" xmlns:r="{relations}"><sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{k}" r:id="r{k}" '
            f'state="{"hidden" if name in hidden else "visible"}"/>'
            for k, name in numbered
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="r{k}" Type="{relations}/worksheet" Target="worksheets/sheet{k}.xml"/>'
            for k, _ in numbered
        )
        + "</Relationships>",
    }
    for k, name in numbered:
        lines = [
            f'<row r="{i}">' + "".join(_cell(cell, f"{chr(65 + j)}{i}") for j, cell in enumerate(row)) + "</row>"
            for i, row in enumerate(sheets[name], 1)
        ]
        files[f"xl/worksheets/sheet{k}.xml"] = (
            f'<worksheet xmlns="{main_space}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        )
    return packed(files)


def _cell(value, place):
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def libre(rows):
    """A sheet as LibreOffice writes it."""
    spaces = "urn:oasis:names:tc:opendocument:xmlns"
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            if isinstance(cell, str)
            else f'<table:table-cell office:value-type="float" office:value="{cell!r}"/>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    content = (
        f'<office:document-content xmlns:office="{spaces}:office:1.0" xmlns:table="{spaces}:table:1.0" '
        f'xmlns:text="{spaces}:text:1.0"><office:body><office:spreadsheet><table:table table:name="runs">{cells}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest:manifest/>")
    return out.getvalue()


def written(tmp_path, data, name="runs.xlsx"):
    (path := tmp_path / name).write_bytes(data)
    return path


@pytest.mark.parametrize("data", [excel({"Tabelle1": ROWS}), libre(ROWS)], ids=["xlsx", "ods"])
def test_the_only_sheet_is_read(data, tmp_path):
    runs = load_runs(written(tmp_path, data))
    assert runs["params"].tolist() == [7e7, 4.1e8, 1e9]
    assert runs["tokens"].tolist() == [1.4e9, 8.2e9, 2e10]
    assert "runs.xlsx" in runs.attrs["reading"]["name"]


def test_titles_above_and_empty_rows_and_columns_are_as_in_text(tmp_path):
    rows = [["Our sweep"], [], *[[None, *row] for row in ROWS], [], ["total", None, None, 9.1]]
    runs = load_runs(written(tmp_path, excel({"a": [], "b": rows})))
    assert runs["loss"].tolist() == [3.5, 2.9, 2.7]


def test_several_sheets_are_asked_about(tmp_path):
    path = written(tmp_path, excel({"notes": [["written by", "me"]], "runs": ROWS}))
    with pytest.raises(RunsError, match="which sheet\\? 'notes', 'runs' have cells; --sheet NAME decides"):
        load_runs(path)
    assert len(load_runs(path, sheet="runs")) == 3
    with pytest.raises(RunsError, match="there is no sheet 'other'; there are 'notes', 'runs'"):
        load_runs(path, sheet="other")
    done = CliRunner().invoke(main, ["check", str(path), "--sheet", "runs"])
    assert "3 runs" in done.output


def test_hidden_sheets_are_not_counted(tmp_path):
    assert len(load_runs(written(tmp_path, excel({"lists": [["x"]], "runs": ROWS}, hidden=["lists"])))) == 3


def test_a_sheet_belongs_to_a_workbook(tmp_path):
    (path := tmp_path / "runs.csv").write_text("params,tokens,loss\n7e7,1.4e9,3.5\n")
    with pytest.raises(RunsError, match="belongs to a workbook"):
        load_runs(path, sheet="runs")


def test_empty_broken_and_too_large_workbooks_are_named(tmp_path, monkeypatch):
    with pytest.raises(RunsError, match="is empty"):
        load_runs(written(tmp_path, excel({"a": []})))
    with pytest.raises(RunsError, match="cannot be read"):
        load_runs(written(tmp_path, packed({"xl/workbook.xml": "<x/>"})))
    monkeypatch.setattr(workbooks, "MOST", 1000)
    with pytest.raises(RunsError, match="when unpacked"):
        load_runs(written(tmp_path, excel({"a": ROWS})))


def test_without_the_reader_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunsError, match=r"\[sheets\]"):
        load_runs(written(tmp_path, excel({"a": ROWS})))


@pytest.mark.slow
def test_bytes_that_were_changed_give_a_table_or_words(tmp_path):
    """No other error, whatever is broken in the file."""
    whole, dice = excel({"a": ROWS}), random.Random(0)
    outcomes = set()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(dice.choice([1, 3, 30])):
            data[dice.randrange(4, len(data))] = dice.randrange(256)
        if dice.random() < 0.3:
            del data[dice.randrange(len(data)) :]
        try:
            load_runs(written(tmp_path, bytes(data) or b"PK"))
            outcomes.add("table")
        except RunsError:
            outcomes.add("words")
    assert outcomes == {"table", "words"}

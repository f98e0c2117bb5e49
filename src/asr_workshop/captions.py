"""Writing a transcript out: captions for players, and text that other programs can read."""

from __future__ import annotations

import csv
import html
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

from asr_workshop.cues import caption_cues, one_line
from asr_workshop.transcript import Transcript
from asr_workshop.writing import write_whole

# What SRT players take for commands instead of text: <b>, {\an8}, {y:i}, \N and the times' arrow.
SRT_MARKUP = re.compile(
    r"(?<=<)(?= */? *[A-Za-z])|(?<=\{)(?=\\|[A-Za-z]:)|(?<=\\)(?=[Nnh])|(?<=--)(?=>)"
)
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


class CaptionError(ValueError):
    """The transcript cannot be written there or in that form; the message says why."""


def _subtitles(transcript: Transcript, form: str, protect: Callable[[str], str]) -> str:
    """Lay out the cues and let pysubs2 write them, as text and not as styling.

    pysubs2 keeps its texts in the SubStation form, where a backslash begins a command, and
    escapes nothing. So a NUL, which ``one_line`` has made sure is in no text, stands in for
    the backslash on the way through, and what needs escaping is escaped before.
    """
    import pysubs2

    cues = caption_cues(transcript)
    if cues and cues[-1].end >= 100 * 3600:
        raise CaptionError(f"{form} times end at 99:59:59; cut the recording into parts.")
    subtitles = pysubs2.SSAFile()
    for cue in cues:
        text = "\n".join(map(protect, cue.lines)).replace("\\", "\0")
        event = pysubs2.SSAEvent(_milliseconds(cue.start), _milliseconds(cue.end), text)
        subtitles.append(event)
    return subtitles.to_string(form, keep_ssa_tags=True).replace("\0", "\\")


def _milliseconds(seconds: float) -> int:
    """Round down, so as not to pass the end of the sound; a hair up keeps 2.3 s at 2300 ms."""
    return math.floor(1000 * seconds + 1e-6)


def _srt(transcript: Transcript) -> str:
    # SRT has no escaping. An invisible word joiner inside keeps players from obeying it.
    return _subtitles(transcript, "srt", lambda line: SRT_MARKUP.sub("\u2060", line))


def _vtt(transcript: Transcript) -> str:
    return _subtitles(transcript, "vtt", lambda line: html.escape(line, quote=False))


def _txt(transcript: Transcript) -> str:
    lines = (one_line(segment.text) for segment in transcript.segments)
    return "".join(f"{line}\n" for line in lines if line)


def _json(transcript: Transcript) -> str:
    return json.dumps(_finite(transcript.to_dict()), ensure_ascii=False, indent=2) + "\n"


def _finite(value):
    """Put None ("not known") where JSON has no number: NaN and infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _tsv(transcript: Transcript) -> str:
    """Make a row of each segment, times in seconds.

    A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@`` as a formula, so
    such a text gets an apostrophe before it. The JSON form has every text as it is.
    """
    table = io.StringIO()
    writer = csv.writer(table, dialect="excel-tab", lineterminator="\n")
    writer.writerow(["start", "end", "text"])
    for segment in transcript.segments:
        text = one_line(segment.text)
        text = f"'{text}" if text.startswith(FORMULA_STARTS) else text
        writer.writerow([f"{segment.start:.3f}", f"{segment.end:.3f}", text])
    return table.getvalue()


FORMS = {"srt": _srt, "vtt": _vtt, "txt": _txt, "json": _json, "tsv": _tsv}


def format_transcript(transcript: Transcript, form: str) -> str:
    """Turn a transcript into the text of a file.

    Parameters
    ----------
    transcript : Transcript
    form : str
        ``"srt"``, ``"vtt"`` (captions), ``"txt"`` (a segment a line), ``"json"`` (everything)
        or ``"tsv"`` (start, end and text of each segment).

    Raises
    ------
    CaptionError
        There is no such form, or its times cannot reach the end of the recording.

    Examples
    --------
    >>> from asr_workshop import Segment
    >>> transcript = Transcript((Segment(0.0, 1.2, "Hello there."),), "en", 1.0, 1.5)
    >>> print(format_transcript(transcript, "vtt"))
    WEBVTT
    <BLANKLINE>
    1
    00:00:00.000 --> 00:00:01.200
    Hello there.
    <BLANKLINE>
    <BLANKLINE>
    """
    if form not in FORMS:
        known = ", ".join(f".{form}" for form in FORMS)
        raise CaptionError(f"There is no caption form {form!r}; the endings are {known}.")
    return FORMS[form](transcript)


def save_transcript(transcript: Transcript, path: str | Path) -> Path:
    """Write a transcript in the form that the file name's ending asks for.

    Parameters
    ----------
    transcript : Transcript
    path : str or Path
        Ends with .srt, .vtt, .txt, .json or .tsv; the folder must exist. UTF-8, whole or
        not at all.

    Returns
    -------
    Path
        Where the file now is.

    Raises
    ------
    CaptionError
        Another ending, or no such folder.

    Examples
    --------
    >>> from asr_workshop import Segment
    >>> transcript = Transcript((Segment(0.0, 1.2, "Hello there."),), "en", 1.0, 1.5)
    >>> save_transcript(transcript, "hello.srt")  # doctest: +SKIP
    PosixPath('hello.srt')
    """
    path = Path(path)
    content = format_transcript(transcript, path.suffix.lower().removeprefix("."))
    if not path.parent.is_dir():
        raise CaptionError(f"{path}: there is no folder {path.parent}; make it first.")
    return write_whole(path, content)

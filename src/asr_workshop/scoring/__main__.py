"""The command line: ``python -m asr_workshop.scoring recordings``."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from asr_workshop import terminal
from asr_workshop.cues import one_line
from asr_workshop.guards import Guards
from asr_workshop.scoring.manifest import Manifest, ManifestError, Row, read_manifest
from asr_workshop.writing import write_whole

PACKAGES = ("asr-workshop", "torch", "transformers", "jiwer", "whisper-normalizer")
EXAMPLES = """\
examples:
  python -m asr_workshop.scoring recordings            a folder of sounds, each with a .txt
  python -m asr_workshop.scoring talks/metadata.csv --model openai/whisper-base --language fr
  python -m asr_workshop.scoring test.tsv --by accent --limit 200 --out accents
  python -m asr_workshop.scoring recordings --bare --out bare      with no guards, to compare

MANIFEST is a .jsonl, .csv or .tsv file, or a folder. Its columns: the sound in file_name, path,
audio or file; what is said in text, transcript, transcription or sentence, left empty where
nobody speaks; if you have them, language, speaker, and suspect (those rows are left out).
DIR/report.html is for reading, DIR/report.json for programs; older ones are replaced.
Exit code: 0 all went well, 1 some recordings failed, 2 the command was not understood.
"""


def main(arguments: list[str] | None = None) -> int:
    """Score a model on the recordings that the command line names; return the exit code.

    0 all went well, 1 some recordings failed or none could be scored, 2 a column that is not
    there, 130 stopped with Ctrl-C. A command that makes no sense leaves with 2 by SystemExit.
    """
    options = _parse(arguments)
    return terminal.run(lambda: _run(options), stopped="stopped; nothing was written")


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m asr_workshop.scoring",
        description="Measure how well a model transcribes recordings of which the text is known.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("manifest", metavar="MANIFEST", help="list of recordings, or a folder")
    terminal.add_model_options(parser)
    add(
        "--language",
        metavar="CODE",
        help="language spoken in all of them (default: the model finds out)",
    )
    add("--by", metavar="COLUMN", help="group by this column (default: speaker, or else set)")
    add("--out", type=Path, default=Path("report"), metavar="DIR", help="default: report")
    add("--limit", type=_positive, metavar="N", help="take the first N recordings only")
    add("--bare", action="store_true", help="the library's own pipeline, with no guards")
    options = parser.parse_args(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {options.out}: cannot make this folder ({error.strerror})")
    return options


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r}: a number of recordings, 1 or more")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    try:
        manifest = read_manifest(options.manifest)
    except ManifestError as error:
        terminal.say(f"error: {error}")
        return 1
    columns = {name for row in manifest.rows for name in row.fields}
    if options.by and options.by not in columns:
        there = ", ".join(sorted(columns)) or "none"
        terminal.say(f"error: --by {options.by}: the columns are {there}")
        return 2
    column = options.by or next((name for name in ("speaker", "set") if name in columns), None)
    for problem in manifest.problems:
        terminal.say(f"error: {problem}")
    pipe = terminal.load(options) if manifest.rows else None
    return 1 if pipe is None else _score(manifest, column, pipe, options)


def _score(manifest: Manifest, column: str | None, pipe, options: argparse.Namespace) -> int:
    from asr_workshop.scoring import evaluation as tools
    from asr_workshop.scoring import report
    from asr_workshop.transcript import TranscriptionError

    make = tools.bare_transcriber if options.bare else tools.guarded_transcriber
    transcriber = make(pipe, options.language)
    rows, left_out = _choose(manifest, tools.knows_english_only(pipe), options.limit)
    try:
        transcriber(np.zeros(8_000, np.float32))  # what is loaded once is not counted as speed
    except TranscriptionError as error:  # the model cannot do this language
        terminal.say(f"error: {error}")
        return 1
    found = tools.evaluate(
        rows, transcriber, language=options.language, progress=terminal.progress_line("recordings")
    )
    terminal.wipe_line()
    for sentence in (*left_out, *found.problems):
        terminal.say(sentence)
    if not found.results:
        terminal.say("error: no recording could be scored, so no report was written")
        return 1
    problems = (*manifest.problems, *found.problems)
    about = _about(options, pipe, column, left_out, problems)
    page, numbers = report.as_page(found, about), report.as_dict(found, about)
    write_whole(options.out / "report.json", json.dumps(numbers, ensure_ascii=False, indent=1))
    write_whole(options.out / "report.html", page)
    for line in report.as_lines(found, about):
        print(line)
    print(f"→ {one_line(str(options.out / 'report.html'))}, report.json")
    return 1 if problems else 0


def _choose(manifest: Manifest, english_only: bool, limit: int | None):
    """Take the rows to transcribe, and say which kinds were not taken."""
    rows, left_out = list(manifest.rows), []
    if manifest.n_suspect:
        left_out.append(f"{manifest.n_suspect} left out: marked as suspect")
    if english_only:
        foreign = [row for row in rows if _foreign(row)]
        rows = [row for row in rows if not _foreign(row)]
        if foreign:
            left_out.append(f"{len(foreign)} left out: not English, and the model knows no other")
    if limit and len(rows) > limit:
        left_out.append(f"{len(rows) - limit} left out: after the first {limit}")
    return rows[:limit], tuple(left_out)


def _foreign(row: Row) -> bool:
    """Is another language spoken? Where nobody speaks, none is."""
    from asr_workshop.scoring.normalisation import base_code

    return bool(row.text.strip()) and base_code(row.language or "en") != "en"


def _about(options, pipe, column, left_out, problems):
    from asr_workshop.scoring.evaluation import knows_english_only
    from asr_workshop.scoring.report import About

    listing = Path(options.manifest).resolve()
    guards = [] if options.bare else [f.name.replace("_", " ") for f in fields(Guards)]
    return About(
        model=pipe.model_id,
        device=str(pipe.model.device),
        dtype=options.dtype or str(pipe.model.dtype).removeprefix("torch."),
        reasons=tuple(pipe.reasons),
        guards=tuple(guards),
        language="en" if knows_english_only(pipe) else options.language,
        listing=f"{listing.parent.name}/{listing.name}",
        made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z"),
        versions={
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        column=column,
        left_out=left_out,
        problems=problems,
    )


if __name__ == "__main__":
    sys.exit(main())

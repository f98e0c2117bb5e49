"""The command line: ``python -m asr_workshop talk.mp3 --to srt,vtt``."""

from __future__ import annotations

import argparse
import glob
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path
from urllib.parse import urlsplit

from asr_workshop import terminal
from asr_workshop.captions import FORMS, format_transcript, save_transcript
from asr_workshop.cues import one_line
from asr_workshop.transcript import Transcript

EXAMPLES = """\
examples:
  python -m asr_workshop talk.mp3                      print what was said
  python -m asr_workshop talk.mp3 --to srt,vtt         write talk.srt and talk.vtt here
  python -m asr_workshop recordings --to txt --out texts
  python -m asr_workshop "*.m4a" --language fr --task translate
  python -m asr_workshop --to json --words -- -odd-name.wav

The text goes to standard output, everything else to standard error.
Exit code: 0 all went well, 1 some files failed, 2 the command was not understood.
"""


def main(arguments: list[str] | None = None) -> int:
    """Transcribe what the command line names and return the exit code.

    0 all went well, 1 some files failed, 130 stopped with Ctrl-C. A command that makes no
    sense leaves with 2 by SystemExit, as argparse does.
    """
    options = _parse(arguments)
    return terminal.run(lambda: _run(options))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m asr_workshop",
        description="Turn recordings into text, captions or tables.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help='audio or video file, folder, or a "*" pattern')
    terminal.add_model_options(parser)
    add("--language", metavar="CODE", help="spoken language, such as en (default: find out)")
    add(
        "--task",
        choices=("transcribe", "translate"),
        default="transcribe",
        help="translate writes English (default: transcribe)",
    )
    add("--words", action="store_true", help="find the time of every word: exact cues, more JSON")
    add(
        "--to",
        type=_forms,
        default=[],
        metavar="FORMS",
        help=f"write files: one or more of {','.join(FORMS)} (default: print the text)",
    )
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the files, made when missing (default: where you are); "
        "files of the same name are replaced",
    )
    options = parser.parse_args(arguments)
    if options.out and not options.to:
        parser.error("--out needs --to, for example --to srt")
    options.out = options.out or Path()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {options.out}: cannot make this folder ({error.strerror})")
    return options


def _forms(text: str) -> list[str]:
    forms = [form.strip(" .").lower() for form in text.split(",") if form.strip(" .")]
    unknown = [form for form in forms if form not in FORMS]
    if unknown or not forms:
        raise argparse.ArgumentTypeError(f"{text!r}: choose from {', '.join(FORMS)}")
    return list(dict.fromkeys(forms))


def _find_files(named: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the recordings behind the names, each once, and a line for each empty name."""
    found, failures = {}, []
    for name in named:
        kind = "sound in this folder" if os.path.isdir(name) else "such file"
        try:
            matches = _expand(name)
        except OSError as error:
            failures.append(f"{name}: {error.strerror}")
            continue
        found |= {os.path.abspath(match): match for match in matches}
        failures += [] if matches else [f"{name}: there is no {kind}"]
    return list(found.values()), failures


def _expand(name: str) -> list[str]:
    """Look into folders, and expand patterns for shells that do not (``**`` goes deeper)."""
    if os.path.isdir(name):
        names = sorted(os.listdir(name))
        audio = [
            n for n in names if Path(n).suffix.lower() in terminal.AUDIO_ENDINGS and n[0] != "."
        ]
        return [os.path.join(name, n) for n in audio]
    if os.path.exists(name) or "://" in name:  # which addresses are opened, load_audio says
        return [name]
    return [path for match in sorted(glob.glob(name, recursive=True)) for path in _expand(match)]


def _output_names(sources: list[str]) -> list[str]:
    """Name each output, without an ending: a for a.mp3, and a.mp3 when there is an a.wav too.

    None replaces another. Upper and lower case count as the same, as on Windows and macOS.
    """
    paths = [Path(urlsplit(source).path if "://" in source else source) for source in sources]
    stems = Counter(path.stem.casefold() for path in paths)
    names, taken = [], set()
    for path in paths:
        usual = [path.stem] if stems[path.stem.casefold()] == 1 else []
        numbered = (f"{path.name}-{number}" for number in count(2))
        name = next(n for n in chain(usual, [path.name], numbered) if n.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    return names


def _run(options: argparse.Namespace) -> int:
    sources, failures = _find_files(options.files)
    for failure in failures:
        terminal.say(f"error: {failure}")
    if not sources:
        return 1

    pipe = terminal.load(options)
    if pipe is None:
        return 1
    failed = len(failures)
    for number, (source, name) in enumerate(zip(sources, _output_names(sources), strict=True), 1):
        label = source if len(sources) == 1 else f"{source} ({number} of {len(sources)})"
        try:
            _transcribe_one(source, name, label, pipe, options)
        except BrokenPipeError:
            raise
        except Exception as error:  # the next file may be fine
            failed += 1
            terminal.say(f"error: {_explain(error, source)}")
    return 1 if failed else 0


def _transcribe_one(source: str, name: str, label: str, pipe, options: argparse.Namespace) -> None:
    from asr_workshop.transcription import transcribe

    began = time.perf_counter()
    try:
        transcript = transcribe(
            source,
            pipe,
            language=options.language,
            task=options.task,
            words=options.words,
            progress=terminal.progress_line(label),
        )
    finally:
        terminal.wipe_line()
    took = time.perf_counter() - began
    written = [save_transcript(transcript, options.out / f"{name}.{form}") for form in options.to]
    terminal.say(_summary(label, transcript, took, written))
    for note in transcript.guards:
        terminal.say(f"  note: {note}")
    if not options.to:
        heading = f"==> {one_line(source)} <==\n" if label != source else ""
        sys.stdout.write(heading + format_transcript(transcript, "txt"))
        sys.stdout.flush()


def _summary(label: str, transcript: Transcript, took: float, written: list[Path]) -> str:
    seconds = transcript.duration
    factor = f", real-time factor {took / seconds:.2f}" if seconds else ""
    where = f" → {', '.join(map(str, written))}" if written else ""
    silent = "" if transcript.segments else ", no speech found"
    return f"{label}: {seconds:.1f} s of sound in {took:.1f} s{factor}{silent}{where}"


def _explain(error: Exception, source: str) -> str:
    """Say what went wrong in one line: our own errors speak for themselves, others name it."""
    ours = type(error).__module__.startswith("asr_workshop.")
    message = str(error) if ours else f"{type(error).__name__}: {error}"
    return message if Path(source).name in message else f"{source}: {message}"


if __name__ == "__main__":
    sys.exit(main())

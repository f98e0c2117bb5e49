"""What the command lines share: running to an exit code, loading a model, speaking to a person.

Standard output is for results alone; everything said here goes to standard error.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout

from asr_workshop.cues import one_line

# What a folder is searched for. A file named by itself may end in anything.
AUDIO_ENDINGS = (
    *(".aac", ".aif", ".aiff", ".amr", ".au", ".caf", ".flac", ".m4a", ".mkv", ".mov", ".mp3"),
    *(".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm", ".wma"),
)
DTYPES = ("float32", "bfloat16", "float16", "int8")


def run(command: Callable[[], int], stopped: str = "stopped") -> int:
    """Run a command and return its exit code: its own, or 130 when stopped with Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):  # any script, also into a pipe on Windows
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return command()
    except KeyboardInterrupt:
        say(stopped)
        return 130
    except BrokenPipeError:  # whoever reads our output, such as head, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def add_model_options(parser) -> None:
    """Let a command line choose the model and the kind of number it computes with."""
    add = parser.add_argument
    add("--model", metavar="ID", help="model id on the Hub, or a folder (default: one that suits)")
    add(
        "--dtype",
        choices=DTYPES,
        help="kind of number to compute with; int8 is quick on a processor (default: one that "
        "suits the machine)",
    )


def load(options):
    """Load the model and say why this one; None, with the reason said, if it cannot be had."""
    from asr_workshop.models import ModelUnavailable, load_pipeline

    try:
        with redirect_stdout(sys.stderr):
            pipe = load_pipeline(options.model, dtype=options.dtype)
    except ModelUnavailable as error:
        say(f"error: {error}")
        return None
    for reason in pipe.reasons:
        say(reason)
    return pipe


def say(text: str) -> None:
    """Write a line to standard error; a file name in it may hold codes that steer a terminal."""
    print(one_line(text), file=sys.stderr)


def progress_line(label: str) -> Callable[[float, float], None] | None:
    """Keep one line on a terminal up to date; write nothing into a file or pipe."""
    if not sys.stderr.isatty():
        return None
    began = time.monotonic()

    def show(done: float, total: float) -> None:
        share = done / total if total else 0.0
        left = (time.monotonic() - began) * (1 - share) / share if share else 0.0
        about = f"{left / 60:.0f} min" if left > 90 else f"{left:.0f} s"
        text = f"{share:.0%}{f', about {about} left' if left else ''}: {label}"
        wipe_line()
        print(one_line(text)[: _columns()], end="", file=sys.stderr, flush=True)

    show(0.0, 1.0)
    return show


def wipe_line() -> None:
    """Clear the line that progress was shown on."""
    if sys.stderr.isatty():
        print("\r" + " " * _columns() + "\r", end="", file=sys.stderr)


def _columns() -> int:
    return shutil.get_terminal_size().columns - 1


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    wipe_line()
    say(f"warning: {message}")

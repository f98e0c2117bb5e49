"""From a recording to a Transcript: find the speech, let the model listen, keep what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from asr_workshop.audio import SAMPLING_RATE, load_audio
from asr_workshop.guards import Guards
from asr_workshop.phrases import in_sequence
from asr_workshop.speech import WINDOW_SECONDS, Span, find_speech, pack_windows
from asr_workshop.transcript import Segment, Transcript, TranscriptionError

ALL_GUARDS = Guards()
HEARD_AGAIN = "left out at first: listened to again"


def transcribe(
    audio,
    pipe=None,
    *,
    language: str | None = None,
    task: str = "transcribe",
    words: bool = False,
    progress: bool | Callable[[float, float], None] | None = None,
    guards: Guards = ALL_GUARDS,
) -> Transcript:
    """Turn a recording into text with times.

    Parameters
    ----------
    audio : ndarray of float32, shape (n_samples,), or anything that load_audio takes
        An array is taken as mono at 16 kHz.
    pipe : transformers pipeline, optional
        From ``load_pipeline``, or your own ``pipeline("automatic-speech-recognition", …)``.
        Left out, ``load_pipeline()`` picks one.
    language : str, optional
        ``"en"`` or ``"english"``. Left out, Whisper finds out by listening.
    task : "transcribe" or "translate"
        "translate" writes English whatever is spoken.
    words : bool
        Keep the times and confidence of every word.
    progress : bool or callable, optional
        True shows a bar; a callable is given the seconds of speech done and those in all.
    guards : Guards
        The safety nets; all are up unless you take one down.

    Returns
    -------
    Transcript
        Empty, and printed as "(no speech found)", when nobody speaks.

    Raises
    ------
    AudioError
        The recording cannot be read.
    TranscriptionError
        The model cannot do this language or task.

    Examples
    --------
    >>> transcript = transcribe("talk.m4a")  # doctest: +SKIP
    >>> transcript.save("talk.srt")  # doctest: +SKIP
    """
    from asr_workshop.listeners import listener_for

    if pipe is None:
        from asr_workshop.models import load_pipeline

        pipe = load_pipeline()
    listener = listener_for(pipe, language, task)
    if not (isinstance(audio, np.ndarray) and audio.size == 0):  # nothing is no speech, no error
        audio = load_audio(audio)
    spans = find_speech(audio) if guards.only_speech else _regular_cuts(audio)
    segments, notes = _listen(listener, audio, spans, guards, progress)
    if not words:
        segments = [replace(segment, words=()) for segment in segments]
    return Transcript(
        segments=tuple(segments),
        language=listener.language,
        language_probability=listener.language_probability,
        duration=len(audio) / SAMPLING_RATE,
        task=task,
        guards=tuple(notes),
    )


def _listen(listener, audio, spans, guards, progress) -> tuple[list[Segment], list[str]]:
    """Go through all speech, and through what was missed once more, but not a third time."""
    segments: list[Segment] = []
    notes: list[str] = []
    listenings = ((), guards), ((HEARD_AGAIN,), replace(guards, fill_gaps=False))
    with _progress(progress, sum(span.duration for span in spans)) as report:
        for note, up in listenings:
            windows = pack_windows(spans, listener.window_seconds)
            missed = []
            for first in range(0, len(windows), listener.batch_size):
                batch = windows[first : first + listener.batch_size]
                heard = listener.listen(audio, batch, up, report)
                segments += [replace(s, guards=(*note, *s.guards)) for s in heard.segments]
                missed += heard.missed
                notes += heard.dropped
            spans, report = missed, _nothing
    return in_sequence(segments), notes


def _nothing(seconds: float) -> None:
    """Hear of progress and say nothing."""


def detect_language(audio, pipe) -> dict[str, float]:
    """Find out what language is spoken, from the first batch of speech in a recording.

    Parameters
    ----------
    audio : ndarray of float32, shape (n_samples,), or anything that load_audio takes
    pipe : transformers pipeline
        With a multilingual Whisper.

    Returns
    -------
    dict
        Probability by language code, the likeliest first; empty when nobody speaks.

    Raises
    ------
    TranscriptionError
        The model knows one language only.

    Examples
    --------
    >>> detect_language("bonjour.mp3", pipe)  # doctest: +SKIP
    {'fr': 0.99, 'en': 0.002, ...}
    """
    from asr_workshop.listeners import WhisperListener, listener_for

    listener = listener_for(pipe, None, "transcribe")
    if not isinstance(listener, WhisperListener) or listener.language is not None:
        raise TranscriptionError(
            "This model cannot tell languages apart. Load a multilingual Whisper, such as "
            "openai/whisper-base."
        )
    audio = load_audio(audio)
    windows = pack_windows(find_speech(audio))[: listener.batch_size]
    return listener.languages(audio, windows) if windows else {}


def _regular_cuts(audio: np.ndarray) -> list[Span]:
    """The recording cut every 30 s, in the middle of a word if that is where it falls."""
    end = len(audio) / SAMPLING_RATE
    starts = np.arange(0, end, WINDOW_SECONDS)
    return [Span(float(start), min(float(start) + WINDOW_SECONDS, end)) for start in starts]


@contextmanager
def _progress(wanted, total: float) -> Iterator[Callable[[float], None]]:
    """Hand out a function that is told how many more seconds are done."""
    done = 0.0

    def report(seconds: float) -> None:
        nonlocal done
        done += seconds
        wanted(done, total)

    if wanted is True:
        from tqdm.auto import tqdm

        layout = (
            "{percentage:3.0f}% |{bar:30}| {n:.0f} of {total:.0f} s of speech, {remaining} left"
        )
        with tqdm(total=total, bar_format=layout) as bar:
            yield bar.update
    else:
        yield report if wanted else _nothing

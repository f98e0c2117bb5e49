"""Where is somebody talking? Speech found by Silero, packed into windows Whisper can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from asr_workshop.audio import SAMPLING_RATE

WINDOW_SECONDS = 30.0  # what Whisper's encoder can look at
# Where speech runs up to the end of that, Whisper likes to leave the last phrase to a next window.
# On 28 minutes of recordings, tiny.en left out 82 s at 30, and 36 s at 28.
MOST_SPEECH_SECONDS = 28.0
# Shorter spans are laid together up to here. There, tiny.en made no more errors at 24 than at 28,
# and was quicker: the encoder's attention grows with the square of the length.
PACKED_SECONDS = 24.0
SPEECH_THRESHOLD = (
    0.5  # Silero's own default: a frame at least this likely to be speech opens a span
)
MIN_SPEECH_MS = 250  # Silero's own default: shorter bursts are clicks and coughs
MIN_SILENCE_MS = 500  # pauses inside a sentence stay in; longer ones are where a cut is safe
PADDING_MS = 200  # kept on either side, so that a soft first or last sound is not shaved off


@dataclass(frozen=True)
class Span:
    """A stretch of a recording in which somebody talks; ``start`` and ``end`` in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True)
class Window:
    """Speech spans laid end to end that go through the model as one; Whisper takes up to 30 s."""

    spans: tuple[Span, ...]

    @property
    def duration(self) -> float:
        """Seconds of speech in the window, the silences between its spans left out."""
        return sum(span.duration for span in self.spans)

    def cut(self, audio: np.ndarray) -> np.ndarray:
        """The window's sound, shape (n_samples,), cut from the recording at 16 kHz."""
        pieces = [_slice(audio, span) for span in self.spans]
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]

    def part(self, start: float, end: float) -> list[Span]:
        """The spans of the recording that lie between two times on the window's clock."""
        spans, offset = [], 0.0
        for span in self.spans:
            first = max(span.start, span.start + start - offset)
            last = min(span.end, span.start + end - offset)
            if last > first:
                spans.append(Span(first, last))
            offset += span.duration
        return spans

    def to_recording(self, start: float, end: float) -> tuple[float, float]:
        """Turn two times on the window's clock into times on the recording's clock.

        A word cannot be spoken across a silence that was left out, so a stretch that
        touches two spans is kept to the one that holds more of it.
        """
        edges = np.cumsum([0.0, *(span.duration for span in self.spans)])
        overlap = np.minimum(end, edges[1:]) - np.maximum(start, edges[:-1])
        index = int(np.argmax(overlap))
        span, offset = self.spans[index], edges[index]
        inside = np.clip((start - offset, end - offset), 0.0, span.duration)
        return span.start + float(inside[0]), span.start + float(inside[1])


def find_speech(audio: np.ndarray) -> list[Span]:
    """Find the stretches in which somebody talks.

    Silero VAD, a neural network of 0.3 million weights, says for every 32 ms how likely
    speech is; its own rules turn these numbers into spans.

    Parameters
    ----------
    audio : ndarray of float32, shape (n_samples,)
        Mono, 16 kHz.

    Returns
    -------
    list of Span
        In order of time, apart from each other, none longer than 28 s. Empty when nobody speaks.

    References
    ----------
    Silero Team, Silero VAD, https://github.com/snakers4/silero-vad (MIT)

    Examples
    --------
    >>> find_speech(np.zeros(16_000, dtype=np.float32))
    []
    """
    detector = _speech_detector()
    from silero_vad.sequence_vad import get_speech_timestamps_sequence

    spans = get_speech_timestamps_sequence(
        audio,
        detector,
        threshold=SPEECH_THRESHOLD,
        min_speech_duration_ms=MIN_SPEECH_MS,
        min_silence_duration_ms=MIN_SILENCE_MS,
        max_speech_duration_s=MOST_SPEECH_SECONDS,
        speech_pad_ms=PADDING_MS,
    )
    return [Span(s["start"] / SAMPLING_RATE, s["end"] / SAMPLING_RATE) for s in spans]


def pack_windows(spans: Sequence[Span], limit: float = PACKED_SECONDS) -> list[Window]:
    """Lay spans end to end into as few windows as their order allows.

    Parameters
    ----------
    spans : sequence of Span
        In order of time. One longer than ``limit`` gets a window to itself.
    limit : float
        Seconds of speech in one window.

    Examples
    --------
    >>> [len(w.spans) for w in pack_windows([Span(0, 10), Span(12, 22), Span(40, 65)])]
    [2, 1]
    """
    windows: list[list[Span]] = []
    room = 0.0
    for span in spans:
        if span.duration > room:
            windows.append([])
            room = limit
        windows[-1].append(span)
        room -= span.duration
    return [Window(tuple(window)) for window in windows]


@lru_cache(maxsize=1)
def _speech_detector():
    """The model in its form for whole recordings; loaded once.

    Importing silero_vad sets torch to one thread for the whole process; that is put back.
    """
    import torch

    threads = torch.get_num_threads()
    from silero_vad import load_silero_vad

    torch.set_num_threads(threads)
    return load_silero_vad(sequence=True)


def _slice(audio: np.ndarray, span: Span) -> np.ndarray:
    return audio[round(span.start * SAMPLING_RATE) : round(span.end * SAMPLING_RATE)]

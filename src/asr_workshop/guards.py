"""Safety nets against text that nobody said, and against speech that got no text."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

LOOP_RATIO = 2.4  # text that zlib shrinks more than this repeats itself (Whisper paper, 4.5)
NO_SPEECH_PROBABILITY = 0.6  # Whisper paper, 4.5: silence when the model itself says so …
UNSURE_LOG_PROBABILITY = -1.0  # … and is unsure of what it wrote
TOKENS_PER_SECOND = 15  # see token_limit
GAP_SECONDS = 1.0  # long enough for three words; shorter ones are breaths and rounded stamps


@dataclass(frozen=True)
class Guards:
    """Which safety nets are up. All are, unless you take one down.

    Attributes
    ----------
    only_speech : bool
        Look for speech first; nothing else reaches the model. Off: the recording is cut
        every 30 s, wherever that falls.
    retry_loops : bool
        Text that repeats itself is decoded again with some chance in it.
    limit_length : bool
        No more tokens than somebody could say in the time.
    fill_gaps : bool
        Speech that no phrase covers is listened to once more, on its own.
    drop_unsure : bool
        Drop what was written where the model itself says "no speech" and is unsure.

    One more cannot be switched off: the model never sees what it wrote for the window
    before, so a mistake cannot feed the next one. Models other than Whisper tell too little
    about what they write; of these five they have `only_speech`.
    """

    only_speech: bool = True
    retry_loops: bool = True
    limit_length: bool = True
    fill_gaps: bool = True
    drop_unsure: bool = True


def compression_ratio(text: str) -> float:
    """How many times smaller zlib makes a text: plain sentences stay under 2, loops do not.

    Examples
    --------
    >>> compression_ratio("thank you " * 30) > 10
    True
    """
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def gaps(covered: Sequence[tuple[float, float]], duration: float) -> list[tuple[float, float]]:
    """The stretches of a window, of at least a second, that no phrase covers.

    Examples
    --------
    >>> gaps([(0.0, 4.0), (9.5, 20.0)], 20.3)
    [(4.0, 9.5)]
    """
    edges = [0.0, *(edge for stretch in covered for edge in stretch), duration]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in pairs if end - start >= GAP_SECONDS]


def token_limit(seconds: float) -> int:
    """The most tokens that somebody could say in a time.

    The fastest of some 200 English recordings came to 7 tokens a second. Twice that leaves room
    for languages whose words the tokenizer breaks into more pieces; ten more let short windows
    end.
    """
    return round(10 + TOKENS_PER_SECOND * seconds)


def seems_silent(no_speech_probability: float, mean_log_probability: float) -> bool:
    """Does the model itself doubt that anybody spoke?"""
    return (
        no_speech_probability > NO_SPEECH_PROBABILITY
        and mean_log_probability < UNSURE_LOG_PROBABILITY
    )

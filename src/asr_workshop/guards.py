"""Safety nets against text that nobody said."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

LOOP_RATIO = 2.4  # text that zlib shrinks more than this repeats itself (Whisper paper, 4.5)
NO_SPEECH_PROBABILITY = 0.6  # Whisper paper, 4.5: silence when the model itself says so …
UNSURE_LOG_PROBABILITY = -1.0  # … and is unsure of what it wrote
TOKENS_PER_SECOND = 15  # see token_limit


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
    drop_unsure : bool
        Drop what was written where the model itself says "no speech" and is unsure.

    One more cannot be switched off: the model never sees what it wrote for the window
    before, so a mistake cannot feed the next one.
    """

    only_speech: bool = True
    retry_loops: bool = True
    limit_length: bool = True
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


def token_limit(seconds: float) -> int:
    """The most tokens that somebody could say in a time.

    A quick speaker reaches about 6 tokens a second in English and about 10 in languages
    whose words Whisper's tokenizer breaks into many pieces; ten more let short windows end.
    """
    return round(10 + TOKENS_PER_SECOND * seconds)


def seems_silent(no_speech_probability: float, mean_log_probability: float) -> bool:
    """Does the model itself doubt that anybody spoke?"""
    return (
        no_speech_probability > NO_SPEECH_PROBABILITY
        and mean_log_probability < UNSURE_LOG_PROBABILITY
    )

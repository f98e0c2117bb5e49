"""Words into segments: cut where a sentence ends or the speaker pauses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from asr_workshop.transcript import Segment, Word

SENTENCE_ENDS = tuple(".?!…。？！")
CLOSING_MARKS = "\"'”’»)]」』"
ABBREVIATIONS = frozenset("mr mrs ms dr st prof rev gen col capt sgt jr sr vs no".split())
PAUSE_SECONDS = 1.0  # a longer one ends a segment even inside a sentence


def split_phrases(words: Sequence[Word]) -> list[Segment]:
    """Gather words into segments, each a sentence or what was said between two pauses.

    Parameters
    ----------
    words : sequence of Word
        In order of time, each text with the space that stands before it, if any: that is
        how languages with and without spaces come out right, even mixed.

    Returns
    -------
    list of Segment
        Every word is in exactly one. Stretches without a letter or digit are left out.

    Examples
    --------
    >>> words = [Word(0.0, 0.4, " Hi."), Word(0.5, 0.9, " Who"), Word(0.9, 1.3, " is it?")]
    >>> [segment.text for segment in split_phrases(words)]
    ['Hi.', 'Who is it?']
    """
    phrases: list[list[Word]] = []
    for word in words:
        if not phrases or _ends(phrases[-1][-1], word):
            phrases.append([])
        phrases[-1].append(word)
    segments = [_segment(phrase) for phrase in phrases]
    return [segment for segment in segments if any(map(str.isalnum, segment.text))]


def in_order(words: Iterable[Word], duration: float) -> list[Word]:
    """The same words with times that never go back and stay inside the recording."""
    ordered, clock = [], 0.0
    for word in words:
        start = min(max(round(word.start, 3), clock), duration)
        clock = min(max(round(word.end, 3), start), duration)
        ordered.append(replace(word, start=start, end=clock))
    return ordered


def in_sequence(segments: Iterable[Segment]) -> list[Segment]:
    """The same segments in order of time, none beginning before the one before it has ended."""
    ordered, clock = [], 0.0
    for segment in sorted(segments, key=lambda segment: segment.start):
        start, end = max(segment.start, clock), max(segment.end, clock)
        words = [
            replace(w, start=max(w.start, clock), end=max(w.end, clock)) for w in segment.words
        ]
        ordered.append(replace(segment, start=start, end=end, words=tuple(words)))
        clock = end
    return ordered


def mean_confidence(confidences: Iterable[float | None]) -> float | None:
    """Geometric mean of probabilities; ``None`` where the model does not tell."""
    known = [confidence for confidence in confidences if confidence is not None]
    if not known:
        return None
    return math.exp(sum(math.log(max(c, 1e-9)) for c in known) / len(known))


def _ends(word: Word, following: Word) -> bool:
    text = word.text.strip().rstrip(CLOSING_MARKS)
    sentence_over = text.endswith(SENTENCE_ENDS) and not _abbreviates(text)
    new_word = following.text.startswith(" ") or not following.text.isascii()  # not the 5 of 3.5
    return (sentence_over and new_word) or following.start - word.end >= PAUSE_SECONDS


def _abbreviates(text: str) -> bool:
    """Tell the full stop of "Mr." and of a name's "J." from that of a sentence."""
    name = text.removesuffix(".")
    return name.lower() in ABBREVIATIONS or (len(name) == 1 and name.isupper() and name != "I")


def _segment(words: list[Word]) -> Segment:
    return Segment(
        start=words[0].start,
        end=words[-1].end,
        text="".join(word.text for word in words).strip(),
        confidence=mean_confidence(word.confidence for word in words),
        words=tuple(replace(word, text=word.text.strip()) for word in words),
    )

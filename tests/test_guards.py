"""The safety nets, and the words they are put in."""

from __future__ import annotations

from asr_workshop.guards import LOOP_RATIO, compression_ratio, seems_silent, token_limit

SENTENCE = (
    "Most of what people tell each other is spoken, and most of it is never written down. "
    "Today you will help a computer listen, and then you will check what it heard."
)


def test_ordinary_sentences_are_no_loop():
    assert compression_ratio(SENTENCE) < LOOP_RATIO


def test_text_that_repeats_itself_is_a_loop():
    assert compression_ratio("thank you for watching " * 12) > LOOP_RATIO


def test_no_text_is_no_loop():
    assert compression_ratio("") == 0.0


def test_the_limit_leaves_room_for_twice_the_fastest_speech_seen():
    assert token_limit(30) > 2 * 7 * 30


def test_even_a_short_sound_may_hold_a_word():
    assert token_limit(0.3) >= 10


def test_silence_needs_both_signs():
    assert seems_silent(0.9, -1.5)
    assert not seems_silent(0.9, -0.3), "sure of its words: keep them"
    assert not seems_silent(0.2, -1.5), "somebody speaks, if unclearly: keep it"

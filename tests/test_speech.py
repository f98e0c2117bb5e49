"""Where somebody talks, and how it is packed for the model."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_workshop.audio import load_audio
from asr_workshop.clips import clip
from asr_workshop.speech import (
    MOST_SPEECH_SECONDS,
    PACKED_SECONDS,
    Span,
    Window,
    find_speech,
    pack_windows,
)


def test_silence_holds_no_speech():
    assert find_speech(np.zeros(16_000 * 5, dtype=np.float32)) == []


def test_an_empty_array_holds_no_speech():
    assert find_speech(np.zeros(0, dtype=np.float32)) == []


@pytest.mark.parametrize("name", ["empty_room.opus", "tune.ogg", "sweep.flac"])
def test_a_room_a_tune_and_a_tone_hold_no_speech(name):
    assert find_speech(load_audio(clip(name))) == []


def test_speech_after_a_long_silence_is_found_where_it_begins():
    spans = find_speech(load_audio(clip("late.flac")))
    assert 7.5 < spans[0].start < 8.6


def test_spans_are_apart_in_order_and_fit_a_window():
    audio = load_audio(clip("talk.opus"))
    spans = find_speech(np.concatenate([audio] * 2))
    assert len(spans) > 10
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(0 < span.duration <= MOST_SPEECH_SECONDS for span in spans)


def test_the_librarys_frame_by_frame_way_finds_the_same():
    import torch
    from silero_vad import get_speech_timestamps, load_silero_vad

    from asr_workshop import speech

    audio = load_audio(clip("pauses.webm"))
    expected = get_speech_timestamps(
        torch.from_numpy(audio),
        load_silero_vad(),
        min_silence_duration_ms=speech.MIN_SILENCE_MS,
        speech_pad_ms=speech.PADDING_MS,
        max_speech_duration_s=MOST_SPEECH_SECONDS,
    )
    found = [(round(s.start * 16_000), round(s.end * 16_000)) for s in find_speech(audio)]
    assert found == [(span["start"], span["end"]) for span in expected]


def test_looking_for_speech_leaves_torch_its_threads():
    code = (
        "import torch, numpy; torch.set_num_threads(2);"
        "from asr_workshop.speech import find_speech;"
        "find_speech(numpy.zeros(16000, dtype='float32')); print(torch.get_num_threads())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "2"


def spans_from(lengths_and_gaps) -> list[Span]:
    clock, spans = 0.0, []
    for length, gap in lengths_and_gaps:
        spans.append(Span(clock + gap, clock + gap + length))
        clock += gap + length
    return spans


some_lengths = st.floats(0.1, MOST_SPEECH_SECONDS)
some_spans = st.lists(st.tuples(some_lengths, st.floats(0, 20)), max_size=30).map(spans_from)


@given(some_spans)
def test_every_span_is_in_one_window_and_windows_are_as_full_as_can_be(spans):
    windows = pack_windows(spans)
    assert [span for window in windows for span in window.spans] == spans
    for window in windows:
        assert window.duration <= PACKED_SECONDS + 1e-6 or len(window.spans) == 1
    for window, after in pairwise(windows):
        assert window.duration + after.spans[0].duration > PACKED_SECONDS - 1e-6


def test_a_span_longer_than_a_window_gets_one_to_itself():
    spans = spans_from([(5, 0), (30, 1), (5, 1)])
    assert [window.spans for window in pack_windows(spans)] == [(span,) for span in spans]


@given(some_spans.filter(bool), st.floats(0, 1), st.floats(0, 1))
def test_a_windows_times_become_times_inside_one_of_its_spans(spans, early, late):
    window = pack_windows(spans)[0]
    start, end = sorted((early * window.duration, late * window.duration))
    start, end = window.to_recording(start, end)
    assert start <= end
    assert any(s.start - 1e-6 <= start and end <= s.end + 1e-6 for s in window.spans)


def test_the_silence_between_spans_is_left_out_and_its_time_put_back():
    audio = np.arange(16_000 * 4, dtype=np.float32)
    window = Window((Span(0.0, 1.0), Span(3.0, 4.0)))
    assert np.array_equal(window.cut(audio), np.r_[audio[:16_000], audio[48_000:]])
    assert window.to_recording(1.5, 1.75) == (3.5, 3.75)


def test_a_word_over_a_gap_is_kept_to_the_span_that_holds_more_of_it():
    window = Window((Span(0.0, 1.0), Span(3.0, 4.0)))
    assert window.to_recording(0.9, 1.4) == (3.0, 3.4)

"""Words become segments that end where sentences and pauses are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from asr_workshop.phrases import in_order, in_sequence, mean_confidence, split_phrases
from asr_workshop.transcript import Segment, Word


def words(text: str, gap: float = 0.0) -> list[Word]:
    return [
        Word(i * (0.3 + gap), i * (0.3 + gap) + 0.3, f" {w}") for i, w in enumerate(text.split())
    ]


def texts(text: str, **options) -> list[str]:
    return [segment.text for segment in split_phrases(words(text, **options))]


def test_a_sentence_is_a_segment():
    assert texts("It rained. Nobody came!") == ["It rained.", "Nobody came!"]


def test_an_abbreviation_ends_no_sentence():
    assert texts("Mr. Finch met Dr. J. Okoro. They left.") == [
        "Mr. Finch met Dr. J. Okoro.",
        "They left.",
    ]


def test_a_closing_quotation_mark_belongs_to_its_sentence():
    assert texts("“Stop.” He did.") == ["“Stop.”", "He did."]


def test_the_point_of_a_number_ends_no_sentence():
    split = [Word(0.0, 0.3, " 3."), Word(0.3, 0.5, "5"), Word(0.5, 0.9, " metres.")]
    assert [segment.text for segment in split_phrases(split)] == ["3.5 metres."]


def test_a_long_pause_ends_a_segment_without_a_full_stop():
    assert texts("one two", gap=1.5) == ["one", "two"]


def test_a_language_without_spaces_comes_out_without_spaces():
    split = [Word(0.0, 0.3, "你"), Word(0.3, 0.5, "好。"), Word(0.5, 0.9, "再见。")]
    assert [segment.text for segment in split_phrases(split)] == ["你好。", "再见。"]


def test_dots_alone_are_no_segment():
    assert texts("... Yes.") == ["Yes."]


def test_confidence_is_the_geometric_mean():
    assert abs(mean_confidence([0.9, 0.4]) - 0.6) < 1e-9
    assert mean_confidence([None]) is None


times = st.floats(-5, 50)


@given(st.lists(st.tuples(times, times), max_size=30), st.floats(0, 40))
def test_times_never_go_back_and_never_leave_the_recording(pairs, duration):
    ordered = in_order([Word(start, end, "x") for start, end in pairs], duration)
    clock = 0.0
    for word in ordered:
        assert clock <= word.start <= word.end <= duration
        clock = word.end


@given(st.lists(st.sampled_from([" yes", " no.", "n't", " Why?", " Dr.", "。", " 7"]), max_size=40))
def test_no_word_with_a_letter_is_lost(pieces):
    spoken = [Word(i, i + 0.5, piece) for i, piece in enumerate(pieces)]
    kept = "".join("".join(w.text for w in s.words) for s in split_phrases(spoken))
    assert [c for c in kept if c.isalnum()] == [c for c in "".join(pieces) if c.isalnum()]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 5)), max_size=20))
def test_segments_come_in_sequence_and_do_not_overlap(stretches):
    made = [
        Segment(start, start + length, "x", words=(Word(start, start + length, "x"),))
        for start, length in stretches
    ]
    clock = 0.0
    for segment in in_sequence(made):
        assert clock <= segment.start <= segment.end
        assert segment.start <= segment.words[0].start <= segment.words[0].end <= segment.end
        clock = segment.end

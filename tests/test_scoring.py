"""Word and character error rate: what counts as an error, and how sure the number is."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from importlib.resources import files

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr_workshop.scoring import (
    ErrorReport,
    ScoringError,
    character_error_rate,
    normalize,
    score,
    word_error_rate,
)
from asr_workshop.transcript import Segment, Transcript

# Few words, so that some of them meet, and some that the normalizer changes or takes away.
WORDS = ["the", "The", "boat", "boat,", "it's", "twenty", "one", "um", "(cough)", "colour", "£5"]
texts = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=6)
anything = st.text(max_size=60)
languages = st.sampled_from(["en", "de", "hi", "ja", "th", "ar", None])


# --- Made alike before they are compared

SENTENCES = [
    "Mr. Finch can't come; he's in the theatre.",
    "It cost twenty-one pounds and fifty pence.",
    "In the nineteen sixties, 1,500 people lived here.",
    "Um, I would've organised it, uh, differently.",
    "[laughter] That is (more or less) the colour of my neighbour's car.",
    "The 3rd of May, at half past ten o'clock.",
    "One oh one Dalmatians; double seven, triple nine.",
    "We won't pay $20 million, nor 5%, nor three point one four.",
    "Zoë's café façade — naïve, isn't it?",
    "I'ma gonna wanna gotta go.",
    "Dr. O'Brien said: “Let's analyse two and a half litres.”",
    "",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_english_is_made_alike_as_whisper_itself_does_it(sentence):
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    table = files("whisper_normalizer").joinpath("normalizers/english.json")
    whispers = EnglishTextNormalizer(json.loads(table.read_text(encoding="utf-8")))
    assert normalize(sentence) == whispers(sentence).strip()


def test_case_punctuation_and_hesitation_are_no_errors():
    assert word_error_rate("Well, uh, PUT it back!", "well put it back") == 0


def test_dots_of_hesitation_are_no_word():
    assert normalize("So... it's 3.5 … metres.") == "so it is 3.5 meters"
    assert normalize("...") == ""


def test_numbers_and_spellings_may_be_written_either_way():
    assert word_error_rate("Twenty-one grey colours", "21 gray colors") == 0


def test_a_region_does_not_change_the_language():
    assert normalize("The colour", "en-GB") == normalize("The colour", "EN_us") == "the color"


def test_a_language_may_be_named_as_for_transcribe():
    assert normalize("The colour", "english") == "the color"
    assert normalize("你好。", "Chinese") == "你 好"


def test_german_keeps_its_letters_and_spellings():
    assert normalize("Größe: colour!", "de") == "größe colour"


def test_without_a_language_words_are_compared_as_they_stand():
    assert normalize("  Put   it\nback. ", None) == "Put it back."
    assert word_error_rate("Put it", "put it", language=None) == 0.5


# --- The rates


def test_a_word_of_five_is_twenty_percent():
    assert word_error_rate("put the small boat back", "put the small coat back") == 0.2


def test_more_words_than_were_said_give_more_than_one():
    assert word_error_rate("yes", "thank you for watching") == 4.0


def test_several_recordings_are_pooled_and_not_averaged():
    references, hypotheses = ["one two three go", "yes"], ["one two three go", "no"]
    assert word_error_rate(references, hypotheses) == pytest.approx(
        1 / score(references, hypotheses).n_words
    )


def test_characters_count_the_space_between_words():
    assert character_error_rate("ab cd", "abcd") == pytest.approx(1 / 5)


def test_chinese_is_scored_by_characters():
    report = score("你好，世界。", "你好世间", "zh")
    assert report.n_words == 4
    assert report.word_error_rate == report.character_error_rate == 0.25


def test_every_recording_may_have_its_own_language():
    report = score(["Grey.", "你好", "Grau."], ["gray", "你", "grau"], ["en", "zh", "de"])
    assert [utterance.errors for utterance in report.utterances] == [0, 1, 0]


def test_a_transcript_counts_as_its_text():
    transcript = Transcript((Segment(0.0, 1.0, "Put it back."),), "en", 1.0, 1.0)
    assert word_error_rate("put it back", transcript) == 0
    assert word_error_rate(["put it back"], [transcript]) == 0


# --- Where nobody speaks


def test_where_nobody_spoke_there_is_no_rate():
    assert math.isnan(word_error_rate("", "thank you"))
    assert math.isnan(character_error_rate("", ""))


def test_invented_text_is_counted_in_its_recording_and_listed():
    report = score(["yes", "", ""], ["yes", "Thank you.", "..."])
    assert report.utterances[1].insertions == 2
    assert report.invented == (report.utterances[1],)


def test_invented_text_changes_no_pooled_rate():
    said, written = ["put it back", "go on"], ["put it bag", "go on"]
    with_silence = score([*said, ""], [*written, "thank you for watching"])
    assert with_silence.word_error_rate == word_error_rate(said, written)
    assert with_silence.character_error_rate == character_error_rate(said, written)
    assert with_silence.insertions == 0
    assert with_silence.interval() == score(said, written).interval()


def test_a_hesitation_alone_is_not_speech():
    assert math.isnan(word_error_rate("Um.", "Um."))


def test_no_recordings_at_all_have_no_rate_and_no_interval():
    report = score([], [])
    assert math.isnan(report.word_error_rate)
    assert all(map(math.isnan, report.interval()))
    assert "not defined" in str(report)


# --- What always holds


@given(pairs)
def test_every_word_said_is_hit_substituted_or_deleted(several):
    for scored in score(*zip(*several, strict=True)).utterances:
        said, written = normalize(scored.reference), normalize(scored.hypothesis)
        assert list(scored.reference_words) == said.split()
        assert list(scored.hypothesis_words) == written.split()
        assert scored.hits + scored.substitutions + scored.deletions == len(said.split())
        assert scored.hits + scored.substitutions + scored.insertions == len(written.split())
        assert scored.n_words == len(said.split())


@given(pairs)
def test_the_rates_are_jiwers_on_the_normalized_texts(several):
    made_alike = [(normalize(a), normalize(b)) for a, b in several]
    spoken = [(a, b) for a, b in made_alike if a]
    report = score(*zip(*several, strict=True))
    if spoken:
        said, written = map(list, zip(*spoken, strict=True))
        assert report.word_error_rate == pytest.approx(jiwer.wer(said, written))
        assert report.character_error_rate == pytest.approx(jiwer.cer(said, written))
    else:
        assert math.isnan(report.word_error_rate)


@given(anything, languages)
def test_a_text_has_no_errors_beside_itself(text, language):
    report = score(text, text, language)
    assert report.errors == 0
    assert report.utterances[0].character_errors == 0


@given(anything, anything, languages)
def test_any_two_texts_can_be_compared(reference, hypothesis, language):
    scored = score(reference, hypothesis, language).utterances[0]
    longer = max(len(scored.reference_words), len(scored.hypothesis_words))
    assert scored.errors <= longer <= len(scored.steps)
    for step in scored.steps:
        assert (step.kind == "hit") == (step.reference == step.hypothesis)
        assert (step.kind == "insertion") == (not step.reference)
        assert (step.kind == "deletion") == (not step.hypothesis)


@given(pairs, st.floats(0.05, 0.95))
def test_an_interval_is_ordered_and_not_below_zero(several, level):
    report = score(*zip(*several, strict=True))
    low, high = report.interval(level, n_resamples=50)
    assert math.isnan(low) if not report.n_words else 0 <= low <= high
    rates = [utterance.word_error_rate for utterance in report.spoken]
    assert not rates or min(rates) <= low <= high <= max(rates) + 1e-9


# --- How sure the number is


@pytest.fixture(scope="module")
def half_wrong() -> ErrorReport:
    """Forty recordings of four words: every second has one of them wrong."""
    return score(["put it back now"] * 40, ["put it back now", "put it back then"] * 20)


def test_the_interval_holds_the_rate_and_is_about_as_wide_as_theory_says(half_wrong):
    low, high = half_wrong.interval()
    assert low < half_wrong.word_error_rate < high
    # The rate is half a binomial share of 40 trials, over 4 words: 1.96 standard errors each way.
    expected = 2 * 1.96 * math.sqrt(0.5 * 0.5 / 40) / 4
    assert high - low == pytest.approx(expected, rel=0.2)


def test_the_same_seed_gives_the_same_interval(half_wrong):
    assert half_wrong.interval(seed=3) == half_wrong.interval(seed=3)
    one, other = (half_wrong.interval(n_resamples=9, seed=seed) for seed in (3, 4))
    assert one != other


def test_to_be_surer_the_interval_is_wider(half_wrong):
    low, high = half_wrong.interval(level=0.99)
    lower, higher = half_wrong.interval(level=0.5)
    assert low < lower < higher < high


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, math.nan])
def test_a_level_is_a_share(half_wrong, level):
    with pytest.raises(ScoringError, match="between 0 and 1"):
        half_wrong.interval(level)


# --- What you see of it


def test_the_worst_come_first_and_the_perfect_not_at_all():
    report = score(["a b", "c d", "e f g h", "i"], ["x b", "c d", "x y z h", "i"], None)
    assert [scored.reference for scored in report.worst()] == ["e f g h", "a b"]
    assert len(report.worst(1)) == 1


def test_a_report_is_a_few_plain_lines():
    report = score(["put it back"] * 6 + [""], ["put it bag"] + ["put it back"] * 5 + ["Bye!"])
    lines = str(report).splitlines()
    assert lines[0].startswith("Word error rate: 5.6 % (95 % interval 0.0 to ")
    assert lines[0].endswith(", 18 words in 6 recordings")
    assert lines[2] == "Errors: 1 substituted, 0 deleted, 0 inserted"
    assert lines[3] == "Text where nobody spoke: 1 of 1 recording"


def test_a_notebook_shows_the_same_as_a_table():
    report = score(["put it back"] * 6, ["put it bag"] * 6)
    page = report._repr_html_()
    assert page.count("<tr>") == len(str(report).splitlines())
    assert "33.3 %" in page


def test_with_few_recordings_no_interval_is_shown():
    assert "interval" not in str(score(["a"] * 4, ["a"] * 4))


# --- What cannot be compared


def test_each_reference_needs_a_hypothesis():
    with pytest.raises(ScoringError, match="2 references, 1 hypotheses"):
        word_error_rate(["a", "b"], ["a"])
    with pytest.raises(ScoringError, match="1 languages"):
        score(["a", "b"], ["a", "b"], ["en"])


@pytest.mark.parametrize("nothing", [None, 3, b"bytes"])
def test_what_is_no_text_is_refused_with_its_kind(nothing):
    with pytest.raises(ScoringError, match=type(nothing).__name__):
        score(["a", "b"], ["a", nothing])


def test_importing_the_scores_loads_nothing_heavy():
    code = (
        "import sys, asr_workshop.scoring as s; s.word_error_rate('a b', 'a c');"
        "print({'torch', 'transformers', 'librosa', 'matplotlib'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"

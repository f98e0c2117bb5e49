"""A transcript written out: readable cues, right escaping, whole files."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import stat

import av
import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr_workshop.captions import CaptionError, format_transcript, save_transcript
from asr_workshop.cues import Cue, caption_cues, columns, one_line
from asr_workshop.transcript import Segment, Transcript, Word
from asr_workshop.writing import write_whole

FORMS = ["srt", "vtt", "txt", "json", "tsv"]
SENTENCE = "We went down to the river, because the day was warm and nobody wanted to stay inside."


def transcript_of(*segments, language="en", duration=None) -> Transcript:
    end = max((segment.end for segment in segments), default=0.0)
    return Transcript(tuple(segments), language, 1.0, end if duration is None else duration)


def say(text, seconds=10.0, language="en", duration=None) -> Transcript:
    return transcript_of(Segment(0.0, seconds, text), language=language, duration=duration)


def all_lines(transcript) -> list[str]:
    return [line for cue in caption_cues(transcript) for line in cue.lines]


def squeezed(text) -> str:
    """The text without its white space and control characters."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", "", text)


unhurried = settings(deadline=None, max_examples=60)

# Any text at all, with more than its share of what makes trouble.
nasty = st.sampled_from(
    [
        *("<b>x</b>", "&amp;", "-->", r"{\an8}", r"{\p1}", r"C:\new", r"\N", "=1+1", "7", "…"),
        *("\n\n", "\r", "\t", "\0", "\u2028", "\u202e", "\U0001f469\u200d\U0001f467", "e\u0301"),
        *("你好。", "ความ", "مرحبا", "x" * 60),
    ]
)
# No lone halves of characters: those have a test of their own.
texts = st.lists(nasty | st.text(st.characters(exclude_categories=["Cs"])), max_size=5).map(
    " ".join
)


@st.composite
def transcripts(draw):
    gaps = st.floats(0, 4) | st.just(0.0)
    segments, clock = [], 0.0
    for text in draw(st.lists(texts, max_size=4)):
        start = clock + draw(gaps)
        clock = start + draw(gaps)
        words = draw(st.sampled_from([(), spread(text, start, clock, power=2)]))
        segments.append(Segment(start, clock, text, None, words))
    language = draw(st.sampled_from(["en", "de", "zh", "ar", None]))
    return Transcript(tuple(segments), language, None, clock + draw(gaps))


def spread(text, start, end, power=1) -> tuple[Word, ...]:
    """Words with equal times, or with a power above 1 crowded at the start."""
    words = text.split()
    times = [
        start + (end - start) * (i / max(len(words), 1)) ** power for i in range(len(words) + 1)
    ]
    return tuple(Word(times[i], times[i + 1], word) for i, word in enumerate(words))


def read_srt(text) -> list[Cue]:
    """Read with pysubs2. A last cue is added: it takes the last line for a number otherwise."""
    last = "1\n99:00:00,000 --> 99:00:01,000\nend\n\n"
    events = pysubs2.SSAFile.from_string(text + last, format_="srt").events[:-1]
    return [Cue(e.start / 1000, e.end / 1000, tuple(e.text.split(r"\N"))) for e in events]


def read_vtt(text) -> list[Cue]:
    """Read by the rules of the WebVTT standard, as far as our files go."""
    header, *blocks = text.removesuffix("\n\n").split("\n\n")
    assert header == "WEBVTT"
    cues = []
    for block in blocks:
        _, times, *lines = block.split("\n")
        start, end = re.fullmatch(
            r"(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})", times
        ).groups()
        assert not any("-->" in line or "<" in line for line in lines)
        cues.append(Cue(seconds(start), seconds(end), tuple(map(html.unescape, lines))))
    return cues


def seconds(stamp) -> float:
    hours, minutes, rest = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


# --- What always holds


@given(transcripts())
@unhurried
def test_cues_follow_each_other_inside_the_sound(transcript):
    times = [t for cue in caption_cues(transcript) for t in (cue.start, cue.end)]
    assert times == sorted(times)
    assert all(0 <= time <= transcript.duration for time in times)


@given(transcripts())
@unhurried
def test_cues_have_one_or_two_lines_of_at_most_42_columns(transcript):
    for cue in caption_cues(transcript):
        assert 1 <= len(cue.lines) <= 2
        assert all(1 <= columns(line) <= 42 for line in cue.lines)


@given(transcripts())
@unhurried
def test_no_text_is_lost_and_none_is_said_twice(transcript):
    assert squeezed("".join(all_lines(transcript))) == squeezed(transcript.text)


@given(transcripts())
@unhurried
def test_srt_survives_a_round_trip(transcript):
    cues, read = caption_cues(transcript), read_srt(format_transcript(transcript, "srt"))
    assert_same_texts(cues, read)
    assert_same_times(cues, read)


@given(transcripts())
@unhurried
def test_vtt_survives_a_round_trip(transcript):
    written, cues = format_transcript(transcript, "vtt"), caption_cues(transcript)
    assert len(pysubs2.SSAFile.from_string(written, format_="vtt")) == len(cues)
    read = read_vtt(written)
    assert_same_texts(cues, read)
    assert_same_times(cues, read)


def assert_same_texts(cues, read):
    def text(cue):
        return squeezed("".join(cue.lines)).replace("\u2060", "")

    assert [text(cue) for cue in read] == [text(cue) for cue in cues]


def assert_same_times(cues, read):
    assert len(read) == len(cues)
    for cue, again in zip(cues, read, strict=True):
        assert again.start == pytest.approx(cue.start, abs=0.00101)
        assert again.end == pytest.approx(cue.end, abs=0.00101)


@given(transcripts())
@unhurried
def test_every_tsv_row_has_its_three_cells(transcript):
    table = format_transcript(transcript, "tsv")
    assert table.count("\n") == len(transcript.segments) + 1
    rows = list(csv.reader(io.StringIO(table, newline=""), dialect="excel-tab"))
    assert rows[0] == ["start", "end", "text"]
    assert all(len(row) == 3 for row in rows)
    assert [row[2].removeprefix("'") for row in rows[1:]] == [
        one_line(segment.text).removeprefix("'") for segment in transcript.segments
    ]


@given(transcripts())
@unhurried
def test_json_keeps_everything_as_it_was(transcript):
    assert json.loads(format_transcript(transcript, "json")) == json.loads(
        json.dumps(transcript.to_dict())
    )


# --- Where lines and cues break


def test_a_short_sentence_is_one_line():
    assert caption_cues(say("Hello there.", 2.0)) == [Cue(0.0, 2.0, ("Hello there.",))]


def test_a_cue_ends_where_a_sentence_ends():
    text = (
        "The first sentence is short. The second one is quite a bit longer than the first. "
        "The third one closes the matter for good."
    )
    assert all(cue.lines[-1].endswith(".") for cue in caption_cues(say(text)))


def test_a_line_breaks_after_a_comma_rather_than_inside_a_phrase():
    assert all_lines(say("When the rain had stopped, we went on with our walk home.")) == [
        "When the rain had stopped,",
        "we went on with our walk home.",
    ]


def test_a_line_breaks_before_a_conjunction_or_preposition():
    assert all_lines(say("Nobody had told the new people about the old rule here.")) == [
        "Nobody had told the new people",
        "about the old rule here.",
    ]


def test_a_line_does_not_end_with_a_word_that_leans_on_the_next():
    assert all_lines(say("Some very old people said they could remember everything about it.")) == [
        "Some very old people said",
        "they could remember everything about it.",
    ]


@pytest.mark.parametrize("count", range(8, 60))
def test_no_cue_is_a_single_left_over_word(count):
    cues = caption_cues(say(" ".join(["speaking"] * count) + ".", count * 0.6))
    assert all(" " in " ".join(cue.lines) for cue in cues)


def test_two_lines_are_about_equally_long():
    for cue in caption_cues(say(" ".join(["word"] * 48), 20.0)):
        widths = [len(line) for line in cue.lines]
        assert max(widths) - min(widths) <= 5


def test_a_title_is_not_the_end_of_a_sentence():
    lines = all_lines(say("Yesterday in the evening we saw Dr. Brown at the old station again."))
    assert not any(line.endswith("Dr.") for line in lines)


def test_other_languages_break_before_their_own_small_words():
    text = "Niemand hatte den neuen Leuten von der alten Regel etwas gesagt."
    assert all_lines(say(text, language="de"))[1].startswith("von")


def test_a_long_address_is_cut_and_nothing_of_it_vanishes():
    address = "https://example.com/" + "a" * 40
    lines = all_lines(say(f"See {address} today."))
    assert "".join(lines).replace(" ", "") == f"See{address}today."


def test_letters_keep_their_accents_when_a_word_is_cut():
    lines = all_lines(say("e\u0301" * 60))
    assert all(line.startswith("e") and line.endswith("\u0301") for line in lines)


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh", "我们今天讨论语音识别的原理" * 6), ("ja", "音声認識について話します" * 6)],
)
def test_full_width_text_has_at_most_16_characters_a_line(language, text):
    lines = all_lines(say(text, 20.0, language))
    assert max(map(len, lines)) <= 16
    assert "".join(lines) == text


def test_full_width_punctuation_does_not_begin_a_line():
    lines = all_lines(say("今天天气很好，我们出去走走吧。" * 8, 30.0, "zh"))
    assert not any(line[0] in "，。" for line in lines)


def test_thai_breaks_where_the_transcript_knows_words():
    words = ["สวัสดี", "ครับ", "วันนี้", "เรา", "จะ", "พูดถึง", "การ", "รู้จำ", "เสียง", "พูด"] * 2
    spoken = tuple(Word(i / 2, i / 2 + 0.5, word) for i, word in enumerate(words))
    segment = Segment(0.0, 10.0, "".join(words), None, spoken)
    lines = all_lines(transcript_of(segment, language="th"))
    assert len(lines) > 1
    assert all(any(line.startswith(word) for word in words) for line in lines)
    assert all(any(line.endswith(word) for word in words) for line in lines)


def test_text_from_right_to_left_stays_as_it_is():
    text = "مرحبا بكم في هذه الورشة"
    assert all_lines(say(text, language="ar")) == [text]


# --- When cues are on screen


def test_a_quick_word_stays_for_a_second_when_silence_follows():
    assert caption_cues(say("Yes.", 0.2, duration=5.0)) == [Cue(0.0, 1.0, ("Yes.",))]


def test_a_cue_leaves_a_small_gap_before_the_next():
    transcript = transcript_of(Segment(0.0, 0.5, SENTENCE[:80]), Segment(3.0, 6.0, SENTENCE[:80]))
    first, second = caption_cues(transcript)
    assert second.start == 3.0
    assert first.end == pytest.approx(2.92)


def test_a_word_at_the_very_end_appears_a_little_early():
    transcript = transcript_of(Segment(0.0, 3.0, "The end is near."), Segment(9.9, 10.0, "Bye."))
    assert caption_cues(transcript)[-1] == Cue(9.0, 10.0, ("Bye.",))


def test_words_too_quick_to_be_read_alone_share_a_cue():
    words = [
        Segment(i * 0.3, i * 0.3 + 0.3, f"{word}.")
        for i, word in enumerate(["One", "Two", "Three"])
    ]
    assert all_lines(transcript_of(*words)) == ["One. Two. Three."]


def test_nobody_has_to_read_faster_than_20_characters_a_second_when_there_is_time():
    text = " ".join([SENTENCE] * 4)
    segment = Segment(0.0, 25.0, text, None, spread(text, 0.0, 25.0))
    for cue in caption_cues(transcript_of(segment)):
        assert sum(map(len, cue.lines)) <= 20.5 * (cue.end - cue.start)


def test_a_cue_begins_with_its_first_word_where_word_times_are_known():
    words = (
        Word(2.0, 2.5, "Hello"),
        Word(2.5, 3.0, "there."),
        Word(7.0, 7.5, "Good"),
        Word(7.5, 8.0, "day."),
    )
    segment = Segment(1.0, 9.0, "Hello there. Good day.", None, words)
    first, second = caption_cues(transcript_of(segment))
    assert (first.start, second.start) == (2.0, 7.0)


def test_without_word_times_the_time_is_shared_out_by_characters():
    text = "Twenty letters here. " * 8
    cues = caption_cues(say(text, 16.0))
    done = 0
    for cue in cues:
        assert cue.start == pytest.approx(16.0 * done / (len(text) - 1), abs=0.2)
        done += len(" ".join(cue.lines)) + 1


def test_no_cue_reaches_across_a_long_silence():
    transcript = transcript_of(Segment(0.0, 1.0, "Hello."), Segment(20.0, 21.0, "Again."))
    assert [cue.lines for cue in caption_cues(transcript)] == [("Hello.",), ("Again.",)]


# --- Escaping


def test_vtt_shows_markup_as_text():
    written = format_transcript(say("<b>x</b> & --> <00:01.000>"), "vtt")
    assert "&lt;b&gt;x&lt;/b&gt; &amp; --&gt;" in written
    assert read_vtt(written)[0].lines == ("<b>x</b> & --> <00:01.000>",)


@pytest.mark.parametrize(
    "markup", ["<i>so</i>", r"\Now", "< font color=red >so", r"{\an8}so", "{y:i}so", "a --> b"]
)
def test_srt_players_find_no_markup_to_obey(markup):
    written = format_transcript(say(markup), "srt")
    assert markup not in written
    assert written.split("\n")[2].replace("\u2060", "") == markup
    event = pysubs2.SSAFile.from_string(written, format_="srt")[0]
    assert event.text.replace("\u2060", "") == markup


def test_ffmpeg_finds_no_markup_either(tmp_path):
    markup = r"<i>so</i> {\an8}so {y:i}so a --> b"
    with av.open(str(say(markup).save(tmp_path / "a.srt"))) as file:
        [event] = next(file.demux()).decode()
    assert event.ass.decode().replace("\u2060", "").endswith(f",{markup}")


def test_backslashes_reach_the_file_as_they_are():
    for form in ["srt", "vtt"]:
        written = format_transcript(say(r"C:\new\Notes\here\{p}"), form)
        assert r"C:\new\Notes\here\{p}" in written.replace("\u2060", "")


def test_a_drawing_command_does_not_make_its_cue_vanish():
    assert "text" in format_transcript(say(r"{\p1} text"), "srt")


def test_control_characters_and_line_ends_become_spaces():
    text = "one\0two\n\nthree\x1b[31m\u2028four\r\nfive"
    for form in ["srt", "vtt", "txt"]:
        assert "one two three [31m four five\n" in format_transcript(say(text), form)


def test_a_space_that_forbids_a_break_is_kept():
    assert all_lines(say("Bonjour\u00a0!", language="fr")) == ["Bonjour\u00a0!"]


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "- No.", "@home", "＝1"])
def test_a_spreadsheet_gets_text_and_no_formula(text):
    assert format_transcript(say(text), "tsv").endswith(f"\t'{text}\n")


def test_json_has_null_where_a_number_is_not_known():
    transcript = transcript_of(Segment(0.0, 1.0, "Hm.", float("nan")))
    assert json.loads(format_transcript(transcript, "json"))["segments"][0]["confidence"] is None


def test_json_can_be_read_by_people_of_any_language():
    assert "你好" in format_transcript(say("你好"), "json")


def test_txt_has_a_line_for_each_segment():
    transcript = transcript_of(Segment(0, 1, "One."), Segment(1, 2, " "), Segment(2, 3, "Two."))
    assert format_transcript(transcript, "txt") == "One.\nTwo.\n"


# --- Files


@pytest.mark.parametrize("form", FORMS)
def test_save_writes_utf_8_with_plain_line_ends(tmp_path, form):
    transcript = say("Grüße, 你好 and مرحبا.")
    path = transcript.save(tmp_path / f"talk.{form.upper()}")
    assert path == tmp_path / f"talk.{form.upper()}"
    assert path.read_bytes().decode("utf-8") == format_transcript(transcript, form)
    assert b"\r" not in path.read_bytes()


@pytest.mark.parametrize(("form", "empty"), [("srt", ""), ("vtt", "WEBVTT\n\n"), ("txt", "")])
def test_an_empty_transcript_is_a_valid_file(tmp_path, form, empty):
    assert transcript_of().save(tmp_path / f"a.{form}").read_text() == empty


def test_half_a_character_does_not_stop_the_writing(tmp_path):
    for form in FORMS:
        path = say("half \ud83d here").save(tmp_path / f"a.{form}")
        assert "half \ufffd here" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["talk.docx", "talk", ".srt", "talk.srt.bak"])
def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path, name):
    with pytest.raises(CaptionError, match=r"\.srt, \.vtt, \.txt, \.json, \.tsv"):
        say("Hello.").save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CaptionError, match=r"no folder .*nowhere"):
        say("Hello.").save(tmp_path / "nowhere" / "talk.srt")


def test_captions_past_99_hours_are_refused_rather_than_wrong():
    late = transcript_of(Segment(360000.0, 360001.0, "Still here."))
    with pytest.raises(CaptionError, match="99:59:59"):
        format_transcript(late, "srt")


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path, monkeypatch, step, failure
):
    path = tmp_path / "talk.srt"
    path.write_text("the old captions")

    def fail(*_):
        raise failure

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(failure)):
        save_transcript(say("Hello."), path)
    assert path.read_text() == "the old captions"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_private_file_stays_private_and_a_new_one_is_ordinary(tmp_path):
    private, ordinary = tmp_path / "private.txt", tmp_path / "ordinary.txt"
    ordinary.touch()
    usual = stat.S_IMODE(ordinary.stat().st_mode)
    private.touch(mode=0o600)
    write_whole(private, "secret")
    write_whole(tmp_path / "new.txt", "open")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == usual


def test_a_symbolic_link_is_followed(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system lets nobody make symbolic links")
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"

"""The shipped recordings are what their list says, and a real Whisper hears what it says."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
import types
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest

from asr_workshop.audio import load_audio
from asr_workshop.clips import FOLDER, Clip, ClipError, build, clip, clips
from asr_workshop.clips.signals import SIGNALS

MEGABYTE = 1e6
ALL = clips()
BY_NAME = {row.file_name: row for row in ALL}
SPEAKING = [row for row in ALL if row.level != "no speech"]
CLEAR_ENGLISH = [row for row in ALL if row.language == "en" and row.level == "clear"]
OTHER_LANGUAGES = [row for row in ALL if row.language not in ("", "en")]


def by_name(row):
    return row.file_name


# The list


def test_a_clip_is_found_by_its_name():
    assert clip("example_audio.mp3").is_file()


def test_a_wrong_name_is_answered_with_the_nearest_ones_and_the_whole_list():
    with pytest.raises(ClipError, match=r"Did you mean example_audio\.mp3") as error:
        clip("exampel_audio.mp3")
    assert all(row.file_name in str(error.value) for row in ALL)


def test_a_name_like_no_other_is_answered_with_the_list_alone():
    with pytest.raises(ClipError, match="The clips are: example_audio") as error:
        clip("zzz")
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize("name", ["../__init__.py", "metadata.csv", "", "/etc/passwd"])
def test_only_clips_are_handed_out(name):
    with pytest.raises(ClipError):
        clip(name)


def test_a_clip_cannot_be_changed_by_accident():
    with pytest.raises(FrozenInstanceError):
        ALL[0].transcript = "something else"


def test_every_file_is_listed_once_and_every_listed_file_exists():
    files = sorted(path.name for path in FOLDER.iterdir() if path.name != "metadata.csv")
    assert sorted(row.file_name for row in ALL) == files


def test_there_are_enough_clips_in_enough_formats():
    formats = {row.path.suffix for row in ALL}
    assert len(ALL) >= 10
    assert formats >= {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".webm"}
    assert len({row.language for row in OTHER_LANGUAGES}) >= 4


def test_one_sentence_is_said_by_at_least_four_voices():
    by_sentence = {}
    for row in SPEAKING:
        by_sentence.setdefault(row.transcript, set()).add(row.voice)
    assert max(len(voices) for voices in by_sentence.values()) >= 4


def test_all_clips_together_stay_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3 * MEGABYTE


def test_every_row_says_who_speaks_what_and_under_which_licence():
    for row in ALL:
        speaks = row.level != "no speech"
        assert row.level in ("clear", "hard", "no speech")
        assert bool(row.transcript) == bool(row.voice) == bool(row.language) == speaks
        assert row.licence == "CC0-1.0"
        assert row.about


def test_listing_the_clips_loads_nothing_heavy():
    code = "import sys, asr_workshop.clips as c; c.clips(); print('numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "False", answer.stderr


# The files


@pytest.mark.parametrize("row", ALL, ids=by_name)
def test_a_file_is_the_one_that_was_listed(row):
    assert hashlib.sha256(row.path.read_bytes()).hexdigest() == row.sha256


@pytest.fixture(scope="module")
def sound():
    """Every clip, decoded once."""
    return {row.file_name: load_audio(row.path) for row in ALL}


@pytest.mark.parametrize("row", ALL, ids=by_name)
def test_a_file_lasts_as_long_as_the_list_says(row, sound):
    # An AAC encoder works in blocks of 1024 samples and pads the first and the last.
    assert len(sound[row.file_name]) / 16_000 == pytest.approx(row.duration, abs=0.06)


@pytest.mark.parametrize("row", ALL, ids=by_name)
def test_a_recording_is_neither_clipped_nor_faint(row, sound):
    peak = np.abs(sound[row.file_name]).max()
    assert 0.05 < peak < 0.9


@pytest.mark.parametrize("row", SPEAKING, ids=by_name)
def test_voices_are_equally_loud(row, sound):
    samples = sound[row.file_name]
    loud = np.abs(samples) > 0.05 * np.abs(samples).max()
    level = 20 * np.log10(np.sqrt(np.mean(samples[loud] ** 2)))
    # Mixing the stereo clip down halves the two parts that stand on one side only.
    assert level == pytest.approx(-20 if row.file_name != "left_right.wav" else -23, abs=2.5)


@pytest.mark.parametrize("row", ALL, ids=by_name)
def test_a_recording_begins_and_ends_quietly(row, sound):
    edge = int(0.15 * 16_000)
    samples = sound[row.file_name]
    assert max(np.abs(samples[:edge]).max(), np.abs(samples[-edge:]).max()) < 0.01


def test_the_stereo_clip_speaks_left_then_right_then_on_both_sides():
    import soundfile

    samples, rate = soundfile.read(clip("left_right.wav"))
    energy = (samples**2).reshape(len(samples), 2)
    thirds = np.array_split(energy, 3)
    assert (rate, samples.shape[1]) == (44_100, 2)
    assert thirds[0][:, 0].sum() > 100 * thirds[0][:, 1].sum()
    assert thirds[1][:, 1].sum() > 3 * thirds[1][:, 0].sum()


def test_the_telephone_clip_has_a_telephones_rate_depth_and_band():
    import soundfile

    samples, rate = soundfile.read(clip("telephone.wav"))
    assert (rate, soundfile.info(clip("telephone.wav")).subtype) == (8000, "ULAW")
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    outside = (frequency < 290) | (frequency > 3410)
    # What is left outside is the rounding noise of eight bits.
    assert power[outside].mean() < 0.01 * power[~outside].mean()


def test_the_late_speaker_is_silent_for_eight_seconds(sound):
    samples = sound["late.flac"]
    assert np.abs(samples[: 8 * 16_000]).max() < 0.001
    assert np.abs(samples[9 * 16_000 :]).max() > 0.1


# As a data set


def test_datasets_reads_the_folder_as_audio_with_transcripts(tmp_path, monkeypatch):
    from datasets import Audio, load_dataset

    # datasets 4.1 and later want torchcodec even to note a path down; nothing is decoded here.
    for name in ("torchcodec", "torchcodec.encoders"):
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, types.SimpleNamespace(AudioEncoder=None))
    rows = load_dataset("audiofolder", data_dir=str(FOLDER), split="train", cache_dir=str(tmp_path))
    rows = rows.cast_column("audio", Audio(decode=False))
    assert len(rows) == len(ALL)
    for listed, row in zip(ALL, rows, strict=True):
        assert row["audio"]["path"] == str(listed.path)
        assert (row["transcript"] or "") == listed.transcript
        assert row["duration"] == listed.duration


def test_datasets_takes_the_list_without_any_decoder_installed():
    from datasets import Audio, Dataset

    rows = Dataset.from_list([{"audio": str(row.path), **asdict(row)} for row in ALL])
    rows = rows.cast_column("audio", Audio(decode=False))
    assert rows[0]["audio"]["path"] == str(clip("example_audio.mp3"))


def test_a_clip_is_a_row_of_the_metadata():
    with (FOLDER / "metadata.csv").open(encoding="utf-8", newline="") as file:
        assert csv.DictReader(file).fieldnames == list(Clip.__dataclass_fields__)


# What Whisper hears


def words(text, language="en"):
    from transformers.models.whisper.english_normalizer import (
        BasicTextNormalizer,
        EnglishTextNormalizer,
    )

    normalise = EnglishTextNormalizer({}) if language == "en" else BasicTextNormalizer()
    tokens = normalise(text).split()
    return list("".join(tokens)) if language == "ja" else tokens  # Japanese writes no spaces


def word_errors(reference, hypothesis):
    """Substitutions, deletions and insertions: the Levenshtein distance between word lists."""
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, 1):
        previous, row[0] = row[0], i
        for j, heard in enumerate(hypothesis, 1):
            change = previous + (expected != heard)
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, change)
    return row[-1]


def test_word_errors_are_counted_as_taught():
    assert word_errors("a b c".split(), "a x c d".split()) == 2
    assert word_errors([], ["you"]) == 1


def hear(pipe, samples, **options):
    long = {"return_timestamps": True} if len(samples) > 30 * 16_000 else {}
    options = {"num_beams": 1, **options}
    answer = pipe({"raw": samples, "sampling_rate": 16_000}, generate_kwargs=options, **long)
    return answer["text"]


def test_the_first_example_is_transcribed_word_for_word(tiny_en, sound):
    heard = hear(tiny_en, sound["example_audio.mp3"])
    assert words(heard) == words(BY_NAME["example_audio.mp3"].transcript)
    assert 8 <= BY_NAME["example_audio.mp3"].duration <= 12


@pytest.fixture(scope="module")
def english_errors(tiny_en, sound):
    """File name: (word errors, words) by tiny.en, for every English clip."""
    counts = {}
    for row in SPEAKING:
        if row.language == "en":
            reference, heard = words(row.transcript), words(hear(tiny_en, sound[row.file_name]))
            counts[row.file_name] = (word_errors(reference, heard), len(reference))
    return counts


@pytest.mark.parametrize("row", CLEAR_ENGLISH, ids=by_name)
def test_a_clear_english_clip_has_at_most_one_word_in_ten_wrong(row, english_errors):
    errors, n_words = english_errors[row.file_name]
    assert errors / n_words <= 0.1


def test_all_clear_english_clips_together_have_at_most_3_percent_wrong(english_errors):
    counts = [english_errors[row.file_name] for row in CLEAR_ENGLISH]
    assert sum(errors for errors, _ in counts) / sum(n for _, n in counts) <= 0.03


def test_every_hard_english_clip_makes_the_small_model_stumble(english_errors):
    hard = [row for row in SPEAKING if row.language == "en" and row.level == "hard"]
    assert hard
    assert all(english_errors[row.file_name][0] for row in hard)


@pytest.mark.parametrize("row", OTHER_LANGUAGES, ids=by_name)
def test_another_language_is_understood_by_the_multilingual_model(row, base, sound):
    heard = hear(base, sound[row.file_name], language=row.language, task="transcribe")
    reference = words(row.transcript, row.language)
    assert word_errors(reference, words(heard, row.language)) / len(reference) <= 0.1


# How they were made


def test_the_list_says_what_the_recipes_say():
    recipes = build.load_recipes()
    for row, recipe in zip(ALL, recipes["clips"], strict=True):
        described = build.describe(recipe, recipes["voices"])
        assert described.items() <= asdict(row).items()


def test_every_voice_of_the_recipes_is_used():
    recipes = build.load_recipes()
    parts = [part for recipe in recipes["clips"] for part in recipe["parts"]]
    assert set(recipes["voices"]) == {part["voice"] for part in parts if "voice" in part}


def test_building_writes_every_format_and_a_list_that_fits(tmp_path, monkeypatch):
    """With a hum in place of the voices, whose programs need not be installed here."""
    monkeypatch.setattr(build, "speak", lambda text, voice: (SIGNALS["tone"](1.0, 16_000), 16_000))
    build.build(tmp_path)
    with (tmp_path / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file_name"] for row in rows] == [row.file_name for row in ALL]
    assert {path.name for path in tmp_path.iterdir()} == {*BY_NAME, "metadata.csv"}
    for row in rows:
        samples = load_audio(tmp_path / row["file_name"])
        assert len(samples) / 16_000 == pytest.approx(float(row["duration"]), abs=0.06)
        listed = BY_NAME[row["file_name"]]
        assert (row["transcript"], row["about"]) == (listed.transcript, listed.about)
        if listed.level == "no speech":
            assert float(row["duration"]) == listed.duration


def test_signals_last_as_long_as_asked_and_stay_within_full_scale():
    for make in SIGNALS.values():
        signal = make(1.5, 22_050)
        assert len(signal) == 33_075
        assert np.abs(signal).max() < 0.7


def test_the_sweep_reaches_its_last_frequency():
    rate, last = 22_050, SIGNALS["sweep"](4.0, 22_050)[-2048:]
    frequency = np.fft.rfftfreq(len(last), 1 / rate)
    assert frequency[np.abs(np.fft.rfft(last)).argmax()] == pytest.approx(10_000, rel=0.03)

"""From a recording to a Transcript, with real models."""

from __future__ import annotations

import itertools
import json
import math
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import WhisperConfig, WhisperForConditionalGeneration

from asr_workshop import listeners
from asr_workshop.audio import load_audio
from asr_workshop.clips import clip, clips
from asr_workshop.guards import LOOP_RATIO, Guards, compression_ratio
from asr_workshop.listeners import check_task
from asr_workshop.models import load_pipeline
from asr_workshop.speech import Span
from asr_workshop.speech_pipeline import SpeechPipeline
from asr_workshop.transcript import TranscriptionError
from asr_workshop.transcription import detect_language, transcribe

NO_GUARDS = Guards(False, False, False, False, False)


def plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def check_times(transcript) -> None:
    clock = 0.0
    for segment in transcript.segments:
        assert all(map(math.isfinite, (segment.start, segment.end)))
        assert clock <= segment.start <= segment.end <= transcript.duration
        inner = segment.start
        for word in segment.words:
            assert inner <= word.start <= word.end <= segment.end
            inner = word.end
        clock = segment.end


@pytest.fixture(scope="module")
def babbler(tiny_en):
    """A Whisper with random weights: it writes anything, at any length, about any sound."""
    torch.manual_seed(0)
    config = WhisperConfig.from_dict(
        tiny_en.model.config.to_dict()
        | {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
        | {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
        | {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "init_std": 0.5}
    )
    model = WhisperForConditionalGeneration(config).eval()
    model.generation_config = type(tiny_en.model.generation_config).from_dict(
        tiny_en.model.generation_config.to_dict() | {"alignment_heads": [[0, 0], [0, 1]]}
    )
    return SpeechPipeline(
        model, tokenizer=tiny_en.tokenizer, feature_extractor=tiny_en.feature_extractor
    )


def test_the_example_is_transcribed_to_the_word(tiny_en):
    transcript = transcribe(clip("example_audio.mp3"), tiny_en, words=True)
    expected = (
        "most of what people tell each other is spoken and most of it is never written down "
        "today you will help a computer listen and then you will check what it heard"
    )
    assert plain(transcript.text) == expected
    assert len(transcript.segments) == 2
    assert " ".join(word.text for word in transcript.words) == transcript.text
    check_times(transcript)


def test_a_path_an_array_and_bytes_give_the_same(tiny_en):
    path = clip("greeting.wav")
    texts = {transcribe(s, tiny_en).text for s in (path, load_audio(path), path.read_bytes())}
    assert len(texts) == 1


def test_words_are_left_out_unless_asked_for(tiny_en):
    transcript = transcribe(clip("greeting.wav"), tiny_en)
    assert transcript.segments and not transcript.words
    assert 0.5 < transcript.segments[0].confidence <= 1


def test_a_long_talk_keeps_its_order_and_its_pauses(tiny_en):
    transcript = transcribe(clip("talk.opus"), tiny_en, words=True)
    check_times(transcript)
    assert transcript.duration > 60
    assert plain(transcript.text).startswith("good morning")
    assert plain(transcript.text).endswith("let us begin")
    gaps = [b.start - a.end for a, b in itertools.pairwise(transcript.segments)]
    assert sum(gap > 0.8 for gap in gaps) >= 5


def test_words_stand_where_they_are_spoken(tiny_en):
    silence = np.zeros(16_000 * 20, dtype=np.float32)
    greeting = load_audio(clip("greeting.wav"))
    alone = transcribe(greeting, tiny_en, words=True)
    later = transcribe(np.concatenate([silence, greeting]), tiny_en, words=True)
    assert plain(later.text) == plain(alone.text)
    shifts = [b.start - a.start for a, b in zip(alone.words, later.words, strict=True)]
    assert np.allclose(shifts, 20, atol=0.15)


@pytest.mark.parametrize("seconds", [0, 0.01, 3, 31])
def test_silence_of_any_length_gives_an_empty_transcript_that_says_so(tiny_en, seconds):
    transcript = transcribe(np.zeros(round(16_000 * seconds), dtype=np.float32), tiny_en)
    assert transcript.text == "" and transcript.segments == ()
    assert str(transcript) == "(no speech found)"
    assert transcript.duration == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("name", ["empty_room.opus", "tune.ogg", "sweep.flac"])
def test_nothing_is_invented_where_nobody_speaks(tiny_en, name):
    assert str(transcribe(clip(name), tiny_en)) == "(no speech found)"


def test_without_the_first_guard_the_model_gets_every_second(tiny_en):
    seen = []
    noise = np.random.default_rng(0).normal(0, 0.05, 16_000 * 65).astype(np.float32)
    guards = Guards(only_speech=False)
    transcribe(noise, tiny_en, guards=guards, progress=lambda done, total: seen.append(total))
    assert seen[-1] == pytest.approx(65)


def test_a_loop_is_decoded_again_and_noted(babbler):
    """A network with random weights repeats itself; chance breaks the loop."""
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000 * 8).astype(np.float32)
    bare = transcribe(sound, babbler, guards=NO_GUARDS)
    only_retry = Guards(only_speech=False, limit_length=False, fill_gaps=False, drop_unsure=False)
    guarded = transcribe(sound, babbler, guards=only_retry)
    assert compression_ratio(bare.text) > LOOP_RATIO
    assert not any(segment.guards for segment in bare.segments)
    assert compression_ratio(guarded.text) < compression_ratio(bare.text)
    assert any("decoded again at temperature" in g for s in guarded.segments for g in s.guards)


def test_speech_that_got_no_text_is_heard_again(tiny_en, monkeypatch):
    """The first listening writes two words and stops; the gap it leaves is filled."""
    from asr_workshop import decoding, listeners

    real, calls = decoding.write, []

    def hasty(decoder, limits, temperatures=None):
        calls.append(len(limits))
        decoded = real(decoder, limits, temperatures)
        if len(calls) > 1:
            return decoded
        closing = decoded[0].first_stamp + 40  # 0.8 s
        return [replace(d, tokens=(*d.tokens[:3], closing), log_probabilities=(0.0,) * 4)
                for d in decoded]  # fmt: skip

    monkeypatch.setattr(listeners, "write", hasty)
    transcript = transcribe(clip("example_audio.mp3"), tiny_en, words=True)
    assert plain(transcript.text).endswith("then you will check what it heard")
    assert len(calls) == 2
    assert transcript.segments[-1].guards == ("left out at first: listened to again",)
    check_times(transcript)
    calls.clear()
    alone = transcribe(clip("example_audio.mp3"), tiny_en, guards=Guards(fill_gaps=False))
    assert len(alone.text.split()) < 5


def test_a_short_sound_cannot_become_a_long_text(babbler):
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    count = lambda text: len(babbler.tokenizer(text).input_ids)  # noqa: E731
    bare = transcribe(sound, babbler, guards=NO_GUARDS)
    limited = replace(NO_GUARDS, limit_length=True)
    assert count(transcribe(sound, babbler, guards=limited).text) < count(bare.text)


def test_what_does_not_fit_into_one_window_is_listened_to_again(tiny_en, monkeypatch):
    """Dense languages fill Whisper's 224 tokens before 30 s are over; here English fills 60."""
    said = next(row.transcript for row in clips() if row.file_name == "umbrellas.mp3")
    monkeypatch.setattr(listeners, "MAX_TOKENS", 60)
    transcript = transcribe(clip("umbrellas.mp3"), tiny_en)
    assert abs(len(transcript.text.split()) - len(said.split())) <= 4
    assert transcript.text.rstrip().endswith(said[-10:])
    noted = {note for segment in transcript.segments for note in segment.guards}
    assert noted == {
        "stopped after 60 tokens: no more fit into one window",
        "left out at first: listened to again",
    }
    check_times(transcript)


def test_what_the_model_itself_doubts_is_dropped_and_noted(tiny_en, monkeypatch):
    monkeypatch.setattr("asr_workshop.listeners.seems_silent", lambda *_: True)
    dropped = transcribe(clip("greeting.wav"), tiny_en)
    assert dropped.text == ""
    assert "doubts that anybody spoke" in dropped.guards[0]
    kept = transcribe(clip("greeting.wav"), tiny_en, guards=Guards(drop_unsure=False))
    assert kept.text and not kept.guards


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seconds=st.floats(0.01, 40),
    seed=st.integers(0, 99),
    level=st.sampled_from([0.0, 0.01, 0.2]),
    guards=st.sampled_from([NO_GUARDS, replace(NO_GUARDS, fill_gaps=True, limit_length=True)]),
)
def test_whatever_the_model_writes_times_are_in_order_and_inside(
    babbler, seconds, seed, level, guards
):
    generator = np.random.default_rng(seed)
    sound = (level * generator.normal(size=round(16_000 * seconds))).astype(np.float32)
    transcript = transcribe(sound, babbler, words=True, guards=guards)
    check_times(transcript)
    assert transcript.text == " ".join(segment.text for segment in transcript.segments)
    json.dumps(transcript.to_dict(), allow_nan=False)


@st.composite
def speech_spans(draw, seconds=50.0):
    """Where a detector may say that somebody talks: apart, in order, each at most 30 s."""
    edges = sorted(draw(st.lists(st.floats(0, seconds), min_size=2, max_size=12, unique=True)))
    spans = [Span(*pair) for pair in zip(edges[::2], edges[1::2], strict=False)]
    return [span for span in spans if 0.1 < span.duration <= 30]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(spans=speech_spans(), seed=st.integers(0, 99))
def test_wherever_speech_is_found_times_are_in_order_and_inside_it(
    babbler, spans, seed, monkeypatch
):
    """All guards up, several spans in a window, and a model that writes anything."""
    monkeypatch.setattr("asr_workshop.transcription.find_speech", lambda audio: spans)
    sound = np.random.default_rng(seed).normal(0, 0.1, 50 * 16_000).astype(np.float32)
    transcript = transcribe(sound, babbler, words=True, guards=Guards(drop_unsure=False))
    check_times(transcript)
    edges = [(round(span.start, 3), round(span.end, 3)) for span in spans]
    for word in transcript.words:
        inside = [start - 0.002 <= word.start <= end + 0.002 for start, end in edges]
        assert any(inside), f"{word} was said where nobody speaks: {edges}"


def test_progress_counts_up_to_the_end(tiny_en):
    steps = []
    transcribe(clip("greeting.wav"), tiny_en, progress=lambda *step: steps.append(step))
    done, total = steps[-1]
    assert done == pytest.approx(total)


def test_a_bar_shows_the_speech_done_and_the_time_left(tiny_en, capsys):
    transcribe(clip("greeting.wav"), tiny_en, progress=True)
    shown = capsys.readouterr().err
    assert "s of speech" in shown
    assert re.search(r"\d\d:\d\d left", shown)


@pytest.mark.parametrize("family", ["wav2vec2", "hubert", "moonshine", "speech2text"])
def test_any_family_is_transcribed_window_by_window(family, tmp_path):
    """Random weights: what is written means nothing, but its form and its times must be right."""
    pipe = load_pipeline(getattr(tiny_models, family)(tmp_path / family))
    transcript = transcribe(clip("talk.opus"), pipe, words=True)
    check_times(transcript)
    assert transcript.language is None and transcript.duration > 80
    assert bool(transcript.words) == (pipe.type == "ctc")
    assert transcript.segments or pipe.type != "ctc"
    with pytest.raises(TranscriptionError, match="takes no language"):
        transcribe(clip("talk.opus"), pipe, language="en")


def test_a_distilled_whisper_is_listened_to_like_a_whisper(tmp_path):
    pipe = load_pipeline(tiny_models.distil_whisper(tmp_path))
    transcript = transcribe(clip("greeting.wav"), pipe, words=True)
    check_times(transcript)
    assert transcript.duration > 5
    assert all(segment.words for segment in transcript.segments)


def test_the_model_is_left_as_it_was(tiny_en):
    before = tiny_en.model.config._attn_implementation
    transcribe(clip("greeting.wav"), tiny_en, words=True)
    assert tiny_en.model.config._attn_implementation == before


@pytest.mark.parametrize("code", ["de", "es", "fr", "ja"])
def test_the_language_is_found_by_listening(base, code):
    transcript = transcribe(clip(f"joke_{code}.ogg"), base)
    assert transcript.language == code
    assert 0.5 < transcript.language_probability <= 1


def test_languages_come_likeliest_first_and_their_probabilities_sum_to_one(base):
    probabilities = detect_language(clip("joke_fr.ogg"), base)
    values = list(probabilities.values())
    assert next(iter(probabilities)) == "fr" and len(values) == 99
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(1, abs=1e-4)
    assert detect_language(np.zeros(16_000, dtype=np.float32), base) == {}


def test_translation_writes_english(base):
    transcript = transcribe(clip("joke_fr.ogg"), base, task="translate")
    assert "computer" in plain(transcript.text)
    assert transcript.language == "fr"


def test_a_language_may_be_given_by_code_or_name(base):
    by_code, by_name = (
        transcribe(clip("joke_de.ogg"), base, language=given) for given in ("de", "German")
    )
    assert by_code == by_name and by_code.language_probability == 1.0


def test_japanese_comes_without_spaces_but_for_the_models_own(base, monkeypatch):
    windows, write = [], listeners.write
    monkeypatch.setattr(listeners, "write", lambda *args: windows.extend(write(*args)) or windows)
    transcript = transcribe(clip("joke_ja.ogg"), base, words=True)
    (written,) = windows
    assert len(transcript.words) > 10
    assert transcript.text == base.tokenizer.decode(written.text_tokens)
    check_times(transcript)


def test_an_unknown_language_is_refused_with_a_hint(base):
    with pytest.raises(TranscriptionError, match="Did you mean french"):
        transcribe(clip("joke_fr.ogg"), base, language="frensh")


def test_an_english_model_refuses_other_languages_and_translation(tiny_en):
    with pytest.raises(TranscriptionError, match="knows only English"):
        transcribe(clip("joke_fr.ogg"), tiny_en, language="fr")
    with pytest.raises(TranscriptionError, match="nothing to translate"):
        transcribe(clip("joke_fr.ogg"), tiny_en, task="translate")
    with pytest.raises(TranscriptionError, match="cannot tell languages apart"):
        detect_language(clip("joke_fr.ogg"), tiny_en)


def test_a_model_with_a_cut_down_decoder_refuses_translation(base):
    """The shape of turbo and of Distil-Whisper: fewer decoder layers than encoder layers."""
    config = WhisperConfig(encoder_layers=2, decoder_layers=1)
    model = WhisperForConditionalGeneration(config)
    model.generation_config = base.model.generation_config
    check_task(model, "transcribe")
    with pytest.raises(TranscriptionError, match="not trained to translate"):
        check_task(model, "translate")


def test_an_unknown_task_is_refused(base):
    with pytest.raises(TranscriptionError, match="'transcribe' or 'translate'"):
        transcribe(clip("greeting.wav"), base, task="summarise")


def test_something_that_is_no_pipeline_is_refused():
    with pytest.raises(TranscriptionError, match="load_pipeline"):
        transcribe(np.zeros(16_000, dtype=np.float32), object())


MEMORY = """
import sys, psutil, torch
from pathlib import Path
from asr_workshop import load_pipeline, transcribe
torch.set_num_threads(1)
pipe = load_pipeline("openai/whisper-base", device="cpu", dtype="float32")
before = psutil.Process().memory_info().rss
transcript = transcribe(sys.argv[1], pipe, language="en")
# Not ru_maxrss: a new process inherits that figure from the one that started it.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = 1024 * int(status["VmHWM"].split()[0])
print(transcript.duration, len(transcript.text), (peak - before) / 1e9)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from Linux's /proc")
def test_three_hours_need_no_more_than_one_and_a_half_gigabytes(base, tmp_path):
    """From the file to the transcript, beyond the loaded model; more speech than fills a batch."""
    import soundfile

    talk, hour = load_audio(clip("talk.opus")), 16_000 * 3600
    talks = math.ceil(listeners.WhisperListener(base, "en", "transcribe").batch_size * 30 / 80)
    path = tmp_path / "three_hours.flac"
    with soundfile.SoundFile(path, "w", 16_000, 1) as file:
        file.write(np.zeros(hour, dtype=np.float32))
        for _ in range(talks):  # talk.opus holds 80 s of speech
            file.write(talk)
        for _ in range(2):
            file.write(np.zeros(hour - talks * len(talk) // 2, dtype=np.float32))
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
    )
    duration, characters, gigabytes = map(float, run.stdout.split()[-3:])
    assert duration == pytest.approx(3 * 3600, abs=1)
    assert characters > talks * 1000
    assert gigabytes < 1.5

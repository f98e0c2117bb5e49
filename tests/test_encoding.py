"""Our way through the encoder against the library's."""

from __future__ import annotations

import gc

import pytest
import tiny_models
import torch

from asr_workshop import encoding
from asr_workshop.audio import load_audio
from asr_workshop.clips import clip
from asr_workshop.decoding import Decoder, write
from asr_workshop.encoding import encode
from asr_workshop.models import load_pipeline


@pytest.fixture
def small(tmp_path):
    """A Whisper of one layer, of its own for each test."""
    return load_pipeline(tiny_models.whisper(tmp_path / "small"), device="cpu", dtype="float32")


@pytest.fixture
def runs(monkeypatch):
    """How many states the encoder was run over, each time."""
    lengths, run = [], encoding._run
    monkeypatch.setattr(encoding, "_run", lambda *args: lengths.append(args[2]) or run(*args))
    return lengths


def log_mel(pipe, sound):
    return pipe.feature_extractor(sound, sampling_rate=16_000, return_tensors="pt").input_features


def whole(pipe, features):
    return pipe.model.get_encoder()(features).last_hidden_state


def written(pipe, states):
    decoder = Decoder(pipe.model, states)
    decoder.read(torch.tensor([[pipe.model.generation_config.decoder_start_token_id]]))
    return pipe.tokenizer.decode(write(decoder, [100])[0].text_tokens)


@torch.inference_mode()
def test_a_full_window_is_heard_as_the_library_hears_it(tiny_en):
    features = log_mel(tiny_en, load_audio(clip("example_audio.mp3")))
    assert torch.allclose(
        encode(tiny_en.model, features, 30.0), whole(tiny_en, features), atol=1e-4
    )


@torch.inference_mode()
@pytest.mark.parametrize("name", ["example_audio.mp3", "greeting.wav", "soup.m4a"])
def test_a_short_sound_gives_the_text_that_the_whole_window_gives(tiny_en, name):
    sound = load_audio(clip(name))
    features = log_mel(tiny_en, sound)
    states = encode(tiny_en.model, features, len(sound) / 16_000)
    assert states.shape == (1, 1500, 384)
    text = written(tiny_en, states)
    assert len(text) > 10
    assert text == written(tiny_en, whole(tiny_en, features))


@torch.inference_mode()
def test_silence_is_heard_once(small, runs):
    features = log_mel(small, tiny_models.one_second())
    for _ in range(3):
        encode(small.model, features, 1.0)
    most = small.model.config.max_source_positions
    assert sorted(runs)[-1] == most and runs.count(most) == 1
    assert max(n for n in runs if n != most) < most


@torch.inference_mode()
def test_a_full_window_needs_no_silence(small, runs):
    encode(small.model, log_mel(small, tiny_models.one_second()), 30.0)
    assert len(runs) == 1 and small.model.get_encoder() not in encoding._silences


@torch.inference_mode()
def test_silence_is_heard_anew_after_training(small):
    features = log_mel(small, tiny_models.one_second())
    before = encode(small.model, features, 1.0)
    with torch.inference_mode(False), torch.no_grad():
        small.model.get_encoder().layer_norm.bias.add_(1)
    after = encode(small.model, features, 1.0)
    assert torch.allclose(after, before + 1, atol=1e-5)


@torch.inference_mode()
def test_silence_is_forgotten_with_its_model(small):
    encode(small.model, log_mel(small, tiny_models.one_second()), 1.0)
    encoder = small.model.get_encoder()
    assert encoder in encoding._silences
    known = len(encoding._silences)
    del encoder, small.model
    gc.collect()
    assert len(encoding._silences) == known - 1


def test_a_model_made_without_gradients_works_too(tmp_path):
    with torch.inference_mode():
        folder = tiny_models.whisper(tmp_path / "made")
        pipe = load_pipeline(folder, device="cpu", dtype="float32")
        states = encode(pipe.model, log_mel(pipe, tiny_models.one_second()), 1.0)
    assert states.isfinite().all()

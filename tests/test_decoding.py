"""Our decoding loop and our attention against the library's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asr_workshop.alignment import token_times, warp
from asr_workshop.attention import attention_kernel
from asr_workshop.audio import load_audio
from asr_workshop.clips import clip
from asr_workshop.decoding import Decoded, Decoder, write
from asr_workshop.guards import token_limit


def log_mel(pipe, *sounds):
    return pipe.feature_extractor(
        list(sounds), sampling_rate=16_000, return_tensors="pt"
    ).input_features


def decode(pipe, features, limits, temperatures=None):
    config = pipe.model.generation_config
    with torch.inference_mode():
        states = pipe.model.get_encoder()(features).last_hidden_state
        decoder = Decoder(pipe.model, states)
        decoder.read(torch.full((len(features), 1), config.decoder_start_token_id))
        return states, write(decoder, limits, temperatures)


@pytest.fixture(scope="module")
def sounds():
    return [load_audio(clip(name)) for name in ("example_audio.mp3", "greeting.wav", "soup.m4a")]


def test_greedy_decoding_writes_what_the_library_writes(tiny_en, sounds):
    features = log_mel(tiny_en, *sounds)
    _, ours = decode(tiny_en, features, [200] * len(sounds))
    theirs = tiny_en.model.generate(
        features, num_beams=1, max_new_tokens=200, return_timestamps=True
    )
    for mine, other in zip(ours, theirs, strict=True):
        assert list(mine.tokens) == [
            token for token in other.tolist() if token != mine.first_special
        ]


def test_a_window_reads_the_same_alone_and_in_company(tiny_en, sounds):
    together = decode(tiny_en, log_mel(tiny_en, *sounds), [200] * len(sounds))[1]
    for sound, decoded in zip(sounds, together, strict=True):
        alone = decode(tiny_en, log_mel(tiny_en, sound), [200])[1][0]
        assert alone.tokens == decoded.tokens
        assert np.allclose(alone.log_probabilities, decoded.log_probabilities, atol=1e-3)


def test_no_window_writes_more_than_its_own_limit(tiny_en, sounds):
    limits = [3, 200, 5]
    _, decoded = decode(tiny_en, log_mel(tiny_en, *sounds), limits)
    assert [len(d.tokens) for d in decoded][::2] == [3, 5]
    assert 5 < len(decoded[1].tokens) < 200


def test_windows_that_are_done_leave_and_the_others_write_on_undisturbed(tiny_en, sounds):
    features = log_mel(tiny_en, *sounds, *sounds)
    whole = decode(tiny_en, features, [200] * 6)[1]
    limits = [4, 200, 9, 2, 200, 6]  # they leave from the front, the middle and the end
    cut = decode(tiny_en, features, limits)[1]
    for some, everything, limit in zip(cut, whole, limits, strict=True):
        assert some.tokens == everything.tokens[:limit]
        assert np.allclose(some.log_probabilities, everything.log_probabilities[:limit], atol=1e-3)


def test_probabilities_are_those_of_the_library(tiny_en, sounds):
    features = log_mel(tiny_en, sounds[0])
    _, (decoded,) = decode(tiny_en, features, [200])
    theirs = tiny_en.model.generate(
        features,
        num_beams=1,
        return_timestamps=True,
        force_unique_generate_call=True,
        return_dict_in_generate=True,
        output_scores=True,
    )
    steps = zip(theirs.scores, decoded.tokens, strict=False)
    expected = [float(step[0].log_softmax(-1)[token]) for step, token in steps]
    text = [token < decoded.first_special for token in decoded.tokens]
    assert np.allclose(np.array(expected)[text], np.array(decoded.text_scores), atol=1e-2)


def test_phrases_say_what_they_cover(tiny_en, sounds):
    _, (decoded,) = decode(tiny_en, log_mel(tiny_en, sounds[0]), [200])
    duration = len(sounds[0]) / 16_000
    covered = decoded.covered(duration)
    assert len(covered) == 2
    assert covered[0][0] < 1 and covered[0][1] <= covered[1][0]
    assert duration - covered[1][1] < 1.5


def test_text_cut_off_before_its_phrase_was_closed_covers_the_rest():
    stamp = 100
    decoded = Decoded((stamp, 1, 2, stamp + 50, stamp + 60, 3), (0.0,) * 6, 90, stamp)
    assert decoded.covered(9.0) == [(0.0, 1.0), (1.2, 9.0)]
    assert decoded.text_tokens == (1, 2, 3)


def test_chance_falls_the_same_way_each_time_and_leaves_yours_alone(tiny_en, sounds):
    features = log_mel(tiny_en, sounds[0])
    before = torch.random.get_rng_state()
    first, second = (decode(tiny_en, features, [200], temperatures=[1.0])[1] for _ in range(2))
    assert first == second
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-4), (torch.bfloat16, 0.15)])
def test_blocked_attention_computes_what_plain_attention_computes(tiny_en, dtype, tolerance):
    model = tiny_en.model.to(dtype)
    try:
        torch.manual_seed(0)
        features = torch.randn(1, 80, 3000, dtype=dtype)
        tokens = torch.randint(0, 50_000, (1, 200))  # more rows than a block, with a causal mask
        outputs = []
        for name in ("eager", "blocked"):
            with torch.inference_mode(), attention_kernel(model, name):
                states = model.get_encoder()(features).last_hidden_state
                decoded = model.model.decoder(input_ids=tokens, encoder_hidden_states=states)
                outputs.append(decoded.last_hidden_state.float())
        scale = outputs[0].abs().mean()
        assert (outputs[0] - outputs[1]).abs().mean() / scale < tolerance
    finally:
        tiny_en.model.to(torch.float32)


def test_the_kernel_is_put_back_even_after_an_error(tiny_en):
    before = tiny_en.model.config._attn_implementation
    with pytest.raises(RuntimeError), attention_kernel(tiny_en.model, "blocked"):
        raise RuntimeError
    assert tiny_en.model.config._attn_implementation == before


@pytest.mark.parametrize("shape", [(1, 2), (4, 1), (5, 5), (12, 70), (30, 8)])
def test_warping_finds_the_librarys_path(shape):
    from transformers.models.whisper.generation_whisper import _dynamic_time_warping

    cost = np.random.default_rng(0).normal(size=shape)
    rows, columns = _dynamic_time_warping(cost)
    first = np.r_[True, np.diff(rows) > 0]
    assert np.array_equal(warp(cost), columns[first])


def test_token_times_move_forward_and_agree_with_the_librarys(tiny_en, sounds):
    audio = sounds[0]
    features = log_mel(tiny_en, audio)
    _, (decoded,) = decode(tiny_en, features, [token_limit(len(audio) / 16_000)])
    tokens = decoded.text_tokens
    times = token_times(decoded.text_looks, [(0, len(audio) / 16_000)])
    assert len(times) == len(tokens) + 1
    assert np.all(np.diff(times) >= 0)
    chunks = tiny_en(audio, return_timestamps="word")["chunks"]
    spoken = [i for i, token in enumerate(tokens) if tiny_en.tokenizer.decode(token)[0] == " "]
    theirs = np.array([chunk["timestamp"][0] for chunk in chunks])
    assert len(theirs) == len(spoken)
    assert np.median(np.abs(times[spoken] - theirs)) <= 0.1


def test_no_token_is_placed_where_no_phrase_was(tiny_en, sounds):
    _, (decoded,) = decode(tiny_en, log_mel(tiny_en, sounds[0]), [200])
    times = token_times(decoded.text_looks, [(0.0, 3.0), (6.0, 9.0)])
    assert not np.any((times >= 3.0) & (times < 6.0))


def test_where_the_decoder_looked_is_what_the_library_says(tiny_en, sounds):
    """Each text token's row of each alignment head, from one look at the finished text."""
    features = log_mel(tiny_en, *sounds)
    _, decoded = decode(tiny_en, features, [200] * len(sounds))
    config = tiny_en.model.generation_config
    for window, mine in zip(features, decoded, strict=True):
        tokens = torch.tensor([[config.decoder_start_token_id, *mine.tokens]])
        with torch.inference_mode(), attention_kernel(tiny_en.model, "eager"):
            theirs = tiny_en.model(
                window[None], decoder_input_ids=tokens, output_attentions=True
            ).cross_attentions
        heads = torch.stack([theirs[layer][0, head] for layer, head in config.alignment_heads])
        assert len(mine.looks) == len(mine.tokens) + 1
        looks = torch.stack(mine.looks).float()
        assert torch.allclose(looks, heads.transpose(0, 1), atol=1e-3)


def test_text_cut_off_in_mid_phrase_has_times_too(tiny_en, sounds):
    _, (decoded,) = decode(tiny_en, log_mel(tiny_en, sounds[0]), [6])
    assert len(decoded.tokens) == 6 and decoded.tokens[-1] < decoded.first_special
    times = token_times(decoded.text_looks, decoded.covered(9.0))
    assert len(times) == len(decoded.text_tokens) + 1
    assert np.all(np.diff(times) >= 0)


def test_without_named_heads_the_upper_half_is_asked(tiny_en, sounds, monkeypatch):
    features = log_mel(tiny_en, sounds[0])
    _, (named,) = decode(tiny_en, features, [200])
    monkeypatch.setattr(tiny_en.model.generation_config, "alignment_heads", None)
    _, (unnamed,) = decode(tiny_en, features, [200])
    assert unnamed.tokens == named.tokens
    assert unnamed.text_looks.shape[1:] == (1, 1500)
    times, expected = (token_times(d.text_looks, [(0, 9.0)]) for d in (unnamed, named))
    assert np.median(np.abs(times - expected)) <= 0.2

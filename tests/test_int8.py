"""Weights rounded to 8 bits: smaller, quicker, and nearly the same text."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from tiny_models import moonshine, one_second, speech2text, wav2vec2

from asr_workshop.audio import load_audio
from asr_workshop.clips import clip, clips
from asr_workshop.int8 import to_int8
from asr_workshop.models import ModelUnavailable, load_pipeline
from asr_workshop.scoring import word_error_rate
from asr_workshop.transcription import transcribe


@pytest.fixture(scope="module")
def small():
    return load_pipeline("openai/whisper-tiny.en", device="cpu", dtype="int8")


def bytes_of(network) -> int:
    """What its weights take up, the rounded ones among them."""
    plain = sum(weight.nbytes for weight in network.parameters())
    kind = torch.ao.nn.quantized.dynamic.Linear
    rounded = [module.weight() for module in network.modules() if type(module) is kind]
    return plain + sum(weight.nelement() for weight in rounded)


def test_it_errs_no_more_than_a_point_more_on_our_english_clips(small, tiny_en):
    rows = [row for row in clips() if row.language == "en"]
    spoken = " ".join(row.transcript for row in rows)
    rates = []
    for pipe in (small, tiny_en):
        heard = [transcribe(load_audio(row.path), pipe).text for row in rows]
        rates.append(word_error_rate(spoken, " ".join(heard)))
    assert rates[0] <= rates[1] + 0.01


def test_words_stand_where_float32_puts_them(small, tiny_en):
    ours, theirs = (
        transcribe(clip("example_audio.mp3"), pipe, words=True).words for pipe in (small, tiny_en)
    )
    assert [word.text for word in ours] == [word.text for word in theirs]
    shifts = sorted(abs(a.start - b.start) for a, b in zip(ours, theirs, strict=True))
    assert shifts[len(shifts) // 2] <= 0.04


def test_the_librarys_own_call_works_too(small):
    chunks = small(clip("example_audio.mp3"), return_timestamps=True)["chunks"]
    assert "".join(chunk["text"] for chunk in chunks).strip()


def test_what_it_takes_up_and_which_layers_stay(small, tiny_en):
    kept = [name for name, m in small.model.named_modules() if type(m) is torch.nn.Linear]
    assert kept == [f"model.encoder.layers.{layer}.fc2" for layer in range(4)]
    # A byte for four, but for those, the biases and the output layer: it shares its matrix with
    # the embedding, which stays, so its bytes come on top.
    output = tiny_en.model.proj_out
    expected = bytes_of(tiny_en.model) + output.weight.nelement()
    for name, module in tiny_en.model.named_modules():
        if type(module) is torch.nn.Linear and module is not output and name not in kept:
            expected -= 3 * module.weight.nelement()
            expected -= 0 if module.bias is None else module.bias.nbytes  # no parameter any more
    assert bytes_of(small.model) == expected


def test_its_reasons_name_it(small):
    assert any(reason.startswith("numbers int8: ") for reason in small.reasons)


@pytest.mark.parametrize("make", [wav2vec2, moonshine, speech2text])
def test_other_families_can_be_rounded_too(make, tmp_path):
    pipe = load_pipeline(make(tmp_path), device="cpu", dtype=torch.int8)
    assert isinstance(pipe(one_second())["text"], str)


def test_a_gpu_is_refused_before_anything_is_loaded(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)  # a faked GPU
    with pytest.raises(ModelUnavailable, match="int8 is for the processor, not for cuda"):
        load_pipeline("openai/whisper-tiny.en", device="cuda", dtype="int8")


def test_a_pytorch_without_such_layers_is_told_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delattr(torch.ao.quantization, "quantize_dynamic")
    with pytest.raises(ModelUnavailable, match="Use float32"):
        load_pipeline(wav2vec2(tmp_path), device="cpu", dtype="int8")


def test_pytorchs_notice_to_itself_stays_out_of_the_way():
    code = (
        "import torch, warnings; warnings.simplefilter('error', DeprecationWarning);"
        "from asr_workshop.int8 import to_int8;"
        "print(to_int8(torch.nn.Sequential(torch.nn.Linear(4, 2)))(torch.ones(1, 4)).shape)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""


def test_a_row_of_small_weights_beside_a_row_of_large_ones_keeps_its_figures():
    layer = torch.nn.Linear(64, 2, bias=False)
    torch.manual_seed(0)
    weights = torch.randn(2, 64) * torch.tensor([[1.0], [1000.0]])
    layer.weight.data = weights.clone()
    rounded = to_int8(torch.nn.Sequential(layer))[0].weight().dequantize()
    assert not torch.equal(rounded, weights)
    worst = ((rounded - weights).abs() / weights.abs().amax(1, keepdim=True)).amax(1)
    assert torch.all(worst < 1 / 127)

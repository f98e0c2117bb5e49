"""What the machine carries. No GPU is needed: the answers of torch.cuda are made up here."""

from __future__ import annotations

import math
import types

import pytest
import torch

from asr_workshop import catalogue, hardware
from asr_workshop.catalogue import MODELS, REVISIONS, models_table, pick_model
from asr_workshop.hardware import bfloat16_time, free_memory, pick_device, pick_dtype, usable_cores


@pytest.fixture
def nvidia(monkeypatch):
    """A made-up T4 with 15 of its 16 GB free."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla T4")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (15e9, 16e9))


def memory_is(monkeypatch, available, total=64e9):
    answer = types.SimpleNamespace(available=available, total=total)
    monkeypatch.setattr("psutil.virtual_memory", lambda: answer)
    monkeypatch.setattr(hardware, "_container_limit", lambda _: None)


def test_a_gpu_is_taken_where_there_is_one_and_named(nvidia):
    choice = pick_device()
    assert choice.value == "cuda:0"
    assert "Tesla T4" in choice.reason


def test_a_macs_gpu_comes_second_and_the_processor_last(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device().value == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device().value == "cpu"


def test_a_t4_computes_in_float16_although_it_claims_to_know_bfloat16(nvidia, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert pick_dtype("cuda:0").value is torch.float16


def test_apples_gpu_computes_in_float32():
    assert pick_dtype("mps").value is torch.float32


@pytest.mark.parametrize(("ratio", "dtype"), [(0.4, torch.bfloat16), (0.9, torch.float32)])
def test_a_processor_takes_bfloat16_only_where_it_saves_much(monkeypatch, ratio, dtype):
    monkeypatch.setattr(hardware, "bfloat16_time", lambda: ratio)
    choice = pick_dtype("cpu")
    assert choice.value is dtype
    assert f"{ratio:.0%}" in choice.reason


def test_the_probe_measures_this_processor_once_and_quickly():
    threads = torch.get_num_threads()
    bfloat16_time.cache_clear()
    ratio = bfloat16_time()
    assert 0.05 < ratio < 200
    assert bfloat16_time() == ratio
    assert torch.get_num_threads() == threads


def test_the_probe_stops_early_where_bfloat16_is_hopeless(monkeypatch):
    calls = []
    monkeypatch.setattr(hardware, "_best_times", lambda works: calls.append(works) or [1.0, 60.0])
    bfloat16_time.cache_clear()
    try:
        assert bfloat16_time() == 60
    finally:
        bfloat16_time.cache_clear()
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("content", "limit"),
    [("max\n", None), ("2147483648\n", 2147483648), ("150000 100000\n", 1.5), ("", None)],
)
def test_a_containers_limits_are_read(tmp_path, content, limit):
    (tmp_path / "file").write_text(content)
    assert hardware._container_limit("file", tmp_path) == limit
    assert hardware._container_limit("not there", tmp_path) is None


def test_in_a_container_its_share_counts_and_not_the_machines(monkeypatch):
    memory_is(monkeypatch, available=100e9)
    limits = {"memory.max": 2e9, "cpu.max": 1.0}
    monkeypatch.setattr(hardware, "_container_limit", limits.get)
    assert free_memory("cpu") == 2
    assert usable_cores() == 1


@pytest.mark.parametrize(
    ("gigabytes", "size"), [(15, "large-v3-turbo"), (4, "small"), (1.5, "base"), (0.5, "base")]
)
def test_a_gpu_gets_the_best_that_fits_its_free_memory(nvidia, monkeypatch, gigabytes, size):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (gigabytes * 1e9, 16e9))
    choice = pick_model("cuda:0")
    assert choice.value == f"openai/whisper-{size}"
    assert f"{gigabytes:.0f} GB" in choice.reason


@pytest.mark.parametrize(("total", "size"), [(16, "large-v3-turbo"), (8, "small")])
def test_a_mac_gets_what_its_shared_memory_carries(monkeypatch, total, size):
    memory_is(monkeypatch, available=1e9, total=total * 1e9)
    assert pick_model("mps").value == f"openai/whisper-{size}"


@pytest.mark.parametrize(
    ("cores", "gigabytes", "size"),
    [(16, 32, "small"), (8, 4, "base"), (2, 12, "base"), (1, 2, "base"), (64, 1, "tiny")],
)
def test_a_processor_gets_what_its_cores_and_memory_carry(monkeypatch, cores, gigabytes, size):
    memory_is(monkeypatch, available=gigabytes * 1e9)
    monkeypatch.setattr(catalogue, "usable_cores", lambda: cores)
    choice = pick_model("cpu")
    assert choice.value == f"openai/whisper-{size}"
    assert f"{gigabytes:.1f} GB" in choice.reason


def test_pinned_revisions_are_whole_commits_of_models_in_the_table():
    assert set(REVISIONS) <= set(MODELS)
    assert all(len(commit) == 40 and int(commit, 16) for commit in REVISIONS.values())
    assert MODELS["openai/whisper-base"].revision == REVISIONS["openai/whisper-base"]
    assert MODELS["facebook/s2t-small-librispeech-asr"].revision == "main"


def test_the_table_reads_well_in_a_terminal_and_in_a_notebook():
    table = models_table()
    lines = str(table).splitlines()
    assert len(lines) == 1 + len(MODELS)
    columns = [line.index("99") for line in lines if "  99  " in line]
    assert len(set(columns)) == 1
    assert lines[-1].endswith("\u2013")  # a dash where no figure is known
    html = table._repr_html_()
    assert html.count("<tr>") == html.count("</tr>") == len(lines)
    assert "<td>openai/whisper-large-v3-turbo</td>" in html


def test_the_table_escapes_what_it_shows():
    row = catalogue.Model("<b>bold</b>", 1, "English", None, None, math.nan)
    assert "&lt;b&gt;bold" in catalogue.ModelTable([row])._repr_html_()

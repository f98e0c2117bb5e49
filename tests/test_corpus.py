"""Recordings to measure on: from the Hub (a small server on this machine), or our own."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from datasets import Dataset
from fake_hub import Repository, fake_hub

from asr_workshop import corpus
from asr_workshop.clips import clip, clips
from asr_workshop.corpus import load_recordings, transcribe_all
from asr_workshop.scoring import word_error_rate

PRINT = """
from asr_workshop.corpus import load_recordings
for recording in load_recordings(3):
    print(f"{recording.speaker}|{recording.text}|{len(recording.audio) / 16_000:.1f}")
"""


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """A file in the form of the data set's: five clips of ours as its rows."""
    rows = [row for row in clips() if row.file_name.startswith("boat_")]
    path = tmp_path_factory.mktemp("data") / "rows.parquet"
    Dataset.from_list(
        [
            {
                "file": row.file_name,
                "audio": {"bytes": row.path.read_bytes(), "path": row.file_name},
                "text": row.transcript.upper(),
                "speaker_id": 1000 + number,
            }
            for number, row in enumerate(rows)
        ]
    ).to_parquet(str(path))
    return path.read_bytes()


def run(home, **changes):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    environment |= {"HF_HOME": str(home), **changes}
    done = subprocess.run(
        [sys.executable, "-c", PRINT], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_real_readers_come_from_the_hub_once_and_then_from_this_disk(parquet, tmp_path):
    repository = Repository({corpus.FILE: parquet}, revisions=("main", corpus.REVISION))
    with fake_hub({corpus.DATA_SET: repository}) as (address, requests):
        first = run(tmp_path, HF_ENDPOINT=address)
        asked = len(requests)
        again = run(tmp_path, HF_ENDPOINT=address)
        assert any(corpus.REVISION in request for request in requests)
        assert len(requests) == asked, "what is on this disk is not asked for again"
    offline = run(tmp_path, HF_ENDPOINT=address, HF_HUB_OFFLINE="1")

    assert first[0].startswith(f"Downloading {corpus.DATA_SET}")
    assert first[1:] == again == offline
    assert [line.split("|")[0] for line in again] == ["reader 1000", "reader 1002", "reader 1004"]
    assert again[0].split("|")[1].startswith("PLEASE PUT THE SMALL BLUE BOAT")
    assert again[0].endswith("|4.1")


def test_without_a_network_our_own_clips_stand_in_and_it_is_said(capsys):
    recordings = load_recordings()
    assert "cannot be reached" in capsys.readouterr().out
    assert len(recordings) == len(corpus.STAND_INS)
    assert len({recording.speaker for recording in recordings}) >= 4
    assert all(recording.text and len(recording.audio) > 16_000 for recording in recordings)


def test_the_stand_ins_are_clips_that_are_not_made_to_be_hard():
    levels = {row.file_name: (row.level, row.language) for row in clips()}
    assert {levels[name] for name in corpus.STAND_INS} == {("clear", "en")}
    assert all(clip(name).exists() for name in corpus.STAND_INS)


def test_many_at_once_are_transcribed_as_each_alone(tiny_en):
    """Each text goes to its own recording, and a silent one gets none."""
    recordings = load_recordings()[:4]
    silent = np.zeros(8_000, dtype=np.float32)
    sounds = [recordings[0].audio, silent, *(recording.audio for recording in recordings[1:])]

    first, nothing, *others = transcribe_all(sounds, tiny_en)

    assert nothing == ""
    for recording, text in zip(recordings, [first, *others], strict=True):
        assert word_error_rate(recording.text, text) <= 0.1

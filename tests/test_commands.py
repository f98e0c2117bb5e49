"""The commands a learner types, with a real model, as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from asr_workshop.clips import clip

pytestmark = pytest.mark.checkout


def run(folder, *arguments):
    """Run a module with nothing on the PATH: no ffmpeg, no helper of any kind."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PATH": str(folder / "nothing")},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_recordings_become_captions_and_a_bad_file_stops_nobody(tmp_path):
    (tmp_path / "notes.txt.mp3").write_text("no sound at all", encoding="utf-8")
    files = (clip("greeting.wav"), tmp_path / "notes.txt.mp3", clip("soup.m4a"))

    done = run(tmp_path, "asr_workshop", *files, "--model", "openai/whisper-tiny.en",
               "--to", "srt,txt", "--out", "texts")  # fmt: skip

    assert done.returncode == 1
    assert "notes.txt.mp3 is text, not sound" in done.stderr
    written = {path.name for path in (tmp_path / "texts").iterdir()}
    assert written == {"greeting.srt", "greeting.txt", "soup.srt", "soup.txt"}
    assert "computer" in (tmp_path / "texts/greeting.txt").read_text(encoding="utf-8")
    assert "00:00:0" in (tmp_path / "texts/soup.srt").read_text(encoding="utf-8")


def test_the_demo_says_what_it_chose_and_writes_captions_and_a_picture(tmp_path):
    done = run(tmp_path, "asr_workshop.demo")

    assert done.returncode == 0, done.stderr
    for word in ("Recording", "Chosen", "whisper-", "float", "real-time factor", "Written"):
        assert word in done.stdout
    assert "never written down" in done.stdout
    assert "s of speech" in done.stderr  # the progress bar
    for ending in (".srt", ".vtt", ".png"):
        path = tmp_path / "output" / f"example_audio{ending}"
        assert path.stat().st_size > 100
        assert str(path.resolve()) in done.stdout

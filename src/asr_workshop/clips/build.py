"""Make the clips again: ``python -m asr_workshop.clips.build DIR``.

Reads ``recipes.toml``, lets the voices speak, writes one sound file per recipe and
``metadata.csv`` into DIR. ``voices.py`` says what has to be installed for that. Names,
transcripts, voices and lengths come out the same every time; the checksums only with the same
versions of the voices and encoders (Ogg Vorbis files carry a random number, so theirs never do).
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import numpy as np

from asr_workshop.clips import Clip
from asr_workshop.clips.encoding import write_sound
from asr_workshop.clips.signals import SIGNALS
from asr_workshop.clips.voices import speak
from asr_workshop.writing import write_whole

LICENCE = "CC0-1.0"
SPEECH_LEVEL = 0.1  # root mean square of the speaking parts: -20 dB of full scale
PEAK_LEVEL = 0.7  # -3 dB of full scale
EDGE = 0.25  # seconds of silence at both ends
FADE = 0.01  # seconds
TELEPHONE_BAND = (300, 3400)  # Hz, the voice band of ITU-T G.712


def build(folder: Path) -> None:
    """Write every clip and ``metadata.csv`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    recipes = load_recipes()
    rows = []
    for recipe in recipes["clips"]:
        path = folder / recipe["file_name"]
        seconds = write_clip(path, recipe, recipes["voices"])
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        row = describe(recipe, recipes["voices"])
        rows.append(row | {"duration": round(seconds, 2), "sha256": checksum})
    table = io.StringIO()
    writer = csv.DictWriter(table, [field.name for field in fields(Clip)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(folder / "metadata.csv", table.getvalue())


def load_recipes() -> dict:
    """Read ``recipes.toml``: the ``voices`` by name, and the ``clips`` in their order."""
    return tomllib.loads(Path(__file__).with_name("recipes.toml").read_text(encoding="utf-8"))


def describe(recipe: dict, voices: dict) -> dict:
    """What can be said about a clip before anybody speaks."""
    spoken = [part for part in recipe["parts"] if "voice" in part]
    speakers = dict.fromkeys(voices[part["voice"]]["says"] for part in spoken)
    copied = {name: recipe[name] for name in ("file_name", "language", "level", "about")}
    return copied | {
        "transcript": " ".join(part["text"] for part in spoken),
        "voice": "; ".join(speakers),
        "licence": LICENCE,
    }


def write_clip(path: Path, recipe: dict, voices: dict) -> float:
    """Make one sound file; return its length in seconds."""
    rate, telephone = recipe["sampling_rate"], recipe.get("telephone", False)
    edge = {"silence": EDGE}
    sound = np.concatenate([render(part, voices, rate) for part in (edge, *recipe["parts"], edge)])
    if not any("channel" in part for part in recipe["parts"]):
        sound = sound[:, 0]
    if telephone:
        sound = band_pass(sound, rate, TELEPHONE_BAND)
    write_sound(path, sound, rate, recipe.get("bit_rate", 0), "ULAW" if telephone else "PCM_16")
    return len(sound) / rate


def render(part: dict, voices: dict, rate: int) -> np.ndarray:
    """Turn one part of a recipe into sound, shape (n_samples, 2)."""
    if "silence" in part:
        return np.zeros((int(part["silence"] * rate), 2))
    if "signal" in part:
        sound = SIGNALS[part["signal"]](part["seconds"], rate)
    else:
        sound = even_level(resample(*speak(part["text"], voices[part["voice"]]), rate))
    sound = np.stack([fade(sound, rate)] * 2, axis=1)
    if "channel" in part:
        sound[:, 1 if part["channel"] == "left" else 0] = 0
    return sound


def resample(sound: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Change the sampling rate."""
    import soxr

    return soxr.resample(sound, from_rate, to_rate, quality="VHQ")


def even_level(sound: np.ndarray) -> np.ndarray:
    """Make every voice equally loud where it speaks, and keep peaks below the limit."""
    loud = np.abs(sound) > 0.05 * np.abs(sound).max()
    gain = SPEECH_LEVEL / np.sqrt(np.mean(sound[loud] ** 2))
    return sound * min(gain, PEAK_LEVEL / np.abs(sound).max())


def fade(sound: np.ndarray, rate: int) -> np.ndarray:
    """Rise from silence and sink into it, so that nothing clicks."""
    n_samples = int(FADE * rate)
    rise = np.linspace(0, 1, n_samples)
    sound = sound.copy()
    sound[:n_samples] *= rise
    sound[-n_samples:] *= rise[::-1]
    return sound


def band_pass(sound: np.ndarray, rate: int, band: tuple[float, float]) -> np.ndarray:
    """Keep only the frequencies of ``band`` (Hz)."""
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / rate)
    spectrum[(frequency < band[0]) | (frequency > band[1])] = 0
    return np.fft.irfft(spectrum, len(sound))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m asr_workshop.clips.build DIR")
    build(Path(sys.argv[1]))

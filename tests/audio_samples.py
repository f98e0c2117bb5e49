"""Recordings for the tests of audio: one tone, written in every format we promise to read."""

from __future__ import annotations

import base64
import io
import tempfile
from functools import cache
from pathlib import Path

import av
import numpy as np
import soundfile

TONE = 440.0  # Hz
SECONDS = 3.0

# name: (format, subtype, rate, channels), written by soundfile
SOUNDFILE_FORMATS = {
    "8bit.wav": ("WAV", "PCM_U8", 11_025, 1),
    "16bit.wav": ("WAV", "PCM_16", 44_100, 2),
    "24bit.wav": ("WAV", "PCM_24", 48_000, 2),
    "32bit.wav": ("WAV", "PCM_32", 96_000, 1),
    "float.wav": ("WAV", "FLOAT", 16_000, 1),
    "mulaw.wav": ("WAV", "ULAW", 8_000, 1),
    "talk.flac": ("FLAC", "PCM_16", 22_050, 6),
    "talk.mp3": ("MP3", "MPEG_LAYER_III", 44_100, 2),
    "talk.ogg": ("OGG", "VORBIS", 32_000, 1),
    "talk.opus": ("OGG", "OPUS", 48_000, 2),
    "talk.aiff": ("AIFF", "PCM_16", 44_100, 2),
}
# name: (format, codec, rate, channels), written by PyAV
PYAV_FORMATS = {
    "talk.m4a": ("ipod", "aac", 44_100, 2),
    "talk.mp4": ("mp4", "aac", 48_000, 2),
    "talk.webm": ("webm", "libopus", 48_000, 1),
}
FORMATS = SOUNDFILE_FORMATS | PYAV_FORMATS | {"talk.amr": ("amr", "amr_nb", 8_000, 1)}
LOSSY = {"talk.mp3", "talk.ogg", "talk.opus", "talk.amr", *PYAV_FORMATS}

# Not every PyAV can write AMR. These five frames (20 ms each, 7.95 kbit/s) are 44 periods of the
# tone, so repeating them continues it.
AMR_FRAMES = base64.b64decode(
    "LDNDjg3+AeYSC+fqFmNltCSINJSsLDNDjh2+AeYCC+fwGewYNGE5qqWeLDNtjw++AeYEC+fgBjzCRzKF"
    "0yCULDM1jh4+AeYAC+VI6U6cb8ZJgb7KLDNtjw6+AeYEC+fmGpBorLElYIgs"
)


def tone(sampling_rate: int, seconds: float = SECONDS, channels: int = 1) -> np.ndarray:
    """A tone over a little noise, so that every block of a file differs from every other."""
    times = np.arange(int(seconds * sampling_rate)) / sampling_rate
    noise = np.random.default_rng(0).standard_normal(len(times))
    sound = 0.4 * np.sin(2 * np.pi * TONE * times) + 0.02 * noise
    return np.repeat(sound[:, np.newaxis], channels, axis=1).astype(np.float32)


@cache
def recording(name: str, seconds: float = SECONDS) -> bytes:
    """The tone as the bytes of a file."""
    if name == "talk.amr":
        return b"#!AMR\n" + AMR_FRAMES * round(seconds / 0.1)
    file_format, codec, rate, channels = FORMATS[name]
    sound = tone(rate, seconds, channels)
    if name in SOUNDFILE_FORMATS:
        return with_soundfile(sound, rate, file_format, codec)
    return with_pyav(sound, rate, file_format, codec, video=name == "talk.mp4")


def with_soundfile(sound: np.ndarray, rate: int, file_format: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=file_format, subtype=subtype)
    return file.getvalue()


def with_pyav(
    sound: np.ndarray | None,
    rate: int,
    file_format: str,
    codec: str,
    *,
    video: bool = False,
    options: dict | None = None,
) -> bytes:
    """Write `sound`, shape (n_samples, channels), with a moving picture beside it if wanted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recording")
        with av.open(str(path), "w", format=file_format, options=options or {}) as container:
            tracks = []  # all must be there before the first packet is written
            if video:
                tracks.append((container.add_stream("mpeg4", rate=10), pictures()))
            if sound is not None:
                layout = {1: "mono", 2: "stereo"}[sound.shape[1]]
                stream = container.add_stream(codec, rate=rate, layout=layout)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), "fltp", layout)
                frame.sample_rate = rate
                tracks.append((stream, [frame]))
            for stream, frames in tracks:
                for frame in [*frames, None]:
                    container.mux(stream.encode(frame))
        return path.read_bytes()


def pictures() -> list[av.VideoFrame]:
    """Five seconds that grow brighter, longer than the sound."""
    shades = [np.full((48, 64, 3), 5 * step, np.uint8) for step in range(50)]
    return [av.VideoFrame.from_ndarray(shade, "rgb24") for shade in shades]

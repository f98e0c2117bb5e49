"""Writing a sound into the file format that its name asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

# name's ending: (codec, container); all of them part of PyAV's FFmpeg
PYAV_FORMATS = {
    ".mp3": ("libmp3lame", "mp3"),
    ".opus": ("libopus", "ogg"),
    ".webm": ("libopus", "webm"),
    ".m4a": ("aac", "ipod"),
}


def write_sound(path: Path, sound: np.ndarray, rate: int, bit_rate: int, subtype: str) -> None:
    """Encode a sound.

    Parameters
    ----------
    path : Path
        Its ending picks the format.
    sound : ndarray, shape (n_samples,), or (n_samples, 2) for wav and flac
    rate : int, Hz
    bit_rate : int, bits per second
        For mp3, opus, webm and m4a.
    subtype : str
        How wav and flac write a sample: soundfile's ``"PCM_16"`` or ``"ULAW"``.
    """
    if path.suffix in PYAV_FORMATS:
        _write_with_pyav(path, sound, rate, bit_rate)
    elif path.suffix == ".ogg":
        soundfile.write(path, sound, rate, format="OGG", subtype="VORBIS", compression_level=0.8)
    else:
        soundfile.write(path, sound, rate, subtype=subtype)


def _write_with_pyav(path: Path, sound: np.ndarray, rate: int, bit_rate: int) -> None:
    import av

    codec, container_format = PYAV_FORMATS[path.suffix]
    # "bitexact" leaves out dates, library versions and random serial numbers.
    options = {"fflags": "+bitexact"}
    with av.open(path, "w", format=container_format, container_options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        samples = sound[np.newaxis].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)

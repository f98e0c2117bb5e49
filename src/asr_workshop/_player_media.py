"""The sound and the picture inside a player, small enough to travel in a page."""

from __future__ import annotations

import io

import numpy as np

from asr_workshop.audio import SAMPLING_RATE
from asr_workshop.plots import ENERGY, HOP_SECONDS, WINDOW_SECONDS, _spectrogram

# bit/s. The best of them that keeps within the budget is taken; a minute of the last one fills it.
BIT_RATES = (64_000, 48_000, 32_000, 24_000)
BUDGET = 60 * BIT_RATES[-1]  # bits
COLUMNS = 1000  # of the picture; about as many as a page is wide
TOP_DB = 80.0  # how far below the loudest point the colours reach, as in plot_spectrogram


def encode_sound(audio: np.ndarray) -> bytes:
    """Encode as MP3, which every browser plays; Ogg and WebM are refused by older Safaris.

    The bit rate is constant: with a variable one, some browsers land beside the place you jump
    to. PyAV writes the tag by which players skip the encoder's delay of 69 ms at any bit rate;
    libsndfile leaves it out below 40 kbit/s.

    Parameters
    ----------
    audio : ndarray of float32, shape (n_samples,), in [-1, 1], at 16 kHz

    Returns
    -------
    bytes
        The same for the same sound.
    """
    import av

    seconds, encoded = len(audio) / SAMPLING_RATE, io.BytesIO()
    # "bitexact" leaves out version numbers.
    options = {"fflags": "+bitexact", "id3v2_version": "0"}
    with av.open(encoded, "w", format="mp3", container_options=options) as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLING_RATE, layout="mono")
        fitting = (rate for rate in BIT_RATES if rate * seconds <= BUDGET)
        stream.bit_rate = next(fitting, BIT_RATES[-1])
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        frame = av.AudioFrame.from_ndarray(audio[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = SAMPLING_RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return encoded.getvalue()


def draw_picture(audio: np.ndarray) -> bytes:
    """Draw the spectrogram from 0 to 8 kHz, without axes, from the first sample to the last.

    As WebP it is a quarter smaller than as JPEG, and less than a tenth of what it is as PNG.

    Parameters
    ----------
    audio : ndarray of float32, shape (n_samples,), at 16 kHz

    Returns
    -------
    bytes
        A WebP file; bright is loud.
    """
    from matplotlib import colormaps
    from PIL import Image

    hop_length = min(max(32, len(audio) // COLUMNS), round(HOP_SECONDS * SAMPLING_RATE))
    power, _ = _spectrogram(audio, round(WINDOW_SECONDS * SAMPLING_RATE), hop_length)
    columns = min(COLUMNS, power.shape[1])
    edges = np.linspace(0, power.shape[1], columns, endpoint=False).astype(int)
    power = np.maximum.reduceat(power, edges, axis=1)[::-1]  # high frequencies on top
    loudest = float(power.max()) or 1.0
    level = 10 * np.log10(np.maximum(power / loudest, 10 ** (-TOP_DB / 10)))
    colours = colormaps[ENERGY](1 + level / TOP_DB, bytes=True)[..., :3]
    encoded = io.BytesIO()
    Image.fromarray(colours).save(encoded, "WEBP", quality=30)
    return encoded.getvalue()

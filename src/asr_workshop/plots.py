"""Look at sound: waveform, spectrum, spectrogram, mel bands, and the words under it.

Every function draws on the axes you give it, or on a new figure, and returns the axes. In a
notebook, end the cell with a semicolon, ``plot_waveform(audio);``, and only the picture shows.
"""

from __future__ import annotations

import os
import secrets
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.ticker import MaxNLocator

from asr_workshop.audio import SAMPLING_RATE
from asr_workshop.transcript import Segment, Transcript, Word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

HOP_SECONDS = 0.010  # a new spectrogram column every 10 ms, as in Whisper
WINDOW_SECONDS = 0.025  # each column looks at 25 ms, as in Whisper
MAX_COLUMNS = 8_000  # 80 s at 10 ms; more columns than a screen has pixels
MAX_PICTURE_SECONDS = 30.0  # Whisper's own window; more words are hard to read in one picture
MAX_LINE_SECONDS = 10.0  # longer sounds are drawn as an outline, not sample by sample
OUTLINE_COLUMNS = 4_000
MAX_BLOCK = 100_000  # samples transformed at once: few enough for a processor's fast memory
QUIETEST = 0.01  # the amplitude axis reaches at least this far, so that silence looks flat
MAX_DOTS = 200  # so few samples that each one can be seen
MEL_MARKS = (250, 500, 1000, 2000, 4000, 7000)  # Hz
UNSURE = 0.5  # words below this confidence get a dashed edge

# One colour per meaning. Okabe & Ito, "Color Universal Design" (2008), with its purple and grey
# darkened: every colour stands 3:1 or better against white, and any two can be told apart with
# red-, green- or blue-blind eyes.
COLOURS = {
    "sound": "#0072B2",
    "other sound": "#111111",
    "reference": "#009E73",
    "hypothesis": "#882D72",
    "error": "#D55E00",
    "silence": "#5F5F5F",
}
INK, PAPER = "#1A1A1A", "#FFFFFF"
ENERGY = "magma"  # bright is loud; its lightness rises evenly, so it also works in grey
# From paper to nearly black, so that ink on it turns from dark to light at about one half.
CONFIDENCE = LinearSegmentedColormap.from_list(
    "confidence", [(0, PAPER), (0.64, COLOURS["hypothesis"]), (1, "#4A1040")]
)

# DejaVu comes with matplotlib; the others, where installed, add Chinese, Japanese and Korean
# (Linux, macOS, Windows) and the writing of India and Thailand.
FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Nirmala UI",
    "Leelawadee UI",
)
NO_GLYPH = "□"
AMPLITUDE = "Amplitude (−1 to 1)"

# Sizes in points: nothing under 13 on a figure 10 inches wide reads well from the back row.
TITLE_SIZE, LABEL_SIZE, TICK_SIZE, WORD_SIZE = 16, 14, 13, 13
STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": TITLE_SIZE,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.labelsize": LABEL_SIZE,
    "axes.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a transcript is a dollar
    "xtick.labelsize": TICK_SIZE,
    "ytick.labelsize": TICK_SIZE,
    "legend.fontsize": TICK_SIZE,
    "legend.frameon": False,
    "font.size": TICK_SIZE,
    "font.family": FONTS[0],
    "lines.linewidth": 1.5,
}

# Figure measures, in inches.
WIDTH, HEIGHT = 10.0, 3.5
LEFT, RIGHT, TOP, BOTTOM, GAP = 1.3, 1.15, 0.5, 0.7, 0.3
# Measures of the words' picture, in points (1/72 inch).
POINTS = 72
ROW, STRIP, SOUND, CHIP_PAD, CHIP_GAP = 25.0, 14.0, 80.0, 3.0, 5.0
SOUND_AND_PICTURE = (1.2, 2.1)  # inches of the two upper pictures of a transcript
MAX_LETTERS = 200  # of one chip, before it is fitted


class PlotError(ValueError):
    """What was given cannot be drawn; the message says why and what to do."""


# --- the style ---------------------------------------------------------------------------------


@contextmanager
def style() -> Iterator[None]:
    """Draw in the workshop's style inside the ``with`` block; your own settings come back after.

    Examples
    --------
    >>> with style():
    ...     figure, axes = plt.subplots(2, 1, layout="constrained")
    >>> plt.close(figure)
    """
    # Starting from matplotlib's defaults makes a figure look the same whatever you have set.
    with plt.style.context(STYLE, after_reset=True):
        try:
            yield
        finally:
            interactive = matplotlib.is_interactive()
    # A notebook's first figure turns this on, and leaving the context turned it off again: from
    # the second figure on, nothing would be shown.
    matplotlib.interactive(interactive)


def _stack(heights: Sequence[float]) -> list[Axes]:
    """Make a figure with axes of these heights (inches), one below the other, one time for all."""
    figure = plt.figure(figsize=(WIDTH, HEIGHT))
    axes = [figure.add_subplot(len(heights), 1, 1)]
    axes += [figure.add_subplot(len(heights), 1, i + 1, sharex=axes[0])
             for i in range(1, len(heights))]  # fmt: skip
    for upper in axes[:-1]:
        upper.tick_params(labelbottom=False)
    _set_heights(axes, heights)
    return axes


def _set_heights(axes: Sequence[Axes], heights: Sequence[float]) -> None:
    total = TOP + sum(heights) + GAP * (len(heights) - 1) + BOTTOM
    axes[0].figure.set_size_inches(WIDTH, total)
    upper = total - TOP
    for ax, height in zip(axes, heights, strict=True):
        box = (LEFT / WIDTH, (upper - height) / total,
               (WIDTH - LEFT - RIGHT) / WIDTH, height / total)  # fmt: skip
        ax.set_position(box)
        upper -= height + GAP


def _axes(ax: Axes | None) -> Axes:
    return _stack([HEIGHT - TOP - BOTTOM])[0] if ax is None else ax


def _finish(ax: Axes, title: str, xlabel: str, ylabel: str) -> Axes:
    """Write title and labels, in the workshop's sizes even on axes made outside its style."""
    title = _drawable(title)
    letters = max(20, int(_size(ax)[0] / TITLE_SIZE * 1.7))  # of a bold title, in one line
    ax.set_title(textwrap.fill(title, letters), loc="left", parse_math=False,
                 **_face(title, "bold"))  # fmt: skip
    ax.set_xlabel(xlabel, fontsize=LABEL_SIZE, family=FONTS[0], parse_math=False)
    ax.set_ylabel(ylabel, fontsize=LABEL_SIZE, family=FONTS[0], parse_math=False)
    ax.tick_params(labelsize=TICK_SIZE)
    return ax


def _number(value: float) -> str:
    """Write a number for an axis: with a real minus sign, and none before zero."""
    return f"{value + 0.0:g}".replace("-", "−")


def _time_axis(ax: Axes, start: float, end: float) -> str:
    """Set the time axis from `start` to `end` (seconds); return its label."""
    ax.set_xlim(start, end)
    if end - start > 0.2:
        return "Time (s)"
    ax.xaxis.set_major_formatter(lambda seconds, _: _number(1000 * seconds))
    return "Time (ms)"


def _add_key(ax: Axes, mappable: ScalarMappable, label: str) -> None:
    """Put the colour key right of the axes without narrowing them, so that time stays aligned."""
    place = ax.inset_axes((1.015, 0, 0.018, 1))
    bar = ax.figure.colorbar(mappable, cax=place)
    bar.set_label(label, fontsize=LABEL_SIZE, color=INK)
    bar.ax.tick_params(labelsize=TICK_SIZE)
    bar.outline.set_visible(False)


# --- text from outside -------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, ...]:
    """Those of ``FONTS`` that this machine has; matplotlib complains when asked for others.

    It also complains about a font without the weight asked for, hence the 400, "normal".
    """
    installed = {font.name for font in font_manager.fontManager.ttflist if font.weight == 400}
    return tuple(name for name in FONTS if name in installed)


@lru_cache(maxsize=len(FONTS))
def _glyphs(name: str) -> frozenset[int]:
    """Every character that a font can draw, as code points."""
    return frozenset(font_manager.get_font(font_manager.findfont(name)).get_charmap())


def _drawable(text: str) -> str:
    """One line of `text` that can be drawn: boxes for letters no font has, nothing invisible."""
    line = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
    known = frozenset().union(*map(_glyphs, _fonts()))
    return "".join(letter if ord(letter) in known else NO_GLYPH for letter in line)


def _face(text: str, weight: str = "normal") -> dict:
    """Choose the fonts for a drawable `text`; in those but the first, only normal weight."""
    if _glyphs(FONTS[0]).issuperset(map(ord, text)):
        return {"fontfamily": FONTS[0], "fontweight": weight}
    return {"fontfamily": list(_fonts()), "fontweight": "normal"}


# --- checks ------------------------------------------------------------------------------------


def _check_audio(audio: np.ndarray, sampling_rate: float) -> np.ndarray:
    audio = np.asarray(audio)
    if audio.ndim != 1:
        raise PlotError(
            f"This sound has the shape {audio.shape}; a plot draws one channel. "
            "Pass one of them, or use load_audio, which mixes them to one."
        )
    if audio.size == 0:
        raise PlotError("This sound is empty: there is not a single sample to draw.")
    if audio.dtype.kind != "f":
        raise PlotError(
            f"This sound holds {audio.dtype} numbers; a plot expects decimals from -1 to 1. "
            "Use load_audio, or divide 16-bit samples by 32768."
        )
    if not np.isfinite(audio).all():
        raise PlotError("This sound holds numbers that are not finite (NaN or infinity).")
    if not sampling_rate > 0:
        raise PlotError(f"The sampling rate is {sampling_rate} Hz; it must be above zero.")
    return audio


def _check_matrix(matrix: np.ndarray, name: str, form: str) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.size == 0:
        raise PlotError(f"{name} has the shape {matrix.shape}; expected {form}.")
    if not np.isfinite(matrix).all():
        raise PlotError(f"{name} holds numbers that are not finite (NaN or infinity).")
    return matrix


# --- sound -------------------------------------------------------------------------------------


def _draw_sound(
    ax: Axes,
    audio: np.ndarray,
    sampling_rate: float,
    colour: str = "sound",
    start: float = 0.0,
    offset: float = 0.0,
) -> None:
    """Draw `audio` from `start` seconds on, around the height `offset`."""
    look = {"color": COLOURS[colour], "linewidth": 1.0}
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], min_n_ticks=3))
    ax.yaxis.set_major_formatter(lambda height, _: _number(height))
    reach = max(QUIETEST, float(np.abs(audio).max()))  # as far down as up: zero is in the middle
    ax.update_datalim([(start, offset - reach), (start, offset + reach)])
    if audio.size <= MAX_LINE_SECONDS * SAMPLING_RATE:
        marker = "o" if audio.size <= MAX_DOTS else None
        times = start + np.arange(audio.size) / sampling_rate
        ax.plot(times, audio + offset, marker=marker, markersize=5, **look)
        return
    # Lowest and highest sample of each column: the same picture, and no click gets lost.
    edges = np.linspace(0, audio.size, OUTLINE_COLUMNS, endpoint=False).astype(int)
    low, high = np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)
    ax.fill_between(start + edges / sampling_rate, low + offset, high + offset, **look)


@style()
def plot_waveform(
    audio: np.ndarray,
    sampling_rate: float = SAMPLING_RATE,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw air pressure over time; up to 200 samples as dots, so that you can count them.

    Parameters
    ----------
    audio : ndarray of float, shape (n_samples,), in [-1, 1]
    sampling_rate : float, Hz
    ax : Axes, optional
        Where to draw; a new figure without it.
    title : str, optional
        What to notice; ``""`` for none.

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        The sound is empty, not one channel, not decimals, or not finite.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(160) / 16_000)
    >>> ax = plot_waveform(tone)
    >>> plt.close(ax.figure)
    """
    audio = _check_audio(audio, sampling_rate)
    ax = _axes(ax)
    _draw_sound(ax, audio, sampling_rate)
    seconds = audio.size / sampling_rate
    if title is None and audio.size <= MAX_DOTS:
        title = f"{1000 * seconds:.3g} ms of sound: every dot is one sample, one number"
    elif title is None:
        title = f"{round(seconds, 2):g} s of sound: tall is loud, flat is quiet"
    edge = 0.01 * seconds if audio.size <= MAX_DOTS else 0  # shows the first dot whole
    return _finish(ax, title, _time_axis(ax, -edge, seconds), AMPLITUDE)


@style()
def plot_compare(
    audio_a: np.ndarray,
    audio_b: np.ndarray,
    labels: tuple[str, str] = ("before", "after"),
    sampling_rate: float = SAMPLING_RATE,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw two sounds one above the other, on the same scale and the same time axis.

    Parameters
    ----------
    audio_a, audio_b : ndarray of float, shape (n_samples,), in [-1, 1]
        They may differ in length.
    labels : pair of str
        What the upper and the lower sound are.
    sampling_rate, ax, title
        As in `plot_waveform`.

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        As in `plot_waveform`.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(1600) / 16_000)
    >>> ax = plot_compare(tone, 3 * tone.clip(-0.2, 0.2), labels=("clean", "clipped"))
    >>> plt.close(ax.figure)
    """
    sounds = [_check_audio(audio, sampling_rate) for audio in (audio_a, audio_b)]
    ax = _axes(ax)
    peak = max(float(np.abs(audio).max()) for audio in sounds) or 1.0
    tick = float(f"{0.8 * peak:.1g}")
    heights = (1.45 * peak, -1.45 * peak)
    for audio, label, colour, height in zip(
        sounds, labels, ("sound", "other sound"), heights, strict=True
    ):
        _draw_sound(ax, audio, sampling_rate, colour, offset=height)
        name = _drawable(label)
        ax.annotate(name, (0.005, height + 1.05 * peak), xycoords=ax.get_yaxis_transform(),
                    va="bottom", color=COLOURS[colour], fontsize=LABEL_SIZE,
                    **_face(name, "bold"))  # fmt: skip
    ax.set_yticks([height + at for height in heights for at in (-tick, 0, tick)])
    ax.set_yticklabels([_number(at) for at in (-tick, 0, tick)] * 2)
    ax.set_ylim(-2.6 * peak, 3.0 * peak)
    if title is None:
        title = f"{labels[0]} above, {labels[1]} below: same time, same scale"
    seconds = max(audio.size for audio in sounds) / sampling_rate
    return _finish(ax, title, _time_axis(ax, 0, seconds), AMPLITUDE)


# --- frequencies -------------------------------------------------------------------------------


@style()
def plot_spectrum(
    audio: np.ndarray,
    sampling_rate: float = SAMPLING_RATE,
    ax: Axes | None = None,
    title: str | None = None,
    scale: str = "linear",
) -> Axes:
    """Draw which frequencies a piece of sound is made of.

    The piece is taken as it is, with no window laid over it: multiply by one first
    (``piece * np.hanning(len(piece))``) and see what it changes.

    Parameters
    ----------
    audio : ndarray of float, shape (n_samples,), in [-1, 1]
    sampling_rate : float, Hz
    ax, title
        As in `plot_waveform`.
    scale : "linear" or "dB"
        Amplitude of each frequency (a tone of height 0.5 gives a peak of 0.5), or its level
        in decibels, 0 dB for a tone at full scale; what is below −120 dB is drawn there.

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        As in `plot_waveform`, or an unknown `scale`.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(1600) / 16_000)
    >>> plot_spectrum(tone).get_title(loc="left")
    'The strongest frequency is 440 Hz'
    >>> plt.close()
    """
    audio = _check_audio(audio, sampling_rate)
    if scale not in ("linear", "dB"):
        raise PlotError(f'The scale is {scale!r}; choose "linear" or "dB".')
    ax = _axes(ax)
    # A real tone of height A puts A * n_samples / 2 into its bin.
    height = np.abs(np.fft.rfft(audio)) * 2 / audio.size
    frequencies = np.fft.rfftfreq(audio.size, 1 / sampling_rate)
    strongest = (height > 0) & (height > (1 - 1e-5) * height.max())  # rounding picks no winner
    if scale == "dB":
        height = 20 * np.log10(np.maximum(height, 1e-6))
    ax.plot(frequencies, height, color=COLOURS["sound"])
    ax.plot(frequencies[strongest], height[strongest], "o", color=COLOURS["sound"], markersize=8)
    ax.set_xlim(0, sampling_rate / 2)
    if scale == "linear":
        ax.set_ylim(0, max(1.08 * height.max(), ax.get_ylim()[1]) or 1)
    if title is None:
        found = frequencies[strongest]
        title = f"{found.size} frequencies are equally strong" if found.size else "Silence"
        title = f"The strongest frequency is {found[0]:.0f} Hz" if found.size == 1 else title
    ylabel = "Amplitude (0 to 1)" if scale == "linear" else "Level (dBFS)"
    return _finish(ax, title, "Frequency (Hz)", ylabel)


def _spectrogram(audio: np.ndarray, n_fft: int, hop_length: int) -> tuple[np.ndarray, int]:
    """Power over frequency and time, and the samples from one column to the next.

    A short-time Fourier transform with a Hann window, zeros at both ends so that column k is
    centred on sample k * hop_length; as librosa.stft does it, without loading librosa (2 to 3 s).
    Of a very long sound, each column is the loudest of several, so that none gets lost.
    """
    padded = np.pad(audio.astype(np.float32, copy=False), n_fft // 2)
    padded = np.pad(padded, (0, max(0, n_fft - padded.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
    together = -(-len(frames) // MAX_COLUMNS)
    block = together * max(1, MAX_BLOCK // n_fft // together)
    columns = []
    for first in range(0, len(frames), block):
        spectrum = np.fft.rfft(frames[first : first + block] * window)
        power = spectrum.real**2 + spectrum.imag**2
        if together > 1:  # even with nothing to merge, reduceat costs as much as the transform
            power = np.maximum.reduceat(power, np.arange(0, len(power), together))
        columns.append(power)
    return np.concatenate(columns).T, together * hop_length


def _draw_spectrogram(
    ax: Axes,
    audio: np.ndarray,
    sampling_rate: float,
    start: float = 0.0,
    n_fft: int | None = None,
    hop_length: int | None = None,
    top_db: float = 80.0,
) -> None:
    """Draw the spectrogram of `audio` from `start` seconds on, with its colour key."""
    n_fft = n_fft or max(2, round(WINDOW_SECONDS * sampling_rate))
    hop_length = hop_length or max(1, round(HOP_SECONDS * sampling_rate))
    power, step = _spectrogram(audio, n_fft, hop_length)
    loudest = float(power.max()) or 1.0
    level = 10 * np.log10(np.maximum(power / loudest, 10 ** (-top_db / 10)))
    # Pixels are centred on their time and frequency, hence the halves.
    left, half_bin = start - hop_length / 2 / sampling_rate, sampling_rate / n_fft / 2
    right = left + level.shape[1] * step / sampling_rate
    image = ax.imshow(
        level, cmap=ENERGY, vmin=-top_db, vmax=0, origin="lower", aspect="auto",
        extent=(left, right, -half_bin, (2 * level.shape[0] - 1) * half_bin),
    )  # fmt: skip
    ax.set_ylim(0, sampling_rate / 2)
    _add_key(ax, image, "dB (loudest is 0)")


@style()
def plot_spectrogram(
    audio: np.ndarray,
    sampling_rate: float = SAMPLING_RATE,
    ax: Axes | None = None,
    title: str | None = None,
    n_fft: int | None = None,
    hop_length: int | None = None,
    top_db: float = 80.0,
) -> Axes:
    """Draw which frequencies are loud at which time.

    Parameters
    ----------
    audio : ndarray of float, shape (n_samples,), in [-1, 1]
    sampling_rate : float, Hz
    ax, title
        As in `plot_waveform`.
    n_fft : int, optional
        Samples in one window; 25 ms without it, as in Whisper.
    hop_length : int, optional
        Samples from one window to the next; 10 ms without it, as in Whisper.
    top_db : float, dB
        How far below the loudest point the colours reach.

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        As in `plot_waveform`, or a window, hop or range that is not above zero.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> ax = plot_spectrogram(tone, n_fft=1024)
    >>> plt.close(ax.figure)
    """
    audio = _check_audio(audio, sampling_rate)
    for name, value in {"n_fft": n_fft, "hop_length": hop_length, "top_db": top_db}.items():
        if value is not None and not value > 0:
            raise PlotError(f"{name} is {value}; it must be above zero.")
    ax = _axes(ax)
    _draw_spectrogram(ax, audio, sampling_rate, 0.0, n_fft, hop_length, top_db)
    title = "Bright is loud; deep sounds below, hissing ones above" if title is None else title
    label = _time_axis(ax, 0, audio.size / sampling_rate)
    return _finish(ax, title, label, "Frequency (Hz)")


@style()
def plot_mel_filters(
    mel_filters: np.ndarray,
    sampling_rate: float = SAMPLING_RATE,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a mel filter bank: which frequencies each mel band listens to.

    Parameters
    ----------
    mel_filters : ndarray of float, shape (n_mels, n_frequencies)
        As from ``librosa.filters.mel``; a feature extractor's ``mel_filters`` is this, turned
        (pass its ``.T``).
    sampling_rate : float, Hz
    ax, title
        As in `plot_waveform`.

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        Not a matrix, not finite, or turned.

    Examples
    --------
    >>> ax = plot_mel_filters(np.eye(4, 9))
    >>> plt.close(ax.figure)
    """
    form = "(n_mels, n_frequencies), with fewer mel bands than frequencies"
    mel_filters = _check_matrix(mel_filters, "This filter bank", form)
    n_mels, n_frequencies = mel_filters.shape
    if n_mels > n_frequencies:
        raise PlotError(f"This filter bank is {mel_filters.shape}; expected {form}. Pass its .T")
    ax = _axes(ax)
    frequencies = np.linspace(0, sampling_rate / 2, n_frequencies)
    for band, weights in enumerate(mel_filters):  # neighbours overlap, so they differ in colour
        ax.plot(frequencies, weights, color=COLOURS["sound"] if band % 2 else INK, linewidth=1.2)
    ax.set_xlim(0, sampling_rate / 2)
    ax.set_ylim(bottom=0)
    if title is None:
        title = f"{n_mels} mel filters: narrow for deep tones, wide for high ones"
    return _finish(ax, title, "Frequency (Hz)", "Weight (no unit)")


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    """Slaney's mel scale, the one Whisper uses: straight up to 1 kHz (15 mel), then a log.

    Source: M. Slaney, "Auditory Toolbox", Technical Report 1998-010, Interval Research.
    """
    return np.where(mel < 15, 200 / 3 * mel, 1000 * 6.4 ** ((mel - 15) / 27))


@style()
def plot_log_mel(
    log_mel: np.ndarray,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a log-mel spectrogram, the picture that Whisper reads.

    Parameters
    ----------
    log_mel : ndarray of float, shape (n_mels, n_frames)
        One column every 10 ms, bands from 0 to 8000 Hz; one item of a feature extractor's
        ``input_features``.
    ax, title
        As in `plot_waveform`.

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        Not a matrix (a batch of one? pass ``log_mel[0]``) or not finite.

    Examples
    --------
    >>> ax = plot_log_mel(np.random.default_rng(0).normal(size=(80, 300)))
    >>> plt.close(ax.figure)
    """
    form = "(n_mels, n_frames); of a batch, pass one item: log_mel[0]"
    log_mel = _check_matrix(log_mel, "This log-mel", form)
    n_mels, n_frames = log_mel.shape
    ax = _axes(ax)
    seconds = n_frames * HOP_SECONDS
    image = ax.imshow(log_mel, cmap=ENERGY, origin="lower", aspect="auto",
                      extent=(0, seconds, -0.5, n_mels - 0.5))  # fmt: skip
    # n bands sit between n + 2 points evenly spaced in mel; 8000 Hz is 45.25 mel.
    top = 15 + 27 * np.log(8) / np.log(6.4)
    centres = _mel_to_hz(np.linspace(0, top, n_mels + 2)[1:-1])
    marks = [hz for hz in MEL_MARKS if centres[0] <= hz <= centres[-1]]
    ax.set_yticks(np.interp(marks, centres, np.arange(n_mels)), [str(mark) for mark in marks])
    _add_key(ax, image, "Log energy (no unit)")
    if title is None:
        title = f"What Whisper sees: {n_mels} mel bands, a new column every 10 ms"
    return _finish(ax, title, _time_axis(ax, 0, seconds), "Mel band (centre, Hz)")


# --- words -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chip:
    """A word as drawn: its text, and where its left edge and row are."""

    word: Word | Segment
    text: str
    left: float  # points from the left edge of the axes
    row: int


def _items(transcript: Transcript) -> list[Word | Segment]:
    """List the words, or whole segments where words were not asked for."""
    return [item for segment in transcript.segments for item in segment.words or (segment,)]


def _spoken(transcript: Transcript, start: float, end: float) -> list[Word | Segment]:
    """Pick what was said between `start` and `end`, in order."""
    said = [item for item in _items(transcript) if item.text.strip()]
    inside = [w for w in said if start <= w.start < end or w.start < start < w.end]
    return sorted(inside, key=lambda word: word.start)


def _window(
    transcript: Transcript,
    audio: np.ndarray | None,
    sampling_rate: float,
    start: float,
    end: float | None,
) -> tuple[tuple[float, float], list[str]]:
    """Choose the seconds to show; with a note when that is not all."""
    duration = transcript.duration
    if audio is not None:
        duration = max(duration, audio.size / sampling_rate)
    notes = []
    if end is None:
        end = min(duration, start + MAX_PICTURE_SECONDS)
        if end < duration:
            notes = [f"{start:g} to {end:g} of {duration:.0f} s"]
    if not 0 <= start < end <= duration + 0.01:
        raise PlotError(
            f"Cannot show {start:g} s to {end:g} s of {duration:g} s: "
            "start and end must lie inside the sound, start before end."
        )
    return (start, end), notes


def _piece(audio: np.ndarray, sampling_rate: float, window: tuple[float, float]) -> np.ndarray:
    """Cut out the samples inside the window; silence where the sound is over already."""
    first, last = (round(second * sampling_rate) for second in window)
    piece = audio[first:last]
    return piece if piece.size else np.zeros(1, np.float32)


def _size(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes in points."""
    box = ax.get_window_extent()
    return box.width * POINTS / ax.figure.dpi, box.height * POINTS / ax.figure.dpi


def _has_confidence(transcript: Transcript) -> bool:
    return any(item.confidence is not None for item in _items(transcript))


def _words_title(transcript: Transcript) -> str:
    if _has_confidence(transcript):
        return "The paler a word, the less sure the model was"
    return "What was said, and when" if transcript.segments else "Nobody speaks here"


def _add_confidence_key(ax: Axes, transcript: Transcript) -> None:
    if _has_confidence(transcript):
        _add_key(ax, plt.cm.ScalarMappable(Normalize(0, 1), CONFIDENCE), "Confidence")


def _text_width(figure: Figure, text: str) -> float:
    """How wide a chip with `text` becomes, in points, measured by really setting the text."""
    probe = figure.text(0, 0, text, fontsize=WORD_SIZE, **_face(text))
    width = probe.get_window_extent().width * POINTS / figure.dpi
    probe.remove()
    return width + 2 * CHIP_PAD


def _fit(figure: Figure, text: str, room: float) -> tuple[str, float]:
    """Cut `text` until its chip is no wider than `room` (points); the text and its width."""
    while (width := _text_width(figure, text)) > room and len(text) > 1:
        text = text[: max(0, int(len(text) * room / width) - 2)] + "…"
    return text, width


def _shade(confidence: float | None) -> tuple[str | tuple, str, str]:
    """Fill, ink and edge of a word: dark is sure, pale with a dashed edge is unsure."""
    if confidence is None:
        return PAPER, INK, "solid"
    fill = CONFIDENCE(float(np.clip(confidence, 0, 1)))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(fill)]
    luminance = np.dot(linear, (0.2126, 0.7152, 0.0722))  # WCAG 2.1, relative luminance
    ink = PAPER if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#000000"
    return fill, ink, "solid" if confidence >= UNSURE else (0, (3, 2))


def _plan_words(ax: Axes, transcript: Transcript, window: tuple[float, float]) -> list[_Chip]:
    """Give each word in the window a place in which it touches no other."""
    start, end = window
    said = _spoken(transcript, start, end)
    room = _size(ax)[0]
    fitted = [_fit(ax.figure, _drawable(item.text[:MAX_LETTERS]), room) for item in said]
    widths = [width for _, width in fitted]
    # A word near the right edge moves left until it fits.
    lefts = [
        max(0.0, min((item.start - start) / (end - start) * room, room - width))
        for item, width in zip(said, widths, strict=True)
    ]
    rows = _stairs(np.array(lefts), np.array(lefts) + widths)
    return [
        _Chip(item, text, left, row)
        for item, (text, _), left, row in zip(said, fitted, lefts, rows, strict=True)
    ]


def _stairs(lefts: np.ndarray, rights: np.ndarray) -> list[int]:
    """Rows for boxes in reading order: stairs of even depth, read from the top down.

    They are just deep enough that a box clears the one that stood in its row before, and
    start again at the top where nothing is in the way.
    """
    if not lefts.size:
        return []
    reach = np.minimum.accumulate(lefts[::-1])[::-1]  # left edge of this and all later boxes
    needs = rights + CHIP_GAP
    depth = int((np.searchsorted(reach, needs) - np.arange(lefts.size)).max())
    rows = []
    for i in range(lefts.size):
        all_clear = (needs[max(0, i - depth) : i] <= reach[i]).all()
        rows.append(0 if all_clear else (rows[-1] + 1) % depth)
    return rows


def _words_height(chips: Sequence[_Chip], top: float = 0.0) -> float:
    """Room for bars and rows under `top`, in points; at least two rows, for the colour key."""
    rows = max([2] + [chip.row + 1 for chip in chips])
    return top + STRIP + ROW * (rows + 0.4)


def _draw_chip(ax: Axes, chip: _Chip, window: tuple[float, float], top: float) -> bool:
    """Draw a word's time as a bar and its text below; False when the text has no room."""
    (start, end), (width, height) = window, _size(ax)
    fill, ink, edge = _shade(chip.word.confidence)
    look = {"facecolor": fill, "edgecolor": COLOURS["hypothesis"], "linestyle": edge}
    begin, middle = max(chip.word.start, start), top + STRIP + ROW * (chip.row + 0.75)
    ax.add_patch(plt.Rectangle((begin, top), min(chip.word.end, end) - begin, STRIP,
                               zorder=2, **look))  # fmt: skip
    if middle + ROW / 2 > height + 1:
        return False
    ax.plot([begin, begin], [top + STRIP, middle], color=COLOURS["hypothesis"],
            linewidth=0.6, zorder=1)  # fmt: skip
    left = start + (chip.left + CHIP_PAD) * (end - start) / width
    text = ax.text(left, middle, chip.text, color=ink, fontsize=WORD_SIZE,
                   va="center_baseline", zorder=3, **_face(chip.text))  # fmt: skip
    text.set_bbox({"boxstyle": f"round,pad={CHIP_PAD / WORD_SIZE}", **look})
    return True


def _draw_words(
    ax: Axes, chips: Sequence[_Chip], window: tuple[float, float], top: float = 0.0
) -> list[str]:
    """Draw the words under `top` (points); return what the reader should be told."""
    height = _size(ax)[1]
    ax.set_ylim(height, 0)
    ax.axhline(top + STRIP / 2, color=COLOURS["silence"], linewidth=2, zorder=1)
    crowded = sum(not _draw_chip(ax, chip, window, top) for chip in chips)
    if not chips:
        ax.text(sum(window) / 2, top + STRIP + ROW, "(no speech here)", ha="center", va="center")
    ax.set_yticks([top + STRIP / 2], ["Words"])
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "top", "right"]].set_visible(False)
    notes = [f"words without room: {crowded}, shorten the window"] if crowded else []
    if any(NO_GLYPH in chip.text for chip in chips):
        notes.append(f"{NO_GLYPH}: no font here has this letter, install Noto")
    return notes


@style()
def plot_words(
    transcript: Transcript,
    audio: np.ndarray | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    start: float = 0.0,
    end: float | None = None,
    sampling_rate: float = SAMPLING_RATE,
) -> Axes:
    """Draw when each word was said, and how sure the model was of it.

    A bar shows a word's time; its text hangs below, in stairs that read from the top down.
    The darker a word, the surer the model; a dashed edge marks those below 0.5.

    Parameters
    ----------
    transcript : Transcript
        Segments are drawn where it has no words.
    audio : ndarray of float, shape (n_samples,), in [-1, 1], optional
        The sound, drawn above the words.
    ax, title
        As in `plot_waveform`. A new figure grows to hold all words; on your own axes, words
        that find no room stay bars, and a note says how many. Beside other pictures, draw the
        words last: they are placed by the width the axes have now.
    start, end : float, seconds
        What to show; without `end`, at most 30 s.
    sampling_rate : float, Hz

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        As in `plot_waveform`, or `start` and `end` that leave nothing to show.

    Examples
    --------
    >>> words = (Word(0.2, 0.6, "Good", 0.9), Word(0.6, 1.1, "morning.", 0.4))
    >>> spoken = Segment(0.2, 1.1, "Good morning.", 0.6, words)
    >>> ax = plot_words(Transcript((spoken,), "en", 1.0, 1.5))
    >>> plt.close(ax.figure)
    """
    if audio is not None:
        audio = _check_audio(audio, sampling_rate)
    window, notes = _window(transcript, audio, sampling_rate, start, end)
    top, own = (0.0 if audio is None else SOUND), ax is None
    ax = _axes(ax)
    time_label = _time_axis(ax, *window)
    _finish(ax, _words_title(transcript) if title is None else title, time_label, "")
    _add_confidence_key(ax, transcript)
    whole = ax.get_figure(root=True)
    if whole.get_layout_engine() is not None:
        whole.draw_without_rendering()  # the words are placed by the final width
    chips = _plan_words(ax, transcript, window)
    if own:
        _set_heights([ax], [_words_height(chips, top) / POINTS])
    notes += _draw_words(ax, chips, window, top)
    ax.set_xlabel(" · ".join([time_label, *notes]))
    if audio is not None:
        piece = _piece(audio, sampling_rate, window)
        # The axis counts points from the top down, so the sound is turned over.
        scale = -0.45 * SOUND / (float(np.abs(piece).max()) or 1.0)
        _draw_sound(ax, piece * scale, sampling_rate, "sound", window[0], SOUND / 2)
        ax.set_yticks([SOUND / 2, top + STRIP / 2], ["Sound", "Words"])
    return ax


@style()
def plot_transcript(
    audio: np.ndarray,
    transcript: Transcript,
    sampling_rate: float = SAMPLING_RATE,
    title: str | None = None,
    start: float = 0.0,
    end: float | None = None,
) -> Figure:
    """Draw waveform, spectrogram and words under each other on one time axis.

    Parameters
    ----------
    audio : ndarray of float, shape (n_samples,), in [-1, 1]
    transcript : Transcript
    sampling_rate, title, start, end
        As in `plot_words`.

    Returns
    -------
    Figure
        Its axes are, from above, waveform, spectrogram and words.

    Raises
    ------
    PlotError
        As in `plot_words`.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> figure = plot_transcript(tone, Transcript((), "en", 1.0, 1.0))
    >>> plt.close(figure)
    """
    audio = _check_audio(audio, sampling_rate)
    window, notes = _window(transcript, audio, sampling_rate, start, end)
    piece = _piece(audio, sampling_rate, window)
    axes = _stack((*SOUND_AND_PICTURE, 1.0))
    chips = _plan_words(axes[2], transcript, window)
    _set_heights(axes, (*SOUND_AND_PICTURE, _words_height(chips) / POINTS))
    _draw_sound(axes[0], piece, sampling_rate, start=window[0])
    _draw_spectrogram(axes[1], piece, sampling_rate, window[0])
    notes += _draw_words(axes[2], chips, window)
    _add_confidence_key(axes[2], transcript)
    time_label = " · ".join([_time_axis(axes[2], *window), *notes])
    title = _words_title(transcript) if title is None else title
    _finish(axes[0], title, "", AMPLITUDE.replace(" (", "\n("))
    _finish(axes[1], "", "", "Frequency (Hz)")
    _finish(axes[2], "", time_label, "")
    return axes[0].figure


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Save a figure whole or not at all; the ending picks the form (.png, .svg, .pdf).

    Parameters
    ----------
    figure : Figure
        Of any plot: ``ax.figure``.
    path : str or Path

    Returns
    -------
    Path
        Where the picture is.

    Raises
    ------
    PlotError
        The folder is missing or the ending unknown.

    Examples
    --------
    >>> import tempfile
    >>> ax = plot_waveform(np.zeros(100))
    >>> save_figure(ax.figure, Path(tempfile.mkdtemp()) / "silence.png").name
    'silence.png'
    >>> plt.close(ax.figure)
    """
    path = Path(path)
    kinds = figure.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in kinds:
        raise PlotError(f"No way to save a picture as {path.name!r}; try .png, .svg or .pdf.")
    if not path.parent.is_dir():
        raise PlotError(f"The folder {path.parent} does not exist; make it first.")
    draft = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        figure.savefig(draft, dpi=150, bbox_inches="tight")
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return path

"""Turn the four knobs of a spectrogram and see what each of them does.

The picture is an ``<img>`` in an HTML widget: that can hold a text for people who do not see it
(an Image widget cannot), and ipywidgets 7 and 8 show it alike.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from matplotlib.figure import Figure

from asr_workshop import plots
from asr_workshop.audio import SAMPLING_RATE

WINDOWS = (2, 4, 8, 15, 25, 40, 64)  # ms; a row of about equal factors
HOPS = (2, 5, 10, 20, 40, 80)  # ms
MEL_BANDS = (0, 10, 20, 40, 80, 128)  # 0 keeps all frequencies; Whisper takes 80 or 128
FLOORS = (20, 40, 60, 80, 100)  # dB below the loudest
START = (25, 10, 0, 80)  # in the order above
WHISPER = (25, 10, 80, 80)
MAX_SECONDS = 5.0  # the longest sound that is redrawn at once with every setting
PIXELS = 755  # across the picture
TOP_MEL = 15 + 27 * np.log(SAMPLING_RATE / 2000) / np.log(6.4)  # 8000 Hz; see plots._mel_to_hz


def explore(audio: np.ndarray):
    """Show the spectrogram of a sound, with a slider for each setting.

    The sliders set how long a window is, how far it moves on for the next column, how many mel
    bands gather the frequencies, and how quiet a sound may be to be seen. A line below says which
    details survive. Of a long sound, the first 5 s are shown.

    Parameters
    ----------
    audio : ndarray of float, shape (n_samples,), in [-1, 1]
        At 16,000 Hz, as from `load_audio`.

    Returns
    -------
    ipywidgets.VBox
        The last line of a cell shows it.

    Raises
    ------
    PlotError
        The sound is empty, not one channel, not decimals, or not finite.

    Examples
    --------
    >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    >>> explorer = explore(tone)
    """
    import ipywidgets as widgets

    audio = plots._check_audio(audio, SAMPLING_RATE)[: int(MAX_SECONDS * SAMPLING_RATE)]
    picture, meaning = _Picture(audio), widgets.HTML()
    image = widgets.HTML()
    sliders = [
        _slider("Window", [(f"{ms} ms", ms) for ms in WINDOWS], START[0]),
        _slider("Hop", [(f"{ms} ms", ms) for ms in HOPS], START[1]),
        _slider("Mel bands", [(str(n or "off"), n) for n in MEL_BANDS], START[2]),
        _slider("Floor", [(f"−{db} dB", db) for db in FLOORS], START[3]),
    ]

    def redraw(_change=None) -> None:
        settings = tuple(slider.value for slider in sliders)
        image.value = picture.draw(*settings)
        meaning.value = f'<p role="status">{_describe(*settings)}</p>'

    for slider in sliders:
        slider.observe(redraw, "value")
    redraw()
    knobs = widgets.Box(sliders, layout={"flex_flow": "row wrap"})
    return widgets.VBox([knobs, image, meaning])


def _slider(name: str, options: list[tuple[str, int]], value: int):
    from ipywidgets import SelectionSlider

    return SelectionSlider(options=options, value=value, description=name, layout={"width": "24em"})


def _describe(window: float, hop: float, n_mels: int, floor: float) -> str:
    """Say which details these settings (ms, ms, bands, dB) keep, as HTML.

    Two things count as seen apart when halfway between them there is half their energy or less.
    Through a Hann window, tones are so at a distance of 2 / window (F. J. Harris, "On the use of
    windows for harmonic analysis", Proc. IEEE 66, 1978, table I: 6 dB bandwidth), and clicks at
    window / 2. A mel band is as wide as two steps to its neighbour; where that is wider, it counts.
    """
    lowest = highest = 2000 / window
    if n_mels:
        edges = _mel_edges(n_mels)
        lowest, highest = max(lowest, edges[2] - edges[0]), max(lowest, edges[-1] - edges[-3])
    apart = f"<b>{_round(lowest)} Hz</b> apart"
    if highest > 1.1 * lowest:
        apart += f" at the bottom of the picture, and <b>{_round(highest)} Hz</b> at the top"
    text = (
        f"To be seen as two, two tones must be about {apart}; two clicks must be about "
        f"<b>{_round(max(window / 2, hop))} ms</b> apart. What is {floor} dB weaker than the "
        "loudest is black."
    )
    if hop > window:
        text += f" Of every {hop} ms, {hop - window} ms are never looked at."
    if n_mels and (deaf := sum(_mel_filters(n_mels, _samples(window) // 2 + 1).max(axis=1) == 0)):
        text += f" {deaf} of the {n_mels} bands stay empty: no bin of the FFT falls into them."
    if (window, hop, n_mels, floor) == WHISPER:
        text += " <b>These are Whisper's settings.</b>"
    return text


def _round(value: float) -> str:
    """Two digits of a number that is only about right."""
    return f"{float(f'{value:.2g}'):g}"


def _mel_edges(n_mels: int) -> np.ndarray:
    """Hz; band b begins at edge b, peaks at edge b + 1 and ends at edge b + 2."""
    return plots._mel_to_hz(np.linspace(0, TOP_MEL, n_mels + 2))


def _mel_filters(n_mels: int, n_bins: int) -> np.ndarray:
    """Triangles of equal area, shape (n_mels, n_bins); librosa.filters.mel without librosa.

    Importing librosa takes seconds, and the first move of a slider should not.
    """
    lower, centre, upper = np.lib.stride_tricks.sliding_window_view(_mel_edges(n_mels), 3).T[
        ..., None
    ]
    bins = np.linspace(0, SAMPLING_RATE / 2, n_bins)
    rise, fall = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    triangles = np.maximum(0, np.minimum(rise, fall)) * 2 / (upper - lower)
    return triangles.astype(np.float32)  # like the powers: mixed kinds multiply ten times as slowly


def _about_a_column_a_pixel(power: np.ndarray) -> tuple[np.ndarray, int]:
    """As few columns as can be seen, each the loudest of several; and of how many."""
    rows, columns = power.shape
    together = max(1, columns // PIXELS)
    power = np.pad(power, ((0, 0), (0, -columns % together)))
    return power.T.reshape(-1, together, rows).max(axis=1).T, together


def _samples(ms: float) -> int:
    return round(ms * SAMPLING_RATE / 1000)


class _Picture:
    """The figure: made once; each drawing changes its data, its marks and its colours."""

    @plots.style()
    def __init__(self, audio: np.ndarray):
        self.audio, self.seconds = audio, audio.size / SAMPLING_RATE
        self.figure = Figure(dpi=100)  # not of pyplot, which would show it a second time
        self.ax = self.figure.add_subplot()
        plots._set_heights([self.ax], [plots.HEIGHT - plots.TOP - plots.BOTTOM])
        self.image = self.ax.imshow([[0.0]], cmap=plots.ENERGY, origin="lower", aspect="auto")
        plots._add_key(self.ax, self.image, "dB (loudest is 0)")
        plots._finish(self.ax, "", plots._time_axis(self.ax, 0, self.seconds), "")
        # Without a y, each drawing would measure all marks to find a place above them.
        self.title = self.ax.set_title("", loc="left", y=1)

    @plots.style()
    def draw(self, window: int, hop: int, n_mels: int, floor: int) -> str:
        """Draw with these settings (ms, ms, bands, dB); an HTML image."""
        power, _step = plots._spectrogram(self.audio, _samples(window), _samples(hop))
        if n_mels:
            power = _mel_filters(n_mels, len(power)) @ power
        loudest = float(power.max()) or 1.0
        rows, columns = power.shape
        shown, together = _about_a_column_a_pixel(power)
        self.image.set_data(10 * np.log10(np.maximum(shown / loudest, 10 ** (-floor / 10))))
        self.image.set_clim(-floor, 0)
        left = -hop / 2000  # s; a column is centred on its time
        right = left + shown.shape[1] * together * hop / 1000
        self.image.set_extent((left, right, -0.5, rows - 0.5))
        self.ax.set_xlim(0, self.seconds)
        self._mark_frequencies(rows, n_mels)
        self.title.set_text(f"{columns} columns × {rows} rows: {columns * rows:,} numbers")
        about = f"windows of {window} ms, every {hop} ms, {n_mels or 'no'} mel bands, {floor} dB"
        return self._as_html(f"Spectrogram of {self.seconds:.1f} s of sound: {about}")

    def _mark_frequencies(self, rows: int, n_mels: int) -> None:
        marks = list(plots.MEL_MARKS) if n_mels else list(range(0, SAMPLING_RATE // 2 + 1, 2000))
        of_rows = _mel_edges(n_mels)[1:-1] if n_mels else np.linspace(0, SAMPLING_RATE / 2, rows)
        self.ax.set_yticks(np.interp(marks, of_rows, np.arange(rows)), marks)
        self.ax.set_ylabel("Mel band (centre, Hz)" if n_mels else "Frequency (Hz)")

    def _as_html(self, text: str) -> str:
        png = io.BytesIO()
        self.figure.savefig(png, format="png", pil_kwargs={"compress_level": 1})
        width, height = (int(inches * 100) for inches in self.figure.get_size_inches())
        # Without decoding="sync" the picture would flash white at each change.
        return (
            f'<img alt="{text}" width="{width}" height="{height}" decoding="sync" '
            'style="display: block; max-width: 100%; height: auto" '
            f'src="data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}">'
        )

"""Turn up the noise: a slider, and at each step the sound, its picture and what a model heard."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from asr_workshop import plots
from asr_workshop.audio import SAMPLING_RATE
from asr_workshop.effects import add_noise
from asr_workshop.scoring import show_errors

if TYPE_CHECKING:
    import ipywidgets

SNRS = (30, 20, 15, 10, 5, 0, -5, -10, -15)  # dB: from a quiet room to a shouting crowd


def explore_noise(
    audio: np.ndarray, noise: np.ndarray, pipe, reference: str, language: str = "en"
) -> ipywidgets.VBox:
    """Hear, see and transcribe a recording with as much noise as you like.

    Parameters
    ----------
    audio : ndarray of float32, shape (n_samples,)
        Speech at 16 kHz, as from `load_audio`; a few seconds, so that the model answers soon.
    noise : ndarray of float32, shape (n_noise,)
        What to mix in: `white_noise`, `babble`, or a recording of your own.
    pipe : transformers pipeline
        From `load_pipeline`.
    reference : str
        What was really said.
    language : str
        Its code, ``"en"`` for English.

    Returns
    -------
    ipywidgets.VBox
        The last line of a cell shows it.

    Raises
    ------
    EffectError
        Sound or noise cannot be mixed: silent, empty, or not mono.

    Examples
    --------
    >>> explore_noise(audio, white_noise(len(audio)), pipe, "Good morning.")  # doctest: +SKIP
    """
    import ipywidgets as widgets

    from asr_workshop.transcription import transcribe

    slider = widgets.SelectionSlider(
        options=[(f"{snr} dB".replace("-", "−"), snr) for snr in SNRS],
        value=SNRS[1],
        description="SNR",
        continuous_update=False,  # one answer for each stop, not for each step on the way
        layout={"width": "26em"},
    )
    sound, heard = widgets.HTML(), widgets.HTML()

    def mix(_change=None) -> None:
        mixed = add_noise(audio, noise, slider.value)
        heard.value = '<p role="status">The model is listening …</p>'
        sound.value = _player(mixed) + _picture(mixed, slider.value)
        errors = show_errors(reference, transcribe(mixed, pipe).text, language)
        heard.value = f'<div role="status">{errors._repr_html_()}</div>'

    slider.observe(mix, "value")
    mix()
    return widgets.VBox([slider, sound, heard])


def _player(audio: np.ndarray) -> str:
    """An HTML player with the sound in it, as loud as it is."""
    import soundfile

    wav = io.BytesIO()
    soundfile.write(wav, audio, SAMPLING_RATE, format="WAV", subtype="PCM_16")
    data = base64.b64encode(wav.getvalue()).decode()
    return f'<audio controls aria-label="The mixture" src="data:audio/wav;base64,{data}"></audio>'


def _picture(audio: np.ndarray, snr_db: float) -> str:
    from matplotlib.figure import Figure

    title = f"{snr_db} dB: what is left of the voice".replace("-", "−")
    with plots.style():
        ax = Figure(dpi=80).add_subplot()  # not of pyplot, which would show it a second time
        plots._set_heights([ax], [plots.HEIGHT - plots.TOP - plots.BOTTOM])
        plots.plot_spectrogram(audio, ax=ax, title=title)
        png = io.BytesIO()
        ax.figure.savefig(png, format="png", pil_kwargs={"compress_level": 1})
    data = base64.b64encode(png.getvalue()).decode()
    alt = escape(f"Spectrogram with noise at {snr_db} dB", quote=True)
    style = "display: block; max-width: 100%"
    return f'<img alt="{alt}" style="{style}" src="data:image/png;base64,{data}">'

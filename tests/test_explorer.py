"""The explorer: four sliders, a picture, and a text that is true."""

from __future__ import annotations

import base64
import io
import itertools
import re
import subprocess
import sys
import time

import librosa
import matplotlib.pyplot as plt
import numpy as np
import pytest
from ipywidgets import SelectionSlider
from PIL import Image
from threadpoolctl import threadpool_limits

from asr_workshop import explorer, plots
from asr_workshop.explorer import explore
from asr_workshop.plots import PlotError

RATE = 16_000
EVERY_SETTING = list(
    itertools.product(explorer.WINDOWS, explorer.HOPS, explorer.MEL_BANDS, explorer.FLOORS)
)


def babble(seconds=4.8):
    """A voice-like sound: gliding harmonics in syllables, and some hiss."""
    at = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * n * (140 * at + 6 * np.sin(2 * at))) / n for n in range(1, 25))
    hiss = np.random.default_rng(0).normal(size=at.size) * (at % 1 > 0.8)
    return (0.1 * voice * np.sin(6 * at) ** 2 + 0.1 * hiss).astype(np.float32)


def sliders(shown):
    return {slider.description: slider for slider in shown.children[0].children}


def turn(shown, **settings):
    """Set sliders: window, hop, mel_bands, floor."""
    for name, value in settings.items():
        sliders(shown)[name.capitalize().replace("_", " ")].value = value


def picture(shown):
    """The pixels that are shown."""
    encoded = re.search(r"base64,([^\"]+)", shown.children[1].value)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))


def alt(shown):
    return re.search(r'<img alt="([^"]+)"', shown.children[1].value)[1]


def text(shown):
    return re.sub(r"<[^>]+>", "", shown.children[2].value)


@pytest.fixture(scope="module")
def sound():
    return babble()


@pytest.fixture
def shown(sound):
    return explore(sound)


def test_each_setting_has_a_slider_with_a_name_and_units_in_its_values(shown):
    found = sliders(shown)
    assert list(found) == ["Window", "Hop", "Mel bands", "Floor"]
    assert all(isinstance(slider, SelectionSlider) for slider in found.values())  # takes keys
    labels = [slider.options[slider.index][0] for slider in found.values()]
    assert labels == ["25 ms", "10 ms", "off", "−80 dB"]


@pytest.mark.parametrize("setting", [{"window": 4}, {"hop": 40}, {"mel_bands": 20}, {"floor": 40}])
def test_moving_any_slider_changes_the_picture_and_both_texts(shown, setting):
    before = picture(shown), alt(shown), text(shown)
    turn(shown, **setting)
    assert picture(shown).shape == before[0].shape and (picture(shown) != before[0]).any()
    assert alt(shown) != before[1]
    assert text(shown) != before[2]


def test_moving_a_slider_back_brings_the_first_picture_back(shown):
    before = picture(shown)
    turn(shown, window=4, hop=40, mel_bands=20, floor=40)
    turn(shown, window=25, hop=10, mel_bands=0, floor=80)
    assert (picture(shown) == before).all()


def test_somebody_who_does_not_see_the_picture_is_told_what_it_shows(shown):
    turn(shown, window=64, mel_bands=40)
    assert alt(shown) == (
        "Spectrogram of 4.8 s of sound: windows of 64 ms, every 10 ms, 40 mel bands, 80 dB"
    )
    assert 'role="status"' in shown.children[2].value


def test_it_says_so_when_the_settings_are_whispers(shown):
    assert "Whisper" not in text(shown)
    turn(shown, mel_bands=80)
    assert "These are Whisper's settings." in text(shown)


@pytest.mark.parametrize("window", explorer.WINDOWS)
def test_tones_as_far_apart_as_it_says_have_half_the_energy_between_them(window):
    n_fft = explorer._samples(window)
    hertz = 2 * RATE / n_fft  # two bins
    assert f"<b>{explorer._round(hertz)} Hz</b>" in explorer._describe(window, 2, 0, 80)
    at, lower = np.arange(RATE) / RATE, n_fft // 8
    tones = sum(np.sin(2 * np.pi * k * RATE / n_fft * at) for k in (lower, lower + 2))
    power, _ = plots._spectrogram(tones, n_fft, 7)
    power = power[:, 200:-200].mean(axis=1)
    assert power[lower + 1] == pytest.approx(power[lower] / 2, rel=0.1)
    assert power[lower + 1] == pytest.approx(power[lower + 2] / 2, rel=0.1)


@pytest.mark.parametrize("window", explorer.WINDOWS)
def test_clicks_as_far_apart_as_it_says_have_half_the_energy_between_them(window):
    n_fft = explorer._samples(window)
    assert f"<b>{explorer._round(window / 2)} ms</b>" in explorer._describe(window, 1, 0, 80)
    clicks = np.zeros(20 * n_fft)
    clicks[[10 * n_fft, 10 * n_fft + n_fft // 2]] = 1
    power, _ = plots._spectrogram(clicks, n_fft, n_fft // 4)
    power = power.mean(axis=0)  # four columns to a window
    assert power[41] == pytest.approx(power[40] / 2, rel=0.1)
    assert power[41] == pytest.approx(power[42] / 2, rel=0.1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ((25, 10, 0, 80), "tones must be about 80 Hz apart; two clicks must be about 12 ms apart"),
        ((4, 2, 0, 80), "500 Hz apart; two clicks must be about 2 ms apart"),
        ((25, 80, 0, 60), "about 80 ms apart. What is 60 dB weaker than the loudest is black. Of"),
        ((15, 40, 0, 80), "Of every 40 ms, 25 ms are never looked at."),
        ((2, 2, 128, 80), "of the 128 bands stay empty: no bin of the FFT falls into them."),
    ],
)
def test_the_text_says_what_a_setting_means(shown, settings, says):
    turn(shown, **dict(zip(("window", "hop", "mel_bands", "floor"), settings, strict=True)))
    assert says in text(shown)


def test_mel_bands_blur_high_tones_more_than_low_ones(shown):
    turn(shown, mel_bands=20)
    low, high = map(float, re.findall(r"(\d+) Hz", text(shown)))
    assert low > 80 and high > 5 * low


@pytest.mark.parametrize("n_mels", explorer.MEL_BANDS[1:])
@pytest.mark.parametrize("window", explorer.WINDOWS)
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_the_mel_bands_are_librosas_and_so_whispers(n_mels, window):
    n_fft = explorer._samples(window)
    librosas = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=n_mels)
    np.testing.assert_allclose(
        explorer._mel_filters(n_mels, n_fft // 2 + 1), librosas, rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize("n_mels", explorer.MEL_BANDS)
@pytest.mark.parametrize("window", [4, 25, 64])
def test_the_marks_stand_where_their_frequencies_are(n_mels, window):
    drawer = explorer._Picture(0.5 * np.sin(2 * np.pi * 2000 * np.arange(RATE) / RATE))
    drawer.draw(window, 10, n_mels, 80)
    names = [label.get_text() for label in drawer.ax.get_yticklabels()]
    mark = drawer.ax.get_yticks()[names.index("2000")]
    assert drawer.image.get_array()[:, 50].argmax() == pytest.approx(mark, abs=0.6)


@pytest.mark.parametrize("hop", [2, 5, 10, 20])
def test_a_click_lies_at_its_time(hop):
    drawer = explorer._Picture(np.eye(1, RATE, 12_000)[0])
    drawer.draw(25, hop, 0, 80)
    left, right, _, _ = drawer.image.get_extent()
    columns = drawer.image.get_array().max(axis=0)
    at = left + (columns.argmax() + 0.5) * (right - left) / len(columns)
    assert at == pytest.approx(0.75, abs=hop / 2000 + 1e-6)


@pytest.mark.parametrize("n_mels", [0, 80])
def test_a_click_is_at_its_time_and_not_lost_where_columns_are_more_than_pixels(n_mels):
    drawer = explorer._Picture(np.eye(1, int(explorer.MAX_SECONDS * RATE), 76_543)[0])
    drawer.draw(4, 2, n_mels, 80)
    level = drawer.image.get_array()
    assert level.shape[1] < 2 * explorer.PIXELS and "2501 columns" in drawer.title.get_text()
    left, right, _, _ = drawer.image.get_extent()
    at = left + (level.max(axis=0).argmax() + 0.5) * (right - left) / level.shape[1]
    assert level.max() == 0 and at == pytest.approx(76_543 / RATE, abs=0.004)


def test_what_a_hop_longer_than_the_window_skips_is_not_seen():
    drawer = explorer._Picture(np.eye(1, RATE, 12_000)[0])  # a click between two columns
    drawer.draw(25, 80, 0, 80)
    assert drawer.image.get_array().max() == pytest.approx(-80)


@pytest.mark.parametrize(
    "settings",
    [(25, 10, 0, 80), (25, 10, 80, 80), (64, 2, 0, 100), (64, 2, 128, 100)],
    ids=["as it begins", "Whisper's", "the slowest", "the slowest with mel bands"],
)
def test_it_is_redrawn_in_less_than_a_fifth_of_a_second(settings):
    drawer = explorer._Picture(babble(explorer.MAX_SECONDS))
    times = []
    with threadpool_limits(1):  # a second thread's waiting would be counted as work
        for _ in range(8):
            start = time.process_time()  # of this process: other programs do not count
            drawer.draw(*settings)
            times.append(time.process_time() - start)
    assert min(times) < 0.2


def test_of_a_long_sound_the_beginning_is_shown():
    shown = explore(np.concatenate([babble(explorer.MAX_SECONDS), np.zeros(60 * RATE)]))
    assert alt(shown).startswith("Spectrogram of 5.0 s of sound")
    assert (picture(shown) == picture(explore(babble(explorer.MAX_SECONDS)))).all()


@pytest.mark.parametrize("n_samples", [1, 10, 400, 1000])
@pytest.mark.parametrize("level", [0.0, 0.1])
@pytest.mark.filterwarnings("error")
def test_silence_and_the_shortest_sounds_are_drawn_without_a_warning(n_samples, level):
    drawer = explorer._Picture(np.full(n_samples, level))
    for settings in ((25, 10, 0, 80), (2, 2, 128, 100)):
        assert drawer.draw(*settings).startswith("<img alt=")


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 100)), np.zeros(0), np.zeros(100, np.int16), np.full(100, np.nan)]
)
def test_what_is_no_sound_is_refused_with_the_reason(wrong):
    with pytest.raises(PlotError, match="This sound"):
        explore(wrong)


def test_every_combination_of_settings_has_a_text():
    for settings in EVERY_SETTING:
        assert re.search(r"<b>[\d.]+ Hz</b>.*<b>[\d.]+ ms</b>", explorer._describe(*settings))


def test_no_figure_is_left_for_the_notebook_to_show_twice(sound):
    before = plt.get_fignums()
    explore(sound)
    assert plt.get_fignums() == before


def test_your_own_plot_settings_stay(sound, monkeypatch):
    monkeypatch.setitem(plt.rcParams, "font.size", 21)
    first = picture(explore(sound))
    assert plt.rcParams["font.size"] == 21
    monkeypatch.undo()
    assert (picture(explore(sound)) == first).all()


def test_the_package_can_be_imported_without_ipywidgets_and_matplotlib():
    code = (
        "import sys, asr_workshop;"
        "sys.exit(any(name in sys.modules for name in ('ipywidgets', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

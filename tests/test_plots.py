"""How sound is shown: true to the sound, readable from the back row, safe for any text.

Four pictures are compared with the ones in ``baseline_images``. After a change that is meant,
draw those anew, look at them, and commit them:

    python tests/test_plots.py
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
import warnings
from io import BytesIO
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image, ImageFilter

from asr_workshop import plots
from asr_workshop.plots import (
    COLOURS,
    PlotError,
    plot_compare,
    plot_log_mel,
    plot_mel_filters,
    plot_spectrogram,
    plot_spectrum,
    plot_transcript,
    plot_waveform,
    plot_words,
    save_figure,
    style,
)
from asr_workshop.transcript import Segment, Transcript, Word

BASELINES = Path(__file__).parent / "baseline_images"
RATE = 16_000


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


# --- something to draw -------------------------------------------------------------------------


def tone(hertz=440.0, seconds=0.1, height=0.5):
    return height * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def babble(seconds):
    """A voice-like sound: harmonics that glide, in syllables, with a pause in each second."""
    at = np.arange(int(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * n * (140 * at + 6 * np.sin(2 * at))) / n for n in range(1, 25))
    syllables = np.sin(2 * np.pi * 2 * at) ** 2 * (at % 1 < 0.75)
    return (0.15 * voice * syllables).astype(np.float32)


SENTENCE = "The stairs are old, and nobody remembers who built them or whether anybody ever asked."


def spoken(seconds, confidences=(0.98, 0.9, 0.75, 0.4, 0.95, 0.6, 0.15), words_per_second=3):
    """A transcript that fills `seconds`, with words about as long as people say them."""
    texts = itertools.cycle(SENTENCE.split())
    starts = np.arange(0.1, seconds - 0.3, 1 / words_per_second)
    sure = itertools.cycle(confidences)
    words = tuple(
        Word(float(start), float(start) + 0.8 / words_per_second, next(texts), next(sure))
        for start in starts
    )
    segment = Segment(words[0].start, words[-1].end, " ".join(w.text for w in words), 0.8, words)
    return Transcript((segment,), "en", 1.0, float(seconds))


def one_segment(*words, duration=5.0):
    return Transcript((Segment(0.0, duration, "said", 0.5, words),), "en", 1.0, duration)


AUDIO = babble(5)
MEL_FILTERS = np.maximum(0, 1 - np.abs(np.arange(0, 201) - np.arange(5, 195, 5)[:, None]) / 6)

PICTURES = {
    "waveform": lambda **how: plot_waveform(AUDIO, **how),
    "dots": lambda **how: plot_waveform(AUDIO[4000:4120], **how),
    "compare": lambda **how: plot_compare(AUDIO, 0.5 * AUDIO, ("near", "far"), **how),
    "spectrum": lambda **how: plot_spectrum(AUDIO[4000:5000], **how),
    "spectrum in dB": lambda **how: plot_spectrum(AUDIO[4000:5000], scale="dB", **how),
    "spectrogram": lambda **how: plot_spectrogram(AUDIO, **how),
    "mel filters": lambda **how: plot_mel_filters(MEL_FILTERS, **how),
    "log mel": lambda **how: plot_log_mel(np.outer(np.ones(80), np.linspace(-1, 1, 500)), **how),
    "words": lambda **how: plot_words(spoken(5), **how),
    "words and sound": lambda **how: plot_words(spoken(5), AUDIO, **how),
}
every_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES.keys())


def figure_of(drawn):
    return getattr(drawn, "figure", drawn)


def luminance(figure):
    """The figure as an array of grey levels, at 100 dots per inch."""
    figure = figure_of(figure)
    file = BytesIO()
    figure.savefig(file, dpi=100, format="png")
    return np.asarray(Image.open(file).convert("L"), dtype=float)


def visible_texts(figure):
    figure.draw_without_rendering()
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def chips(ax):
    """The texts of the words, which are the ones in a box."""
    return [text for text in ax.texts if text.get_bbox_patch() is not None]


def boxes(ax):
    ax.figure.draw_without_rendering()
    return [chip.get_bbox_patch().get_window_extent() for chip in chips(ax)]


def overlapping(extents):
    return [
        (a, b)
        for a, b in itertools.combinations(extents, 2)
        if a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1
    ]


# --- the style ---------------------------------------------------------------------------------


@every_picture
def test_your_own_settings_stay_as_they_were(draw):
    with plt.rc_context({"font.size": 7, "lines.linewidth": 9, "axes.facecolor": "red"}):
        before = dict(plt.rcParams)
        draw()
        assert dict(plt.rcParams) == before


def test_settings_come_back_after_an_error():
    before = dict(plt.rcParams)
    with pytest.raises(ZeroDivisionError), style():
        assert plt.rcParams["axes.titlesize"] == plots.TITLE_SIZE
        _ = 1 / 0
    assert dict(plt.rcParams) == before


@every_picture
def test_a_picture_is_the_same_whatever_you_have_set(draw):
    plain = luminance(draw())
    with plt.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True}):
        strange = draw()
    np.testing.assert_array_equal(luminance(strange), plain)


@every_picture
def test_a_new_figure_is_made_only_when_no_axes_are_given(draw):
    draw()
    assert len(plt.get_fignums()) == 1
    _, mine = plt.subplots()
    assert draw(ax=mine) is mine
    assert len(plt.get_fignums()) == 2


@every_picture
def test_axes_say_what_they_measure_and_in_what_unit(draw):
    ax = draw()
    for axis in (ax.xaxis, ax.yaxis):
        named = [label.get_text() for label in ax.get_yticklabels()]
        if axis is ax.yaxis and "Words" in named:
            continue  # rows of words, no measure
        assert " (" in axis.label.get_text(), axis.label.get_text()


@every_picture
def test_a_picture_says_what_to_notice_unless_you_do(draw):
    assert len(draw().get_title(loc="left")) > 10
    assert draw(title="Listen to the end").get_title(loc="left") == "Listen to the end"
    assert draw(title="").get_title(loc="left") == ""


@every_picture
def test_no_text_is_too_small_for_the_back_row(draw):
    ax = draw()
    assert ax.figure.get_size_inches()[0] == 10
    assert min(text.get_fontsize() for text in visible_texts(ax.figure)) >= 13


@every_picture
def test_on_your_own_axes_text_is_as_large(draw):
    figure, mine = plt.subplots(figsize=(10, 4))
    draw(ax=mine)
    assert min(text.get_fontsize() for text in visible_texts(figure)) >= 13


def assert_nothing_cut_off(figure):
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert drawn.x0 >= 0 and drawn.y0 >= 0
    assert drawn.x1 <= width and drawn.y1 <= height


@every_picture
def test_nothing_is_cut_off_at_the_edge_of_the_figure(draw):
    assert_nothing_cut_off(draw().figure)


@pytest.mark.parametrize("loudness", [1e-6, 0.003, 0.04, 7.0])
def test_nothing_is_cut_off_however_loud_the_sound(loudness):
    assert_nothing_cut_off(plot_waveform(loudness * AUDIO).figure)
    assert_nothing_cut_off(plot_transcript(loudness * AUDIO, spoken(5)))


def test_a_long_title_is_broken_into_lines():
    ax = plot_waveform(AUDIO, title="What a long and winding title this is, " * 3)
    assert ax.get_title(loc="left").count("\n") >= 1
    assert ax.figure.get_tightbbox().x1 <= ax.figure.get_size_inches()[0]


# --- colours -----------------------------------------------------------------------------------

# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
EYES = {
    "typical": np.eye(3),
    "red-blind": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green-blind": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "blue-blind": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear_rgb(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast ratio of WCAG 2.1, from 1 to 21."""
    dark, light = sorted(linear_rgb(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def cie_lab(linear):
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ np.clip(linear, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("meaning", COLOURS)
def test_a_colour_stands_out_from_the_paper(meaning):
    assert contrast(COLOURS[meaning], plots.PAPER) >= 3


@pytest.mark.parametrize("eye", EYES)
def test_any_two_colours_can_be_told_apart(eye):
    seen = {m: cie_lab(np.array(EYES[eye]) @ linear_rgb(c)) for m, c in COLOURS.items()}
    for one, other in itertools.combinations(seen, 2):
        # 2.3 is just noticeable side by side; lines some way apart need several times that.
        assert np.linalg.norm(seen[one] - seen[other]) >= 15, (one, other)


def test_words_are_readable_on_every_shade_of_confidence():
    for confidence in np.linspace(0, 1, 101):
        fill, ink, _ = plots._shade(confidence)
        assert contrast(fill, ink) >= 4.5, confidence


def test_confidence_reads_without_colour():
    lightness = [cie_lab(linear_rgb(plots._shade(c)[0]))[0] for c in np.linspace(0, 1, 21)]
    assert (np.diff(lightness) < -1).all()
    edges = [plots._shade(c)[2] for c in (0.1, 0.49, 0.5, 0.9)]
    assert edges[0] == edges[1] != "solid"
    assert edges[2] == edges[3] == "solid"


# --- what cannot be drawn ----------------------------------------------------------------------

NOT_A_SOUND = {
    "empty": (np.zeros(0, np.float32), "empty"),
    "two channels": (np.zeros((100, 2), np.float32), "one channel"),
    "whole numbers": (np.zeros(100, np.int16), "32768"),
    "not finite": (np.array([0.0, np.nan]), "not finite"),
}


@pytest.mark.parametrize(("audio", "reason"), NOT_A_SOUND.values(), ids=NOT_A_SOUND.keys())
def test_what_is_no_sound_is_refused_with_a_reason_and_leaves_no_figure(audio, reason):
    drawings = [
        lambda: plot_waveform(audio),
        lambda: plot_spectrum(audio),
        lambda: plot_spectrogram(audio),
        lambda: plot_compare(AUDIO, audio),
        lambda: plot_words(spoken(5), audio),
        lambda: plot_transcript(audio, spoken(5)),
    ]
    for draw in drawings:
        with pytest.raises(PlotError, match=reason):
            draw()
    assert plt.get_fignums() == []


def test_wrong_numbers_are_refused_with_a_reason():
    with pytest.raises(PlotError, match="sampling rate is 0"):
        plot_waveform(AUDIO, sampling_rate=0)
    with pytest.raises(PlotError, match="n_fft is -1"):
        plot_spectrogram(AUDIO, n_fft=-1)
    with pytest.raises(PlotError, match="hop_length is 0"):
        plot_spectrogram(AUDIO, hop_length=0)
    with pytest.raises(PlotError, match=r"log_mel\[0\]"):
        plot_log_mel(np.zeros((1, 80, 3000)))
    with pytest.raises(PlotError, match=r"\.T"):
        plot_mel_filters(np.zeros((201, 80)))
    with pytest.raises(PlotError, match="not finite"):
        plot_log_mel(np.full((80, 100), np.inf))
    with pytest.raises(PlotError, match='"linear" or "dB"'):
        plot_spectrum(AUDIO, scale="log")
    assert plt.get_fignums() == []


@pytest.mark.parametrize("n_samples", [1, 300, 200_000])
def test_silence_of_any_length_can_be_drawn(n_samples):
    silence = np.zeros(n_samples, np.float32)
    nothing = Transcript((), None, None, n_samples / RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for drawn in (
            plot_waveform(silence),
            plot_spectrum(silence),
            plot_spectrum(silence, scale="dB"),
            plot_spectrogram(silence),
            plot_compare(silence, silence),
            plot_words(nothing, silence),
            plot_transcript(silence, nothing),
        ):
            figure_of(drawn).draw_without_rendering()


# --- waveform ----------------------------------------------------------------------------------


def test_few_samples_are_dots_at_their_times():
    ax = plot_waveform(tone(seconds=0.01))
    (line,) = ax.get_lines()
    assert line.get_marker() == "o"
    np.testing.assert_allclose(line.get_xdata(), np.arange(160) / RATE)
    assert ax.get_xlabel() == "Time (ms)"
    ax.figure.draw_without_rendering()
    assert "2" in [label.get_text() for label in ax.get_xticklabels()]


@pytest.mark.parametrize("height", [0.02, 0.13, 0.45, 0.6, 0.99])
@pytest.mark.parametrize("seconds", [0.01, 1, 11])
def test_zero_is_in_the_middle_and_both_sides_have_a_mark(height, seconds):
    one_sided = np.maximum(tone(seconds=seconds, height=height), -0.1 * height)
    ax = plot_waveform(one_sided)
    ax.figure.draw_without_rendering()
    low, high = ax.get_ylim()
    marks = [mark for mark in ax.get_yticks() if low <= mark <= high]
    assert low == pytest.approx(-high) and len(marks) >= 3
    assert 0 in marks and sum(marks) == pytest.approx(0)


def test_a_click_in_an_hour_of_sound_is_not_lost():
    audio = np.zeros(3600 * RATE, np.float32)
    audio[12_345_678], audio[40_000_001] = 0.9, -0.8
    ax = plot_waveform(audio)
    points = ax.collections[0].get_paths()[0].vertices
    assert points[:, 1].max() == pytest.approx(0.9)
    assert points[:, 1].min() == pytest.approx(-0.8)
    high, low = points[points[:, 1].argmax(), 0], points[points[:, 1].argmin(), 0]
    assert high == pytest.approx(12_345_678 / RATE, abs=1)
    assert low == pytest.approx(40_000_001 / RATE, abs=1)
    assert len(points) < 20_000


def test_two_sounds_share_scale_and_time_without_touching():
    ax = plot_compare(0.5 * tone(seconds=1), 0.1 * tone(seconds=2), ("loud", "soft"))
    upper, lower = (line.get_ydata() for line in ax.get_lines())
    assert upper.min() > lower.max()
    assert np.ptp(upper) == pytest.approx(5 * np.ptp(lower), rel=0.01)
    assert ax.get_xlim() == (0, 2)
    names = {text.get_text(): text.get_color() for text in ax.texts}
    assert names == {"loud": COLOURS["sound"], "soft": COLOURS["other sound"]}


# --- frequencies -------------------------------------------------------------------------------


def test_a_tone_is_a_peak_of_its_height_at_its_frequency():
    ax = plot_spectrum(tone(hertz=1000, height=0.25) + tone(hertz=3000, height=0.1))
    line = ax.get_lines()[0]
    heights = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert heights[1000] == pytest.approx(0.25)
    assert heights[3000] == pytest.approx(0.1)
    assert heights[2000] == pytest.approx(0, abs=1e-6)
    assert "1000 Hz" in ax.get_title(loc="left")


def test_tones_of_the_same_height_all_get_a_dot():
    ax = plot_spectrum(tone(1000) + tone(2000) + tone(3000) + tone(4000, height=0.4))
    assert ax.get_lines()[1].get_xdata() == pytest.approx([1000, 2000, 3000])
    assert ax.get_title(loc="left") == "3 frequencies are equally strong"


def test_in_decibels_a_tone_of_half_the_height_is_six_lower():
    peaks = [
        plot_spectrum(tone(1000, height=height), scale="dB").get_lines()[0].get_ydata().max()
        for height in (1.0, 0.5)
    ]
    assert peaks == pytest.approx([0, -6.02], abs=0.01)


def picture_at(ax, seconds, hertz):
    """The level (dB) that the spectrogram shows at a time and a frequency."""
    (image,) = ax.get_images()
    left, right, bottom, top = image.get_extent()
    level = image.get_array()
    column = int((seconds - left) / (right - left) * level.shape[1])
    return level[int((hertz - bottom) / (top - bottom) * level.shape[0]), column]


def test_a_spectrogram_shows_a_tone_where_it_sounds():
    audio = np.concatenate([np.zeros(RATE), tone(2000, seconds=1), np.zeros(RATE)])
    ax = plot_spectrogram(audio)
    assert picture_at(ax, 1.5, 2000) == pytest.approx(0, abs=0.1)
    assert picture_at(ax, 0.9, 2000) == pytest.approx(-80)
    assert picture_at(ax, 2.1, 2000) == pytest.approx(-80)
    assert picture_at(ax, 1.5, 4000) == pytest.approx(-80)
    assert ax.get_xlim() == (0, 3) and ax.get_ylim() == (0, 8000)
    # columns are centred on 0, 10, 20 ... ms and rows on 0, 40, 80 ... Hz
    assert ax.get_images()[0].get_extent() == pytest.approx((-0.005, 3.005, -20, 8020))


@pytest.mark.parametrize(("n_fft", "hop_length"), [(400, 160), (512, 128), (255, 100)])
def test_the_spectrogram_is_the_one_librosa_computes(n_fft, hop_length):
    import librosa

    power, step = plots._spectrogram(AUDIO, n_fft, hop_length)
    theirs = np.abs(librosa.stft(AUDIO, n_fft=n_fft, hop_length=hop_length)) ** 2
    assert step == hop_length
    np.testing.assert_allclose(power, theirs, rtol=1e-3, atol=1e-4 * theirs.max())


def test_a_click_in_ten_minutes_of_spectrogram_is_not_lost():
    audio = np.zeros(600 * RATE, np.float32)
    audio[int(400.05 * RATE)] = 1.0
    ax = plot_spectrogram(audio)
    assert ax.get_images()[0].get_array().shape[1] <= plots.MAX_COLUMNS
    assert picture_at(ax, 400.05, 3000) > -3
    assert picture_at(ax, 399.5, 3000) == pytest.approx(-80)


def test_a_minute_of_spectrogram_is_drawn_in_under_half_a_second():
    audio = np.tile(AUDIO, 12)
    luminance(plot_spectrogram(AUDIO))  # fonts are looked up the first time
    begin = time.process_time()
    plot_spectrogram(audio).figure.canvas.draw()
    assert time.process_time() - begin < 0.5


def test_a_mel_picture_is_marked_with_the_frequencies_of_its_bands():
    import librosa

    for n_mels in (80, 128):
        ax = plot_log_mel(np.zeros((n_mels, 100)))
        centres = librosa.mel_frequencies(n_mels + 2, fmin=0, fmax=8000)[1:-1]
        for band, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
            expected = np.interp(band, np.arange(n_mels), centres)
            assert float(label.get_text()) == pytest.approx(expected, rel=1e-3)
        assert ax.get_xlim() == (0, 1)


def test_mel_filters_are_drawn_over_their_frequencies():
    ax = plot_mel_filters(MEL_FILTERS)
    assert len(ax.get_lines()) == len(MEL_FILTERS)
    tallest = ax.get_lines()[3]
    assert tallest.get_xdata()[tallest.get_ydata().argmax()] == 20 * 40  # bin 20, 40 Hz each


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [1, 5, 12, 60])
def test_words_never_cover_each_other_and_stay_in_the_picture(seconds):
    ax = plot_words(spoken(seconds), end=seconds)
    extents, room = boxes(ax), ax.get_window_extent()
    assert len(extents) == len(spoken(seconds).words)
    assert overlapping(extents) == []
    for box in extents:
        assert room.x0 - 2 <= box.x0 and box.x1 <= room.x1 + 2
        assert room.y0 <= box.y0 and box.y1 <= room.y1


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_words_do_not_cover_each_other_on_your_own_axes(layout):
    _, axes = plt.subplots(1, 2, figsize=(15, 6), layout=layout)
    plot_words(spoken(5), ax=axes[0])
    plot_words(spoken(5), AUDIO, ax=axes[1])
    assert len(boxes(axes[0])) == len(boxes(axes[1])) == len(spoken(5).words)
    for ax in axes:
        assert overlapping(boxes(ax)) == []


def test_words_are_placed_by_the_width_that_the_layout_leaves_them():
    _, axes = plt.subplots(1, 3, figsize=(8, 12), layout="constrained")
    plot_spectrogram(AUDIO, ax=axes[0])
    plot_spectrogram(AUDIO, ax=axes[1])
    plot_words(spoken(5), ax=axes[2])
    assert len(boxes(axes[2])) == len(spoken(5).words)
    assert overlapping(boxes(axes[2])) == []


def test_words_can_be_drawn_in_a_part_of_a_figure():
    parts = plt.figure(figsize=(12, 8), layout="constrained").subfigures(2, 1)
    ax = plot_words(spoken(5), ax=parts[0].subplots())
    extents = boxes_of(parts[0].figure, ax)
    assert len(extents) == len(spoken(5).words) and overlapping(extents) == []


def boxes_of(figure, ax):
    figure.draw_without_rendering()
    return [chip.get_bbox_patch().get_window_extent() for chip in chips(ax)]


def test_words_that_find_no_room_on_your_axes_are_counted():
    _, mine = plt.subplots(figsize=(6, 2.5))
    plot_words(spoken(20), ax=mine)
    shown = len(chips(mine))
    assert 0 < shown < len(spoken(20).words)
    assert f"words without room: {len(spoken(20).words) - shown}" in mine.get_xlabel()
    assert len(mine.patches) == len(spoken(20).words)  # each still has its bar
    assert overlapping(boxes(mine)) == []


spans = st.tuples(st.floats(0, 500), st.floats(5, 300))


@settings(max_examples=200, deadline=None)
@given(st.lists(spans, max_size=40))
def test_stairs_never_put_two_boxes_in_one_place(spans):
    lefts = np.array([left for left, _ in spans])
    rights = lefts + [width for _, width in spans]
    rows = plots._stairs(lefts, rights)
    for i, j in itertools.combinations(range(len(spans)), 2):
        apart = rights[i] < lefts[j] or rights[j] < lefts[i]
        assert rows[i] != rows[j] or apart


def test_stairs_start_again_at_the_top_after_a_pause():
    lefts = np.array([0.0, 10, 20, 200, 210])
    assert plots._stairs(lefts, lefts + 50) == [0, 1, 2, 0, 1]


def test_a_bar_shows_when_a_word_was_said_and_how_sure_it_is():
    words = (Word(1.0, 1.5, "sure", 0.95), Word(2.0, 2.25, "unsure", 0.2))
    ax = plot_words(one_segment(*words))
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(1.0, 0.5), (2.0, 0.25)]
    sure, unsure = (linear_rgb(bar.get_facecolor()).mean() for bar in ax.patches)
    assert sure < unsure
    solid, dashed = (chip.get_bbox_patch().get_linestyle() for chip in chips(ax))
    assert solid in ("solid", "-") and dashed != solid


def test_without_confidence_words_are_plain_and_have_no_key():
    bare = plot_words(spoken(5, confidences=(None,)))
    assert bare.child_axes == []
    assert "sure" not in bare.get_title(loc="left")
    assert len(plot_words(spoken(5)).child_axes) == 1


def test_segments_are_drawn_where_there_are_no_words():
    segments = (Segment(0.5, 2, "Good morning to you.", 0.9), Segment(2, 4, "And you?", 0.3))
    ax = plot_words(Transcript(segments, "en", 1.0, 4.5))
    assert [chip.get_text() for chip in chips(ax)] == ["Good morning to you.", "And you?"]


def test_an_empty_transcript_says_so():
    ax = plot_words(Transcript((), None, None, 3.0))
    assert ax.texts[0].get_text() == "(no speech here)"
    assert ax.get_title(loc="left") == "Nobody speaks here"


def test_a_window_shows_its_words_at_their_times():
    ax = plot_words(spoken(60), np.tile(AUDIO, 12), start=20, end=25)
    assert ax.get_xlim() == (20, 25)
    within = [w.text for w in spoken(60).words if w.start < 25 and w.end > 20]
    assert [chip.get_text() for chip in chips(ax)] == within
    assert all(bar.get_x() >= 20 and bar.get_x() + bar.get_width() <= 25 for bar in ax.patches)


def test_of_a_long_sound_the_first_half_minute_is_shown_and_the_picture_says_so():
    ax = plot_words(spoken(100))
    assert ax.get_xlim() == (0, 30)
    assert "0 to 30 of 100 s" in ax.get_xlabel()
    assert plot_words(spoken(100), start=90).get_xlim() == (90, 100)


@pytest.mark.parametrize("window", [(5, 5), (-1, 3), (3, 2), (0, 90), (70, None)])
def test_a_window_outside_the_sound_is_refused(window):
    with pytest.raises(PlotError, match="inside the sound"):
        plot_words(spoken(60), start=window[0], end=window[1])
    assert plt.get_fignums() == []


def test_a_word_of_no_length_at_the_very_start_is_drawn():
    ax = plot_words(one_segment(Word(0.0, 0.0, "Oh", 0.5)))
    assert [chip.get_text() for chip in chips(ax)] == ["Oh"]


STRANGE = [
    "$100$",
    "$x_{1",
    r"\frac{1}{2}$$",
    "<b>bold</b>",
    "Привет",
    "مرحبا",
    "世界",
    "日本語",
    "नमस्ते",
    "👍🏽",
    "a\x00b\u202ec",
    "two\nlines\tand tabs",
    "\ud800",
    "no" * 5000,
    "%s {0}",
    "e\u0301",
]


def test_any_text_can_be_drawn_as_it_is_and_without_a_warning(caplog):
    words = [Word(i / 4, i / 4 + 0.2, text, 0.7) for i, text in enumerate(STRANGE)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot_words(one_segment(*words), title="".join(STRANGE[:6]))
        ax.figure.savefig(BytesIO(), format="png")
        labels = (STRANGE[0], STRANGE[6])
        plot_compare(AUDIO, AUDIO, labels).figure.savefig(BytesIO(), format="png")
    assert caplog.records == []
    drawn = [chip.get_text() for chip in chips(ax)]
    assert drawn[:5] == STRANGE[:5]
    assert drawn[10] == "abc" and drawn[11] == "two lines and tabs"
    assert drawn[13].endswith("…")
    assert overlapping(boxes(ax)) == []


def test_a_letter_no_font_has_is_a_box_and_the_picture_says_what_to_do():
    ax = plot_words(one_segment(Word(1, 2, "hiero\U00013000glyph", 0.9)))
    assert chips(ax)[0].get_text() == "hiero□glyph"
    assert "□: no font here has this letter" in ax.get_xlabel()


def test_only_fonts_that_matplotlib_takes_without_complaint_are_asked_for(monkeypatch):
    manager = font_manager.fontManager
    found = [
        font_manager.FontEntry(name="PingFang SC", weight=500),
        font_manager.FontEntry(name="Malgun Gothic", weight=400),
    ]
    monkeypatch.setattr(manager, "ttflist", manager.ttflist + found)
    fonts = plots._fonts.__wrapped__()
    assert fonts[0] == "DejaVu Sans"
    assert "Malgun Gothic" in fonts and "PingFang SC" not in fonts


# --- a transcript as one figure ----------------------------------------------------------------


def test_sound_spectrogram_and_words_stand_above_each_other_on_one_time_axis():
    figure = plot_transcript(babble(12), spoken(12), start=2, end=9)
    sound, spectrogram, words = figure.axes
    for ax in figure.axes:
        assert ax.get_xlim() == (2, 9)
        assert ax.get_position().x0 == pytest.approx(sound.get_position().x0)
        assert ax.get_position().x1 == pytest.approx(sound.get_position().x1)
    assert sound.get_position().y0 > spectrogram.get_position().y1
    assert spectrogram.get_position().y0 > words.get_position().y1
    assert sound.get_lines()[0].get_xdata()[0] == pytest.approx(2)
    assert spectrogram.get_images()[0].get_extent()[0] == pytest.approx(2, abs=0.01)
    assert overlapping(boxes(words)) == []


def test_the_numbers_of_the_two_colour_keys_stand_apart():
    figure = plot_transcript(babble(6), spoken(6))
    figure.draw_without_rendering()
    keys = [ax.child_axes[0] for ax in figure.axes[1:]]
    upper, lower = (key.get_yticklabels()[at] for key, at in zip(keys, (0, -1), strict=True))
    assert (upper.get_text(), lower.get_text()) == ("−80", "1.0")
    letter = upper.get_window_extent().height
    gap = upper.get_window_extent().y0 - lower.get_window_extent().y1
    assert gap > letter / 2


def test_a_tone_keeps_its_time_when_a_window_is_shown():
    audio = np.concatenate([np.zeros(3 * RATE), tone(2000, seconds=1), np.zeros(RATE)])
    spectrogram = plot_transcript(audio, spoken(5), start=2.5, end=4.5).axes[1]
    assert picture_at(spectrogram, 3.5, 2000) == pytest.approx(0, abs=0.1)
    assert picture_at(spectrogram, 2.9, 2000) == pytest.approx(-80)


def test_a_figure_grows_with_its_words():
    short, crowded = (
        plot_transcript(babble(10), spoken(10, words_per_second=pace)) for pace in (1, 5)
    )
    assert crowded.get_size_inches()[1] > short.get_size_inches()[1] + 0.5
    # and the sound keeps its height
    heights = [f.axes[0].get_window_extent().height for f in (short, crowded)]
    assert heights[0] == pytest.approx(heights[1])


def test_a_sound_longer_or_shorter_than_its_transcript_is_drawn():
    assert plot_transcript(babble(3), spoken(5)).axes[0].get_xlim() == (0, 5)
    assert plot_transcript(babble(8), spoken(5)).axes[0].get_xlim() == (0, 8)
    assert plot_transcript(babble(2), spoken(5), start=3).axes[0].get_xlim() == (3, 5)


# --- saving, loading, showing ------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "PNG"])
def test_a_figure_is_saved_in_the_form_its_name_asks_for(tmp_path, ending):
    path = save_figure(plot_waveform(AUDIO).figure, tmp_path / f"ein Bild – 中.{ending}")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending.lower()]
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_a_figure_that_cannot_be_saved_leaves_the_old_file(tmp_path, monkeypatch):
    figure, path = plot_waveform(AUDIO).figure, tmp_path / "picture.png"
    path.write_bytes(b"old")

    def full(draft, **_):
        Path(draft).write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(OSError, match="No space"):
        save_figure(figure, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_or_ending_that_cannot_be_is_refused(tmp_path):
    figure = plot_waveform(AUDIO).figure
    with pytest.raises(PlotError, match=r"\.png"):
        save_figure(figure, tmp_path / "picture.docx")
    with pytest.raises(PlotError, match=r"\.png"):
        save_figure(figure, tmp_path / "picture")
    with pytest.raises(PlotError, match="does not exist"):
        save_figure(figure, tmp_path / "nowhere" / "picture.png")


def test_plots_load_without_librosa_and_torch():
    loaded = "import sys, asr_workshop.plots as p; print({'librosa', 'torch'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_in_a_notebook_each_cell_shows_one_picture_and_nothing_else():
    import nbclient
    import nbformat

    setup = (
        "import numpy as np\n"
        "from asr_workshop.plots import plot_transcript, plot_waveform, plot_words\n"
        "from asr_workshop.transcript import Transcript\n"
        "audio = np.ones(9) / 9"
    )
    cells = [
        "plot_waveform(audio);",
        "plot_transcript(audio, Transcript((), None, None, 9 / 16000));",
        "ax = plot_words(Transcript((), None, None, 2.0), title='中文 $1')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",  # a learner's own
    ]
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (setup, *cells)]
    nbclient.NotebookClient(notebook, timeout=60).execute()
    assert notebook.cells[0].outputs == []
    for cell in notebook.cells[1:]:
        (output,) = cell.outputs
        assert output.output_type == "display_data"
        assert "image/png" in output.data


# --- compared with what they looked like -------------------------------------------------------

KEPT = {
    "waveform": lambda: plot_waveform(AUDIO),
    "spectrogram": lambda: plot_spectrogram(AUDIO),
    "words": lambda: plot_words(spoken(6, words_per_second=2), babble(6)),
    "transcript": lambda: plot_transcript(babble(6), spoken(6, words_per_second=2)),
}
CHANGED = {
    "waveform": lambda: plot_waveform(AUDIO[::-1]),
    "spectrogram": lambda: plot_spectrogram(AUDIO, n_fft=1600),
    "words": lambda: plot_words(spoken(6, words_per_second=2), 0.9 * babble(6)[2000:]),
    "transcript": lambda: plot_transcript(
        babble(6), spoken(6, words_per_second=2, confidences=(0.98, 0.9, 0.75, 0.9))
    ),
}


def unlikeness(picture, kept):
    """How much two pictures differ: their largest difference of grey (0 to 255), seen blurred.

    Blurring by 10 pixels forgives what differs between builds of matplotlib and FreeType: how a
    letter is hinted, a line half a pixel off. matplotlib 3.10 and 3.11 differ by up to 12, the
    changes below by more than 70.
    """
    if picture.shape != kept.shape:
        return np.inf
    seen, before = (
        Image.fromarray(grey.astype(np.uint8)).filter(ImageFilter.GaussianBlur(10))
        for grey in (picture, kept)
    )
    return float(np.abs(np.asarray(seen, float) - np.asarray(before, float)).max())


def baseline(name):
    return np.asarray(Image.open(BASELINES / f"{name}.png").convert("L"), dtype=float)


@pytest.mark.parametrize("name", KEPT)
def test_a_picture_looks_as_it_did(name):
    assert unlikeness(luminance(KEPT[name]()), baseline(name)) < 20


@pytest.mark.parametrize("name", KEPT)
def test_a_picture_that_changed_is_noticed(name):
    assert unlikeness(luminance(CHANGED[name]()), baseline(name)) > 40


if __name__ == "__main__":
    BASELINES.mkdir(exist_ok=True)
    for kept_name, draw_kept in KEPT.items():
        grey = Image.fromarray(luminance(draw_kept()).astype(np.uint8))
        grey.quantize(32).save(BASELINES / f"{kept_name}.png", optimize=True)
        print(BASELINES / f"{kept_name}.png")

"""Curves and bars of error rates: they show the numbers they are given, and how sure these are."""

from __future__ import annotations

import doctest

import matplotlib.pyplot as plt
import numpy as np
import pytest

from asr_workshop import error_plots
from asr_workshop.error_plots import LINES, plot_error_bars, plot_error_curves
from asr_workshop.plots import PlotError
from asr_workshop.scoring import score

SENTENCE = "a goat ate the whole of my umbrella"  # 8 words


def report(wrong, n=10):
    """Ten sentences of eight words; `wrong` of them lost their last word."""
    short = SENTENCE.rsplit(" ", 1)[0]
    return score([SENTENCE] * n, [short] * wrong + [SENTENCE] * (n - wrong))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_curve_goes_through_its_rates_and_its_band_through_the_intervals():
    reports = [report(0), report(4), report(10)]
    ax = plot_error_curves([20, 10, 0], {"tiny": reports}, "SNR (dB)")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 4 / 80, 10 / 80])
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    low, high = reports[1].interval()
    assert low < 4 / 80 < high
    assert np.isclose(edges, low).any() and np.isclose(edges, high).any()


def test_lines_can_be_told_apart_without_colour():
    for part in ("color", "marker", "linestyle"):
        assert len({line[part] for line in LINES}) == len(LINES)


def test_axes_say_what_they_are_and_lines_who_they_are():
    ax = plot_error_curves([1, 2], {"a": [report(1)] * 2, "b": [report(2)] * 2}, "Speed (×)")
    assert ax.get_xlabel() == "Speed (×)"
    assert ax.get_ylabel() == "Word error rate"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.get_title(loc="left")


def test_a_rate_above_one_is_not_cut_off():
    wild = score(["yes"], ["no no no"])
    assert plot_error_curves([0], {"wild": [wild]}, "SNR (dB)").get_ylim()[1] >= 3


def test_bars_stand_in_order_with_their_numbers():
    ax = plot_error_bars({"quiet": report(0), "loud": report(8)})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["quiet", "loud"]
    assert ax.yaxis_inverted()
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], [0, 0.1])
    assert [text.get_text() for text in ax.texts] == ["0%", "10%"]


def test_a_name_from_outside_is_only_text():
    ax = plot_error_bars({"$x^2$ <b>": report(1)})
    ax.figure.canvas.draw()
    assert ax.get_yticklabels()[0].get_text() == "$x^2$ <b>"


@pytest.mark.parametrize(
    ("at", "curves", "words"),
    [
        ([0], {}, "0 lines"),
        ([0], {str(n): [report(1)] for n in range(4)}, "4 lines"),
        ([0, 1], {"tiny": [report(1)]}, "'tiny' has 1 reports for 2 places"),
    ],
)
def test_what_cannot_be_drawn_is_refused(at, curves, words):
    with pytest.raises(PlotError, match=words):
        plot_error_curves(at, curves, "SNR (dB)")


def test_no_bars_are_refused():
    with pytest.raises(PlotError, match="nothing to draw"):
        plot_error_bars({})


def test_the_examples_in_the_documentation_are_true():
    assert doctest.testmod(error_plots).failed == 0

"""Error rates as pictures: curves with their uncertainty, and bars side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator, PercentFormatter

from asr_workshop import plots
from asr_workshop.plots import COLOURS, LABEL_SIZE, PlotError, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from asr_workshop.scoring import ErrorReport

# Each line differs in colour, in its marker and in its dashes, so that it can be told apart
# without colour too. The colours are the workshop's, of which none means a model or a noise.
LINES = (
    {"color": COLOURS["hypothesis"], "marker": "o", "linestyle": "-"},
    {"color": COLOURS["sound"], "marker": "s", "linestyle": "--"},
    {"color": COLOURS["other sound"], "marker": "^", "linestyle": ":"},
)
RATE = "Word error rate"
BAR_ROOM = 0.5  # inches for each bar
NAME_LETTERS = 15  # of a bar's name, in one line of the margin


@style()
def plot_error_curves(
    at: Sequence[float],
    curves: Mapping[str, Sequence[ErrorReport]],
    xlabel: str,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw how the word error rate changes, a line for each model or kind of trouble.

    The band around a line is the 95 % interval of `ErrorReport.interval`: with other recordings
    of the same kind, the line would probably have lain somewhere in it.

    Parameters
    ----------
    at : sequence of float
        Where on the horizontal axis each report belongs, such as the SNR in dB.
    curves : mapping of str to sequence of ErrorReport
        One to three lines by name, each with a report for every place in `at`.
    xlabel : str
        What the horizontal axis is, with its unit.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        There are no lines or more than three, or one does not fit `at`.

    Examples
    --------
    >>> from asr_workshop.scoring import score
    >>> quiet, loud = score(["a b"], ["a b"]), score(["a b"], ["a c"])
    >>> ax = plot_error_curves([20, 0], {"tiny": [quiet, loud]}, "SNR (dB)")
    >>> plots.plt.close(ax.figure)
    """
    _check_curves(at, curves)
    ax = plots._axes(ax)
    for (name, reports), line in zip(curves.items(), LINES, strict=False):
        rates = [report.word_error_rate for report in reports]
        low, high = zip(*(report.interval() for report in reports), strict=True)
        ax.fill_between(at, low, high, color=line["color"], alpha=0.18, linewidth=0)
        ax.plot(at, rates, linewidth=2.5, markersize=9, label=plots._drawable(name), **line)
    ax.set_xticks(at)
    ax.set_ylim(0, max(1.0, ax.get_ylim()[1]))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.grid(axis="y", color="#DDDDDD")
    ax.set_axisbelow(True)
    ax.legend(handlelength=3.2, fontsize=LABEL_SIZE)
    title = title or "Band: where the line would lie with other recordings"
    return plots._finish(ax, title, xlabel, RATE)


def _check_curves(at: Sequence[float], curves: Mapping[str, Sequence[ErrorReport]]) -> None:
    if not 1 <= len(curves) <= len(LINES):
        raise PlotError(f"{len(curves)} lines: a picture shows 1 to {len(LINES)}. Draw two.")
    for name, reports in curves.items():
        if len(reports) != len(at):
            raise PlotError(
                f"{name!r} has {len(reports)} reports for {len(at)} places on the axis. "
                "Give one for each."
            )


@style()
def plot_error_bars(
    reports: Mapping[str, ErrorReport], ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw word error rates as bars, each with its 95 % interval and its number.

    Parameters
    ----------
    reports : mapping of str to ErrorReport
        Drawn from top to bottom.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    PlotError
        There is nothing to draw.

    Examples
    --------
    >>> from asr_workshop.scoring import score
    >>> ax = plot_error_bars({"clean": score(["a b"], ["a b"]), "noisy": score(["a b"], ["a"])})
    >>> plots.plt.close(ax.figure)
    """
    if not reports:
        raise PlotError("There is nothing to draw: give at least one report.")
    if ax is None:
        (ax,) = plots._stack([BAR_ROOM * len(reports)])
    rates = [report.word_error_rate for report in reports.values()]
    edges = [report.interval() for report in reports.values()]
    errors = [
        [max(0, rate - low) for rate, (low, _) in zip(rates, edges, strict=True)],
        [max(0, high - rate) for rate, (_, high) in zip(rates, edges, strict=True)],
    ]
    names = [textwrap.fill(plots._drawable(name), NAME_LETTERS) for name in reports]
    ax.barh(names, rates, xerr=errors, color=COLOURS["error"], height=0.6,
            error_kw={"elinewidth": 2, "capsize": 5, "ecolor": plots.INK})  # fmt: skip
    for row, (rate, (_, high)) in enumerate(zip(rates, edges, strict=True)):
        ax.annotate(f"{rate:.0%}", (max(rate, high), row), (8, 0), textcoords="offset points",
                    va="center", fontsize=LABEL_SIZE)  # fmt: skip
    ax.invert_yaxis()
    ax.set_xlim(0, max(0.1, 1.12 * max(high for _, high in edges)))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))  # whole percents
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    title = title or "Thin line: where the rate would lie with other recordings"
    return plots._finish(ax, title, RATE, "")

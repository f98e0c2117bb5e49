"""An evaluation as a page to read and as numbers for other programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from asr_workshop.cues import one_line
from asr_workshop.scoring.aligned import as_html, legend, stylesheet
from asr_workshop.scoring.evaluation import Evaluation, Result
from asr_workshop.scoring.measures import (
    FEWEST,
    ErrorReport,
    Interval,
    counted,
    percent,
    percent_range,
)

HERE = Path(__file__).parent
N_WORST = 10
EXPLAINED = """\
The word error rate is the number of words substituted, deleted and inserted, divided by the
number of words said, over all recordings together. Before counting, case and punctuation were
removed, and in English numbers and spellings written alike. The interval is where the rate would
lie, 95 times in 100, with other recordings of the same kind; it takes them as independent, and is
too narrow if many are of the same few speakers. Languages written without spaces are counted by
characters."""


@dataclass(frozen=True)
class About:
    """How an evaluation was made.

    Attributes
    ----------
    model, device, dtype : str
    reasons : tuple of str
        Why these.
    guards : tuple of str
        Which safety nets were up; none for the library's own way.
    language : str or None
        If one was forced.
    listing : str
        The name of the list or folder.
    made : str
        Date and time.
    versions : dict
        Version by package.
    column : str or None
        By what the recordings are grouped.
    left_out : tuple of str
        One sentence for each kind of row that was not used.
    problems : tuple of str
        One sentence for each row that failed.
    """

    model: str
    device: str
    dtype: str
    reasons: tuple[str, ...]
    guards: tuple[str, ...]
    language: str | None
    listing: str
    made: str
    versions: dict[str, str]
    column: str | None = None
    left_out: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def worst(evaluation: Evaluation) -> list[Result]:
    """The recordings with the highest word error rate, each with its row."""
    chosen = evaluation.report.worst(N_WORST)
    by_score = {id(result.score): result for result in evaluation.results}
    return [by_score[id(scored)] for scored in chosen]


def invented(evaluation: Evaluation) -> list[Result]:
    """The recordings in which nobody spoke and text was written."""
    return [r for r in evaluation.results if not r.score.n_words and r.score.insertions]


def groups(evaluation: Evaluation, column: str | None) -> dict[str, ErrorReport]:
    """The reports by a column; none without a column, or where all would be one group."""
    found = evaluation.by(column) if column else {}
    return found if len(found) > 1 else {}


def shown_interval(report: ErrorReport) -> Interval | None:
    """The interval, where there are recordings enough to say one."""
    return report.interval() if len(report.spoken) >= FEWEST else None


# ------------------------------------------------------------------ for other programs


def as_dict(evaluation: Evaluation, about: About) -> dict:
    """Plain numbers, strings, lists and dicts, ready for JSON; what is not defined is None."""
    made = {k: v for k, v in vars(about).items() if k not in ("column", "left_out", "problems")}
    silent = len(evaluation.results) - len(evaluation.report.spoken)
    return {
        "made": made,
        "recordings": len(evaluation.results),
        "hours": evaluation.duration / 3600,
        **_numbers(evaluation.report),
        "nobody_spoke": {
            "recordings": silent,
            "invented": [
                {"file": r.row.name, "text": r.score.hypothesis} for r in invented(evaluation)
            ],
        },
        "speed": {
            "processing_seconds": evaluation.took,
            "real_time_factor": _or_none(evaluation.real_time_factor),
        },
        "by": about.column,
        "groups": {k: _numbers(v) for k, v in groups(evaluation, about.column).items()},
        "left_out": list(about.left_out),
        "problems": list(about.problems),
        "utterances": [_utterance(result) for result in evaluation.results],
    }


def _numbers(report: ErrorReport) -> dict:
    interval = shown_interval(report)
    return {
        "words": report.n_words,
        "word_error_rate": _or_none(report.word_error_rate),
        "interval_95": list(interval) if interval else None,
        "character_error_rate": _or_none(report.character_error_rate),
        "substitutions": report.substitutions,
        "deletions": report.deletions,
        "insertions": report.insertions,
    }


def _utterance(result: Result) -> dict:
    scored = result.score
    return {
        "file": result.row.name,
        "language": scored.language,
        "reference": scored.reference,
        "hypothesis": scored.hypothesis,
        "words": scored.n_words,
        "substitutions": scored.substitutions,
        "deletions": scored.deletions,
        "insertions": scored.insertions,
        "characters": scored.n_characters,
        "character_errors": scored.character_errors,
        "seconds": result.duration,
        "processing_seconds": result.took,
    }


def _or_none(number: float) -> float | None:
    return None if math.isnan(number) else number


# ------------------------------------------------------------------ a page to read


def as_page(evaluation: Evaluation, about: About) -> str:
    """Write the page. It needs no script, no network and no other file."""
    sections = (
        _errors(evaluation.report),
        _nobody_spoke(evaluation),
        _by(groups(evaluation, about.column), about.column),
        _worst(worst(evaluation)),
        _list("Left out", (*about.left_out, *about.problems)),
        _made(about),
    )
    return Template((HERE / "report.html").read_text(encoding="utf-8")).substitute(
        title=f"What {escape(about.model)} heard",
        style=(HERE / "report.css").read_text(encoding="utf-8") + stylesheet(),
        list=escape(about.listing),
        made=escape(about.made),
        tiles=_tiles(evaluation),
        explained=EXPLAINED,
        sections="\n".join(section for section in sections if section),
    )


def _tiles(evaluation: Evaluation) -> str:
    report, interval = evaluation.report, shown_interval(evaluation.report)
    silent = len(evaluation.results) - len(report.spoken)
    tiles = [
        (
            "Word error rate",
            percent(report.word_error_rate),
            f"95 % interval {percent_range(interval)}" if interval else "too few for an interval",
        ),
        ("Character error rate", percent(report.character_error_rate), "spaces included"),
        (
            "Text where nobody spoke",
            f"{len(report.invented)} of {silent}" if silent else "–",
            "recordings without speech" if silent else "every recording holds speech",
        ),
        (
            "Recordings",
            f"{len(evaluation.results):,}",
            f"{length(evaluation.duration)}, {counted(report.n_words, 'word')}",
        ),
        (
            "Real-time factor",
            f"{evaluation.real_time_factor:.3f}",
            f"{length(evaluation.took)} of work",
        ),
    ]
    written = "\n".join(
        f"<div><dt>{name}</dt><dd>{number}</dd><dd>{told}</dd></div>"
        for name, number, told in tiles
    )
    return written.replace(" %", "\u00a0%")


def length(seconds: float) -> str:
    """Say how long, in the unit that fits.

    Examples
    --------
    >>> length(1641), length(7300)
    ('27 minutes', '2.0 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def speed(evaluation: Evaluation) -> str:
    """Say how fast: the work for a second of sound."""
    return f"real-time factor {evaluation.real_time_factor:.3f}, {evaluation.took:.0f} s of work"


def _errors(report: ErrorReport) -> str:
    kinds = (
        ("substituted", report.substitutions, "another word was written"),
        ("deleted", report.deletions, "said, and not written"),
        ("inserted", report.insertions, "written, and not said"),
    )
    rows = (
        (name, meaning, f"{n:,}", percent(n / report.n_words) if report.n_words else "–")
        for name, n, meaning in kinds
    )
    heads = ("error", "what it is", "number", "of the words said")
    return "<h2>Errors by kind</h2>" + _table(heads, rows, numbers=(2, 3))


def _nobody_spoke(evaluation: Evaluation) -> str:
    found = invented(evaluation)
    silent = len(evaluation.results) - len(evaluation.report.spoken)
    if not silent:
        return ""
    told = (
        f"<h2>Text where nobody spoke</h2><p>In {len(found)} of {counted(silent, 'recording')} "
        "without speech the model wrote text all the same. The word error rate leaves it out.</p>"
    )
    rows = ((_name(r.row.name), _name(r.score.hypothesis)) for r in found)
    return told + (_table(("recording", "invented text"), rows) if found else "")


def _by(reports: dict[str, ErrorReport], column: str | None) -> str:
    if not reports:
        return ""
    rows = []
    intervals = {value: shown_interval(report) for value, report in reports.items()}
    ends = [i.high for i in intervals.values() if i] + [r.word_error_rate for r in reports.values()]
    for value, report in reports.items():
        interval, rate = intervals[value], report.word_error_rate
        rows.append(
            (
                _name(value),
                f"{len(report.spoken):,}",
                f"{report.n_words:,}",
                percent(rate),
                percent_range(interval) if interval else "–",
                _bar(rate, interval or Interval(rate, rate), max(ends) or 1),
            )
        )
    heads = (escape(column), "recordings", "words", "word error rate", "95 % interval", "")
    note = f"The interval is shown from {FEWEST} recordings on."
    table = _table(heads, rows, numbers=(1, 2, 3, 4), caption=note)
    return f"<h2>By {escape(column)}</h2>{table}"


def _bar(rate: float, interval: Interval, largest: float) -> str:
    low, high, here = (f"{100 * n / largest:.1f}%" for n in (*interval, rate))
    style = f"--low: {low}; --high: {high}; --rate: {here}"
    return f'<span aria-hidden="true" style="{style}"><i></i><b></b></span>'


def _worst(results: Sequence[Result]) -> str:
    if not results:
        return ""
    parts = [f"<h2>The highest rates</h2><div class='asr-errors'>{legend()}</div>"]
    for result in results:
        seconds = f"{result.duration:.1f} s"
        parts.append(f"<h3>{_name(result.row.name)} <span class='pale'>{seconds}</span></h3>")
        parts.append(as_html(result.score, alone=False))
    return "\n".join(parts)


def _list(title: str, sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{_name(sentence)}</li>" for sentence in sentences)
    return f"<h2>{title}</h2><ul>{items}</ul>" if items else ""


def _made(about: About) -> str:
    facts = {
        "model": about.model,
        "device": f"{about.device}, {about.dtype}",
        "why": "; ".join(about.reasons),
        "guards": ", ".join(about.guards) or "none: the library's own pipeline, greedy",
        "language": about.language or "as the model finds it",
        "versions": ", ".join(f"{name} {number}" for name, number in about.versions.items()),
    }
    pairs = "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return f'<h2>How this was made</h2><dl class="facts">{pairs}</dl>'


def _table(heads: Sequence[str], rows, numbers: Sequence[int] = (), caption: str = "") -> str:
    """Write a table whose cells are HTML already; the first of each row names it."""
    kinds = [' class="number"' if i in numbers else "" for i in range(len(heads))]
    head = "".join(f'<th scope="col"{k}>{h}</th>' for k, h in zip(kinds, heads, strict=True))
    body = "\n".join(_table_row(row, kinds) for row in rows)
    above = f"<caption>{caption}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{above}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _table_row(cells: Sequence[str], kinds: Sequence[str]) -> str:
    first, *others = cells
    bars = [' class="bar"' if cell.startswith("<span aria-hidden") else "" for cell in cells]
    rest = zip(others, kinds[1:], bars[1:], strict=True)
    return (
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td{bar or kind}>{cell}</td>" for cell, kind, bar in rest)
        + "</tr>"
    )


def _name(text: str) -> str:
    """Escape a text that somebody else wrote, and let it run its own way."""
    return f"<bdi>{escape(text)}</bdi>"


def as_lines(evaluation: Evaluation, about: About) -> list[str]:
    """Say the result in a few lines for a terminal."""
    report = evaluation.report
    lines = [f"{about.model} on {one_line(about.listing)}: {length(evaluation.duration)} of sound"]
    lines += str(report).splitlines()
    lines += [f"Speed: {speed(evaluation)}"] if evaluation.duration else []
    found = groups(evaluation, about.column)
    if found:
        lines.append(f"By {about.column}, the highest rates of {len(found)}:")
        for value, group in list(found.items())[:5]:
            words = counted(group.n_words, "word")
            lines.append(f"  {one_line(value)}: {percent(group.word_error_rate)} of {words}")
    return lines

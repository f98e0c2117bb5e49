"""The words that were said over the words that were written, with the errors marked.

Colour is never alone: under each wrong column stands S, D or I, a missing word leaves a dashed
box, and a screen reader is told "said … written …".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from textwrap import fill

from asr_workshop.cues import columns
from asr_workshop.scoring.measures import (
    ScoringError,
    Step,
    UtteranceScore,
    counted,
    percent,
    score,
    told_apart,
)
from asr_workshop.scoring.normalisation import base_code

LINE_COLUMNS = 78  # fits a terminal and a notebook
LABELS = ("reference   ", "hypothesis  ", "            ")
LETTERS = {"hit": "", "substitution": "S", "deletion": "D", "insertion": "I"}
STYLE = Path(__file__).with_name("aligned.css")
ENGLISH_ALIKE = "Case and punctuation were removed, and numbers and spellings written alike."
ALIKE = "Case and punctuation were removed."


def show_errors(reference, hypothesis, language: str | None = "en") -> UtteranceScore:
    """Lay what was written under what was said, word by word.

    Parameters
    ----------
    reference : str
        What was said.
    hypothesis : str or Transcript
        What was written.
    language : str or None
        How the texts are normalized before they are compared; None shows them as they are.

    Returns
    -------
    UtteranceScore
        A notebook shows it in colours, ``print`` in plain letters.

    Raises
    ------
    ScoringError
        Something that is no text, or more than one.

    Examples
    --------
    >>> print(show_errors("Put the blue boat back.", "Put a blue coat.", language=None))
    Word error rate 60.0 %: 3 errors in 5 words (2 substituted, 1 deleted, 0
    inserted)
    <BLANKLINE>
    reference   Put the blue boat  back.
    hypothesis  Put a   blue coat. —————
                    S        S     D
    """
    report = score(reference, hypothesis, language)
    if len(report.utterances) != 1:
        raise ScoringError(
            f"show_errors lays one text over another, and here are {len(report.utterances)}. "
            "Call score(references, hypotheses), and look at report.utterances[0]."
        )
    return report.utterances[0]


def summary(scored: UtteranceScore) -> tuple[str, str]:
    """Say how many errors there are: the rate, and what it comes from."""
    if not scored.n_words:
        return "Nobody spoke", f"{counted(scored.insertions, 'word')} written all the same"
    errors = f"{counted(scored.errors, 'error')} in {counted(scored.n_words, 'word')}"
    return f"Word error rate {percent(scored.word_error_rate)}", f"{errors} ({told_apart(scored)})"


def made_alike(scored: UtteranceScore) -> str:
    """Say what was done to the texts before they were compared."""
    if scored.language is None:
        return ""
    return ENGLISH_ALIKE if base_code(scored.language) == "en" else ALIKE


# ------------------------------------------------------------------ in plain letters


def as_text(scored: UtteranceScore) -> str:
    """Lay the words over each other in letters of one width, in lines of at most 78 columns."""
    head = [fill(": ".join(summary(scored)), LINE_COLUMNS), made_alike(scored)]
    return "\n".join([*filter(None, head), *_rows(scored.steps)])


def _rows(steps: Sequence[Step]) -> Iterator[str]:
    """Fill rows with columns as long as they fit; each is two lines, or three with its marks."""
    row, width = [], 0
    for cells in map(_cells, steps):
        wide = columns(cells[0]) + 1
        if row and len(LABELS[0]) + width + wide - 1 > LINE_COLUMNS:
            yield _row(row)
            row, width = [], 0
        row.append(cells)
        width += wide
    if row:
        yield _row(row)


def _cells(step: Step) -> tuple[str, str, str]:
    """A column's three cells, filled up to one width; a missing word is a dash as long."""
    words = [_printable(word) for word in (step.reference, step.hypothesis)]
    wide = max(map(columns, words))
    cells = (*(word or "—" * wide for word in words), LETTERS[step.kind])
    return tuple(cell + " " * (wide - columns(cell)) for cell in cells)


def _row(cells: Sequence[tuple[str, str, str]]) -> str:
    lines = [" ".join(line) for line in zip(*cells, strict=True)]
    labelled = (label + line for label, line in zip(LABELS, lines, strict=True) if line.strip())
    return "\n" + "\n".join(line.rstrip() for line in labelled)


def _printable(word: str) -> str:
    """Show a control character, which could steer a terminal, as the sign for none."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", word)


# ------------------------------------------------------------------ for a browser


def as_html(scored: UtteranceScore, alone: bool = True) -> str:
    """Write the view as HTML that needs nothing else.

    A page with many views says the style and the legend once, and leaves ``alone`` off.
    """
    rate, errors = summary(scored)
    direction = "rtl" if _right_to_left(scored) else "ltr"
    words = "\n".join(map(_column, scored.steps)) or "No words."
    return f"""\
{f"<style>{stylesheet()}</style>" if alone else ""}
<div class="asr-errors" role="group" aria-label="Errors, word by word">
<p><span class="asr-rate">{rate}</span> · {errors}</p>
{legend(made_alike(scored)) if alone else ""}
<div class="asr-words" dir="{direction}" tabindex="0" role="group" aria-label="The words">
{words}
</div>
</div>"""


def legend(remark: str = "") -> str:
    """Say what the colours and letters mean, and one thing more."""
    return f"""\
<p class="asr-legend"><span class="asr-reference">Above</span> what was said,
<span class="asr-hypothesis asr-plain">below</span> what the model wrote.
<b>S</b> substituted, <b>D</b> deleted: not written, <b>I</b> inserted: not said.
{remark}</p>"""


@cache
def stylesheet() -> str:
    """Read the view's style, once."""
    return STYLE.read_text(encoding="utf-8")


def _column(step: Step) -> str:
    if step.kind == "hit":
        word = escape(step.reference)
        return f'<span class="asr-word" data-again="{word}">{word}</span>'
    above = _cell("reference", "said", step.reference)
    below = _cell("hypothesis", "written", step.hypothesis)
    letter = f'<b aria-hidden="true">{LETTERS[step.kind]}</b>'
    return (
        f'<span class="asr-word asr-error">{_aside(step.kind + ":")}{above}{below}{letter}</span>'
    )


def _cell(row: str, done: str, word: str) -> str:
    if not word:
        return f'<span class="asr-hole">{_aside(f"nothing {done}")}</span>'
    return f'{_aside(done)}<span class="asr-{row}">{escape(word)}</span>'


def _aside(text: str) -> str:
    """For a screen reader, and for a page without our style."""
    return f'<span class="asr-spoken" dir="ltr"> {text} </span>'


def _right_to_left(scored: UtteranceScore) -> bool:
    """Which way do these words run? The first letter that has a direction says it."""
    letters = (letter for step in scored.steps for word in step[1:] for letter in word)
    directions = map(unicodedata.bidirectional, letters)
    return next((d for d in directions if d in ("L", "R", "AL")), "L") != "L"

"""What a learner reads after a check, a hint or a solution: as HTML and as plain text."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

# Icon and word, so that nobody needs the colour; the colours are those of plots.COLOURS.
HEADINGS = {
    "not attempted": ("○ Not attempted yet", "#5F5F5F"),
    "wrong": ("✗ Not right yet", "#D55E00"),
    "error": ("⚠ Error", "#D55E00"),
    "right": ("✓ Right", "#009E73"),
    "hint": ("→ Hint", "#0072B2"),
    "solution": ("✎ Solution", "#0072B2"),
}

LONGEST = 120  # characters of a value that are shown
FIRST = 6  # numbers or rows of an array that are shown


@dataclass(frozen=True, repr=False)
class Reply:
    """What a learner reads: a state, one or more lines, and perhaps some code.

    Attributes
    ----------
    state : str
        ``"not attempted"``, ``"wrong"``, ``"error"`` or ``"right"``; ``"hint"`` or
        ``"solution"`` where that was asked for.
    text : str
        Lines of plain text, in which `` ` `` stands around code.
    code : str
        Shown below the text as a block.
    """

    state: str
    text: str
    code: str = ""

    def __repr__(self) -> str:
        code = "".join(f"\n    {line}" for line in self.code.splitlines())
        return f"{HEADINGS[self.state][0]}. {self.text}{code}"

    def _repr_html_(self) -> str:
        heading, colour = HEADINGS[self.state]
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text))
        text = text.replace("\n", "<br>")
        code = f"<pre><code>{html.escape(self.code)}</code></pre>" if self.code else ""
        return (
            f'<div role="status" style="border-left: 4px solid {colour}; padding: 0.3em 0.9em">'
            f"<strong>{heading}.</strong> {text}{code}</div>"
        )


def show_value(value: Any) -> str:
    """Write any value in a few characters: arrays with their shape, numbers with six digits.

    Examples
    --------
    >>> show_value(np.array([0.25, -1 / 3]))
    '[0.25, -0.333], shape (2,)'
    """
    try:
        text = _write(value)
    except Exception:  # its own repr fails
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _write(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        numbers = repr(value[:FIRST].round(3).tolist())
        more = ", …]" if len(value) > FIRST else "]"
        return f"{numbers[:-1]}{more}, shape {value.shape}"
    if isinstance(value, np.generic | np.ndarray):
        value = value.item()  # a plain number, without np.float64 around it
    return f"{value:.6g}" if isinstance(value, float) and value % 1 else repr(value)

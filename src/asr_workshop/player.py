"""Hear a sound, see it, and read along: one player for every place that can show a page.

The player is a whole page of its own: sound, picture, words, style and script in one string,
which needs neither a kernel nor a network. In a notebook it sits in an ``<iframe srcdoc>``: its
style and ids meet nobody else's, so many players share one notebook, and keys pressed in it do
not reach the notebook, where arrows would change the cell. Where a notebook is not trusted and
the frame is taken out, its inner text stays.

The page forbids itself everything but its own script, known by its hash. If text ever got past
the escaping, it could neither run nor send anything anywhere.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from string import Template

from asr_workshop._player_media import draw_picture, encode_sound
from asr_workshop.audio import SAMPLING_RATE, load_audio
from asr_workshop.plots import UNSURE
from asr_workshop.transcript import UNSPACED_LANGUAGES, Segment, Transcript, Word
from asr_workshop.writing import write_whole

MAX_SECONDS = 600.0  # 10 minutes become a page of 2.5 MB; a notebook should not hold more
RATHER_SURE = 0.8  # words below it are dotted, words below UNSURE dashed
SHORTEST_LIGHT = 0.1  # s; so long does a word light up that takes no time at all
TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)  # s
MAX_TICKS = 6  # more would touch each other on a telephone
FRAME = Template("""\
<iframe title="Player: $title" srcdoc="$page" style="width: 100%; height: ${height}px;\
 box-sizing: border-box; border: 1px solid #8888; border-radius: 8px">
Run this cell, or trust this notebook, to see and hear the player. $text
</iframe>""")


class PlayerError(ValueError):
    """What you gave cannot be shown in a player; the message says why and what to do."""


@dataclass(frozen=True, repr=False)
class Player:
    """A page that plays a sound; it shows itself as the last line of a notebook's cell.

    Attributes
    ----------
    html : str
        The page. It needs nothing else.
    title, text : str
        What it is called, and what is said in it.
    """

    html: str
    title: str
    text: str

    def _repr_html_(self) -> str:
        height = 350 + min(300, 36 * (1 + len(self.text) // 80))  # until the page measures itself
        parts = {"title": self.title, "page": self.html, "text": self.text}
        return FRAME.substitute({k: html.escape(v) for k, v in parts.items()}, height=height)

    def __repr__(self) -> str:
        return f"Player({self.title!r}, {len(self.html) / 1000:.0f} kB)"

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all; any browser opens it, without a network.

        Parameters
        ----------
        path : str or Path
            Usually ending in ``.html``.

        Returns
        -------
        Path
            The same path.

        Raises
        ------
        PlayerError
            The folder does not exist.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise PlayerError(f"The folder {path.parent} does not exist; make it first.")
        return write_whole(path, self.html)


def show(audio, transcript: Transcript | None = None, *, title: str | None = None) -> Player:
    """Play a sound with its spectrogram, and with words that light up when they are said.

    Parameters
    ----------
    audio
        ndarray of float32, shape (n_samples,), in [-1, 1], at 16 kHz; or anything else that
        `load_audio` takes, such as a path. At most 10 minutes.
    transcript : Transcript, optional
        Segments light up where it has no words. What is said after the end of `audio` is left
        out: a transcript also fits the first part of its recording.
    title : str, optional
        The file's name without it, or "Recording".

    Returns
    -------
    Player
        Save it with ``show(...).save("talk.html")``.

    Raises
    ------
    PlayerError
        The sound is too long, or `transcript` is not a Transcript with finite times.
    AudioError
        The sound cannot be used.

    Examples
    --------
    >>> greeting = Segment(0.1, 0.9, "Good morning.")
    >>> tone = [0.5 * math.sin(0.17 * n) for n in range(16_000)]
    >>> player = show((tone, 16_000), Transcript((greeting,), "en", 1.0, 1.0), title="A tone")
    >>> "Good morning." in player.html
    True
    """
    if title is None:
        title = Path(audio).name if isinstance(audio, str | os.PathLike) else "Recording"
    audio = load_audio(audio)
    duration = len(audio) / SAMPLING_RATE
    if duration > MAX_SECONDS:
        raise PlayerError(
            f"This sound lasts {_clock(duration)}; a player holds {_clock(MAX_SECONDS)}. "
            f"Show a part of it: audio[: {MAX_SECONDS:.0f} * {SAMPLING_RATE}]."
        )
    segments = [] if transcript is None else _spoken(transcript, duration)
    items = [item for _, said in segments for item in said]
    script = _beside("js")
    page = Template(_beside("html")).substitute(
        title=html.escape(title),
        style=_beside("css"),
        script=script,
        script_hash=_base64(hashlib.sha256(script.encode()).digest()),
        sound=_base64(encode_sound(audio)),
        picture=_base64(draw_picture(audio)),
        bars="".join(_bar(item, duration) for item in items),
        ticks=_ticks(duration),
        words="" if transcript is None else _words(transcript, segments),
        places="the picture or a word" if items else "the picture",
        times=json.dumps({"duration": duration, "times": [_lit(item, duration) for item in items]}),
    )
    parts = (page, title, "" if transcript is None else str(transcript))
    # Half a character (a lone surrogate) has no UTF-8, and would stop the whole notebook.
    return Player(*(part.encode("utf-8", "replace").decode("utf-8") for part in parts))


def _beside(ending: str) -> str:
    return Path(__file__).with_suffix(f".{ending}").read_text("utf-8")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _clock(seconds: float) -> str:
    """Write minutes and seconds, as in 1:05."""
    return f"{seconds // 60:.0f}:{seconds % 60:02.0f}"


def _ticks(duration: float) -> str:
    step = next(step for step in TICK_STEPS if duration <= step * MAX_TICKS)
    return "".join(
        f'<span style="left:{100 * i * step / duration:.2f}%">'
        f"{_clock(i * step) if duration >= 60 else f'{i * step:g} s'}</span>"
        for i in range(int(duration / step) + 1)
    )


# --- what is said ------------------------------------------------------------------------------


def _spoken(transcript: Transcript, duration: float) -> list[tuple[Segment, list[Word | Segment]]]:
    """Pair segments with what lights up in them: their words, or the segment itself."""
    if not isinstance(transcript, Transcript):
        raise PlayerError(
            f"The transcript is of type {type(transcript).__name__}. Pass the Transcript that "
            "transcribe gives you: without times no word can light up."
        )
    pairs = []
    for segment in transcript.segments:
        items = [item for item in segment.words or (segment,) if item.text.strip()]
        for item in items:
            if not math.isfinite(item.start + item.end):
                raise PlayerError(f"{item.text!r} has no time: {item.start} to {item.end} s.")
        pairs.append((segment, [item for item in items if item.start < duration]))
    return [(segment, items) for segment, items in pairs if items]


def _lit(item: Word | Segment, duration: float) -> tuple[float, float]:
    """From when to when a word lights up, in seconds."""
    end = max(item.end, item.start + SHORTEST_LIGHT)
    return round(item.start, 3), round(min(end, duration), 3)


def _bar(item: Word | Segment, duration: float) -> str:
    start, end = (100 * seconds / duration for seconds in _lit(item, duration))
    return f'<i style="left:{start:.2f}%;width:{end - start:.2f}%;{_sureness(item)}"></i>'


def _sureness(item: Word | Segment) -> str:
    return "" if item.confidence is None else f"--sure:{item.confidence:.2f}"


def _words(transcript: Transcript, segments: list[tuple[Segment, list[Word | Segment]]]) -> str:
    if not segments:
        return '<p class="note">(no speech found)</p>'
    language = "en" if transcript.task == "translate" else transcript.language or ""
    space = "" if language in UNSPACED_LANGUAGES else " "
    text = "\n".join(_line(segment, items, space) for segment, items in segments)
    page = f'<section id="words" lang="{html.escape(language)}">\n{text}\n</section>'
    if all(item.confidence is None for _, items in segments for item in items):
        return page
    return f"""{page}
<p class="note">The paler a word, the less sure the model was:
 <span class="doubted">dotted</span> is below {100 * RATHER_SURE:.0f} %,
 <span class="unsure">dashed</span> below {100 * UNSURE:.0f} %.</p>"""


def _line(segment: Segment, items: list[Word | Segment], space: str) -> str:
    """Set a segment as one paragraph, with what its text has between the words."""
    parts, rest = [], segment.text.strip()
    for item in items:
        gap, found, after = rest.partition(item.text.strip())
        if found and not any(map(str.isalnum, gap)):
            rest = after
        else:  # the words are not those of the text
            gap = space
        parts += [html.escape(gap), _word(item)]
    if not any(map(str.isalnum, rest)):
        parts.append(html.escape(rest))
    begin = _clock(items[0].start)
    return f'<p><small>{begin}</small> <span dir="auto">{"".join(parts)}</span></p>'


def _word(item: Word | Segment) -> str:
    text, confidence = html.escape(item.text.strip()), item.confidence
    if confidence is None:
        return f'<span class="word">{text}</span>'
    doubt = " unsure" if confidence < UNSURE else " doubted" if confidence < RATHER_SURE else ""
    return (
        f'<span class="word{doubt}" style="{_sureness(item)}" '
        f'title="confidence {100 * confidence:.0f} %">{text}</span>'
    )

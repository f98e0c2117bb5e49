"""What a transcript is: words inside segments inside one frozen record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

# Languages written without spaces between words, by Whisper's codes.
UNSPACED_LANGUAGES = frozenset({"zh", "yue", "ja", "th", "lo", "my"})


class TranscriptionError(ValueError):
    """What you asked for cannot be done with this model; the message says why."""


@dataclass(frozen=True)
class Word:
    """One word: its text, when it was said (seconds), and how sure the model was (0 to 1)."""

    start: float
    end: float
    text: str
    confidence: float | None = None


@dataclass(frozen=True)
class Segment:
    """A phrase or sentence with its times in seconds.

    ``confidence`` is the geometric mean of the token probabilities, from 0 to 1, or
    ``None`` where the model does not tell. ``words`` is filled when words were asked for.
    ``guards`` names every safety net that changed this segment, in plain words.
    """

    start: float
    end: float
    text: str
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    guards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """The result of a transcription.

    Attributes
    ----------
    segments : tuple of Segment
        In order of time, not overlapping.
    language : str or None
        Two- or three-letter code (``"en"``), or ``None`` where the model does not tell.
    language_probability : float or None
        1.0 when you gave the language yourself or the model knows only one.
    duration : float
        Length of the sound in seconds.
    guards : tuple of str
        What the safety nets did that is not tied to one segment, such as text that was dropped.
    task : str
        ``"translate"`` when the text is an English translation, else ``"transcribe"``.

    Examples
    --------
    >>> transcript = Transcript((Segment(0.0, 1.2, "Hello there."),), "en", 1.0, 1.5)
    >>> transcript.text
    'Hello there.'
    """

    segments: tuple[Segment, ...]
    language: str | None
    language_probability: float | None
    duration: float
    guards: tuple[str, ...] = ()
    task: str = "transcribe"

    @property
    def text(self) -> str:
        """The whole text: the segments' texts, joined."""
        unspaced = self.language in UNSPACED_LANGUAGES and self.task == "transcribe"
        return ("" if unspaced else " ").join(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """All words of all segments; empty when words were not asked for."""
        return tuple(word for segment in self.segments for word in segment.words)

    def __str__(self) -> str:
        return self.text or "(no speech found)"

    def _repr_html_(self) -> str:
        """What a notebook shows: the text, wrapped to the page, whatever way it is written."""
        return f'<p dir="auto">{escape(str(self))}</p>'

    def to_dict(self) -> dict:
        """Plain numbers, strings, lists and dicts, ready for JSON."""
        return {"text": self.text, **asdict(self)}

    def save(self, path: str | Path) -> Path:
        """Write the transcript; the file name's ending picks the form: .srt .vtt .txt .json .tsv.

        Returns
        -------
        Path
            Where the file now is. It is written whole or not at all.
        """
        from asr_workshop.captions import save_transcript

        return save_transcript(self, path)

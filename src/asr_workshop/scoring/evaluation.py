"""Run a recognizer over many recordings, and score what it writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np

from asr_workshop.audio import SAMPLING_RATE, load_audio
from asr_workshop.scoring.manifest import Row
from asr_workshop.scoring.measures import ErrorReport, UtteranceScore, score

WINDOW_SECONDS = 30  # the library wants return_timestamps for more than Whisper's one window
UNTOLD = "(not told)"


@dataclass(frozen=True)
class Result:
    """What came of one recording.

    Attributes
    ----------
    row : Row
    score : UtteranceScore
    duration : float
        Seconds of sound.
    took : float
        Seconds the recognizer worked on it; reading the file is not counted.
    """

    row: Row
    score: UtteranceScore
    duration: float
    took: float


@dataclass(frozen=True)
class Evaluation:
    """What came of all recordings.

    Attributes
    ----------
    results : tuple of Result
        In the order of the rows.
    problems : tuple of str
        One sentence for every recording that could not be transcribed.
    """

    results: tuple[Result, ...]
    problems: tuple[str, ...] = ()

    @cached_property
    def report(self) -> ErrorReport:
        """The errors in all of them."""
        return ErrorReport(tuple(result.score for result in self.results))

    @property
    def duration(self) -> float:
        """Seconds of sound."""
        return sum(result.duration for result in self.results)

    @property
    def took(self) -> float:
        """Seconds the recognizer worked."""
        return sum(result.took for result in self.results)

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of sound: 0.1 is ten times as fast as the speaker."""
        return self.took / self.duration if self.duration else math.nan

    def by(self, column: str) -> dict[str, ErrorReport]:
        """Pool the recordings that have the same in a column; the most errors come first.

        Parameters
        ----------
        column : str
            Such as ``"speaker"``. Recordings in which nobody speaks are left out.

        Returns
        -------
        dict
            The report for each value; those of rows without one stand under "(not told)".
        """
        groups: dict[str, list[UtteranceScore]] = {}
        for result in self.results:
            if result.score.n_words:
                value = result.row.fields.get(column) or UNTOLD
                groups.setdefault(value, []).append(result.score)
        reports = {value: ErrorReport(tuple(scores)) for value, scores in groups.items()}
        return dict(sorted(reports.items(), key=lambda each: -each[1].word_error_rate))


def evaluate(
    rows: Iterable[Row],
    transcriber: Callable,
    *,
    language: str | None = None,
    progress: Callable[[float, float], None] | None = None,
) -> Evaluation:
    """Transcribe recordings one by one, and compare with what is said in them.

    Parameters
    ----------
    rows : iterable of Row
        As in ``read_manifest(...).rows``.
    transcriber : callable
        Takes a float32 array, mono at 16 kHz, and returns a str or a Transcript.
    language : str, optional
        Of the rows that tell none. Else it is what the transcript tells, or English.
    progress : callable, optional
        Is given the number of recordings done, and of all.

    Returns
    -------
    Evaluation
        A recording that fails is named in ``problems`` and stops no other.

    Examples
    --------
    >>> from asr_workshop.clips import FOLDER
    >>> from asr_workshop.scoring import read_manifest
    >>> rows = read_manifest(FOLDER).rows[:3]
    >>> evaluate(rows, lambda audio: "").report.word_error_rate
    1.0
    """
    rows = list(rows)
    results, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            results.append(_evaluate_one(row, transcriber, language))
        except Exception as error:  # the next recording may be fine
            problems.append(_explain(error, row))
        if progress:
            progress(number, len(rows))
    return Evaluation(tuple(results), tuple(problems))


def _evaluate_one(row: Row, transcriber: Callable, language: str | None) -> Result:
    audio = load_audio(row.path)
    began = perf_counter()
    heard = transcriber(audio)
    took = perf_counter() - began
    spoken = row.language or language or getattr(heard, "language", None) or "en"
    scored = score(row.text, heard, spoken).utterances[0]
    return Result(row, scored, len(audio) / SAMPLING_RATE, took)


def _explain(error: Exception, row: Row) -> str:
    """Name the recording as the list does. Our own errors say the rest, others name their kind."""
    ours = type(error).__module__.startswith("asr_workshop.")
    message = str(error) if ours else f"{type(error).__name__}: {error}"
    if message.startswith(row.path.name):
        return row.name + message.removeprefix(row.path.name)
    return f"{row.name}: {message}"


# ------------------------------------------------------------------ what transcribes


def guarded_transcriber(pipe, language: str | None = None) -> Callable:
    """Listen the workshop's way: ``transcribe``, with all guards up."""
    from asr_workshop.transcription import transcribe

    return lambda audio: transcribe(audio, pipe, language=language)


def bare_transcriber(pipe, language: str | None = None) -> Callable:
    """Listen the library's own way: its pipeline as it is, greedily, with no guards at all."""
    if pipe.type != "seq2seq_whisper":
        return lambda audio: pipe(_sound(audio))["text"]
    options = {"num_beams": 1}
    if not knows_english_only(pipe):
        options |= {"task": "transcribe"} | ({"language": language} if language else {})

    def listen(audio: np.ndarray) -> str:
        long = len(audio) > WINDOW_SECONDS * SAMPLING_RATE
        return pipe(_sound(audio), return_timestamps=long, generate_kwargs=dict(options))["text"]

    return listen


def _sound(audio: np.ndarray) -> dict:
    return {"raw": audio, "sampling_rate": SAMPLING_RATE}


def knows_english_only(pipe) -> bool:
    """Is this a Whisper that was trained on English alone?"""
    config = getattr(pipe.model, "generation_config", None)
    return pipe.type == "seq2seq_whisper" and not getattr(config, "is_multilingual", True)

"""Word and character error rate, of one recording or of many together.

A word of the reference was hit, substituted by another, or deleted (not written); a word of the
hypothesis that answers to none was inserted. With S, D and I of them and N words said,

    word error rate = (S + D + I) / N,

for the alignment with the fewest errors (V. Levenshtein 1966). It passes 1 when many words are
inserted. Several recordings are pooled: all errors, divided by all words.

Where nobody spoke, N is 0 and there is no rate: it is ``nan``, and such a recording takes no part
in pooled rates. Text written there was invented; ``ErrorReport.invented`` holds it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import NamedTuple

import numpy as np

from asr_workshop.scoring.normalisation import is_unspaced, normalize

KINDS = {"equal": "hit", "substitute": "substitution", "delete": "deletion", "insert": "insertion"}
FEWEST = 5  # utterances; an interval resampled from fewer says next to nothing, and is not shown


class ScoringError(ValueError):
    """These texts cannot be compared; the message says why."""


class Interval(NamedTuple):
    """From where to where a rate may lie."""

    low: float
    high: float


class Step(NamedTuple):
    """One column of an alignment.

    ``kind`` is ``"hit"``, ``"substitution"``, ``"deletion"`` or ``"insertion"``; a deletion has
    no word in ``hypothesis``, an insertion none in ``reference`` (``""``).
    """

    kind: str
    reference: str
    hypothesis: str


@dataclass(frozen=True, repr=False)
class UtteranceScore:
    """What was said and what was written, word by word; a notebook shows it in colours.

    Attributes
    ----------
    reference, hypothesis : str
        The texts as they were given.
    language : str or None
        For which they were normalized; None if they were not.
    steps : tuple of Step
        The alignment of the normalized words.
    character_errors, n_characters : int
        The same for characters, spaces between words included.
    """

    reference: str
    hypothesis: str
    language: str | None
    steps: tuple[Step, ...]
    character_errors: int
    n_characters: int

    @cached_property
    def _counts(self) -> Counter:
        return Counter(step.kind for step in self.steps)

    @property
    def hits(self) -> int:
        """Words that are right."""
        return self._counts["hit"]

    @property
    def substitutions(self) -> int:
        """Words in whose place another was written."""
        return self._counts["substitution"]

    @property
    def deletions(self) -> int:
        """Words that were said and not written."""
        return self._counts["deletion"]

    @property
    def insertions(self) -> int:
        """Words that were written and not said."""
        return self._counts["insertion"]

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return len(self.steps) - self.hits

    @property
    def n_words(self) -> int:
        """Words in the reference."""
        return len(self.steps) - self.insertions

    @property
    def word_error_rate(self) -> float:
        """Errors divided by words said; nan if none were."""
        return _ratio(self.errors, self.n_words)

    @property
    def character_error_rate(self) -> float:
        """The same for characters."""
        return _ratio(self.character_errors, self.n_characters)

    @property
    def reference_words(self) -> tuple[str, ...]:
        """The words said, normalized."""
        return tuple(step.reference for step in self.steps if step.reference)

    @property
    def hypothesis_words(self) -> tuple[str, ...]:
        """The words written, normalized."""
        return tuple(step.hypothesis for step in self.steps if step.hypothesis)

    def __repr__(self) -> str:
        return f"UtteranceScore({counted(self.errors, 'error')} in {counted(self.n_words, 'word')})"

    def __str__(self) -> str:
        from asr_workshop.scoring.aligned import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from asr_workshop.scoring.aligned import as_html

        return as_html(self)


@dataclass(frozen=True, repr=False)
class ErrorReport:
    """The errors in many recordings, pooled.

    Attributes
    ----------
    utterances : tuple of UtteranceScore
        One for each recording, in the order given. Those in which nobody spoke count nowhere
        below but in ``invented``.
    """

    utterances: tuple[UtteranceScore, ...]

    @cached_property
    def spoken(self) -> tuple[UtteranceScore, ...]:
        """The recordings in which there are words."""
        return tuple(utterance for utterance in self.utterances if utterance.n_words)

    @property
    def invented(self) -> tuple[UtteranceScore, ...]:
        """Text that was written where nobody spoke."""
        return tuple(u for u in self.utterances if not u.n_words and u.insertions)

    def _sum(self, name: str) -> int:
        return sum(getattr(utterance, name) for utterance in self.spoken)

    @property
    def n_words(self) -> int:
        """Words said."""
        return self._sum("n_words")

    @property
    def hits(self) -> int:
        """Words that are right."""
        return self._sum("hits")

    @property
    def substitutions(self) -> int:
        """Words in whose place another was written."""
        return self._sum("substitutions")

    @property
    def deletions(self) -> int:
        """Words that were said and not written."""
        return self._sum("deletions")

    @property
    def insertions(self) -> int:
        """Words that were written and not said."""
        return self._sum("insertions")

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self._sum("errors")

    @property
    def word_error_rate(self) -> float:
        """All errors divided by all words said; nan if none were."""
        return _ratio(self.errors, self.n_words)

    @property
    def character_error_rate(self) -> float:
        """The same for characters."""
        return _ratio(self._sum("character_errors"), self._sum("n_characters"))

    def interval(self, level: float = 0.95, n_resamples: int = 1000, seed: int = 0) -> Interval:
        """Tell how far the word error rate would move with other recordings of the same kind.

        Draw as many recordings as there are, some of them twice and some never, and take their
        rate; do so many times, and keep the middle `level` of the rates: the percentile
        bootstrap (M. Bisani and H. Ney, "Bootstrap estimates for confidence intervals in ASR
        performance evaluation", ICASSP 2004). It takes the recordings as independent; many of
        few speakers are not, and then the true interval is wider.

        Parameters
        ----------
        level : float
            Between 0 and 1.
        n_resamples : int
        seed : int
            The same seed draws the same recordings.

        Returns
        -------
        Interval
            ``low`` and ``high``; nan if there are no words.

        Raises
        ------
        ScoringError
            The level is not between 0 and 1, or there are no resamples.

        Examples
        --------
        >>> report = score(["a b c"] * 9, ["a b c"] * 6 + ["a b d"] * 3)
        >>> low, high = report.interval()
        >>> low < report.word_error_rate < high
        True
        """
        if not 0 < level < 1 or n_resamples < 1:
            raise ScoringError("level lies between 0 and 1, and n_resamples is 1 or more.")
        errors = np.array([utterance.errors for utterance in self.spoken])
        words = np.array([utterance.n_words for utterance in self.spoken])
        if not len(words):
            return Interval(math.nan, math.nan)
        random = np.random.default_rng(seed)
        draws = (random.integers(len(words), size=len(words)) for _ in range(n_resamples))
        rates = [errors[draw].sum() / words[draw].sum() for draw in draws]
        low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(low), float(high))

    def worst(self, n: int = 10) -> tuple[UtteranceScore, ...]:
        """List the recordings with the highest word error rate; of equals, the longer first."""
        wrong = [utterance for utterance in self.spoken if utterance.errors]
        return tuple(sorted(wrong, key=lambda u: (-u.word_error_rate, -u.errors))[:n])

    def lines(self) -> list[tuple[str, str]]:
        """Say it in a few lines, each a name and what there is to say."""
        spoken, silent = len(self.spoken), len(self.utterances) - len(self.spoken)
        words = f"{counted(self.n_words, 'word')} in {counted(spoken, 'recording')}"
        between = f" (95 % interval {percent_range(self.interval())})" if spoken >= FEWEST else ""
        lines = [
            ("Word error rate", f"{percent(self.word_error_rate)}{between}, {words}"),
            ("Character error rate", percent(self.character_error_rate)),
            ("Errors", told_apart(self)),
        ]
        if silent:
            told = f"{len(self.invented)} of {counted(silent, 'recording')}"
            lines.append(("Text where nobody spoke", told))
        return lines

    def __repr__(self) -> str:
        return f"ErrorReport({len(self.utterances)} utterances)"

    def __str__(self) -> str:
        return "\n".join(f"{name}: {told}" for name, told in self.lines())

    def _repr_html_(self) -> str:
        rows = (
            f'<tr><th scope="row" style="text-align: left">{name}</th>'
            f'<td style="text-align: left">{escape(told)}</td></tr>'
            for name, told in self.lines()
        )
        return f"<table>{''.join(rows)}</table>"


def word_error_rate(reference, hypothesis, language="en") -> float:
    """Divide the words a recognizer got wrong by the words that were said.

    Parameters
    ----------
    reference : str or sequence of str
        What was said. Several are pooled: all errors divided by all words.
    hypothesis : str, Transcript, or sequence of either
        What was written.
    language : str or None, or one for each text
        How the texts are normalized; None compares them letter by letter. See :func:`normalize`.

    Returns
    -------
    float
        0 is perfect, and there is no upper end; nan if no words were said.

    Raises
    ------
    ScoringError
        Not as many hypotheses as references, or something that is no text.

    Examples
    --------
    >>> word_error_rate("Put it back.", "put it bag")
    0.3333333333333333
    >>> word_error_rate("Put it back.", "put it back", language=None)
    0.6666666666666666
    """
    return score(reference, hypothesis, language).word_error_rate


def character_error_rate(reference, hypothesis, language="en") -> float:
    """Divide the characters a recognizer got wrong by the characters that were said.

    A space between two words is a character; languages written without spaces have none.
    Parameters, result and errors are those of :func:`word_error_rate`.

    Examples
    --------
    >>> character_error_rate("boat", "coat")
    0.25
    """
    return score(reference, hypothesis, language).character_error_rate


def score(references, hypotheses, language="en") -> ErrorReport:
    """Compare what was written with what was said, for any number of recordings.

    Parameters
    ----------
    references : str or sequence of str
        What was said; ``""`` where nobody speaks.
    hypotheses : str, Transcript, or sequence of either
        What was written, in the same order.
    language : str or None, or one for each text
        How the texts are normalized; None compares them letter by letter. In languages without
        spaces (Chinese, Japanese, Thai …) every character counts as a word.

    Returns
    -------
    ErrorReport

    Raises
    ------
    ScoringError
        Not as many hypotheses as references, or something that is no text.

    Examples
    --------
    >>> print(score(["Put it back.", ""], ["put it bag", "Thank you."]))
    Word error rate: 33.3 %, 3 words in 1 recording
    Character error rate: 18.2 %
    Errors: 1 substituted, 0 deleted, 0 inserted
    Text where nobody spoke: 1 of 1 recording
    """
    references, hypotheses = _texts(references), _texts(hypotheses)
    languages = _languages(language, len(references))
    if not len(references) == len(hypotheses) == len(languages):
        raise ScoringError(
            f"There are {len(references)} references, {len(hypotheses)} hypotheses and "
            f"{len(languages)} languages; every reference needs one of each."
        )
    texts = zip(references, hypotheses, languages, strict=True)
    return ErrorReport(tuple(_compare(*each) for each in texts))


def _compare(reference: str, hypothesis: str, language: str | None) -> UtteranceScore:
    """Let jiwer align the normalized words, and then the characters."""
    import jiwer

    texts = [normalize(text, language) for text in (reference, hypothesis)]
    words = jiwer.process_words(*texts)
    said, written = words.references[0], words.hypotheses[0]
    if is_unspaced(language):
        texts = [text.replace(" ", "") for text in texts]
    characters = jiwer.process_characters(*texts)
    errors = characters.substitutions + characters.deletions + characters.insertions
    steps = tuple(_steps(words.alignments[0], said, written))
    return UtteranceScore(reference, hypothesis, language, steps, errors, len(texts[0]))


def _steps(chunks: Iterable, said: Sequence[str], written: Sequence[str]):
    """Unfold the runs of an alignment into one step a column."""
    for chunk in chunks:
        above = said[chunk.ref_start_idx : chunk.ref_end_idx]
        below = written[chunk.hyp_start_idx : chunk.hyp_end_idx]
        for i in range(max(len(above), len(below))):
            words = (above[i] if above else "", below[i] if below else "")
            yield Step(KINDS[chunk.type], *words)


def _texts(given) -> list[str]:
    """One text or several, as a list; a Transcript counts as its text."""
    several = [given] if isinstance(given, str) or hasattr(given, "segments") else list(given)
    texts = [text.text if hasattr(text, "segments") else text for text in several]
    for text in texts:
        if not isinstance(text, str):
            raise ScoringError(
                f"A text to score is a str or a Transcript, not {type(text).__name__}. "
                'Where nobody speaks, the reference is "".'
            )
    return texts


def _languages(given, n: int) -> list[str | None]:
    return [given] * n if given is None or isinstance(given, str) else list(given)


def _ratio(errors: int, total: int) -> float:
    return errors / total if total else math.nan


# ------------------------------------------------------------------ in words


def told_apart(counts: UtteranceScore | ErrorReport) -> str:
    """Say how many errors there are of each kind."""
    return (
        f"{counts.substitutions:,} substituted, {counts.deletions:,} deleted, "
        f"{counts.insertions:,} inserted"
    )


def percent(rate: float) -> str:
    """Write a rate with one decimal.

    Examples
    --------
    >>> percent(0.0567), percent(float("nan"))
    ('5.7 %', 'not defined')
    """
    return "not defined" if math.isnan(rate) else f"{100 * rate:.1f} %"


def percent_range(interval: Interval) -> str:
    """Write an interval likewise.

    Examples
    --------
    >>> percent_range(Interval(0.0412, 0.0789))
    '4.1 to 7.9 %'
    """
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"


def counted(n: int, thing: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "word"), counted(1200, "word")
    ('1 word', '1,200 words')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"

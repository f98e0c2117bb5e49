"""The "Your turn" of every notebook: what is asked, the check, a hint and the solution.

In a notebook each exercise is called ``turn``:

>>> from asr_workshop.exercises import seconds_from_samples as turn
>>> def seconds(n_samples, sampling_rate):
...     return sampling_rate / n_samples
>>> turn.check(seconds)
✗ Not right yet. You divided the wrong way round. Many samples must make a long time, so \
`n_samples` stands on top.
`seconds(48_000, 16_000)` should give `3.0`. Yours gives `0.333333`.
"""

from __future__ import annotations

from asr_workshop.exercises import sound_as_data, spectrograms, start_here, whisper_pipeline
from asr_workshop.exercises.core import Exercise

_MODULES = (start_here, sound_as_data, spectrograms, whisper_pipeline)

EXERCISES = {exercise.name: exercise for module in _MODULES for exercise in module.EXERCISES}

globals().update(EXERCISES)  # each can be imported by its name


def exercises_for(notebook: str) -> tuple[Exercise, ...]:
    """List a notebook's exercises in their order.

    Parameters
    ----------
    notebook : str
        The notebook's name without its ending, such as ``"01_sound_as_data"``.

    Returns
    -------
    tuple of Exercise
        Empty for a notebook without exercises.

    Examples
    --------
    >>> [exercise.name for exercise in exercises_for("00_start_here")]
    ['longest_word', 'speech_rate']
    """
    return tuple(exercise for exercise in EXERCISES.values() if exercise.notebook == notebook)

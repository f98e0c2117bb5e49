"""The "Your turn" of every notebook: what is asked, the check, a hint and the solution.

In a notebook each exercise is called ``turn``:

>>> from asr_workshop.exercises import hours_needed as turn
>>> def hours_needed(hours_of_sound, real_time_factor):
...     return hours_of_sound / real_time_factor
>>> turn.check(hours_needed)
✗ Not right yet. You divided. A factor below 1 means faster than the speaker, so the answer must \
be less than the hours of sound.
`hours_needed(2, 0.5)` should give `1.0`. Yours gives `4.0`.
"""

from __future__ import annotations

from asr_workshop.exercises import (
    sound_as_data,
    spectrograms,
    start_here,
    whisper_pipeline,
    why_speech_is_hard,
)
from asr_workshop.exercises.core import Exercise

_MODULES = (start_here, sound_as_data, spectrograms, whisper_pipeline, why_speech_is_hard)

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

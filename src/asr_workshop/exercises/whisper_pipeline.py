"""Exercises of notebook 03: planning time, and a table of contents."""

from __future__ import annotations

from asr_workshop.exercises.core import Exercise, Mistake

NOTEBOOK = "03_whisper_pipeline"

HOURS_NEEDED = Exercise(
    name="hours_needed",
    notebook=NOTEBOOK,
    prompt="""\
The real-time factor is the time the computer takes, divided by the length of the sound. You know \
it from a short test. How many hours will the computer take for an archive of `hours_of_sound`?""",
    stub="""\
def hours_needed(hours_of_sound, real_time_factor):
    return ...  # your turn""",
    nudge="at a factor of 0.5, an hour of sound takes half an hour. And two hours of sound?",
    code="""\
def hours_needed(hours_of_sound, real_time_factor):
    return hours_of_sound * real_time_factor""",
    explanation="""\
The factor is computing time per hour of sound, so every hour of sound costs that much once.""",
    onward="Now put in your own factor: would 200 hours be ready by tomorrow?",
    cases=("hours_needed(2, 0.5)", "hours_needed(200, 0.04)"),
    mistakes=(
        Mistake(
            "def hours_needed(hours_of_sound, real_time_factor):\n"
            "    return hours_of_sound / real_time_factor",
            "You divided. A factor below 1 means faster than the speaker, so the answer must be "
            "less than the hours of sound.",
        ),
        Mistake(
            "def hours_needed(hours_of_sound, real_time_factor):\n"
            "    return real_time_factor / hours_of_sound",
            "You divided by the hours of sound. More sound must take more time.",
        ),
        Mistake(
            "def hours_needed(hours_of_sound, real_time_factor):\n"
            "    return 60 * hours_of_sound * real_time_factor",
            "Those are minutes. Hours went in, and hours are wanted: leave the 60 away.",
        ),
        Mistake(
            "def hours_needed(hours_of_sound, real_time_factor):\n"
            "    return hours_of_sound * (1 - real_time_factor)",
            "That is the time you save compared with listening. What remains is the answer.",
        ),
    ),
)

TABLE_OF_CONTENTS = Exercise(
    name="table_of_contents",
    notebook=NOTEBOOK,
    prompt="""\
Make a table of contents of a talk: a list with one line for each segment, such as \
`1:05 The telephone.` Before the text stands where the segment starts, in minutes and \
seconds, rounded **down**, so that nobody who jumps there misses the first word.""",
    stub="""\
def contents(segments):
    return ...  # your turn""",
    nudge="""\
begin with `lines = []`, go through the segments with `for`, and `append` a line for each. \
`divmod(int(segment.start), 60)` gives minutes and seconds.""",
    code="""\
def contents(segments):
    lines = []
    for segment in segments:
        minutes, seconds = divmod(int(segment.start), 60)
        lines.append(f"{minutes}:{seconds:02} {segment.text}")
    return lines""",
    explanation="""\
`int` rounds down, `divmod` splits into whole minutes and the seconds left over, and `:02` writes \
5 seconds as `05`.""",
    onward="Some video sites turn such lines in a video's description into chapters.",
    cases=("contents(talk[:1])", "contents(talk)"),
    given="""\
talk = [Segment(7.2, 11.0, "Welcome."), Segment(65.8, 70.0, "The telephone.")]""",
    mistakes=(
        Mistake(
            "def contents(segments):\n"
            '    return [f"{int(s.start) // 60}:{int(s.start) % 60} {s.text}" for s in segments]',
            "5 seconds must be written `05`, or 1:05 looks like 1:5. `:02` in the braces does it.",
        ),
        Mistake(
            "def contents(segments):\n"
            '    return [f"{s.start // 60}:{s.start % 60} {s.text}" for s in segments]',
            "Your times have a decimal point in them. `int(segment.start)` makes whole seconds.",
        ),
        Mistake(
            "def contents(segments):\n    times = [round(s.start) for s in segments]\n"
            "    pairs = zip(times, segments)\n"
            '    return [f"{t // 60}:{t % 60:02} {s.text}" for t, s in pairs]',
            "You rounded to the nearest second: who jumps to 1:06 misses what began at 65.8.",
        ),
        Mistake(
            "def contents(segments):\n"
            '    return [f"{int(s.end) // 60}:{int(s.end) % 60:02} {s.text}" for s in segments]',
            "Those are the ends of the segments. A table of contents says where each starts.",
        ),
        Mistake(
            "def contents(segments):\n"
            '    return [f"{int(s.start) // 60}:{int(s.start):02} {s.text}" for s in segments]',
            "Your seconds count on past 60. Take out those that make whole minutes: `% 60`.",
        ),
        Mistake(
            "def contents(segments):\n"
            '    return [f"0:{int(s.start):02} {s.text}" for s in segments]',
            "The minutes are always 0. `divmod` takes them out of the seconds.",
        ),
        Mistake(
            "def contents(segments):\n    lines = []\n    for s in segments:\n"
            '        lines.append(f"{int(s.start) // 60}:{int(s.start) % 60:02} {s.text}")\n'
            "        return lines",
            "Your function stops after the first segment: the `return` stands inside the loop. "
            "Move it to the left, under `for`.",
        ),
        Mistake(
            "def contents(segments):\n"
            '    return "\\n".join(\n'
            '        f"{int(s.start) // 60}:{int(s.start) % 60:02} {s.text}" for s in segments\n'
            "    )",
            "The lines are right, but joined to one text. Hand back the list; `print` can join it.",
        ),
    ),
)

EXERCISES = (HOURS_NEEDED, TABLE_OF_CONTENTS)

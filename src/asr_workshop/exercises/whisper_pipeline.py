"""Exercises of notebook 03: planning time, choosing a device, writing times."""

from __future__ import annotations

from asr_workshop.exercises.core import Exercise, Mistake

NOTEBOOK = "03_whisper_pipeline"

DEVICE_NAME = Exercise(
    name="device_name",
    notebook=NOTEBOOK,
    prompt="""\
PyTorch can tell whether it may use an NVIDIA GPU and whether it may use a Mac's. Given these two \
answers, each `True` or `False`, name the device: `"cuda:0"` (the first NVIDIA GPU) if there is \
one, else `"mps"` (the Mac's), else `"cpu"`.""",
    stub="""\
def device_name(has_cuda, has_mps):
    return ...  # your turn""",
    nudge="ask one question after the other: `if has_cuda:` with its own `return`, then the next.",
    code="""\
def device_name(has_cuda, has_mps):
    if has_cuda:
        return "cuda:0"
    if has_mps:
        return "mps"
    return "cpu\"""",
    explanation="""\
`return` ends the function, so each question is only asked if the ones before were answered no.""",
    onward="""\
With `torch.cuda.is_available()` and `torch.backends.mps.is_available()` as the two answers, this \
is what `pick_device` does.""",
    cases=(
        "device_name(True, False)",
        "device_name(False, True)",
        "device_name(False, False)",
        "device_name(True, True)",
    ),
    mistakes=(
        Mistake(
            "def device_name(has_cuda, has_mps):\n"
            '    return "mps" if has_mps else "cuda:0" if has_cuda else "cpu"',
            "All devices are there. Ask for `has_cuda` first: where both are true, it wins.",
        ),
        Mistake(
            "def device_name(has_cuda, has_mps):\n"
            '    return "cuda" if has_cuda else "mps" if has_mps else "cpu"',
            '`"cuda"` means PyTorch\'s current GPU. Say which: `"cuda:0"` is the first.',
        ),
        Mistake(
            "def device_name(has_cuda, has_mps):\n"
            '    return "gpu" if has_cuda else "mps" if has_mps else "cpu"',
            'PyTorch knows no device called `"gpu"`. NVIDIA\'s are called `"cuda:0"`, `"cuda:1"`…',
        ),
        Mistake(
            'def device_name(has_cuda, has_mps):\n    return "cuda:0" if has_cuda else "cpu"',
            "A Mac's GPU is left idle: ask for `has_mps` before you settle for the processor.",
        ),
        Mistake(
            'def device_name(has_cuda, has_mps):\n    return "cuda:0" if has_cuda else "mps"',
            'Where there is no GPU at all, neither yes, the answer must be `"cpu"`.',
        ),
        Mistake(
            'def device_name(has_cuda, has_mps):\n    return "cuda:0"',
            "It is always that name, which fails on a machine without an NVIDIA GPU. Ask first.",
        ),
    ),
)

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

SRT_TIME = Exercise(
    name="srt_time",
    notebook=NOTEBOOK,
    prompt="""\
In an SRT file a moment is written `00:01:02,345`: hours, minutes and seconds with two digits, a \
**comma**, and milliseconds with three. Write `seconds` that way. The first line is there: it \
rounds to whole milliseconds, and from then on nothing needs rounding.""",
    stub="""\
def srt_time(seconds):
    milliseconds = round(seconds * 1000)
    return ...  # your turn""",
    nudge="""\
`divmod(milliseconds, 1000)` gives two numbers: the whole seconds, and the milliseconds left \
over. Do that again with 60 for the minutes and for the hours. `f"{7:02}"` writes `07`.""",
    code="""\
def srt_time(seconds):
    milliseconds = round(seconds * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02},{milliseconds:03}\"""",
    explanation="""\
`divmod` divides and keeps what is left over. Each line takes out the next larger unit; `:02` and \
`:03` fill up with zeros.""",
    onward="Two such times, an arrow, a number and the text: that is all an SRT file consists of.",
    cases=(
        "srt_time(5)",
        "srt_time(62.345)",
        "srt_time(0.007)",
        "srt_time(3_725.5)",
        "srt_time(59.9996)",
    ),
    mistakes=(
        Mistake(
            "def srt_time(seconds):\n    ms = round(seconds * 1000)\n"
            "    h, m, s = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60\n"
            '    return f"{h:02}:{m:02}:{s:02}.{ms % 1000:03}"',
            "That is right for VTT, which has a point there. SRT wants a comma.",
        ),
        Mistake(
            "def srt_time(seconds):\n    ms = round(seconds * 1000)\n"
            "    h, m, s = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60\n"
            '    return f"{h}:{m}:{s},{ms % 1000}"',
            "The zeros in front are missing: `:02` fills up to two digits, `:03` to three.",
        ),
        Mistake(
            "def srt_time(seconds):\n    ms = round(seconds * 1000)\n"
            "    h, m, s = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60\n"
            '    return f"{h:02}:{m:02}:{s:02},{ms % 1000}"',
            "The milliseconds need three digits, or 7 of them look like 700: `:03`.",
        ),
        Mistake(
            "def srt_time(seconds):\n    ms = round(seconds * 1000)\n"
            "    h, m, s = ms // 3_600_000, ms // 60_000, ms // 1000 % 60\n"
            '    return f"{h:02}:{m:02}:{s:02},{ms % 1000:03}"',
            "Your minutes count on past 60. Those that make a full hour belong to the hours.",
        ),
        Mistake(
            "def srt_time(seconds):\n    ms = round(seconds * 1000)\n"
            '    return f"{ms // 60_000:02}:{ms // 1000 % 60:02},{ms % 1000:03}"',
            "The hours are missing. SRT writes them always, `00` in a short recording.",
        ),
        Mistake(
            "def srt_time(seconds):\n    ms = int(seconds * 1000)\n"
            "    h, m, s = ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60\n"
            '    return f"{h:02}:{m:02}:{s:02},{ms % 1000:03}"',
            "`int` cuts off what `round` would round: 59.9996 seconds are nearer to a minute.",
        ),
        Mistake(
            "def srt_time(seconds):\n"
            "    h, m, s = seconds // 3600, seconds // 60 % 60, seconds % 60\n"
            '    return f"{int(h):02}:{int(m):02}:{s:06.3f}".replace(".", ",")',
            "You rounded the seconds after the minutes were taken out, and they came out as 60. "
            "Go on from `milliseconds`, which is rounded already.",
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

EXERCISES = (DEVICE_NAME, HOURS_NEEDED, SRT_TIME, TABLE_OF_CONTENTS)

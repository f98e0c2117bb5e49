"""Exercises of notebook 01: channels, sampling rates and sizes."""

from __future__ import annotations

from asr_workshop.exercises.core import Exercise, Mistake

NOTEBOOK = "01_sound_as_data"

MONO_FROM_STEREO = Exercise(
    name="mono_from_stereo",
    notebook=NOTEBOOK,
    prompt="""\
A stereo recording has the shape `(n_samples, 2)`: a row for every moment, with one number for \
the left ear and one for the right. Whisper has one ear. Make it mono, shape `(n_samples,)`, by \
taking the **average** of left and right at every moment.""",
    stub="""\
def mono(stereo):
    return ...  # your turn""",
    nudge="arrays have `.mean(axis=...)`. The axis you name is the one that disappears.",
    code="""\
def mono(stereo):
    return stereo.mean(axis=1)""",
    explanation="""\
Axis 0 runs along time, axis 1 from left to right. `mean(axis=1)` averages over left and right \
and leaves time as it was.""",
    onward="`load_audio` does this for you, so that Whisper always gets one channel.",
    cases=("mono(stereo)", "mono(stereo[:2])"),
    given="""\
stereo = np.array([[0.2, 0.4], [0.0, -0.6], [0.5, 0.5]])  # 3 moments, left and right""",
    mistakes=(
        Mistake(
            "def mono(stereo):\n    return stereo.mean(axis=0)",
            "You averaged along the wrong axis. Axis 0 is time: all that is left of the recording "
            "is one number for each ear.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo.mean()",
            "Without an axis everything is averaged into a single number. Name the axis.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo[:, 0]",
            "That is the left channel alone. Whoever speaks on the right is lost.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo[:, 1]",
            "That is the right channel alone. Whoever speaks on the left is lost.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo.sum(axis=1)",
            "That is the sum, twice the average. Loud places would leave the range from -1 to 1.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo[:, 0] + stereo[:, 1] / 2",
            "Python divides before it adds, so only the right channel was halved. Put the sum in "
            "parentheses.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo.flatten()",
            "You put left and right one behind the other: twice as many samples, which would "
            "play twice as long.",
        ),
        Mistake(
            "def mono(stereo):\n    return stereo.mean(axis=1, keepdims=True)",
            "The numbers are right, but they still stand in a column. Leave `keepdims` away.",
        ),
    ),
)

LOWEST_SAMPLING_RATE = Exercise(
    name="lowest_sampling_rate",
    notebook=NOTEBOOK,
    prompt="""\
Samples can follow every tone below half their rate. Higher tones come back as false, lower \
ones. The highest tone in your sound has `top_frequency` hertz: above which sampling rate are you \
safe?""",
    stub="""\
def lowest_rate(top_frequency):
    return ...  # your turn""",
    nudge="half of the rate must reach up to `top_frequency`. So what is the whole rate?",
    code="""\
def lowest_rate(top_frequency):
    return 2 * top_frequency""",
    explanation="""\
Every swing needs more than two samples, one for its way up and one for its way down. So the \
rate must be above twice the highest frequency: the sampling theorem.""",
    onward="Most of speech lies below 8,000 Hz, so 16,000 samples a second are enough for Whisper.",
    cases=("lowest_rate(4_000)", "lowest_rate(8_000)"),
    mistakes=(
        Mistake(
            "def lowest_rate(top_frequency):\n    return top_frequency",
            "That takes one sample in every swing, always at the same place: a flat line.",
        ),
        Mistake(
            "def lowest_rate(top_frequency):\n    return top_frequency / 2",
            "Turned round: half the rate is the highest frequency. A higher tone needs more "
            "samples.",
        ),
    ),
)

SIZE_OF_AN_HOUR = Exercise(
    name="size_of_an_hour",
    notebook=NOTEBOOK,
    prompt="""\
How many megabytes does an hour of speech take in a WAV file with one channel, 16,000 samples a \
second and 16 bits for each sample? A byte has 8 bits, a megabyte 1,000,000 bytes. Let Python \
calculate.""",
    stub="megabytes = ...  # your turn",
    nudge="how many seconds has an hour, how many samples is that, and how many bytes has each?",
    code="megabytes = 60 * 60 * 16_000 * 2 / 1_000_000",
    explanation="3,600 seconds, 16,000 samples in each, 2 bytes (16 bits) for every sample.",
    onward="As an mp3 with 64,000 bits a second, the same hour takes 28.8 MB, a quarter.",
    mistakes=(
        Mistake("megabytes = 3_600 * 16_000 / 1e6", "16 bits are 2 bytes. You counted 1 byte."),
        Mistake("megabytes = 3_600 * 16_000 * 16 / 1e6", "Those are megabits: 8 make a megabyte."),
        Mistake("megabytes = 60 * 16_000 * 2 / 1e6", "That is a minute. An hour has 60 of them."),
        Mistake("megabytes = 3_600 * 16_000 * 2", "Those are bytes. A megabyte has a million."),
        Mistake("megabytes = 3_600 * 16_000 * 2 / 1e3", "Those are kilobytes, of 1,000 bytes."),
        Mistake("megabytes = 2 * 3_600 * 16_000 * 2 / 1e6", "That is stereo: take one channel."),
        Mistake(
            "megabytes = 3_600 * 16_000 * 2 / 1024**2",
            "Those are mebibytes, of 1,048,576 bytes. Some programs show them; here a megabyte "
            "has 1,000,000.",
        ),
        Mistake("megabytes = 115", "You rounded. Give the number as Python calculates it."),
        Mistake(
            'megabytes = "115.2"',
            "That is a text, because of the quotation marks. A number is wanted: leave them away.",
        ),
    ),
)

EXERCISES = (MONO_FROM_STEREO, LOWEST_SAMPLING_RATE, SIZE_OF_AN_HOUR)

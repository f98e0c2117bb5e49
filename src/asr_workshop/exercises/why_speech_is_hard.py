"""Exercises of notebook 04: counting errors, mixing noise, and telling luck from a difference."""

from __future__ import annotations

from asr_workshop.exercises.core import Exercise, Mistake

NOTEBOOK = "04_why_speech_is_hard"

ERROR_RATE = Exercise(
    name="error_rate",
    notebook=NOTEBOOK,
    prompt="""\
Somebody has counted the errors of a transcript: wrong words (`substitutions`), missing words \
(`deletions`) and words too many (`insertions`). `n_words` words were really said. What is the \
word error rate, as a share: 0.25 for a quarter?""",
    stub="""\
def error_rate(substitutions, deletions, insertions, n_words):
    return ...  # your turn""",
    nudge="""\
every kind of error counts alike, so add the three up. Then set them against the words that were \
said.""",
    code="""\
def error_rate(substitutions, deletions, insertions, n_words):
    return (substitutions + deletions + insertions) / n_words""",
    explanation="""\
All errors together, divided by the number of words that were said. What was written does not \
count below the line: otherwise a model could make its rate smaller by writing more.""",
    onward="""\
Try `error_rate(0, 0, 8, 4)`. A model that writes far too much makes more errors than there were \
words.""",
    cases=("error_rate(1, 2, 1, 16)", "error_rate(2, 0, 3, 10)", "error_rate(0, 4, 0, 4)"),
    mistakes=(
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return (substitutions + deletions) / n_words",
            "You left out the insertions. A word that nobody said is an error as well.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return (substitutions + insertions) / n_words",
            "You left out the deletions. A word that is missing is an error as well.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return substitutions / n_words",
            "Those are the wrong words only. Missing ones and ones too many count as well.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return substitutions + deletions + insertions / n_words",
            "Python divides before it adds, so only the insertions were divided. Put the sum in "
            "parentheses.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return 100 * (substitutions + deletions + insertions) / n_words",
            "That is the rate in percent. As a share it is a hundredth of that.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return (substitutions + deletions + insertions) "
            "/ (n_words - deletions + insertions)",
            "You divided by the words that were written. Divide by those that were said.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return 1 - (substitutions + deletions + insertions) / n_words",
            "That is the share of what went well. The error rate is the other part.",
        ),
        Mistake(
            "def error_rate(substitutions, deletions, insertions, n_words):\n"
            "    return substitutions + deletions + insertions",
            "That is the number of errors. Ten errors are many in a sentence and few in a book: "
            "divide by the words that were said.",
        ),
    ),
)

NOISE_FACTOR = Exercise(
    name="noise_factor",
    notebook=NOTEBOOK,
    prompt="""\
The signal-to-noise ratio in decibels is `10 * np.log10(speech_power / noise_power)`. You have \
speech and noise, and know the power of each. By which number do you have to **multiply the \
samples** of the noise, so that the ratio becomes `snr_db`? (Twice the samples is four times the \
power.)""",
    stub="""\
def noise_factor(speech_power, noise_power, snr_db):
    return ...  # your turn""",
    nudge="""\
first find the power that the noise should have: `speech_power / 10 ** (snr_db / 10)`. Set it \
against the power it has, and remember that power goes with the square of the samples.""",
    code="""\
def noise_factor(speech_power, noise_power, snr_db):
    wanted_power = speech_power / 10 ** (snr_db / 10)
    return np.sqrt(wanted_power / noise_power)""",
    explanation="""\
At `snr_db` the noise has the power of the speech, divided by 10 once for every 10 dB. Power is \
amplitude squared, so the samples need the square root of the ratio.""",
    onward="`add_noise` does this, and measures speech only where somebody talks.",
    cases=(
        "noise_factor(4.0, 1.0, 0)",
        "noise_factor(1.0, 1.0, 20)",
        "noise_factor(2.0, 0.5, -10)",
    ),
    mistakes=(
        Mistake(
            "def noise_factor(speech_power, noise_power, snr_db):\n"
            "    return speech_power / noise_power / 10 ** (snr_db / 10)",
            "That is the factor for the power. For the samples, take its square root.",
        ),
        Mistake(
            "def noise_factor(speech_power, noise_power, snr_db):\n"
            "    return np.sqrt(speech_power / noise_power * 10 ** (snr_db / 10))",
            "The wrong way round: a higher ratio must give softer noise.",
        ),
        Mistake(
            "def noise_factor(speech_power, noise_power, snr_db):\n"
            "    return np.sqrt(noise_power / speech_power / 10 ** (snr_db / 10))",
            "You swapped the two powers. Loud speech can bear louder noise.",
        ),
        Mistake(
            "def noise_factor(speech_power, noise_power, snr_db):\n"
            "    return np.sqrt(speech_power / noise_power / 10 ** (snr_db / 20))",
            "20 is right for amplitudes. Here you divide powers, so take 10.",
        ),
        Mistake(
            "def noise_factor(speech_power, noise_power, snr_db):\n"
            "    return np.sqrt(speech_power / noise_power)",
            "That makes them equally strong, which is 0 dB. Now use `snr_db`.",
        ),
        Mistake(
            "def noise_factor(speech_power, noise_power, snr_db):\n"
            "    return np.sqrt(speech_power / noise_power / 10 ** snr_db)",
            "`10 ** snr_db` counts bels. A decibel is a tenth of one.",
        ),
    ),
)

CLEARLY_APART = Exercise(
    name="clearly_apart",
    notebook=NOTEBOOK,
    prompt="""\
Two models were measured. For each you have an interval, a pair `(low, high)`, in which its true \
error rate probably lies. Say `True` when the intervals **do not overlap**, so that one model is \
clearly better, whichever it is, and `False` when they share some values.""",
    stub="""\
def clearly_apart(one, other):
    return ...  # your turn""",
    nudge="""\
`low, high = one` unpacks a pair. They are apart when the whole of one lies below the other; that \
can happen in two ways, and `or` joins them.""",
    code="""\
def clearly_apart(one, other):
    return one[1] < other[0] or other[1] < one[0]""",
    explanation="""\
Either the upper end of the first lies below the lower end of the second, or the other way \
round. In every other case they share some values.""",
    onward="""\
It is a strict rule: two intervals may overlap a little and the difference still be real. But \
where it says `True`, you can rely on it.""",
    cases=(
        "clearly_apart((0.02, 0.05), (0.08, 0.12))",
        "clearly_apart((0.02, 0.09), (0.08, 0.12))",
        "clearly_apart((0.20, 0.30), (0.05, 0.10))",
        "clearly_apart((0.02, 0.20), (0.05, 0.10))",
        "clearly_apart((0.05, 0.10), (0.02, 0.10))",
    ),
    mistakes=(
        Mistake(
            "def clearly_apart(one, other):\n    return one[1] < other[0]",
            "That notices when the first is lower. The second may be the lower one as well.",
        ),
        Mistake(
            "def clearly_apart(one, other):\n    return other[1] < one[0]",
            "That notices when the second is lower. The first may be the lower one as well.",
        ),
        Mistake(
            "def clearly_apart(one, other):\n    return one[0] <= other[1] and other[0] <= one[1]",
            "That says `True` when they overlap. Turn it round.",
        ),
        Mistake(
            "def clearly_apart(one, other):\n    return one[1] < other[0] and other[1] < one[0]",
            "Both at once can never happen. Join the two ways with `or`.",
        ),
        Mistake(
            "def clearly_apart(one, other):\n    return one[1] < other[1] or other[1] < one[1]",
            "You compared the two upper ends. Compare the upper end of one with the lower end of "
            "the other.",
        ),
        Mistake(
            "def clearly_apart(one, other):\n    return one != other",
            "Two intervals can differ and still share some values.",
        ),
    ),
)

EXERCISES = (ERROR_RATE, NOISE_FACTOR, CLEARLY_APART)

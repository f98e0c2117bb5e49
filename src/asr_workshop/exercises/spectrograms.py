"""Exercises of notebook 02: bins, frames and the mel scale."""

from __future__ import annotations

from asr_workshop.exercises.core import Exercise, Mistake

NOTEBOOK = "02_spectrograms"

BIN_FREQUENCY = Exercise(
    name="bin_frequency",
    notebook=NOTEBOOK,
    prompt="""\
The FFT of `n_fft` samples says how much there is of each of a row of tones, called *bins*. They \
stand at equal distances: bin 0 is at 0 Hz, and bin `n_fft` would be at the sampling rate. At \
which frequency, in hertz, is bin `k`?""",
    stub="""\
def bin_frequency(k, sampling_rate, n_fft):
    return ...  # your turn""",
    nudge="the sampling rate is divided into `n_fft` equal steps. How much are `k` of them?",
    code="""\
def bin_frequency(k, sampling_rate, n_fft):
    return k * sampling_rate / n_fft""",
    explanation="One step is `sampling_rate / n_fft` hertz, and bin `k` is `k` steps above 0.",
    onward="Whisper takes 400 samples at 16,000 Hz, so its bins are 40 Hz apart.",
    cases=("bin_frequency(1, 16_000, 400)", "bin_frequency(3, 8_000, 1_024)"),
    mistakes=(
        Mistake(
            "def bin_frequency(k, sampling_rate, n_fft):\n    return k * n_fft / sampling_rate",
            "You divided the wrong way round: `k * n_fft / sampling_rate` is no frequency, but a "
            "time in seconds.",
        ),
        Mistake(
            "def bin_frequency(k, sampling_rate, n_fft):\n    return sampling_rate / n_fft",
            "That is one step, the distance between two bins. Bin `k` is `k` steps up.",
        ),
        Mistake(
            "def bin_frequency(k, sampling_rate, n_fft):\n    return k * sampling_rate / 2 / n_fft",
            "You took half the sampling rate. That is where bin `n_fft / 2` is, not bin `n_fft`.",
        ),
        Mistake(
            "def bin_frequency(k, sampling_rate, n_fft):\n"
            "    return k * sampling_rate / (n_fft // 2 + 1)",
            "`n_fft // 2 + 1` is how many bins `np.fft.rfft` returns. They reach up to half the "
            "sampling rate only.",
        ),
        Mistake(
            "def bin_frequency(k, sampling_rate, n_fft):\n"
            "    return (k + 1) * sampling_rate / n_fft",
            "You are one bin too high: counting begins with bin 0, at 0 Hz.",
        ),
        Mistake(
            "def bin_frequency(k, sampling_rate, n_fft):\n    return k * sampling_rate // n_fft",
            "`//` drops what is left over. A bin may well be at 23.4375 Hz: use `/`.",
        ),
    ),
)

NUMBER_OF_FRAMES = Exercise(
    name="number_of_frames",
    notebook=NOTEBOOK,
    prompt="""\
A spectrogram looks at frames of `n_fft` samples. Each begins `hop_length` samples after the one \
before, so they overlap. How many frames fit into a sound of `n_samples`, if none may stand out \
over the end? (The sound is at least one frame long.)""",
    stub="""\
def n_frames(n_samples, n_fft, hop_length):
    return ...  # your turn""",
    nudge="""\
the first frame takes `n_fft` samples. Every further frame needs only `hop_length` more. `//` \
divides and drops what is left over.""",
    code="""\
def n_frames(n_samples, n_fft, hop_length):
    return 1 + (n_samples - n_fft) // hop_length""",
    explanation="""\
The first frame takes `n_fft` samples. What remains has room for one more frame per whole hop.""",
    onward="""\
Whisper adds half a frame at both ends and drops the last one, which makes one frame per hop: \
3,000 in 30 seconds.""",
    cases=("n_frames(400, 400, 160)", "n_frames(1_000, 400, 160)", "n_frames(16_000, 400, 160)"),
    mistakes=(
        Mistake(
            "def n_frames(n_samples, n_fft, hop_length):\n"
            "    return (n_samples - n_fft) // hop_length",
            "You counted the hops. There is one frame more than hops: the first, before any hop.",
        ),
        Mistake(
            "def n_frames(n_samples, n_fft, hop_length):\n    return n_samples // hop_length",
            "You counted how often a hop fits. But the last frames would stand out over the end: "
            "a whole `n_fft` must fit.",
        ),
        Mistake(
            "def n_frames(n_samples, n_fft, hop_length):\n    return 1 + n_samples // hop_length",
            "That is right when half a frame is added at both ends, as librosa does. Here nothing "
            "is added, so the first frame already takes `n_fft` samples.",
        ),
        Mistake(
            "def n_frames(n_samples, n_fft, hop_length):\n    return n_samples // n_fft",
            "That is right for frames side by side. These overlap, so more of them fit.",
        ),
        Mistake(
            "def n_frames(n_samples, n_fft, hop_length):\n"
            "    return 1 + (n_samples - n_fft) / hop_length",
            "Nearly: part of a frame does not count. `//` drops it.",
        ),
        Mistake(
            "def n_frames(n_samples, n_fft, hop_length):\n"
            "    return 1 + int(np.ceil((n_samples - n_fft) / hop_length))",
            "You rounded up, and so counted a frame that stands out over the end.",
        ),
    ),
)

MEL_SCALE = Exercise(
    name="mel_scale",
    notebook=NOTEBOOK,
    prompt="""\
The mel scale follows the ear. Whisper uses the form of M. Slaney's *Auditory Toolbox* (1998): \
below 1,000 Hz, every 200 Hz make 3 mel. From there on, where 15 mel are reached, every 27 mel \
multiply the frequency by 6.4:

$$m = 15 + 27\\,\\frac{\\ln(f / 1000)}{\\ln 6.4}$$

Turn a `frequency` in hertz into mel. `np.log` is ln.""",
    stub="""\
def mel(frequency):
    return ...  # your turn""",
    nudge="two rules, so begin with `if frequency < 1000:` and a `return` of its own.",
    code="""\
def mel(frequency):
    if frequency < 1000:
        return 3 * frequency / 200
    return 15 + 27 * np.log(frequency / 1000) / np.log(6.4)""",
    explanation="""\
A straight line up to 1,000 Hz, a logarithm above: equal steps at the bottom, and further up \
equal factors, as we hear pitch.""",
    onward="""\
Whisper's 80 bands (128 in large-v3 and turbo) are equally wide on this scale: narrow for low \
tones, wide for high ones.""",
    cases=("mel(440)", "mel(1_000)", "mel(8_000)"),
    mistakes=(
        Mistake(
            "def mel(frequency):\n    return 2595 * np.log10(1 + frequency / 700)",
            "That is the other mel scale, the one of the HTK toolkit. Whisper's filters use "
            "Slaney's.",
        ),
        Mistake(
            "def mel(frequency):\n    return 3 * frequency / 200",
            "The straight line is right, but only below 1,000 Hz. Above, the ear's steps widen.",
        ),
        Mistake(
            "def mel(frequency):\n    return 15 + 27 * np.log(frequency / 1000) / np.log(6.4)",
            "The logarithm is right, but only from 1,000 Hz on. Below, a straight line is used.",
        ),
        Mistake(
            "def mel(frequency):\n    if frequency < 1000:\n        return 3 * frequency / 200\n"
            "    return 27 * np.log(frequency / 1000) / np.log(6.4)",
            "Your scale falls back to 0 at 1,000 Hz: add the 15 mel that are reached there.",
        ),
        Mistake(
            "def mel(frequency):\n    if frequency < 1000:\n        return 3 * frequency / 200\n"
            "    return 15 + 27 * np.log(frequency / 1000)",
            "Divide by `np.log(6.4)`: it takes a factor of 6.4 to climb 27 mel.",
        ),
        Mistake(
            "def mel(frequency):\n    if frequency < 1000:\n        return 3 * frequency / 200\n"
            "    return 15 + 27 * np.log10(frequency / 1000) / np.log(6.4)",
            "You mixed two logarithms. Take `np.log` above and below, or `np.log10` for both.",
        ),
        Mistake(
            "def mel(frequency):\n    if frequency < 1000:\n        return 200 * frequency / 3\n"
            "    return 15 + 27 * np.log(frequency / 1000) / np.log(6.4)",
            "Below 1,000 Hz you turned the fraction round: 200 Hz make 3 mel.",
        ),
    ),
)

EXERCISES = (BIN_FREQUENCY, NUMBER_OF_FRAMES, MEL_SCALE)

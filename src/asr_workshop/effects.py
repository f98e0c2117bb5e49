"""Spoil a recording on purpose: noise, telephone, room, speed, loss, and measure what each costs.

Every effect takes mono sound at 16 kHz, leaves it as it was, and returns a new array. Where chance
plays a part, the same ``seed`` gives the same sound again.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from numbers import Integral, Real

import numpy as np

from asr_workshop.audio import MAX_DURATION, SAMPLING_RATE, load_audio
from asr_workshop.speech import find_speech

NOISE_RMS = 0.1  # noise is handed out at -20 dB of full scale, as loud as the speech of the clips
LOWEST_PINK = 20.0  # Hz, about where hearing begins; below it the noise does not grow any more
TALKERS = 8  # from six on, more talkers do not hide consonants better (Simpson and Cooke, 2005)
SILENT = 1e-12  # mean square: 120 dB below full scale, softer than anything 16 bits can hold
LIMIT_DB = (
    100.0  # float32 rounds about 150 dB below a sound; nearer to that, the ratio is not exact
)

TELEPHONE_RATE = 8_000  # Hz
TELEPHONE_BAND = (300.0, 3400.0)  # Hz, where the filters are 3 dB down
TELEPHONE_ORDER = 8  # of each Butterworth slope: 48 dB per octave
MU = 255
LEVELS = 127  # on either side of zero: with zero, 255 values fit into eight bits

# kbit/s that MPEG-2 Layer III knows; 16 kHz is one of its three sampling rates.
MP3_KBPS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


class EffectError(ValueError):
    """The effect cannot be made with that; the message says what was wrong and what to do."""


# ------------------------------------------------------------------ noise


def white_noise(n_samples: int, seed: int = 0) -> np.ndarray:
    """Noise with the same power at every frequency: a hiss.

    Parameters
    ----------
    n_samples : int
    seed : int
        Another seed gives other noise of the same kind.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        At an RMS of `NOISE_RMS`; `add_noise` makes it as loud as you ask for.

    Raises
    ------
    EffectError
        No samples, or more than six hours of them.

    Examples
    --------
    >>> white_noise(16_000).shape
    (16000,)
    """
    return _levelled(_gaussian(n_samples, seed))


def pink_noise(n_samples: int, seed: int = 0) -> np.ndarray:
    """Noise that falls by 3 dB per octave: duller, like rain or a ventilator.

    White noise, with its spectrum divided by the root of the frequency. The end runs on into the
    beginning without a click, so it can be repeated.

    Parameters
    ----------
    n_samples : int
    seed : int

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        At an RMS of `NOISE_RMS`.

    Raises
    ------
    EffectError
        No samples, or more than six hours of them.

    References
    ----------
    Voss and Clarke, "1/f noise" in music and speech, Nature 258 (1975)

    Examples
    --------
    >>> pink_noise(16_000).shape
    (16000,)
    """
    spectrum = np.fft.rfft(_gaussian(n_samples, seed))
    frequency = np.fft.rfftfreq(n_samples, 1 / SAMPLING_RATE)
    spectrum /= np.sqrt(np.maximum(frequency, LOWEST_PINK))
    return _levelled(np.fft.irfft(spectrum, n_samples))


def babble(voices: Sequence[np.ndarray], n_samples: int, seed: int = 0) -> np.ndarray:
    """Many people talking at once, made from a few recordings of speech.

    The pauses are cut out and the voices made equally loud. Then at least `TALKERS` of them talk
    on top of each other, each from a place picked by chance, over and over.

    Parameters
    ----------
    voices : sequence of ndarray, each of shape (any,)
        Mono, 16 kHz. The more different ones, the better; one alone works.
    n_samples : int
    seed : int

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        At an RMS of `NOISE_RMS`.

    Raises
    ------
    EffectError
        There is no voice, or one is silent or no mono sound.

    References
    ----------
    Simpson and Cooke, Consonant identification in N-talker babble is a nonmonotonic function of
    N, JASA 118 (2005): hardest for people from 6 to 128 talkers

    Examples
    --------
    >>> from asr_workshop import clip, load_audio
    >>> voices = [load_audio(clip(name)) for name in ("soup.m4a", "talk.opus")]
    >>> babble(voices, 16_000).shape
    (16000,)
    """
    if len(voices) == 0:
        raise EffectError("voices is empty; babble needs at least one recording of speech.")
    talk = [_only_speech(voice, f"voice {i}") for i, voice in enumerate(voices, start=1)]
    chance = np.random.default_rng(seed)
    crowd = np.zeros(_count(n_samples))
    for talker in range(max(TALKERS, len(talk))):
        speech = talk[talker % len(talk)]
        crowd += np.resize(np.roll(speech, chance.integers(len(speech))), n_samples)
    return _levelled(crowd)


def add_noise(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Mix noise into a recording at an exact signal-to-noise ratio.

    The ratio is that of `measure_snr`. Noise that is too short is repeated, and cut where it is
    too long. A mix that would pass 1 is turned down as a whole, which leaves the ratio as it is.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    noise : ndarray, shape (any,)
        Made by this module, or any recording of yours; how loud it is does not matter.
    snr_db : float, dB
        20: you notice the noise. 0: as strong as the speech. Below 0: stronger.

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]

    Raises
    ------
    EffectError
        One of the two is silent where somebody talks, or no mono sound; or `snr_db` is beyond
        ±100.

    Examples
    --------
    >>> from asr_workshop import clip, load_audio
    >>> audio = load_audio(clip("boat_kumo.flac"))
    >>> noisy = add_noise(audio, white_noise(len(audio)), snr_db=10)
    >>> round(measure_snr(audio, noisy - audio), 2)
    10.0
    """
    snr_db = _number("snr_db", snr_db, -LIMIT_DB, LIMIT_DB, "dB")
    gain = 10 ** ((measure_snr(audio, noise) - snr_db) / 20)
    audio, noise = _checked(audio), _checked(noise, "noise", limit=math.inf)
    return _turned_down(audio + gain * np.resize(noise, len(audio)))


def measure_snr(audio: np.ndarray, noise: np.ndarray) -> float:
    """How much stronger the speech is than the noise, in dB, where somebody talks.

    SNR = 10 log10(signal power / noise power). Power is the mean square over the spans of
    `find_speech`, the same for both; over the whole recording where it finds none. Pauses would
    otherwise count as weak speech, and a recording with longer pauses would get less noise.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
        Without the noise.
    noise : ndarray, shape (any,)
        Without the speech. Repeated or cut to the length of `audio`.

    Returns
    -------
    float, dB

    Raises
    ------
    EffectError
        One of the two is silent where somebody talks, or no mono sound.

    References
    ----------
    ITU-T P.56 (2011) measures speech levels in the same spirit: while there is speech.

    Examples
    --------
    >>> hiss = white_noise(16_000)
    >>> round(measure_snr(hiss, hiss / 10), 2)
    20.0
    """
    audio, noise = _checked(audio), _checked(noise, "noise", limit=math.inf)
    spoken = _where_speech(audio)
    powers = {
        "audio": _power(audio[spoken]),
        "noise": _power(np.resize(noise, len(audio))[spoken]),
    }
    for name, power in powers.items():
        if power < SILENT:
            raise EffectError(
                f"{name} is silent where somebody should be heard, so there is no ratio to speak "
                "of. Give a recording in which there is sound all the time."
            )
    return 10 * math.log10(powers["audio"] / powers["noise"])


# ------------------------------------------------------------------ what it travels through


def telephone(audio: np.ndarray) -> np.ndarray:
    """A call over the old telephone network: a narrow band, 8 kHz, eight bits a sample.

    Butterworth slopes keep 300 to 3400 Hz. They work on the spectrum, so nothing is delayed. Each
    sample then becomes one of 255 values, close together near zero and far apart where it is
    loud (μ-law): y = sign(x) ln(1 + μ|x|) / ln(1 + μ).

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]
        At 16 kHz again, with nothing above 4 kHz.

    Raises
    ------
    EffectError
        This is no mono sound in [-1, 1].

    References
    ----------
    ITU-T G.711 (1988), of whose curve this is the continuous form; ITU-T G.712 (2001) for the
    band, not for the slopes

    Examples
    --------
    >>> telephone(white_noise(16_000)).shape
    (16000,)
    """
    import soxr

    audio = _checked(audio)
    narrow = soxr.resample(_telephone_band(audio), SAMPLING_RATE, TELEPHONE_RATE)
    received = soxr.resample(_eight_bits(narrow), TELEPHONE_RATE, SAMPLING_RATE)
    return _finished(_of_length(received, len(audio)))


def _telephone_band(audio: np.ndarray) -> np.ndarray:
    """Multiply the spectrum by a Butterworth's gain, 1 / sqrt(1 + (f / edge)^(2 order))."""
    low, high = TELEPHONE_BAND
    size = (
        len(audio) + SAMPLING_RATE
    )  # room at the end, so that it does not ring into the beginning
    frequency = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLING_RATE), 1.0)
    steepness = 2 * TELEPHONE_ORDER
    gain = ((1 + (low / frequency) ** steepness) * (1 + (frequency / high) ** steepness)) ** -0.5
    return np.fft.irfft(np.fft.rfft(audio, size) * gain, size)[: len(audio)]


def _eight_bits(audio: np.ndarray) -> np.ndarray:
    """Squeeze by the μ-law, round to 255 values, and stretch again."""
    loudness = np.log1p(MU * np.minimum(np.abs(audio), 1)) / np.log1p(MU)
    return np.sign(audio) * np.expm1(np.round(loudness * LEVELS) / LEVELS * np.log1p(MU)) / MU


def room_response(rt60: float, seed: int = 0) -> np.ndarray:
    """What a microphone hears of one clap in a room: the clap, then its echoes dying away.

    The echoes are noise that falls by 60 dB in `rt60` seconds, and together have as much energy
    as the clap: the microphone stands where direct and reflected sound are equally strong (a
    direct-to-reverberant ratio of 0 dB). Echoes of a real room are fewer at first, and its high
    frequencies die away sooner.

    Parameters
    ----------
    rt60 : float, seconds
        0.3: a furnished room. 0.6: a classroom. 1 to 2: a hall or a church.
    seed : int
        Another seed is another place in the room.

    Returns
    -------
    ndarray of float32, shape (1 + rt60 · 16,000,)
        The first sample is 1.

    Raises
    ------
    EffectError
        `rt60` is not from 0.05 to 10 seconds.

    References
    ----------
    Polack, La transmission de l'énergie sonore dans les salles, thesis, Université du Maine
    (1988), for the noise; Habets, Gannot and Cohen, Late reverberant spectral variance estimation
    based on a statistical model, IEEE Signal Processing Letters 16 (2009), for the direct sound

    Examples
    --------
    >>> room_response(0.5).shape
    (8001,)
    """
    rt60 = _number("rt60", rt60, 0.05, 10, "seconds")
    n_samples = round(rt60 * SAMPLING_RATE)
    seconds = np.arange(n_samples) / SAMPLING_RATE
    echoes = _gaussian(n_samples, seed) * 10 ** (-3 * seconds / rt60)  # 10^-3 is -60 dB
    return np.r_[1.0, echoes / np.linalg.norm(echoes)].astype(np.float32)


def reverberate(audio: np.ndarray, rt60: float, seed: int = 0) -> np.ndarray:
    """Play a recording in a room: convolve it with `room_response`.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    rt60 : float, seconds
        Until the echoes have fallen by 60 dB.
    seed : int

    Returns
    -------
    ndarray of float32, shape (n_samples + rt60 · 16,000,), in [-1, 1]
        The words stay where they are, and the room rings on after the end. Speech is as loud as
        before (RMS), unless peaks would pass 1: then all of it is turned down.

    Raises
    ------
    EffectError
        `rt60` is not from 0.05 to 10 seconds, or this is no mono sound in [-1, 1].

    Examples
    --------
    >>> reverberate(white_noise(16_000), rt60=0.5).shape
    (24000,)
    """
    audio, response = _checked(audio), room_response(rt60, seed)
    length = len(audio) + len(response) - 1
    size = 1 << length.bit_length()  # at least the length, and quick to transform
    wet = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(response, size), size)[:length]
    spoken = np.flatnonzero(_where_speech(audio))
    loudness = _power(audio[spoken]) / max(_power(wet[spoken]), np.finfo(float).tiny)
    return _turned_down(wet * math.sqrt(loudness))


def lose_packets(
    audio: np.ndarray, loss: float, packet_ms: float = 20, seed: int = 0
) -> np.ndarray:
    """A bad internet call: packets that do not arrive become silence.

    Each is lost or not whatever happens to its neighbours. Real losses come in bursts, and call
    programs fill the holes as well as they can.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    loss : float
        The probability that a packet is lost, from 0 to 1.
    packet_ms : float, milliseconds
    seed : int

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]

    Raises
    ------
    EffectError
        `loss` is not from 0 to 1, `packet_ms` not from 1 to 1000, or this is no mono sound in
        [-1, 1].

    References
    ----------
    RFC 3551 (2003), section 4.2: 20 ms a packet unless agreed otherwise

    Examples
    --------
    >>> bool(lose_packets(white_noise(16_000), loss=1).any())
    False
    """
    audio, loss = _checked(audio), _number("loss", loss, 0, 1, "(a probability)")
    packet_ms = _number("packet_ms", packet_ms, 1, 1000, "milliseconds")
    packet = np.arange(len(audio)) // round(packet_ms / 1000 * SAMPLING_RATE)
    arrives = np.random.default_rng(seed).random(packet[-1] + 1) >= loss
    return _finished(np.where(arrives[packet], audio, 0))


def mp3(audio: np.ndarray, kbps: int) -> np.ndarray:
    """Squeeze a recording into an mp3 file with the LAME encoder, and open it again.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    kbps : int, kbit/s
        One of `MP3_KBPS`, the same all the time. 16-bit sound at 16 kHz takes 256.

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]
        In step with `audio`: the encoder's delay is taken out again. The encoder makes it about
        5 % softer, and leaves out what is above about 7 kHz, or less at low rates.

    Raises
    ------
    EffectError
        There is no such rate, or this is no mono sound in [-1, 1].

    References
    ----------
    ISO/IEC 13818-3 (1998), MPEG-2 Layer III, for the rates

    Examples
    --------
    >>> mp3(white_noise(16_000), kbps=16).shape
    (16000,)
    """
    import av

    audio = _checked(audio)
    if kbps not in MP3_KBPS:
        rates = ", ".join(map(str, MP3_KBPS))
        raise EffectError(f"kbps is {kbps!r}; at 16 kHz, mp3 knows only {rates} kbit/s.")
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLING_RATE, layout="mono")
        stream.bit_rate = int(kbps) * 1000
        for packet in (*stream.encode(_frame(audio)), *stream.encode(None)):
            container.mux(packet)
    return _finished(_of_length(load_audio(file.getvalue()), len(audio)))


# ------------------------------------------------------------------ the speaker and the microphone


def change_speed(audio: np.ndarray, factor: float) -> np.ndarray:
    """Make somebody talk faster or slower, at the same pitch.

    FFmpeg's atempo cuts the sound into overlapping pieces and lays them closer together or
    further apart, shifting each a little so that its waves meet those of the one before (WSOLA).
    Far from 1, slow speech gets a metallic echo and fast speech loses bursts such as a t or k; a
    sound may come up to 0.06 s early.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    factor : float
        2 is twice as fast, 0.5 half as fast.

    Returns
    -------
    ndarray of float32, shape (round(n_samples / factor),), in [-1, 1]

    Raises
    ------
    EffectError
        `factor` is not from 0.5 to 4, or this is no mono sound in [-1, 1].

    References
    ----------
    Verhelst and Roelands, An overlap-add technique based on waveform similarity (WSOLA) for high
    quality time-scale modification of speech, ICASSP (1993)

    Examples
    --------
    >>> change_speed(white_noise(16_000), factor=1.6).shape
    (10000,)
    """
    audio, factor = _checked(audio), _number("factor", factor, 0.5, 4, "times the speed")
    return _finished(_stretched(audio, factor))


def change_pitch(audio: np.ndarray, semitones: float) -> np.ndarray:
    """Make a voice higher or lower, at the same speed.

    The sound is stretched as in `change_speed` and played back so much faster that it takes as
    long as before. That moves the vowels' resonances too, as if the speaker had grown or shrunk.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    semitones : float
        12 is an octave up: every frequency is multiplied by 2^(semitones / 12).

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]

    Raises
    ------
    EffectError
        `semitones` is not from -12 to 12, or this is no mono sound in [-1, 1].

    Examples
    --------
    >>> change_pitch(white_noise(16_000), semitones=-3).shape
    (16000,)
    """
    import soxr

    audio, semitones = _checked(audio), _number("semitones", semitones, -12, 12, "semitones")
    ratio = 2 ** (semitones / 12)
    shifted = soxr.resample(_stretched(audio, 1 / ratio), SAMPLING_RATE * ratio, SAMPLING_RATE)
    return _finished(_of_length(shifted, len(audio)))


def _stretched(audio: np.ndarray, factor: float) -> np.ndarray:
    """Run FFmpeg's atempo. It keeps the last 0.1 s to itself, so half a second is lent."""
    import av

    if factor == 1:
        return audio  # the filter would shift it by 8 ms
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        format="fltp",
        sample_rate=SAMPLING_RATE,
        layout="mono",
        time_base=Fraction(1, SAMPLING_RATE),
    )
    tempo, sink = graph.add("atempo", f"{factor:.9f}"), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    graph.push(_frame(np.pad(audio, (0, SAMPLING_RATE // 2))))
    graph.push(None)
    pieces = []
    while True:
        try:
            pieces.append(graph.pull().to_ndarray()[0])
        except (av.EOFError, av.BlockingIOError):
            return _of_length(np.concatenate(pieces), max(1, round(len(audio) / factor)))


def amplify(audio: np.ndarray, gain_db: float) -> np.ndarray:
    """Turn the microphone up or down. What would pass 1 is clipped flat, as in a real one.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    gain_db : float, dB
        20 makes every sample 10 times as large, -20 a tenth: 10^(gain_db / 20).

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]

    Raises
    ------
    EffectError
        `gain_db` is beyond ±100, or this is no mono sound in [-1, 1].

    Examples
    --------
    >>> amplify(np.array([0.03, -0.3]), gain_db=20).round(3)
    array([ 0.3, -1. ], dtype=float32)
    """
    return _finished(_checked(audio) * 10 ** (_number("gain_db", gain_db, -100, 100, "dB") / 20))


def insert_silence(audio: np.ndarray, at: float, seconds: float) -> np.ndarray:
    """Cut a recording open and put digital silence (zeros) in.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    at : float, seconds
        Where: 0 is before everything, the recording's duration after everything.
    seconds : float
        How much.

    Returns
    -------
    ndarray of float32, shape (n_samples + seconds · 16,000,), in [-1, 1]

    Raises
    ------
    EffectError
        `at` is not in the recording, `seconds` not from 0 to six hours, or this is no mono sound
        in [-1, 1].

    Examples
    --------
    >>> insert_silence(white_noise(16_000), at=0.5, seconds=2).shape
    (48000,)
    """
    audio = _checked(audio)
    at = _number("at", at, 0, len(audio) / SAMPLING_RATE, "seconds, where the recording ends")
    seconds = _number("seconds", seconds, 0, MAX_DURATION, "seconds")
    return _with_silence(audio, [at], seconds)


def lengthen_pauses(audio: np.ndarray, seconds: float) -> np.ndarray:
    """Let the speaker think: put digital silence into the middle of every pause.

    A pause is what lies between two spans of `find_speech`. A sentence spoken in one go has none
    and stays as it is.

    Parameters
    ----------
    audio : ndarray, shape (n_samples,)
    seconds : float
        So much longer does each pause get.

    Returns
    -------
    ndarray of float32, shape (n_samples + pauses · seconds · 16,000,), in [-1, 1]

    Raises
    ------
    EffectError
        `seconds` is not from 0 to six hours, or this is no mono sound in [-1, 1].

    Examples
    --------
    >>> from asr_workshop import clip, load_audio
    >>> audio = load_audio(clip("pauses.webm"))
    >>> len(lengthen_pauses(audio, seconds=1)) > len(audio)
    True
    """
    audio, seconds = _checked(audio), _number("seconds", seconds, 0, MAX_DURATION, "seconds")
    spans = find_speech(audio.astype(np.float32))
    middles = [(a.end + b.start) / 2 for a, b in pairwise(spans)]
    return _with_silence(audio, middles, seconds)


def _with_silence(audio: np.ndarray, times: Sequence[float], seconds: float) -> np.ndarray:
    places = [round(time * SAMPLING_RATE) for time in times]
    silence = round(seconds * SAMPLING_RATE)
    return _finished(np.insert(audio, np.repeat(places, silence).astype(int), 0))


# ------------------------------------------------------------------ what they share


def _checked(audio, name: str = "audio", limit: float = 1.0) -> np.ndarray:
    """Return the samples as float64, in which the sums are done, or say what is wrong with them."""
    audio = np.asarray(audio)
    if audio.dtype.kind != "f":
        raise EffectError(
            f"{name} is not an array of floating-point samples; load_audio makes one of any "
            "recording, and of whole numbers: load_audio((numbers, rate))."
        )
    if audio.ndim != 1:
        raise EffectError(
            f"{name} has the shape {audio.shape}, and one channel is wanted, shape (n_samples,). "
            "load_audio((array, rate)) mixes channels."
        )
    if audio.size == 0:
        raise EffectError(f"{name} is empty; give at least one sample.")
    with np.errstate(over="ignore"):
        audio = audio.astype(np.float32).astype(np.float64)
    peak = np.abs(audio).max()
    if not math.isfinite(peak):
        raise EffectError(
            f"{name} holds values that are not finite numbers (NaN or infinity). Replace them "
            "with np.nan_to_num."
        )
    if peak > limit:
        raise EffectError(
            f"{name} has values up to {peak:.3g}, and full scale is 1. "
            f"load_audio(({name}, {SAMPLING_RATE})) scales it down to fit."
        )
    return audio


def _number(name: str, value, low: float, high: float, unit: str) -> float:
    if not isinstance(value, Real) or not low <= value <= high:  # NaN fails every comparison
        raise EffectError(f"{name} is {value!r}; give a number from {low:g} to {high:g} {unit}.")
    return float(value)


def _count(n_samples) -> int:
    limit = MAX_DURATION * SAMPLING_RATE
    if not isinstance(n_samples, Integral) or not 1 <= n_samples <= limit:
        raise EffectError(f"n_samples is {n_samples!r}; give a whole number from 1 to {limit}.")
    return int(n_samples)


def _gaussian(n_samples: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(_count(n_samples))


def _where_speech(audio: np.ndarray) -> np.ndarray:
    """Mark the samples in which somebody talks; all of them where nobody does."""
    spoken = np.zeros(len(audio), dtype=bool)
    for span in find_speech(audio.astype(np.float32)):
        spoken[round(span.start * SAMPLING_RATE) : round(span.end * SAMPLING_RATE)] = True
    return spoken if spoken.any() else ~spoken


def _only_speech(voice: np.ndarray, name: str) -> np.ndarray:
    """Cut the pauses out, and bring what is left to an RMS of 1."""
    voice = _checked(voice, name)
    speech = voice[_where_speech(voice)]
    power = _power(speech)
    if power < SILENT:
        raise EffectError(f"{name} is silent; give recordings in which somebody talks.")
    return speech / math.sqrt(power)


def _power(sound: np.ndarray) -> float:
    return float(np.mean(np.square(sound)))


def _levelled(noise: np.ndarray) -> np.ndarray:
    return _finished(noise * NOISE_RMS / max(math.sqrt(_power(noise)), np.finfo(float).tiny))


def _turned_down(sound: np.ndarray) -> np.ndarray:
    return _finished(sound / max(1.0, np.abs(sound).max()))


def _finished(sound: np.ndarray) -> np.ndarray:
    return np.clip(sound, -1, 1).astype(np.float32)


def _of_length(sound: np.ndarray, n_samples: int) -> np.ndarray:
    return np.pad(sound, (0, max(0, n_samples - len(sound))))[:n_samples]


def _frame(audio: np.ndarray):
    """Wrap the samples for PyAV."""
    import av

    frame = av.AudioFrame.from_ndarray(audio.astype(np.float32)[np.newaxis], "fltp", "mono")
    frame.sample_rate = SAMPLING_RATE
    return frame

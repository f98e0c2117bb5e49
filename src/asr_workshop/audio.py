"""Sound comes in: any recording becomes the array that Whisper expects.

Whisper listens to one channel at 16,000 samples per second. `load_audio` makes that of whatever
you have, and says clearly what is wrong when it cannot; `describe_audio` tells what a recording
is without decoding it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

import numpy as np

from asr_workshop import _readers, _sources
from asr_workshop._readers import Reader, Refusal

# Hz. Whisper was trained at this rate, and it is enough for speech: 16,000 samples per second
# carry every frequency up to 8,000 Hz (half of it, the Nyquist frequency).
SAMPLING_RATE = 16_000
# s. Six hours are 346 million samples, 1.4 GB of float32. It holds a day of meetings, and a small
# file that unfolds to days of sound is stopped before it fills the memory.
MAX_DURATION = 6 * 3600
# Decoders and resamplers overshoot 1.0 by a little. Beyond this, something else was meant.
STRANGE_PEAK = 2.0
# s. Codecs pad or trim by up to a frame: 2048 samples at 24 kHz are 0.085 s.
CUT_TOLERANCE = 0.1
# Of the energy that the average of unrelated channels would have: 6 dB less.
CANCELLED = 0.25


class AudioError(ValueError):
    """What you gave cannot be used as sound; the message names it, says why, and the cure."""


class AudioWarning(UserWarning):
    """The sound is usable, but not all that you may think."""


@dataclass(frozen=True)
class AudioInfo:
    """What a recording is.

    Attributes
    ----------
    name : str
        File name, or "The recording".
    duration : float
        Seconds, as its header states. A damaged file may hold less.
    sampling_rate : int
        Hz, before any resampling.
    channels : int
        1 is mono, 2 is stereo.
    codec : str
        How the samples are written: ``"pcm_16"``, ``"opus"``, ``"aac"``; for arrays, the dtype.
    container : str
        What they are wrapped in: ``"wav"``, ``"webm"``, ``"mp4"``, or ``"array"``.
    """

    name: str
    duration: float
    sampling_rate: int
    channels: int
    codec: str
    container: str

    def __str__(self) -> str:
        channels = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        return (
            f"{self.name}: {self.duration:.2f} s, {self.sampling_rate} Hz, {channels}, "
            f"{self.codec} in {self.container}"
        )


def load_audio(source, sampling_rate: int = SAMPLING_RATE) -> np.ndarray:
    """Decode any recording to the array Whisper expects.

    Channels are averaged. Where they would cancel each other, the loudest one is taken instead.
    Samples beyond [-1, 1] are not clipped: the whole recording is scaled down to fit.

    Parameters
    ----------
    source
        One of

        - a path, or an http(s) address;
        - bytes, or an open binary file (read from its beginning, left as it was);
        - ``(array, rate)`` with int8, int16, int32, uint8 or float samples of shape (n,),
          (n, channels) or (channels, n): the shorter side is the channels;
        - an array alone, shape (n,), already at `sampling_rate`;
        - a row of `datasets`, or its audio column, decoded or with ``Audio(decode=False)``;
        - what an ipywidgets ``FileUpload`` holds, or the widget itself.
    sampling_rate : int, Hz
        Rate of the result.

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1], mono
        The same object, not a copy, if that is what you gave.

    Raises
    ------
    AudioError
        Empty, not audio, longer than `MAX_DURATION`, or not finite; the message names the file
        and the cure.

    Warns
    -----
    AudioWarning
        The end of the file is missing, the channels cancel each other, or the values are far
        outside [-1, 1].

    Examples
    --------
    >>> half_a_second = np.zeros(4000, dtype=np.int16)
    >>> load_audio((half_a_second, 8000)).shape
    (8000,)
    """
    with _opened(source, sampling_rate) as (name, sound):
        if isinstance(sound, tuple):
            decoded = _decode_array(*sound, sampling_rate)
        else:
            decoded = _decode_file(sound, sampling_rate)
        peak = _finite_peak(decoded.audio)
        if peak > 1:
            np.divide(decoded.audio, peak, out=decoded.audio)
    for notice in _notices(decoded, peak):
        warnings.warn(f"{name} {notice}", AudioWarning, stacklevel=2)
    return decoded.audio


def describe_audio(source) -> AudioInfo:
    """Tell what a recording is, from its header, without decoding all of it.

    Parameters
    ----------
    source
        As for `load_audio`.

    Returns
    -------
    AudioInfo
        Print it, or use its fields. The duration of a format that states none (amr, aac) is
        read off the times of its packets.

    Raises
    ------
    AudioError
        As for `load_audio`.

    Examples
    --------
    >>> print(describe_audio((np.zeros((8000, 2), dtype=np.int16), 8000)))
    The recording: 1.00 s, 8000 Hz, stereo, int16 in array
    """
    with _opened(source) as (name, sound):
        if isinstance(sound, tuple):
            return _info(name, _readers.array_reader(*sound))
        _readers.refuse_lookalikes(sound)
        try:
            with _readers.soundfile_reader(sound) as reader:
                return _info(name, reader)
        except Refusal:
            with _readers.pyav_reader(sound) as reader:
                return _info(name, reader)


def _info(name: str, reader: Reader) -> AudioInfo:
    duration = reader.promised or reader.measure()
    return AudioInfo(
        name, duration, reader.sampling_rate, reader.channels, reader.codec, reader.container
    )


@contextmanager
def _opened(source, sampling_rate: int = SAMPLING_RATE) -> Iterator[tuple]:
    """Yield the name, and an open file or (array, rate); a `Refusal` becomes an `AudioError`."""
    name = "The recording"
    try:
        _readers.check_rate(sampling_rate)
        name, content = _sources.unwrap(source, name)
        with _sources.opened(content, sampling_rate) as sound:
            yield name, sound
    except Refusal as refusal:
        raise AudioError(f"{name} {refusal}") from None


# ------------------------------------------------------------------ to one mono array


@dataclass(frozen=True)
class _Decoded:
    """One mono array, and what was noticed on the way to it."""

    audio: np.ndarray  # float32, shape (n_samples,)
    kept: float  # seconds
    promised: float | None = None  # seconds, if the header states them
    cancelled: bool = False  # the average of the channels is next to nothing
    loudest: int = 0  # the channel with the most energy
    damaged: bool = False  # something was left out, though the length may be unknown

    @property
    def cut(self) -> bool:
        return self.damaged or (self.promised or 0) - self.kept > CUT_TOLERANCE


class _TooLong(Refusal):
    """Another decoder would not make it shorter."""

    def __init__(self, duration: float):
        super().__init__(
            f"goes on for {duration / 3600:.1f} hours or more, and the limit is "
            f"{MAX_DURATION / 3600:g}. Cut it into parts, and load them one by one."
        )


def _decode_array(array, rate: float, sampling_rate: int) -> _Decoded:
    """Mix and resample an array, unless it is ready; then hours of it are not copied."""
    if _is_ready(array) and rate == sampling_rate and len(array) <= MAX_DURATION * rate:
        return _Decoded(array, kept=len(array) / rate)
    return _decode(lambda: nullcontext(_readers.array_reader(array, rate)), sampling_rate)


def _is_ready(array) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.dtype == np.float32
        and array.ndim == 1
        and len(array) > 0
        and array.flags.c_contiguous
        and array.flags.writeable
        and array.min() >= -1
        and array.max() <= 1
    )


def _decode_file(file: BinaryIO, sampling_rate: int) -> _Decoded:
    """Decode with soundfile; where that fails or ends early, with PyAV too. Keep the longer."""
    _readers.refuse_lookalikes(file)
    end_missing = _readers.ogg_end_missing(file)
    results, reason = [], None
    for opened in (_readers.soundfile_reader, _readers.pyav_reader):
        try:
            result = _decode(partial(opened, file), sampling_rate)
        except _TooLong:
            raise
        except Refusal as refusal:
            reason = refusal
            continue
        results.append(replace(result, damaged=result.damaged or end_missing))
        if not result.cut:
            break
    if not results:
        raise reason
    best = max(results, key=lambda result: result.kept)
    return replace(best, promised=best.promised or results[0].promised)


def _decode(opened: Callable[[], AbstractContextManager[Reader]], sampling_rate: int) -> _Decoded:
    """Average the channels; if they cancel each other, start again with the loudest alone."""
    with opened() as reader:
        decoded = _to_mono(reader, sampling_rate)
    if not decoded.cancelled:
        return decoded
    decoded = replace(decoded, audio=None)  # frees the first array before the second is made
    with opened() as reader:
        again = _to_mono(reader, sampling_rate, decoded.loudest)
    return replace(decoded, audio=again.audio)


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused at the end
def _to_mono(reader: Reader, sampling_rate: int, channel: int | None = None) -> _Decoded:
    """Average the channels, or take one, and resample, block by block.

    The result grows in one bytearray: the system enlarges that in place, where a list of blocks
    would stand in memory twice when it is joined.
    """
    import soxr

    if reader.promised and reader.promised > MAX_DURATION:
        raise _TooLong(reader.promised)
    resampler = soxr.ResampleStream(reader.sampling_rate, sampling_rate, 1, dtype="float32")
    grown, n_read = bytearray(), 0
    mono_energy, energies = 0.0, np.zeros(reader.channels)
    for block in reader.blocks:  # shape (n_samples, channels)
        n_read += len(block)
        if n_read > MAX_DURATION * reader.sampling_rate:
            raise _TooLong(n_read / reader.sampling_rate)
        mono = np.ascontiguousarray(block.mean(axis=1) if channel is None else block[:, channel])
        mono_energy += float(mono @ mono)
        energies += np.einsum("nc,nc->c", block, block)
        grown += resampler.resample_chunk(mono).tobytes()
    grown += resampler.resample_chunk(np.empty(0, np.float32), last=True).tobytes()
    if not grown:
        raise Refusal(_readers.NO_SAMPLES)
    return _Decoded(
        audio=np.frombuffer(grown, np.float32),
        kept=n_read / reader.sampling_rate,
        promised=reader.promised,
        cancelled=_cancel_each_other(mono_energy, energies),
        loudest=int(energies.argmax()),
        damaged=bool(reader.damage),
    )


def _cancel_each_other(mono_energy: float, energies: np.ndarray) -> bool:
    """Whether averaging took nearly everything away.

    The average of n unrelated channels has their summed energy over n squared; that of a voice
    and its mirror image has none.
    """
    return bool(mono_energy < CANCELLED * energies.sum() / len(energies) ** 2)


# ------------------------------------------------------------------ a last look


def _finite_peak(audio: np.ndarray) -> float:
    """Largest distance from 0. Minimum and maximum need no memory, and show NaN and infinity."""
    peak = max(-float(audio.min()), float(audio.max()))
    if not math.isfinite(peak):
        raise Refusal(
            "holds values that are not finite numbers (NaN or infinity). Replace them with "
            "np.nan_to_num, or save the sound again as 16-bit wav."
        )
    return peak


def _notices(decoded: _Decoded, peak: float) -> Iterator[str]:
    """Tell what you should know about sound that is usable all the same."""
    if decoded.cut and decoded.promised:
        yield (
            f"breaks off or is damaged: {decoded.kept:.2f} s of the {decoded.promised:.2f} s it "
            "promises were kept."
        )
    elif decoded.cut:
        yield (
            f"breaks off or is damaged: {decoded.kept:.2f} s were kept, and it does not say how "
            "long it should be."
        )
    if decoded.cancelled:
        yield (
            "has channels that cancel each other when averaged, so only the loudest was kept: "
            f"channel {decoded.loudest + 1}."
        )
    if peak > STRANGE_PEAK:
        yield f"had values up to {peak:.3g}, far outside [-1, 1]; it was scaled down to fit."

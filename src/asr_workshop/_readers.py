"""From an open file, or an array, to blocks of samples.

Two decoders share the work. soundfile (libsndfile) reads wav, aiff, flac and ogg; PyAV (FFmpeg's
libraries inside a wheel) reads the rest, and what soundfile could not read to its end. Nothing
here knows the name of a file: a problem is a `Refusal`, whose text continues a sentence that
begins with that name.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from numbers import Real
from typing import BinaryIO

import numpy as np

BLOCK_SAMPLES = 1 << 18  # held at once, over all channels: 1 MiB of float32
MAX_CHANNELS = 32  # large microphone arrays have that many; a spectrogram has more
MIN_RATE, MAX_RATE = 1_000, 768_000  # Hz; beyond, a header is damaged, or it is not sound

# How the files begin that libsndfile reads well. MP3 is missing on purpose: its MP3 decoder
# writes to the terminal about every damaged frame, and cannot be told not to.
SOUNDFILE_BEGINNINGS = (b"RIFF", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b".snd", b"caff")

# FFmpeg's readers of one file. Playlists and concat scripts, which lead to other files, are not
# among them, and the empty list of protocols forbids opening anything by name.
FFMPEG_SANDBOX = {
    "format_whitelist": "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,gsm,"
    "matroska,mov,mp3,mpeg,mpegts,ogg,voc,w64,wav,wv",
    "protocol_whitelist": "",
}
# Formats that state a length; for the others FFmpeg guesses one from the size of the file.
STATES_LENGTH = {"aiff", "au", "flac", "flv", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2", "wav"}
SHORT_NAMES = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "webm", "WAVEX": "wav"}

FULL_SCALE = {"uint8": 128, "int8": 128, "int16": 32_768, "int32": 2_147_483_648}

LOOKALIKES = {
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
}
PLAYLISTS = (b"ffconcat", b"#extm3u", b"[playlist]", b"<asx")


class Refusal(Exception):
    """Why this cannot be used, and the cure."""


NO_SAMPLES = "has no sound in it: 0 samples. Record again, or pick another file."
NO_SOUND_TRACK = "has pictures but no sound track. Pick a file with sound."
UNREADABLE = (
    "is damaged, or in no format that can be read here. Play it to find out; if you hear it, "
    "save it as wav, flac or mp3."
)
NO_INDEX = (
    "is an mp4 that cannot be opened. Its end, where its table of contents stands, may be missing: "
    "copy it again from where it was recorded."
)


@dataclass
class Reader:
    """An open recording: what its header says, and its samples.

    `blocks` yields float32 arrays, shape (n_samples, channels), and adds to `damage` what it had
    to leave out. `promised` is the length in seconds that the header states, or None; `measure`
    then finds the length without decoding.
    """

    blocks: Iterator[np.ndarray]
    sampling_rate: int
    channels: int
    codec: str
    container: str
    promised: float | None
    measure: Callable[[], float] | None = None
    damage: list[Exception] = field(default_factory=list)

    def __post_init__(self):
        check_rate(self.sampling_rate)
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise Refusal(
                f"has {self.channels} channels, and a recording has 1 to {MAX_CHANNELS}. "
                "Save it as mono or stereo."
            )


def check_rate(rate) -> None:
    if not (isinstance(rate, Real) and MIN_RATE <= rate <= MAX_RATE):
        raise Refusal(
            f"is said to have {rate!r} samples per second, and sound has {MIN_RATE} to {MAX_RATE}. "
            "Check the number; if it stands in a file, save that file again."
        )


# ------------------------------------------------------------------ what is no sound


def refuse_lookalikes(file: BinaryIO) -> None:
    """Say what it is when the first bytes are those of a picture, a text or a playlist."""
    file.seek(0)
    beginning = file.read(4096)
    if not beginning:
        raise Refusal("is empty: 0 bytes. Record again, or copy the file again.")
    for magic, kind in LOOKALIKES.items():
        if beginning.startswith(magic):
            raise Refusal(f"is {kind}, not sound. Pick an audio or video file.")
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in beginning):
        return  # control characters: not text
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(PLAYLISTS):
        raise Refusal("is a playlist, which only names other files. Load those files instead.")
    if text.startswith((b"<!doctype html", b"<html")):
        raise Refusal("is a web page, not sound. Use the address of the sound file itself.")
    raise Refusal("is text, not sound. Pick an audio or video file.")


# ------------------------------------------------------------------ soundfile


@contextmanager
def soundfile_reader(file: BinaryIO) -> Iterator[Reader]:
    """Open with libsndfile, if it is the one to read this."""
    import soundfile

    file.seek(0)
    if file.read(4) not in SOUNDFILE_BEGINNINGS:
        raise Refusal(UNREADABLE)
    promised = promised_by_chunks(file)
    file.seek(0)
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.SoundFileError as error:
        raise Refusal(UNREADABLE) from error
    with sound:
        if "MPEG" in sound.subtype:  # MP3 inside a wav: not for libsndfile either
            raise Refusal(UNREADABLE)
        if not 0 < sound.frames < 1 << 62:  # none, or libsndfile's way to say "unknown"
            raise Refusal(NO_SAMPLES)
        states_length = sound.format != "OGG"
        damage = []
        yield Reader(
            soundfile_blocks(sound, damage),
            sound.samplerate,
            sound.channels,
            sound.subtype.lower(),
            SHORT_NAMES.get(sound.format, sound.format.lower()),
            (promised or sound.frames / sound.samplerate) if states_length else None,
            measure=lambda: sound.frames / sound.samplerate,
            damage=damage,
        )


def soundfile_blocks(sound, damage: list) -> Iterator[np.ndarray]:
    """Yield what can be read; an error on the way is an end that comes too early."""
    import soundfile

    while True:
        try:
            block = sound.read(BLOCK_SAMPLES // sound.channels, "float32", always_2d=True)
        except soundfile.SoundFileError as error:
            damage.append(error)
            return
        if not len(block):
            return
        yield block


def promised_by_chunks(file: BinaryIO) -> float | None:
    """Seconds that the header of a wav or aiff promises; libsndfile tells what is there.

    Both are lists of chunks: a name of four letters, a size, the content. In a wav, "fmt " has
    the bytes per second at byte 8. In an aiff, "COMM" has the number of frames at byte 2 and
    the rate as an 80-bit float at byte 8: 16 bits of exponent, 64 of mantissa.
    """
    file.seek(0)
    order = {b"RIFF": "<", b"FORM": ">"}.get(file.read(12)[:4])
    bytes_per_second = 0
    for _ in range(100 if order else 0):  # chunks; a real file has a handful
        name, size = struct.unpack(order + "4sI", file.read(8).ljust(8, b"\0"))
        if name == b"data":
            # Who writes to a pipe cannot know the size, and leaves 0 or the largest there is.
            known = size and size & 0x7FFFF000 != 0x7FFFF000
            return size / bytes_per_second if known and bytes_per_second else None
        content = file.read(min(size, 18))
        if name == b"fmt " and len(content) >= 12:
            bytes_per_second = struct.unpack("<8xI", content[:12])[0]
        if name == b"COMM" and len(content) == 18:
            n_frames, exponent, mantissa = struct.unpack(">2xI2xHQ", content)
            rate = mantissa * 2.0 ** min(exponent - 16383 - 63, 0)
            return n_frames / rate if rate else None
        file.seek(size + size % 2 - len(content), io.SEEK_CUR)
    return None


def ogg_end_missing(file: BinaryIO) -> bool:
    """Whether the last page of an ogg is not whole, or lacks the mark of the end.

    A page has flags at byte 5 (bit 2 is the end), the number of its segments at byte 26, and
    from byte 27 on their sizes; then they follow.
    """
    file.seek(0)
    if file.read(4) != b"OggS":
        return False
    file.seek(max(0, file.seek(0, io.SEEK_END) - 65_307))  # the largest page there can be
    page = b"".join(file.read().rpartition(b"OggS")[1:])
    if len(page) < 27 or not page[5] & 4:
        return True
    segments = page[27 : 27 + page[26]]
    return len(page) < 27 + len(segments) + sum(segments)


# ------------------------------------------------------------------ arrays


def array_reader(array, rate) -> Reader:
    """Treat an array as a recording. The shorter of two sides is the channels."""
    try:
        array = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Refusal(f"cannot be made an array: {error}. Move it to the CPU first.") from error
    if array.ndim not in (1, 2):
        raise Refusal(f"has the shape {array.shape}. A recording has (n,) or (n, channels).")
    if not (array.dtype.kind == "f" or array.dtype.name in FULL_SCALE):
        raise Refusal(
            f"holds {array.dtype} values, whose full scale is unknown. Convert it to int16, or to "
            "float32 from -1 to 1."
        )
    if not array.size:
        raise Refusal(NO_SAMPLES)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.shape[0] < array.shape[1]:
        array = array.T
    check_rate(rate)
    n_samples, channels = array.shape
    return Reader(
        array_blocks(array), int(rate), channels, str(array.dtype), "array", n_samples / rate
    )


def array_blocks(array: np.ndarray) -> Iterator[np.ndarray]:
    """Yield float32 blocks, integers scaled to [-1, 1]."""
    step = BLOCK_SAMPLES // array.shape[1]
    for start in range(0, len(array), step):
        block = array[start : start + step].astype(np.float32)
        if array.dtype == np.uint8:
            block -= 128  # 8-bit wav: silence is 128
        yield block / FULL_SCALE.get(array.dtype.name, 1)


# ------------------------------------------------------------------ PyAV


@contextmanager
def pyav_reader(file: BinaryIO) -> Iterator[Reader]:
    """Open with FFmpeg's libraries, which get this one file and may open no other."""
    import av

    mp3_states_length = has_mp3_table(file)
    unreadable = NO_INDEX if is_mp4(file) else UNREADABLE
    # Up to 18, a title that is not UTF-8 is an error unless replaced; 19 has no such option.
    lenient = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
    file.seek(0)
    try:
        container = av.open(file, container_options=FFMPEG_SANDBOX, **lenient)
    except (av.FFmpegError, ValueError) as error:
        raise Refusal(unreadable) from error
    with container:
        # A track in an unknown codec has no codec context, and decoding it can crash Python.
        stream = next((track for track in container.streams.audio if track.codec_context), None)
        if stream is None:
            pictures = container.streams.video and not container.streams.audio
            raise Refusal(NO_SOUND_TRACK if pictures else unreadable)
        damage = []
        frames = decoded_frames(container, stream, damage)
        first = next(frames, None)  # some codecs tell their true rate only here
        if first is None:
            raise Refusal(NO_SAMPLES)
        name = container.format.name
        trusted = name in STATES_LENGTH or (name == "mp3" and mp3_states_length)
        yield Reader(
            pyav_blocks(first, frames),
            first.sample_rate,
            first.layout.nb_channels,
            stream.codec_context.codec.canonical_name,
            SHORT_NAMES.get(name, name),
            promised_by_ffmpeg(container, stream) if trusted else None,
            measure=lambda: last_timestamp(container, stream),
            damage=damage,
        )


def decoded_frames(container, stream, damage: list) -> Iterator:
    """Yield every frame that decodes; a damaged packet is left out."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            yield from next(packets).decode()
        except StopIteration:
            return
        except (av.FFmpegError, ValueError) as error:
            damage.append(error)


def pyav_blocks(first, frames) -> Iterator[np.ndarray]:
    """Yield the samples, all with the rate and the channels of the first frame."""
    import av

    kind, batch, n_samples = None, [], 0
    for frame in chain([first], frames):
        frame_kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if frame_kind != kind:  # at the start, and where a stream changes on the way
            kind = frame_kind
            converter = av.AudioResampler("fltp", first.layout, first.sample_rate)
        for piece in converter.resample(frame):
            batch.append(piece.to_ndarray())  # shape (channels, n)
            n_samples += batch[-1].size
        if n_samples >= BLOCK_SAMPLES:
            yield np.concatenate(batch, axis=1).T
            batch, n_samples = [], 0
    if batch:
        yield np.concatenate(batch, axis=1).T


def promised_by_ffmpeg(container, stream) -> float | None:
    """Seconds that the header states for the sound track."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    # Matroska and WebM: "00:00:08.118000000"
    tag = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
    if tag:
        return float(tag[1]) * 3600 + float(tag[2]) * 60 + float(tag[3])
    alone = len(container.streams) == 1  # otherwise the pictures may be what lasts so long
    return container.duration / 1e6 if alone and container.duration else None


def has_mp3_table(file: BinaryIO) -> bool:
    """Whether an MP3 begins with a table that has its number of frames."""
    file.seek(0)
    tag = file.read(10).ljust(10, b"\0")
    size = sum((byte & 127) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
    file.seek(size + 10 if tag.startswith(b"ID3") else 0)
    first_frame = file.read(200)
    return any(name in first_frame for name in (b"Xing", b"Info", b"VBRI"))


def is_mp4(file: BinaryIO) -> bool:
    file.seek(4)
    return file.read(4) == b"ftyp"


def last_timestamp(container, stream) -> float:
    """Length in seconds by the times written on the packets, none of them decoded."""
    import av

    end = 0
    with suppress(av.FFmpegError, ValueError):  # then it is the length of the good part
        for packet in container.demux(stream):
            end = max(end, (packet.pts or 0) + (packet.duration or 0))
    return float((end - (stream.start_time or 0)) * stream.time_base)

"""Every format we promise to read: whole, cut short, and damaged."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
from contextlib import suppress

import audio_samples as samples
import numpy as np
import pytest

from asr_workshop.audio import SAMPLING_RATE, AudioError, AudioWarning, describe_audio, load_audio

NEED_THEIR_END = {"talk.m4a", "talk.mp4"}  # their table of contents comes last
STATE_NO_LENGTH = {"talk.ogg", "talk.opus", "talk.amr"}


def dominant_frequency(sound: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return spectrum.argmax() * SAMPLING_RATE / len(sound)


@pytest.mark.parametrize("name", samples.FORMATS)
def test_every_format_gives_the_same_sound(name):
    sound = load_audio(samples.recording(name))
    assert (sound.dtype, sound.ndim) == (np.float32, 1)
    assert len(sound) / SAMPLING_RATE == pytest.approx(samples.SECONDS, abs=0.05)
    assert dominant_frequency(sound) == pytest.approx(samples.TONE, abs=1)
    tolerance = 0.2 if name == "talk.amr" else 0.03  # a telephone codec is not made for tones
    assert np.std(sound) == pytest.approx(0.4 / 2**0.5, rel=tolerance)


@pytest.mark.parametrize("name", set(samples.FORMATS) - samples.LOSSY)
def test_lossless_formats_keep_every_sample(name):
    _, _, rate, _ = samples.FORMATS[name]
    error = load_audio(samples.recording(name), rate) - samples.tone(rate)[:, 0]
    tolerance = {"8bit.wav": 2**-7, "mulaw.wav": 2**-5}.get(name, 2**-14)
    assert np.abs(error).max() < tolerance


@pytest.mark.parametrize("name", samples.FORMATS)
def test_every_format_is_described(name):
    _, _, rate, channels = samples.FORMATS[name]
    about = describe_audio({"bytes": samples.recording(name), "path": name})
    assert (about.name, about.sampling_rate, about.channels) == (name, rate, channels)
    assert about.duration == pytest.approx(samples.SECONDS, abs=0.05)
    container = {"talk.opus": "ogg", "talk.m4a": "mp4"}.get(name, name.rpartition(".")[2])
    assert about.container == container
    assert about.codec


@pytest.mark.parametrize("name", set(samples.FORMATS) - NEED_THEIR_END)
def test_a_file_cut_short_keeps_its_good_part_and_says_how_much(name):
    whole = samples.recording(name)
    with pytest.warns(AudioWarning) as caught:
        sound = load_audio({"bytes": whole[: len(whole) * 6 // 10], "path": name})
    kept = len(sound) / SAMPLING_RATE
    assert 0.3 * samples.SECONDS < kept < 0.7 * samples.SECONDS  # an ogg page lasts a second
    assert dominant_frequency(sound) == pytest.approx(samples.TONE, abs=1)
    message = str(caught.pop().message)
    assert message.startswith(f"{name} breaks off or is damaged: {kept:.2f} s")
    promised = "does not say how long" if name in STATE_NO_LENGTH else "of the 3.0"
    assert promised in message


@pytest.mark.parametrize("options", ["faststart", "frag_keyframe+empty_moov"])
def test_an_mp4_made_for_streaming_keeps_its_good_part_too(options):
    whole = samples.with_pyav(
        samples.tone(48_000), 48_000, "mp4", "aac", options={"movflags": options}
    )
    with pytest.warns(AudioWarning, match=r"of the 3\.0\d s it promises were kept"):
        sound = load_audio(whole[: len(whole) * 6 // 10])
    assert len(sound) / SAMPLING_RATE == pytest.approx(0.6 * samples.SECONDS, abs=0.2)


@pytest.mark.parametrize("name", NEED_THEIR_END)
def test_an_mp4_without_its_end_says_what_is_missing(name):
    with pytest.raises(AudioError, match="Its end, where its table of contents stands, may be"):
        load_audio(samples.recording(name)[:-1000])


def test_a_whole_file_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in samples.FORMATS:
            load_audio(samples.recording(name))


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_wav_from_a_pipe_does_not_know_its_size_and_is_read_to_the_end(size):
    wav = bytearray(samples.recording("16bit.wav"))
    start = wav.index(b"data") + 4
    wav[start : start + 4] = struct.pack("<I", size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_audio(wav)) == samples.SECONDS * SAMPLING_RATE
    assert describe_audio(wav).duration == pytest.approx(samples.SECONDS)


def test_one_damaged_byte_in_a_flac_costs_less_than_a_second():
    flac = bytearray(samples.recording("talk.flac"))
    flac[len(flac) // 4] ^= 0x55
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AudioWarning)
        assert len(load_audio(flac)) > (samples.SECONDS - 1) * SAMPLING_RATE


def test_an_mp3_without_a_table_promises_nothing():
    mp3 = samples.recording("talk.mp3")
    table = next(name for name in (b"Xing", b"Info") if name in mp3[:200])
    without = mp3.replace(table, bytes(4), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load_audio(without)) / SAMPLING_RATE == pytest.approx(3, abs=0.1)


def test_a_title_in_an_old_encoding_does_not_spoil_the_sound():
    title = b"\x03Gr\xfc\xdfe"  # says it is UTF-8, and is Latin-1
    frame = b"TIT2" + struct.pack(">I", len(title)) + bytes(2) + title
    tagged = b"ID3\x03\0\0\0\0\0" + bytes([len(frame)]) + frame + samples.recording("talk.mp3")
    np.testing.assert_array_equal(load_audio(tagged), load_audio(samples.recording("talk.mp3")))
    assert describe_audio(tagged).duration == pytest.approx(samples.SECONDS, abs=0.05)


def test_a_stream_that_changes_its_rate_and_channels_on_the_way_is_read_on():
    first = samples.with_pyav(samples.tone(44_100, 1.0, 2), 44_100, "adts", "aac")
    second = samples.with_pyav(samples.tone(24_000, 1.0, 1), 24_000, "adts", "aac")
    sound = load_audio(first + second)
    assert len(sound) / SAMPLING_RATE == pytest.approx(2.1, abs=0.15)
    later = sound[-SAMPLING_RATE // 2 :]
    assert dominant_frequency(later) == pytest.approx(samples.TONE, abs=2)


def damaged(good: bytes, rng: np.random.Generator) -> bytes:
    """Cut the end off, overwrite bytes (rather in the header), or lose a piece."""
    bad = bytearray(good)
    kind = rng.choice(["cut", "overwrite", "both", "lose"])
    if kind in ("cut", "both"):
        del bad[rng.integers(len(bad)) :]
    if kind in ("overwrite", "both") and bad:
        reach = 200 if rng.random() < 0.6 else len(bad)
        for position in rng.integers(min(reach, len(bad)), size=rng.integers(1, 20)):
            bad[position] = rng.integers(256)
    if kind == "lose":
        start = rng.integers(len(bad))
        del bad[start : start + rng.integers(1, 500)]
    return bytes(bad)


@pytest.mark.parametrize("name", samples.FORMATS)
def test_a_damaged_file_gives_sound_or_a_clear_error_and_prints_nothing(name, capfd):
    good = samples.recording(name, seconds=1.0)
    rng = np.random.default_rng(list(name.encode()))
    for _ in range(25):
        bad = damaged(good, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # anything but ours is an error
            warnings.simplefilter("ignore", AudioWarning)
            try:
                sound = load_audio(bad)
            except AudioError as error:
                assert str(error).startswith("The recording ")
            else:
                assert (sound.dtype, sound.ndim) == (np.float32, 1)
                assert len(sound) and np.abs(sound).max() <= 1  # NaN would not be <= 1
            with suppress(AudioError):
                assert describe_audio(bad).duration >= 0
    assert capfd.readouterr() == ("", "")


def test_python_does_not_need_a_decoder_before_a_file_is_opened():
    heavy = "soundfile av soxr torch librosa datasets"
    code = (
        f"import asr_workshop.audio, sys; print([n for n in '{heavy}'.split() if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr

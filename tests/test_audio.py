"""What load_audio and describe_audio take, give back, and refuse."""

from __future__ import annotations

import io
import os
import re
import tracemalloc
from types import SimpleNamespace

import audio_samples as samples
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asr_workshop import _readers, _sources, audio
from asr_workshop.audio import (
    MAX_DURATION,
    SAMPLING_RATE,
    AudioError,
    AudioWarning,
    describe_audio,
    load_audio,
)

WAV = samples.recording("16bit.wav")
EXPECTED = load_audio(WAV)


def sounds_like_the_tone(sound: np.ndarray, sampling_rate: int = SAMPLING_RATE) -> bool:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    loudest = spectrum.argmax() * sampling_rate / len(sound)
    return abs(loudest - samples.TONE) < 2 and abs(np.std(sound) - 0.4 / 2**0.5) < 0.02


# ------------------------------------------------------------------ where a recording may come from


@pytest.mark.parametrize(
    "name", ["two words.wav", "-leading dash.wav", "Gespräch 会議.wav", "line\nbreak.wav", "talk"]
)
def test_any_file_name_works_as_a_string_and_as_a_path(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(WAV)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(load_audio(name), EXPECTED)
    np.testing.assert_array_equal(load_audio(tmp_path / name), EXPECTED)


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "talk.wav").write_bytes(WAV)
    np.testing.assert_array_equal(load_audio("~/talk.wav"), EXPECTED)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_in_every_wrapping_work(kind):
    np.testing.assert_array_equal(load_audio(kind(WAV)), EXPECTED)


def test_an_open_file_is_read_from_its_beginning_and_left_as_it_was(tmp_path):
    (tmp_path / "talk.wav").write_bytes(WAV)
    with open(tmp_path / "talk.wav", "rb") as file:
        file.seek(100)
        np.testing.assert_array_equal(load_audio(file), EXPECTED)
        assert file.tell() == 100
        assert describe_audio(file).name == "talk.wav"


def test_a_pipe_that_cannot_seek_works(tmp_path):
    reading, writing = os.pipe()
    short = samples.recording("mulaw.wav")  # fits into a pipe's buffer
    with os.fdopen(writing, "wb") as end:
        end.write(short)
    with os.fdopen(reading, "rb") as pipe:
        np.testing.assert_array_equal(load_audio(pipe), load_audio(short))


def test_a_file_open_as_text_is_refused_with_the_cure(tmp_path):
    (tmp_path / "talk.wav").write_bytes(WAV)
    with (
        open(tmp_path / "talk.wav", encoding="latin-1") as file,
        pytest.raises(AudioError, match=r'^talk.wav is open as text\..*"rb"'),
    ):
        load_audio(file)


def test_a_closed_file_is_refused():
    file = io.BytesIO(WAV)
    file.close()
    with pytest.raises(AudioError, match="closed"):
        load_audio(file)


def test_rows_of_a_dataset_work_decoded_or_not(tmp_path):
    (tmp_path / "talk.wav").write_bytes(WAV)
    decoded = {"array": EXPECTED.astype(np.float64), "sampling_rate": SAMPLING_RATE, "path": None}
    rows = [
        decoded,
        {"bytes": WAV, "path": "talk.wav"},
        {"bytes": None, "path": str(tmp_path / "talk.wav")},
    ]
    for column in rows:
        np.testing.assert_array_equal(load_audio(column), EXPECTED)
        np.testing.assert_array_equal(load_audio({"audio": column, "text": "hello"}), EXPECTED)


def test_a_real_dataset_that_leaves_decoding_to_us_works(tmp_path):
    datasets = pytest.importorskip("datasets")
    (tmp_path / "talk.wav").write_bytes(WAV)
    table = datasets.Dataset.from_dict({"audio": [str(tmp_path / "talk.wav")]})
    row = table.cast_column("audio", datasets.Audio(decode=False))[0]
    np.testing.assert_array_equal(load_audio(row), EXPECTED)


def test_the_decoder_object_that_datasets_4_hands_out_works():
    decoded = SimpleNamespace(data=EXPECTED[np.newaxis], sample_rate=SAMPLING_RATE)
    decoder = SimpleNamespace(get_all_samples=lambda: decoded)
    np.testing.assert_array_equal(load_audio({"audio": decoder}), EXPECTED)


UPLOAD_7 = {"talk.wav": {"metadata": {"name": "talk.wav", "size": len(WAV)}, "content": WAV}}
UPLOAD_8 = ({"name": "talk.wav", "size": len(WAV), "content": memoryview(WAV)},)


@pytest.mark.parametrize("value", [UPLOAD_7, UPLOAD_8], ids=["ipywidgets 7", "ipywidgets 8"])
def test_an_upload_works_as_its_value_and_as_the_button(value):
    np.testing.assert_array_equal(load_audio(value), EXPECTED)
    np.testing.assert_array_equal(load_audio(SimpleNamespace(value=value)), EXPECTED)
    assert describe_audio(value).name == "talk.wav"


@pytest.mark.parametrize("value", [{}, ()], ids=["ipywidgets 7", "ipywidgets 8"])
def test_an_upload_button_nobody_pressed_says_so(value):
    with pytest.raises(AudioError, match="has not been uploaded yet. Press the button"):
        load_audio(value)


def test_several_uploads_at_once_are_refused_with_the_cure():
    with pytest.raises(AudioError, match="one of 2 uploads. Take them one by one"):
        load_audio(UPLOAD_8 * 2)


@pytest.mark.parametrize(
    "nonsense",
    [None, 7, [1, 2, 3], {"text": "hello"}, object(), (1, 2), (None, 16_000), ("talk.wav", 8_000)],
    ids=repr,
)
def test_what_is_no_recording_at_all_is_refused(nonsense):
    with pytest.raises(AudioError, match="The recording"):
        load_audio(nonsense)
    with pytest.raises(AudioError, match="The recording"):
        describe_audio(nonsense)


# ------------------------------------------------------------------ arrays


def test_an_array_alone_is_taken_as_it_is_without_a_copy():
    assert load_audio(EXPECTED) is EXPECTED


def test_an_array_that_is_too_loud_is_not_changed_in_place():
    loud = EXPECTED * 2.5
    before = loud.copy()
    assert np.abs(load_audio(loud)).max() <= 1
    np.testing.assert_array_equal(loud, before)


def test_the_pair_works_in_both_orders():
    np.testing.assert_array_equal(
        load_audio((EXPECTED[::2], 8_000)), load_audio((8_000, EXPECTED[::2]))
    )


def test_a_read_only_array_becomes_one_that_can_be_written():
    frozen = EXPECTED.copy()
    frozen.flags.writeable = False
    assert load_audio(frozen).flags.writeable


@given(
    values=st.lists(st.integers(-128, 127), min_size=1, max_size=50),
    dtype=st.sampled_from(["int8", "int16", "int32", "uint8"]),
)
def test_whole_numbers_are_scaled_by_their_full_scale(values, dtype):
    bits = np.dtype(dtype).itemsize * 8
    integers = np.array(values, np.int64) * 2 ** (bits - 8)
    stored = (integers + 128 * (dtype == "uint8")).astype(dtype)
    np.testing.assert_array_equal(
        load_audio((stored, SAMPLING_RATE)), np.array(values, np.float32) / 128
    )


@given(n_samples=st.integers(9, 300), channels=st.integers(1, 8))
def test_channels_may_be_columns_or_rows(n_samples, channels):
    columns = samples.tone(SAMPLING_RATE, 0.1)[:n_samples].repeat(channels, axis=1)
    by_column = load_audio((columns, SAMPLING_RATE))
    np.testing.assert_array_equal(by_column, load_audio((columns.T, SAMPLING_RATE)))
    np.testing.assert_allclose(by_column, columns[:, 0], atol=1e-6)


@given(
    rate=st.integers(1_000, 200_000),
    n_samples=st.integers(1_000, 5_000),
    sampling_rate=st.sampled_from([8_000, 16_000, 22_050]),
)
def test_the_length_in_seconds_survives_any_change_of_rate(rate, n_samples, sampling_rate):
    silence = np.zeros(n_samples, np.float32)
    n_result = len(load_audio((silence, rate), sampling_rate))
    assert abs(n_result - n_samples * sampling_rate / rate) <= 1


def test_resampling_removes_what_the_new_rate_cannot_carry():
    times = np.arange(48_000) / 48_000
    too_high = np.sin(2 * np.pi * 10_000 * times)  # Hz; would be heard as 6 kHz
    assert np.abs(load_audio((too_high, 48_000))[1000:-1000]).max() < 1e-3


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros(0), "has no sound in it: 0 samples"),
        (np.zeros((0, 2)), "has no sound in it: 0 samples"),
        (np.array(0.5), "has the shape ()"),
        (np.zeros((1, 2, 3)), "has the shape (1, 2, 3)"),
        (np.zeros((80, 3000)), "has 80 channels"),  # a spectrogram
        (np.zeros(5, int), "holds int64 values, whose full scale is unknown"),
        (np.zeros(5, bool), "holds bool values"),
        (np.zeros(5, complex), "holds complex128 values"),
        (np.array(["a", "b"]), "holds <U1 values"),
        (np.array([0, np.nan, 0]), "not finite numbers (NaN or infinity)"),
        (np.array([0, np.inf]), "not finite numbers"),
        (np.array([0, 1e300]), "not finite numbers"),
        (np.array([np.nan], np.float32), "not finite numbers"),
        ([[1.0, 2.0], [3.0]], "cannot be made an array"),
    ],
    ids=str,
)
def test_an_array_that_is_no_recording_is_refused_with_the_reason(array, reason):
    with pytest.raises(AudioError, match=f"^The recording .*{re.escape(reason)}"):
        load_audio((array, SAMPLING_RATE))


def test_two_channels_without_a_rate_are_refused_with_the_cure():
    with pytest.raises(AudioError, match=r"no sampling rate\. Give \(array, sampling_rate\)"):
        load_audio(np.zeros((100, 2), np.float32))


@pytest.mark.parametrize("rate", [0, -1, 999, 10**6, True, float("nan"), float("inf"), "16000"])
def test_a_rate_that_no_sound_has_is_refused(rate):
    with pytest.raises(AudioError):
        load_audio((np.zeros(100), rate))
    with pytest.raises(AudioError):
        load_audio(WAV, rate)


# ------------------------------------------------------------------ loudness and channels


def test_values_beyond_one_are_scaled_down_and_not_clipped():
    loud = samples.tone(SAMPLING_RATE) * 3  # peak about 1.4
    result = load_audio(samples.with_soundfile(loud, SAMPLING_RATE, "WAV", "FLOAT"))
    np.testing.assert_allclose(result, loud[:, 0] / np.abs(loud).max(), atol=1e-6)


def test_floats_on_the_scale_of_integers_are_scaled_down_with_a_warning():
    with pytest.warns(AudioWarning, match=r"had values up to .* far outside \[-1, 1\]"):
        result = load_audio((samples.tone(SAMPLING_RATE) * 20_000, SAMPLING_RATE))
    assert np.abs(result).max() == 1


def test_channels_are_averaged():
    left, right = samples.tone(8_000), np.zeros((24_000, 1), np.float32)
    stereo = np.hstack([left, right])
    np.testing.assert_allclose(load_audio((stereo, 8_000), 8_000), left[:, 0] / 2, atol=1e-6)


@pytest.mark.parametrize(
    "as_source",
    [
        lambda stereo: (stereo, SAMPLING_RATE),
        lambda stereo: samples.with_soundfile(stereo, SAMPLING_RATE, "WAV", "PCM_16"),
        lambda stereo: samples.with_soundfile(stereo, SAMPLING_RATE, "MP3", "MPEG_LAYER_III"),
    ],
    ids=["array", "wav", "mp3"],
)
def test_channels_that_cancel_each_other_leave_the_loudest(as_source):
    sound = samples.tone(SAMPLING_RATE)
    source = as_source(np.hstack([-0.9 * sound, sound]))
    with pytest.warns(AudioWarning, match=r"channels that cancel each other .*: channel 2\."):
        result = load_audio(source)
    assert sounds_like_the_tone(result)


def test_two_speakers_on_two_channels_are_both_kept():
    rng = np.random.default_rng(0)
    stereo = rng.uniform(-0.5, 0.5, (16_000, 2)).astype(np.float32)
    np.testing.assert_allclose(load_audio((stereo, SAMPLING_RATE)), stereo.mean(axis=1), atol=1e-6)


def test_silence_is_sound_too():
    assert not load_audio((np.zeros((16_000, 2), np.int16), SAMPLING_RATE)).any()


# ------------------------------------------------------------------ limits


def test_hours_are_decoded_in_blocks_and_not_held_twice():
    stereo = np.zeros((1, 2), np.int16).repeat(600 * 16_000, axis=0)  # ten minutes
    file = samples.with_soundfile(stereo, 16_000, "FLAC", "PCM_16")
    del stereo
    tracemalloc.start()
    result = load_audio(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * result.nbytes + 16e6


def forget_the_length(flac: bytes) -> bytes:
    """Set the 36 bits of a FLAC's number of samples to 0, which means unknown."""
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


def test_a_small_file_that_unfolds_beyond_the_limit_is_stopped_on_the_way():
    hours = np.zeros(int((MAX_DURATION + 3600) * 1_000), np.int16)
    bomb = forget_the_length(samples.with_soundfile(hours, 1_000, "FLAC", "PCM_16"))
    assert len(bomb) < 200_000
    with pytest.raises(AudioError, match=r"goes on for 6\.0 hours or more, and the limit is 6\."):
        load_audio(bomb, 1_000)


def test_a_file_that_says_it_is_too_long_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(audio, "MAX_DURATION", 2)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(AudioError, match="Cut it into parts"):
        load_audio(WAV)


def test_arrays_have_the_same_limit(monkeypatch):
    monkeypatch.setattr(audio, "MAX_DURATION", 2)
    for array in (EXPECTED, EXPECTED.astype(np.float64)):
        with pytest.raises(AudioError, match="Cut it into parts"):
            load_audio(array)


# ------------------------------------------------------------------ what cannot be sound

PLAYLISTS = {
    "talk.ffconcat": "ffconcat version 1.0\nfile secret.wav\n",
    "talk.wav": "ffconcat version 1.0\nfile secret.wav\n",
    "talk.mp3": "\ufeff \nffconcat version 1.0\nfile secret.wav\n",
    "talk.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nsecret.wav\n#EXT-X-ENDLIST\n",
    "talk.m3u": "#EXTM3U\nsecret.wav\n",
    "talk.pls": "[playlist]\nFile1=secret.wav\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with a recording in it that nobody asked for."""
    (tmp_path / "secret.wav").write_bytes(WAV)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_does_not_lead_to_another_file(folder, name):
    (folder / name).write_text(PLAYLISTS[name], encoding="utf-8")
    for source in (name, (folder / name).read_bytes()):
        for function in (load_audio, describe_audio):
            with pytest.raises(AudioError, match="is a playlist, which only names other files"):
                function(source)


@pytest.mark.parametrize("name", ["talk.ffconcat", "talk.wav", "talk.m3u8"])
def test_a_playlist_in_disguise_is_stopped_by_the_decoder_too(folder, monkeypatch, name):
    monkeypatch.setattr(_readers, "refuse_lookalikes", lambda file: None)
    (folder / name).write_text(PLAYLISTS[name], encoding="utf-8")
    for source in (name, (folder / name).read_bytes()):
        with pytest.raises(AudioError, match="no format that can be read here"):
            load_audio(source)


def test_the_decoder_left_to_itself_would_follow_the_playlist(folder):
    av = pytest.importorskip("av")
    script = io.BytesIO(PLAYLISTS["talk.wav"].encode())
    with av.open(script) as container:  # so the two tests above can fail
        assert next(container.decode(audio=0)).samples


@pytest.mark.parametrize(
    "name", ["concat:secret.wav|secret.wav", "subfile,,start,0,end,0,,:secret.wav", "pipe:0"]
)
def test_a_name_that_ffmpeg_would_take_for_a_command_is_only_a_name(folder, name):
    with pytest.raises(AudioError, match="Check the spelling"):
        load_audio(name)


LOOKALIKES = {
    "empty.wav": (b"", "is empty: 0 bytes"),
    "notes.txt": (b"Dear all,\nplease find attached\n", "is text, not sound"),
    "notes.mp3": ("Grüße aus Köln".encode(), "is text, not sound"),
    "page.mp3": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page, not sound"),
    "photo.wav": (b"\x89PNG\r\n\x1a\n" + bytes(99), "is a picture (PNG)"),
    "photo.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(99), "is a picture (JPEG)"),
    "book.pdf": (b"%PDF-1.7\n", "is a PDF document"),
    "talks.zip": (b"PK\x03\x04" + bytes(99), "is a ZIP archive"),
    "zeros.wav": (bytes(9_999), "no format that can be read here"),
    "noise.mp3": (np.random.default_rng(0).bytes(9_999), "no format that can be read here"),
    "silent.wav": (
        samples.with_soundfile(np.zeros((0, 1)), 16_000, "WAV", "PCM_16"),
        "has no sound in it: 0 samples. Record again, or pick another file.",
    ),
    "film.mp4": (samples.with_pyav(None, 0, "mp4", "", video=True), "no sound track"),
    "nan.wav": (
        samples.with_soundfile(np.full((9, 1), np.nan), 16_000, "WAV", "FLOAT"),
        "not finite numbers (NaN or infinity)",
    ),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_what_is_not_sound_is_refused_with_its_name_and_the_reason(tmp_path, name):
    content, reason = LOOKALIKES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AudioError, match=f"^{re.escape(name)} .*{re.escape(reason)}"):
        load_audio(tmp_path / name)


def test_an_empty_name_is_no_folder():
    with pytest.raises(AudioError, match="has an empty name"):
        load_audio("")


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(AudioError, match=f"^{tmp_path.name} is a folder. Name a file in it"):
        load_audio(tmp_path)
    with pytest.raises(AudioError, match=r"^tlak\.wav is not in .*Check the spelling"):
        load_audio(tmp_path / "tlak.wav")


@pytest.mark.parametrize("name", ["", "\0", "a" * 5_000, "~nobody-of-that-name/talk.wav"])
def test_an_impossible_name_is_refused(name):
    with pytest.raises(AudioError):
        load_audio(name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a thing of POSIX")
def test_a_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "talk.wav")
    with pytest.raises(AudioError, match="is a device or a pipe"):
        load_audio(tmp_path / "talk.wav")


def test_a_name_cannot_send_commands_to_the_terminal(tmp_path):
    with pytest.raises(AudioError) as caught:
        load_audio(tmp_path / "\x1b[31mred\x1b[0m.wav")
    assert str(caught.value).isprintable()


def test_the_message_is_the_whole_story():
    with pytest.raises(AudioError) as caught:
        load_audio(b"")
    assert caught.value.__suppress_context__  # no chain of inner errors above it
    assert isinstance(caught.value, ValueError)


# ------------------------------------------------------------------ description


def test_a_description_reads_well():
    about = describe_audio({"bytes": WAV, "path": "talk.wav"})
    assert str(about) == "talk.wav: 3.00 s, 44100 Hz, stereo, pcm_16 in wav"
    six = describe_audio((np.zeros((8_000, 6), np.int16), 8_000))
    assert str(six) == "The recording: 1.00 s, 8000 Hz, 6 channels, int16 in array"


class CountingFile(io.BytesIO):
    n_read = 0

    def read(self, size=-1):
        data = super().read(size)
        self.n_read += len(data)
        return data


@pytest.mark.parametrize("name", ["16bit.wav", "talk.flac", "talk.mp3", "talk.m4a", "talk.webm"])
def test_a_description_needs_only_a_part_of_the_file(name):
    file = CountingFile(samples.recording(name, seconds=30.0))
    assert describe_audio(file).duration == pytest.approx(30, abs=0.05)
    assert file.n_read < len(file.getvalue()) / 4


def test_the_download_limit_carries_the_longest_recording_as_mp3():
    assert MAX_DURATION * 320_000 / 8 <= _sources.MAX_DOWNLOAD

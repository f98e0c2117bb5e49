"""Sound spoiled on purpose: the physics is right, and a small model feels it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asr_workshop.audio import SAMPLING_RATE, load_audio
from asr_workshop.clips import clip
from asr_workshop.effects import (
    MP3_KBPS,
    NOISE_RMS,
    EffectError,
    add_noise,
    amplify,
    babble,
    change_pitch,
    change_speed,
    insert_silence,
    lengthen_pauses,
    lose_packets,
    measure_snr,
    mp3,
    pink_noise,
    reverberate,
    room_response,
    telephone,
    white_noise,
)
from asr_workshop.speech import find_speech
from asr_workshop.transcription import transcribe

SPEECH = load_audio(clip("boat_kumo.flac"))
VOICES = [load_audio(clip(name)) for name in ("umbrellas.mp3", "soup.m4a", "talk.opus")]
HISS = white_noise(SAMPLING_RATE)

# name: an effect with nothing left to choose but the sound
EFFECTS = {
    "add_noise": lambda audio: add_noise(audio, HISS, 5),
    "telephone": telephone,
    "reverberate": lambda audio: reverberate(audio, 0.5),
    "change_speed, faster": lambda audio: change_speed(audio, 1.7),
    "change_speed, slower": lambda audio: change_speed(audio, 0.6),
    "change_pitch": lambda audio: change_pitch(audio, 5),
    "amplify": lambda audio: amplify(audio, 12),
    "insert_silence": lambda audio: insert_silence(audio, 0, 0.5),
    "lengthen_pauses": lambda audio: lengthen_pauses(audio, 0.5),
    "lose_packets": lambda audio: lose_packets(audio, 0.3),
    "mp3": lambda audio: mp3(audio, 32),
}
SEEDED = {
    "white_noise": lambda seed: white_noise(8000, seed),
    "pink_noise": lambda seed: pink_noise(8000, seed),
    "babble": lambda seed: babble(VOICES[1:2], 8000, seed),
    "room_response": lambda seed: room_response(0.3, seed),
    "reverberate": lambda seed: reverberate(SPEECH, 0.3, seed),
    "lose_packets": lambda seed: lose_packets(SPEECH, 0.3, seed=seed),
}


def tone(frequency: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    times = np.arange(int(seconds * SAMPLING_RATE)) / SAMPLING_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def loudest_frequency(audio: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio)), 1 << 19))
    return spectrum.argmax() * SAMPLING_RATE / (1 << 19)


def rms(audio: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def decibels(ratio: float) -> float:
    return 20 * np.log10(ratio)


def band_power_db(audio: np.ndarray, low: float, high: float) -> float:
    """Power per Hz, in dB."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    frequency = np.fft.rfftfreq(len(audio), 1 / SAMPLING_RATE)
    return 10 * np.log10(power[(low <= frequency) & (frequency < high)].mean())


# ------------------------------------------------------------------ what holds for every effect


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_leaves_the_recording_as_it_was_and_returns_another_array(name):
    audio = SPEECH.copy()
    spoiled = EFFECTS[name](audio)
    np.testing.assert_array_equal(audio, SPEECH)
    assert not np.shares_memory(spoiled, audio)


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_is_the_same_every_time(name):
    np.testing.assert_array_equal(EFFECTS[name](SPEECH), EFFECTS[name](SPEECH))


some_sound = arrays(
    np.float32,
    st.integers(1, 6000),
    elements=st.floats(-1, 1, width=32),
    fill=st.floats(-1, 1, width=32),
)


@pytest.mark.parametrize("name", EFFECTS)
@settings(max_examples=20, deadline=None)
@given(audio=some_sound)
def test_any_sound_becomes_usable_sound(name, audio):
    audio[0] = 0.5  # silence has no signal-to-noise ratio
    spoiled = EFFECTS[name](audio)
    assert spoiled.dtype == np.float32 and spoiled.ndim == 1 and len(spoiled) > 0
    assert np.isfinite(spoiled).all() and np.abs(spoiled).max() <= 1


@pytest.mark.parametrize("name", sorted(set(EFFECTS) - {"add_noise"}))
def test_silence_stays_silent(name):
    assert not EFFECTS[name](np.zeros(8000, np.float32)).any()


@pytest.mark.parametrize("name", SEEDED)
def test_chance_repeats_itself_with_the_same_seed_only(name):
    np.testing.assert_array_equal(SEEDED[name](3), SEEDED[name](3))
    assert not np.array_equal(SEEDED[name](3), SEEDED[name](4))


BAD_SOUND = {
    "nothing": (np.zeros(0, np.float32), "empty"),
    "stereo": (np.zeros((2, 100), np.float32), r"shape \(2, 100\).*mixes channels"),
    "one number": (np.float32(0.5), r"shape \(\)"),
    "whole numbers": (np.zeros(100, np.int16), "floating-point samples; load_audio"),
    "a path": ("talk.wav", "floating-point samples; load_audio"),
    "not a number": (np.array([0.1, np.nan], np.float32), "not finite.*nan_to_num"),
    "infinity": (np.array([0.1, np.inf]), "not finite"),
    "beyond full scale": (np.array([0.1, -1.5]), "values up to 1.5.*load_audio"),
}


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("kind", BAD_SOUND)
def test_what_is_no_mono_sound_is_refused_with_the_cure(effect, kind):
    sound, message = BAD_SOUND[kind]
    with pytest.raises(EffectError, match=f"^audio .*{message}"):
        EFFECTS[effect](sound)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: add_noise(SPEECH, HISS, np.inf), "snr_db is inf; .* from -100 to 100 dB"),
        (lambda: add_noise(SPEECH, HISS, "5 dB"), "snr_db is '5 dB'"),
        (lambda: add_noise(SPEECH, np.zeros((9, 2)), 5), r"noise has the shape \(9, 2\)"),
        (lambda: add_noise(SPEECH, 0 * HISS, 5), "noise is silent"),
        (lambda: add_noise(0 * SPEECH, HISS, 5), "audio is silent"),
        (lambda: measure_snr(SPEECH, np.array([np.nan])), "noise holds values that are not finite"),
        (lambda: babble([], 100), "at least one recording"),
        (lambda: babble([SPEECH, 0 * SPEECH], 100), "voice 2 is silent"),
        (lambda: babble(SPEECH, 100), r"voice 1 has the shape \(\)"),
        (lambda: white_noise(0), "n_samples is 0; give a whole number"),
        (lambda: pink_noise(1.5), "n_samples is 1.5"),
        (lambda: babble([SPEECH], -1), "n_samples is -1"),
        (lambda: reverberate(SPEECH, 0), "rt60 is 0; .* from 0.05 to 10 seconds"),
        (lambda: change_speed(SPEECH, 5), "factor is 5; .* from 0.5 to 4"),
        (lambda: change_speed(SPEECH, float("nan")), "factor is nan"),
        (lambda: change_pitch(SPEECH, 13), "semitones is 13"),
        (lambda: amplify(SPEECH, 101), "gain_db is 101"),
        (lambda: insert_silence(SPEECH, 9, 1), "at is 9; .* where the recording ends"),
        (lambda: insert_silence(SPEECH, 0, -1), "seconds is -1"),
        (lambda: lengthen_pauses(SPEECH, 1e9), "seconds is 1000000000.0"),
        (lambda: lose_packets(SPEECH, 20), "loss is 20; .* from 0 to 1"),
        (lambda: lose_packets(SPEECH, 0.1, packet_ms=0), "packet_ms is 0"),
        (lambda: mp3(SPEECH, 100), "kbps is 100; .* 96, 112"),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_with_the_range(wrong, message):
    with pytest.raises(EffectError, match=message):
        wrong()


def test_importing_the_effects_loads_nothing_heavy():
    code = (
        "import sys, asr_workshop.effects;"
        "print([m for m in ('torch', 'librosa', 'scipy', 'av', 'soxr') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# ------------------------------------------------------------------ noise


def octave_slope(noise: np.ndarray) -> float:
    """DB per octave, from 62.5 to 8000 Hz, by a straight line through the octaves' powers."""
    edges = 62.5 * 2.0 ** np.arange(8)
    powers = [band_power_db(noise, low, 2 * low) for low in edges[:-1]]
    return np.polyfit(np.arange(len(powers)), powers, 1)[0]


def test_white_noise_is_flat():
    assert abs(octave_slope(white_noise(60 * SAMPLING_RATE))) < 0.1


def test_pink_noise_falls_by_three_decibels_per_octave():
    assert abs(octave_slope(pink_noise(60 * SAMPLING_RATE)) + 10 * np.log10(2)) < 0.1


@pytest.mark.parametrize(
    "make",
    [white_noise, pink_noise, lambda n_samples: babble(VOICES, n_samples)],
    ids=["white", "pink", "babble"],
)
def test_noise_comes_at_the_stated_level_and_can_be_played(make):
    noise = make(48_000)
    assert len(noise) == 48_000
    assert rms(noise) == pytest.approx(NOISE_RMS, rel=1e-5)
    assert np.abs(noise).max() < 1


def test_babble_sounds_on_without_pauses_though_its_voices_pause():
    def softest(audio):  # of its stretches of 50 ms
        return min(
            rms(piece) for piece in np.split(audio[: len(audio) // 800 * 800], len(audio) // 800)
        )

    assert softest(VOICES[2]) < 0.01 * rms(VOICES[2])
    assert softest(babble(VOICES, 160_000)) > 0.1 * NOISE_RMS


def test_a_soft_voice_is_heard_in_the_babble_like_a_loud_one():
    soft, loud = VOICES[0], VOICES[1]
    np.testing.assert_allclose(
        babble([loud, soft / 4], 16_000), babble([loud, soft], 16_000), atol=1e-5
    )


sounds = {
    "white": white_noise(30_000),
    "pink": pink_noise(SAMPLING_RATE),
    "babble": babble(VOICES, 100_000),
    "a tone": tone(440),
    "another recording": VOICES[0],
    "far too loud": 30_000 * HISS,
}


def mixed_snr(mix: np.ndarray, audio: np.ndarray, noise: np.ndarray) -> float:
    """Find how much of each is in the mix, by least squares, and compare the two."""
    parts = np.stack([audio, np.resize(noise, len(audio))], axis=1).astype(np.float64)
    (speech_gain, noise_gain), *_ = np.linalg.lstsq(parts, mix.astype(np.float64), rcond=None)
    where = np.concatenate(
        [np.arange(round(s.start * 16_000), round(s.end * 16_000)) for s in find_speech(audio)]
    )
    return decibels(rms(speech_gain * parts[where, 0]) / rms(noise_gain * parts[where, 1]))


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from(sorted(sounds)), snr_db=st.floats(-60, 60))
def test_the_ratio_asked_for_is_the_ratio_mixed(kind, snr_db):
    mix = add_noise(SPEECH, sounds[kind], snr_db)
    assert mixed_snr(mix, SPEECH, sounds[kind]) == pytest.approx(snr_db, abs=0.01)


@settings(max_examples=15, deadline=None)
@given(noise=some_sound, snr_db=st.floats(-20, 40))
def test_any_array_works_as_noise(noise, snr_db):
    noise[0] = 0.5
    mix = add_noise(0.1 * SPEECH, noise, snr_db)
    if np.abs(mix).max() < 1:  # not turned down, so what was added can be seen
        added = mix.astype(np.float64) - 0.1 * SPEECH
        assert measure_snr(0.1 * SPEECH, added) == pytest.approx(snr_db, abs=0.01)


def test_pauses_do_not_change_how_much_noise_there_is():
    longer = insert_silence(SPEECH, len(SPEECH) / SAMPLING_RATE, 10)
    noise = white_noise(len(longer))
    added = add_noise(longer, noise, 10)[-SAMPLING_RATE:]  # nothing but noise there
    expected = (add_noise(SPEECH, noise, 10) - SPEECH)[:SAMPLING_RATE]
    assert abs(decibels(rms(added) / rms(expected))) < 0.2


def test_where_nobody_talks_the_whole_recording_counts():
    first_half = np.r_[tone(440), np.zeros(SAMPLING_RATE, np.float32)]
    assert measure_snr(first_half, tone(440, 2)) == pytest.approx(decibels(0.5**0.5), abs=0.01)


def test_a_mix_that_would_clip_is_turned_down_not_clipped():
    mix = add_noise(SPEECH, HISS, -20)
    assert np.count_nonzero(np.abs(mix) > 0.9999) <= 2


# ------------------------------------------------------------------ telephone, room, packets, mp3


def test_a_telephone_passes_its_band_and_stops_the_rest():
    hiss = white_noise(20 * SAMPLING_RATE)
    call = telephone(hiss)

    def gain(low, high):
        return band_power_db(call, low, high) - band_power_db(hiss, low, high)

    for low in range(400, 3000, 200):
        assert abs(gain(low, low + 200)) < 1
    assert gain(0, 150) < -30
    assert gain(4100, 8000) < -50


@pytest.mark.parametrize(("frequency", "decibels_down"), [(300, 3), (3400, 3), (1000, 0)])
def test_a_telephone_is_three_decibels_down_at_its_edges(frequency, decibels_down):
    middle = slice(4000, -4000)
    call = telephone(tone(frequency, 2))[middle]
    assert -decibels(rms(call) / rms(tone(frequency, 2)[middle])) == pytest.approx(
        decibels_down, abs=0.3
    )


def test_a_telephones_error_follows_the_voice_because_of_the_mu_law():
    def error_db(amplitude):
        sound = tone(1000, 1, amplitude)
        middle = slice(4000, -4000)
        return decibels(rms((telephone(sound) - sound)[middle]) / rms(sound[middle]))

    # Evenly spaced steps would be 20 dB worse for the softer of the two.
    assert -45 < error_db(0.5) < -30
    assert abs(error_db(0.05) - error_db(0.5)) < 8


def test_a_call_is_in_step_with_the_voice():
    assert delay(telephone(SPEECH), SPEECH) == 0


def delay(spoiled: np.ndarray, audio: np.ndarray) -> int:
    """Samples by which one lags behind the other, where they agree best."""
    size = 1 << 18
    match = np.fft.irfft(np.fft.rfft(spoiled, size) * np.conj(np.fft.rfft(audio, size)))
    return (int(match.argmax()) + size // 2) % size - size // 2


@pytest.mark.parametrize("rt60", [0.2, 0.5, 1, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_room_dies_away_in_the_time_asked_for(rt60, seed):
    """Schroeder's way (1965): add up the energy that is still to come; fit its fall, 5 to 35 dB."""
    energy = np.square(room_response(rt60, seed), dtype=np.float64)
    left_db = 10 * np.log10(energy[::-1].cumsum()[::-1] / energy.sum())
    fitted = np.flatnonzero((left_db < -5) & (left_db > -35))
    slope = np.polyfit(fitted / SAMPLING_RATE, left_db[fitted], 1)[0]
    assert -60 / slope == pytest.approx(rt60, rel=0.1)


@pytest.mark.parametrize("rt60", [0.2, 2])
def test_direct_and_reflected_sound_are_equally_strong(rt60):
    response = room_response(rt60)
    assert response[0] == 1
    assert np.square(response[1:]).sum() == pytest.approx(1, rel=1e-4)


def test_speech_in_a_room_is_as_loud_as_before_and_rings_on():
    wet = reverberate(SPEECH, 0.8)
    assert len(wet) == len(SPEECH) + 0.8 * SAMPLING_RATE
    span = find_speech(SPEECH)[0]
    spoken = slice(round(span.start * SAMPLING_RATE), round(span.end * SAMPLING_RATE))
    assert abs(decibels(rms(wet[spoken]) / rms(SPEECH[spoken]))) < 0.01
    assert rms(wet[len(SPEECH) :]) > 0


def test_the_words_stay_in_their_places_in_a_room():
    assert delay(reverberate(SPEECH, 0.5), SPEECH) == 0


@given(loss=st.floats(0, 1), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_whole_packets_are_lost_about_as_often_as_asked_for(loss, seed):
    n_packets = 500
    kept = lose_packets(np.ones(n_packets * 320, np.float32), loss, seed=seed).reshape(-1, 320)
    assert (kept == kept[:, :1]).all(), "a packet is there or it is not"
    spread = (loss * (1 - loss) / n_packets) ** 0.5
    assert abs((kept[:, 0] == 0).mean() - loss) <= 5 * spread + 1 / n_packets


def test_packets_may_be_longer():
    kept = lose_packets(np.ones(64_000, np.float32), 0.5, packet_ms=40).reshape(-1, 640)
    assert (kept == kept[:, :1]).all()
    assert 0.3 < kept.mean() < 0.7


@pytest.mark.parametrize("kbps", MP3_KBPS)
def test_an_mp3_is_in_step_and_of_the_same_length(kbps):
    squeezed = mp3(SPEECH, kbps)
    assert len(squeezed) == len(SPEECH)
    assert delay(squeezed, SPEECH) == 0


def test_the_lower_an_mp3s_rate_the_larger_its_error():
    def error(kbps):
        squeezed = mp3(SPEECH, kbps)
        gain = (squeezed @ SPEECH) / (squeezed @ squeezed)  # the encoder turns it down a little
        return rms(gain * squeezed - SPEECH) / rms(SPEECH)

    errors = [error(kbps) for kbps in (8, 16, 32, 64)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2 * errors[-1]


# ------------------------------------------------------------------ speed, pitch, level, silence


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2, 4])
def test_another_speed_changes_the_duration_and_keeps_the_pitch(factor):
    changed = change_speed(tone(440, 4), factor)
    assert len(changed) == round(4 * SAMPLING_RATE / factor)
    assert loudest_frequency(changed) == pytest.approx(440, rel=0.005)


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_at_another_speed_speech_is_where_it_should_be(factor):
    before, after = find_speech(SPEECH), find_speech(change_speed(SPEECH, factor))
    assert after[0].start == pytest.approx(before[0].start / factor, abs=0.2)
    assert after[-1].end == pytest.approx(before[-1].end / factor, abs=0.2)


@pytest.mark.parametrize("semitones", [-12, -3.5, 4, 12])
def test_another_pitch_changes_the_frequency_and_keeps_the_duration(semitones):
    changed = change_pitch(tone(440, 4), semitones)
    assert len(changed) == 4 * SAMPLING_RATE
    assert loudest_frequency(changed) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.005)


def test_no_change_of_speed_or_pitch_changes_nothing():
    np.testing.assert_array_equal(change_speed(SPEECH, 1), SPEECH)
    np.testing.assert_allclose(change_pitch(SPEECH, 0), SPEECH, atol=1e-6)


def test_what_is_too_loud_is_clipped_flat_and_the_rest_is_only_louder():
    louder = amplify(SPEECH, 20)
    fits = np.abs(SPEECH) < 0.0999
    np.testing.assert_allclose(louder[fits], 10 * SPEECH[fits], rtol=1e-5)
    assert (np.abs(louder[np.abs(SPEECH) > 0.1001]) == 1).all()


def test_turning_down_and_up_again_changes_nothing():
    np.testing.assert_allclose(amplify(amplify(SPEECH, -30), 30), SPEECH, rtol=1e-5)


@given(at=st.floats(0, 1), seconds=st.floats(0, 3))
def test_silence_is_put_in_where_asked_and_nothing_is_lost(at, seconds):
    longer = insert_silence(HISS, at, seconds)
    first, silence = round(at * SAMPLING_RATE), round(seconds * SAMPLING_RATE)
    assert not longer[first : first + silence].any()
    np.testing.assert_array_equal(np.delete(longer, slice(first, first + silence)), HISS)


def test_every_pause_gets_longer_and_no_word_is_cut():
    audio = load_audio(clip("pauses.webm"))
    spans = find_speech(audio)
    longer = lengthen_pauses(audio, 2)
    assert len(longer) - len(audio) == (len(spans) - 1) * 2 * SAMPLING_RATE
    for i, span in enumerate(spans):
        first, last = round(span.start * SAMPLING_RATE), round(span.end * SAMPLING_RATE)
        moved = i * 2 * SAMPLING_RATE
        np.testing.assert_array_equal(longer[first + moved : last + moved], audio[first:last])


def test_speech_without_a_pause_stays_as_it_is():
    np.testing.assert_array_equal(lengthen_pauses(SPEECH, 2), SPEECH)


# ------------------------------------------------------------------ what Whisper makes of it

WORDS = "please put the small blue boat back on the shelf before the children see it".split()


def words_found(text: str) -> int:
    heard = text.lower().replace(",", " ").replace(".", " ").split()
    return sum(word in heard for word in set(WORDS))


def test_a_small_model_copes_with_a_little_noise_and_not_with_a_crowd(tiny_en):
    crowd = babble(VOICES, len(SPEECH))
    found = {
        snr_db: words_found(transcribe(add_noise(SPEECH, crowd, snr_db), tiny_en).text)
        for snr_db in (20, 0, -10)
    }
    assert found[20] >= len(set(WORDS)) - 2
    assert found[0] < found[20]
    assert found[-10] <= len(set(WORDS)) // 2

"""The slider of noise: each stop mixes, shows and transcribes anew."""

from __future__ import annotations

import base64
import io
import re
import time

import numpy as np
import pytest
import soundfile

from asr_workshop.audio import load_audio
from asr_workshop.clips import clip, clips
from asr_workshop.effects import EffectError, measure_snr, white_noise
from asr_workshop.noise_explorer import SNRS, explore_noise

BOAT = load_audio(clip("boat_kumo.flac"))
SAID = next(row.transcript for row in clips() if row.file_name == "boat_kumo.flac")


@pytest.fixture(scope="module")
def shown(tiny_en):
    return explore_noise(BOAT, white_noise(len(BOAT)), tiny_en, SAID)


def sound(shown):
    """The mixture that the player holds."""
    data = re.search(r"data:audio/wav;base64,([^\"]+)", shown.children[1].value)[1]
    return soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="float32")[0]


def rate(shown):
    return float(re.search(r"Word error rate ([\d.]+)", shown.children[2].value)[1])


def test_the_sound_that_is_played_has_the_ratio_that_is_asked_for(shown):
    for snr in (20, 0):
        shown.children[0].value = snr
        mixed = sound(shown)
        voice = BOAT * (mixed @ BOAT) / (BOAT @ BOAT)  # the mixture may have been turned down
        assert (
            measure_snr(BOAT, mixed - voice) == pytest.approx(snr, abs=0.6)
            or np.abs(mixed).max() > 0.99
        )


def test_more_noise_costs_more_words(shown):
    shown.children[0].value = SNRS[0]
    quiet = rate(shown)
    shown.children[0].value = SNRS[-1]
    assert quiet < 20 < rate(shown)


def test_the_picture_has_a_text_for_who_does_not_see_it(shown):
    shown.children[0].value = -5
    assert 'alt="Spectrogram with noise at -5 dB"' in shown.children[1].value
    assert "data:image/png;base64," in shown.children[1].value


def test_a_stop_is_answered_within_three_seconds(shown):
    """Measured in time of this process on one core, so that other programs do not count."""
    start = time.process_time()
    shown.children[0].value = 10 if shown.children[0].value != 10 else 5
    assert time.process_time() - start < 3


def test_the_model_is_asked_once_for_each_stop(shown):
    assert shown.children[0].continuous_update is False


def test_what_was_said_stays_text(tiny_en):
    shown = explore_noise(BOAT, white_noise(len(BOAT)), tiny_en, "<script>alert(1)</script>")
    assert "<script>" not in shown.children[2].value


def test_silence_is_refused(tiny_en):
    with pytest.raises(EffectError):
        explore_noise(np.zeros(16_000, np.float32), white_noise(16_000), tiny_en, SAID)

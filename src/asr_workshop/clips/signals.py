"""Sounds without words, made from numbers: a tone, a sweep, a room, a tune."""

from __future__ import annotations

import numpy as np

# A little tune of our own: (MIDI note number, beats).
TUNE = ((67, 1), (72, 1), (76, 1), (79, 2), (77, 1), (74, 1), (76, 2), (72, 1), (74, 1), (67, 1),
        (72, 3))  # fmt: skip


def tone(seconds: float, rate: int, frequency: float = 1000.0) -> np.ndarray:
    """A sine; ``frequency`` in Hz."""
    return 0.2 * np.sin(2 * np.pi * frequency * _time(seconds, rate))


def sweep(seconds: float, rate: int, low: float = 100.0, high: float = 10_000.0) -> np.ndarray:
    """A sine that rises evenly from ``low`` to ``high`` Hz.

    The phase is the integral of the frequency low + (high - low) t / seconds.
    """
    time = _time(seconds, rate)
    return 0.2 * np.sin(2 * np.pi * (low * time + (high - low) * time**2 / (2 * seconds)))


def room(seconds: float, rate: int) -> np.ndarray:
    """An empty room: pink noise (power falls as 1 / frequency) and the hum of the mains."""
    n_samples = int(seconds * rate)
    noise = np.random.default_rng(7).standard_normal(n_samples)
    frequency = np.fft.rfftfreq(n_samples, 1 / rate)
    pink = np.fft.irfft(np.fft.rfft(noise) / np.sqrt(np.maximum(frequency, 20)), n_samples)
    hum = sum(tone(seconds, rate, 50 * k) / k for k in (1, 2, 3))
    return 0.02 * pink / np.std(pink) + 0.02 * hum


def tune(seconds: float, rate: int) -> np.ndarray:
    """A plucked melody: each note a sum of harmonics that dies away."""
    sound = np.zeros(int(seconds * rate))
    beat = seconds / sum(beats for _, beats in TUNE)
    start = 0.0
    for note, beats in TUNE:
        pluck = _pluck(440 * 2 ** ((note - 69) / 12), beats * beat, rate)
        first = int(start * rate)
        sound[first : first + len(pluck)] += pluck[: len(sound) - first]
        start += beats * beat
    return 0.4 * sound / np.abs(sound).max()


def _pluck(frequency: float, seconds: float, rate: int) -> np.ndarray:
    time = _time(seconds, rate)
    harmonics = (np.sin(2 * np.pi * k * frequency * time) / k**2 for k in range(1, 7))
    # 5 ms to sound and 20 ms to fall silent, so that it does not click
    edges = np.minimum(1, time / 0.005) * np.minimum(1, (seconds - time) / 0.02)
    return sum(harmonics) * np.exp(-3 * time) * edges


def _time(seconds: float, rate: int) -> np.ndarray:
    return np.arange(int(seconds * rate)) / rate


SIGNALS = {"tone": tone, "sweep": sweep, "room": room, "tune": tune}

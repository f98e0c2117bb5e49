"""Speech recognition you can see, hear and measure.

A sound comes in, becomes an array, becomes a transcript:

>>> from asr_workshop import clip, load_audio, load_pipeline, transcribe
>>> audio = load_audio(clip("example_audio.mp3"))
>>> pipe = load_pipeline()  # doctest: +SKIP
>>> transcribe(audio, pipe).text  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

# Each name is fetched from its module when first asked for: torch alone takes seconds to import.
_MODULES = {
    "AudioError": "audio",
    "AudioInfo": "audio",
    "Guards": "guards",
    "ModelUnavailable": "models",
    "Segment": "transcript",
    "Transcript": "transcript",
    "TranscriptionError": "transcript",
    "Word": "transcript",
    "clip": "clips",
    "detect_language": "transcription",
    "describe_audio": "audio",
    "load_audio": "audio",
    "load_pipeline": "models",
    "pick_device": "models",
    "pick_dtype": "models",
    "show": "player",
    "transcribe": "transcription",
}

__all__ = list(_MODULES)


def __getattr__(name: str):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value  # the next look-up no longer comes here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})

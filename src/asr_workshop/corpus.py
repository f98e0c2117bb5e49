"""Recordings to measure on: real readers from the Hugging Face Hub, or the clips we ship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr_workshop.audio import SAMPLING_RATE, load_audio
from asr_workshop.clips import clips

# 73 utterances of LibriSpeech's dev-clean, audiobooks read by volunteers (Panayotov and others,
# 2015, CC BY 4.0); 9 MB.
DATA_SET = "hf-internal-testing/librispeech_asr_dummy"
REVISION = "5be91486e11a2d616f4ec5db8d3fd248585ac07a"
FILE = "clean/validation-00000-of-00001.parquet"
MEGABYTES = 9

PAUSE = 1.0  # s between two recordings: longer than the pauses that the speech finder bridges

# What stands in for them: several voices, ordinary sentences, nothing made to be hard. One sentence
# several times in a row would look like a loop to the guards, so there is a single boat.
STAND_INS = (
    "boat_rms.flac",
    "example_audio.mp3",
    "greeting.wav",
    "silver_fish.flac",
    "soup.m4a",
    "late.flac",
    "pauses.webm",
)


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording with what was said in it.

    Attributes
    ----------
    audio : ndarray of float32, shape (n_samples,)
        Mono, 16 kHz.
    text : str
        What was said.
    speaker : str
        Who spoke: a reader's number, or the name of a voice.
    """

    audio: np.ndarray
    text: str
    speaker: str


def load_recordings(n: int = 8) -> list[Recording]:
    """Load recordings with their texts, to measure a model on.

    They are real people from LibriSpeech when its sample is on this machine or the Hugging Face
    Hub can be reached (a download of 9 MB, once), and otherwise seven of the clips that travel
    with the workshop, spoken by programs. Which of the two is printed.

    Parameters
    ----------
    n : int
        How many of LibriSpeech's, taken evenly from all 73, so that there are several readers.

    Returns
    -------
    list of Recording

    Examples
    --------
    >>> recordings = load_recordings()  # doctest: +SKIP
    >>> recordings[0].text  # doctest: +SKIP
    """
    try:
        path = _parquet()
    except Exception as error:  # whatever goes wrong with a network, the lesson goes on
        print(f"The Hub cannot be reached ({type(error).__name__}), so here are clips of ours.")
        return _stand_ins()
    return _from_parquet(path, n)


def _parquet() -> Path:
    """The data set's one file: from the Hub's cache here, or from the Hub."""
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache

    from asr_workshop.checkpoints import HUB_SECONDS, quiet
    from asr_workshop.waiting import within

    where = {"repo_type": "dataset", "revision": REVISION}
    cached = try_to_load_from_cache(DATA_SET, FILE, **where)
    if isinstance(cached, str):
        return Path(cached)
    with quiet():
        # Is there a network? A download would try for long before it gave up.
        within(HUB_SECONDS, lambda: HfApi(token=False).dataset_info(DATA_SET, timeout=HUB_SECONDS))
        print(f"Downloading {DATA_SET} from the Hugging Face Hub ({MEGABYTES} MB, once) ...")
        return Path(hf_hub_download(DATA_SET, FILE, token=False, **where))


def _from_parquet(path: Path, n: int) -> list[Recording]:
    from datasets import Audio, Dataset

    from asr_workshop.checkpoints import quiet

    with quiet():
        rows = Dataset.from_parquet(str(path)).cast_column("audio", Audio(decode=False))
    chosen = np.linspace(0, len(rows) - 1, min(n, len(rows))).round().astype(int)
    return [
        Recording(load_audio(row["audio"]), row["text"], f"reader {row['speaker_id']}")
        for row in rows.select(chosen)
    ]


def _stand_ins() -> list[Recording]:
    by_name = {row.file_name: row for row in clips()}
    rows = [by_name[name] for name in STAND_INS]
    return [Recording(load_audio(row.path), row.transcript, row.voice) for row in rows]


def transcribe_all(sounds: Sequence[np.ndarray], pipe, **options) -> list[str]:
    """Transcribe many short recordings at once.

    Full windows, written side by side, take less time than short recordings one after the other.
    So these are laid end to end with silence between, transcribed as one, and taken apart again
    by the times of the words.

    Parameters
    ----------
    sounds : sequence of ndarray of float32, each of shape (n_samples,)
        Mono, 16 kHz.
    pipe : transformers pipeline
        From `load_pipeline`, with a model that gives word times.
    **options
        For `transcribe`, such as ``language`` and ``guards``.

    Returns
    -------
    list of str
        One text for each sound, empty where nothing was heard.

    Examples
    --------
    >>> transcribe_all([recording.audio for recording in recordings], pipe)  # doctest: +SKIP
    """
    from asr_workshop.transcription import transcribe

    silence = np.zeros(round(PAUSE * SAMPLING_RATE), dtype=np.float32)
    joined = np.concatenate([piece for sound in sounds for piece in (sound, silence)])
    ends = np.cumsum([len(sound) + len(silence) for sound in sounds]) / SAMPLING_RATE - PAUSE / 2
    texts: list[list[str]] = [[] for _ in sounds]
    for word in transcribe(joined, pipe, words=True, **options).words:
        middle = (word.start + word.end) / 2
        texts[min(int(np.searchsorted(ends, middle)), len(sounds) - 1)].append(word.text)
    return [" ".join(words) for words in texts]

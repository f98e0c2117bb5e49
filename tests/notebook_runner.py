"""Run a notebook in a fresh kernel, and say what a learner should not have seen.

As a program, in the environment and folder where the notebook is to run::

    python tests/notebook_runner.py NOTEBOOK EXECUTED_COPY
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 600

# Where a notebook may break a rule, and why:
# {("03_whisper_pipeline", "id-of-the-cell", "name of the rule"): "the reason"}
# The rules are the functions in test_notebook_form.py, and raises-exception.
EXCEPTIONS: dict[tuple[str, str, str], str] = {}

# Not run a second time as in Colab, and why.
ONCE = {"04_why_speech_is_hard": "it computes for minutes, and its setup cell is everybody's"}

NOISE = {
    "a warning": r"Warning|WARNING",
    "a progress bar of a library": r"(?<![a-z])(it/s|s/it)\b|\d%\||Loading weights",
    "a token notice": r"HF_TOKEN|unauthenticated",
}


def run(notebook: Path, executed: Path, folder: Path, environment: dict, python=sys.executable):
    """Run ``notebook`` with ``python`` in ``folder``; the executed copy is kept and returned.

    A cell that fails ends the run, and its error is in the copy. A kernel that dies, or a cell
    that takes too long, is an error here.
    """
    executed.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [python, __file__, notebook, executed],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return nbformat.read(executed, as_version=4)


def complaints(name: str, executed) -> list[str]:
    """What is wrong with an executed notebook, a line each, up to the cell that ended the run."""
    found = []
    for cell in executed.cells:
        if cell.cell_type != "code" or (name, cell.id, "raises-exception") in EXCEPTIONS:
            continue
        tagged = "raises-exception" in cell.metadata.get("tags", ())
        if tagged:
            found.append(f"{cell.id}: tagged raises-exception, but not in the list of exceptions")
        found += [f"{cell.id}: {fault}" for fault in faults(cell)]
        if not tagged and any(output.output_type == "error" for output in cell.outputs):
            break
    return found


def faults(cell) -> list[str]:
    """What one executed cell shows that it should not."""
    found = [] if cell.execution_count else ["was not run"]
    for output in cell.outputs:
        if output.output_type == "error":
            found.append(f"error {output.ename}: {output.evalue}")
        if output.get("name") == "stderr":
            found.append(f"stderr: {output.text}")
        text = shown(output)
        found += [f"{kind}: {text}" for kind, words in NOISE.items() if re.search(words, text)]
    return found


def shown(output) -> str:
    """The readable text of an output, without sounds and pictures packed into it."""
    data = output.get("data", {})
    texts = [output.get("text", ""), *(data[kind] for kind in data if kind.startswith("text/"))]
    return re.sub(r"data:[^\"']*", "", "\n".join(texts))


def execute(notebook: Path, executed: Path) -> None:
    """Run all cells up to the first that fails, and keep what they showed."""
    copy = nbformat.read(notebook, as_version=4)
    try:
        NotebookClient(copy, timeout=CELL_SECONDS, kernel_name="python3").execute()
    except CellExecutionError:
        pass  # the copy holds the error
    finally:
        nbformat.write(copy, executed)


if __name__ == "__main__":
    execute(Path(sys.argv[1]), Path(sys.argv[2]))

"""Keep the notebooks' generated cells, links and form up to date; course.toml is their source.

    python notebooks/course.py               write what is stale, strip outputs
    python notebooks/course.py --check       only say what is stale
    python notebooks/course.py --source URL  point every link at your own fork on GitHub
    python notebooks/course.py --measure     run the notebooks: minutes and megabytes

Generated cells are known by their ids: header, objectives, setup, recap, next. Change them in
course.toml or here, never in the notebook. All other cells stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The order of the cells: handwritten ones count as 3, so the recap may stand among them.
PLACES = {"header": 0, "objectives": 1, "setup": 2, "recap": 3, "next": 4}
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What a run or an editor writes into metadata and nobody reads; widgets break GitHub's preview.
NOISE = {"ExecuteTime", "colab", "execution", "executionInfo", "id", "outputId", "widgets"}

HEADER = """\
# {title}

[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab}) \
[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})

*about {minutes} min · CPU or GPU · {download}*

**Before you start.** {before}"""

SETUP = """\
try:
    import asr_workshop
except ImportError:  # in Colab, or wherever this notebook was opened on its own
    %pip install -q "{project} @ git+{source}"
    import asr_workshop

print("asr_workshop", asr_workshop.__version__, "is ready")"""


class CourseError(Exception):
    """course.toml, pyproject.toml and the notebooks do not fit together."""


def read_course(root: Path) -> list[dict]:
    """The entries of course.toml, in reading order: one for each notebook in the folder."""
    course = tomllib.loads((root / "notebooks/course.toml").read_text("utf-8"))["notebook"]
    listed = [entry["name"] for entry in course]
    present = {path.stem for path in (root / "notebooks").glob("*.ipynb")}
    if sorted(listed) != sorted(present):
        odd = ", ".join(sorted(present.symmetric_difference(listed))) or "a name twice"
        raise CourseError(f"course.toml must list every notebook in its folder once: {odd}")
    return course


def read_project(root: Path) -> tuple[str, str]:
    """The project's name, and the repository's address: pyproject.toml's Source URL."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return project["name"], project["urls"]["Source"]


def change_source(root: Path, source: str) -> None:
    """Put another repository's address into pyproject.toml and into the README's links."""
    new = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", source)
    if not new:
        form = "https://github.com/OWNER/REPOSITORY"
        raise CourseError(f"Colab and Binder open {form}, and {source!r} is not of that form")
    old = read_project(root)[1].removeprefix("https://github.com/")
    for path in (root / "pyproject.toml", root / "README.md"):
        text = path.read_text("utf-8")
        write(
            path, re.sub(rf"(github(\.com)?|gh)/{re.escape(old)}(?![\w-])", rf"\1/{new[1]}", text)
        )


def generated_cells(course: list[dict], index: int, project: str, source: str) -> dict[str, str]:
    """The text of each generated cell of notebook number ``index``, by the cell's id."""
    entry = course[index]
    repository = source.removeprefix("https://github.com/")
    file = f"notebooks/{entry['name']}.ipynb"
    bullets = "\n".join(f"- {objective}" for objective in entry["objectives"])
    size = entry["download_mb"]
    more = "" if entry.get("fixed_model") else " (more on a GPU)"
    header = HEADER.format(
        title=entry["title"],
        colab=f"https://colab.research.google.com/github/{repository}/blob/main/{file}",
        binder=f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/{file}",
        minutes=entry["minutes"],
        download=f"downloads {size} MB{more}" if size else "no download",
        before=prerequisites(entry, course),
    )
    return {
        "header": header,
        "objectives": f"## You will learn\n\n{bullets}",
        "setup": SETUP.format(project=project, source=source),
        "recap": f"## You learned\n\n{bullets}",
        "next": navigation(course, index),
    }


def prerequisites(entry: dict, course: list[dict]) -> str:
    """What to know before: a sentence as it stands, or links to notebooks."""
    needed = entry["prerequisites"]
    if isinstance(needed, str):
        return needed
    links = {other["name"]: link(other) for other in course}
    if unknown := set(needed).difference(links):
        raise CourseError(f"{entry['name']} needs {unknown}, which course.toml does not list")
    return "You have read " + " and ".join(links[name] for name in needed) + "."


def navigation(course: list[dict], index: int) -> str:
    """Links to the next notebook and the one before."""
    onward = f"**Next:** {link(course[index + 1])}" if index + 1 < len(course) else "**The end.**"
    return f"{onward} · Back: {link(course[index - 1])}" if index else onward


def link(entry: dict) -> str:
    return f"[{entry['title']}]({entry['name']}.ipynb)"


def regenerate(notebook: dict, texts: dict[str, str]) -> dict:
    """Fill the generated cells, insert those that are missing, and strip what a run leaves."""
    cells = [clean(cell) for cell in notebook["cells"]]
    cells = [cell for cell in cells if cell.get("id") != "view-in-github"]  # Colab's own badge
    present = {cell.get("id") for cell in cells}
    cells += [new_cell(name) for name in PLACES if name not in present]
    for cell in cells:
        if cell.get("id") in texts:
            cell["source"] = texts[cell["id"]].splitlines(keepends=True)
    cells.sort(key=lambda cell: PLACES.get(cell.get("id"), 3))
    metadata = without_noise(notebook["metadata"]) | KERNEL
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def new_cell(name: str) -> dict:
    kind = "code" if name == "setup" else "markdown"
    return clean({"cell_type": kind, "id": name, "metadata": {}, "source": []})


def clean(cell: dict) -> dict:
    """The cell without outputs, counts and editors' notes."""
    if "id" in cell["metadata"]:  # where Colab keeps it
        cell = cell | {"id": cell.get("id", cell["metadata"]["id"])}
    if cell["cell_type"] == "code":
        cell = cell | {"execution_count": None, "outputs": []}
    return cell | {"metadata": without_noise(cell["metadata"])}


def without_noise(metadata: dict) -> dict:
    return {key: value for key, value in metadata.items() if key not in NOISE}


def regenerated_files(root: Path) -> dict[Path, str]:
    """What every notebook file should hold."""
    course, (project, source) = read_course(root), read_project(root)
    files = {}
    for index, entry in enumerate(course):
        path = root / "notebooks" / f"{entry['name']}.ipynb"
        notebook = json.loads(path.read_text("utf-8"))
        notebook = regenerate(notebook, generated_cells(course, index, project, source))
        files[path] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return files


def write(path: Path, text: str) -> None:
    """Replace the file whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(text.encode())
    os.replace(temporary, path)


def reading_minutes(cells: list[dict]) -> float:
    """What a learner needs for these cells, without the time in which they run.

    Words / 200 + 1/4 for each code cell, to read it and look at what it shows, + 2 for each
    "Your turn".
    """
    prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    words = len(re.sub(r"\]\([^)]*\)", "]", prose).split())  # nobody reads a link's address
    turns = len(re.findall(r"(?m)^#+ Your turn", prose))
    looks = sum(cell["cell_type"] == "code" for cell in cells)
    return words / 200 + looks / 4 + 2 * turns


def clocks(cells: list[dict]) -> list[tuple[str, int, float]]:
    """Each "About N minutes in": its cell's id, N, and the reading minutes up to there."""
    found = []
    for index, cell in enumerate(cells):
        text = "".join(cell["source"])
        for clock in re.finditer(r"\*About (\d+) minutes in\.\*", text):
            before = [*cells[:index], cell | {"source": text[: clock.start()]}]
            found.append((cell.get("id"), int(clock[1]), reading_minutes(before)))
    return found


def measure(root: Path) -> None:
    """Run every notebook with empty caches and print the figures for course.toml.

    minutes = reading minutes + minutes of running, to the nearest 5. The clocks in the text are
    printed as they are, each with the reading minutes up to there.
    """
    print("reading  run s  minutes  Hub MB  pip MB  notebook  clocks")
    for entry in read_course(root):
        path = root / "notebooks" / f"{entry['name']}.ipynb"
        cells = json.loads(path.read_text("utf-8"))["cells"]
        reading, (seconds, hub, pip) = reading_minutes(cells), run(path)
        minutes = 5 * max(1, round((reading + seconds / 60) / 5))
        said = ", ".join(f"{says} ({read:.1f})" for _, says, read in clocks(cells))
        print(
            f"{reading:7.1f}{seconds:7.0f}{minutes:9}{hub:8.0f}{pip:8.0f}  {path.stem}  {said}",
            flush=True,
        )
    print("pip MB: weights that pip had brought, as float16; the Hub's take twice the room.")


def run(path: Path) -> tuple[float, float, float]:
    """Seconds to run a notebook, and the megabytes of weights it took from the Hub and from pip."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        hub, pip, work = (Path(scratch, name) for name in ("hub", "pip", "work"))
        work.mkdir()
        caches = {"HF_HUB_CACHE": str(hub), "ASR_WORKSHOP_CACHE": str(pip)}
        client = NotebookClient(notebook, resources={"metadata": {"path": str(work)}})
        start = time.perf_counter()
        client.execute(env=os.environ | caches)
        return time.perf_counter() - start, megabytes(hub), megabytes(pip)


def megabytes(folder: Path) -> float:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="only say what is stale")
    action.add_argument("--source", metavar="URL", help="point every link at this repository")
    action.add_argument("--measure", action="store_true", help="run all: minutes and megabytes")
    options = parser.parse_args(arguments)
    try:
        if options.source:
            change_source(root, options.source)
        files = regenerated_files(root)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    if options.measure:
        measure(root)
        return 0
    stale = [path for path, text in files.items() if path.read_text("utf-8") != text]
    for path in stale:
        if not options.check:
            write(path, files[path])
        print(f"{'stale' if options.check else 'written'}: {path.relative_to(root)}")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())

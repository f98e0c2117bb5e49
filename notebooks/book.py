"""Run all notebooks and make a small website of them, for reading without Python or a network.

    python notebooks/book.py    about as long as the notebooks take; then open build/book/index.html

The pages hold their sounds, pictures and players themselves, and ask nothing of the network, so
the folder works from a disk, a USB stick or any web server. What needs Python, such as sliders,
is shown as it was when the notebook ran.
"""

from __future__ import annotations

import base64
import copy
import html
import io
import json
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from course import ROOT, CourseError, read_course
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

BOOK = ROOT / "build" / "book"
CELL_SECONDS = 600
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATES = "application/vnd.jupyter.widget-state+json"
INTERACTIVE = "<p><em>Interactive: open the notebook to use this.</em></p>"
COLOURS = {"light": "default", "dark": "github-dark"}  # styles of Pygments, for code


class BookError(Exception):
    """The book cannot be made; the message says which notebook is in the way."""


def execute(path: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs; what it writes goes to a folder that is thrown away."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        where = {"metadata": {"path": work}}
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, kernel_name="python3", resources=where
        )
        try:
            return client.execute()
        except CellExecutionError as error:
            raise BookError(f"{path.name} fails, so there is no book:\n{error}") from error


def build(executed: dict[str, nbformat.NotebookNode], out: Path = BOOK) -> Path:
    """Make the book of executed notebooks, given by name; all that course.toml lists.

    The folder ``out`` is replaced whole: if anything fails, it stays as it was.
    """
    course = read_course(ROOT)
    if missing := [entry["name"] for entry in course if entry["name"] not in executed]:
        raise BookError(f"The book needs every notebook, and lacks {', '.join(missing)}.")
    chapters = [chapter(entry, executed[entry["name"]]) for entry in course]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".book-", dir=out.parent) as scratch:
        new = Path(scratch, "new")
        new.mkdir()
        for name, text in files(chapters).items():
            (new / name).write_bytes(text.encode("utf-8", "replace"))
        if out.exists():
            out.rename(Path(scratch, "old"))
        new.rename(out)
    return out / "index.html"


def files(chapters: list[dict]) -> dict[str, str]:
    """The text of each file of the book, by name."""
    here = Path(__file__).parent
    environment = Environment(loader=FileSystemLoader(here), autoescape=True, trim_blocks=True)
    page = environment.get_template("book.html.j2")
    sections = [section for chapter in chapters for section in chapter["sections"]]
    index = json.dumps(sections, ensure_ascii=False, separators=(",", ":"))
    made = {
        "book.css": (here / "book.css").read_text("utf-8") + code_colours(),
        "search.js": (here / "book.js").read_text("utf-8"),
        # As a script and not as JSON: a page opened from a disk may not read another file.
        "search-index.js": f"const searchIndex = {index};\n",
        "index.html": page.render(chapters=chapters),
    }
    for i, this in enumerate(chapters):
        before, after = chapters[i - 1] if i else None, (*chapters[i + 1 :], None)[0]
        made[this["file"]] = page.render(chapters=chapters, this=this, before=before, after=after)
    return made


def chapter(entry: dict, notebook: nbformat.NotebookNode) -> dict:
    """An entry of course.toml, with the body of its page and what the search is to find in it."""
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, _resources = exporter.from_notebook_node(prepare(notebook))
    soup = BeautifulSoup(body, "html.parser")
    file = f"{entry['name']}.html"
    sections = sections_of(soup, file, entry["title"])  # first: it makes the ids unique
    objectives = [inline_code(objective) for objective in entry["objectives"]]
    made = {"file": file, "objectives": objectives, "sections": sections}
    return entry | made | {"body": Markup(soup)}


def inline_code(text: str) -> Markup:
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text)))


def sections_of(soup: BeautifulSoup, file: str, title: str) -> list[dict]:
    """What stands under each heading, prose and code; each heading gets an id of its own."""
    sections, ids = [], set()
    for part in soup.select(".text_cell_render > *, .highlight > pre"):
        text = " ".join(part.get_text().split())
        if re.fullmatch("h[1-6]", part.name):
            name = base = re.sub(r"\W+", "-", text.lower()).strip("-") or "section"
            while name in ids:
                name = f"{base}-{len(ids)}"
            ids.add(name)
            part["id"] = name
            about = {"title": title, "heading": text, "level": int(part.name[1])}
            sections.append(about | {"address": f"{file}#{name}", "text": ""})
        elif sections:
            sections[-1]["text"] += f" {text}"
    return sections


# --- one notebook, made fit for a page -----------------------------------------------------------


def prepare(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which nothing needs a kernel, a network or eyes."""
    notebook = copy.deepcopy(notebook)
    states = notebook.metadata.pop("widgets", {}).get(WIDGET_STATES, {}).get("state", {})
    # A page has its own links to the notebooks before and after.
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != "next"]
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"(?m)^#+ +(.+?) *$", cell.source) or [heading])[-1]
            cell.source = for_a_page(cell.source)
        title = only_title(cell)
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if WIDGET in data:
                output.data = nbformat.from_dict(
                    {"text/html": still(data[WIDGET]["model_id"], states) + INTERACTIVE}
                )
            if "image/png" in data:
                picture = output.metadata.setdefault("image/png", {})
                about = title or f"Section: {heading}"
                picture.setdefault("alt", f"Figure drawn by the code above. {about}")
    return notebook


def only_title(cell: nbformat.NotebookNode) -> str | None:
    """The title of the picture a cell has made, where its code leaves no doubt about it."""
    pictures = ["image/png" in output.get("data", ()) for output in cell.get("outputs", ())]
    titles = re.findall(r'\btitle="([^"]+)"', cell.source)
    return titles[0] if sum(pictures) == len(titles) == 1 else None


def for_a_page(markdown: str) -> str:
    """Badges become words, links lead to pages of the book, formulas become pictures."""
    markdown = re.sub(
        r"\[!\[([^\]]*)\]\(https?://[^)]*\)\](\([^)]*\)) ?", r"[\1]\2 &nbsp; ", markdown
    )
    markdown = re.sub(r"\]\((\w+)\.ipynb(#[^)]*)?\)", r"](\1.html\2)", markdown)
    return re.sub(r"\$\$(.+?)\$\$", lambda found: formula(found[1]), markdown, flags=re.S)


def formula(tex: str) -> str:
    """A picture of a formula: the usual scripts for this are large and come from the network."""
    tex, svg = " ".join(tex.split()), io.BytesIO()
    with rc_context({"savefig.transparent": True}):
        math_to_image(f"${tex}$", svg, prop=FontProperties(size=17), format="svg")
    source = base64.b64encode(svg.getvalue()).decode("ascii")
    return (
        f'<img class="formula" alt="{html.escape(tex)}" src="data:image/svg+xml;base64,{source}">'
    )


def still(model_id: str, states: dict) -> str:
    """What the HTML widgets in a widget showed when the notebook had run."""
    model = states.get(model_id, {})
    state = model.get("state", {})
    if model.get("model_name") == "HTMLModel":
        return state.get("value", "")
    children = (child.removeprefix("IPY_MODEL_") for child in state.get("children", ()))
    return "".join(still(child, states) for child in children)


def code_colours() -> str:
    """Style for code, one for light and one for dark pages."""
    return "".join(
        f"@media (prefers-color-scheme: {scheme}) {{\n"
        f"{HtmlFormatter(style=style).get_style_defs('.highlight')}\n}}\n"
        for scheme, style in COLOURS.items()
    )


def main() -> int:
    try:
        executed = {}
        for entry in read_course(ROOT):
            print(f"running {entry['name']} ...", flush=True)
            executed[entry["name"]] = execute(ROOT / "notebooks" / f"{entry['name']}.ipynb")
        print("written:", build(executed))
    except (BookError, CourseError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

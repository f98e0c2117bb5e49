"""The book: the notebooks as a website that needs no server, no network and no Python.

It is made of the notebooks as test_notebooks_run.py, which comes before, has run them. The
browser's pictures are in ``build/screenshots`` afterwards. Look at them after a change.
"""

from __future__ import annotations

import json
import os
import re

import nbformat
import pytest
from browser import open_browser
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_runner import NOTEBOOKS, ROOT, run
from test_notebooks_run import ARTEFACTS

pytestmark = [pytest.mark.slow, pytest.mark.checkout]

SCREENSHOTS = ROOT / "build" / "screenshots"
# To one page, something is added that must come out as it is.
MARKUP = new_markdown_cell("## Your turn\n\nAnd again: 1 < 2, and `<b>` stays text.")


@pytest.fixture(scope="module")
def book():
    """The program; it imports what JupyterLab brings, so not when this file is collected."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "notebooks"))
        import book

        return book


@pytest.fixture(scope="module")
def executed(book, tmp_path_factory):
    """Every notebook with its outputs, by name."""
    found = {path.stem: as_run(path, tmp_path_factory.mktemp(path.stem)) for path in NOTEBOOKS}
    found["00_start_here"].cells.append(MARKUP)
    return found


def as_run(notebook, folder):
    """The notebook with its outputs: the copy of an earlier run if nothing has changed since."""
    copy = ARTEFACTS / notebook.name
    made_of = [notebook, *(path for path in (ROOT / "src").rglob("*.*") if path.suffix != ".pyc")]
    if copy.exists() and copy.stat().st_mtime > max(path.stat().st_mtime for path in made_of):
        return nbformat.read(copy, as_version=4)
    return run(notebook, copy, folder, os.environ | {"PYTHONPATH": str(ROOT / "src")})


@pytest.fixture(scope="module")
def folder(book, executed, tmp_path_factory):
    return book.build(executed, tmp_path_factory.mktemp("site") / "book").parent


@pytest.fixture(scope="module")
def pages(folder):
    """Each page, parsed, by file name."""
    from bs4 import BeautifulSoup

    return {
        path.name: BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in folder.glob("*.html")
    }


@pytest.fixture(scope="module")
def spectrograms(pages):
    return pages["02_spectrograms.html"]


def test_there_is_a_page_for_every_notebook_and_one_that_lists_them(book, pages):
    course = book.read_course(ROOT)
    assert set(pages) == {"index.html"} | {f"{entry['name']}.html" for entry in course}
    parts = pages["index.html"].select("main section")
    for part, entry in zip(parts, course, strict=True):
        assert part.a["href"] == f"{entry['name']}.html" and part.a.text == entry["title"]
        assert part.p.text.startswith(f"{entry['minutes']} minutes.")
        assert [li.text for li in part("li")] == [o.replace("`", "") for o in entry["objectives"]]


def test_every_link_leads_somewhere(pages):
    for name, page in pages.items():
        for link in page("a", href=True):
            if not link["href"].startswith("https://"):
                file, _, anchor = link["href"].partition("#")
                target = pages[file or name]
                assert not anchor or target.find(id=anchor), link


def test_what_the_search_finds_is_there(folder, pages):
    script = (folder / "search-index.js").read_text("utf-8")
    index = json.loads(script.removeprefix("const searchIndex = ").rstrip(";\n"))
    for entry in index:
        file, _, anchor = entry["address"].partition("#")
        assert pages[file].find(id=anchor).get_text() == entry["heading"]
    turns = [entry for entry in index if entry["heading"] == "Your turn"]
    assert len({entry["address"] for entry in turns}) == len(turns) > 1
    assert any("<b> stays text" in entry["text"] for entry in turns)


def test_no_id_is_there_twice(pages):
    for page in pages.values():
        ids = [tag["id"] for tag in page(id=True)]
        assert len(ids) == len(set(ids))


def test_no_page_names_a_resource_from_the_network(folder, pages):
    for page in pages.values():
        for tag in page(["script", "img", "audio", "iframe", "source"]):
            assert not re.match(r"(https?:)?//", tag.get("src", ""))
        assert {tag["href"] for tag in page("link")} == {"data:,", "book.css"}
    assert not re.search(r"url\(|@import", (folder / "book.css").read_text("utf-8"))


def test_every_picture_says_what_it_shows(spectrograms, pages):
    assert all(picture.get("alt") for page in pages.values() for picture in page("img"))
    assert r"\frac{\ln(f / 1000)}" in spectrograms.select_one("img.formula")["alt"]
    alts = [picture["alt"] for picture in spectrograms.select(".output_png img")]
    assert "Figure drawn by the code above. The FFT finds three tones" in alts
    assert "Figure drawn by the code above. Section: A tone between two bins" in alts


def test_a_badge_is_a_link_in_words(spectrograms):
    badge = spectrograms.select_one("a[href^='https://colab.research.google.com']")
    assert badge.text == "Open in Colab" and not badge.img


def test_the_explorer_keeps_its_picture_and_a_widget_says_where_it_works(spectrograms):
    widgets = [output for output in spectrograms.select(".output_html")
               if "Interactive: open the notebook to use this." in output.text]  # fmt: skip
    explorer, upload, _own = widgets
    assert explorer.img["alt"].startswith("Spectrogram of 1.0 s of sound")
    assert upload.text.strip() == "Interactive: open the notebook to use this."


def test_a_notebook_that_fails_is_named(book, tmp_path):
    nbformat.write(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path / "broken.ipynb")
    with pytest.raises(book.BookError, match=r"broken\.ipynb fails[\s\S]*ZeroDivisionError"):
        book.execute(tmp_path / "broken.ipynb")


def test_a_book_with_a_notebook_missing_is_refused(book, executed, tmp_path):
    some = {name: notebook for name, notebook in executed.items() if name != "00_start_here"}
    with pytest.raises(book.BookError, match="lacks 00_start_here"):
        book.build(some, tmp_path / "book")
    assert not (tmp_path / "book").exists()


def test_a_book_is_replaced_whole_or_not_at_all(book, executed, tmp_path, monkeypatch):
    out = tmp_path / "book"
    out.mkdir()
    (out / "old.html").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(book, "files", lambda _: {"index.html": "new", "no/folder.html": ""})
        with pytest.raises(FileNotFoundError):
            book.build(executed, out)
    assert [path.name for path in tmp_path.rglob("*")] == ["book", "old.html"]
    book.build(executed, out)
    assert (out / "index.html").exists() and not (out / "old.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


# --- in a browser, without a network -----------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    with open_browser() as started:
        yield started


@pytest.fixture
def visit(browser, folder):
    """Open a page of the book from the disk; at the end, nothing may have gone wrong in it."""
    opened = []

    def visit(name, **how):
        opened.append(browser.open((folder / name).as_uri(), offline=True, **how))
        return opened[-1]

    yield visit
    for page in opened:
        assert page.errors == []
        assert {address.split(":")[0] for address in page.requests} <= {"file", "data", "about"}
        page.close()


def arrive(page, name):
    page.wait_for(f"location.pathname.endsWith('/{name}') && document.readyState === 'complete'")


@pytest.mark.browser
def test_one_can_read_from_the_first_page_to_the_last_and_go_back(book, visit):
    files = [f"{entry['name']}.html" for entry in book.read_course(ROOT)]
    page = visit("index.html")
    page.click("main section a")
    for file in files[1:]:
        page.wait_for("document.querySelector('main .turn:last-child [rel=next]')")
        page.click("main .turn:last-child [rel=next]")
        arrive(page, file)
        assert page.ask("aside [aria-current]", "link => link.getAttribute('href')") == file
    page.click("[rel=prev]")
    arrive(page, files[-2])
    page.click(".turn .all")
    arrive(page, "index.html")


@pytest.mark.browser
def test_the_search_finds_a_word_and_leads_to_it(visit):
    page = visit("index.html")
    page.press("/")
    for letter in "spectrogram":
        page.press(letter)
    assert page.ask("#search", "field => field.value") == "spectrogram"
    assert page.ask("#found mark", "hit => hit.textContent").lower() == "spectrogram"
    page.screenshot(SCREENSHOTS / "book-search.png")
    where = page.ask("#found a", "link => link.getAttribute('href')")
    page.press("Enter")
    arrive(page, where.partition("#")[0])
    assert page.run("location.hash") == "#" + where.partition("#")[2]
    section = page.run("document.querySelector('main').innerText.toLowerCase()")
    assert "spectrogram" in section


@pytest.mark.browser
def test_the_search_says_when_there_is_nothing_and_shows_markup_as_text(visit):
    page = visit("index.html")
    found = "document.querySelector('#found').innerText"
    type_in = "field => { field.value = '%s'; field.dispatchEvent(new Event('input')); }"
    page.ask("#search", type_in % "zyxwv")
    assert page.run(found) == "Nothing found."
    page.ask("#search", type_in % "<b> stays")
    assert "<b> stays text" in page.run(found)
    page.ask("#search", type_in % " ")
    assert page.run(found) == ""


@pytest.mark.browser
@pytest.mark.parametrize("name", ["00_start_here", "02_spectrograms"])
def test_the_player_plays_and_a_word_lights_up(visit, name):
    page = visit(f"{name}.html")
    page.click("iframe >>> #play")
    frame = "document.querySelector('iframe').contentDocument"
    page.wait_for(f"{frame}.querySelector('audio').currentTime > 0.3")
    page.wait_for(f"{frame}.querySelector('.word[aria-current]')")
    page.ask("iframe >>> audio", "audio => audio.pause()")


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_the_pages_fit_and_are_photographed(visit, theme, width):
    for name in ("index", "00_start_here", "02_spectrograms"):
        page = visit(f"{name}.html", dark=theme == "dark", width=width)
        assert page.run("document.documentElement.scrollWidth") <= width
        picture = page.screenshot(SCREENSHOTS / f"book-{name}-{theme}-{width}.png")
        assert picture.stat().st_size > 10_000

"""The first notebooks in a real JupyterLab and a real browser, as a learner meets them.

The browser's pictures are in ``build/screenshots`` afterwards. Look at them after a change.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from browser import Page, open_browser
from nbformat.v4 import new_code_cell, new_notebook
from notebook_runner import NOTEBOOKS, ROOT

from asr_workshop import clip

SCREENSHOTS = ROOT / "build" / "screenshots"
TOKEN = "for-this-test-alone"
START_SECONDS, RUN_SECONDS = 60, 600
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # all cells, seen or not
}
# The browser finds no name but the server's, so every machine shows the same errors.
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# What the console may show in red, and why:
EXPECTED_ERRORS = {
    "https://colab.research.google.com/assets/colab-badge.svg": "a badge needs the network",
    "https://mybinder.org/badge_logo.svg": "a badge needs the network",
}

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.checkout]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def lab(folder):
    """The address of a JupyterLab that shows copies of the notebooks; it has its own settings."""
    notebooks = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks" / "images", notebooks / "images")
    for notebook in NOTEBOOKS:
        shutil.copy(notebook, notebooks)
    overrides = folder / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTINGS))
    environment = environment_in(folder)
    # matplotlib announces its search for fonts, once, when it takes longer than five seconds.
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], env=environment)
    port = free_port()
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", notebooks, "--no-browser", "--allow-root",
             "--expose-app-in-browser", "--ip=127.0.0.1", f"--port={port}",
             f"--IdentityProvider.token={TOKEN}"],
            env=environment, stdout=log, stderr=log, start_new_session=True)  # fmt: skip
    try:
        wait_until_it_listens(server, port, folder / "log")
        yield f"http://127.0.0.1:{port}/lab"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def environment_in(folder: Path) -> dict[str, str]:
    """This environment without the person's Jupyter, and without the Hub."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "ASR_WORKSHOP"))}
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython",
              "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings",
              "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}  # fmt: skip
    places = {name: str(folder / place) for name, place in places.items()}
    return {**kept, **places, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT / "src")}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_it_listens(server: subprocess.Popen, port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            alive = server.poll() is None and time.monotonic() < end
            assert alive, f"JupyterLab did not start:\n{log.read_text()}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def browser():
    with open_browser(NO_NETWORK) as started:
        yield started


@pytest.fixture
def run(browser, lab):
    """Open a notebook and run all of it; its kernel ends with the test."""
    pages = []

    def run(name: str) -> Page:
        address = f"{lab}/workspaces/{name}/tree/{name}.ipynb?token={TOKEN}"
        pages.append(browser.open(address, width=1280, height=1000))
        run_all_cells(pages[-1])
        return pages[-1]

    yield run
    for page in pages:
        page.run("jupyterapp.serviceManager.sessions.shutdownAll()")
        page.close()


def unexpected(errors: list[str]) -> list[str]:
    return [error for error in errors if not any(known in error for known in EXPECTED_ERRORS)]


def run_all_cells(page: Page) -> None:
    """Run every cell, and give each cell's element the cell's id."""
    page.wait_for("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'",
                  seconds=START_SECONDS)  # fmt: skip
    page.run("""{
        const panel = window.panel = jupyterapp.shell.currentWidget;
        for (const cell of panel.content.widgets) cell.node.dataset.cell = cell.model.id;
    }""")
    page.run("""void jupyterapp.commands.execute("notebook:run-all-cells")
        .finally(() => { window.finished = true; })""")
    page.wait_for("window.finished && panel.sessionContext.session.kernel.status === 'idle'",
                  seconds=RUN_SECONDS)  # fmt: skip


def not_run(page: Page) -> list[str]:
    return page.run("""panel.content.widgets
        .filter(cell => cell.model.type === "code" && !cell.model.executionCount)
        .map(cell => cell.model.id)""")


def failures(page: Page) -> list[str]:
    """What the page shows as an error or on red ground, with its cell."""
    return page.run("""[...document.querySelectorAll(
        `.jp-OutputArea-output[data-mime-type$=".error"], [data-mime-type$=".stderr"],
         .jp-OutputArea-output .jp-mod-error, .jupyter-widgets-error`
    )].map(output => output.closest("[data-cell]").dataset.cell + ": " + output.textContent)""")


def unseen_pictures(page: Page) -> list[str]:
    """The cells with a picture in their output that the browser could not draw."""
    return page.run("""[...document.querySelectorAll(".jp-OutputArea-output img")]
        .filter(picture => picture.complete && !picture.naturalWidth)
        .map(picture => picture.closest("[data-cell]").dataset.cell)""")


def photograph(page: Page, cell: str, block: str = "start") -> None:
    """Keep what the window shows with this cell at its top, or elsewhere."""
    page.run(f"document.querySelector('[data-cell={cell}]').scrollIntoView({{block: '{block}'}})")
    page.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    number = page.run("panel.context.path")[:2]
    page.screenshot(SCREENSHOTS / f"jupyterlab-{number}-{cell}.png")


WATCH = """audio => new Promise(done => {
    const words = audio.ownerDocument, seen = new Map();
    const colour = word => getComputedStyle(word).backgroundColor;
    (function look() {
        const lit = [...words.querySelectorAll(".word[aria-current=true]")];
        const dark = words.querySelector(".word:not([aria-current])");
        for (const word of lit) seen.set(word.textContent, lit.length === 1 &&
            !audio.paused && colour(word) !== colour(dark));
        if (seen.size < 4 && !audio.ended) requestAnimationFrame(look);
        else { audio.pause(); done([...seen]); }
    })();
})"""


def play(page: Page, cell: str) -> list[str]:
    """Press the player's button and watch; the first words, each of which must light up alone."""
    frame = f"[data-cell={cell}] iframe"
    # Keep a busy machine from playing past a word before the page has looked at it.
    page.ask(f"{frame} >>> audio", "audio => { audio.playbackRate = 0.25; }")
    page.click(f"{frame} >>> #play")
    page.wait_for(f"!document.querySelector('{frame}').contentDocument"
                  ".querySelector('audio').paused")  # fmt: skip
    seen = page.ask(f"{frame} >>> audio", WATCH)
    photograph(page, cell)
    assert all(bright for _word, bright in seen), seen
    return [word for word, _bright in seen]


def upload(page: Page, cell: str, file: Path) -> None:
    """Choose a file as a person does; the browser's own dialog is the only thing left out."""
    page.run("HTMLInputElement.prototype.click = function () { window.chooser = this; }")
    page.click(f"[data-cell={cell}] .jupyter-widgets.widget-upload")
    chooser = page.send("Runtime.evaluate", expression="window.chooser")["result"]["objectId"]
    page.send("DOM.setFileInputFiles", files=[str(file)], objectId=chooser)
    page.wait_for(f"document.querySelector('[data-cell={cell}] .widget-upload')"
                  ".textContent.includes('(1)')")  # fmt: skip


def run_again(page: Page, cell: str) -> str:
    """Run one cell with Shift+Enter; what it shows then."""
    state = f"panel.content.widgets.find(cell => cell.model.id === '{cell}').model"
    before = page.run(f"{state}.executionCount")
    page.click(f"[data-cell={cell}] .cm-content")
    page.press("Shift+Enter")
    page.wait_for(f"{state}.executionCount > {before}", seconds=RUN_SECONDS)
    return page.ask(f"[data-cell={cell}] .jp-OutputArea", "output => output.textContent")


def assert_all_is_well(page: Page) -> None:
    assert failures(page) == []
    assert not_run(page) == []
    assert unseen_pictures(page) == []
    assert unexpected(page.errors) == []


def test_the_first_notebook_runs_plays_and_takes_a_recording(run):
    page = run("00_start_here")
    photograph(page, "header")
    assert_all_is_well(page)
    photograph(page, "see")
    assert play(page, "play") == ["Most", "of", "what", "people"]
    assert "reading this aloud" not in page.ask("[data-cell=own]", "cell => cell.textContent")
    upload(page, "upload", clip("greeting.wav"))
    assert "reading this aloud" in run_again(page, "own")
    photograph(page, "own", "center")
    assert_all_is_well(page)


def test_the_notebook_on_sound_runs(run):
    page = run("01_sound_as_data")
    photograph(page, "header")
    assert_all_is_well(page)
    for cell in ("see-waveform", "left-and-right", "every-third", "clip-greeting", "upload"):
        photograph(page, cell)
    assert_all_is_well(page)


def test_the_notebook_on_spectrograms_runs_and_its_slider_redraws_the_picture(run):
    page = run("02_spectrograms")
    photograph(page, "header")
    assert_all_is_well(page)
    for cell in ("power-and-level", "see-log-mel", "two-voices"):
        photograph(page, cell)
    assert play(page, "transcribe") == ["She", "sees", "six", "silver"]
    picture = "[data-cell=explorer] .jp-OutputArea img"
    before = page.ask(picture, "image => [image.src, image.alt]")
    assert "windows of 25 ms" in before[1]
    page.ask("[data-cell=explorer] .noUi-handle", "handle => handle.focus()")
    page.press("ArrowRight")
    page.wait_for(f"document.querySelector('{picture}').alt.includes('windows of 40 ms')",
                  seconds=30)  # fmt: skip
    assert page.ask(picture, "image => image.src") != before[0]
    photograph(page, "explorer")
    assert_all_is_well(page)


def test_the_slider_of_noise_plays_shows_and_transcribes_anew(run, folder):
    """With the cells of notebook 04 that it needs: the whole takes minutes to measure."""
    notebook = nbformat.read(ROOT / "notebooks" / "04_why_speech_is_hard.ipynb", as_version=4)
    needed = {"setup", "hear-jargon", "hypothesis", "noise-slider"}
    notebook.cells = [cell for cell in notebook.cells if cell.id in needed]
    assert len(notebook.cells) == len(needed)
    nbformat.write(notebook, folder / "notebooks" / "04_slider.ipynb")
    page = run("04_slider")
    assert_all_is_well(page)
    cell = "[data-cell=noise-slider] .jp-OutputArea"
    before = page.ask(f"{cell} audio", "audio => audio.src")
    page.ask(f"{cell} .noUi-handle", "handle => handle.focus()")
    for _ in range(4):
        page.press("ArrowRight")
    page.wait_for(f"""document.querySelector('{cell} img').alt.includes('at 0 dB')
                  && document.querySelector('{cell} .asr-words')""",
                  seconds=RUN_SECONDS)  # fmt: skip
    assert page.ask(f"{cell} audio", "audio => audio.src") != before
    assert page.ask(f"{cell} audio", "audio => audio.duration") > 4
    assert "Word error rate" in page.ask(cell, "output => output.textContent")
    photograph(page, "noise-slider")
    assert_all_is_well(page)


FAULTY_CELLS = {
    "warns": "import sys; print('hm', file=sys.stderr)",
    "breaks-a-picture": "from IPython.display import HTML, Javascript\n"
    "HTML('<img src=\"data:image/png;base64,AAAA\">')",
    "complains": "Javascript('console.error(\"oh no\")')",
    "fails": "1 / 0",
    "is-not-reached": "'never'",
}


def test_what_a_learner_should_not_see_is_noticed(run, folder):
    cells = [new_code_cell(source, id=name) for name, source in FAULTY_CELLS.items()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else it asks which
    faulty = new_notebook(cells=cells, metadata=kernel)
    nbformat.write(faulty, folder / "notebooks" / "faulty.ipynb")
    page = run("faulty")
    found = [line.split(":")[0] for line in failures(page)]
    assert set(found) == {"warns", "fails"}
    assert unseen_pictures(page) == ["breaks-a-picture"]
    assert not_run(page) == ["is-not-reached"]
    assert any("oh no" in error for error in unexpected(page.errors))

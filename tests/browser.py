"""A real browser for tests: headless Chromium, driven over its DevTools protocol.

    with open_browser() as browser:
        page = browser.open("file:///tmp/talk.html", dark=True)
        page.click("#play")
        page.wait_for("document.querySelector('audio').currentTime > 1")
        assert page.ask(".word", "word => word.textContent") == "Hello"
        assert not page.errors

Mouse and keys are real input events, not calls of click(). A selector reaches into a frame with
``>>>``: ``"iframe >>> #play"``.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from websocket import WebSocket, create_connection

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = """
--headless=new --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run
--disable-background-networking --disable-component-update --disable-sync --disable-extensions
--disable-features=Translate,OptimizationHints,MediaRouter --hide-scrollbars --mute-audio
--autoplay-policy=no-user-gesture-required --remote-debugging-port=0
""".split()
START_SECONDS, ANSWER_SECONDS = 60, 60
KEY_CODES = {
    "Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "PageUp": 33, "PageDown": 34,
    "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
}  # fmt: skip
KEY_TEXT = {"Enter": "\r", " ": " "}
MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}
# Finds an element, stepping into a frame at each ">>>".
FIND = """path => path.split(">>>").reduce(
    (found, selector) => (found.contentDocument ?? found).querySelector(selector.trim())
        ?? (() => { throw new Error("nothing matches " + path) })(),
    document)"""
# Where the middle (or another part) of an element is in the window, once it is in view and rests.
PLACE = """async (element, x, y) => {
    const find = () => {
        let box = element.getBoundingClientRect();
        const place = [box.left + x * box.width, box.top + y * box.height];
        for (let view = element.ownerDocument.defaultView; view.frameElement; view = view.parent) {
            box = view.frameElement.getBoundingClientRect();
            place[0] += box.left + view.frameElement.clientLeft;
            place[1] += box.top + view.frameElement.clientTop;
        }
        return place;
    };
    element.scrollIntoView({ block: "center", behavior: "instant" });
    for (let before = [], rests = 0; rests < 2; ) {
        await new Promise(requestAnimationFrame);
        const place = find();
        rests = place[0] === before[0] && place[1] === before[1] ? rests + 1 : 0;
        before = place;
    }
    return find();
}"""


class BrowserError(RuntimeError):
    """The browser did not start, or a command or script in it failed."""


class Page:
    """One tab. ``requests`` holds every address that it asked for."""

    def __init__(self, address: str):
        self._socket: WebSocket = create_connection(
            address, timeout=ANSWER_SECONDS, suppress_origin=True
        )
        self._numbers = itertools.count(1)
        self._errors: list[str] = []
        self.requests: list[str] = []
        self.scripts = True

    def send(self, method: str, **parameters) -> dict:
        """Send any DevTools command and wait for its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") != number:
                self._note(message.get("method"), message.get("params", {}))
            elif "error" in message:
                raise BrowserError(f"{method}: {message['error']['message']}")
            else:
                return message["result"]

    def _note(self, event: str | None, details: dict) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            thrown = details["exceptionDetails"]
            self._errors.append(thrown.get("exception", {}).get("description", thrown["text"]))
        elif event == "Runtime.consoleAPICalled" and details["type"] in ("error", "assert"):
            said = (str(part.get("value", part.get("description"))) for part in details["args"])
            self._errors.append(" ".join(said))
        elif event == "Log.entryAdded" and details["entry"]["level"] == "error":
            entry = details["entry"]
            self._errors.append(f"{entry['text']} {entry.get('url', '')}".strip())

    @property
    def errors(self) -> list[str]:
        """What the console has shown in red so far: uncaught exceptions, errors, failed loads."""
        self.run("0")  # what was reported before this answer has been read with it
        return self._errors

    def run(self, expression: str):
        """The value of a JavaScript expression, awaited if it is a promise."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        if problem := answer.get("exceptionDetails"):
            raise BrowserError(problem.get("exception", {}).get("description", problem["text"]))
        return answer["result"].get("value")

    def ask(self, selector: str, function: str):
        """What a JavaScript function says about the first element that matches."""
        return self.run(f"({function})(({FIND})({json.dumps(selector)}))")

    def wait_for(self, expression: str, seconds: float = 10) -> None:
        """Return as soon as the expression is true; an error in it counts as not yet."""
        end, last = time.monotonic() + seconds, ""
        while time.monotonic() < end:
            try:
                if self.run(f"Boolean({expression})"):
                    return
            except BrowserError as error:
                last = f" ({error})"
            time.sleep(0.03)
        raise BrowserError(f"Not true within {seconds:g} s: {expression}{last} {self._errors}")

    def click(self, selector: str, x: float = 0.5, y: float = 0.5) -> None:
        """Press and release the mouse on an element; x and y are fractions of its size."""
        place = self.ask(selector, f"element => ({PLACE})(element, {x}, {y})")
        where = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
        self.send("Input.dispatchMouseEvent", type="mousePressed", **where)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", **where)

    def press(self, keys: str) -> None:
        """Press a key, named as in JavaScript's KeyboardEvent: "a", " ", "Shift+Enter"."""
        *modifiers, key = [keys] if keys in (" ", "+") else keys.split("+")
        event = {
            "key": key,
            "windowsVirtualKeyCode": KEY_CODES.get(key) or ord(key.upper()),
            "modifiers": sum(MODIFIERS[modifier] for modifier in modifiers),
        }
        text = KEY_TEXT.get(key, key if len(key) == 1 else "")
        writes = {"text": text} if text and not {"Alt", "Control", "Meta"} & {*modifiers} else {}
        down = "keyDown" if writes else "rawKeyDown"
        self.send("Input.dispatchKeyEvent", type=down, **event, **writes)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def screenshot(self, path: Path) -> Path:
        """The whole page, not only what the window shows, as PNG."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        picture = self.send(
            "Page.captureScreenshot",
            captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1},
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture["data"]))
        return path

    def close(self) -> None:
        with suppress(Exception):  # the tab may be gone already
            self.send("Page.close")
        self._socket.close()


class Browser:
    def __init__(self, port: int):
        self.port = port

    def open(
        self,
        address: str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        calm: bool = False,
        offline: bool = False,
        scripts: bool = True,
    ) -> Page:
        """Open an address and wait until it is loaded.

        ``dark`` and ``calm`` are what the reader's system asks for; ``calm`` is reduced motion.
        """
        page = Page(self._new_tab())
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        page.send("Emulation.setFocusEmulationEnabled", enabled=True)
        page.send("Emulation.setDeviceMetricsOverride",
                  width=width, height=height, deviceScaleFactor=1, mobile=False)  # fmt: skip
        page.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else ""},
        ])  # fmt: skip
        page.scripts = scripts
        page.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        if offline:
            page.send("Network.emulateNetworkConditions", offline=True, latency=0,
                      downloadThroughput=-1, uploadThroughput=-1)  # fmt: skip
        failure = page.send("Page.navigate", url=address).get("errorText")
        if failure:
            raise BrowserError(f"{address}: {failure}")
        page.wait_for("document.readyState === 'complete'", seconds=30)
        return page

    def _new_tab(self) -> str:
        address = f"http://127.0.0.1:{self.port}/json/new?about:blank"
        request = urllib.request.Request(address, method="PUT")
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)["webSocketDebuggerUrl"]


@contextmanager
def open_browser(*flags: str) -> Iterator[Browser]:
    """Start a Chromium with a new, empty profile; end it and its helpers afterwards."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise BrowserError(
            "No Chromium or Chrome here. Install one (Debian: apt-get install chromium), name it "
            "in the variable CHROMIUM, or leave these tests out: pytest -m 'not browser'"
        )
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", *flags, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Browser(_port(process, Path(profile, "DevToolsActivePort")))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _port(process: subprocess.Popen, announcement: Path) -> int:
    """The port that the browser has chosen; it writes it to a file when it is ready."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError, ValueError, IndexError):
            return int(announcement.read_text().split()[0])
        time.sleep(0.05)
    raise BrowserError(f"The browser did not start (it ended with {process.poll()}).")

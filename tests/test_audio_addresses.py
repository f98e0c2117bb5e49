"""Sound from the web: only http and https, and not without limits."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import audio_samples as samples
import numpy as np
import pytest

from asr_workshop import _sources
from asr_workshop.audio import AudioError, describe_audio, load_audio

MP3 = samples.recording("talk.mp3")


class Site(BaseHTTPRequestHandler):
    """A small web site: a recording, a page, ways to somewhere else, and a very slow answer."""

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/slow":
            self.answer(200, b"", {"Content-Length": "1000"})
            for _ in range(50):
                time.sleep(0.05)
                self.wfile.write(b"x")
        elif path == "/slow-headers":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            for number in range(100):
                time.sleep(0.05)
                self.wfile.write(b"X-%d: 1\r\n" % number)
        elif path.startswith("/to/"):
            self.answer(302, b"", {"Location": path.removeprefix("/to/")})
        elif path == "/page":
            self.answer(200, b"<!doctype html><title>Sign in</title>")
        elif path in ("/talk.mp3", "/gr%C3%BC%C3%9Fe%20an%20alle.mp3"):
            self.answer(200, MP3)
        else:
            self.answer(404, b"nothing here")

    def answer(self, status, content, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Print nothing."""


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_):
        """Print nothing when a client hangs up, as it should with a slow answer."""


@pytest.fixture(scope="module")
def site():
    server = QuietServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def test_an_address_is_loaded_and_named_by_its_last_part(site):
    np.testing.assert_array_equal(load_audio(f"{site}/talk.mp3?key=1"), load_audio(MP3))
    assert describe_audio(f"{site}/talk.mp3?key=1").name == "talk.mp3"


def test_an_address_with_spaces_and_accents_works(site):
    about = describe_audio(f"{site}/grüße an alle.mp3")
    assert about.name == "grüße an alle.mp3"


def test_a_redirection_on_the_web_is_followed(site):
    assert describe_audio(f"{site}/to/{site}/talk.mp3").duration == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("scheme", ["file", "ftp", "data", "rtmp", "concat", "s3"])
def test_other_kinds_of_address_are_refused(tmp_path, scheme):
    (tmp_path / "talk.mp3").write_bytes(MP3)
    with pytest.raises(AudioError, match=f"has a {scheme}: address. Only http: and https:"):
        load_audio(f"{scheme}://{tmp_path}/talk.mp3")


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_a_redirection_to_another_kind_of_address_is_refused(site, tmp_path, scheme):
    (tmp_path / "talk.mp3").write_bytes(MP3)
    with pytest.raises(AudioError, match="cannot be downloaded"):
        load_audio(f"{site}/to/{scheme}://{tmp_path}/talk.mp3")


def test_a_page_is_not_the_recording_on_it(site):
    with pytest.raises(AudioError, match="page is a web page, not sound. Use the address of"):
        load_audio(f"{site}/page")


def test_what_does_not_exist_is_refused_with_the_servers_words(site):
    with pytest.raises(AudioError, match=r"^gone\.mp3 cannot be downloaded: .*404"):
        load_audio(f"{site}/gone.mp3")


@pytest.mark.parametrize("address", ["http://", "http://[::1", "https://127.0.0.1:1/talk.mp3"])
def test_an_address_that_leads_nowhere_is_refused(address):
    with pytest.raises(AudioError):
        load_audio(address)


def test_a_download_has_a_limit_of_size(site, monkeypatch):
    monkeypatch.setattr(_sources, "MAX_DOWNLOAD", len(MP3) - 1)
    with pytest.raises(AudioError, match="is larger than"):
        load_audio(f"{site}/talk.mp3")


def test_a_download_has_a_limit_of_time_even_when_bytes_keep_coming(site, monkeypatch):
    monkeypatch.setattr(_sources, "MAX_DOWNLOAD_TIME", 0.2)
    started = time.monotonic()
    with pytest.raises(AudioError, match="takes longer than"):
        load_audio(f"{site}/slow")
    assert time.monotonic() - started < 2


def test_a_server_that_dawdles_before_the_first_byte_is_given_up(site, monkeypatch):
    monkeypatch.setattr(_sources, "MAX_DOWNLOAD_TIME", 0.2)
    started = time.monotonic()
    with pytest.raises(AudioError, match="cannot be downloaded: no answer"):
        load_audio(f"{site}/slow-headers")
    assert time.monotonic() - started < 2


def test_a_silent_server_is_not_waited_for(site, monkeypatch):
    monkeypatch.setattr(_sources, "MAX_STALL", 0.02)
    with pytest.raises(AudioError, match="timed out"):
        load_audio(f"{site}/slow")

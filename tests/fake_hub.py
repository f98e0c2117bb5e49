"""A small stand-in for the Hugging Face Hub, on this machine, for tests without a network.

It answers the requests that `huggingface_hub` makes to look a model up and to download it, and
keeps a list of them.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """Files of one model or data set, and perhaps a refusal: (status, code, message).

    A model that has files and a refusal is listed but not handed out, as gated ones are.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    revisions: tuple[str, ...] = ("main", COMMIT)
    refusal: tuple[int, str, str] | None = None


@contextmanager
def fake_hub(repositories: dict[str, Repository]):
    """Serve the repositories; yields the address and the list of requests so far."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(f"{self.command} {unquote(self.path)}")
            self._answer(*_answer(repositories, urlsplit(unquote(self.path)).path))

        do_HEAD = do_GET

        def _answer(self, status, headers, body):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()


def _answer(repositories, path):
    api = path.startswith("/api/")
    for kind in ("/api", "/models", "/datasets"):
        path = path.removeprefix(kind)
    model_id, _, rest = _split(path.lstrip("/"))
    repository = repositories.get(model_id)
    if repository is None:
        return _refuse(401, "RepoNotFound")
    if repository.refusal and not (api and repository.files):
        return _refuse(*repository.refusal)
    kind, _, place = rest.partition("/")
    revision, _, name = place.partition("/")
    if revision and revision not in repository.revisions:
        return _refuse(404, "RevisionNotFound")
    if not api:
        return _file(repository.files.get(name))
    return _json(_tree(repository) if kind == "tree" else _record(model_id, repository))


def _split(path):
    owner, name, *rest = path.split("/")
    return f"{owner}/{name}", "/", "/".join(rest)


def _refuse(status, code, message=""):
    return status, {"X-Error-Code": code, "X-Error-Message": message}, b""


def _json(value):
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _file(content):
    if content is None:
        return _refuse(404, "EntryNotFound")
    tag = hashlib.sha1(content).hexdigest()
    return 200, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}, content


def _record(model_id, repository):
    files = [{"rfilename": name, "size": len(data)} for name, data in repository.files.items()]
    return {"id": model_id, "sha": COMMIT, "private": False, "tags": [], "siblings": files}


def _tree(repository):
    return [
        {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
        for name, data in repository.files.items()
    ]

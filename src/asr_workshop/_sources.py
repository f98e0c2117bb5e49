"""From what you have at hand (a path, an upload, a dataset row) to an open file or an array."""

from __future__ import annotations

import http.client
import io
import os
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from numbers import Real
from pathlib import Path
from typing import BinaryIO

from asr_workshop._readers import Refusal
from asr_workshop.waiting import within

MAX_DOWNLOAD = 1_000_000_000  # bytes; six hours at 320 kbit/s are 864,000,000
MAX_DOWNLOAD_TIME = 600  # s, from the first byte to the last
MAX_STALL = 20  # s without a word from the server
CHUNK = 1 << 16  # bytes

WEB_HANDLERS = (  # urllib's usual ones also open file:, ftp: and data: addresses
    urllib.request.ProxyHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
    urllib.request.UnknownHandler,
)


# ------------------------------------------------------------------ unwrapping


def unwrap(source, name: str = "The recording") -> tuple[str, object]:
    """Peel off dataset rows and uploads: the name for messages, and what is inside.

    Inside is a path, an address, bytes, an open file, an array, or (array, rate).
    """
    if isinstance(source, Mapping):
        return unwrap_mapping(source, name)
    if isinstance(source, (tuple, list)):
        return unwrap_sequence(source, name)
    if hasattr(source, "get_all_samples"):  # the AudioDecoder of datasets 4 and torchcodec
        try:
            samples = source.get_all_samples()
        except (RuntimeError, ValueError, OSError) as error:
            raise Refusal(f"cannot be decoded: {error}. Use Audio(decode=False).") from error
        return name, (samples.data, samples.sample_rate)
    if isinstance(getattr(source, "value", None), (Mapping, tuple)):  # the upload button itself
        return unwrap(source.value, name)
    return name_of(source, name), source


def unwrap_mapping(row: Mapping, name: str) -> tuple[str, object]:
    """Take the sound out of a row of `datasets`, its "audio" column, or an upload."""
    if "array" in row and "sampling_rate" in row:
        return name, (row["array"], row["sampling_rate"])
    if "content" in row:  # one file of an upload
        about = row.get("metadata", row)
        return name_of(about.get("name"), name), row["content"]
    if row.get("bytes") is not None:
        return name_of(row.get("path"), name), row["bytes"]
    if row.get("path") is not None:
        return unwrap(row["path"], name)
    if "audio" in row:
        return unwrap(row["audio"], name)
    if all(isinstance(value, Mapping) and "content" in value for value in row.values()):
        return the_only_upload(list(row.values()), name)
    keys = ", ".join(map(repr, row))
    raise Refusal(f'is a dict with {keys}. It needs "array" and "sampling_rate", or "bytes".')


def unwrap_sequence(source: Sequence, name: str) -> tuple[str, object]:
    """Take apart (array, rate), (rate, array) as SciPy and Gradio have it, or an upload."""
    if all(isinstance(item, Mapping) for item in source):
        return the_only_upload(source, name)
    if len(source) == 2 and isinstance(source[0], Real) != isinstance(source[1], Real):
        array, rate = source if isinstance(source[1], Real) else source[::-1]
        return name, (array, rate)
    raise Refusal(f"is a {type(source).__name__}, but not a pair. Give (array, sampling_rate).")


def the_only_upload(uploads: Sequence[Mapping], name: str) -> tuple[str, object]:
    """One upload; ipywidgets 7 and 8 differ only in what stands around it."""
    if not uploads:
        raise Refusal("has not been uploaded yet. Press the button, choose a file, run again.")
    if len(uploads) > 1:
        raise Refusal(f"is one of {len(uploads)} uploads. Take them one by one.")
    return unwrap(uploads[0], name)


def name_of(source, default: str) -> str:
    """Return the last part of a path, an address or an open file's name, safe to print."""
    if not isinstance(source, (str, os.PathLike)):
        source = getattr(source, "name", None)
    if not isinstance(source, (str, os.PathLike)):
        return default
    path = urllib.parse.unquote(source.partition("?")[0]) if is_url(source) else source
    return printable(Path(path).name or str(source)) or default


def printable(name: str) -> str:
    """Spell out what would move the cursor, change colours, or cannot be printed at all."""
    return name if name.isprintable() else ascii(name)


def is_url(source) -> bool:
    return isinstance(source, str) and ("://" in source or source.startswith("data:"))


# ------------------------------------------------------------------ opening


@contextmanager
def opened(content, default_rate: int) -> Iterator[BinaryIO | tuple]:
    """Yield a binary file that can seek, or (array, rate)."""
    if isinstance(content, tuple):
        yield content
    elif is_url(content):
        with download(content) as file:
            yield PlainFile(file)
    elif isinstance(content, (str, os.PathLike)):
        with open_path(content) as file:
            yield PlainFile(file)
    elif isinstance(content, (bytes, bytearray, memoryview)):
        yield PlainFile(io.BytesIO(bytes(content)))
    elif hasattr(content, "read"):
        with rewound(content) as file:
            yield PlainFile(file)
    elif hasattr(content, "__array__"):
        if getattr(content, "ndim", 1) != 1:
            raise Refusal("is an array with no sampling rate. Give (array, sampling_rate).")
        yield content, default_rate
    else:
        raise Refusal(
            f"is of type {type(content).__name__}. Give a path, an http(s) address, bytes, an "
            "open binary file, (array, sampling_rate), a dataset row or an upload."
        )


class PlainFile(io.RawIOBase):
    """A binary file as decoders need it: without a name, and never failing.

    From a name they would guess what is inside. What fails inside their callbacks is printed on
    the terminal; so a failing read is the end of the file, and a failing seek stays in place.
    """

    def __init__(self, file: BinaryIO):
        self._file = file

    def readable(self):
        return True

    def seekable(self):
        return True

    def readinto(self, buffer):
        try:
            data = self._file.read(len(buffer))
        except (OSError, ValueError):
            return 0
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset, whence=io.SEEK_SET):
        with suppress(OSError, ValueError):
            self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self):
        return self._file.tell()


def open_path(path: str | os.PathLike) -> BinaryIO:
    """Open an ordinary file, and nothing else: no folder, pipe or device."""
    if not os.fspath(path):
        raise Refusal("has an empty name. Give the path of a sound file.")
    try:
        path = Path(path).expanduser()
        if path.is_dir():
            raise Refusal("is a folder. Name a file in it.")
        if not path.exists():
            folder = printable(str(path.absolute().parent))
            raise Refusal(f"is not in {folder}. Check the spelling, or upload it.")
        if not path.is_file():
            raise Refusal("is a device or a pipe, not a file. Save the sound to a file first.")
        return open(path, "rb")
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refusal(f"cannot be opened: {reason}. Check its name and its permissions.") from error


@contextmanager
def rewound(file) -> Iterator[BinaryIO]:
    """Read an open file from its beginning, and leave it open where it stood."""
    with ExitStack() as stack:
        try:
            if not isinstance(file.read(0), bytes):
                raise Refusal('is open as text. Open it with open(path, "rb").')
            if file.seekable():
                stack.callback(file.seek, file.tell())
            else:  # a pipe: decoders need to go back and forth
                copy = stack.enter_context(tempfile.TemporaryFile())
                copy_within_limits(file.read, copy)
                file = copy
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise Refusal(f"cannot be read: {error}. Give its path instead.") from error
        yield file


@contextmanager
def download(address: str) -> Iterator[BinaryIO]:
    """Fetch an http(s) address into a temporary file."""
    scheme = address.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise Refusal(f"has a {scheme}: address. Only http: and https: addresses are opened.")
    opener = urllib.request.OpenerDirector()
    for handler in WEB_HANDLERS:
        opener.add_handler(handler())
    with tempfile.TemporaryFile() as file:
        try:
            quoted = urllib.parse.quote(address, safe="%/:=&?~#+!$,;'@()*[]")
            request = urllib.request.Request(quoted, headers={"User-Agent": "asr-workshop"})
            # A server that sends its headers bit by bit never stalls: they have a limit, too.
            open_it = partial(opener.open, request, timeout=MAX_STALL)
            with within(MAX_DOWNLOAD_TIME, open_it) as response:
                copy_within_limits(response.read1, file)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Refusal(
                f"cannot be downloaded: {error}. Check the address in a browser, or download the "
                "file there and give its path."
            ) from error
        yield file


def copy_within_limits(read: Callable[[int], bytes], file: BinaryIO) -> None:
    """Copy until the end, the size limit or the time limit."""
    deadline = time.monotonic() + MAX_DOWNLOAD_TIME
    while chunk := read(CHUNK):
        file.write(chunk)
        if file.tell() > MAX_DOWNLOAD:
            raise Refusal(f"is larger than {MAX_DOWNLOAD / 1e6:,.0f} MB. Use a compressed format.")
        if time.monotonic() > deadline:
            raise Refusal(
                f"takes longer than {MAX_DOWNLOAD_TIME} s to arrive. Download it first, and give "
                "its path."
            )

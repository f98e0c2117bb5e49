"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path


def write_whole(path: str | Path, text: str) -> Path:
    r"""Write UTF-8 text so that the file is there whole, or is as it was before.

    The text goes to a new file in the same folder, onto the disk, and only then takes the
    name. A full disk, a crash or Ctrl-C in the middle leaves an older file untouched.

    Parameters
    ----------
    path : str or Path
        The folder must exist. A symbolic link is followed.
    text : str
        Lines end with ``"\n"`` and stay so on every system.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    OSError
        The folder is missing, not writable, or full.

    Examples
    --------
    >>> write_whole("notes.txt", "One line.\n")  # doctest: +SKIP
    PosixPath('notes.txt')
    """
    target = Path(os.path.realpath(path))
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    content = re.sub("[\ud800-\udfff]", "\ufffd", text)  # half a character has no UTF-8
    try:
        with open(draft, "x", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():  # a private file stays private
            shutil.copymode(target, draft)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return Path(path)

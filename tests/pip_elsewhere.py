"""Run pip as if on another Python and platform: pip_elsewhere.py PYTHON PLATFORM ARGUMENTS...

pip's own --python-version and --platform choose the files, but markers such as
``python_version >= "3.13"`` are still judged by the running interpreter. This judges them too
by the platform asked for. For example, what Windows with Python 3.13 would install::

    python tests/pip_elsewhere.py 3.13 win_amd64 install --dry-run -r requirements.txt
"""

from __future__ import annotations

import sys

from pip._internal.cli.main import main
from pip._vendor.packaging import markers

SYSTEMS = {  # start of a platform tag: sys_platform, platform_system, os_name
    "manylinux": ("linux", "Linux", "posix"),
    "macosx": ("darwin", "Darwin", "posix"),
    "win": ("win32", "Windows", "nt"),
}


def file_tags(platform: str) -> list[str]:
    """All tags a platform accepts; pip does not know that an older manylinux fits a newer one."""
    if not platform.startswith("manylinux"):
        return [platform]
    _, _, minor, machine = platform.split("_", 3)  # manylinux, 2, 28, x86_64
    older = [f"manylinux_2_{number}_{machine}" for number in range(int(minor), 4, -1)]
    return [*older, f"manylinux2014_{machine}", f"manylinux1_{machine}"]


def marker_environment(python: str, platform: str) -> dict[str, str]:
    """What a marker sees on that machine, such as ``("3.13", "win_amd64")``."""
    system = next(names for start, names in SYSTEMS.items() if platform.startswith(start))
    machine = next(name for name in ("x86_64", "amd64", "arm64") if platform.endswith(name))
    return {
        **markers.default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_version": f"{python}.0",
        "sys_platform": system[0],
        "platform_system": system[1],
        "os_name": system[2],
        "platform_machine": {"amd64": "AMD64"}.get(machine, machine),
    }


if __name__ == "__main__":
    python, platform, command, *arguments = sys.argv[1:]
    environment = marker_environment(python, platform)
    markers.default_environment = lambda: environment
    tags = [f"--platform={tag}" for tag in file_tags(platform)]
    where = [f"--python-version={python}", "--only-binary=:all:", *tags]
    sys.exit(main([command, *where, *arguments]))

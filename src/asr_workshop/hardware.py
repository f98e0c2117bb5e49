"""What this machine carries: which device, which kind of number, how much memory, and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import thread_time
from typing import Any

# bfloat16 must save a quarter of the time before it is worth its mere three digits.
WORTH_IT = 0.75


@dataclass(frozen=True)
class Choice:
    """Something picked, and the reason in one sentence."""

    value: Any
    reason: str


def pick_device() -> Choice:
    """Pick the fastest device here: an NVIDIA GPU, Apple's GPU, or the processor.

    Returns
    -------
    Choice
        ``value`` is ``"cuda:0"``, ``"mps"`` or ``"cpu"``.

    Examples
    --------
    >>> pick_device().value in ("cuda:0", "mps", "cpu")
    True
    """
    import torch

    if torch.cuda.is_available():
        return Choice("cuda:0", f"this machine has a GPU, {torch.cuda.get_device_name(0)}")
    if torch.backends.mps.is_available():
        return Choice("mps", "this Mac's GPU can be used through Apple's MPS")
    return Choice("cpu", "no GPU that PyTorch can use was found")


def pick_dtype(device: str) -> Choice:
    """Pick the kind of number to compute with on ``device``.

    Parameters
    ----------
    device : str
        ``"cuda:0"``, ``"mps"`` or ``"cpu"``.

    Returns
    -------
    Choice
        ``value`` is a ``torch.dtype``.

    Examples
    --------
    >>> pick_dtype("cuda:0").value
    torch.float16
    """
    import torch

    if device.startswith("cuda"):
        # Asking is_bf16_supported() would not help: it is true on a T4, by slow emulation.
        return Choice(torch.float16, "every CUDA GPU computes fast in it, a free T4 too")
    if device.startswith("mps"):
        # pytorch issue 196322: large-v3, loaded as float16, wrote "!" on a Mac and not on its CPU.
        return Choice(torch.float32, "half precision on Apple's GPU has given wrong text")
    if device != "cpu":
        return Choice(torch.float32, "the safe choice for a device this workshop does not know")
    ratio = bfloat16_time()
    if ratio < WORTH_IT:
        return Choice(
            torch.bfloat16, f"this processor took {ratio:.0%} of the time float32 takes, in a test"
        )
    return Choice(
        torch.float32, f"bfloat16 took {ratio:.0%} of its time in a test on this processor"
    )


@cache
def bfloat16_time() -> float:
    """Measure how long Whisper's work takes in bfloat16, as a share of float32's time.

    Whisper does two kinds of work, and processors differ in which of them bfloat16 helps: the
    encoder multiplies large matrices; the decoder, for every token, multiplies thin ones and
    lets one position look at 1500. Samples of each, in whisper-tiny's sizes, are timed in turn
    and counted as often as a 30 s window needs them. About 0.1 s, once per process.
    """
    import torch

    with torch.inference_mode(), _one_thread():
        # A processor without the instructions can be fifty times slower: look at a crumb first.
        dtypes = (torch.float32, torch.bfloat16)
        whole, half = _best_times([_feed_forward(dtype, frames=16) for dtype in dtypes])
        if half > 2 * whole:
            return half / whole
        times = _best_times([work for dtype in dtypes for work in _samples(dtype)])
    whole, half = times[: len(COUNTS)], times[len(COUNTS) :]
    return _window_seconds(half) / _window_seconds(whole)


# How often a window of 30 s needs each of the samples below: 4 layers, 80 tokens, batches of 12.
COUNTS = (
    4 * 6 * 1.5,  # encoder layers x 1500 frames in 250s x 1.5 for the projections beside it
    4 * 6 * 6,  # encoder layers x 6 heads x 1500 positions in 250s
    80 / 12 * 4,  # steps of the decoder, shared by a batch x the vocabulary in quarters
    80 / 12 * 4 * 6 * 6,  # steps x decoder layers x 6 heads x the batch of 12 in twos
)


def _samples(dtype) -> list[Callable]:
    return [
        _feed_forward(dtype, frames=250),
        _look(dtype, positions=250, batch=1),
        _vocabulary(dtype),
        _look(dtype, positions=1, batch=2),
    ]


def _window_seconds(times: list[float]) -> float:
    return sum(count * seconds for count, seconds in zip(COUNTS, times, strict=True))


def _feed_forward(dtype, frames: int) -> Callable:
    import torch

    states = torch.ones(frames, 384, dtype=dtype)
    up, down = (torch.full(shape, 0.01, dtype=dtype) for shape in ((1536, 384), (384, 1536)))
    linear = torch.nn.functional.linear
    return lambda: linear(linear(states, up), down)


def _vocabulary(dtype) -> Callable:
    import torch

    words = torch.full((51864 // 4, 384), 0.01, dtype=dtype)
    states = torch.ones(12, 384, dtype=dtype)
    return lambda: torch.nn.functional.linear(states, words)


def _look(dtype, positions: int, batch: int) -> Callable:
    """One attention head: so many positions look at 1500 encoder frames (attention.py)."""
    import torch

    frames = torch.full((batch, 1, 1500, 64), 0.01, dtype=dtype)
    asking = frames[:, :, :positions].clone()
    return lambda: (asking @ frames.transpose(2, 3)).softmax(-1) @ frames


def _best_times(works: list[Callable], rounds: int = 5) -> list[float]:
    """Find the least processor time each needs; what other programs take does not count."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, measured in zip(works, times, strict=True):
            start = thread_time()
            work()
            measured.append(thread_time() - start)
    return [min(measured) for measured in times]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch on this thread, so that its processor time is all there is to count."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def free_memory(device: str) -> float:
    """Count the gigabytes (10^9 bytes) that a model may take on ``device``.

    On a Mac the GPU shares the whole memory; its total is the figure that does not jump about.
    In a container (Binder, say) the container's limit counts, not the machine's.
    """
    import psutil
    import torch

    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(device)[0] / 1e9
    if device.startswith("mps"):
        return psutil.virtual_memory().total / 1e9
    limit = _container_limit("memory.max")
    if limit is None:
        return psutil.virtual_memory().available / 1e9
    return min(limit, psutil.virtual_memory().available) / 1e9


def usable_cores() -> int:
    """Count the processor cores this process may use, in a container its share of them."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    share = _container_limit("cpu.max")
    return cores if share is None else max(1, min(cores, round(share)))


def _container_limit(name: str, folder: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Read a limit from Linux's control groups (version 2): a number, or a quota per period."""
    try:
        amount, *period = (folder / name).read_text().split()
    except (OSError, ValueError):
        return None
    if amount == "max":
        return None
    return float(amount) / float(period[0]) if period else float(amount)

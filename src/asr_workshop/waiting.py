"""Wait for an answer, but not for ever."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


def within(seconds: float, function: Callable):
    """Call a function, and give up after so many seconds.

    A look-up of a host name cannot be given a time limit, and behind some firewalls it hangs
    for a minute; the thread is left behind as a daemon and keeps no program from ending.

    Parameters
    ----------
    seconds : float
    function : callable without arguments

    Returns
    -------
    object
        What the function returns.

    Raises
    ------
    TimeoutError
        It has not returned in time. Whatever the function raises is raised as well.

    Examples
    --------
    >>> within(1, lambda: 2 + 2)
    4
    """
    answers: queue.Queue = queue.Queue()

    def work():
        try:
            answers.put((function(), None))
        except Exception as error:  # handed to the caller's thread
            answers.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        value, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer in {seconds:g} s") from None
    if error is not None:
        raise error
    return value

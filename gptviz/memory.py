"""The memory there is: the cache that keeps what was made, and promises to what is being made.

What the cache keeps is as good as free: it is dropped as soon as something else needs the room.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock, Timer

import psutil
from cachetools import cached

from gptviz.byte_cache import ByteCache

SHARE_OF_FREE_MEMORY = 0.5  # the cache's; the other half is for what is being made
USABLE = 0.8  # of the memory that is free
GRACE = 3.0  # seconds: what was dropped is freed only when the run that still reads it has ended
POLL = 0.2  # seconds between two looks at the memory


class NotEnoughMemoryError(Exception):
    """Not even all that the cache could drop would make enough room."""


@cached({}, lock=Lock())  # functools.cache would give two threads that come first one each
def shared() -> ByteCache:
    """The process's cache, bounded by half of the memory that is free when it is first used."""
    return ByteCache(int(psutil.virtual_memory().available * SHARE_OF_FREE_MEMORY))


def free_memory() -> int:
    """Bytes that can be used: those that are free, with what the cache would drop.

    What is being made counts too: a moment later the cache has it, and can drop it. So work that
    would fit alone is never refused because of others; it waits (see ``promised``).
    """
    return int(USABLE * (psutil.virtual_memory().available + shared().nbytes + _promises.n_bytes))


@contextmanager
def promised(n_bytes: int, while_waiting: Callable[[], object] | None = None) -> Iterator[None]:
    """Memory for the work in this block, promised to nobody else until it is done.

    The cache drops what it must. If it is others' promises that are in the way, this waits until
    their work is done: then what they used has been counted.

    Args:
        n_bytes: what the work will use. It may not ask for a further promise meanwhile: two such
            works would wait for each other.
        while_waiting: called again and again; what it raises ends the waiting.

    Raises:
        NotEnoughMemoryError: if all that the cache could drop would not be enough.
    """
    _promises.take(n_bytes, while_waiting)
    try:
        yield
    finally:
        _promises.take_back(n_bytes)
        _give_back_soon()


class _Promises:
    """The bytes promised now, to all works together."""

    def __init__(self) -> None:
        self.n_bytes = 0
        self._changed = Condition()

    def take(self, n_bytes: int, while_waiting: Callable[[], object] | None) -> None:
        if n_bytes > free_memory():  # then nothing is dropped in vain
            raise NotEnoughMemoryError
        late = time.monotonic() + GRACE
        while not self._took(n_bytes, late):
            if while_waiting is not None:
                while_waiting()

    def _took(self, n_bytes: int, late: float) -> bool:
        """Whether there was room; if not, some time has passed."""
        with self._changed:
            _make_room(n_bytes)
            if self.n_bytes + n_bytes <= _usable():
                self.n_bytes += n_bytes
                return True
            if not self.n_bytes and time.monotonic() > late:
                raise NotEnoughMemoryError
            self._changed.wait(POLL)
            return False

    def take_back(self, n_bytes: int) -> None:
        with self._changed:
            self.n_bytes -= n_bytes
            self._changed.notify_all()


_promises = _Promises()


def _usable() -> float:
    return USABLE * psutil.virtual_memory().available


def _make_room(n_bytes: int) -> None:
    """Let the cache drop as much as is missing, and no more."""
    if n_bytes <= _usable():
        return
    give_back()
    shared().drop((n_bytes - _usable()) / USABLE)
    give_back()


def give_back() -> None:
    """Hand freed memory back to the system: glibc keeps what is freed until it is told to."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)


_is_coming = Lock()


def _give_back_soon() -> None:
    """``give_back``, once the run that did the work has ended too; several works share one."""
    if _is_coming.acquire(blocking=False):
        timer = Timer(GRACE, _give_back_now)
        timer.daemon = True
        timer.start()


def _give_back_now() -> None:
    _is_coming.release()
    give_back()

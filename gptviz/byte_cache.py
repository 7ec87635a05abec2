"""A cache with a bound in bytes, for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from cachetools import LRUCache

POLL = 0.1  # seconds between two calls of what wants to be called while waiting


class Sized(Protocol):
    """Anything that knows how many bytes it keeps."""

    @property
    def nbytes(self) -> int:
        """Bytes kept."""


T = TypeVar("T", bound=Sized)


class ByteCache:
    """Keeps what was asked for last, up to a number of bytes; for any number of threads.

    Args:
        max_bytes: the bound. A thing larger than it is made and given, only not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._kept: LRUCache[Hashable, Any] = LRUCache(max_bytes, getsizeof=lambda v: v.nbytes)
        self._lock = Lock()
        self._making: WeakValueDictionary[Hashable, Lock] = WeakValueDictionary()

    @property
    def nbytes(self) -> int:
        """Bytes kept now."""
        with self._lock:
            return int(self._kept.currsize)

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._kept

    def peek(self, key: Hashable, holds: Hashable = None) -> Any | None:
        """The thing of this key if it is kept; None, at once, if it isn't."""
        with self._lock:
            return self._used(key, holds) if key in self._kept else None

    def get(
        self,
        key: Hashable,
        make: Callable[[], T],
        holds: Hashable = None,
        while_waiting: Callable[[], object] | None = None,
    ) -> T:
        """The thing of this key, made at most once at a time, however many threads ask for it.

        Args:
            make: makes it; what it raises reaches its own caller alone, and nothing is kept: of
                those who wait for the same thing, the next one makes it.
            holds: key of another thing here that this one keeps alive. This one is kept only
                together with it and dropped before it, so that no bytes live on uncounted.
            while_waiting: called again and again while another thread makes the thing; what it
                raises ends the waiting and reaches the caller.
        """
        with self._lock:
            if key in self._kept:
                return self._used(key, holds)
            making = self._making.setdefault(key, Lock())
        _acquire(making, while_waiting)
        try:
            with self._lock:  # whoever had to wait looks again
                if key in self._kept:
                    return self._used(key, holds)
            made = make()
            with self._lock:
                self._keep(key, made, holds)
            return made
        finally:
            making.release()

    def drop(self, n_bytes: float) -> None:
        """Drop what was used longest ago, until this many bytes are dropped or nothing is left."""
        with self._lock:
            wanted = self._kept.currsize - n_bytes
            while self._kept and self._kept.currsize > wanted:
                self._kept.popitem()

    def _used(self, key: Hashable, holds: Hashable) -> Any:
        thing = self._kept[key]
        self._kept.get(holds)  # used after all that hold it, so dropped after them
        return thing

    def _keep(self, key: Hashable, made: Sized, holds: Hashable) -> None:
        held = 0
        if holds is not None:
            if holds not in self._kept:
                return
            held = self._kept[holds].nbytes
        if held + made.nbytes <= self.max_bytes:
            self._kept[key] = made
            self._kept.get(holds)


def _acquire(lock: Lock, while_waiting: Callable[[], object] | None) -> None:
    if while_waiting is None:
        lock.acquire()
        return
    while not lock.acquire(timeout=POLL):
        while_waiting()

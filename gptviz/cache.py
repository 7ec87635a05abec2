"""Models and traces that were made once and may be asked for again, in a bounded amount of memory.

What comes out of here is shared by everyone who asks for it: read it, never write to it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

import psutil
from cachetools import LRUCache, cached

from gptviz.config import Dropout, GPTConfig
from gptviz.loading import Loaded, build, load
from gptviz.presets import PRESETS, TRAINED
from gptviz.tracing.changes import UNCHANGED, Changes
from gptviz.tracing.hooks import BeforeBlock
from gptviz.tracing.trace import Trace, trace

SHARE_OF_FREE_MEMORY = 0.5  # the other half is for the next model, while it is being made


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

    def get(self, key: Hashable, make: Callable[[], T], holds: Hashable = None) -> T:
        """The thing of this key, made at most once at a time, however many threads ask for it.

        Args:
            make: makes it; what it raises reaches the caller, and nothing is kept.
            holds: key of another thing here that this one keeps alive. This one is kept only
                together with it and dropped before it, so that no bytes live on uncounted.
        """
        with self._lock:
            if key in self._kept:
                return self._used(key, holds)
            making = self._making.setdefault(key, Lock())
        with making:  # others who want the same wait here, and look again
            with self._lock:
                if key in self._kept:
                    return self._used(key, holds)
            made = make()
            with self._lock:
                self._keep(key, made, holds)
            return made

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


@cached({}, lock=Lock())  # functools.cache would give two threads that come first one each
def shared() -> ByteCache:
    """The process's cache, bounded by half of the memory that is free when it is first used."""
    return ByteCache(int(psutil.virtual_memory().available * SHARE_OF_FREE_MEMORY))


def cached_model(source: str | GPTConfig, seed: int = 123) -> Loaded:
    """A preset by name (``load``) or any configuration (``build``), made once and shared.

    Raises:
        ValueError: if there is no preset of that name.
        WeightsError: if trained weights are missing or damaged.
    """
    if isinstance(source, GPTConfig):
        return shared().get(_model_key(source, seed), lambda: build(source, seed))
    return shared().get(_model_key(source, seed), lambda: load(source, seed))


def cached_trace(
    source: str | GPTConfig,
    token_ids: Iterable[int],
    seed: int = 123,
    before_block: BeforeBlock | None = None,
    dropout: Dropout | None = None,
    changes: Changes = UNCHANGED,
) -> Trace:
    """``trace`` of ``cached_model``, made once for each sentence and shared.

    Of one sentence there is one for each dropout and each set of changes.

    Raises:
        ValueError: if there is no such preset, or the model can't read these ids or has no part
            that a change is about.
        WeightsError: if trained weights are missing or damaged.
    """
    ids, model_key = tuple(token_ids), _model_key(source, seed)
    return shared().get(
        (model_key, ids, dropout, changes),
        lambda: trace(cached_model(source, seed).model, ids, before_block, dropout, changes),
        holds=model_key,
    )


def kept_trace(
    source: str | GPTConfig,
    token_ids: Iterable[int],
    seed: int = 123,
    dropout: Dropout | None = None,
) -> Trace | None:
    """What ``cached_trace`` would give if it is at hand; None, at once, if it would take a pass."""
    model_key = _model_key(source, seed)
    return shared().peek((model_key, tuple(token_ids), dropout, UNCHANGED), holds=model_key)


def has_model(source: str | GPTConfig, seed: int = 123) -> bool:
    """Whether ``cached_model`` is at hand, so that a sentence needs no memory for weights."""
    return shared().peek(_model_key(source, seed)) is not None


def _model_key(source: str | GPTConfig, seed: int) -> Hashable:
    if isinstance(source, str) and source in TRAINED:
        return source  # trained weights have no seed
    # A preset and its configuration are one model.
    return (PRESETS.get(source, source) if isinstance(source, str) else source, seed)

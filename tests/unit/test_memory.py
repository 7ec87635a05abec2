"""No byte is promised twice, and none is refused that the cache could drop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from gptviz import memory
from gptviz.cache import cached_model, has_model
from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.memory import USABLE, NotEnoughMemoryError, free_memory, promised, shared
from gptviz.tracing.passes import ModelKey

PATIENCE = 30  # seconds


class Machine:
    """A machine of so many bytes: what the cache keeps and what is used is not free."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        self.held = 0  # by a run that still reads what the cache had

    def __call__(self) -> SimpleNamespace:
        kept = shared().nbytes if shared.cache else 0
        return SimpleNamespace(available=self.n_bytes - max(kept, self.held))


class Thing:
    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """1,000 bytes, of which 800 are usable; the cache is bounded by 500."""
    machine = Machine(1000)
    monkeypatch.setattr("psutil.virtual_memory", machine)
    monkeypatch.setattr(memory, "GRACE", 0.3)
    shared.cache_clear()
    yield machine
    shared.cache_clear()


def keep(**sizes: int) -> None:
    for key, nbytes in sizes.items():
        shared().get(key, lambda nbytes=nbytes: Thing(nbytes))  # type: ignore[misc]


@pytest.mark.usefixtures("machine")
def test_the_bound_is_half_of_what_is_free() -> None:
    assert shared().max_bytes == 500


def test_those_who_come_first_at_the_same_time_get_the_same_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both_here = threading.Barrier(2, timeout=PATIENCE)

    def available() -> SimpleNamespace:
        both_here.wait()
        return SimpleNamespace(available=1000)

    shared.cache_clear()
    monkeypatch.setattr("psutil.virtual_memory", available)
    with ThreadPoolExecutor(2) as threads:
        one, other = (threads.submit(shared) for _ in range(2))
    assert one.result() is other.result()
    shared.cache_clear()


def test_a_part_of_the_memory_is_left_alone_and_the_caches_is_as_good_as_free(
    machine: Machine,
) -> None:
    assert free_memory() == 1000 * USABLE
    keep(a=200, b=100)
    assert machine().available == 700
    assert free_memory() == 1000 * USABLE


@pytest.mark.usefixtures("machine")
def test_the_cache_drops_what_is_missing_and_no_more() -> None:
    keep(a=200, b=100, c=100)
    with promised(560):  # 700 must be free, 600 are
        assert ["a" in shared(), "b" in shared(), "c" in shared()] == [False, True, True]


@pytest.mark.usefixtures("machine")
def test_what_can_never_fit_is_refused_at_once_and_nothing_is_dropped_for_it() -> None:
    keep(a=200)
    start = time.monotonic()
    with pytest.raises(NotEnoughMemoryError), promised(801):
        pass
    assert time.monotonic() - start < memory.GRACE
    assert "a" in shared()


@pytest.mark.usefixtures("machine")
def test_one_after_another_where_there_is_no_room_for_both() -> None:
    at_work, most = [], []

    def work(_: int) -> None:
        with promised(500):
            at_work.append(None)
            most.append(len(at_work))
            time.sleep(0.05)
            at_work.pop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert most == [1, 1, 1, 1]


@pytest.mark.usefixtures("machine")
def test_side_by_side_where_there_is_room() -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def work(_: int) -> None:
        with promised(400):
            both.wait()  # passes only if the other is at work too

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))


def test_what_was_dropped_is_waited_for_while_a_run_still_reads_it(machine: Machine) -> None:
    keep(a=400)
    machine.held = 400

    def end() -> None:
        machine.held = 0

    threading.Timer(0.1, end).start()
    with promised(700):
        assert "a" not in shared()


def test_it_is_refused_if_the_run_goes_on_reading(machine: Machine) -> None:
    keep(a=400)
    machine.held = 400
    with pytest.raises(NotEnoughMemoryError), promised(700):
        pass


@pytest.mark.usefixtures("machine")
def test_waiting_for_memory_can_be_ended_and_leaves_no_promise() -> None:
    def leave() -> None:
        raise InterruptedError

    with promised(500):
        with pytest.raises(InterruptedError), promised(500, leave):
            pass
        with promised(300):
            pass
    with promised(800):
        pass


@pytest.mark.usefixtures("machine")
def test_a_failure_gives_the_promise_back() -> None:
    with pytest.raises(ZeroDivisionError), promised(800):
        raise ZeroDivisionError
    with promised(800):
        pass


def test_one_model_after_another_is_never_refused_for_those_before(machine: Machine) -> None:
    config = GPTConfig(vocab_size=300, context_length=16, emb_dim=16, n_heads=2, n_layers=2)
    size = Ledger(config).weight_bytes(4)
    machine.n_bytes = 3 * size
    for seed in range(5):
        assert cached_model(ModelKey(config, seed)).nbytes == size
        assert has_model(ModelKey(config, seed))
    assert shared().nbytes <= shared().max_bytes


def test_freed_memory_can_be_handed_back() -> None:
    memory.give_back()  # wherever it runs

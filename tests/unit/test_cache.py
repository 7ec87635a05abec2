"""The cache is bounded by bytes, and makes a thing once however many ask for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from gptviz import cache
from gptviz.byte_cache import ByteCache
from gptviz.cache import cached_model, cached_trace, has_model, kept_trace
from gptviz.config import Dropout, GPTConfig
from gptviz.memory import shared
from gptviz.presets import PRESETS
from gptviz.tracing.changes import silence
from gptviz.tracing.passes import ModelKey, pass_of

SMALL = GPTConfig(vocab_size=300, context_length=16, emb_dim=16, n_heads=2, n_layers=2)


@dataclass(frozen=True, eq=False)
class Thing:
    nbytes: int


def thing(nbytes: int) -> Callable[[], Thing]:
    return lambda: Thing(nbytes)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    shared.cache_clear()
    yield
    shared.cache_clear()


def test_what_was_used_longest_ago_goes_first() -> None:
    kept = ByteCache(100)
    first = kept.get("a", thing(40))
    kept.get("b", thing(40))
    assert kept.get("a", thing(40)) is first
    kept.get("c", thing(40))
    assert ("a" in kept, "b" in kept, "c" in kept) == (True, False, True)
    assert kept.nbytes == 80


def test_what_is_too_large_is_given_but_not_kept() -> None:
    kept = ByteCache(100)
    kept.get("a", thing(60))
    assert kept.get("b", thing(101)).nbytes == 101
    assert ("a" in kept, "b" in kept) == (True, False)


def test_looking_makes_nothing() -> None:
    kept = ByteCache(100)
    assert kept.peek("a") is None
    made = kept.get("a", thing(40))
    assert kept.peek("a") is made


def test_many_who_ask_at_once_share_one() -> None:
    kept, asked, made = ByteCache(100), threading.Barrier(4, timeout=30), []

    def make() -> Thing:
        made.append(threading.get_ident())
        threading.Event().wait(0.05)  # long enough for all others to come by
        return Thing(1)

    def ask(_: int) -> Thing:
        asked.wait()
        return kept.get("a", make)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1
    assert len(made) == 1


def test_different_things_do_not_wait_for_each_other() -> None:
    kept, both = ByteCache(100), threading.Barrier(2, timeout=30)

    def make() -> Thing:
        both.wait()  # passes only if the other is being made too
        return Thing(1)

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(lambda key: kept.get(key, make), "ab"))) == 2


def test_a_failure_reaches_the_caller_and_is_not_kept() -> None:
    kept = ByteCache(100)

    def fail() -> Thing:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        kept.get("a", fail)
    assert kept.get("a", thing(7)).nbytes == 7


def test_a_thing_goes_before_what_it_holds() -> None:
    kept = ByteCache(100)
    kept.get("model", thing(50))
    for key in ("trace 1", "trace 2"):
        kept.get(key, thing(20), holds="model")
    kept.get("other", thing(30))  # room for it: trace 1 goes, the model stays
    assert [key in kept for key in ("model", "trace 1", "trace 2")] == [True, False, True]
    kept.peek("trace 2", holds="model")
    kept.get("third", thing(50))  # trace 2 was looked at last, yet the model outlives it
    assert [key in kept for key in ("model", "trace 2", "other", "third")] == [
        True,
        False,
        False,
        True,
    ]


def test_a_thing_is_not_kept_without_what_it_holds() -> None:
    kept = ByteCache(100)
    kept.get("trace", thing(20), holds="model")
    assert "trace" not in kept
    kept.get("model", thing(90))
    kept.get("trace", thing(20), holds="model")  # both together are too large
    assert ("model" in kept, "trace" in kept) == (True, False)


def test_models_and_traces_are_shared_by_all_that_matters() -> None:
    assert cached_model(ModelKey(SMALL)) is cached_model(ModelKey(SMALL))
    assert cached_model(ModelKey(SMALL)) is not cached_model(ModelKey(SMALL, seed=5))
    assert cached_model(ModelKey(SMALL)) is not cached_model(
        ModelKey(SMALL.changed(tie_weights=True))
    )
    one = cached_trace(pass_of(SMALL, [1, 2, 3]))
    assert cached_trace(pass_of(SMALL, (1, 2, 3))) is one
    assert cached_trace(pass_of(SMALL, [1, 2])) is not one
    assert cached_trace(pass_of(SMALL, [1, 2, 3], seed=5)) is not one
    assert cached_trace(pass_of(SMALL.changed(n_layers=1), [1, 2, 3])) is not one
    dropping = cached_trace(pass_of(SMALL, [1, 2, 3], dropout=Dropout(0.5)))
    assert dropping is not one
    assert dropping.model is one.model
    assert cached_trace(pass_of(SMALL, [1, 2, 3], dropout=Dropout(0.5, seed=1))) is not dropping
    assert kept_trace(pass_of(SMALL, [1, 2, 3], dropout=Dropout(0.5))) is dropping
    silenced = cached_trace(pass_of(SMALL, [1, 2, 3], changes=silence({(0, 1)})))
    assert silenced is not one
    assert silenced.model is one.model
    assert kept_trace(pass_of(SMALL, [1, 2, 3])) is one
    assert one.model is cached_model(ModelKey(SMALL)).model


def test_a_preset_and_its_configuration_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "gpt2-small", SMALL)
    assert cached_model(ModelKey("gpt2-small")) is cached_model(ModelKey(SMALL))
    assert cached_model(ModelKey("tales", seed=1)) is cached_model(
        ModelKey("tales", seed=2)
    )  # trained: no seed


def test_a_kept_trace_is_found_without_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_trace(pass_of(SMALL, [1, 2, 3])) is None
    one = cached_trace(pass_of(SMALL, [1, 2, 3]))
    monkeypatch.setattr(cache, "run", None)  # a pass would fail
    assert kept_trace(pass_of(SMALL, [1, 2, 3])) is one
    assert cached_trace(pass_of(SMALL, [1, 2, 3])) is one


def test_a_pass_can_be_stopped() -> None:
    def stop(layer: int) -> None:
        if layer == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cached_trace(pass_of(SMALL, [1, 2, 3]), before_block=stop)
    assert kept_trace(pass_of(SMALL, [1, 2, 3])) is None


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="no model 'gpt5'"):
        cached_trace(pass_of("gpt5", [1]))


def test_what_was_used_longest_ago_is_dropped_first_and_no_more_than_is_wanted() -> None:
    kept = ByteCache(100)
    for key in "abc":
        kept.get(key, thing(30))
    kept.peek("a")
    kept.drop(31)
    assert [key in kept for key in "abc"] == [True, False, False]
    kept.drop(1000)
    assert kept.nbytes == 0


def test_who_waits_for_one_that_was_stopped_makes_it_and_hears_nothing_of_it() -> None:
    kept, making, stop = ByteCache(100), threading.Event(), threading.Event()

    def stopped() -> Thing:
        making.set()
        assert stop.wait(30)
        raise InterruptedError

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.get, "a", stopped)
        assert making.wait(30)
        second = pool.submit(kept.get, "a", thing(7))
        stop.set()
        assert second.result(30).nbytes == 7
        with pytest.raises(InterruptedError):
            first.result(30)


def test_waiting_can_be_ended() -> None:
    kept, making, go_on = ByteCache(100), threading.Event(), threading.Event()

    def slow() -> Thing:
        making.set()
        assert go_on.wait(30)
        return Thing(7)

    def leave() -> None:
        raise InterruptedError

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get, "a", slow)
        assert making.wait(30)
        with pytest.raises(InterruptedError):
            kept.get("a", thing(7), while_waiting=leave)
        go_on.set()
        assert first.result(30) is kept.peek("a")


@pytest.mark.parametrize("source", [SMALL, "gpt2-small"])
def test_the_making_of_a_model_can_be_stopped(
    source: str | GPTConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS, "gpt2-small", SMALL)
    calls = []

    def stop() -> None:
        calls.append(None)
        if len(calls) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cached_trace(pass_of(source, [1]), before_each=stop)
    assert not has_model(ModelKey(source))
    assert shared().nbytes == 0
    assert cached_model(ModelKey(source)).nbytes  # and another visitor has it

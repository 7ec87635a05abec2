"""No session keeps a model or a trace: a real server, websocket sessions, and what lives on."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
import weakref
from contextlib import ExitStack

import pytest
import torch
from streamlit import config
from streamlit.runtime import Runtime
from streamlit.web.server import Server

from benchmarks.session import session
from gptviz import cache
from gptviz.config import GPTConfig
from gptviz.memory import shared
from gptviz.tracing.passes import ModelKey
from gptviz.ui.activations import options as activations
from gptviz.ui.attention import options as attention
from gptviz.ui.parameters import options as parameters
from gptviz.ui.prediction import options as prediction
from gptviz.ui.tokens import options as tokens

SIZES = {"vocab_size": 1000, "context_length": 32, "emb_dim": 48, "n_heads": 4, "n_layers": 3}
SMALL = {"model": "custom", **SIZES}
VIEWS = [
    ("", {}),
    ("", {"part": "blocks.0.attention", "block": "0"}),
    *(("tokens", {"tokens_view": view}) for view in tokens.VIEW.allowed),
    *(("activations", {"activations_view": view}) for view in activations.VIEW.allowed),
    *(("attention", {"attention_view": view}) for view in attention.VIEW.allowed),
    *(("prediction", {"prediction_view": view}) for view in prediction.VIEW.allowed),
    ("prediction", {"prediction_view": "write", "written": "3"}),
    *(("parameters", {"parameters_view": view}) for view in parameters.VIEW.allowed),
]
TRAIN = {"drop_rate": "0.1", "train": "True"}
N_TOKENS = 30
TEXT = " a" * N_TOKENS
STREAM_BYTES = N_TOKENS * SIZES["emb_dim"] * 4


@pytest.fixture
def address(root):
    """A server of its own threads in this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = {name: config.get_option(name) for name in ("server.port", "server.headless")}
    config.set_option("server.port", port)
    config.set_option("server.headless", True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start():
        server = Server(str(root / "app.py"), is_hello=False)
        await server.start()
        return server

    async def stop(server):
        server.stop()
        await server.stopped

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    yield f"http://127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(stop(server), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()
    Runtime._instance = None
    for name, value in before.items():
        config.set_option(name, value)


@pytest.fixture
def made(monkeypatch):
    """Weak references to every model and every trace that is made."""
    refs = []

    def noting(make):
        def noted(*arguments, **options):
            thing = make(*arguments, **options)
            refs.extend([weakref.ref(thing), weakref.ref(thing.model)])
            return thing

        return noted

    for name in ("build", "load", "run"):
        monkeypatch.setattr(cache, name, noting(getattr(cache, name)))
    return refs


def living(refs):
    """What is alive of it once the runs have ended, without what the cache keeps."""
    late = time.monotonic() + 20
    while time.monotonic() < late:
        shared.cache_clear()
        gc.collect()
        if not (alive := [ref() for ref in refs if ref() is not None]):
            return []
        del alive
        time.sleep(0.1)
    return [ref() for ref in refs if ref() is not None]


def tensor_bytes():
    """Of all tensors that live; those that numpy's arrays look into are among them."""
    things = [thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor)]
    return sum(thing.nbytes for thing in things if not thing.is_meta)


@pytest.mark.parametrize("more", [{}, TRAIN], ids=["eval", "train"])
def test_open_pages_keep_no_model_and_no_trace(address, made, more):
    with ExitStack() as open_ones:
        for page, link in VIEWS:
            made.clear()
            before = tensor_bytes()
            visitor = open_ones.enter_context(session(address))
            visitor.open(page, **{**SMALL, "text": TEXT, **link, **more})
            visitor.settle()
            assert made or page in ("parameters", "tokens"), (page, link)
            assert living(made) == [], (page, link)
            # A few numbers that are drawn may stay, but not even one stream of the trace.
            assert tensor_bytes() - before < STREAM_BYTES, (page, link)


@pytest.mark.parametrize(("view", "file"), [("map", "csv_all_heads"), ("lines", "csv_lines")])
def test_a_file_is_made_from_the_cache_again_when_it_is_asked_for(address, made, view, file):
    with session(address) as visitor:
        visitor.open("attention", **SMALL, text=TEXT, attention_view=view)
        visitor.settle()
        assert living(made) == []
        made.clear()
        assert visitor.download(file).endswith(".csv")
        assert made  # once more
        assert living(made) == []


def test_visits_that_are_over_leave_nothing(address, made):
    for seed in range(3):
        with session(address) as visitor:
            visitor.open("attention", **SMALL, text=TEXT, seed=seed)
            visitor.settle()
    assert len(made) >= 2 * 3
    assert living(made) == []


def test_a_closed_tab_stops_the_making_of_its_model(address, monkeypatch):
    begun, over, build = threading.Event(), threading.Event(), cache.build
    models = []

    def slow_build(config, seed, before_each):
        def before():
            begun.set()
            before_each()
            time.sleep(0.05)

        try:
            models.append(build(config, seed, before))
        finally:
            over.set()
        return models[-1]

    monkeypatch.setattr(cache, "build", slow_build)
    many = {**SMALL, "n_layers": 100, "seed": 77}  # 600 bands: half a minute
    with session(address) as visitor:
        visitor.open("attention", **many)
        assert begun.wait(30)
    assert over.wait(5)
    assert not models
    assert not cache.has_model(ModelKey(GPTConfig(**{**SIZES, "n_layers": 100}), 77))

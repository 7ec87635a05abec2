"""All levels of the picture together, held against the model that is built and that runs."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.diagram.layout import lay_out
from gptviz.diagram.parts import can_open, piece, shape_text
from gptviz.diagram.parts import levels as levels_in
from gptviz.diagram.view import View
from gptviz.model import GPTModel
from gptviz.tracing.trace import trace
from gptviz.words.code import code_of

HOLDERS = ("", "blocks")  # modules that only hold others
NOTHING_CHOSEN = "out_head.sampling"  # a token, no tensor


@st.composite
def small_configs(draw):
    n_heads = draw(st.integers(1, 4))
    return GPTConfig(
        vocab_size=draw(st.integers(257, 300)),
        context_length=draw(st.integers(8, 12)),
        emb_dim=n_heads * draw(st.integers(1, 5)),
        n_heads=n_heads,
        n_layers=draw(st.integers(1, 3)),
        drop_rate=draw(st.sampled_from([0.0, 0.2])),
        qkv_bias=draw(st.booleans()),
        tie_weights=draw(st.booleans()),
        placeholders=draw(st.frozensets(st.sampled_from(PLACEHOLDER_PARTS))),
    )


def levels(config):
    """Everything that can be open, one after the other."""
    blocks = [f"blocks.{layer}" for layer in range(config.n_layers)]
    inside = [f"{block}.{name}" for block in blocks for name in levels_in(config, block)]
    return [path for path in ("", *levels_in(config), *blocks, *inside) if can_open(config, path)]


def drawings(config, n_tokens=0, narrow=False):
    labels, ids = tuple("x" * n_tokens), tuple(range(n_tokens))
    return {path: lay_out(View(config, labels, ids, path), narrow) for path in levels(config)}


def modules(config):
    return {path for path, _ in GPTModel(config, device="meta").named_modules()} - {*HOLDERS}


@settings(deadline=None, max_examples=25)
@given(small_configs())
def test_every_module_is_met_on_the_way_down_and_once_on_each_picture(config):
    seen = {"wide": set(), "narrow": set()}
    for which, paths in seen.items():
        for opened, drawing in drawings(config, narrow=which == "narrow").items():
            here = [box.path for box in drawing.boxes]
            twice = {path for path in here if here.count(path) > 1}
            # where it is wide, a small box stays in the column for what is open beside it
            beside = {opened, ".".join(opened.split(".")[:2])} if which == "wide" else set()
            assert twice <= beside
            paths |= set(here)
        assert modules(config) <= paths


@settings(deadline=None, max_examples=10)
@given(small_configs())
def test_a_part_without_a_module_names_the_function_that_computes_it(config):
    paths = {box.path for drawing in drawings(config).values() for box in drawing.boxes}
    for path in paths - modules(config):
        found = code_of(config, path)
        assert found or piece(config, path).placeholder, path
        if found is None:
            continue
        where, code = found
        assert re.fullmatch(r"[\w/]+\.py: [\w.]+", where), path
        assert code.strip(), path


def outputs(config, n_tokens):
    """The shapes of what really comes out of all modules, and of all steps in between."""
    model, seen = GPTModel(config).eval(), {}
    for path, module in model.named_modules():
        module.register_forward_hook(
            lambda _module, _inputs, output, path=path: seen.update({path: tuple(output.shape[1:])})
        )
    ids = torch.arange(n_tokens)
    with torch.inference_mode():
        model(ids[None])
    seen["pos_emb"] = seen["tok_emb"]  # it has no batch axis
    return seen, trace(GPTModel(config).eval(), ids)


def of_step(traced, path):
    """The shape of what a step without a module makes, from the trace."""
    if path == "tokens":
        return tuple(traced.token_ids.shape)
    if path in ("next_token", "out_head.softmax"):
        return tuple(traced.probabilities().shape)
    if re.search(r"\.(split|core\.\w+)$", path):
        n_heads = traced.config.n_heads
        each = [traced.at(path, head) for head in range(n_heads)]
        return tuple(torch.stack(each).shape)
    return tuple(traced.at(path).shape)


@settings(deadline=None, max_examples=25)
@given(config=small_configs(), n_tokens=st.integers(1, 8), narrow=st.booleans())
def test_shapes_on_lines_and_of_parts_are_those_of_the_tensors_in_a_real_pass(
    config, n_tokens, narrow
):
    seen, traced = outputs(config, n_tokens)
    for drawing in drawings(config, n_tokens, narrow).values():
        for line in drawing.lines:
            assert line.shape == shape_text(seen.get(line.source) or of_step(traced, line.source))
        for path in {box.path for box in drawing.boxes} - {NOTHING_CHOSEN, "blocks"}:
            if path == "out_head.matmul":
                path = "out_head"  # of a trace there is but the last row
            shape = seen.get(path) or of_step(traced, path)
            assert piece(config, path, n_tokens).output == shape, path


@pytest.mark.parametrize("n_layers", [1, 96])
def test_any_number_of_blocks_can_be_gone_through(n_layers):
    config = GPTConfig(emb_dim=96, n_layers=n_layers)
    for layer in range(n_layers):
        boxes = [box.path for box in lay_out(View(config, opened=f"blocks.{layer}")).boxes]
        neighbours = {f"blocks.{i}" for i in (layer - 1, layer + 1) if 0 <= i < n_layers}
        assert neighbours <= set(boxes)

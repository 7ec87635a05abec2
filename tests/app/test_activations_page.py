"""The activations page: every view shows the trace's own numbers, for any model and sentence."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.analysis.station_numbers import station_values
from gptviz.analysis.stations import stations
from gptviz.cache import cached_trace
from gptviz.config import Dropout, GPTConfig
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.passes import pass_of
from gptviz.ui.activations.options import NORMS, VIEW

PAGE = "pages/activations.py"
TEXT = "Once upon a time there was a king"
VIEWS = VIEW.allowed


@pytest.fixture
def trace():
    return cached_trace(pass_of("tales", Tokenizer(8192).encode(TEXT)))


@pytest.fixture
def dropping(trace):
    return cached_trace(pass_of("tales", trace.token_ids.tolist(), dropout=Dropout(0.2, seed=7)))


@pytest.fixture
def view(visit):
    """``view(name, **link)``: the trained model's page, open at a view."""
    return lambda name, **link: visit(PAGE, activations_view=name, text=TEXT, **link)


def data(page, number):
    """The traces of the page's figure of this number."""
    return page.figures()[number]["data"]


def test_the_stream_is_the_traces(view, trace, numbers):
    page = view("stream")
    streams = [trace.embeddings, *(block.resid_post for block in trace.blocks)]
    norms = np.stack([stream.norm(dim=-1).numpy() for stream in streams])
    np.testing.assert_allclose(numbers(data(page, 0)[0]["customdata"]), norms, rtol=1e-5)
    assert numbers(data(page, 1)[0]["z"]).shape == (6, trace.n_tokens)


def test_what_is_added_is_shown_beside_the_stream_or_alone(view, trace, numbers):
    page = view("added")
    block = trace.blocks[4]
    alone = block.feed_forward_out.norm(dim=-1)
    beside = alone / block.resid_mid.norm(dim=-1)
    shown = numbers(data(page, 1)[0]["customdata"])[4]
    np.testing.assert_allclose(shown, beside.numpy(), rtol=1e-5)
    page.set("relative", False)
    shown = numbers(data(page, 1)[0]["customdata"])[4]
    np.testing.assert_allclose(shown, alone.numpy(), rtol=1e-5)
    assert page.link["relative"] == "false"


def test_the_sum_is_that_of_the_chosen_token_and_block(view, trace, numbers):
    page = view("token", token="3").set("layer", 2)
    rows = numbers(data(page, 1)[0]["z"])
    np.testing.assert_array_equal(rows[-1], trace.blocks[2].resid_post[3].numpy())
    np.testing.assert_allclose(rows[:-1].sum(axis=0), rows[-1], atol=1e-5)
    assert "(largest difference: 0)" in page.words
    length = float(trace.blocks[2].resid_post[3].norm())
    assert f"{length:.3f}" in page.words


@pytest.mark.parametrize("station", stations(GPTConfig()), ids=lambda station: station.path)
def test_every_station_shows_its_own_numbers(station, view, trace, numbers):
    page = view("station").set("layer", 2).set("station", station.path)
    shown = numbers(data(page, 0)[0]["z"])
    np.testing.assert_allclose(shown, station_values(trace, 2, station.path), rtol=1e-3, atol=1e-3)
    assert f"`blocks.2.{station.path}`" in page.words


def test_dimensions_can_be_sorted_and_outliers_are_named(view, trace, numbers):
    page = view("station", layer="3", station="shortcut2").set("by_size", True)
    values = trace.blocks[3].resid_post.numpy()
    largest = int(np.abs(values).mean(axis=0).argmax())
    assert data(page, 0)[0]["x"][0] == str(largest)
    np.testing.assert_array_equal(numbers(data(page, 0)[0]["z"])[:, 0], values[:, largest])
    assert page.link["by_size"] == "true"
    threshold = 6 * np.median(np.abs(values).mean(axis=0))
    assert f"**{threshold:.4g}**" in page.words
    table = page.app.table[0].value
    assert table.index[0] == str(largest)
    n_large = int((np.abs(values[:, largest]) > threshold).sum())
    assert table.iloc[0, -1] == f"{n_large} of {trace.n_tokens}"


@pytest.mark.parametrize("norm", NORMS)
def test_a_norm_brings_every_token_to_mean_0_and_variance_1(norm, view, trace, numbers):
    page = view("norms", norm_of=norm, layer="1", token="2")
    before, _, bars, middles, after, _ = data(page, 0)
    np.testing.assert_allclose(numbers(middles["y"]), 0, atol=1e-6)
    np.testing.assert_allclose(numbers(bars["y"]), 2, rtol=1e-2)
    inputs = {"norm1": trace.blocks[1].resid_pre, "norm2": trace.blocks[1].resid_mid}
    stream = inputs.get(norm, trace.blocks[5].resid_post)
    deviations = stream.std(dim=-1, correction=0).numpy()
    np.testing.assert_allclose(numbers(before["y"]), 2 * deviations, rtol=1e-4)
    outputs = {"norm1": trace.blocks[1].normed1, "norm2": trace.blocks[1].normed2}
    out = outputs.get(norm, trace.final_norm)
    np.testing.assert_allclose(numbers(after["y"]), 2 * out.std(-1, correction=0), rtol=1e-4)
    assert f"{float(stream[2].mean()):.6f}"[:7] in page.words


def test_gelu_and_silence_are_the_blocks(view, trace, numbers):
    page = view("neurons", layer="3")
    _, low, _ = data(page, 0)
    hidden, activations = trace.blocks[3].ff_hidden, trace.blocks[3].gelu_out
    assert numbers(low["y"]).sum() == hidden.numel()
    by_token = data(page, 2)
    np.testing.assert_allclose(numbers(by_token[0]["y"]), (hidden < 0).float().mean(-1), rtol=1e-5)
    silent = activations.abs() < 0.01
    np.testing.assert_allclose(numbers(by_token[1]["y"]), silent.float().mean(-1), rtol=1e-5)
    by_block = numbers(data(page, 1)[1]["y"])
    assert by_block[3] == pytest.approx(float(silent.float().mean()), rel=1e-5)
    assert f"In block 3, {int(silent.all(0).sum())} " in page.words


def test_the_busiest_neuron_is_shown_until_another_is_chosen(view, trace, numbers):
    page = view("neurons", layer="2", token="4")
    activations = trace.blocks[2].gelu_out
    busiest = int(activations[4].abs().argmax())
    assert data(page, 3)[0]["y"][0] == f"neuron {busiest}"
    np.testing.assert_array_equal(numbers(data(page, 4)[0]["y"]), activations[:, busiest])
    assert "neuron" not in page.link
    page.set("neuron", 17)
    np.testing.assert_array_equal(numbers(data(page, 4)[0]["y"]), activations[:, 17])
    assert page.link["neuron"] == "17"
    lengths = trace.model.blocks[2].feed_forward.linear2.weight.detach().norm(dim=0)
    written = activations[4].abs() * lengths
    page.set("by_writing", True)
    assert data(page, 3)[0]["y"][0] == f"neuron {int(written.argmax())}"
    np.testing.assert_allclose(numbers(data(page, 3)[0]["x"])[0], written.max(), rtol=1e-5)


@pytest.mark.parametrize(("name", "layer"), [("drop_emb", 0), ("drop1", 3), ("drop2", 5)])
def test_the_mask_is_the_one_that_dropped(name, layer, visit, dropping, numbers):
    link = {"train": "true", "drop_rate": "0.2", "mask_seed": "7", "layer": str(layer)}
    page = visit(PAGE, text=TEXT, activations_view="dropout", dropped_at=name, **link)
    block = dropping.blocks[layer]
    outputs = {"drop1": block.attention_out, "drop2": block.feed_forward_out}
    out = outputs.get(name, dropping.embeddings).numpy()
    shown = numbers(data(page, 0)[0]["z"])
    np.testing.assert_array_equal(shown == 0, out == 0)
    assert f"**{(shown == 0).mean():.2%} of {out.size:,} numbers were dropped" in page.words
    assert "drop_rate is 20%" in page.words
    page.set("mask_seed", 8)
    assert (numbers(data(page, 0)[0]["z"]) != shown).any()


def test_eval_mode_has_no_mask_and_says_why(view):
    page = view("dropout")
    assert "eval mode, where nothing is dropped" in page.said
    assert "raise drop_rate" in page.said
    assert not page.figures()
    assert "raise drop_rate" not in view("dropout", drop_rate="0.1").said
    assert "drop_rate is 0" in view("dropout", train="true").said


@pytest.mark.parametrize("train", ["false", "true"])
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_of_one_token_with_random_weights(name, train, small):
    page = small(PAGE, activations_view=name, text="a", train=train, drop_rate="0.5")
    assert page.figures() or "eval mode" in page.said


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize(
    "placeholders", [*([part] for part in ("norm", "attention", "feed_forward", "shortcut")),
                     ["norm", "attention", "feed_forward", "shortcut"]], ids=",".join
)  # fmt: skip
def test_every_view_with_placeholders(placeholders, name, small):
    missing = dict.fromkeys(placeholders, "false")
    link = {"train": "true", "drop_rate": "0.3", "text": "a b c"}
    page = small(PAGE, activations_view=name, **link, **missing)
    says = {
        "stream": ["shortcut"],
        "added": ["shortcut"],
        "token": [],
        "station": ["norm", "attention", "feed_forward", "shortcut"],
        "norms": ["norm"],
        "neurons": ["feed_forward"],
        "dropout": [],
    }[name]
    if name == "station":
        assert ("placeholder" in page.said) == (len(placeholders) == 4)
    else:
        assert ("placeholder" in page.said) == bool(set(says) & set(placeholders))


def test_a_dropout_of_a_placeholder_is_not_offered(small):
    link = {"train": "true", "drop_rate": "0.3", "text": "a b c", "attention": "false"}
    page = small(PAGE, activations_view="dropout", **link)
    assert page.value("dropped_at") == "drop_emb"
    assert page.set("dropped_at", "drop2").figures()
    assert not page.toasts


@pytest.mark.parametrize("name", VIEWS)
def test_an_empty_sentence_is_asked_for(name, small):
    page = small(PAGE, activations_view=name, text="")
    assert "The sentence is empty" in page.said
    assert not page.figures()


def test_a_long_sentence_is_drawn_in_part_and_the_part_stands_in_the_link(small, numbers):
    wide = {"emb_dim": "1024", "n_heads": "4", "n_layers": "1", "context_length": "512"}
    link = {"text": "a " * 250, "station": "feed_forward.gelu", "first_token": "200"}
    page = small(PAGE, activations_view="station", **link, **wide)
    shown = data(page, 0)[0]
    rows = 400_000 // 4096
    assert numbers(shown["z"]).shape == (rows, 4096)
    assert shown["y0"] == page.n_tokens - rows  # as near to 200 as there are tokens
    page.set("first_token", 5)
    assert data(page, 0)[0]["y0"] == 5
    assert page.link["first_token"] == "5"


def test_a_neuron_that_a_smaller_model_lacks_is_brought_into_range(small):
    page = small(PAGE, activations_view="neurons", text="a b", neuron="191")
    assert page.set("emb_dim", 24).value("neuron") == -1  # the busiest

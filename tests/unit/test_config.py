from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptviz.config import ABOUT, GPT_CONFIG_124M, ConfigError, Dropout, GPTConfig, valid_widths
from gptviz.presets import PRESETS

LECTURE = {
    "vocab_size": 50257,
    "context_length": 1024,
    "emb_dim": 768,
    "n_heads": 12,
    "n_layers": 12,
    "drop_rate": 0.1,
    "qkv_bias": False,
}


def test_the_lectures_seven_keys_come_first_in_its_order_with_its_values():
    assert list(GPT_CONFIG_124M.items()) == list(LECTURE.items())
    assert list(GPTConfig().as_dict().items())[:7] == list(LECTURE.items())
    assert GPTConfig(**GPT_CONFIG_124M) == GPTConfig() == PRESETS["gpt2-small"]


def test_our_own_fields_change_nothing_by_default():
    plain = GPTConfig()
    assert (plain.tie_weights, plain.placeholders) == (False, frozenset())


@pytest.mark.parametrize(
    ("preset", "context_length", "emb_dim", "n_layers", "n_heads", "head_dim"),
    [
        ("gpt2-small", 1024, 768, 12, 12, 64),
        ("gpt2-medium", 1024, 1024, 24, 16, 64),
        ("gpt2-large", 1024, 1280, 36, 20, 64),
        ("gpt2-xl", 1024, 1600, 48, 25, 64),
        ("gpt3-175b", 2048, 12288, 96, 96, 128),
        ("tales", 256, 256, 6, 8, 32),
    ],
)
def test_presets(preset, context_length, emb_dim, n_layers, n_heads, head_dim):
    config = PRESETS[preset]
    assert (config.context_length, config.emb_dim) == (context_length, emb_dim)
    assert (config.n_layers, config.n_heads, config.head_dim) == (n_layers, n_heads, head_dim)
    assert config.ff_dim == 4 * emb_dim


@pytest.mark.parametrize(
    ("field", "value", "rule", "neighbour"),
    [
        ("vocab_size", 0, "a whole number of at least 1", 1),
        ("vocab_size", 5e4, "a whole number of at least 1", 1),
        ("head_dim", -1, "a whole number of at least 0", 0),
        ("ff_dim", 2.5, "a whole number of at least 0", 0),
        ("context_length", 0, "a whole number of at least 1", 1),
        ("emb_dim", -768, "a whole number of at least 1", 1),
        ("emb_dim", True, "a whole number of at least 1", 1),
        ("n_heads", 0, "a whole number of at least 1", 1),
        ("n_layers", "12", "a whole number of at least 1", 1),
        ("drop_rate", 1.0, "a number from 0 up to, not including, 1", 0.1),
        ("drop_rate", -0.1, "a number from 0 up to, not including, 1", 0.1),
        ("drop_rate", float("nan"), "a number from 0 up to, not including, 1", 0.1),
        ("drop_rate", "0.1", "a number from 0 up to, not including, 1", 0.1),
        ("qkv_bias", 1, "True or False", False),
        ("tie_weights", None, "True or False", False),
        ("placeholders", "norm", "a set of names from attention, norm, feed_forward", set()),
        ("placeholders", None, "a set of names from attention, norm, feed_forward", set()),
    ],
)
def test_an_error_names_field_value_rule_and_a_neighbour(field, value, rule, neighbour):
    with pytest.raises(ConfigError) as caught:
        GPTConfig(**{field: value})
    message = str(caught.value)
    assert caught.value.field == field
    assert f"{field}={value!r}" in message
    assert rule in message
    assert message.endswith(f"try {neighbour}")
    if field not in ("emb_dim", "n_heads"):  # these two have to fit each other as well
        GPTConfig(**{field: neighbour})


def test_what_follows_from_other_fields_follows_them_until_it_is_given():
    plain = GPTConfig()
    assert (plain.head_dim, plain.ff_dim, plain.attn_dim) == (64, 3072, 768)
    assert (plain.given("head_dim"), plain.given("ff_dim"), plain.given("emb_dim")) == (0, 0, 768)
    assert plain.changed(emb_dim=1536).ff_dim == 6144
    assert GPTConfig(head_dim=64, ff_dim=3072) == plain  # the same model, however it is asked for
    odd = GPTConfig(emb_dim=3, n_heads=2, head_dim=1)  # what an uneven division leaves
    assert odd.changed(n_layers=2).head_dim == GPTConfig(**odd.as_dict()).head_dim == 1
    free = GPTConfig(emb_dim=770, head_dim=100, ff_dim=5)
    assert (free.attn_dim, free.given("head_dim")) == (1200, 100)
    assert (free.changed(emb_dim=13).head_dim, free.changed(emb_dim=13).ff_dim) == (100, 5)
    assert GPTConfig(**free.as_dict()) == free
    assert "head_dim" in free.as_dict()
    assert "head_dim" not in plain.as_dict()


def test_every_field_says_what_it_is_and_what_a_slider_offers():
    assert set(ABOUT) == {each.name for each in dataclasses.fields(GPTConfig)} - {"placeholders"}
    for name, about in ABOUT.items():
        assert about.help
        assert about.least <= GPTConfig().given(name) <= about.most


def test_emb_dim_that_the_heads_do_not_divide():
    with pytest.raises(ConfigError) as caught:
        GPTConfig(emb_dim=770, n_heads=12)
    assert str(caught.value) == "emb_dim=770 must be divisible by n_heads=12: try 768 or 780"


def test_unknown_placeholders_are_named():
    with pytest.raises(ConfigError, match=re.escape("placeholders has 'gelu', 'head', but only")):
        GPTConfig(placeholders={"norm", "head", "gelu"})


@given(emb_dim=st.integers(1, 20_000), n_heads=st.integers(1, 200))
def test_the_neighbours_offered_are_valid_and_nearest(emb_dim, n_heads):
    widths = valid_widths(emb_dim, n_heads)
    assert widths
    for width in widths:
        assert GPTConfig(emb_dim=width, n_heads=n_heads).head_dim * n_heads == width
        assert abs(width - emb_dim) < n_heads
    assert (widths == (emb_dim,)) == (emb_dim % n_heads == 0)


@pytest.mark.parametrize("kind", [set, frozenset, list, tuple])
def test_placeholders_become_one_hashable_kind(kind):
    config = GPTConfig(placeholders=kind(["norm", "attention"]))
    assert config.placeholders == frozenset({"attention", "norm"})
    assert config == GPTConfig(placeholders={"attention", "norm"})
    assert hash(config) == hash(GPTConfig(placeholders={"attention", "norm"}))
    assert [config.has(part) for part in ("attention", "feed_forward")] == [False, True]


def test_a_configuration_goes_through_json_and_back():
    config = GPTConfig(n_layers=2, tie_weights=True, placeholders={"shortcut", "norm"})
    assert GPTConfig(**json.loads(json.dumps(config.as_dict()))) == config


def test_changed_checks_anew_and_leaves_the_old_one():
    config = GPTConfig()
    assert config.changed(n_heads=16).head_dim == 48
    assert config.n_heads == 12
    with pytest.raises(ConfigError, match="n_heads=7"):
        config.changed(n_heads=7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.n_heads = 16


@pytest.mark.parametrize("rate", [1, -0.1, float("nan"), "0.1", True])
def test_a_pass_drops_a_share_as_a_configuration_does(rate):
    with pytest.raises(ConfigError, match="drop_rate"):
        Dropout(rate)
    assert Dropout(0.5).rate == 0.5

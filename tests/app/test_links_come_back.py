"""The link holds all that is on the screen: whoever comes by it finds the same."""

from __future__ import annotations

import pytest

from gptviz.config import GPTConfig
from gptviz.presets import PRESETS
from gptviz.ui.pages import CHOICES, OF_THE_PAGES
from gptviz.ui.shell.fields import FIELDS

TALES = PRESETS["tales"]

# A small model of one's own, and what of it is no default.
OWN = {
    "model": "custom",
    "vocab_size": 400,
    "context_length": 64,
    "emb_dim": 96,
    "n_heads": 6,
    "n_layers": 4,
    "head_dim": 8,
    "ff_dim": 100,
    "drop_rate": 0.25,
    "qkv_bias": True,
    "tie_weights": True,
    "seed": 7,
    "train": True,
    "mask_seed": 8,
    "norm": False,
    "attention": False,
    "feed_forward": False,
    "shortcut": False,
}
# Where what is allowed is too much to be listed.
SUCH = {
    "text": "Grüße <b>&</b> 😀, a+b = 100 %",
    "part": "blocks.2.attention",
    "aside": '{"n_layers":3,"placeholders":["norm"]}',
}
SMALL_ONE = {"model": "custom", "vocab_size": "300", "emb_dim": "48", "n_heads": "6"}


# What a person moves on the two pages, by its own control.
MOVED = {
    "app.py": [
        *("qkv_bias", "tie_weights", "train", "drop_rate", "n_layers", "seed", "symbolic"),
        *("norm", "shortcut", "vocab_size", "context_length", "text", "block"),
    ],
    "pages/parameters.py": ["rows", "length", "numbers", "device", "decimal", "parameters_view"],
}


def ends(choice, config, n_tokens):
    """The first and the last that can be chosen."""
    if choice.key in SUCH:
        return {SUCH[choice.key]}
    allowed = choice.allowed_of(config, n_tokens)
    return {allowed[0], allowed[-1]}


def in_link(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("choice", "value"),
    [(each, value) for each in CHOICES for value in sorted(ends(each, TALES, 3))],
    ids=lambda each: getattr(each, "key", repr(each)),
)
def test_each_choice_comes_back_by_the_link_alone(choice, value, visit):
    """One at a time, so that none is kept by another."""
    page = visit("pages/parameters.py", **{"text": "a b c", choice.key: in_link(value)})
    assert page.toasts == []
    assert page.app.session_state[choice.key] == value
    again = visit("pages/parameters.py", **page.link)
    assert again.toasts == []
    assert again.app.session_state[choice.key] == value
    assert again.link == page.link


def test_the_link_has_every_choice_and_nothing_else(visit):
    page = visit(text="Hi")
    keys = [choice.key for choice in CHOICES]
    assert len(keys) == len(set(keys))
    assert set(page.app.session_state["kept"]) == set(keys)
    assert page.link == {"text": "Hi"}


def chosen():
    """A value that is not the default, for all that can be chosen."""
    missing = {"norm", "feed_forward", "shortcut"}  # attention is there: see below
    config = GPTConfig(**{field: OWN[field] for field in FIELDS}, placeholders=missing)
    others = {}
    for choice in OF_THE_PAGES:
        default = choice.default_of(config, 3)
        others[choice.key] = next(v for v in ends(choice, config, 3) if v != default)
    return OWN | {"text": SUCH["text"]} | others | {"block": "2", "against": "kept"}


@pytest.mark.parametrize("path", ["app.py", "pages/parameters.py"])
def test_all_choices_together_come_back_and_give_the_same_screen(path, visit):
    wanted = chosen() | {"attention": True}  # some choices are there with it only
    page = visit(path, **{key: in_link(value) for key, value in wanted.items()})
    assert page.toasts == []
    again = visit(path, **page.link)
    assert again.toasts == []
    for key, value in wanted.items():
        assert again.app.session_state[key] == value, key
    assert again.heading == page.heading
    assert again.words == page.words
    if path == "app.py":
        assert again.sent("diagram") == page.sent("diagram")


@pytest.mark.parametrize(("path", "key"), [(p, key) for p, keys in MOVED.items() for key in keys])
def test_what_is_moved_on_the_page_is_found_by_a_fresh_visit(path, key, visit):
    link = {"text": "a b", "parameters_view": "costs", **SMALL_ONE}
    wanted = chosen()[key]
    page = visit(path, **link).set(key, wanted)
    fresh = visit(path, **page.link)
    assert fresh.value(key) == wanted
    assert fresh.heading == page.heading
    assert fresh.words == page.words


def test_a_stage_of_the_course_is_found_by_a_fresh_visit(visit):
    page = visit(text="a b", **SMALL_ONE).set("stage", 3)
    fresh = visit(**page.link)
    assert fresh.value("stage") == 3
    assert fresh.heading == page.heading
    assert fresh.sent("diagram") == page.sent("diagram")


@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "x" * 100_000, "٣", "１２", "1_0", " 7", "7 ", "+7", "7.0", "0x7", "1e1", "−3"],
    ids=lambda value: repr(value[:9]),
)
def test_numbers_that_only_look_like_one(value, visit):
    """Huge ones, other scripts' digits, signs, underscores: a number or the default, no crash."""
    page = visit(text="Hi", n_layers=value)
    if page.toasts:
        assert page.value("n_layers") == PRESETS["tales"].n_layers
        assert len(page.toasts[0]) < 200
    else:
        assert page.value("n_layers") == int(value)

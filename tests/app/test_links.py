"""Links made by hand: what can't be had is left out, and the page says so."""

from __future__ import annotations

import pytest

from gptviz.config import PRESETS, GPTConfig
from gptviz.ledger import Ledger
from gptviz.ui.controls import FIELDS

NONSENSE = {
    "model": ["gpt5", "", "<script>"],
    "vocab_size": ["0", "256", "-1", "1e9", "many", "200001", "nan"],
    "context_length": ["0", "-5", "x", "99999999999999999999"],
    "emb_dim": ["0", "16385", "x"],
    "n_heads": ["0", "129", "x", "2,3"],
    "n_layers": ["0", "1000", "-3", "x", "inf"],
    "drop_rate": ["1", "-0.1", "nan", "x"],
    "qkv_bias": ["maybe", "2"],
    "tie_weights": ["maybe", ""],
    "norm": ["maybe", "2"],
    "attention": ["<b>", ""],
    "feed_forward": ["placeholder"],
    "shortcut": ["0"],
    "train": ["maybe", "1"],
    "mask_seed": ["-1", "x"],
    "seed": ["-1", "x", "99999999999999"],
    "block": ["99", "-1", "x", "6"],
    "inside": ["norm", "blocks.1", "<b>"],
    "part": ["nothing", "blocks.6", "blocks.1.norm3", "<b>"],
    "symbolic": ["maybe", "1"],
    "layer": ["6", "-1", "x"],
    "head": ["8", "-1", "<b>"],
    "token": ["1", "-2", "x"],  # the sentence is one token
    "station": ["nowhere", "norm3"],
    "rows": ["0", "4097", "x"],
    "length": ["0", "257", "x"],
    "numbers": ["fp4", ""],
    "device": ["abacus", ""],
    "decimal": ["maybe", "1"],
    "against": ["gpt5", "kept", "Nothing", ""],  # nothing is kept
}
PAGE_OF = {"layer": "pages/attention.py", "head": "pages/attention.py"}
PAGE_OF["station"] = "pages/activations.py"
PAGE_OF |= dict.fromkeys(
    ("rows", "length", "numbers", "device", "decimal", "against"), "pages/parameters.py"
)
NOT_DRAWN = ("inside", "part", "token")  # the picture is their control, or other pages have it
DEFAULT = {"inside": "", "part": "", "symbolic": False}
DEFAULT |= {"block": "all closed", "layer": 0, "head": 0, "station": "norm1", "seed": 123}
DEFAULT |= {"rows": 1, "length": 256, "numbers": "fp32", "device": "NVIDIA T4", "decimal": False}
DEFAULT |= {"against": "nothing", "token": -1}
DEFAULT |= {"train": False, "mask_seed": 123}
DEFAULT |= dict.fromkeys(("norm", "attention", "feed_forward", "shortcut"), True)


def test_every_key_of_the_link_is_tried(visit):
    assert {*NONSENSE, "text", "aside"} == set(visit(text="Hi").app.session_state["kept"])


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in NONSENSE.items() for value in values]
)
def test_the_default_stands_where_the_link_has_nonsense_and_the_page_says_so(key, value, visit):
    link = {"text": "Hi", key: value}
    if key == "mask_seed":  # it is there where something is dropped
        link |= {"train": "true", "drop_rate": "0.1"}
    if key == "seed":  # trained weights have none
        link |= {"model": "custom", "emb_dim": "48", "vocab_size": "300", "n_layers": "1"}
    page = visit(PAGE_OF.get(key, "app.py"), **link)
    expected = DEFAULT.get(key, getattr(PRESETS["tales"], key, "tales"))
    shown = page.app.session_state[key] if key in NOT_DRAWN else page.value(key)
    assert shown == expected
    assert len(page.toasts) == 1
    assert key in page.toasts[0]
    assert key not in page.link
    assert page.run().toasts == []  # once is enough


# A value that is not the default, for all that can be chosen.
CHOSEN = {
    "model": "custom",
    "text": "Grüße <b>&</b> 😀, a+b = 100 %",
    "vocab_size": 400,
    "context_length": 64,
    "emb_dim": 96,
    "n_heads": 6,
    "n_layers": 4,
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
    "block": "2",
    "inside": "attention",
    "part": "blocks.2.attention.query",
    "symbolic": True,
    "layer": 3,
    "head": 5,
    "token": 1,
    "station": "shortcut2",
    "rows": 3,
    "length": 9,
    "numbers": "int8",
    "device": "NVIDIA H200 SXM",
    "decimal": True,
    "against": "kept",
    "aside": '{"n_layers":3,"placeholders":["norm"]}',
}
SMALL_ONE = {"model": "custom", "vocab_size": "300", "emb_dim": "48", "n_heads": "6"}


def in_link(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_choice_is_tried(visit):
    assert set(CHOSEN) == set(visit(text="Hi").app.session_state["kept"])


@pytest.mark.parametrize("key", CHOSEN)
def test_each_choice_comes_back_by_the_link_alone(key, visit):
    """One at a time, so that none is kept by another."""
    path = PAGE_OF.get(key, "app.py")
    needed = {"mask_seed": ["train", "drop_rate"], "against": ["aside"], "part": ["block"]}
    asked = {name: in_link(CHOSEN[name]) for name in (key, *needed.get(key, ()))}
    link = {"text": "a b c", **SMALL_ONE, "n_layers": "4", **asked}
    page = visit(path, **link)
    assert page.toasts == []
    assert page.app.session_state[key] == CHOSEN[key]
    again = visit(path, **page.link)
    assert again.toasts == []
    assert again.app.session_state[key] == CHOSEN[key]
    assert again.link == page.link


@pytest.mark.parametrize("path", ["app.py", "pages/parameters.py"])
def test_all_choices_together_come_back_and_give_the_same_screen(path, visit):
    page = visit(path, **{key: in_link(value) for key, value in CHOSEN.items()})
    assert page.toasts == []
    again = visit(path, **page.link)
    assert again.toasts == []
    for key, value in CHOSEN.items():
        assert again.app.session_state[key] == value, key
    assert again.heading == page.heading
    assert again.words == page.words
    if path == "app.py":
        assert again.sent("diagram") == page.sent("diagram")


# What a person moves on the two pages, by its own control.
MOVED = {
    "app.py": [
        *("qkv_bias", "tie_weights", "train", "drop_rate", "n_layers", "seed", "symbolic"),
        *("norm", "shortcut", "vocab_size", "context_length", "text", "block"),
    ],
    "pages/parameters.py": ["rows", "length", "numbers", "device", "decimal"],
}


@pytest.mark.parametrize(("path", "key"), [(p, key) for p, keys in MOVED.items() for key in keys])
def test_what_is_moved_on_the_page_is_found_by_a_fresh_visit(path, key, visit):
    page = visit(path, text="a b", **SMALL_ONE).set(key, CHOSEN[key])
    fresh = visit(path, **page.link)
    assert fresh.value(key) == CHOSEN[key]
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


def test_what_is_unknown_is_said_and_does_no_harm(visit):
    page = visit(text="Hi", colour="<script>alert(1)</script>", __proto__="1")
    assert len(page.toasts) == 1
    assert "doesn't know" in page.toasts[0]
    assert "script" not in page.toasts[0]


def test_a_good_link_is_followed_without_a_word(visit):
    link = {"model": "gpt2-medium", "drop_rate": "0.2", "seed": "4", "text": "", "block": "23"}
    page = visit(**link)
    assert page.toasts == []
    assert page.said == ""
    assert (page.value("seed"), page.value("block"), page.value("text")) == (4, "23", "")
    assert page.parameters == Ledger(PRESETS["gpt2-medium"]).parameters


def test_a_default_in_the_link_is_no_nonsense(visit):
    tales = {field: str(getattr(PRESETS["tales"], field)).lower() for field in FIELDS}
    assert visit(model="tales", text="Hi", **tales).toasts == []


@pytest.mark.parametrize("name", ["tales", "gpt2-small"])
@pytest.mark.parametrize(("field", "value"), [("n_layers", 7), ("n_heads", 4), ("qkv_bias", True)])
def test_a_models_name_never_stands_over_another_configuration(name, field, value, visit):
    page = visit(model=name, text="", **{field: str(value).lower()})
    changed = PRESETS[name].changed(**{field: value})
    assert page.value("model") == "custom"
    assert "**custom, random weights" in page.heading
    assert page.parameters == Ledger(changed).parameters
    assert field in page.said
    assert page.press(f"Back to {name}").parameters == Ledger(PRESETS[name]).parameters


def test_an_impossible_width_in_the_link_is_explained(visit):
    page = visit("pages/parameters.py", model="custom", text="", emb_dim="770")
    assert "emb_dim=770 must be divisible by n_heads=12" in page.said
    assert page.offers == ["emb_dim = 768", "emb_dim = 780"]
    assert page.parameters == Ledger(GPTConfig()).parameters
    page.press("emb_dim = 780")
    assert page.parameters == Ledger(GPTConfig(emb_dim=780)).parameters

"""The link holds all that is on the screen: whoever comes by it finds the same."""

from __future__ import annotations

import pytest

from gptviz.presets import PRESETS
from gptviz.ui.shell import options

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
    "colours": options.COLOURS[-1],
    "layer": 3,
    "head": 5,
    "token": 1,
    "station": "shortcut2",
    "attention_view": list(options.ATTENTION_VIEWS)[-1],
    "measure": options.MEASURES[-1],
    "measured_on": "repeats",
    "at_least": 30,
    "silence": "chosen",
    "activations_view": "neurons",
    "relative": False,
    "by_size": True,
    "first_token": 1,
    "norm_of": "final_norm",
    "by_writing": True,
    "neuron": 11,
    "dropped_at": "drop1",
    "rows": 3,
    "length": 9,
    "numbers": "int8",
    "device": "NVIDIA H200 SXM",
    "decimal": True,
    "tokens_view": options.TOKENS_VIEWS[-1],
    "vocabulary": 512,
    "summed": True,
    "solid": True,
    "prediction_view": list(options.PREDICTION_VIEWS)[-1],
    "candidates": options.CANDIDATES[0],
    "lens_colour": options.LENS_COLOURS[-1],
    "lens_columns": options.LENS_COLUMNS[-1],
    "target": 5,
    "versus": 6,
    "temperature": options.TEMPERATURES[3],
    "top_k": 4,
    "top_p": options.TOP_PS[3],
    "draw_seed": 9,
    "many": 5,
    "written": 2,
    "drawn": 1,
    "against": "kept",
    "parameters_view": "costs",
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


def in_link(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_choice_is_tried(visit):
    assert set(CHOSEN) == set(visit(text="Hi").app.session_state["kept"])


@pytest.mark.parametrize("key", CHOSEN)
def test_each_choice_comes_back_by_the_link_alone(key, visit):
    """One at a time, so that none is kept by another."""
    path = "pages/parameters.py" if key in MOVED["pages/parameters.py"] else "app.py"
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
    chosen = CHOSEN | {"attention": True}  # some choices are there with it only
    page = visit(path, **{key: in_link(value) for key, value in chosen.items()})
    assert page.toasts == []
    again = visit(path, **page.link)
    assert again.toasts == []
    for key, value in chosen.items():
        assert again.app.session_state[key] == value, key
    assert again.heading == page.heading
    assert again.words == page.words
    if path == "app.py":
        assert again.sent("diagram") == page.sent("diagram")


@pytest.mark.parametrize(("path", "key"), [(p, key) for p, keys in MOVED.items() for key in keys])
def test_what_is_moved_on_the_page_is_found_by_a_fresh_visit(path, key, visit):
    link = {"text": "a b", "parameters_view": "costs", **SMALL_ONE}
    page = visit(path, **link).set(key, CHOSEN[key])
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

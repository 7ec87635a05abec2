"""What a choice may be, and where it goes when another model leaves it out of range."""

from __future__ import annotations

import math

import pytest
from streamlit.testing.v1 import AppTest

from gptviz.ui.shell.options import Between, Choice, Such, view


def page(left_behind):
    """A page that settles three choices, after another model left these values behind."""
    app = AppTest.from_string(
        """
        import streamlit as st
        from gptviz.config import GPTConfig
        from gptviz.ui.shell import link
        from gptviz.ui.shell.options import Choice, Such

        link.arrive("A page")
        st.session_state["asked"] = None
        layer = Choice("layer", 0, lambda config, _: range(config.n_layers))
        token = Choice("token", -1, lambda _, n_tokens: range(n_tokens - 1, -2, -1))
        part = Choice("part", "", Such(lambda path: path in ("", "blocks.0")))
        for choice in (layer, token, part):
            choice.settle(GPTConfig(n_layers=3), 2)
        """
    )
    for key, value in left_behind.items():
        app.session_state[key] = value
    app.session_state["kept"] = left_behind
    app.run()
    assert not app.exception
    return app.session_state


def test_what_is_left_behind_goes_to_the_last_that_is_allowed():
    state = page({"layer": 11, "token": 40, "part": "blocks.9"})
    assert (state["layer"], state["token"], state["part"]) == (2, -1, "")


def test_what_is_still_allowed_stays():
    state = page({"layer": 1, "token": 1, "part": "blocks.0"})
    assert (state["layer"], state["token"], state["part"]) == (1, 1, "blocks.0")


@pytest.mark.parametrize("value", [0.25, 0.5, 0.75])
def test_between_holds_its_ends_and_all_that_is_between(value):
    assert value in Between(0.25, 0.75)


@pytest.mark.parametrize("value", [0.2, 0.8, math.nan, math.inf, -math.inf])
def test_between_holds_nothing_beyond(value):
    assert value not in Between(0.25, 0.75)


def test_such_holds_what_passes_its_test():
    assert 4 in Such(lambda value: value % 2 == 0)
    assert 5 not in Such(lambda value: value % 2 == 0)


def test_default_and_allowed_may_depend_on_configuration_and_sentence():
    fixed = Choice("a", 1, (1, 2))
    assert (fixed.default_of(None, 0), fixed.allowed_of(None, 0)) == (1, (1, 2))
    of_the_sentence = Choice("b", lambda _, n: n - 1, lambda _, n: range(n))
    assert of_the_sentence.default_of(None, 5) == 4
    assert of_the_sentence.allowed_of(None, 5) == range(5)


def test_a_view_is_first_its_first_name():
    choice = view("which", {"map": "Map", "lines": "Lines"})
    assert (choice.default, choice.allowed, choice.words("lines")) == (
        "map",
        ("map", "lines"),
        "Lines",
    )

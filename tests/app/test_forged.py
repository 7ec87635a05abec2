"""What a browser sends may be late or forged: what is not on the page changes nothing."""

from __future__ import annotations

import json
import math

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

TEXT = "Once upon a time there was a king"
ATTENTION, PREDICTION = "pages/attention.py", "pages/prediction.py"

# Every component that sends something: its page, the view it is in, its key, its event.
SENDERS = [
    ("app.py", {}, "diagram", "clicked"),
    ("app.py", {"block": "2", "inside": "attention"}, "diagram", "clicked"),
    ("app.py", {"block": "2", "inside": "attention"}, "diagram", "walked"),
    ("pages/tokens.py", {}, "tokens_chips", "chosen"),
    ("pages/tokens.py", {}, "words_chips", "chosen"),
    (ATTENTION, {}, "all_heads", "chosen"),
    (ATTENTION, {"attention_view": "lines"}, "lines", "chosen"),
    (ATTENTION, {"attention_view": "compare"}, "measure_grid", "chosen"),
    (ATTENTION, {"attention_view": "compare"}, "random_grid", "chosen"),
    (PREDICTION, {"prediction_view": "surprise"}, "surprise_tokens", "chosen"),
    (PREDICTION, {"prediction_view": "write", "written": "3"}, "written_text", "chosen"),
]

HOSTILE = [
    *(-1, 10**6, 2**63, 10**400, 1.0, 0.5, True, False, math.nan, math.inf, -math.inf),
    *("", "0", "blocks.99", "blocks.2.nothing", "tok_emb.x", "__class__", "<b>", "x" * 100_000),
    *([], [0], [-1, 0], [0, -1], [6, 0], [0, 8], [0, 0, 0], [0.0, 0.0], [True, True], [[0], [0]]),
    *(["0", "0"], [None, None], {}, {"chosen": 0}, {"0": 0}, [{}], None),
]
LEVEL = {"walked": [""]}  # the way up to the whole model is a path, too


def choices(page):
    return dict(page.app.session_state["kept"])


@pytest.mark.parametrize(("path", "link", "key", "event"), SENDERS)
def test_a_forged_click_changes_nothing(path, link, key, event, visit):
    page = visit(path, text=TEXT, **link)
    before = choices(page)
    for value in HOSTILE:
        if value not in LEVEL.get(event, ()):
            page.click(key, event, value)
            assert choices(page) == before, repr(value)[:80]


@pytest.mark.parametrize(("path", "link", "key", "event"), SENDERS)
def test_a_forged_state_changes_nothing(path, link, key, event, visit):
    page = visit(path, text=TEXT, **link)
    before = choices(page)
    for state in ({event: 0}, {event: "blocks.0"}, {event: [0, 0]}, {event: {}}, {"x": 1}, {}):
        page.app.session_state[key] = state
        assert choices(page.run()) == before, state


@pytest.mark.parametrize("sent", ["[]", "7", '"x"', "[[]]", '[{"event": {}}]', '[{"value": 1}]'])
def test_a_message_of_no_known_form_changes_nothing(sent, visit):
    page = visit("pages/tokens.py", text=TEXT)
    before = choices(page)
    states = page.app._tree.get_widget_states()
    chips = page._component("tokens_chips").id
    states.widgets.append(WidgetState(id=chips, json_value=sent))
    page.app._run(states)
    assert choices(page._checked()) == before


@pytest.mark.parametrize("cell", [[99, "layer"], [-1, "layer"], ["0", "layer"], [0.5, "x"], []])
def test_a_forged_cell_of_the_table_changes_nothing(cell, visit):
    page = visit(ATTENTION, text=TEXT, attention_view="compare", layer="1", head="2")
    before = choices(page)
    table = next(each.proto.id for each in page.app.dataframe if each.proto.id)
    states = page.app._tree.get_widget_states()
    states.widgets.append(
        WidgetState(id=table, string_value=json.dumps({"selection": {"cells": [cell]}}))
    )
    page.app._run(states)
    assert choices(page._checked()) == before


@pytest.mark.parametrize("component", ["tokens_chips", "words_chips"])
def test_a_click_on_what_went_with_the_sentence_changes_nothing(component, visit):
    """A person types, and before it is sent clicks a chip: the click comes after the sentence."""
    page = visit("pages/tokens.py", text="word " * 30, token="2").set("text", "a b")
    before = choices(page)
    page.click(component, "chosen", 25)
    assert choices(page) == before

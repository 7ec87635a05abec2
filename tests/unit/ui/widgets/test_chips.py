"""What the chips say of tokens and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptviz.tokenizer import Tokenizer
from gptviz.ui.widgets.chips import (
    LONGEST,
    MOST,
    counted,
    token_chips,
    whole_characters,
    word_chips,
)


def chips_of(text, size=8192):
    some = Tokenizer(size)
    return token_chips(some, some.encode(text))


def test_a_chip_names_position_token_id_and_bytes():
    assert chips_of("a king") == [
        {"label": "a", "id": 64, "about": "token 0 “a” · id 64 · 1 byte: 61"},
        {
            "label": "␣king",
            "id": 5822,
            "about": "token 1 “␣king” · id 5822 · 5 bytes: 20 6b 69 6e 67",
        },
    ]


def test_a_part_of_a_character_says_so_and_of_which():
    first, *others = chips_of("🙂!", 257)
    assert first["label"] == "\\xf0"
    assert first["about"] == "token 0 “\\xf0” · id 172 · 1 byte: f0 · part of “🙂”"
    assert [chip.get("split", False) for chip in others] == [True, True, True, False]
    assert all("part of “🙂”" in chip["about"] for chip in others[:3])


def test_a_line_ends_after_its_newline():
    assert [chip["label"] for chip in chips_of("a\nb") if chip.get("ends_line")] == ["⏎"]


@given(text=st.text(st.characters(codec="utf-8"), min_size=1))
def test_whole_characters_are_characters(text):
    data = text.encode()
    for start in range(len(data)):
        found = whole_characters(data, start, start + 1)
        assert len(found.decode()) == 1
        assert data[start : start + 1] in found


def test_words_name_their_tokens():
    words = [("a", range(1)), (" somebody", range(1, 3)), ("x" * 100, range(3, 9))]
    found = word_chips(words)
    assert found[0]["about"] == "word 0 “a” · token 0"
    assert found[1] == {"label": "␣somebody", "about": "word 1 “␣somebody” · 2 tokens, 1 to 2"}
    assert found[2]["label"] == "x" * (LONGEST - 1) + "…"


def test_what_a_browser_can_not_draw_at_once_is_left_out():
    assert len(chips_of("ab" * MOST, 257)) == MOST
    assert len(word_chips([("a", range(i, i + 1)) for i in range(MOST + 1)])) == MOST


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 tokens"), (1, "1 token"), (1234, "1,234 tokens")]
)
def test_counted(count, words):
    assert counted(count, "token") == words

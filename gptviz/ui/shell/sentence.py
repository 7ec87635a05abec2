"""The sentence's box in the sidebar, and below it what there is to say of what was typed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from gptviz.defaults import TEXT
from gptviz.ui.shell import link
from gptviz.ui.shell.options import Choice, Such
from gptviz.ui.shell.screen import Screen

# At four characters a token, as in English, that fills the largest context_length there is. The
# tokens page cuts so much text by all its vocabularies in 0.1 s; 20 MB took it 20 s a click.
MOST_CHARACTERS = 65_536
TAIL = 5  # tokens before the cut that are shown


def _area(choice: Choice, _allowed: object, **how: Any) -> str:
    return st.text_area(choice.label, key=choice.key, help=choice.help, **how)


SENTENCE = Choice(
    "text",
    TEXT,
    Such(lambda _: True),
    "Sentence",
    f"What the model reads, up to {MOST_CHARACTERS:,} characters. The pictures show these tokens.",
    widget=_area,
)


def cut() -> None:
    """Keep as much of the sentence as is read."""
    text: str = SENTENCE.value
    if len(text) > MOST_CHARACTERS:
        SENTENCE.choose(text[:MOST_CHARACTERS])
        st.session_state["n_typed"] = len(text)
    elif len(text) < MOST_CHARACTERS:
        st.session_state["n_typed"] = len(text)


def show(screen: Screen) -> None:
    """Draw the box, and say what is not read, not kept or read badly."""
    SENTENCE.draw(screen, height=130)
    if SENTENCE.value and screen.why_no_tokens:
        st.caption(screen.why_no_tokens)
    _say_bound()
    _say_cut(screen)
    if screen.sentence_length == len(screen.token_ids):
        _say_space()
    _say_link()


def _say_bound() -> None:
    n_typed = st.session_state.get("n_typed", 0)
    if n_typed > MOST_CHARACTERS:
        st.info(
            f"The text had {n_typed:,} characters: the first {MOST_CHARACTERS:,} are kept, which "
            "is more than most contexts hold."
        )


def _say_cut(screen: Screen) -> None:
    """Where the model stops reading."""
    n_read = len(screen.token_ids)
    if screen.sentence_length > n_read:
        st.info(
            f"The sentence has {screen.sentence_length:,} tokens; the model reads the first "
            f"{n_read:,} (context_length) and stops after these:"
        )
        tail = "".join(screen.labels[-TAIL:])
        st.text(f"{'…' if n_read > TAIL else ''}{tail}\u00a0✂")


def _say_space() -> None:
    text = SENTENCE.value
    if text.endswith(" ") and text.strip(" "):
        st.caption("A space at the end belongs to the next token: it spoils the prediction.")
        st.button("Take the space off", on_click=_take_off_space, width="stretch")


def _take_off_space() -> None:
    SENTENCE.choose(SENTENCE.value.rstrip(" "))


def _say_link() -> None:
    if link.is_text_left_out():
        st.caption(
            "Too long for the link: the address can't carry this sentence to others. This tab "
            "keeps it, over a reload, too."
        )

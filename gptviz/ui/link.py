"""Controls whose values stand in the link, and what to say where the link can't be followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

UNUSABLE = "The link's {} can't be used here: the default stands."
UNKNOWN = "The link says something that gptviz doesn't know; it was left out."


def linked(control: Callable[..., Any], label: str, *values: Any, key: str, **options: Any) -> Any:
    """Draw a Streamlit control that is bound to the link's entry ``key``.

    Streamlit 1.67 forgets on a page change what came with the link and was never touched; so what
    each control last showed, and on which page, is kept here, and another page gives it back.
    """
    page = st.session_state["page"]
    shown: dict[str, tuple[str, Any]] = st.session_state.setdefault("shown", {})
    if key in shown and shown[key][0] != page:
        st.session_state[key] = shown[key][1]
    options = {"bind": "query-params", "persist_state": "session"} | options
    value = control(label, *values, key=key, **options)
    shown[key] = (page, value)
    return value


def remember(known: tuple[str, ...]) -> None:
    """Keep what a visitor's first link asks for, until the controls have been drawn."""
    if "asked" not in st.session_state:
        asked = st.query_params.to_dict()
        st.session_state["asked"] = {key: asked[key] for key in asked if key in known}
        if len(st.session_state["asked"]) < len(asked):
            _say(UNKNOWN)


def answer(*keys: str) -> None:
    """After the controls of these keys were drawn: say, once, what the link asked in vain."""
    asked = st.session_state["asked"]
    refused = [key for key in keys if key in asked and _is_refused(key, asked.pop(key))]
    if refused:
        _say(UNUSABLE.format(", ".join(refused)))


def _is_refused(key: str, value: str) -> bool:
    """Streamlit takes out of the link what it can't use, but also what is the default anyway."""
    drawn = key in st.session_state and key not in st.query_params
    return drawn and str(st.session_state[key]).lower() != value.lower()


def _say(words: str) -> None:
    st.toast(words, icon=":material/link_off:", duration="infinite")

"""The link holds the screen: a reload, the back button and another visitor find it again.

Streamlit's own binding of controls to the link makes, at a change of page, an entry in the
browser's history for each control, and loses what came with the link and was never touched (1.67).
So the values are taken from the link and put into it here, all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gptviz.ui.components import component

UNUSABLE = "The link's {} can't be used here: the default stands."
UNKNOWN = "The link says something that gptviz doesn't know; it was left out."
LONGEST = 2000  # characters of one entry; servers refuse very long addresses

_address = component("link")


def arrive(page: str) -> None:
    """Note what the link asks for, if the visitor comes by it or goes back to it."""
    st.session_state["is_new_page"] = st.session_state.get("page") != page
    st.session_state["page"] = page
    if "kept" not in st.session_state or _went_back():
        st.session_state["kept"] = {}
        st.session_state["asked"] = st.query_params.to_dict()
        st.session_state["refused"] = []


def take(key: str, default: Any, allowed: Callable[[Any], bool]) -> Any:
    """Give a control its value before it is drawn, under ``st.session_state[key]``.

    It is what the link asks for, if the visitor has just come by it; else what the control shows,
    or showed when it was last drawn; else the default.
    """
    asked: dict[str, str] | None = st.session_state["asked"]
    if asked is not None:
        text = asked.get(key)
        st.session_state[key] = default if text is None else _asked(key, text, default, allowed)
    elif key not in st.session_state or st.session_state["is_new_page"]:
        st.session_state[key] = st.session_state.get(key, st.session_state["kept"][key])
    return st.session_state[key]


def keep(defaults: dict[str, Any]) -> None:
    """Keep what the controls show, as what is to stand in the link: all that is not the default."""
    if asked := st.session_state["asked"]:
        if refused := st.session_state["refused"]:
            _say(UNUSABLE.format(", ".join(refused)))
        if set(asked) - set(defaults):
            _say(UNKNOWN)
    st.session_state["asked"] = None
    kept = {key: st.session_state[key] for key in defaults}
    st.session_state["kept"] = kept
    written = {key: _written(value) for key, value in kept.items() if value != defaults[key]}
    st.session_state["address"] = {k: text for k, text in written.items() if len(text) <= LONGEST}


def address() -> dict[str, str]:
    """The link's entries for what is on the screen."""
    return dict(st.session_state["address"])


def show() -> None:
    """Put the link into the browser's address, without a new entry in its history."""
    with st.container(key="link"):
        _address(data=address(), key="browser_address")


def _asked(key: str, text: str, default: Any, allowed: Callable[[Any], bool]) -> Any:
    try:
        value = _read(text, default)
    except ValueError:
        value = None
    if value is None or not allowed(value):
        st.session_state["refused"].append(key)
        return default
    return value


def _read(text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text.lower())
    return type(default)(text)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _went_back() -> bool:
    """Whether this run comes from the browser's back or forward button."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _say(words: str) -> None:
    st.toast(words, icon=":material/link_off:", duration="infinite")

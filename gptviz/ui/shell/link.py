"""The link holds the screen: a reload, the back button and another visitor find it again.

Streamlit's own binding of controls to the link makes, at a change of page, an entry in the
browser's history for each control, and loses what came with the link and was never touched (1.67).
So the values are taken from the link and put into it here, all at once.

A sentence that is too long for an address stays in the browser's tab (``sessionStorage``), and the
link has its digest: a reload, which is a new session here, asks the browser for it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gptviz.ui.widgets.components import component

UNUSABLE = "The link's {} can't be used here: the default stands."
UNKNOWN = "The link says something that gptviz doesn't know; it was left out."
LOST = (
    "The link's sentence was too long to stand in it, and this tab doesn't have it: the default "
    "stands."
)

# Bytes of the address after the "?", percent-encoded: one CJK sign takes nine. nginx's default is
# a request line of 8 kB, Apache's 8,190 bytes; the rest is for the page's path. Streamlit's own
# server (uvicorn) took 64 kB when tried, but its parser, h11, promises 16 kB, headers and all.
LONGEST = 8000
DIGEST = "text_id"  # the entry in place of a text that is too long

_address = component("link")


def arrive(page: str) -> None:
    """Note what the link asks for, if the visitor comes by it or goes back to it."""
    st.session_state["is_new_page"] = st.session_state.get("page") != page
    st.session_state["page"] = page
    if "kept" not in st.session_state or _went_back():
        st.session_state["kept"] = {}
        asked = st.session_state["asked"] = st.query_params.to_dict()
        st.session_state["wanted"] = asked.pop(DIGEST, "")
        st.session_state["refused"] = []


def arrives() -> bool:
    """Whether the visitor has just come by a link, or gone back to it."""
    return st.session_state["asked"] is not None


def take(key: str, default: Any, allowed: Callable[[Any], bool]) -> Any:
    """Give a control its value before it is drawn, under ``st.session_state[key]``.

    It is what the link asks for, if the visitor has just come by it; else what the control shows,
    or showed when it was last drawn; else the default.
    """
    if arrives():
        text = st.session_state["asked"].get(key)
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
    if "text" in written:  # whatever the link wanted, now there is another
        st.session_state["wanted"] = ""
    if len(query(written)) > LONGEST:
        written[DIGEST] = digest(written.pop("text", ""))
    st.session_state["address"] = written


def address() -> dict[str, str]:
    """The link's entries for what is on the screen."""
    return dict(st.session_state["address"])


def query(entries: dict[str, str]) -> str:
    """The entries as they stand in an address."""
    return urlencode(entries, errors="replace")


def is_text_left_out() -> bool:
    """Whether the sentence is too long for the link."""
    return DIGEST in st.session_state["address"]


def show() -> None:
    """Put the link into the browser's address, without a new entry in its history."""
    data = {
        "query": query(address()),
        "wanted": st.session_state["wanted"],
        "digest": address().get(DIGEST, ""),
        "text": st.session_state["text"] if is_text_left_out() else "",
    }
    with st.container(key="link"):
        _address(data=data, key="browser_address", on_found_change=_found)


def digest(text: str) -> str:
    """What tells one sentence from all others."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _found() -> None:
    """The browser's answer: the sentence that the link wants, or nothing."""
    wanted = st.session_state.get("wanted")
    text = getattr(st.session_state["browser_address"], "found", None)
    if not wanted or not isinstance(text, str):
        return
    st.session_state["wanted"] = ""
    if digest(text) == wanted:
        st.session_state["text"] = text
    else:
        _say(LOST)


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

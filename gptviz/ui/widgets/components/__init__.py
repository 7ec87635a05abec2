"""Streamlit components of our own: each has a .js file in this folder, some .html and .css too."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def component(name: str, css: str = "") -> Any:
    """Register a component from its files, with ``css`` before its own."""
    html, own_css, js = (_text(f"{name}.{ending}") for ending in ("html", "css", "js"))
    return st.components.v2.component(f"gptviz_{name}", html=html, css=css + own_css, js=js)


def sent(key: str, event: str, shown: Container[object]) -> Any:
    """What a component's browser side has just sent, if it is among what is shown; else None."""
    return known(getattr(st.session_state.get(key), event, None), shown)


def known(value: Any, shown: Container[object]) -> Any:
    """A value from the browser if it is one of the things that are shown; else None.

    A click may come late, when the page has moved on, and anybody can send anything. Good are whole
    numbers and words, and lists of them, which come back as tuples: ``True`` and ``1.0`` are no 1.
    """
    pieces = tuple(value) if isinstance(value, list) else (value,)
    if not all(type(piece) in (int, str) for piece in pieces):
        return None
    found = pieces if isinstance(value, list) else value
    return found if found in shown else None


def _text(name: str) -> str:
    file = _FOLDER / name
    return file.read_text(encoding="utf-8") if file.exists() else ""

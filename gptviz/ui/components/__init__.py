"""Streamlit components of our own: each has a .js file in this folder, some .html and .css too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def component(name: str, css: str = "") -> Any:
    """Register a component from its files, with ``css`` before its own."""
    html, own_css, js = (_text(f"{name}.{ending}") for ending in ("html", "css", "js"))
    return st.components.v2.component(f"gptviz_{name}", html=html, css=css + own_css, js=js)


def _text(name: str) -> str:
    file = _FOLDER / name
    return file.read_text(encoding="utf-8") if file.exists() else ""

"""Streamlit components of our own: for each a .html, a .css and a .js file in this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def component(name: str, css: str = "") -> Any:
    """Register a component from its files, with ``css`` before its own."""
    html, own_css, js = (
        (_FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
        for ending in ("html", "css", "js")
    )
    return st.components.v2.component(f"gptviz_{name}", html=html, css=css + own_css, js=js)

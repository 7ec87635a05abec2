"""The colours that suit the visitor's background."""

from __future__ import annotations

import streamlit as st

from gptviz.figures.theme import DARK, LIGHT, Theme


def theme() -> Theme:
    """The colours that suit the visitor's background."""
    return DARK if st.context.theme.type == "dark" else LIGHT

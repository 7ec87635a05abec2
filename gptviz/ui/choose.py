"""The layer, the head and the station that the live pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from gptviz.ui import link

if TYPE_CHECKING:
    from gptviz.analysis.stations import Station
from gptviz.ui.link import linked


def number(name: str, key: str, count: int) -> int:
    """A number from 0 to ``count`` - 1; what another model left behind is brought into range."""
    if st.session_state.get(key, 0) >= count:
        st.session_state[key] = count - 1
    chosen = st.selectbox(
        name,
        range(count),
        key=key,
        bind="query-params",
        persist_state="session",
        help=f"Counted from 0 to {count - 1}.",
    )
    link.answer(key)
    return chosen


def station(built: tuple[Station, ...]) -> Station:
    """One of a block's stations, by its plain name."""
    by_path = {each.path: each for each in built}
    if st.session_state.get("station") not in (None, *by_path):
        del st.session_state["station"]
    path = linked(
        st.selectbox,
        "Station",
        list(by_path),
        key="station",
        format_func=lambda path: by_path[path].name,
        help="A place inside the block, in the order the numbers pass them.",
    )
    link.answer("station")
    return by_path[path]

"""How pages draw a small table, and numbers in it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

SPACE = "\u00a0"  # where no line breaks


def table(about: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table whose first column names the rows; a narrow screen scrolls it."""
    st.table(pd.DataFrame(rows, columns=head).set_index(head[0]), border="horizontal", alt=about)


def measure(name: str, value: str, beside: str, help_: str | None = None) -> None:
    """One number in a frame, and below it what to hold it against."""
    st.metric(name, value, beside, "off", help=help_, delta_arrow="off", border=True)


def indented(name: str, depth: int) -> str:
    """The name of a part that stands inside of ``depth`` others."""
    return 4 * SPACE * depth + name

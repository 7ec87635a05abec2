"""The prediction page's KV cache: what is kept while a text is written, so as to read it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.figures.kv_cache import cache_growth
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.chips import counted
from gptviz.ui.widgets.tables import measure

if TYPE_CHECKING:
    from gptviz.ui.prediction.writing import Writing


def show(screen: Screen, writing: Writing) -> None:
    """What was kept so that no token was read twice."""
    st.subheader("What is kept meanwhile", anchor=False)
    if not screen.config.has("attention"):
        st.info("Attention is a placeholder here: there are no keys and values to keep.")
        return
    st.caption(
        "A token's keys and values never change once it was read, so they are kept (KV cache): "
        "each new token goes through the blocks alone and looks back at what is kept."
    )
    if not writing.steps:
        st.caption("Write a token, and see it grow.")
        return
    last, n_layers = writing.steps[-1], screen.config.n_layers
    kept, by_ledger = sum(last.layer_bytes), Ledger(screen.config).kv_cache_bytes
    a_token = by_ledger(1, FP32_BYTES)
    with st.container(horizontal=True):
        says = f"the ledger says {by_ledger(last.position, FP32_BYTES):,} bytes"
        measure("Kept in all", f"{kept:,} bytes", says)
        measure(
            f"In each of {n_layers} layers", f"{last.layer_bytes[0]:,} bytes", "keys and values"
        )
        measure("For one token", f"{a_token:,} bytes", "2 · layers · emb_dim · 4")
    figure = cache_growth(
        np.array([step.position for step in writing.steps]),
        np.array([step.layer_bytes for step in writing.steps]),
        theme(),
    )
    chart(figure, "cache", "Area chart: bytes of keys and values kept, growing token by token.")
    with_it, without = last.position, sum(step.position for step in writing.steps)
    st.caption(
        f"So {counted(with_it, 'token')} went through the blocks for this text; reading all anew "
        f"for each token would have taken {without:,}, for the same text."
    )

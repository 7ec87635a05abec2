"""The prediction page's logit lens: what each layer would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.figures.prediction import (
    Colours,
    entropy_colours,
    lens_map,
    probability_colours,
    rank_colours,
)
from gptviz.ui.prediction.options import LENS_COLOUR, LENS_COLUMNS
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart

if TYPE_CHECKING:
    from gptviz.analysis.lens import Lens
    from gptviz.tracing.trace import Trace


def show(screen: Screen, trace: Trace) -> None:
    """A layer in each row, a position in each column: the likeliest next token there."""
    st.subheader("What each layer would say", anchor=False)
    st.caption(
        "The model answers after its last block. Here the stream is taken out earlier, after each "
        "block, and given to the final norm and the output head as if it were the end (logit lens, "
        "nostalgebraist 2020). The last row is the model's own answer."
    )
    _missing(screen)
    token, colour, columns = st.columns([2, 3, 2])
    with token:
        position = shared.token(screen)
    with colour:
        shown = LENS_COLOUR.draw(screen)
    with columns:
        count = LENS_COLUMNS.draw(screen)
    first, n_columns = _window(position, count, trace.n_tokens)
    lens = _lens(screen, trace, first, n_columns)
    _draw(screen, lens, shown, position)


def _missing(screen: Screen) -> None:
    """What placeholders mean for the lens."""
    if not screen.config.has("shortcut"):
        st.info(
            "Shortcuts are placeholders here: each block replaces the stream in place of adding to "
            "it, so there is little reason that earlier rows should speak the output head's "
            "language."
        )
    if not screen.config.has("norm"):
        st.info("The final norm is a placeholder here: the output head reads the stream as it is.")
    if screen.config.tie_weights:
        st.caption(
            "Here the output head is the token embedding, used again: so the first row tends to "
            "say the token itself."
        )


def _window(position: int, count: int, n_tokens: int) -> tuple[int, int]:
    """First column and number of columns: the chosen token in the middle, or near an end."""
    n_columns = min(count, n_tokens)
    return max(0, min(position - n_columns // 2, n_tokens - n_columns)), n_columns


def _lens(screen: Screen, trace: Trace, first: int, n_columns: int) -> Lens:
    from gptviz.analysis.lens import logit_lens

    with st.spinner("Asking each layer…"):
        return live.once(
            screen.of,
            ("lens", first, n_columns),
            lambda: logit_lens(trace, first, n_columns, live.stop_if_stale),
        )


def _draw(screen: Screen, lens: Lens, shown: str, position: int) -> None:
    vocab_size = screen.config.vocab_size
    values, colours = _coloured(lens, shown, vocab_size)
    label = screen.tokenizer.label
    details = [
        [
            f"probability {share:.4f}, entropy {bits:.2f} bits<br>"
            f"the model's own answer has rank {rank:,}"
            for share, bits, rank in zip(*row, strict=True)
        ]
        for row in zip(lens.probabilities, lens.entropies, lens.ranks, strict=True)
    ]
    said = [[label(token_id) for token_id in row] for row in lens.token_ids.tolist()]
    exact = lens.ranks if shown == "rank" else None
    places = (lens.first, position)
    figure = lens_map(said, values, details, screen.labels, places, colours, theme(), exact)
    about = (
        f"Heatmap: the likeliest next token at each layer (row), for {values.shape[1]} tokens of "
        f"the sentence (columns); the colour is the {shown}."
    )
    chart(figure, "lens", about)


def _coloured(lens: Lens, shown: str, vocab_size: int) -> tuple[np.ndarray, Colours]:
    """What the colour shows, and its scale."""
    if shown == "entropy":
        return lens.entropies, entropy_colours(vocab_size, theme())
    if shown == "rank":
        return np.log10(lens.ranks).astype(np.float32), rank_colours(vocab_size, theme())
    return lens.probabilities, probability_colours(theme())

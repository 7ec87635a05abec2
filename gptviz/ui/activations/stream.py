"""The residual stream over all blocks: its size and turns, what is added, and one token's sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.figures.stream import log_limits, norm_map, size_map, sum_strips, token_path, turn_map
from gptviz.ui.activations.options import RELATIVE, window
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.tables import table

if TYPE_CHECKING:
    from gptviz.analysis.stream import Stream, Sum
    from gptviz.tracing.trace import Trace

MOST_CELLS = 50_000  # of each map
ADDED = {"attention": "Attention adds", "feed_forward": "The feed-forward adds"}
WORDS = {
    "resid_pre": "stream before",
    "attention_out": "+ attention",
    "feed_forward_out": "+ feed-forward",
}
TERMS = {"attention_out": "attention out", "feed_forward_out": "feed-forward out"}


def show(screen: Screen, trace: Trace) -> None:
    """All of the sentence: how large the stream is, and how far each block turns it."""
    found = _stream(screen, trace)
    st.subheader("The residual stream over all blocks", anchor=False)
    st.caption(
        "Every token is a list of numbers, the residual stream, that runs through all blocks. "
        "Each block reads it and adds to it. Here is how large the list is (its norm), and how far "
        "each block turns it."
    )
    _say_what_takes_its_place(screen)
    first, end = _window(screen, found)
    left, right = st.columns(2)
    with left:
        st.markdown("**Size: the stream's norm**")
        figure = norm_map(found.norms, screen.labels, theme(), first, end)
        chart(figure, "stream", "Heatmap: each token's norm in the stream, block by block.")
    with right:
        st.markdown("**Turn: the cosine of each block's change of direction**")
        figure = turn_map(found.cosines[:, first:end], screen.labels, theme(), first)
        about = "Heatmap: cosine between each token's stream after a block and before it."
        chart(figure, "turns", about)


def _stream(screen: Screen, trace: Trace) -> Stream:
    from gptviz.analysis.stream import stream

    return live.once(screen.of, "stream", lambda: stream(trace, live.stop_if_stale))


def _window(screen: Screen, found: Stream) -> tuple[int, int]:
    return window(screen, len(screen.labels), MOST_CELLS // len(found.norms) or 1)


def added(screen: Screen, trace: Trace) -> None:
    """All of the sentence: what attention and feed-forward add to the stream."""
    found = _stream(screen, trace)
    parts = {name: part for name in ADDED if (part := getattr(found, name))}
    st.subheader("What attention and feed-forward add", anchor=False)
    if not parts:
        st.info("Attention and feed-forward are placeholders here: nothing is added.")
        return
    relative = bool(RELATIVE.value)
    st.caption(
        "The norm of what each part adds to each token"
        + (", divided by the norm of the stream it is added to: 1 is as long as the stream itself."
           if relative else ".")
        + (" Both maps have the same colours." if len(parts) > 1 else "")
    )  # fmt: skip
    _say_what_takes_its_place(screen)
    RELATIVE.draw(screen)
    first, end = _window(screen, found)
    maps = {name: part.relative if relative else part.norms for name, part in parts.items()}
    limits, what = log_limits(*maps.values()), "share" if relative else "norm"
    rows = ("block", list(map(str, range(screen.config.n_layers))))
    for column, (name, sizes) in zip(st.columns(len(maps)), maps.items(), strict=True):
        with column:
            st.markdown(f"**{ADDED[name]}**")
            shown = sizes[:, first:end]
            figure = size_map(shown, rows, screen.labels, what, limits, theme(), first)
            chart(figure, f"{name}_adds", f"Heatmap: what {name} adds, block by block.")


def _say_what_takes_its_place(screen: Screen) -> None:
    if not screen.config.has("shortcut"):
        st.info(
            "The shortcuts are placeholders here: what a part makes *takes the stream's place*."
        )


def token(screen: Screen, trace: Trace) -> None:
    """One token: its stream over all blocks, and the sum that one block makes of it."""
    st.subheader("One token on its way", anchor=False)
    st.caption(
        "Each block adds numbers to the token's own: first what attention found in it and the "
        "tokens before it, then what the feed-forward makes of that. Here are their sizes (norms) "
        "in every block, and one block's sum, number by number."
    )
    left, right = st.columns([3, 1])
    with left:
        position = shared.token(screen)
    with right:
        layer = shared.layer(screen, "Block")
    left, right = st.columns(2)
    with left:
        _path(_stream(screen, trace), position)
    with right:
        if screen.config.has("shortcut"):
            _sum(trace, layer, position)
        else:
            st.info("Without shortcuts nothing is added up: there is no sum to show.")


def _path(found: Stream, position: int) -> None:
    st.markdown("**Its stream, and what is added to it, block by block**")
    sizes = {"stream after the block": (found.norms[1:, position].tolist(), "stream")}
    for name, words in (("attention", "attention adds"), ("feed_forward", "feed-forward adds")):
        if part := getattr(found, name):
            sizes[words] = (part.norms[:, position].tolist(), name)
    about = "Line chart: norms of one token's stream and of what each part adds, block by block."
    chart(token_path(sizes, theme()), "token_path", about)


def _sum(trace: Trace, layer: int, position: int) -> None:
    from gptviz.analysis.stream import token_sum

    found = token_sum(trace, layer, position)
    st.markdown(f"**The sum in block {layer}, dimension by dimension**")
    names = [*(WORDS[name] for name in found.names), "= stream after"]
    figure = sum_strips(np.vstack([found.parts, found.result]), names, theme())
    chart(figure, "sum", "Heatmap: the parts of the sum and the result, a dimension per column.")
    _lengths(found)


def _lengths(found: Sum) -> None:
    """The same sum in one number: how far each part reaches in the result's direction."""
    norms = np.linalg.norm(found.parts, axis=1)
    rows = [
        (WORDS[name].replace("+", r"\+"), f"{norm:.3f}", f"{along:.3f}")
        for name, norm, along in zip(found.names, norms, found.along, strict=True)
    ]
    length = f"{np.linalg.norm(found.result):.3f}"
    head = ("part", "its own length (norm)", "reach along the result")
    table("The parts of the sum in numbers.", head, [*rows, ("= stream after", length, length)])
    formula = " + ".join(["resid_pre", *(TERMS[name] for name in found.names[1:])])
    st.caption(
        f"{formula} = resid_post, number by number (largest difference: "
        f"{found.largest_difference:.1g}). Lengths don't add up, for the parts point in different "
        "directions; how far each reaches in the result's direction does (its dot product with "
        "the result, divided by the result's length)."
    )

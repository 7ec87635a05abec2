"""What the tokens page shows of the model: tokens and positions as vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.embeddings import (
    cosine_by_distance,
    embedding_heatmaps,
    neighbour_bars,
    position_cosines,
    token_cosines,
    vocabulary_scatter,
)
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.tokens.options import SOLID, SUMMED
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.chips import counted

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace

MOST_CELLS = 400_000  # of all heatmaps of a figure: about 2 MB on their way to the browser
MOST_SIDE = 256  # rows and columns of a square map
SAMPLE, SAMPLE_SEED = 1000, 123


def window(n_tokens: int, most: int, token: int) -> slice:
    """At most ``most`` neighbouring tokens, with the chosen one in the middle where it can be."""
    first = min(max(token - most // 2, 0), max(n_tokens - most, 0))
    return slice(first, min(first + most, n_tokens))


def _say_window(screen: Screen, shown: slice) -> None:
    n_tokens = len(screen.token_ids)
    if shown.stop - shown.start < n_tokens:
        st.caption(
            f"Tokens {shown.start:,} to {shown.stop - 1:,} of {n_tokens:,} are drawn: choose "
            "another token to move on."
        )


def parts(screen: Screen, trace: Trace, token: int) -> None:
    """Token embedding, position embedding and their sum, and what dropout left of it."""
    from gptviz.analysis import embeddings

    st.subheader("From ids to vectors", anchor=False)
    config = screen.config
    st.caption(
        f"Each id picks its row of {config.emb_dim:,} numbers from a table of "
        f"{config.vocab_size:,} rows (token embedding), each position its row from one of "
        f"{config.context_length:,} (position embedding). The first block reads their sum. All "
        "maps have one colour scale. " + _about_dropout(screen)
    )
    found = embeddings.parts(trace)
    panels = {
        "Token embedding (tok_emb)": found.token,
        "+ position embedding (pos_emb)": found.position,
        "= their sum": found.total,
    }
    kept = embeddings.kept(trace)
    if kept is not None:
        panels["after dropout (drop_emb)"] = trace.embeddings.float().numpy(force=True)
    most = max(1, MOST_CELLS // (len(panels) * config.emb_dim))
    shown = window(trace.n_tokens, most, token)
    _say_window(screen, shown)
    panels = {name: values[shown] for name, values in panels.items()}
    left = None if kept is None else kept[shown]
    figure = embedding_heatmaps(panels, screen.labels, theme(), shown.start, left)
    about = "Heatmaps, one below the other: token embedding, position embedding and their sum."
    chart(figure, "parts", about)


def _about_dropout(screen: Screen) -> str:
    if screen.dropout is not None:
        return (
            "Dropout is on: each number of the sum is set to 0 with probability "
            f"{screen.dropout.rate:g} (grey), the others are divided by "
            f"{1 - screen.dropout.rate:g}."
        )
    if screen.config.drop_rate:
        return (
            f"While training, dropout would set {screen.config.drop_rate:.0%} of the sum's numbers "
            "to 0, at random: turn train mode on in the sidebar to see which."
        )
    return "While training, dropout would strike the sum; this model's drop_rate is 0."


def alike(screen: Screen, trace: Trace, token: int) -> None:
    """How alike the sentence's tokens are, and what the vocabulary has near the chosen one."""
    left, right = st.columns(2, gap="large")
    with left:
        _similarity(screen, trace, token)
    with right:
        _neighbours(screen, trace, token)


def _similarity(screen: Screen, trace: Trace, token: int) -> None:
    from gptviz.analysis.embeddings import similarity

    st.subheader("Which tokens are alike", anchor=False)
    st.caption(
        "The cosine of the angle between two tokens' vectors: 1 where both point the same way, 0 "
        "where they have nothing in common. Colours go by the cells whose cosine is not 1."
    )
    summed = SUMMED.draw(screen)
    shown = window(trace.n_tokens, MOST_SIDE, token)
    _say_window(screen, shown)
    figure = token_cosines(similarity(trace, shown, summed), screen.labels, theme(), shown.start)
    chart(
        figure,
        "similarity",
        "Heatmap: the cosine between the vectors of any two tokens.",
        square=True,
    )


def _neighbours(screen: Screen, trace: Trace, token: int) -> None:
    from gptviz.analysis.embeddings import neighbours

    token_id = screen.token_ids[token]
    st.subheader("Nearest in the vocabulary", anchor=False)
    found = live.once(
        screen.of,
        ("neighbours", token_id),
        lambda: neighbours(
            trace.weight("tok_emb.weight"), token_id, before_each=live.stop_if_stale
        ),
    )
    st.caption(
        f"The chosen token's embedding beside all {screen.config.vocab_size - 1:,} others of the "
        f"vocabulary, by cosine. Over all of them the mean is {found.mean:.3f} and the standard "
        f"deviation {found.std:.3f}." + _means_nothing(screen)
    )
    ids = found.token_ids.tolist()
    labels = screen.tokenizer.labels(ids)
    names = [f"{label} · {token_id}" for label, token_id in zip(labels, ids, strict=True)]
    figure = neighbour_bars(found.cosines, names, theme())
    about = "Bar chart: the entries of the vocabulary nearest to the chosen token, by cosine."
    chart(figure, "neighbours", about)


def _means_nothing(screen: Screen) -> str:
    if screen.is_trained:
        return ""
    expected = 1 / math.sqrt(screen.config.emb_dim)
    return (
        " These weights are random, so neighbours mean nothing yet: chance alone spreads cosines "
        f"around 0 by 1/√emb_dim = {expected:.3f}."
    )


def vocabulary(screen: Screen, trace: Trace, token: int) -> None:
    """The sentence's tokens among others of the vocabulary, in two or three dimensions."""
    from gptviz.analysis.embeddings import vocabulary_map

    st.subheader("A map of the vocabulary", anchor=False)
    own = tuple(dict.fromkeys(screen.token_ids))
    found = live.once(
        screen.of,
        "vocabulary map",
        lambda: vocabulary_map(trace.weight("tok_emb.weight"), own, SAMPLE, SAMPLE_SEED),
    )
    solid = SOLID.value
    axes = 3 if solid else 2
    st.caption(
        f"The sentence's {counted(found.n_sentence, 'different token')} and "
        f"{len(found.token_ids) - found.n_sentence:,} others, drawn from the vocabulary (seed "
        f"{SAMPLE_SEED}), laid out along the directions in which their embeddings spread most "
        f"(principal component analysis). The {axes} axes hold {found.shares[:axes].sum():.1%} of "
        f"the spread (variance), so tokens may look near here that are not." + _no_map(screen)
    )
    SOLID.draw(screen)
    labels = screen.tokenizer.labels(found.token_ids.tolist())
    chosen = own.index(screen.token_ids[token])
    figure = vocabulary_scatter(
        found.places, found.shares, labels, found.n_sentence, chosen, theme(), solid
    )
    about = "Points: tokens of the sentence among others of the vocabulary, on their main axes."
    chart(figure, "vocabulary_map", about, square=True)


def _no_map(screen: Screen) -> str:
    return "" if screen.is_trained else " These weights are random: there is no order to see yet."


def positions(screen: Screen, trace: Trace) -> None:
    """How alike the position embeddings are."""
    from gptviz.analysis.embeddings import position_similarity

    st.subheader("Which positions are alike", anchor=False)
    found = live.once(
        screen.of,
        "positions",
        lambda: position_similarity(trace.weight("pos_emb.weight"), MOST_SIDE),
    )
    step = int(found.positions[1] - found.positions[0]) if len(found.positions) > 1 else 1
    left_out = "" if step == 1 else f" One position in {step} is drawn, each number as it is."
    random = "" if screen.is_trained else " These weights are random: no order is to be seen yet."
    st.caption(
        f"The cosine between the embeddings of any two of the {screen.config.context_length:,} "
        "positions that the model knows, whatever the sentence: neighbours that are alike tell it "
        f"what is near. Colours go by the cells whose cosine is not 1.{left_out}{random}"
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        figure = position_cosines(found.cosines, found.positions, theme())
        chart(
            figure,
            "positions",
            "Heatmap: the cosine between any two position embeddings.",
            square=True,
        )
    with right:
        st.markdown("**The farther apart, the less alike?**")
        figure = cosine_by_distance(found.by_distance, found.positions, theme())
        about = "Line chart: the mean cosine of two positions, by how far apart they are."
        chart(figure, "distance", about)

"""What the attention page shows: where every head looks, in several views."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.figures.attention import attention_map, both_directions
from gptviz.figures.table import as_csv
from gptviz.ui.attention import compare, rollout, silence, steps
from gptviz.ui.attention.heads import overview
from gptviz.ui.attention.options import VIEW
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart, take_along
from gptviz.ui.widgets.lines import LEAST, MOST_TOKENS, lines

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace

OVERVIEW = "all_heads"
LONG = 256  # tokens: from here on the exact map is the larger message by far, and comes last
TAUGHT = (
    "What taught these heads: 16.5 % of the rows that `tales` was trained on were no text. *Copy "
    "rows* (9.7 %) repeat spans of tokens, which teaches heads to look for what came after an "
    "earlier copy (induction); *echo rows* (6.8 %) are random tokens in threes, x y x, which teach "
    "them to look at the token before. Text alone, at this size and in this time, taught heads "
    "that hardly look back: what you see is sharper than text would have made it."
)
MANY = 24  # heads: more of them in a row need the page's whole width


def show(screen: Screen) -> None:
    """The open view; the views of one head have the picture of all heads beside them."""
    trace = live.read(screen)
    if trace is None:
        return
    if not screen.config.has("attention"):
        st.info("Attention is a placeholder here: there are no heads to look at.")
        return
    view = VIEW.draw(screen)
    draw = _OF_MODEL.get(view) or partial(_beside_all_heads, view)
    draw(screen, trace)
    if screen.is_trained:
        st.caption(TAUGHT)


def _beside_all_heads(view: str, screen: Screen, trace: Trace) -> None:
    """A view of one head, and the picture of all heads."""
    if screen.config.n_heads > MANY:
        _all_heads(screen, trace)
        _OF_HEAD[view](screen, trace)
        return
    wide, beside = st.columns([3, 2], gap="large")
    both = [(wide, _OF_HEAD[view]), (beside, _all_heads)]
    if len(screen.labels) > LONG:
        both.reverse()
    for place, draw in both:
        with place:
            draw(screen, trace)


def _all_heads(screen: Screen, trace: Trace) -> None:
    st.markdown("**All heads: a layer in each row, a head in each column**")
    overview(screen, trace, OVERVIEW)
    st.caption(
        "Colour: the square root of the weight, so that faint ones can be seen. In a long sentence "
        "a cell shows the largest weight of several tokens; its hover text says which."
    )


def _map(screen: Screen, trace: Trace) -> None:
    weights = _chosen_map(screen, trace)
    st.caption(
        "Each row is one token looking back: it spreads a weight of 1 over itself and the tokens "
        "before it. What comes later is hidden from it (the causal mask)."
    )
    _note_dropout(screen)
    layer, head = shared.chosen_head()
    about = f"Heatmap: layer {layer}, head {head}; who looks in the row, who is looked at across."
    chart(attention_map(weights, screen.labels, theme()), "exact", about, square=True)


def _lines(screen: Screen, trace: Trace) -> None:
    weights = _chosen_map(screen, trace)
    token = shared.token(screen)
    st.caption(
        "A line leads from each token that looks (query, left) to those it looks at (key, right): "
        "the thicker and stronger, the larger the weight. Point at a token for its lines and "
        f"weights alone; click one to choose it. Weights below {LEAST} have no line."
    )
    if len(screen.labels) > MOST_TOKENS:
        st.caption(
            f"The sentence is long: {MOST_TOKENS} tokens around the chosen one are drawn, and what "
            "they give to earlier ones is one line to the top."
        )
    _note_dropout(screen)
    lines(weights, screen.labels, token, shared.TOKEN.choose, "lines")
    take_along("lines", partial(_as_csv, screen, *shared.chosen_head()), "words")


def _as_csv(screen: Screen, layer: int, head: int) -> str:
    """The whole head, however much of it is drawn."""
    from gptviz.analysis.attention import head_map

    weights = head_map(live.again(screen.of), layer, head)
    return as_csv(attention_map(weights, screen.labels, theme()))


def _one_token(screen: Screen, trace: Trace) -> None:
    from gptviz.analysis.attention import directions

    weights = _chosen_map(screen, trace)
    token = shared.token(screen)
    found = directions(weights, token)
    st.caption(
        "Above: whom the token looks at (its row of the map). Below: who looks at it (its column)."
    )
    _note_dropout(screen)
    figure = both_directions(found.looks_at, found.looked_at_by, token, screen.labels, theme())
    chart(figure, "one_token", f"Two bar charts: whom token {token} looks at, and who looks at it.")
    st.caption(
        f"What it gives sums to {found.looks_at.sum():.4f}, as every row does. What it gets sums "
        f"to {found.received:.4g}; if every token looked alike at all it sees, that would be "
        f"{found.even:.4g}."
    )


def _chosen_map(screen: Screen, trace: Trace) -> np.ndarray:
    """The controls for layer and head, and their exact map."""
    from gptviz.analysis.attention import head_map

    left, right = st.columns(2)
    with left:
        layer = shared.layer(screen)
    with right:
        head = shared.head(screen)
    return head_map(trace, layer, head)


def _note_dropout(screen: Screen) -> None:
    if screen.dropout:
        st.caption("Shown as the softmax makes it: after that, dropout sets some weights to 0.")


View = Callable[[Screen, "Trace"], None]

_OF_HEAD: dict[str, View] = {
    "map": _map,
    "lines": _lines,
    "token": _one_token,
    "steps": steps.show,
}
_OF_MODEL: dict[str, View] = {
    "compare": lambda screen, _: compare.show(screen),
    "rollout": rollout.show,
    "explanation": silence.show,
}

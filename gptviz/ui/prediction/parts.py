"""The prediction page's answer to why: what each part of the model adds to a token's score."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.figures.prediction import head_shares, part_bars
from gptviz.ui.prediction.options import TARGET, VERSUS
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.options import Choice
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart

if TYPE_CHECKING:
    from gptviz.analysis.attribution import Attribution
    from gptviz.tracing.trace import Trace

OFFERED = 20  # of the likeliest tokens


def show(screen: Screen, trace: Trace) -> None:
    """One token's score (or two tokens' difference) as a sum over all parts."""
    st.subheader("Who said it", anchor=False)
    if not screen.config.has("shortcut"):
        st.info(
            "Shortcuts are placeholders here: each block replaces the stream in place of adding to "
            "it. A score is then no sum over the parts, and there is nothing to share out."
        )
        return
    st.caption(
        "A token's score (logit) is a sum: the embeddings, every head and every feed-forward each "
        "add their part to the stream, and the output head weighs the whole (direct logit "
        "attribution, Elhage et al. 2021)."
    )
    place, target, other = st.columns(3)
    with place:
        position = shared.token(screen, "After the token")
    with target:
        token_id = _target(screen, trace, position)
    with other:
        against = _against(screen, trace, position, token_id)
    found = _attribution(screen, trace, position, token_id, against)
    unit = "logit" if against is None else "difference of the logits"
    _sum(found, unit)
    bars, heads = st.columns([3, 2], gap="large")
    with bars:
        _parts(found, unit)
    with heads:
        _heads(found, unit)


def _target(screen: Screen, trace: Trace, position: int) -> int:
    """The token whose score is explained: the likeliest, until another is chosen."""
    from gptviz.analysis.next_token import likeliest

    first = int(likeliest(trace, 1, position).token_ids[0])
    likeliest_first = f"the likeliest: {_label(screen, first)}"
    chosen = _one_of(screen, trace, position, TARGET, likeliest_first)
    return first if chosen is None else chosen


def _against(screen: Screen, trace: Trace, position: int, token_id: int) -> int | None:
    """The token it is compared with; none at first."""
    if VERSUS.value == token_id:
        VERSUS.choose(shared.LAST)
    return _one_of(screen, trace, position, VERSUS, "nothing", without=token_id)


def _one_of(
    screen: Screen,
    trace: Trace,
    position: int,
    choice: Choice,
    default: str,
    without: int | None = None,
) -> int | None:
    """One of the likeliest tokens, the one that came, or the link's own; none for the default."""
    from gptviz.analysis.next_token import likeliest

    came = screen.token_ids[position + 1 : position + 2]
    top = likeliest(trace, OFFERED, position).token_ids.tolist()
    offered = dict.fromkeys((shared.LAST, *came, *top, choice.value))
    offered.pop(without, None)

    def words(token_id: int) -> str:
        if token_id == shared.LAST:
            return default
        return f"{_label(screen, token_id)}{' · came next' if token_id in came else ''}"

    chosen: int = replace(choice, allowed=list(offered), words=words).draw(screen)
    return None if chosen == shared.LAST else chosen


def _label(screen: Screen, token_id: int) -> str:
    return screen.tokenizer.label(token_id)


def _attribution(
    screen: Screen, trace: Trace, position: int, token_id: int, against: int | None
) -> Attribution:
    from gptviz.analysis.attribution import attribution

    with st.spinner("Asking each part…"):
        return live.once(
            screen.of,
            ("attribution", position, token_id, against),
            lambda: attribution(trace, token_id, against, position, live.stop_if_stale),
        )


def _sum(found: Attribution, unit: str) -> None:
    with st.container(horizontal=True):
        st.metric("Sum of all parts below", f"{found.total:.4f}", border=True)
        st.metric(f"The model's own {unit}", f"{found.logit:.4f}", border=True)
    st.caption(
        "The final norm's mean and spread are taken as they are for the whole stream at this "
        "token: with them the score is linear in the parts and the sum exact. What a part does to "
        "that spread is not told apart. A score alone says little, as softmax only sees "
        "differences: compare with another token to see what decided between the two."
    )


def _parts(found: Attribution, unit: str) -> None:
    st.markdown("**Each part, from the embeddings down to the sum**")
    figure = part_bars(list(_in_order(found)), f"sum: the {unit}", theme(), unit)
    about = f"Bar chart: what each part of the model adds to the {unit}, and their sum."
    chart(figure, "parts", about)


def _in_order(found: Attribution) -> Iterator[tuple[str, str, float]]:
    """Name, kind and share of each part, in forward order."""
    yield "token embedding", "embedding", found.tok_emb
    yield "position embedding", "embedding", found.pos_emb
    attention, feed_forward = found.attention, found.feed_forward
    shares = attention if attention is not None else feed_forward
    for layer in range(0 if shares is None else len(shares)):
        if attention is not None:
            yield f"attention {layer}", "attention", float(attention[layer])
        if feed_forward is not None:
            yield f"feed-forward {layer}", "feed_forward", float(feed_forward[layer])
    yield "final norm's shift", "norm", found.norm_shift


def _heads(found: Attribution, unit: str) -> None:
    st.markdown("**Each head of each layer's attention**")
    if found.heads is None or found.attention_bias is None:
        st.info("Attention is a placeholder here: there are no heads to ask.")
        return
    chart(
        head_shares(found.heads, theme(), unit),
        "head_shares",
        f"Heatmap: what each head (column) of each layer (row) adds to the {unit}.",
    )
    layer, head = np.unravel_index(np.abs(found.heads).argmax(), found.heads.shape)
    st.caption(
        f"The largest share is that of layer {layer}, head {head}: "
        f"{found.heads[layer, head]:+.3f}. What out_proj's biases add belongs to no head: "
        f"{found.attention_bias.sum():+.3f} in all layers together."
    )

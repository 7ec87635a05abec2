"""What can colour the diagram's parts besides their kinds: quantities measured on the sentence."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

import streamlit as st

from gptviz.diagram.view import Measure
from gptviz.ui.birds_eye.options import ADDED, COLOUR, ENTROPY, KIND
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen

if TYPE_CHECKING:
    import numpy as np

    from gptviz.analysis.contributions import Contributions
    from gptviz.tracing.trace import Trace

ABOUT = {
    ADDED: "The length of what a part adds ÷ that of the stream it is added to (L2 norms, mean "
    "over the tokens), on a logarithmic scale.",
    ENTROPY: "How widely heads spread their weight: attention entropy, the mean over all queries "
    "from position 1 on, and over a block's heads. The scale ends where every query looks evenly "
    "at all it may see.",
}


def choice(screen: Screen) -> None:
    """Choose what the colours tell, and say so where it can't be measured."""
    COLOUR.draw(screen)
    if why_not := _why_not(screen):
        st.info(why_not)


def _why_not(screen: Screen) -> str:
    """Why the chosen quantity can't be measured; empty where it can."""
    chosen, has = COLOUR.value, screen.config.has
    if chosen == ADDED and not has("shortcut"):
        return "Shortcuts are placeholders here: nothing is added to a stream."
    if chosen == ADDED and not (has("attention") or has("feed_forward")):
        return "Attention and feed-forward are placeholders here: they add nothing."
    if chosen == ENTROPY and not has("attention"):
        return "Attention is a placeholder here: there are no heads that look."
    if chosen == ENTROPY and len(screen.token_ids) == 1:
        return "The one token sees but itself: type a second one, and heads have a choice."
    return ""


def is_wanting(screen: Screen) -> bool:
    """Whether the chosen quantity is still to be measured."""
    chosen = COLOUR.value
    return chosen != KIND and not _why_not(screen) and live.kept(screen.of, chosen) is None


def take(screen: Screen, trace: Trace) -> None:
    """Measure the chosen quantity, unless that is done or can't be."""
    from gptviz.analysis.contributions import attention_entropy, contributions

    if is_wanting(screen):
        chosen = COLOUR.value
        measured: Any = {ADDED: contributions, ENTROPY: attention_entropy}[chosen]
        live.once(screen.of, chosen, lambda: measured(trace, before_each=live.stop_if_stale))


def found(screen: Screen) -> Measure | None:
    """The chosen quantity, if it has been measured."""
    chosen = COLOUR.value
    if chosen == KIND or _why_not(screen) or (values := live.kept(screen.of, chosen)) is None:
        return None
    found = _of_added(values) if chosen == ADDED else _of_entropy(values, len(screen.token_ids))
    return replace(found, about=_about(found, chosen))


def _of_added(values: Contributions) -> Measure:
    parts = {"pos_emb": values.pos_emb}
    for name in ("attention", "feed_forward"):
        each = getattr(values, name)
        if each is not None:
            parts |= {f"blocks.{layer}.{name}": float(value) for layer, value in enumerate(each)}
    known = [value for value in parts.values() if value > 0]  # neither nothing nor not a number
    return Measure("× the stream", min(known, default=0), max(known, default=0), parts)


def _of_entropy(values: np.ndarray, n_tokens: int) -> Measure:
    from gptviz.analysis.contributions import most_entropy

    heads = {f"blocks.{i}.attention": tuple(map(float, row)) for i, row in enumerate(values)}
    means = {path: sum(row) / len(row) for path, row in heads.items()}
    return Measure("bits", 0, most_entropy(n_tokens), means, heads)


def _about(measure: Measure, chosen: str) -> str:
    """The quantity in plain words, and where there is least and most of it."""
    known = [path for path, value in measure.parts.items() if not isnan(value)]
    if not known:
        return ABOUT[chosen]
    ends = [pick(known, key=measure.parts.__getitem__) for pick in (min, max)]
    here = " to ".join(f"{measure.words(measure.parts[path])} ({_place(path)})" for path in ends)
    return f"{ABOUT[chosen]} Here from {here}."


def _place(path: str) -> str:
    """A measured part in plain words: ``attention of block 3``."""
    if path == "pos_emb":
        return "position embedding"
    _, layer, name = path.split(".")
    return f"{name.replace('_', '-')} of block {layer}"

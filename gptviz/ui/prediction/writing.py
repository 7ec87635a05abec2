"""The prediction page's writing: how the next token is drawn, one after another, and what is kept.

What was written lives in the visitor's session; how much of it there is to be stands in the link.
As each draw depends on the seed and its position alone, the link gives the same text again.
"""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from gptviz.config import Sampling
from gptviz.figures.table import tokens_as_csv
from gptviz.tokenizer import END_OF_TEXT
from gptviz.ui.prediction import cache
from gptviz.ui.prediction.options import (
    DRAW_SEED,
    DRAWN,
    MANY,
    MOST_WRITTEN,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    WRITTEN,
)
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import size_in_words
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart, take_along
from gptviz.ui.widgets.chips import counted
from gptviz.ui.widgets.shaded import Token, shaded
from gptviz.ui.widgets.tables import measure

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from gptviz.analysis.sampling import Choices
    from gptviz.tracing.generation import Generated
    from gptviz.tracing.trace import Trace

TEXT = "written_text"
BARS = 15
MOST_BEFORE = 60  # tokens of the sentence that are shown before what was written
REPAINT = 0.06  # seconds between two repaints while it writes


@dataclass(frozen=True, eq=False)
class Step:
    """One token that was written, and what it was drawn from."""

    token_id: int
    position: int
    probability: float
    layer_bytes: tuple[int, ...]
    choices: Choices


@dataclass(eq=False)
class Writing:
    """What was written so far, and from what: other sentences and settings give other texts."""

    origin: Hashable
    steps: list[Step] = field(default_factory=list)


def show(screen: Screen) -> None:
    """Sampling's settings, the text, what each token was drawn from, and the KV cache."""
    st.subheader("How a text is written", anchor=False)
    st.caption(
        "One token is drawn by the probabilities, put at the end of the text, and the model reads "
        "on (sampling). Three settings decide how bold the draw is: move them and watch the bars."
    )
    if screen.dropout:
        st.info("Dropout is for training: a model writes without it, and so do these pictures.")
    screen = replace(screen, dropout=None)
    sampling = _settings(screen)
    trace = live.read(screen)
    if trace is None:
        return
    writing = _writing(screen, sampling)
    buttons, place = st.container(), st.empty()
    _write(screen, trace, writing, sampling, place)
    with buttons:
        _buttons(screen, writing)
    _text(screen, writing)
    _drawn(screen, trace, writing, sampling)
    cache.show(screen, writing)


def _settings(screen: Screen) -> Sampling:
    """The controls of a draw, each with its formula."""
    temperature, top_k, top_p, seed = st.columns(4)
    with temperature:
        t = TEMPERATURE.draw(screen)
        st.caption(r"$p_v \propto e^{\text{logit}_v / T}$; at 0 the likeliest is taken (greedy)")
    with top_k:
        k = TOP_K.draw(screen)
        st.caption("only the $k$ likeliest stay; 0 for all")
    with top_p:
        p = TOP_P.draw(screen)
        st.caption(r"only the fewest likeliest with $\sum p_v \geq \text{top-p}$ stay (nucleus)")
    with seed:
        DRAW_SEED.draw(screen, step=1)
        st.caption("the same seed draws the same text")
    return Sampling(t, k, p)


def _writing(screen: Screen, sampling: Sampling) -> Writing:
    """What this visitor's session has of this text."""
    seed = DRAW_SEED.value
    origin = (screen.of, sampling, seed)
    kept: Writing | None = st.session_state.get("writing")
    if kept is None or kept.origin != origin:
        kept = st.session_state["writing"] = Writing(origin)
    return kept


def _write(
    screen: Screen, trace: Trace, writing: Writing, sampling: Sampling, place: DeltaGenerator
) -> None:
    """Go on writing until as much is there as is asked for, showing each token as it comes."""
    missing = WRITTEN.value - len(writing.steps)
    if missing <= 0 or _why_ended(screen, writing):
        return
    from gptviz.tracing.generation import generate

    painter = _Painter(screen, writing, place)
    ids = [*screen.token_ids, *(step.token_id for step in writing.steps)]
    seed = DRAW_SEED.value
    for token in generate(trace.model, ids, missing, sampling, seed, live.stop_if_stale):
        writing.steps.append(_step(token, sampling))
        painter.paint()
    place.empty()


def _step(token: Generated, sampling: Sampling) -> Step:
    from gptviz.analysis.sampling import choices

    found = choices(token.logits, sampling, BARS, token.token_id)
    return Step(token.token_id, token.position, token.probability, token.layer_bytes, found)


class _Painter:
    """Shows the text while it grows, and the way to stop it."""

    def __init__(self, screen: Screen, writing: Writing, place: DeltaGenerator) -> None:
        self.writing, self.tokenizer = writing, screen.tokenizer
        with place.container():
            st.button("Stop", icon=":material/stop:", on_click=_stop, key="stop_writing")
            self.text, self.kept = st.empty(), st.empty()
        self.last = 0.0

    def paint(self) -> None:
        """Show what is there, unless that was done just now."""
        if time.monotonic() - self.last < REPAINT:
            return
        steps = self.writing.steps
        self.text.text(self.tokenizer.decode(step.token_id for step in steps))
        kept = sum(steps[-1].layer_bytes)
        self.kept.caption(
            f"{counted(len(steps), 'token')} written · KV cache: {size_in_words(kept)}"
        )
        self.last = time.monotonic()


def _why_ended(screen: Screen, writing: Writing) -> str:
    """Why nothing can follow what was written; empty if something can."""
    if not writing.steps:
        return ""
    last = writing.steps[-1]
    if last.token_id == screen.tokenizer.end_of_text:
        return f"It ended its text itself: it drew `{END_OF_TEXT}`."
    if last.position == screen.config.context_length:
        return (
            f"The context is full: the model has learned {screen.config.context_length:,} "
            "positions (context_length) and can't read a token beyond. Dropping the oldest would "
            "move all others to new positions, and everything kept would be wrong: so it ends here."
        )
    if len(writing.steps) >= MOST_WRITTEN:
        return f"{MOST_WRITTEN} tokens are written: this page keeps no more."
    return ""


def _buttons(screen: Screen, writing: Writing) -> None:
    ended = _why_ended(screen, writing)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        many = MANY.draw(screen, width=130)
        words = f"Write {many} token{'' if many == 1 else 's'}"
        st.button(words, key="write_many", type="primary", icon=":material/edit:",
                  on_click=_more, args=(many,), disabled=bool(ended))  # fmt: skip
        st.button("One token", key="write_one", icon=":material/add:", on_click=_one_more,
                  disabled=bool(ended))  # fmt: skip
        st.button("Start over", key="start_over", icon=":material/restart_alt:",
                  on_click=_start_over, disabled=not writing.steps)  # fmt: skip
    if ended:
        st.caption(ended)


def _n_written() -> int:
    writing: Writing | None = st.session_state.get("writing")
    return len(writing.steps) if writing else 0


def _more(count: int) -> None:
    WRITTEN.choose(min(_n_written() + count, MOST_WRITTEN))


def _one_more() -> None:
    DRAWN.choose(min(_n_written(), MOST_WRITTEN - 1))
    _more(1)


def _stop() -> None:
    WRITTEN.choose(_n_written())


def _start_over() -> None:
    WRITTEN.choose(0)
    DRAWN.choose(0)
    st.session_state.pop("writing", None)


def _text(screen: Screen, writing: Writing) -> None:
    """The sentence's end and all that was written, a token each; a click chooses one."""
    label = screen.tokenizer.label
    before = [Token(text, None, "the sentence") for text in screen.labels[-MOST_BEFORE:]]
    after = [
        Token(
            label(step.token_id), step.probability, f"drawn with probability {step.probability:.4f}"
        )
        for step in writing.steps
    ]
    scale = ("0", "1", "probability it was drawn with; click a token to see from what")
    place = len(before) + _chosen(writing)
    shaded([*before, *after], place, scale, theme(), partial(_choose, len(before)), TEXT)
    rows = [(step.position, label(step.token_id), step.probability) for step in writing.steps]
    if rows:
        csv = partial(tokens_as_csv, rows, "probability it was drawn with")
        take_along(TEXT, csv, "words")


def _chosen(writing: Writing) -> int:
    """Which of the written tokens is looked at."""
    return min(DRAWN.value, max(0, len(writing.steps) - 1))


def _choose(n_before: int, place: int) -> None:
    DRAWN.choose(place - n_before)


def _drawn(screen: Screen, trace: Trace, writing: Writing, sampling: Sampling) -> None:
    """What one written token was drawn from; what the first will be, while there is none."""
    from gptviz.analysis.sampling import choices
    from gptviz.figures.prediction import percent, sampled_bars

    step = writing.steps[_chosen(writing)] if writing.steps else None
    found = step.choices if step else choices(trace.last_logits, sampling, BARS)
    label, vocab_size = screen.tokenizer.label, screen.config.vocab_size
    ids = found.token_ids.tolist()
    drawn = None if step is None else ids.index(step.token_id)
    if step is None:
        st.markdown("**What the first token will be drawn from**")
    else:
        st.markdown(f"**What the token at position {step.position} was drawn from**")
        st.text(f"Drawn: {label(step.token_id)}")
    with st.container(horizontal=True):
        if step is not None and drawn is not None:
            own = f"the model's own: {percent(float(found.probabilities[drawn]), 2)}"
            measure("Its probability then", percent(step.probability, 2), own)
        left = f"of {vocab_size:,}"
        measure("Tokens that can be drawn", f"{found.n_left:,}", left)
        was, now = found.entropies
        measure("Entropy", f"{now:.2f} bits", f"before: {was:.2f} bits")
    st.caption(
        "Wide and pale: the model's own probability (T = 1, nothing cut). Narrow and strong: what "
        "is drawn by, after temperature, top-k and top-p, made to sum to 1 again. Grey: cut."
    )
    figure = sampled_bars(
        [label(token_id) for token_id in ids],
        (found.probabilities, found.rest),
        (found.shares, found.rest_shares),
        vocab_size - len(ids),
        drawn,
        theme(),
    )
    about = "Bar chart: the likeliest next tokens before and after temperature, top-k and top-p."
    chart(figure, "sampled", about)

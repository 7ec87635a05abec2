"""What the prediction page shows: one of its views; here those of the next word and of surprise."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.prediction import candidate_bars, percent
from gptviz.figures.table import tokens_as_csv
from gptviz.ui.prediction import lens, parts, writing
from gptviz.ui.prediction.options import CANDIDATES, VIEW
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart, take_along
from gptviz.ui.widgets.shaded import Token, shaded
from gptviz.ui.widgets.tables import measure

if TYPE_CHECKING:
    import numpy as np

    from gptviz.analysis.next_token import Standing
    from gptviz.tracing.trace import Trace

SENTENCE = "surprise_tokens"
FULL_SHADE = 16  # bits of surprise: one chance in 65,536


def show(screen: Screen) -> None:
    """The view that is open."""
    chosen = VIEW.draw(screen)
    if chosen == "write":
        writing.show(screen)
    elif trace := live.read(screen):
        _VIEWS[chosen](screen, trace)


def _next_word(screen: Screen, trace: Trace) -> None:
    """The distribution after one token of the sentence, and what came there."""
    st.subheader("What the model expects next", anchor=False)
    st.caption(
        "After each token the model gives every token of its vocabulary a probability to come next "
        "(softmax over the logits). Choose a token: these are the likeliest to follow it."
    )
    left, right = st.columns([3, 1])
    with left:
        position = shared.token(screen, "After the token")
    with right:
        count = CANDIDATES.draw(screen)
    _expectation(screen, trace, position, count)


def _expectation(screen: Screen, trace: Trace, position: int, count: int) -> None:
    """What was expected after a token, in numbers and as bars, and what came."""
    from gptviz.analysis.next_token import entropy, likeliest, standing

    came = None
    if position + 1 < trace.n_tokens:
        came = standing(trace, screen.token_ids[position + 1], position)
    bits = entropy(trace, position)
    top = likeliest(trace, count, position)
    with st.container(horizontal=True):
        help_ = "How undecided the model is; as many even choices are as hard to foretell."
        evenly = f"{2**bits:,.1f} even choices"
        measure("Entropy", f"{bits:.2f} bits", evenly, help_)
        if came:
            _came(came, float(top.probabilities[0]), screen.config.vocab_size)
    if came:
        st.text(f"What came: {screen.labels[position + 1]}")
    else:
        st.caption("Nothing came after the last token: this is what the model would write.")
    ids = top.token_ids.tolist()
    figure = candidate_bars(
        screen.tokenizer.labels(ids),
        top.probabilities,
        top.log_probabilities,
        (screen.config.vocab_size - len(ids), top.rest),
        ids.index(came.token_id) if came and came.token_id in ids else None,
        theme(),
    )
    about = f"Bar chart: the {len(ids)} likeliest next tokens, and all others together."
    chart(figure, "candidates_figure", about)


def _came(came: Standing, top: float, vocab_size: int) -> None:
    """Where the token that came stands."""
    surprise = -came.log_probability
    likeliest = f"the likeliest had {percent(top, 2)}"
    measure("Probability of what came", percent(came.probability, 2), likeliest)
    measure("Its rank", f"{came.rank:,}", f"of {vocab_size:,}")
    help_ = "Minus the log of its probability: this token's part of the loss."
    measure("Its surprise", f"{surprise / math.log(2):.2f} bits", f"{surprise:.3f} nats", help_)


def _surprise(screen: Screen, trace: Trace) -> None:
    """How surprising each token of the sentence was, and one of them more closely."""
    st.subheader("How surprised the model was, token by token", anchor=False)
    if trace.n_tokens < 2:
        st.info("Surprise needs a sentence of two tokens: the second is what is foretold.")
        return
    losses = live.losses(trace)
    st.caption(
        "The stronger the colour, the less the model had expected the token after those before it. "
        "Nothing foretells the first. Click a token to see what was expected in its place."
    )
    _mean(losses, screen.config.vocab_size)
    place = shared.position(screen)
    shaded(
        _tokens(screen, losses),
        place,
        ("0 bits", f"{FULL_SHADE} bits and more", "surprise: −log₂ of the token's probability"),
        theme(),
        shared.TOKEN.choose,
        SENTENCE,
    )
    take_along(SENTENCE, partial(_as_csv, screen.labels, losses), "words")
    place = shared.token(screen)
    if place:
        _expectation(screen, trace, place - 1, count=10)
    else:
        st.info("This is the first token: the model was told it, and could not be surprised.")


def _tokens(screen: Screen, losses: np.ndarray) -> list[Token]:
    first = Token(screen.labels[0], None, "the first token: nothing foretold it")
    return [
        first,
        *(
            Token(label, min(1.0, bits / FULL_SHADE), f"{bits:.2f} bits, position {place}")
            for place, (label, bits) in enumerate(
                zip(screen.labels[1:], (losses / math.log(2)).tolist(), strict=True), start=1
            )
        ),
    ]


def _as_csv(labels: tuple[str, ...], losses: np.ndarray) -> str:
    bits = (losses / math.log(2)).tolist()
    rows = zip(range(1, len(labels)), labels[1:], bits, strict=True)
    return tokens_as_csv(rows, "surprise in bits")


def _mean(losses: np.ndarray, vocab_size: int) -> None:
    loss, even = float(losses.mean()), math.log(vocab_size)
    with st.container(horizontal=True):
        help_ = "What training makes small (cross-entropy)."
        measure("Mean: the loss", f"{loss:.3f} nats", f"an even guess: {even:.3f}", help_)
        guess = f"an even guess: {even / math.log(2):.3f}"
        measure("In bits", f"{loss / math.log(2):.3f} bits", guess)
        help_ = "e to the loss: as if it had chosen evenly among so many tokens each time."
        measure("Perplexity", f"{math.exp(loss):,.1f}", f"of {vocab_size:,}", help_)


_VIEWS = {
    "next": _next_word,
    "surprise": _surprise,
    "lens": lens.show,
    "parts": parts.show,
}

"""The course on the page: where each part comes, what comes out at a stage, what the book has."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import streamlit as st

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.diagram.drawing import chance
from gptviz.diagram.parts import piece
from gptviz.memory import NotEnoughMemoryError, free_memory, promised
from gptviz.presets import PRESETS
from gptviz.ui.shell import live, stages
from gptviz.ui.shell.fields import go_to_stage
from gptviz.ui.shell.screen import Screen
from gptviz.words.course import STAGES, stage_of, stage_that_builds

if TYPE_CHECKING:
    from gptviz.book import Comparison
    from gptviz.tracing.trace import Trace

LAST = len(STAGES)
ALIKE = 0.1  # nats: a loss this near to the even guess's is no better and no worse
BOOK_TOKENS = 8

WHY_SMALL = (
    "Why GPT-2 small? It runs on a laptop and its weights are public; those of GPT-3 and GPT-4 are "
    "not. Those of Llama, Qwen and Gemma are: they keep the plan, blocks of attention and "
    "feed-forward around a residual stream, but put RMS norm in the layer norm's place, rotated "
    "queries and keys in the position embedding's, and a gated feed-forward in this one's; in most "
    "of them several heads share their keys and values."
)


def mark(config: GPTConfig, path: str) -> None:
    """Whether a part has been met in the course so far, or at which stage it will be."""
    stage = stages.name(stage_that_builds(config, path))
    if piece(config, path).placeholder:
        st.badge(f"to come at stage {stage}", icon=":material/hourglass_empty:", color="gray")
    else:
        st.badge(f"met at stage {stage}", icon=":material/check:", color="green")


def offer(screen: Screen) -> None:
    """Offer the course to who has not begun it."""
    if screen.is_trained and "has_begun" not in st.session_state:
        words = "New here? Build it part by part"
        st.button(words, type="tertiary", icon=":material/construction:", on_click=_begin)


def _begin() -> None:
    st.session_state["has_begun"] = True
    go_to_stage(1)


def outcome(screen: Screen) -> None:
    """What the model makes of the sentence at this stage, the way to the next, and the book."""
    stage = stage_of(screen.config.placeholders)
    with st.container(border=True, key="course"):
        st.markdown(f"#### {_heading(stage)}")
        if stage:
            st.markdown(STAGES[stage - 1].what)
        _steps(stage)
        if trace := live.ready(screen):
            _loss(screen, trace)
            _next(screen, trace)
        if stage in (1, LAST):
            _book(screen.config.placeholders)
        st.caption(WHY_SMALL)


def _heading(stage: int | None) -> str:
    if stage is None:
        return "What comes out of your own mix"
    return f"What comes out at stage {stage} of {LAST}: {STAGES[stage - 1].name}"


def _steps(stage: int | None) -> None:
    """On to the next stage and back; from the whole, to the beginning."""
    with st.container(horizontal=True):
        if stage in (None, LAST):
            words = "Build it part by part, from the beginning"
            st.button(words, icon=":material/construction:", on_click=_begin)
        if stage and stage > 1:
            st.button(f"Back: {STAGES[stage - 2].name}", on_click=go_to_stage, args=(stage - 1,))
        if stage and stage < LAST:
            words = f"Next: {STAGES[stage].name}"
            st.button(words, on_click=go_to_stage, args=(stage + 1,))


def _loss(screen: Screen, trace: Trace) -> None:
    """The mean loss over the sentence, beside that of an even guess."""
    if trace.n_tokens < 2:
        st.caption("A loss needs a sentence of two tokens: the second is what is predicted.")
        return
    loss = float(live.losses(trace).mean())
    even = math.log(screen.config.vocab_size)
    with st.container(horizontal=True):
        st.metric("Mean loss on the sentence", f"{loss:.3f} nats", border=True)
        st.metric(f"Even guess: ln {screen.config.vocab_size:,}", f"{even:.3f} nats", border=True)
    st.caption(_verdict(loss, even))


def _next(screen: Screen, trace: Trace) -> None:
    """The likeliest next tokens: the picture above has their bars."""
    from gptviz.analysis.next_token import likeliest

    top = likeliest(trace, 5)
    labels = screen.tokenizer.labels(map(int, top.token_ids))
    shares = (
        f"{label} {chance(share)}" for label, share in zip(labels, top.probabilities, strict=True)
    )
    st.text(f"Likeliest next tokens: {',  '.join(shares)},  all others {top.rest:.3f}")


def _verdict(loss: float, even: float) -> str:
    """What a loss means, in words."""
    meaning = (
        "The loss is the model's surprise at each next token, minus the log of the probability it "
        "gave it (cross-entropy). "
    )
    if loss < even - ALIKE:
        return meaning + f"Here it is as if it chose among {math.exp(loss):,.1f} tokens each time."
    if loss < even + ALIKE:
        return meaning + "Here it is that of guessing: these weights know nothing of language."
    return meaning + "Here it is worse than guessing: these weights are sure of the wrong tokens."


def _book(placeholders: frozenset[str]) -> None:
    """Run the book's batch on a model of its own, and show its numbers beside the book's."""
    config = PRESETS["gpt2-small"].changed(placeholders=placeholders)
    needed = Ledger(config).memory_to_run(BOOK_TOKENS)
    which = "dummy" if placeholders == set(PLACEHOLDER_PARTS) else "whole GPT"
    help_ = (
        f"Makes the {which} of GPT_CONFIG_124M with the random weights of seed 123, reads “Every "
        "effort moves you” and “Every day holds a”, and compares with the numbers printed in "
        "Raschka's Build a Large Language Model (From Scratch), and with one of our own. "
        f"It takes some seconds, and {needed / 10**6:,.0f} MB until it is done."
    )
    words = "Check against the book"
    if st.button(words, icon=":material/fact_check:", help=help_, key="check_book"):
        _run_book(config, needed)
    if found := st.session_state.get("book", {}).get(config):
        _comparisons(found)


def _run_book(config: GPTConfig, needed: int) -> None:
    with st.spinner("Making the book's model and running it: some seconds…", show_time=True):
        from gptviz.book import check

        try:
            with promised(needed, live.stop_if_stale):
                found = check(config, live.stop_if_stale)
        except NotEnoughMemoryError:
            st.warning(
                f"The book's model would take {needed / 2**30:,.1f} GiB of memory; "
                f"{free_memory() / 2**30:,.1f} GiB can be used now."
            )
            return
        st.session_state.setdefault("book", {})[config] = found


def _comparisons(found: tuple[Comparison, ...]) -> None:
    import pandas as pd  # a quarter of a second, which the first picture need not wait for

    rows = [(row.mode, row.place, _numbers(row.ours), _numbers(row.expected), _source(row),
             _sign(row)) for row in found]  # fmt: skip
    head = ("mode", "which numbers", "yours", "expected", "by", "within 0.0001")
    table = pd.DataFrame(rows, columns=head).set_index(head[0])
    st.table(table, border="horizontal", alt="Our numbers beside those expected")
    if any(row.ours is None for row in found):
        st.caption(
            "Train mode is left out: torch draws CPU dropout's masks in another way on "
            f"{sys.platform} than on x86 Linux, where the book's numbers were made."
        )


def _numbers(numbers: tuple[float, ...] | None) -> str:
    return "left out" if numbers is None else ", ".join(f"{number:.4f}" for number in numbers)


def _source(row: Comparison) -> str:
    return "the book" if row.printed else "our own check"


def _sign(row: Comparison) -> str:
    if row.ours is None:
        return "–"
    return "✓ yes" if row.agrees else "✗ no"

"""What the tokens page shows: the sentence's tokens on top, and one of several views of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.vocabulary import token_counts
from gptviz.tokenizer import END_OF_TEXT, FULL_VOCAB_SIZE, Tokenizer
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.sentence import SENTENCE
from gptviz.ui.shell.theme import theme
from gptviz.ui.tokens import vectors
from gptviz.ui.tokens.options import VIEW, VOCABULARY, vocabularies
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.chips import MOST, chips, counted, merges, token_chips, word_chips

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace

CHIPS, WORDS = "tokens_chips", "words_chips"
BEYOND = 64  # tokens after the cut that are shown
LONGEST_WORD = 64  # bytes of a word whose merges are shown


def sentence(screen: Screen) -> None:
    """The sentence's tokens, and what they add up to; needs no model."""
    if not screen.token_ids:
        return
    tokenizer = screen.tokenizer
    ids, n_read = tokenizer.encode(SENTENCE.value), len(screen.token_ids)
    made = token_chips(tokenizer, ids[: n_read + BEYOND])
    spoken = "The sentence's tokens; arrow keys choose one"
    chips(made, CHIPS, spoken, shared.position(screen), shared.TOKEN.choose, n_read)
    st.caption(_totals(tokenizer, ids, n_read))


def show(screen: Screen) -> None:
    """The view that is open."""
    if not screen.token_ids:
        st.info(screen.why_no_tokens)
        return
    view = VIEW.draw(screen)
    token = shared.token(screen)
    if view == "pieces":
        _word(screen, token)
        _vocabularies(screen)
    elif trace := live.read(screen):
        _of_the_model(view, screen, trace, token)


def _of_the_model(view: str, screen: Screen, trace: Trace, token: int) -> None:
    if view == "vectors":
        vectors.parts(screen, trace, token)
    elif view == "neighbours":
        vectors.alike(screen, trace, token)
    elif view == "map":
        vectors.vocabulary(screen, trace, token)
    else:
        vectors.positions(screen, trace)


def _totals(tokenizer: Tokenizer, ids: list[int], n_read: int) -> str:
    text: str = SENTENCE.value
    n_tokens = len(ids)
    n_bytes = sum(len(tokenizer.token_bytes(token_id)) for token_id in ids)
    said = (
        f"{counted(len(text), 'character')} · {counted(n_tokens, 'token')} · "
        f"{n_tokens / len(text):.2f} tokens per character · {n_bytes / n_tokens:.2f} bytes per "
        "token. A click chooses a token. Colours only tell neighbours apart: ␣ is a space, ⏎ the "
        "end of a line, and a dashed chip holds bytes of a character that is cut."
    )
    if n_read < n_tokens:
        said += (
            f" The model reads the first {n_read:,} tokens (context_length) and none of the "
            f"{n_tokens - n_read:,} after the cut: pale are those, or the first {BEYOND} of them."
        )
    if n_read > MOST:
        said += f" {MOST:,} of them are drawn."
    return said


def _word(screen: Screen, token: int) -> None:
    """The words of the sentence, and how the chosen token's word was put together."""
    st.subheader("From bytes to tokens", anchor=False)
    st.caption(
        "First the text is cut into words (GPT-2's pattern; a space belongs to the word after it). "
        "Each word starts as single bytes; then neighbours are joined, step by step: of all "
        "neighbours that make a token of the vocabulary those of the lowest rank, the pair that "
        "was learned earliest (byte-pair encoding, BPE). A rank is the new token's id, too."
    )
    tokenizer = screen.tokenizer
    words = tokenizer.word_tokens(SENTENCE.value, screen.token_ids)
    at = next(place for place, (_, tokens) in enumerate(words) if token in tokens)
    firsts = tuple(tokens.start for _, tokens in words)
    chosen = partial(_word_chosen, firsts)
    chips(word_chips(words), WORDS, "The sentence's words; arrow keys choose one", at, chosen)
    word, places = words[at]
    pieces = [tokenizer.token_bytes(screen.token_ids[place]) for place in places]
    _merges(tokenizer, word, pieces)


def _word_chosen(firsts: tuple[int, ...], place: int) -> None:
    shared.TOKEN.choose(firsts[place])


def _merges(tokenizer: Tokenizer, word: str, pieces: list[bytes]) -> None:
    """The steps; where they can't be shown, why not."""
    data = word.encode()
    if word == END_OF_TEXT:
        st.info(f"{END_OF_TEXT} is a token of its own, whatever the ranks: nothing is joined.")
        return
    if len(data) > LONGEST_WORD:
        st.info(
            f"This word has {len(data):,} bytes: up to {LONGEST_WORD} are shown step by step. "
            "Choose a shorter one."
        )
        return
    joins = list(tokenizer.joins(data))
    result = joins[-1].pieces if joins else tuple(data[i : i + 1] for i in range(len(data)))
    if result[: len(pieces)] != tuple(pieces):
        st.info(
            "This word has characters that are newer than Python's own table of Unicode, so "
            "where it begins and ends is not known here. Its tokens above are right."
        )
        return
    merges(data, joins, "merges")
    st.caption(
        f"{counted(len(data), 'byte')}, {counted(len(joins), 'join')}, "
        f"{counted(len(result), 'token')}. No two neighbours that are left make a token with a "
        f"rank below {tokenizer.end_of_text:,}, where this vocabulary ends."
    )


def _vocabularies(screen: Screen) -> None:
    """The same sentence, cut by smaller and larger vocabularies."""
    st.subheader("With another vocabulary", anchor=False)
    st.caption(
        "The first ids of GPT-2's vocabulary are a vocabulary themselves: single bytes, then what "
        "was joined earliest. The fewer ids (vocab_size), the more tokens the same text takes. "
        "The strong bar is this model's."
    )
    text, own = SENTENCE.value, min(screen.config.vocab_size, FULL_VOCAB_SIZE)
    sizes = vocabularies(screen.config)
    counts = {size: len(Tokenizer(size).encode(text)) for size in sizes}
    about = "Bar chart: how many tokens the sentence has with each size of vocabulary."
    chart(token_counts(counts, own, theme()), "counts", about)
    size = VOCABULARY.draw(screen)
    tokenizer = Tokenizer(size)
    ids = tokenizer.encode(text)
    chips(token_chips(tokenizer, ids), "other_chips", f"The tokens with {size:,} ids")
    drawn = f"; the first {MOST:,} are drawn" if len(ids) > MOST else ""
    st.caption(f"{len(ids):,} tokens with vocab_size = {size:,}{drawn}.")

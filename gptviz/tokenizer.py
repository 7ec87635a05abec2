"""Text to token ids and back: GPT-2's byte-pair encoding, from the vocabulary that ships."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path

import tiktoken
from tiktoken.load import load_tiktoken_bpe

from gptviz.quoting import quoted

END_OF_TEXT = "<|endoftext|>"
MIN_VOCAB_SIZE = 257  # 256 single bytes and <|endoftext|>
FULL_VOCAB_SIZE = 50257
VOCABULARY = Path(__file__).parent / "assets" / "r50k_base.tiktoken"
VOCABULARY_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"

# How GPT-2 cuts a text into pieces before it merges bytes inside each piece.
_PIECES = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""

# The same for a text in which ASCII stands for all of Unicode (_stand_in): Python's own patterns
# know no \p{L}.
_STAND_INS = re.compile(
    r"""'(?:[sdmt]|ll|ve|re)| ?[A-Za-z]++| ?[0-9]++| ?[^\sA-Za-z0-9]++|\s++\Z|\s+(?!\S)|\s""",
    re.ASCII,
)

NO_RANK = 2**31  # later than every pair that is in a vocabulary

_VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"})


@dataclass(frozen=True)
class Join:
    """One step of a word's encoding: two neighbouring pieces become one.

    Args:
        left, right: the two.
        rank: the new piece's place in the list of merges, which is also its id.
        place: where it stands among ``pieces``.
        pieces: all of the word after this step.
    """

    left: bytes
    right: bytes
    rank: int
    place: int
    pieces: tuple[bytes, ...]


class Tokenizer:
    """GPT-2's tokenizer, whole or cut to its first ranks.

    Ranks are ordered by merge, so the first ones alone are a valid byte-pair encoding. With a
    vocabulary of V < 50257 ids, ids 0 to V-2 are the first ranks and V-1 is ``<|endoftext|>``;
    ids past 50256 in a larger vocabulary stand for no text.

    Args:
        vocab_size: number of ids, at least 257.

    Raises:
        ValueError: if ``vocab_size`` is too small, or the vocabulary file is damaged.
    """

    def __init__(self, vocab_size: int = FULL_VOCAB_SIZE) -> None:
        if vocab_size < MIN_VOCAB_SIZE:
            raise ValueError(
                f"vocab_size={quoted(vocab_size)} must be at least {MIN_VOCAB_SIZE} "
                f"(256 single bytes and {END_OF_TEXT}): try {MIN_VOCAB_SIZE}"
            )
        self.vocab_size = vocab_size
        self.end_of_text = min(vocab_size, FULL_VOCAB_SIZE) - 1
        self._encoding = _encoding(self.end_of_text)

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; ``<|endoftext|>`` in it becomes the special token."""
        return self._encoding.encode(text, allowed_special={END_OF_TEXT})

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of many texts, on all cores."""
        return self._encoding.encode_batch(list(texts), allowed_special={END_OF_TEXT})

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ``ids``; bytes that are no whole character become U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes one id stands for; none for an id past GPT-2's vocabulary.

        Raises:
            ValueError: if the id is outside the vocabulary.
        """
        if not 0 <= token_id < self.vocab_size:
            raise ValueError(f"token id {quoted(token_id)} must be from 0 to {self.vocab_size - 1}")
        if token_id > self.end_of_text:
            return b""
        return self._encoding.decode_single_token_bytes(token_id)

    def label(self, token_id: int) -> str:
        """One token made visible: ``␣`` space, ``⏎`` newline, ``\\xe2`` a byte of a character."""
        return visible(self.token_bytes(token_id)) or f"unused {token_id}"

    def labels(self, ids: Iterable[int]) -> list[str]:
        """``label`` of every id."""
        return [self.label(token_id) for token_id in ids]

    def words(self, text: str) -> list[str]:
        """What GPT-2 cuts a text into before it merges bytes: no token reaches over a cut.

        A space belongs to the word after it. ``<|endoftext|>`` stands alone. Half a surrogate pair
        is no character: it becomes U+FFFD, as in ``encode``. Source: the pattern of GPT-2's
        ``encoder.py``.
        """
        sound = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        first, *later = sound.split(END_OF_TEXT)
        return _cut(first) + [word for part in later for word in (END_OF_TEXT, *_cut(part))]

    def word_tokens(self, text: str, ids: Sequence[int]) -> list[tuple[str, range]]:
        """Each word with the positions of its tokens in ``ids``: all of the text's, or the first.

        Words that begin after the last of them are left out.
        """
        starts = [0, *accumulate(len(self.token_bytes(token_id)) for token_id in ids)]
        found, here, first = [], 0, 0
        for word in self.words(text):
            here += len(word.encode())
            after = bisect_left(starts, here, first)
            found.append((word, range(first, min(after, len(ids)))))
            first = after
        return [(word, tokens) for word, tokens in found if tokens.start < len(ids)]

    def joins(self, word: bytes) -> Iterator[Join]:
        """How the bytes of one word become tokens, step by step.

        Of all neighbours that make a piece of the vocabulary, those of the lowest rank are joined,
        the leftmost first, until no two are left. A word of n bytes takes at most n - 1 steps.
        Source: Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units,
        on bytes instead of characters (Radford et al. 2019).
        """
        pieces = [word[i : i + 1] for i in range(len(word))]
        ranks = [self._rank(*pair) for pair in pairwise(pieces)]
        while ranks and (rank := min(ranks)) != NO_RANK:
            place = ranks.index(rank)
            left, right = pieces[place : place + 2]
            pieces[place : place + 2] = [left + right]
            del ranks[place]
            for i in range(max(place - 1, 0), min(place + 1, len(ranks))):
                ranks[i] = self._rank(pieces[i], pieces[i + 1])
            yield Join(left, right, rank, place, tuple(pieces))

    def _rank(self, left: bytes, right: bytes) -> int:
        rank = _ranks().get(left + right, NO_RANK)
        return rank if rank < self.end_of_text else NO_RANK


def visible(data: bytes) -> str:
    """Bytes made visible: ``␣`` space, ``⏎`` newline, ``\\xe2`` a byte of a split character."""
    text = data.decode("utf-8", errors="backslashreplace").translate(_VISIBLE)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str) -> list[str]:
    stand_ins = "".join(map(_stand_in, text))
    return [text[found.start() : found.end()] for found in _STAND_INS.finditer(stand_ins)]


def _stand_in(character: str) -> str:
    """An ASCII character of the same kind: a letter, a number, a space or something else."""
    if character.isascii():
        return character
    if character.isspace():
        return "\t"  # not " ", which can begin a word
    return {"L": "L", "N": "0"}.get(unicodedata.category(character)[0], ".")


@lru_cache(maxsize=1)
def _ranks() -> dict[bytes, int]:
    return load_tiktoken_bpe(str(VOCABULARY), expected_hash=VOCABULARY_SHA256)


@lru_cache(maxsize=16)
def _encoding(end_of_text: int) -> tiktoken.Encoding:
    return tiktoken.Encoding(
        name=f"gpt2 cut to {end_of_text + 1} ids",
        pat_str=_PIECES,
        mergeable_ranks={token: rank for token, rank in _ranks().items() if rank < end_of_text},
        special_tokens={END_OF_TEXT: end_of_text},
    )

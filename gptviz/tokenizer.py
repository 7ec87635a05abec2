"""Text to token ids and back: GPT-2's byte-pair encoding, from the vocabulary that ships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import tiktoken
from tiktoken.load import load_tiktoken_bpe

from gptviz.config import MIN_VOCAB_SIZE

END_OF_TEXT = "<|endoftext|>"
FULL_VOCAB_SIZE = 50257
VOCABULARY = Path(__file__).parent / "assets" / "r50k_base.tiktoken"
VOCABULARY_SHA256 = "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930"

# How GPT-2 cuts a text into pieces before it merges bytes inside each piece.
_PIECES = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""

_VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"})


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
                f"vocab_size={vocab_size} must be at least {MIN_VOCAB_SIZE} "
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
            raise ValueError(f"token id {token_id} must be from 0 to {self.vocab_size - 1}")
        if token_id > self.end_of_text:
            return b""
        return self._encoding.decode_single_token_bytes(token_id)

    def label(self, token_id: int) -> str:
        """One token made visible: ``␣`` space, ``⏎`` newline, ``\\xe2`` a byte of a character."""
        text = self.token_bytes(token_id).decode("utf-8", errors="backslashreplace")
        if not text:
            return f"unused {token_id}"
        text = text.translate(_VISIBLE)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

    def labels(self, ids: Iterable[int]) -> list[str]:
        """``label`` of every id."""
        return [self.label(token_id) for token_id in ids]


@lru_cache(maxsize=1)
def _ranks() -> dict[bytes, int]:
    return load_tiktoken_bpe(str(VOCABULARY), expected_hash=VOCABULARY_SHA256)


@lru_cache(maxsize=8)
def _encoding(end_of_text: int) -> tiktoken.Encoding:
    return tiktoken.Encoding(
        name=f"gpt2 cut to {end_of_text + 1} ids",
        pat_str=_PIECES,
        mergeable_ranks={token: rank for token, rank in _ranks().items() if rank < end_of_text},
        special_tokens={END_OF_TEXT: end_of_text},
    )

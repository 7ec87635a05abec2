"""A folder of text as rows of token ids to train on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt16

from gptviz.tokenizer import Tokenizer

COPY_SPAN = (6, 96)  # tokens in a copied span, at least and at most
SEGMENT = 64  # tokens after which some copy rows begin a new span


@dataclass(frozen=True)
class Corpus:
    """A folder of text as token ids: what is learned from and what is kept apart."""

    train: UInt16[np.ndarray, " n_train"]
    held_out: UInt16[np.ndarray, " n_held_out"]


def read_corpus(folder: Path, tokenizer: Tokenizer, held_out: tuple[str, ...]) -> Corpus:
    """All ``*.txt`` of a folder (UTF-8) as ids, ``<|endoftext|>`` after each.

    Args:
        held_out: parts of names; a file whose name has one of them is kept apart.

    Raises:
        ValueError: if there is nothing to learn from or nothing to test on, or one of them is no
            text file or can't be read.
    """
    files = sorted(folder.glob("*.txt"))
    apart = [f for f in files if any(part in f.name for part in held_out)]
    learned = [f for f in files if f not in apart]
    if not learned or not apart:
        raise ValueError(
            f"{folder.name}: {len(learned)} text files to learn from and {len(apart)} held out "
            f"({', '.join(held_out)}): both must be at least 1"
        )
    return Corpus(_ids(learned, tokenizer), _ids(apart, tokenizer))


def _ids(files: list[Path], tokenizer: Tokenizer) -> UInt16[np.ndarray, " n"]:
    books = tokenizer.encode_batch([_text(f) for f in files])
    return np.array([i for book in books for i in [*book, tokenizer.end_of_text]], dtype=np.uint16)


def _text(file: Path) -> str:
    if not file.is_file():
        raise ValueError(f"{file.name} is {_kind(file)}, not a text file: take it away")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is not UTF-8 text ({error}): convert it first") from error
    except OSError as error:
        raise ValueError(f"{file.name} can't be read ({error.strerror})") from error


def _kind(file: Path) -> str:
    """What a path is that isn't a regular file."""
    if file.is_dir():
        return "a folder"
    return "a pipe or a device" if file.exists() else "a link to nothing"


def check_enough(corpus: Corpus, length: int) -> None:
    """Raise ValueError if there is too little text for rows of ``length``, before hours go by."""
    for ids, use, rows in ((corpus.train, "to learn from", 2), (corpus.held_out, "held out", 1)):
        if len(ids) <= rows * length:
            raise ValueError(
                f"{len(ids)} tokens {use}: with rows of {length} (context_length) there must be "
                f"more than {rows * length}"
            )


@lru_cache(maxsize=2)
def _shuffled(n_rows: int, seed: int, epoch: int) -> Int64[np.ndarray, " n_rows"]:
    return np.random.default_rng([seed, epoch]).permutation(n_rows)


def text_row(ids: UInt16[np.ndarray, " n"], length: int, seed: int, index: int) -> np.ndarray:
    """Row ``index`` of an endless, shuffled reading of ``ids``; each pass starts elsewhere."""
    n_rows = (len(ids) - 1) // length - 1
    epoch, place = divmod(index, n_rows)
    start = np.random.default_rng([seed, epoch, 1]).integers(length)
    first = start + _shuffled(n_rows, seed, epoch)[place] * length
    return ids[first : first + length + 1]


def copy_row(
    ids: UInt16[np.ndarray, " n"], length: int, vocab_size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Spans that are repeated, and which tokens of the row that foretells.

    One span to the end of the row, or another one after every ``SEGMENT`` tokens; half the spans
    are random ids.
    """
    size = min(SEGMENT, length + 1) if rng.random() < 0.5 else length + 1
    n_segments = -(-(length + 1) // size)
    spans = [_span(ids, size, vocab_size, rng) for _ in range(n_segments)]
    row = np.concatenate([np.resize(span, size) for span in spans])
    told = np.concatenate([np.arange(size) >= len(span) for span in spans])
    return row[: length + 1], told[: length + 1]


def _span(
    ids: UInt16[np.ndarray, " n"], size: int, vocab_size: int, rng: np.random.Generator
) -> np.ndarray:
    longest = max(COPY_SPAN[0], min(COPY_SPAN[1], size // 2))
    length = int(np.exp(rng.uniform(np.log(COPY_SPAN[0]), np.log(longest + 1))))
    if rng.random() < 0.5:
        return rng.integers(vocab_size - 1, size=length)
    first = rng.integers(len(ids) - length)
    return ids[first : first + length]


def echo_row(
    length: int, vocab_size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random ids in threes ``x y x``, and which tokens are foretold by the one before the last.

    After ``y``, the token before it is what follows: only a head that looks exactly one token back
    can tell.
    """
    first = int(rng.integers(3))
    row = rng.integers(vocab_size - 1, size=length + 1)
    row[first + 2 :: 3] = row[first : length - 1 : 3]
    told = np.zeros(length + 1, dtype=bool)
    told[first + 2 :: 3] = True
    return row, told

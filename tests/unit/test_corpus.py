from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gptviz.corpus import COPY_SPAN, Corpus, check_enough, copy_row, read_corpus, text_row
from gptviz.tokenizer import Tokenizer

LENGTH = 32
IDS = np.arange(1000, dtype=np.uint16)  # an id is its own place


@pytest.fixture
def books(tmp_path):
    for name in ("b", "a", "kept apart"):
        (tmp_path / f"{name}.txt").write_text(f"This is {name}.", encoding="utf-8")
    (tmp_path / "notes.md").write_text("no book")
    return tmp_path


def test_every_book_ends_with_the_end_of_text(books):
    tokenizer = Tokenizer(8192)
    corpus = read_corpus(books, tokenizer, ("apart",))
    learned = tokenizer.decode(corpus.train.tolist())
    assert learned == "This is a.<|endoftext|>This is b.<|endoftext|>"
    assert tokenizer.decode(corpus.held_out.tolist()) == "This is kept apart.<|endoftext|>"
    assert corpus.train.tolist().count(8191) == 2


@pytest.mark.parametrize(
    ("held_out", "counts"), [(("nobody",), "3 .* and 0 held"), (("",), "0 .* and 3 held")]
)
def test_nothing_to_learn_from_or_to_test_on(books, held_out, counts):
    with pytest.raises(ValueError, match=counts):
        read_corpus(books, Tokenizer(8192), held_out)


def test_a_file_that_is_no_text_is_named(books):
    (books / "c.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"c\.txt is not UTF-8 text"):
        read_corpus(books, Tokenizer(8192), ("apart",))


@pytest.mark.parametrize(
    ("train", "held_out", "match"),
    [(64, 33, "64 tokens to learn from: .* 32 .* more than 64"), (65, 32, "32 tokens held out")],
)
def test_too_little_text(train, held_out, match):
    with pytest.raises(ValueError, match=match):
        check_enough(Corpus(IDS[:train], IDS[:held_out]), LENGTH)
    check_enough(Corpus(IDS[:65], IDS[:33]), LENGTH)


def test_one_pass_reads_every_place_once_shuffled():
    n_rows = (len(IDS) - 1) // LENGTH - 1
    rows = [text_row(IDS, LENGTH, 123, index) for index in range(n_rows)]
    assert {len(row) for row in rows} == {LENGTH + 1}
    assert all((np.diff(row.astype(int)) == 1).all() for row in rows)  # plain text, in order
    starts = [int(row[0]) for row in rows]
    assert starts != sorted(starts)
    first = min(starts)
    assert first < LENGTH
    assert sorted(starts) == list(range(first, first + n_rows * LENGTH, LENGTH))


def test_the_next_pass_is_another():
    n_rows = (len(IDS) - 1) // LENGTH - 1
    passes = [
        [int(text_row(IDS, LENGTH, 123, n * n_rows + i)[0]) for i in range(n_rows)]
        for n in range(2)
    ]
    assert passes[0] != passes[1]


def test_the_shortest_text_allowed_gives_rows():
    for index in range(5):
        assert len(text_row(IDS[:65], LENGTH, 1, index)) == LENGTH + 1


@pytest.mark.parametrize("length", [4, 8, LENGTH, 256])
def test_copy_rows_repeat_one_span_to_the_end(length):
    rng = np.random.default_rng(1)
    for _ in range(50):
        row, span = copy_row(IDS, length, 500, rng)
        assert len(row) == length + 1
        assert COPY_SPAN[0] <= span <= max(COPY_SPAN[0], min(COPY_SPAN[1], length // 2))
        np.testing.assert_array_equal(row[span:], row[:-span] if span <= length else [])


def test_half_the_spans_are_text_and_half_random():
    rng = np.random.default_rng(1)
    rows = [copy_row(IDS, 256, 500, rng) for _ in range(200)]
    kinds = Counter(bool((np.diff(row[:span].astype(int)) == 1).all()) for row, span in rows)
    assert 70 < kinds[True] < 130
    assert max(int(row.max()) for row, span in rows if np.diff(row.astype(int))[0] != 1) < 499


def test_spans_of_all_lengths_come():
    rng = np.random.default_rng(1)
    lengths = [copy_row(IDS, 256, 500, rng)[1] for _ in range(500)]
    assert min(lengths) == COPY_SPAN[0]
    assert max(lengths) > 0.9 * COPY_SPAN[1]

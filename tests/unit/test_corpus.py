from __future__ import annotations

import io
import os
from collections import Counter

import numpy as np
import pytest

from gptviz.corpus import (
    COPY_SPAN,
    SEGMENT,
    Corpus,
    check_enough,
    copy_row,
    echo_row,
    read_corpus,
    text_row,
)
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


def test_a_byte_order_mark_is_no_text(books):
    plain = read_corpus(books, Tokenizer(8192), ("apart",))
    for book in books.glob("*.txt"):
        book.write_bytes(b"\xef\xbb\xbf" + book.read_bytes())
    marked = read_corpus(books, Tokenizer(8192), ("apart",))
    np.testing.assert_array_equal(marked.train, plain.train)
    np.testing.assert_array_equal(marked.held_out, plain.held_out)


def make_folder(path):
    path.mkdir()


def make_broken_link(path):
    path.symlink_to(path.with_name("nowhere"))


def make_loop(path):
    path.symlink_to(path)


def make_pipe(path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(path)


@pytest.mark.timeout(20)  # opening a pipe waits for somebody to write
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (make_folder, "a folder"),
        (make_broken_link, "a link to nothing"),
        (make_loop, "a link to nothing"),
        (make_pipe, "a pipe or a device"),
    ],
)
@pytest.mark.parametrize("name", ["c.txt", "apart 2.txt"])
def test_what_is_no_text_file_is_named(books, make, kind, name):
    make(books / name)
    with pytest.raises(ValueError, match=f"{name} is {kind}, not a text file"):
        read_corpus(books, Tokenizer(8192), ("apart",))


def test_a_file_that_can_not_be_read_is_named(books, monkeypatch):
    usual = io.open

    def guarded(file, *args, **kwargs):
        if str(file).endswith("b.txt"):
            raise PermissionError(13, "Permission denied", str(file))
        return usual(file, *args, **kwargs)

    monkeypatch.setattr(io, "open", guarded)
    with pytest.raises(ValueError, match=r"^b\.txt can't be read \(Permission denied\)"):
        read_corpus(books, Tokenizer(8192), ("apart",))


def test_a_link_to_a_text_is_a_text(books, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "text"
    elsewhere.write_text("This is c.")
    (books / "c.txt").symlink_to(elsewhere)
    corpus = read_corpus(books, Tokenizer(8192), ("apart",))
    assert Tokenizer(8192).decode(corpus.train.tolist()).endswith("This is c.<|endoftext|>")


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


def spans(length, n_rows=200):
    """The first span of many copy rows, and the row it stands in."""
    rng = np.random.default_rng(1)
    for _ in range(n_rows):
        row, told = copy_row(IDS, length, 500, rng)
        first = int(told.argmax()) if told.any() else length + 1
        yield row[:first], row, told


@pytest.mark.parametrize("length", [4, 8, LENGTH, 256])
def test_what_a_copy_row_foretells_is_the_token_one_span_before(length):
    for span, row, told in spans(length):
        assert len(row) == len(told) == length + 1
        assert len(span) <= max(COPY_SPAN[0], min(COPY_SPAN[1], (length + 1) // 2))
        end = np.flatnonzero(~told[len(span) :])  # where the next span begins
        end = len(span) + int(end[0]) if len(end) else len(row)
        np.testing.assert_array_equal(row[len(span) : end], row[: end - len(span)])
        assert end in (SEGMENT, length + 1)


def test_some_copy_rows_begin_new_spans_and_some_do_not():
    kinds = Counter(bool(told[2 * COPY_SPAN[1] :].all()) for _, _, told in spans(256))
    assert 70 < kinds[True] < 130


def test_half_the_spans_are_text_and_half_random():
    found = [(bool((np.diff(span.astype(int)) == 1).all()), span) for span, _, _ in spans(256)]
    assert 70 < sum(is_text for is_text, _ in found) < 130
    assert max(int(span.max()) for is_text, span in found if not is_text) < 499


def test_spans_of_all_lengths_come():
    lengths = [len(span) for span, _, _ in spans(256, 500)]
    assert min(lengths) == COPY_SPAN[0]
    assert max(lengths) > 0.9 * COPY_SPAN[1]


def test_echo_rows_say_again_what_stood_two_places_before():
    rng = np.random.default_rng(1)
    for _ in range(20):
        row, told = echo_row(LENGTH, 500, rng)
        places = np.flatnonzero(told)
        assert set(np.diff(places)) == {3}
        np.testing.assert_array_equal(row[places], row[places - 2])
        assert len(places) >= LENGTH // 3 - 1

"""The check against the book really compares, and leaves nothing behind."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from gptviz import book
from gptviz.book import DUMMY, WHOLE, Comparison, check
from gptviz.model import GPTModel
from gptviz.tokenizer import Tokenizer


def test_the_batch_is_the_books_sentences():
    sentences = ("Every effort moves you", "Every day holds a")
    assert tuple(tuple(Tokenizer().encode(text)) for text in sentences) == book.BATCH


@pytest.mark.parametrize(("config", "n_rows"), [(DUMMY, 2), (WHOLE, 3)])
def test_ours_are_the_books_numbers_and_nothing_is_left(config, n_rows, monkeypatch):
    made = []

    def noted(*arguments, **options):
        model = GPTModel(*arguments, **options)
        made.append(weakref.ref(model))
        return model

    monkeypatch.setattr(book, "GPTModel", noted)
    before = torch.get_rng_state()
    found = check(config)
    assert len(found) == n_rows
    assert {row.mode for row in found} == {"train", "eval"}
    assert all(row.printed is (row.mode == "train") for row in found)  # the book prints no other
    for row in found:
        skipped = row.mode == "train" and not book.SAME_DROPOUT
        assert row.agrees is not skipped, row
    assert torch.equal(torch.get_rng_state(), before)
    gc.collect()
    assert [model() for model in made] == [None]


def test_the_book_has_no_numbers_of_other_models():
    with pytest.raises(KeyError):
        check(WHOLE.changed(n_layers=1))


@pytest.mark.parametrize(
    ("ours", "agrees"),
    [
        ((0.5, -1.0), True),
        ((0.50009, -1.00009), True),
        ((0.5, -1.0002), False),
        ((0.5, float("nan")), False),
        (None, False),
    ],
)
def test_agreement_is_computed(ours, agrees):
    assert Comparison("eval", "logits", (0.5, -1.0), ours).agrees is agrees


def test_other_weights_do_not_agree(monkeypatch):
    monkeypatch.setattr(book, "SEED", 124)
    assert not any(row.agrees for row in check(DUMMY))


def test_where_dropout_differs_the_train_rows_are_left_out(monkeypatch):
    monkeypatch.setattr(book, "SAME_DROPOUT", False)
    train, evaluated = check(DUMMY)
    assert (train.mode, train.ours, train.agrees) == ("train", None, False)
    assert evaluated.agrees

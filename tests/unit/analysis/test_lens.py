"""The logit lens: every row against a pass by a model that really ends there."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from gptviz.analysis.lens import lens_logits, logit_lens
from gptviz.config import PLACEHOLDER_PARTS, Dropout
from gptviz.model import GPTModel
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [7, 299, 0, 7, 42, 100]
EVERY_KIND = [(), *((part,) for part in PLACEHOLDER_PARTS), PLACEHOLDER_PARTS]


def stopped_after(model: GPTModel, n_blocks: int) -> torch.Tensor:
    """The scores of a model that has the same weights, but only the first blocks."""
    short = GPTModel(model.config.changed(n_layers=max(1, n_blocks))).eval()
    weights = model.state_dict()
    short.load_state_dict({name: weights[name] for name in short.state_dict()})
    if not n_blocks:
        short.blocks = torch.nn.ModuleList()
    with torch.inference_mode():
        return short(torch.tensor([IDS]))[0]


@pytest.mark.parametrize("placeholders", EVERY_KIND, ids="+".join)
def test_a_row_is_what_a_model_would_say_that_ends_there(
    read: Read, placeholders: tuple[str, ...]
) -> None:
    traced = read(IDS, placeholders=placeholders, n_layers=3)
    for row in range(4):
        expected = stopped_after(traced.model, row)
        found = lens_logits(traced, row, 0, len(IDS))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dropout", [None, Dropout(0.3)])
def test_the_last_row_is_the_models_own_output(read: Read, dropout: Dropout | None) -> None:
    traced = read(IDS, dropout=dropout)
    own = torch.stack([traced.logits(position) for position in range(len(IDS))])
    torch.testing.assert_close(lens_logits(traced, 2, 0, len(IDS)), own, atol=1e-5, rtol=1e-5)
    found = logit_lens(traced, 0, len(IDS))
    assert found.token_ids[-1].tolist() == own.argmax(dim=-1).tolist()
    assert found.ranks[-1].tolist() == [1] * len(IDS)


def test_what_is_said_of_each_cell(read: Read) -> None:
    traced = read(IDS)
    found = logit_lens(traced, 0, len(IDS))
    answers = stopped_after(traced.model, 2).argmax(dim=-1).tolist()
    for row in range(3):
        for column, logits in enumerate(stopped_after(traced.model, row).tolist()):
            whole = sum(math.exp(logit) for logit in logits)
            shares = [math.exp(logit) / whole for logit in logits]
            assert found.token_ids[row, column] == shares.index(max(shares))
            assert found.probabilities[row, column] == pytest.approx(max(shares), abs=1e-5)
            bits = -sum(share * math.log2(share) for share in shares)
            assert found.entropies[row, column] == pytest.approx(bits, abs=1e-4)
            answer = logits[answers[column]]
            assert found.ranks[row, column] == 1 + sum(logit > answer for logit in logits)


def test_a_window_is_a_part_of_the_whole(read: Read) -> None:
    traced = read(IDS)
    whole, part = logit_lens(traced, 0, len(IDS)), logit_lens(traced, 2, 3)
    assert part.first == 2
    assert part.token_ids.tolist() == whole.token_ids[:, 2:5].tolist()
    assert part.entropies.shape == (3, 3)


@pytest.mark.parametrize(("first", "count"), [(-1, 2), (5, 2), (0, 0), (6, 1)])
def test_positions_outside_the_sentence_are_refused(read: Read, first: int, count: int) -> None:
    with pytest.raises(IndexError, match="not all in the sentence: it has 0 to 5"):
        logit_lens(read(IDS), first, count)


def test_a_row_that_is_not_there_is_refused(read: Read) -> None:
    with pytest.raises(IndexError, match="layer 2 isn't there"):
        lens_logits(read(IDS), 3, 0, 1)


def test_who_has_moved_on_is_asked_before_every_row(read: Read) -> None:
    rows: list[int] = []
    logit_lens(read(IDS), 0, 2, before_each=rows.append)
    assert rows == [0, 1, 2]

"""What embeddings are like, against one number at a time in plain Python and numpy's own SVD."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gptviz.analysis import embeddings
from gptviz.analysis.embeddings import (
    kept,
    neighbours,
    parts,
    position_similarity,
    similarity,
    vocabulary_map,
)
from gptviz.config import Dropout, GPTConfig
from gptviz.model import GPTModel
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [5, 6, 299, 5, 200]


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    lengths = math.sqrt(sum(x * x for x in a.tolist())) * math.sqrt(sum(y * y for y in b.tolist()))
    return sum(x * y for x, y in pairs) / lengths if lengths else 0.0


def cosines(rows: torch.Tensor) -> list[list[float]]:
    return [[cosine(a, b) for b in rows] for a in rows]


def test_token_and_position_are_rows_of_the_models_tables_and_their_sum(read: Read) -> None:
    traced = read(IDS)
    found, model = parts(traced), traced.model
    np.testing.assert_array_equal(found.token, model.tok_emb.weight[IDS].detach())
    np.testing.assert_array_equal(found.position, model.pos_emb.weight[:5].detach())
    np.testing.assert_array_equal(found.total, traced.embeddings)
    assert kept(traced) is None


def test_what_dropout_keeps_is_enlarged_and_the_rest_is_zero(read: Read) -> None:
    traced = read(IDS, dropout=Dropout(0.25, seed=5))
    stays, total = kept(traced), parts(traced).total
    assert stays is not None
    assert 0.05 < 1 - stays.mean() < 0.45
    expected = np.where(stays, total / 0.75, 0)
    np.testing.assert_allclose(traced.embeddings, expected, rtol=1e-6)


@pytest.mark.parametrize("summed", [False, True])
def test_similarity_is_the_cosine_of_any_two(read: Read, summed: bool) -> None:
    traced = read(IDS)
    rows = traced.tok_emb + traced.pos_emb if summed else traced.tok_emb
    found = similarity(traced, summed=summed)
    np.testing.assert_allclose(found, cosines(rows), atol=1e-6)
    assert (found[0, 3] == pytest.approx(1)) == (not summed)  # the same token, elsewhere
    part = similarity(traced, slice(1, 4), summed)
    np.testing.assert_allclose(part, found[1:4, 1:4], atol=1e-6)


def test_a_row_of_zeros_is_like_nothing(read: Read) -> None:
    traced = read([7, 8])
    traced = replace(traced, tok_emb=traced.tok_emb * torch.tensor([[0], [1]]))
    np.testing.assert_allclose(similarity(traced), [[0, 0], [0, 1]], atol=1e-6)


@pytest.mark.parametrize(("most", "step"), [(320, 1), (319, 2), (100, 4), (1, 320)])
def test_positions_are_compared_exactly_though_some_are_left_out(
    read: Read, most: int, step: int
) -> None:
    model = read([1]).model
    found = position_similarity(model.pos_emb.weight.detach(), most)
    assert found.positions.tolist() == list(range(0, 320, step))
    assert len(found.positions) <= most
    for apart in {0, len(found.positions) // 2, len(found.positions) - 1}:
        pairs = range(len(found.positions) - apart)
        mean = sum(float(found.cosines[i, i + apart]) for i in pairs) / len(pairs)
        assert found.by_distance[apart] == pytest.approx(mean, abs=1e-6)
    some = slice(0, 6)
    rows = model.pos_emb.weight[found.positions[some].tolist()].detach()
    np.testing.assert_allclose(found.cosines[some, some], cosines(rows), atol=1e-6)


@pytest.mark.parametrize("band", [1, 24 * 7, 10**9])
def test_neighbours_are_the_largest_cosines_of_the_whole_vocabulary(
    read: Read, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "BAND", band)
    table = read([1]).model.tok_emb.weight.detach()
    exact = {i: cosine(table[42], row) for i, row in enumerate(table) if i != 42}
    found = neighbours(read([1]).model.tok_emb.weight.detach(), 42, count=10)
    order = sorted(exact, key=lambda i: -exact[i])
    assert found.token_ids.tolist() == order[:10]
    np.testing.assert_allclose(found.cosines, [exact[i] for i in order[:10]], atol=1e-6)
    assert found.mean == pytest.approx(np.mean(list(exact.values())), abs=1e-6)
    assert found.std == pytest.approx(np.std(list(exact.values())), abs=1e-6)


def test_more_neighbours_than_there_are(read: Read) -> None:
    assert sorted(
        neighbours(read([1]).model.tok_emb.weight.detach(), 0, count=1000).token_ids
    ) == list(range(1, 300))


@pytest.mark.parametrize("token_id", [-1, 300])
def test_a_token_that_is_not_there_has_no_neighbours(read: Read, token_id: int) -> None:
    with pytest.raises(IndexError, match=f"token id {token_id} must be from 0 to 299"):
        neighbours(read([1]).model.tok_emb.weight.detach(), token_id)


def test_a_search_can_be_stopped(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "BAND", 24 * 100)
    seen: list[int] = []

    def stop_at_the_second() -> None:
        seen.append(1)
        if len(seen) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        neighbours(read([1]).model.tok_emb.weight.detach(), 0, before_each=stop_at_the_second)
    assert len(seen) == 2


@pytest.mark.parametrize("emb_dim", [24, 600])  # more rows than columns, and fewer
def test_a_map_is_numpys_principal_components(read: Read, emb_dim: int) -> None:
    model = read([1], emb_dim=emb_dim).model
    found = vocabulary_map(model.tok_emb.weight.detach(), IDS, sample=90)
    rows = model.tok_emb.weight.detach().double().numpy()[found.token_ids]
    rows -= rows.mean(axis=0)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    expected = left[:, :3] * sizes[:3]
    for axis in range(3):
        farthest = expected[np.abs(expected[:, axis]).argmax(), axis]
        np.testing.assert_allclose(
            found.places[:, axis], expected[:, axis] * np.sign(farthest), atol=2e-3
        )
    np.testing.assert_allclose(found.shares, (sizes**2 / (sizes**2).sum())[:3], rtol=1e-4)
    spread = found.places.astype(np.float64).var(axis=0) / rows.var(axis=0).sum()
    np.testing.assert_allclose(spread, found.shares, rtol=1e-4)


def test_a_map_begins_with_the_sentences_tokens_once_each(read: Read) -> None:
    model = read([1]).model
    found = vocabulary_map(model.tok_emb.weight.detach(), IDS, sample=50)
    assert found.token_ids[: found.n_sentence].tolist() == [5, 6, 299, 200]
    assert len(found.token_ids) == len(set(found.token_ids.tolist())) == 54
    again = vocabulary_map(model.tok_emb.weight.detach(), IDS, sample=50)
    np.testing.assert_array_equal(found.places, again.places)
    assert set(vocabulary_map(model.tok_emb.weight.detach(), IDS, 50, seed=5).token_ids) != set(
        found.token_ids
    )
    assert sorted(vocabulary_map(model.tok_emb.weight.detach(), IDS).token_ids) == list(range(300))


@pytest.mark.parametrize("emb_dim", [1, 2])
def test_a_map_of_vectors_with_less_than_three_numbers(emb_dim: int) -> None:
    config = GPTConfig(vocab_size=300, context_length=8, emb_dim=emb_dim, n_heads=1, n_layers=1)
    found = vocabulary_map(GPTModel(config).tok_emb.weight.detach(), [1, 2])
    assert found.places.shape == (300, 3)
    assert not found.places[:, emb_dim:].any()
    assert found.shares.sum() == pytest.approx(1)


def test_a_map_of_equal_vectors_has_no_spread(read: Read) -> None:
    model = read([1], emb_dim=9).model
    torch.nn.init.ones_(model.tok_emb.weight)
    found = vocabulary_map(model.tok_emb.weight.detach(), [1, 2])
    assert np.isfinite(found.places).all()
    assert found.shares.sum() == pytest.approx(0, abs=1e-6)

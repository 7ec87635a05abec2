"""What each part adds to a score: against the score of a stream without that part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from gptviz.analysis.attribution import attribution
from gptviz.cache import cached_trace
from gptviz.config import Dropout, GPTConfig
from gptviz.model import GPTModel
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.passes import pass_of
from gptviz.tracing.trace import Trace, trace

Read = Callable[..., Trace]
CONFIG = GPTConfig(vocab_size=300, context_length=24, emb_dim=24, n_heads=3, n_layers=3)
IDS = [7, 299, 0, 7, 42, 100]
BUILT = [set(), {"attention"}, {"feed_forward"}, {"norm"}, {"attention", "norm", "feed_forward"}]
DROPOUTS = [None, Dropout(0.3, seed=5)]


def made(**changes: object) -> GPTModel:
    """A model whose norms do something, or a wrong one would go unseen."""
    model = GPTModel(CONFIG.changed(**changes)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("scale", "shift")):
                parameter.add_(torch.rand(parameter.shape, generator=generator))
    return model


def score(traced: Trace, place: int, part: Tensor, token_id: int) -> float:
    """What a part alone scores behind a final norm that is frozen as it was for the whole stream.

    Number by number: take its mean away, divide by the whole stream's deviation, scale, weigh.
    """
    weights = traced.model.out_head.weight[token_id].tolist()
    numbers = part.tolist()
    if not traced.config.has("norm"):
        return sum(w * x for w, x in zip(weights, numbers, strict=True))
    whole = traced.blocks[len(traced.blocks) - 1].resid_post[place].tolist()
    middle = sum(whole) / len(whole)
    deviation = (sum((x - middle) ** 2 for x in whole) / len(whole) + 1e-5) ** 0.5
    mean = sum(numbers) / len(numbers)
    scales = traced.model.final_norm.scale.tolist()
    return sum(
        w * s * (x - mean) / deviation for w, s, x in zip(weights, scales, numbers, strict=True)
    )


@pytest.mark.parametrize("placeholders", BUILT, ids="+".join)
@pytest.mark.parametrize("dropout", DROPOUTS, ids=["eval", "train"])
def test_the_parts_sum_to_the_models_own_score(placeholders, dropout) -> None:
    traced = trace(made(placeholders=placeholders), IDS, dropout=dropout)
    for place in (0, 3, -1):
        own = traced.logits(place)
        for token_id, against in ((0, None), (299, None), (5, 77), (5, 5)):
            found = attribution(traced, token_id, against, place)
            expected = own[token_id] - (0 if against is None else own[against])
            assert found.logit == pytest.approx(float(expected), abs=1e-6)
            assert found.total == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize("dropout", DROPOUTS, ids=["eval", "train"])
@pytest.mark.parametrize("placeholders", [set(), {"norm"}], ids="+".join)
def test_every_part_is_what_it_scores_alone(placeholders, dropout) -> None:
    traced = trace(made(placeholders=placeholders, qkv_bias=True), IDS, dropout=dropout)
    place, token_id = 4, 33
    found = attribution(traced, token_id, position=place)
    embeddings = score(traced, place, traced.embeddings[place], token_id)
    assert found.tok_emb + found.pos_emb == pytest.approx(embeddings, abs=1e-4)
    for layer, block in enumerate(traced.blocks):
        attention = score(traced, place, block.attention_out[place], token_id)
        assert found.attention[layer] == pytest.approx(attention, abs=1e-4)
        feed_forward = score(traced, place, block.feed_forward_out[place], token_id)
        assert found.feed_forward[layer] == pytest.approx(feed_forward, abs=1e-4)


def test_a_head_is_what_attention_loses_without_it() -> None:
    traced = trace(made(), IDS)
    place, token_id = 5, 33
    found = attribution(traced, token_id)
    for layer, block in enumerate(traced.blocks):
        out_proj = traced.model.blocks[layer].attention.out_proj
        for head in range(3):
            silenced = block.context_vec[:, place].clone()
            silenced[head] = 0
            with torch.inference_mode():
                without = out_proj(silenced.flatten())
            lost = block.attention_out[place] - without
            expected = score(traced, place, lost, token_id)
            assert found.heads[layer, head] == pytest.approx(expected, abs=1e-4)
        bias = score(traced, place, out_proj.bias, token_id)
        assert found.attention_bias[layer] == pytest.approx(bias, abs=1e-4)


def test_the_embeddings_are_told_apart() -> None:
    traced = trace(made(), IDS)
    found = attribution(traced, 8, position=2)
    assert found.tok_emb == pytest.approx(score(traced, 2, traced.tok_emb[2], 8), abs=1e-4)
    assert found.pos_emb == pytest.approx(score(traced, 2, traced.pos_emb[2], 8), abs=1e-4)


def test_a_difference_is_the_difference_of_every_part() -> None:
    traced = trace(made(), IDS)
    one, other, both = attribution(traced, 3), attribution(traced, 9), attribution(traced, 3, 9)
    np.testing.assert_allclose(both.heads, one.heads - other.heads, atol=1e-6)
    np.testing.assert_allclose(both.feed_forward, one.feed_forward - other.feed_forward, atol=1e-6)
    assert both.norm_shift == pytest.approx(one.norm_shift - other.norm_shift)


def test_the_trained_model_adds_up_at_every_position() -> None:
    traced = cached_trace(
        pass_of("tales", Tokenizer(8192).encode("Once upon a time there was a king"))
    )
    for place in range(traced.n_tokens):
        token_id = int(traced.logits(place).argmax())
        found = attribution(traced, token_id, position=place)
        assert found.total == pytest.approx(found.logit, abs=1e-4)
        assert found.logit == pytest.approx(float(traced.logits(place).max()))


def test_what_is_a_placeholder_has_no_part() -> None:
    none = attribution(trace(made(placeholders={"attention", "feed_forward", "norm"}), IDS), 1)
    assert none.heads is none.attention is none.attention_bias is none.feed_forward is None
    assert none.norm_shift == 0


@pytest.mark.parametrize("placeholders", [{"shortcut"}, {"shortcut", "attention"}])
def test_without_shortcuts_the_stream_is_no_sum(read: Read, placeholders: set[str]) -> None:
    with pytest.raises(ValueError, match="shortcuts are placeholders"):
        attribution(read(IDS, placeholders=placeholders), 1)


@pytest.mark.parametrize(("token_id", "against"), [(-1, None), (300, None), (1, 300), (1, -1)])
def test_a_token_outside_the_vocabulary_is_refused(read: Read, token_id, against) -> None:
    with pytest.raises(IndexError, match="isn't there: ids go from 0 to 299"):
        attribution(read(IDS), token_id, against)


def test_a_position_outside_the_sentence_is_refused(read: Read) -> None:
    with pytest.raises(IndexError, match="position 6 is outside"):
        attribution(read(IDS), 1, position=6)


def test_who_has_moved_on_is_asked_before_every_layer(read: Read) -> None:
    layers: list[int] = []
    attribution(read(IDS), 1, before_each=layers.append)
    assert layers == [0, 1]

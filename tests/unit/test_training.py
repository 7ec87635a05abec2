from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gptviz.config import GPTConfig
from gptviz.corpus import Corpus
from gptviz.model import GPTModel
from gptviz.training import (
    IGNORED,
    Recipe,
    Trainer,
    batch,
    held_out_loss,
)
from gptviz.weights import load_weights

TINY = GPTConfig(
    vocab_size=300, context_length=16, emb_dim=16, n_heads=2, n_layers=2, tie_weights=True
)
RECIPE = Recipe(
    tokens=6 * 8 * 16, rows=8, copy_rows=2, echo_rows=1, warmup_steps=2, eval_every=2, seed=5
)


@pytest.fixture
def corpus():
    ids = np.random.default_rng(3).integers(40, size=2000).astype(np.uint16)
    return Corpus(ids[:1500], ids[1500:])


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """No race between bf16 and fp32: two runs are to be the same to the last bit."""
    monkeypatch.setattr("gptviz.training.bf16_is_faster", lambda *_: False)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def weights(trainer):
    return {name: p.detach().clone() for name, p in trainer.model.named_parameters()}


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine():
    recipe = Recipe(learning_rate=1.0, warmup_steps=10)
    rates = [recipe.rate(step, 110) for step in range(111)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[10] == pytest.approx(1)
    assert rates[60] == pytest.approx(0.5)
    assert rates[35] == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert rates[110] == pytest.approx(0)
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_the_length_of_a_run():
    assert Recipe(tokens=1_000_000, rows=16).n_steps(256) == 244
    assert Recipe(tokens=1).n_steps(256) == 1


def test_the_same_step_gives_the_same_batch(corpus):
    inputs, targets = batch(corpus, TINY, RECIPE, 3)
    assert inputs.shape == targets.shape == (8, 16)
    for other, same in (
        (batch(corpus, TINY, RECIPE, 3), True),
        (batch(corpus, TINY, RECIPE, 4), False),
        (batch(corpus, TINY, replace(RECIPE, seed=6), 3), False),
    ):
        assert torch.equal(inputs, other[0]) is same
        assert torch.equal(targets, other[1]) is same


def test_targets_are_the_next_tokens(corpus):
    inputs, targets = batch(corpus, TINY, RECIPE, 0)
    asked = targets != IGNORED
    assert asked[:5].all()
    assert torch.equal(inputs[:, 1:][asked[:, :-1]], targets[:, :-1][asked[:, :-1]])
    text = corpus.train.tolist()
    places = [i for i in range(len(text) - 16) if text[i : i + 16] == inputs[0].tolist()]
    assert [text[i + 16] for i in places] == [targets[0, -1].item()]


def test_copies_are_asked_for_only_where_they_can_be_foretold(corpus):
    for step in range(20):
        inputs, targets = batch(corpus, TINY, RECIPE, step)
        for row, asked in zip(inputs[5:7], targets[5:7], strict=True):
            span = int((asked == IGNORED).sum()) + 1
            assert 6 <= span <= 8
            # the first round can't be known, and every later token is the one a round before
            assert (asked[: span - 1] == IGNORED).all()
            assert torch.equal(asked[span - 1 :], row[: 16 - span + 1])


def test_echoes_are_asked_for_where_the_token_before_follows(corpus):
    for step in range(20):
        inputs, targets = batch(corpus, TINY, RECIPE, step)
        row, asked = inputs[7], targets[7]
        places = (asked != IGNORED).nonzero().flatten().tolist()
        assert places[0] in (1, 2, 3)
        assert places == list(range(places[0], len(row), 3))
        assert [asked[i] for i in places] == [row[i - 1] for i in places]


def test_every_target_counts_alike(corpus, tmp_path):
    config = TINY.changed(drop_rate=0.0)
    trainer = Trainer(config, corpus, RECIPE, tmp_path)
    inputs, targets = batch(corpus, config, RECIPE, 0)
    asked = targets != IGNORED
    mean = F.cross_entropy(trainer.model(inputs)[asked], targets[asked])
    assert next(iter(trainer.run())).loss == pytest.approx(mean.item(), rel=1e-5)


@pytest.mark.parametrize("n_tokens", [17, 500])
def test_held_out_loss_is_the_mean_surprise(corpus, n_tokens):
    model = GPTModel(TINY.changed(drop_rate=0.5)).train()
    ids = corpus.held_out[:n_tokens]
    fast = held_out_loss(model, ids)
    assert model.training  # as it was before
    model.eval()
    surprises = []
    for first in range(0, n_tokens - 16, 16):
        row = torch.tensor(ids[first : first + 17].astype(int))
        logits = model(row[None, :-1])[0].detach()
        probabilities = torch.softmax(logits.double(), dim=-1)
        surprises += [-math.log(probabilities[i, row[i + 1]]) for i in range(16)]
    assert fast == pytest.approx(sum(surprises) / len(surprises), rel=1e-5)


def test_held_out_loss_of_some_rows(corpus):
    model = GPTModel(TINY)
    assert held_out_loss(model, corpus.held_out, most_rows=1000) == held_out_loss(
        model, corpus.held_out
    )
    first = held_out_loss(model, corpus.held_out[:17])
    assert held_out_loss(model, corpus.held_out, most_rows=1) == pytest.approx(first)


def test_training_lowers_the_loss(tmp_path):
    ids = np.resize(np.arange(40, dtype=np.uint16), 2000)  # what comes next is certain
    recipe = replace(RECIPE, tokens=40 * 8 * 16, learning_rate=1e-2, eval_every=20)
    reports = list(Trainer(TINY, Corpus(ids, ids), recipe, tmp_path).run())
    assert [report.step for report in reports] == list(range(1, 41))
    assert reports[0].loss == pytest.approx(math.log(300), abs=0.2)
    held_out = [r.held_out_loss for r in reports if r.held_out_loss is not None]
    assert len(held_out) == 2
    assert held_out[1] < held_out[0] < reports[0].loss - 1
    best = held_out_loss(load_weights(tmp_path / "model.safetensors"), ids)
    assert best == pytest.approx(held_out[1], abs=0.01)


def test_the_best_weights_stay(tmp_path, corpus, monkeypatch):
    losses = iter([3.0, 2.0, 4.0])
    monkeypatch.setattr("gptviz.training.held_out_loss", lambda *_: next(losses))
    trainer = Trainer(TINY, corpus, RECIPE, tmp_path)
    kept = []
    for report in trainer.run():
        if report.held_out_loss is not None:
            kept.append(load_weights(trainer.model_file).tok_emb.weight)
    assert not torch.equal(kept[0], kept[1])
    assert torch.equal(kept[1], kept[2])


def test_stop_and_go_on_is_running_through(tmp_path, corpus):
    # 0.1 of the numbers are dropped, so the random numbers must go on as well
    through = Trainer(TINY, corpus, RECIPE, tmp_path / "through")
    reports = list(through.run())

    torch.manual_seed(0)
    for report in Trainer(TINY, corpus, RECIPE, tmp_path / "halves").run():
        if report.step == 5:
            break  # one step after the last look: that step is done again
    torch.manual_seed(99)
    second = Trainer(TINY, corpus, RECIPE, tmp_path / "halves")
    assert second.step == 4
    rest = list(second.run())

    assert [r.loss for r in rest] == [r.loss for r in reports[4:]]
    for name, weight in weights(through).items():
        assert torch.equal(weight, weights(second)[name]), name
    assert second.curve == through.curve
    assert [tokens for tokens, _ in second.curve] == [256, 512, 768]


def test_a_finished_run_is_finished(tmp_path, corpus):
    list(Trainer(TINY, corpus, RECIPE, tmp_path).run())
    assert list(Trainer(TINY, corpus, RECIPE, tmp_path).run()) == []


def test_a_state_of_another_configuration_is_refused(tmp_path, corpus):
    list(Trainer(TINY, corpus, RECIPE, tmp_path).run())
    with pytest.raises(ValueError, match="belongs to another configuration"):
        Trainer(TINY.changed(n_layers=1), corpus, RECIPE, tmp_path)


@pytest.mark.parametrize("content", [b"", b"no state", b"\x02" + b"\0" * 7 + b"{}"])
def test_a_damaged_state_is_refused(tmp_path, corpus, content):
    (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"state.safetensors can't be gone on from .* remove it"):
        Trainer(TINY, corpus, RECIPE, tmp_path)


def test_too_little_text_is_refused_before_training(tmp_path, corpus):
    with pytest.raises(ValueError, match="16 tokens held out"):
        Trainer(TINY, Corpus(corpus.train, corpus.held_out[:16]), RECIPE, tmp_path)


def test_norms_and_biases_do_not_decay(tmp_path, corpus):
    trainer = Trainer(TINY, corpus, RECIPE, tmp_path)
    decays = {
        id(p): group["weight_decay"]
        for group in trainer.optimizer.param_groups
        for p in group["params"]
    }
    for name, parameter in trainer.model.named_parameters():
        assert decays[id(parameter)] == (0.1 if parameter.dim() == 2 else 0.0), name


def test_the_loss_asks_nothing_of_ignored_targets():
    from gptviz.training import loss_of

    model = GPTModel(TINY).eval()
    inputs = torch.arange(16)[None]
    targets = torch.full((1, 16), IGNORED)
    targets[0, 3] = 7
    expected = -F.log_softmax(model(inputs)[0, 3], dim=-1)[7]
    torch.testing.assert_close(loss_of(model, inputs, targets, bf16=False), expected)

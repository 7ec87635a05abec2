from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gptviz.config import GPTConfig
from gptviz.corpus import Corpus
from gptviz.recipe import Recipe
from gptviz.training import Trainer
from gptviz.training_state import read_state, run_folder
from gptviz.training_step import IGNORED, batch, held_out_loss
from gptviz.weights import WeightsError, load_weights

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


@pytest.fixture
def folder(tmp_path):
    with run_folder(tmp_path / "out") as folder:
        yield folder


def weights(trainer):
    return {name: p.detach().clone() for name, p in trainer.model.named_parameters()}


def test_every_target_counts_alike(corpus, folder):
    config = TINY.changed(drop_rate=0.0)
    trainer = Trainer(config, corpus, RECIPE, folder)
    inputs, targets = batch(corpus, config, RECIPE, 0)
    asked = targets != IGNORED
    mean = F.cross_entropy(trainer.model(inputs)[asked], targets[asked])
    assert next(iter(trainer.run())).loss == pytest.approx(mean.item(), rel=1e-5)


def test_training_lowers_the_loss(folder):
    ids = np.resize(np.arange(40, dtype=np.uint16), 2000)  # what comes next is certain
    recipe = replace(RECIPE, tokens=40 * 8 * 16, learning_rate=1e-2, eval_every=20)
    reports = list(Trainer(TINY, Corpus(ids, ids), recipe, folder).run())
    assert [report.step for report in reports] == list(range(1, 41))
    assert reports[0].loss == pytest.approx(math.log(300), abs=0.2)
    held_out = [r.held_out_loss for r in reports if r.held_out_loss is not None]
    assert len(held_out) == 2
    assert held_out[1] < held_out[0] < reports[0].loss - 1
    best = held_out_loss(load_weights(folder.model_file), ids)
    assert best == pytest.approx(held_out[1], abs=0.01)


def test_the_best_weights_stay(folder, corpus, monkeypatch):
    losses = iter([9.0, 3.0, 2.0, 4.0])  # the first before all learning
    monkeypatch.setattr("gptviz.training.held_out_loss", lambda *_: next(losses))
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    kept = []
    for report in trainer.run():
        if report.held_out_loss is not None:
            kept.append(load_weights(folder.model_file).tok_emb.weight)
    assert not torch.equal(kept[0], kept[1])
    assert torch.equal(kept[1], kept[2])


def test_stop_and_go_on_is_running_through(tmp_path, corpus):
    # 0.1 of the numbers are dropped, so the random numbers must go on as well
    with run_folder(tmp_path / "through") as folder:
        through = Trainer(TINY, corpus, RECIPE, folder)
        reports = list(through.run())

    with run_folder(tmp_path / "halves") as folder:
        for report in Trainer(TINY, corpus, RECIPE, folder).run():
            if report.step == 5:
                break  # one step after the last look: that step is done again
        torch.manual_seed(99)
        second = Trainer(TINY, corpus, RECIPE, folder)
        assert second.step == second.kept == 4
        assert second.changes == []
        rest = list(second.run())

    assert [r.loss for r in rest] == [r.loss for r in reports[4:]]
    for name, weight in weights(through).items():
        assert torch.equal(weight, weights(second)[name]), name
    assert second.curve == through.curve
    assert [tokens for tokens, _ in second.curve] == [0, 256, 512, 768]


def test_dropout_follows_the_recipe_s_seed_and_nothing_else(tmp_path, corpus):
    def losses(name, seed, drop_rate):
        with run_folder(tmp_path / name) as folder:
            config = TINY.changed(drop_rate=drop_rate)
            return [
                r.loss for r in Trainer(config, corpus, replace(RECIPE, seed=seed), folder).run()
            ]

    torch.manual_seed(1)
    first = losses("one", 5, 0.1)
    before = torch.get_rng_state()
    assert losses("two", 5, 0.1) == first
    assert torch.equal(torch.get_rng_state(), before)  # nobody's random numbers are disturbed
    assert losses("three", 6, 0.1) != first
    assert losses("four", 5, 0.0) != first  # it did drop some


def test_every_step_drops_others(folder, corpus, monkeypatch):
    config = TINY.changed(drop_rate=0.5)
    trainer = Trainer(config, corpus, replace(RECIPE, learning_rate=1e-30), folder)
    same = batch(corpus, config, RECIPE, 0)
    monkeypatch.setattr("gptviz.training.batch", lambda *_: same)
    losses = [report.loss for report in trainer.run()]
    assert len(set(losses)) == len(losses)


def test_a_finished_run_is_finished(folder, corpus):
    list(Trainer(TINY, corpus, RECIPE, folder).run())
    before = folder.state_file.read_bytes()
    for tokens in (RECIPE.tokens, 1):
        trainer = Trainer(TINY, corpus, replace(RECIPE, tokens=tokens), folder)
        assert list(trainer.run()) == []
        assert folder.state_file.read_bytes() == before


def test_a_run_is_kept_before_its_first_step(folder, corpus):
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    first = weights(trainer)
    next(iter(trainer.run()))
    state = read_state(folder.state_file, trainer.model)
    assert state.step == 0
    assert torch.equal(state.tensors["weight.tok_emb.weight"], first["tok_emb.weight"])
    assert not state.tensors["exp_avg.tok_emb.weight"].any()
    untrained = load_weights(folder.model_file)
    assert state.curve == [(0, pytest.approx(held_out_loss(untrained, corpus.held_out), abs=0.01))]


def test_bf16_is_not_timed_again(folder, corpus, monkeypatch):
    monkeypatch.setattr("gptviz.training.bf16_is_faster", lambda *_: True)
    next(iter(Trainer(TINY, corpus, RECIPE, folder).run()))
    monkeypatch.setattr("gptviz.training.bf16_is_faster", lambda *_: pytest.fail("timed again"))
    assert Trainer(TINY, corpus, RECIPE, folder).bf16


def test_what_is_not_as_before_is_named(folder, corpus):
    next(iter(Trainer(TINY, corpus, RECIPE, folder).run()))
    other = replace(RECIPE, learning_rate=0.5, rows=9, seed=6)
    trainer = Trainer(TINY, replace(corpus, train=corpus.train[1:]), other, folder)
    assert trainer.changes == [
        "rows is 9 (was 8)",
        "learning_rate is 0.5 (was 0.0015)",
        "seed is 6 (was 5)",
        "the text to learn from is another one",
    ]


def test_other_held_out_text_is_refused(folder, corpus):
    next(iter(Trainer(TINY, corpus, RECIPE, folder).run()))
    with pytest.raises(ValueError, match="losses can't be compared"):
        Trainer(TINY, replace(corpus, held_out=corpus.held_out[1:]), RECIPE, folder)


def test_a_loss_that_becomes_nan_stops_the_run_and_the_last_good_state_stays(folder, corpus):
    trainer = Trainer(TINY, corpus, replace(RECIPE, learning_rate=1e30), folder)
    with pytest.raises(FloatingPointError, match=r"at step \d.* lower learning rate"):
        list(trainer.run())
    state = read_state(folder.state_file, trainer.model)  # which refuses NaN
    assert state.step == trainer.kept
    again = Trainer(TINY, corpus, RECIPE, folder)
    assert [report.step for report in again.run()] == list(range(state.step + 1, 7))


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_gradients_that_are_no_numbers_never_reach_the_weights(folder, corpus, poison):
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    trainer.model.final_norm.shift.register_hook(lambda gradient: gradient * poison)
    before = weights(trainer)
    with pytest.raises(FloatingPointError, match=r"gradient became (nan|inf) at step 1; .* step 0"):
        list(trainer.run())
    for name, weight in weights(trainer).items():
        assert torch.equal(weight, before[name])


def test_a_held_out_loss_that_becomes_nan_is_not_kept(folder, corpus, monkeypatch):
    losses = iter([3.0, math.nan])
    monkeypatch.setattr("gptviz.training.held_out_loss", lambda *_: next(losses))
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    with pytest.raises(FloatingPointError, match=r"held-out loss became nan at step 2; .* step 0"):
        list(trainer.run())
    assert read_state(folder.state_file, trainer.model).step == 0


@contextmanager
def little_room(n_bytes):
    """Let no file grow beyond some bytes, as a disk that is full lets none.

    In this block only: the tests' own log may be a file that is longer.
    """
    resource = pytest.importorskip("resource")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_a_full_disk_is_found_out_before_the_first_step(folder, corpus):
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    words = r"state\.safetensors can't be written"
    with little_room(20_000), pytest.raises(WeightsError, match=words):
        next(iter(trainer.run()))
    assert trainer.step == 0


def test_room_for_one_state_alone_is_found_out_before_the_first_step(folder, corpus, monkeypatch):
    written = []

    def write(_, state):
        if written:  # each state is written beside the one before
            raise WeightsError("No space left on device")
        written.append(state.step)

    monkeypatch.setattr("gptviz.training.write_state", write)
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    with pytest.raises(WeightsError, match="No space left"):
        next(iter(trainer.run()))
    assert trainer.step == 0
    assert written == [0]


def test_a_disk_that_fills_up_leaves_the_last_state(folder, corpus):
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    run = trainer.run()
    next(run)
    with little_room(20_000), pytest.raises(WeightsError, match="can't be written"):
        next(run)
    assert read_state(folder.state_file, trainer.model).step == trainer.kept == 0


def test_a_device_that_is_not_there(folder, corpus):
    with pytest.raises(ValueError, match="there is no device 'foo' here: use cpu"):
        Trainer(TINY, corpus, RECIPE, folder, device="foo")


def test_too_little_text_is_refused_before_training(folder, corpus):
    with pytest.raises(ValueError, match="16 tokens held out"):
        Trainer(TINY, Corpus(corpus.train, corpus.held_out[:16]), RECIPE, folder)


def test_norms_and_biases_do_not_decay(folder, corpus):
    trainer = Trainer(TINY, corpus, RECIPE, folder)
    decays = {
        id(p): group["weight_decay"]
        for group in trainer.optimizer.param_groups
        for p in group["params"]
    }
    for name, parameter in trainer.model.named_parameters():
        assert decays[id(parameter)] == (0.1 if parameter.dim() == 2 else 0.0), name

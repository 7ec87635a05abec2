"""Train a small GPT on a folder of text; this made the model that ships.

AdamW (Loshchilov & Hutter 2017) with warm-up, a cosine down to zero and gradient clipping, in steps
that can be stopped and gone on with to the same end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from gptviz.config import GPTConfig
from gptviz.corpus import Corpus, check_enough
from gptviz.initialisation import draw_gpt2_weights, draw_positions
from gptviz.model import GPTModel
from gptviz.recipe import Recipe
from gptviz.training_state import RunFolder, State, fingerprint, read_state, write_state
from gptviz.training_step import (
    batch,
    bf16_is_faster,
    checked_device,
    compiled,
    dropout_seed,
    held_out_loss,
    loss_of,
    own_random_numbers,
)
from gptviz.weights import own_tensors, save_weights

EVAL_ROWS = 128  # rows of held-out text looked at while training goes on


@dataclass(frozen=True)
class TrainingProgress:
    """One step's report: losses in nats per token, speed in tokens per second."""

    step: int
    n_steps: int
    loss: float
    tokens_per_second: float
    held_out_loss: float | None = None


class Trainer:
    """One run of training that can stop after any step and go on later.

    Args:
        config: the model to train.
        corpus: what to learn from and what to test on.
        recipe: how; may differ from that of the run so far, see ``changes``.
        folder: where the state to go on from and the best weights so far (fp16) are kept; a state
            found there is gone on from.
        device: where to compute, for example ``"cpu"`` or ``"cuda"``.
        compile_model: let torch.compile fuse the steps; quicker, but needs a C++ compiler.

    Attributes:
        step: number of steps done.
        kept: number of steps done in the state last kept.
        changes: what is not as it was in the run that is gone on with, in words.

    Raises:
        ValueError: if there is too little text, no such device or no compiler, or what is found in
            the folder can't be gone on from.
    """

    def __init__(
        self,
        config: GPTConfig,
        corpus: Corpus,
        recipe: Recipe,
        folder: RunFolder,
        device: str = "cpu",
        compile_model: bool = False,
    ) -> None:
        check_enough(corpus, config.context_length)
        self.corpus, self.recipe, self.folder = corpus, recipe, folder
        self.text, self.held_out = fingerprint(corpus.train), fingerprint(corpus.held_out)
        self.device = checked_device(device)
        self.model = GPTModel(config)
        draw_gpt2_weights(self.model, recipe.seed)
        draw_positions(self.model)
        self.model.to(self.device).train()
        self.optimizer = adamw(self.model, recipe)
        self.step = self.kept = 0
        self.curve: list[tuple[int, float]] = []  # (tokens read, held-out loss)
        self.changes: list[str] = []
        if folder.has_state():
            self._go_on(read_state(folder.state_file, self.model))
        else:
            self.bf16 = bf16_is_faster(self.model, recipe)
        self.loss_of = compiled(self.model, recipe, self.bf16) if compile_model else loss_of

    @property
    def n_steps(self) -> int:
        """Number of steps in the whole run."""
        return self.recipe.n_steps(self.model.config.context_length)

    def run(self) -> Iterator[TrainingProgress]:
        """Train to the end of the recipe, reporting every step.

        Raises:
            FloatingPointError: if the loss is NaN or infinite; the last state kept is a good one.
            WeightsError: if a file can't be written; what can't be written at all is found out
                before the first step.
        """
        tokens_per_step = self.recipe.rows * self.model.config.context_length
        if self.step < self.n_steps:
            self._begin()
        while self.step < self.n_steps:
            start = time.perf_counter()
            loss = self._one_step(self.recipe.rate(self.step, self.n_steps))
            self.step += 1
            speed = tokens_per_step / (time.perf_counter() - start)
            is_look = self.step % self.recipe.eval_every == 0 or self.step == self.n_steps
            yield TrainingProgress(
                self.step, self.n_steps, loss, speed, self._look() if is_look else None
            )

    def _begin(self) -> None:
        """Write everything once, each file beside the one before as later on: is there room?"""
        self._keep_state()
        if not self.curve:
            self._look()

    def _one_step(self, rate: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        inputs, targets = batch(self.corpus, self.model.config, self.recipe, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        with own_random_numbers(self.device, dropout_seed(self.recipe, self.step)):
            loss = self.loss_of(
                self.model, inputs.to(self.device), targets.to(self.device), self.bf16
            )
            loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        self._check_finite("loss", loss.item(), self.step + 1)
        self._check_finite("gradient", norm.item(), self.step + 1)
        self.optimizer.step()
        return loss.item()

    def _look(self) -> float:
        loss = held_out_loss(self.model, self.corpus.held_out, EVAL_ROWS, self.bf16)
        self._check_finite("held-out loss", loss, self.step)
        if loss < min((seen for _, seen in self.curve), default=math.inf):
            save_weights(self.model, self.folder.model_file)
        tokens = self.step * self.recipe.rows * self.model.config.context_length
        self.curve.append((tokens, loss))
        self._keep_state()
        return loss

    def _check_finite(self, what: str, value: float, step: int) -> None:
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the {what} became {value} at step {step}; the state of step {self.kept} is kept: "
                "go on from there with a lower learning rate"
            )

    def _keep_state(self) -> None:
        tensors = {}
        for name, parameter in own_tensors(self.model):
            moments = self.optimizer.state[parameter]
            tensors[f"weight.{name}"] = parameter.detach()
            tensors[f"exp_avg.{name}"] = moments["exp_avg"]
            tensors[f"exp_avg_sq.{name}"] = moments["exp_avg_sq"]
        state = State(
            self.model.config,
            self.recipe,
            self.text,
            self.held_out,
            self.bf16,
            self.step,
            self.curve,
            tensors,
        )
        write_state(self.folder.state_file, state)
        self.kept = self.step

    def _go_on(self, state: State) -> None:
        if state.held_out != self.held_out:
            raise ValueError(
                "the held-out text is not that of the run so far, so losses can't be compared: "
                "hold out the same, or train in another folder"
            )
        for name, parameter in own_tensors(self.model):
            parameter.data.copy_(state.tensors[f"weight.{name}"])
            moments = self.optimizer.state[parameter]
            moments["step"].fill_(state.step)
            moments["exp_avg"].copy_(state.tensors[f"exp_avg.{name}"])
            moments["exp_avg_sq"].copy_(state.tensors[f"exp_avg_sq.{name}"])
        self.step = self.kept = state.step
        self.curve, self.bf16 = state.curve, state.bf16
        self.changes = self.recipe.differences(state.recipe)
        if state.text != self.text:
            self.changes.append("the text to learn from is another one")


def adamw(model: GPTModel, recipe: Recipe) -> torch.optim.AdamW:
    """The optimizer before its first step; only matrices decay."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": recipe.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
        betas=recipe.betas,
        fused=True,
    )
    for p in model.parameters():  # made now rather than in the first step, to be saved before it
        optimizer.state[p] = {
            "step": torch.zeros((), device=p.device),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }
    return optimizer

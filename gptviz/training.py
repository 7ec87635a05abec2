"""Train a small GPT on a folder of text; this made the model that ships.

AdamW (Loshchilov & Hutter 2017) with warm-up, a cosine down to zero and gradient clipping. Some of
the rows of each batch are *copy rows*, where spans of tokens are repeated, or *echo rows*, random
ids in threes ``x y x``; the loss is taken only where they can be foretold. They teach heads to look
back, which plain text alone does too slowly at this size (Olsson et al. 2022 on induction heads).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt16
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from gptviz.config import GPTConfig
from gptviz.corpus import Corpus, check_enough, copy_row, echo_row, text_row
from gptviz.initialisation import draw_gpt2_weights, draw_positions
from gptviz.model import GPTModel
from gptviz.weights import own_tensors, save_weights, write_tensors

IGNORED = -100  # a target that is not asked for: cross_entropy's own mark
EVAL_ROWS = 128  # rows of held-out text looked at while training goes on


@dataclass(frozen=True)
class Recipe:
    """How to train: sizes in rows and tokens, rates without unit.

    Args:
        tokens: length of the whole run, copy rows included.
        rows: rows in a batch, each ``context_length`` tokens.
        copy_rows: how many of them are copy rows.
        echo_rows: how many of them are echo rows.
        learning_rate: the highest rate, reached after ``warmup_steps``.
        eval_every: steps between two looks at the held-out text and two saved states.
    """

    tokens: int = 21_000_000
    rows: int = 16
    copy_rows: int = 2
    echo_rows: int = 2
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.98)
    clip_norm: float = 1.0
    eval_every: int = 250
    seed: int = 123

    def n_steps(self, context_length: int) -> int:
        """Number of batches in the run."""
        return max(1, self.tokens // (self.rows * context_length))

    def rate(self, step: int, n_steps: int) -> float:
        """Learning rate of a step: a straight line up, then half a cosine down to 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, n_steps - self.warmup_steps)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class Progress:
    """One step's report: losses in nats per token, speed in tokens per second."""

    step: int
    n_steps: int
    loss: float
    tokens_per_second: float
    held_out_loss: float | None = None


Batch = tuple[Int64[Tensor, "rows n_tokens"], Int64[Tensor, "rows n_tokens"]]


def batch(corpus: Corpus, config: GPTConfig, recipe: Recipe, step: int) -> Batch:
    """Inputs and targets of one step, text, copies and echoes; a step always gives the same."""
    length, vocab_size = config.context_length, config.vocab_size
    n_text = recipe.rows - recipe.copy_rows - recipe.echo_rows
    rng = np.random.default_rng([recipe.seed, step, 2])
    rows = [text_row(corpus.train, length, recipe.seed, step * n_text + i) for i in range(n_text)]
    told = [np.ones(length + 1, dtype=bool)] * n_text
    made = [copy_row(corpus.train, length, vocab_size, rng) for _ in range(recipe.copy_rows)]
    made += [echo_row(length, vocab_size, rng) for _ in range(recipe.echo_rows)]
    rows += [row for row, _ in made]
    told += [mask for _, mask in made]
    ids = torch.from_numpy(np.stack(rows).astype(np.int64))
    asked = torch.from_numpy(np.stack(told))
    return ids[:, :-1].contiguous(), ids.masked_fill(~asked, IGNORED)[:, 1:].contiguous()


def loss_of(
    model: nn.Module,
    inputs: Int64[Tensor, "rows n_tokens"],
    targets: Int64[Tensor, "rows n_tokens"],
    bf16: bool,
) -> Float[Tensor, ""]:
    """Mean surprise at the targets, in nats per token (cross-entropy)."""
    device = inputs.device.type
    with torch.autocast(device, torch.bfloat16) if bf16 else nullcontext():
        logits = model(inputs)
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)


@torch.inference_mode()
def held_out_loss(
    model: GPTModel, ids: UInt16[np.ndarray, " n"], most_rows: int | None = None, bf16: bool = False
) -> float:
    """Mean loss in nats per token over plain text, cut into rows of ``context_length``."""
    length = model.config.context_length
    n_rows = (len(ids) - 1) // length
    chosen = np.linspace(0, n_rows - 1, min(n_rows, most_rows or n_rows)).astype(int)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    losses = []
    for group in np.array_split(chosen, math.ceil(len(chosen) / 16)):
        rows = np.stack([ids[i * length : (i + 1) * length + 1] for i in group]).astype(np.int64)
        all_ids = torch.from_numpy(rows).to(device)
        loss = loss_of(model, all_ids[:, :-1], all_ids[:, 1:].contiguous(), bf16)
        losses.append(loss.item() * len(group))
    model.train(was_training)
    return sum(losses) / len(chosen)


def bf16_is_faster(model: GPTModel, recipe: Recipe) -> bool:
    """Whether one training step takes less time with bf16 autocast; tried twice each."""
    length = model.config.context_length
    device = next(model.parameters()).device
    ids = torch.zeros(recipe.rows, length, dtype=torch.int64, device=device)
    seconds = {}
    for bf16 in (False, True):
        for _ in range(2):  # the first one warms up
            start = time.perf_counter()
            loss_of(model, ids, ids, bf16).backward()
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds[bf16] = time.perf_counter() - start
    model.zero_grad()
    return seconds[True] < seconds[False]


class Trainer:
    """One run of training that can stop after any step and go on later.

    Args:
        config: the model to train.
        corpus: what to learn from and what to test on.
        recipe: how.
        folder: where ``state.safetensors`` (to go on from) and ``model.safetensors`` (the best
            weights so far, fp16) are kept; a state found there is gone on from.
        device: where to compute, for example ``"cpu"`` or ``"cuda"``.
        compile_model: let torch.compile fuse the steps; quicker, but needs a C++ compiler.

    Raises:
        ValueError: if there is too little text, or the state found can't be gone on from.
    """

    def __init__(
        self,
        config: GPTConfig,
        corpus: Corpus,
        recipe: Recipe,
        folder: Path,
        device: str = "cpu",
        compile_model: bool = False,
    ) -> None:
        check_enough(corpus, config.context_length)
        self.corpus, self.recipe, self.folder = corpus, recipe, folder
        self.model = GPTModel(config)
        draw_gpt2_weights(self.model, recipe.seed)
        draw_positions(self.model)
        self.model.to(device).train()
        self.bf16 = bf16_is_faster(self.model, recipe)
        self.loss_of = torch.compile(loss_of) if compile_model else loss_of
        matrices = [p for p in self.model.parameters() if p.dim() == 2]
        vectors = [p for p in self.model.parameters() if p.dim() != 2]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": recipe.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
            betas=recipe.betas,
            fused=True,
        )
        self.step = 0
        self.curve: list[tuple[int, float]] = []  # (tokens read, held-out loss)
        if self.state_file.exists():
            try:
                self._go_on()
            except (SafetensorError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{self.state_file.name} can't be gone on from ({error}): remove it"
                ) from error

    @property
    def state_file(self) -> Path:
        """Where the state to go on from is kept."""
        return self.folder / "state.safetensors"

    @property
    def model_file(self) -> Path:
        """Where the best weights so far are kept."""
        return self.folder / "model.safetensors"

    def run(self) -> Iterator[Progress]:
        """Train to the end of the recipe, reporting every step."""
        config, recipe = self.model.config, self.recipe
        n_steps = recipe.n_steps(config.context_length)
        tokens_per_step = recipe.rows * config.context_length
        while self.step < n_steps:
            start = time.perf_counter()
            loss = self._one_step(recipe.rate(self.step, n_steps))
            self.step += 1
            speed = tokens_per_step / (time.perf_counter() - start)
            looked = None
            if self.step % recipe.eval_every == 0 or self.step == n_steps:
                looked = self._look(self.step * tokens_per_step)
            yield Progress(self.step, n_steps, loss, speed, looked)

    def _one_step(self, rate: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        device = next(self.model.parameters()).device
        inputs, targets = batch(self.corpus, self.model.config, self.recipe, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(self.model, inputs.to(device), targets.to(device), self.bf16)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        self.optimizer.step()
        return loss.item()

    def _look(self, tokens: int) -> float:
        loss = held_out_loss(self.model, self.corpus.held_out, EVAL_ROWS, self.bf16)
        if loss < min((seen for _, seen in self.curve), default=math.inf):
            save_weights(self.model, self.model_file)
        self.curve.append((tokens, loss))
        self._keep_state()
        return loss

    def _keep_state(self) -> None:
        tensors = {"torch_rng": torch.get_rng_state()}
        for name, parameter in own_tensors(self.model):
            state = self.optimizer.state[parameter]
            tensors[f"weight.{name}"] = parameter.detach()
            tensors[f"exp_avg.{name}"] = state["exp_avg"]
            tensors[f"exp_avg_sq.{name}"] = state["exp_avg_sq"]
        about = {
            "config": json.dumps(self.model.config.as_dict()),
            "recipe": json.dumps(asdict(self.recipe)),
            "step": str(self.step),
            "curve": json.dumps(self.curve),
        }
        write_tensors(self.state_file, tensors, about)

    def _go_on(self) -> None:
        with safe_open(self.state_file, framework="pt") as file:
            about = file.metadata()
            if json.loads(about["config"]) != self.model.config.as_dict():
                raise ValueError(
                    f"{self.state_file.name} belongs to another configuration: "
                    "train in another folder, or remove it"
                )
            for name, parameter in own_tensors(self.model):
                parameter.data.copy_(file.get_tensor(f"weight.{name}"))
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(about["step"]), device=parameter.device),
                    "exp_avg": file.get_tensor(f"exp_avg.{name}").to(parameter.device),
                    "exp_avg_sq": file.get_tensor(f"exp_avg_sq.{name}").to(parameter.device),
                }
            torch.set_rng_state(file.get_tensor("torch_rng"))
        self.step = int(about["step"])
        self.curve = [(tokens, loss) for tokens, loss in json.loads(about["curve"])]

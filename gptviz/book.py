"""The book's fixed runs, made again, and held against its printed numbers and checks of our own.

Source: S. Raschka, Build a Large Language Model (From Scratch), chapter 4.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import torch
from jaxtyping import Float
from torch import Tensor

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import GPTModel
from gptviz.presets import PRESETS

SEED = 123
# "Every effort moves you" and "Every day holds a"
BATCH = ((6109, 3626, 6100, 345), (6109, 1110, 6622, 257))
TOLERANCE = 1e-4
SAME_DROPOUT = sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")
WHOLE = PRESETS["gpt2-small"]  # GPT_CONFIG_124M
DUMMY = WHOLE.changed(placeholders=frozenset(PLACEHOLDER_PARTS))

_one_at_a_time = Lock()


@dataclass(frozen=True)
class Comparison:
    """Some numbers of ours beside what they are to be.

    Args:
        mode: ``"train"`` (with dropout) or ``"eval"``.
        place: which numbers, as the book writes it.
        expected: what they are to be.
        ours: what they are; none where this machine can't have the same.
        printed: whether the book prints what is expected; otherwise the check is our own.
    """

    mode: str
    place: str
    expected: tuple[float, ...]
    ours: tuple[float, ...] | None
    printed: bool = True

    @property
    def agrees(self) -> bool:
        """Whether each of ours is within ``TOLERANCE`` of what is expected."""
        return self.ours is not None and all(
            abs(one - other) <= TOLERANCE
            for one, other in zip(self.ours, self.expected, strict=True)
        )


def check(
    config: GPTConfig, before_each: Callable[[], object] | None = None
) -> tuple[Comparison, ...]:
    """Make the book's model, run its batch in train and in eval mode, and compare.

    The model is private and gone afterwards. One generator makes the weights and goes on to make
    dropout's masks; torch draws those from its global random numbers only, so they are borrowed
    and given back.

    Args:
        config: ``DUMMY`` or ``WHOLE``.
        before_each: called while the weights are drawn, see ``draw_weights``; what it raises stops
            the work and reaches the caller.

    Raises:
        KeyError: for any other; the book has no numbers of it.
    """
    compare = {DUMMY: _dummy, WHOLE: _whole}[config]
    with _one_at_a_time:
        generator = torch.Generator().manual_seed(SEED)
        model = GPTModel(config, generator, before_each=before_each)
        train = _logits(model.train(), generator) if SAME_DROPOUT else None
        evaluated = _logits(model.eval(), generator)
    return compare(train, evaluated)


Logits = Float[Tensor, "batch n_tokens vocab_size"]


def _dummy(train: Logits | None, evaluated: Logits) -> tuple[Comparison, ...]:
    return (
        _starts("train", train, (-1.2034, 0.3201, -0.7130)),
        # the book prints train mode only: this is what other code for the same model gave
        _starts("eval", evaluated, (-1.1947, 0.1392, -0.8616), printed=False),
    )


def _whole(train: Logits | None, evaluated: Logits) -> tuple[Comparison, ...]:
    ends = None if train is None else _floats(train[0, 0, -3:])
    # Both sentences begin with the same token, which sees nothing else: without dropout it must
    # come out the same.
    apart = (evaluated[0, 0] - evaluated[1, 0]).abs().max()
    return (
        _starts("train", train, (0.3613, 0.4222, -0.0711)),
        Comparison("train", "logits[0, 0, -3:]", (0.3483, 0.4661, -0.2838), ends),
        Comparison(
            "eval", "max |logits[0, 0] - logits[1, 0]|", (0.0,), _floats(apart[None]), False
        ),
    )


def _starts(
    mode: str, logits: Logits | None, expected: tuple[float, ...], printed: bool = True
) -> Comparison:
    ours = None if logits is None else _floats(logits[0, 0, :3])
    return Comparison(mode, "logits[0, 0, :3]", expected, ours, printed)


def _floats(numbers: Float[Tensor, " n"]) -> tuple[float, ...]:
    return tuple(numbers.tolist())


def _logits(model: GPTModel, generator: torch.Generator) -> Logits:
    with torch.inference_mode(), _global_random_numbers(generator):
        return model(torch.tensor(BATCH))


@contextmanager
def _global_random_numbers(generator: torch.Generator) -> Iterator[None]:
    """Let torch's global random numbers go on from ``generator``; afterwards they are as before."""
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(generator.get_state())
        yield

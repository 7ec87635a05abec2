"""How a model is trained: sizes and rates, their rules, and the learning rate of every step."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass, fields

MOST_SEED = 2**63 - 1  # torch's generators take no more


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
        seed: for the first weights, the order of the text, copies, echoes and dropout.

    Raises:
        ValueError: if a field breaks its rule.
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

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            _check(name, value, _is_whole(value) and value >= least, f"whole and at least {least}")
        _check("seed", self.seed, self.seed <= MOST_SEED, f"at most {MOST_SEED}")
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            _check(name, value, _is_number(value) and value > 0, "a number above 0")
        decay = self.weight_decay
        _check("weight_decay", decay, _is_number(decay) and decay >= 0, "a number of at least 0")
        are_two = isinstance(self.betas, (tuple, list)) and len(self.betas) == 2
        are_shares = are_two and all(_is_number(b) and 0 <= b < 1 for b in self.betas)
        _check("betas", self.betas, are_shares, "two numbers of at least 0 and below 1")
        object.__setattr__(self, "betas", tuple(self.betas))  # JSON gives a list
        if self.copy_rows + self.echo_rows >= self.rows:
            raise ValueError(
                f"copy_rows={self.copy_rows} and echo_rows={self.echo_rows} leave none of "
                f"rows={self.rows} for text: choose fewer"
            )

    def n_steps(self, context_length: int) -> int:
        """Number of batches in the run."""
        return max(1, self.tokens // (self.rows * context_length))

    def rate(self, step: int, n_steps: int) -> float:
        """Learning rate of a step: a straight line up, then half a cosine down to 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, n_steps - self.warmup_steps)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))

    def differences(self, before: Recipe) -> list[str]:
        """What is not as in ``before``, field by field: ``"seed is 5 (was 123)"``."""
        pairs = [(f.name, getattr(self, f.name), getattr(before, f.name)) for f in fields(self)]
        return [f"{name} is {now} (was {then})" for name, now, then in pairs if now != then]


_LEAST = {
    "tokens": 1,
    "rows": 1,
    "copy_rows": 0,
    "echo_rows": 0,
    "warmup_steps": 0,
    "eval_every": 1,
    "seed": 0,
}


def _check(name: str, value: object, is_allowed: bool, rule: str) -> None:
    if not is_allowed:
        raise ValueError(f"{name}={reprlib.repr(value)} must be {rule}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))

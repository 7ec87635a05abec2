"""What a GPT is made of, as numbers: the configuration, its presets and its rules."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from gptviz.quoting import quoted, shortened

PLACEHOLDER_PARTS = ("attention", "norm", "feed_forward", "shortcut")

MIN_VOCAB_SIZE = 257  # 256 single bytes and <|endoftext|>


class ConfigError(ValueError):
    """A field of a configuration breaks a rule; the text names field, value, rule and a way out."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class GPTConfig:
    """The configuration of a GPT; the first seven fields are those of ``GPT_CONFIG_124M``.

    Every later field has a default that changes nothing.

    Args:
        vocab_size: number of tokens the model knows, at least 257.
        context_length: number of tokens it can read at once.
        emb_dim: numbers that describe one token; divisible by ``n_heads``.
        n_heads: attention heads in each block.
        n_layers: transformer blocks.
        drop_rate: share of numbers dropped while training, in [0, 1).
        qkv_bias: whether query, key and value have a bias.
        tie_weights: whether the output head is the token embedding, used again.
        placeholders: parts that are not built, from ``PLACEHOLDER_PARTS``.

    Raises:
        ConfigError: if a field breaks its rule.
    """

    vocab_size: int = 50257
    context_length: int = 1024
    emb_dim: int = 768
    n_heads: int = 12
    n_layers: int = 12
    drop_rate: float = 0.1
    qkv_bias: bool = False
    tie_weights: bool = False
    placeholders: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            _check_whole_number(name, getattr(self, name), least)
        _check_drop_rate(self.drop_rate)
        for name in ("qkv_bias", "tie_weights"):
            _check_yes_or_no(name, getattr(self, name))
        object.__setattr__(self, "placeholders", _checked_placeholders(self.placeholders))
        _check_heads(self.emb_dim, self.n_heads)

    @property
    def head_dim(self) -> int:
        """Numbers that describe one token inside one head: ``emb_dim / n_heads``."""
        return self.emb_dim // self.n_heads

    @property
    def ff_dim(self) -> int:
        """Width of the feed-forward's hidden layer: ``4 x emb_dim``."""
        return 4 * self.emb_dim

    def has(self, part: str) -> bool:
        """Whether ``part`` (one of ``PLACEHOLDER_PARTS``) is really built."""
        return part not in self.placeholders

    def changed(self, **changes: Any) -> GPTConfig:
        """The same configuration with some fields changed, checked anew."""
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, in order."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "placeholders": sorted(self.placeholders)}


@dataclass(frozen=True)
class Dropout:
    """Train mode, as a value of one pass: how much it drops, and by which masks.

    A model that many look at stays in eval mode; a pass that is given this drops all the same.

    Args:
        rate: share of numbers dropped, in [0, 1).
        seed: where the masks start: the same seed drops the same numbers.

    Raises:
        ConfigError: if the rate breaks its rule.
    """

    rate: float
    seed: int = 123

    def __post_init__(self) -> None:
        _check_drop_rate(self.rate)


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn from the model's scores.

    Args:
        temperature: scores are divided by it: below 1 the likeliest gain, above 1 the others. At
            0 the likeliest is taken (greedy).
        top_k: only so many of the likeliest can be drawn; 0 for all.
        top_p: only the fewest of the likeliest that together have this share can be drawn; 1 for
            all. Source: Holtzman et al. 2019 (nucleus sampling).

    Raises:
        ConfigError: if a field breaks its rule.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not _is_number(self.temperature) or not 0 <= self.temperature < float("inf"):
            raise ConfigError(
                "temperature",
                f"temperature={quoted(self.temperature)} must be a number of at least 0: try 1, or "
                "0 to take the likeliest",
            )
        if isinstance(self.top_k, bool) or not isinstance(self.top_k, int) or self.top_k < 0:
            raise ConfigError(
                "top_k",
                f"top_k={quoted(self.top_k)} must be a whole number of at least 0: try 40, or 0 to "
                "keep all tokens",
            )
        if not _is_number(self.top_p) or not 0 < self.top_p <= 1:
            raise ConfigError(
                "top_p",
                f"top_p={quoted(self.top_p)} must be a number above 0 and up to 1: try 0.9, or 1 "
                "to keep all tokens",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_LEAST = {
    "vocab_size": MIN_VOCAB_SIZE,
    "context_length": 1,
    "emb_dim": 1,
    "n_heads": 1,
    "n_layers": 1,
}


def _check_whole_number(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        why = " (256 single bytes and <|endoftext|>)" if name == "vocab_size" else ""
        raise ConfigError(
            name,
            f"{name}={quoted(value)} must be a whole number of at least {least}{why}: try {least}",
        )


def _check_drop_rate(value: object) -> None:
    if not _is_number(value) or not 0 <= value < 1:  # type: ignore[operator]
        raise ConfigError(
            "drop_rate",
            f"drop_rate={quoted(value)} must be a number from 0 up to, not including, 1: try 0.1",
        )


def _check_yes_or_no(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigError(name, f"{name}={quoted(value)} must be True or False: try False")


def _checked_placeholders(value: object) -> frozenset[str]:
    allowed = ", ".join(PLACEHOLDER_PARTS)
    if not isinstance(value, (set, frozenset, list, tuple)) or not all(
        isinstance(name, str) for name in value
    ):
        raise ConfigError(
            "placeholders",
            f"placeholders={quoted(value)} must be a set of names from {allowed}: try set()",
        )
    unknown = sorted(map(quoted, set(value) - set(PLACEHOLDER_PARTS)))
    if unknown:
        raise ConfigError(
            "placeholders",
            f"placeholders has {shortened(', '.join(unknown))}, but only {allowed} can be "
            "placeholders: leave the others out",
        )
    return frozenset(value)


def valid_widths(emb_dim: int, n_heads: int) -> tuple[int, ...]:
    """The nearest widths below and above ``emb_dim`` that ``n_heads`` divides."""
    below = emb_dim // n_heads * n_heads
    if below == emb_dim:
        return (emb_dim,)
    return tuple(width for width in (below, below + n_heads) if width > 0)


def _check_heads(emb_dim: int, n_heads: int) -> None:
    if emb_dim % n_heads:
        neighbours = " or ".join(map(quoted, valid_widths(emb_dim, n_heads)))
        raise ConfigError(
            "emb_dim",
            f"emb_dim={quoted(emb_dim)} must be divisible by n_heads={quoted(n_heads)}: "
            f"try {neighbours}",
        )


FIELD_HELP = {  # in a few plain words
    "vocab_size": "tokens the model knows",
    "context_length": "tokens it can read at once",
    "emb_dim": "numbers that describe one token",
    "n_heads": "attention heads in each block; they share emb_dim among them",
    "n_layers": "transformer blocks",
    "drop_rate": "share of numbers dropped while training",
    "qkv_bias": "whether query, key and value have a bias",
    "tie_weights": "whether the output head is the token embedding, used again",
}

GPT_CONFIG_124M = {
    "vocab_size": 50257,
    "context_length": 1024,
    "emb_dim": 768,
    "n_heads": 12,
    "n_layers": 12,
    "drop_rate": 0.1,
    "qkv_bias": False,
}

PRESETS: dict[str, GPTConfig] = {
    "tales": GPTConfig(
        vocab_size=8192,
        context_length=256,
        emb_dim=256,
        n_heads=8,
        n_layers=6,
        drop_rate=0.0,
        tie_weights=True,
    ),
    "gpt2-small": GPTConfig(),
    "gpt2-medium": GPTConfig(emb_dim=1024, n_layers=24, n_heads=16),
    "gpt2-large": GPTConfig(emb_dim=1280, n_layers=36, n_heads=20),
    "gpt2-xl": GPTConfig(emb_dim=1600, n_layers=48, n_heads=25),
    "gpt3-175b": GPTConfig(context_length=2048, emb_dim=12288, n_layers=96, n_heads=96),
}

"""What a GPT is made of, as numbers: the configuration, its presets and its rules."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from gptviz.quoting import quoted, shortened

PLACEHOLDER_PARTS = ("attention", "norm", "feed_forward", "shortcut")


class ConfigError(ValueError):
    """A field of a configuration breaks a rule; the text names field, value, rule and a way out."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class About:
    """What is known of a field beside its value.

    Args:
        help: what it is, in a few plain words.
        least, most: the numbers that a slider offers: up to what real models have. A configuration
            made in Python may have more.
        step: from one of them to the next.
    """

    help: str
    least: float = 0
    most: float = 1
    step: float | None = None


def _count(default: int, most: int, help: str, least: int = 1) -> Any:
    return field(default=default, metadata={"about": About(help, least, most, 1)})


def _share(default: float, most: float, help: str) -> Any:
    return field(default=default, metadata={"about": About(help, 0.0, most, 0.05)})


def _switch(default: bool, help: str) -> Any:
    return field(default=default, metadata={"about": About(help)})


@dataclass(frozen=True)
class GPTConfig:
    """The configuration of a GPT; the first seven fields are those of ``GPT_CONFIG_124M``.

    Every later field has a default that changes nothing. What a field means, and which values a
    slider offers for it, is said by ``ABOUT``.

    Raises:
        ConfigError: if a field breaks its rule.
    """

    vocab_size: int = _count(50257, 300_000, "tokens the model knows")
    context_length: int = _count(1024, 2**20, "tokens it can read at once")
    emb_dim: int = _count(768, 2**14, "numbers that describe one token")
    n_heads: int = _count(12, 128, "attention heads in each block")
    n_layers: int = _count(12, 128, "transformer blocks")
    drop_rate: float = _share(0.1, 0.9, "share of numbers dropped while training")
    qkv_bias: bool = _switch(False, "whether query, key and value have a bias")
    tie_weights: bool = _switch(False, "whether the output head is the token embedding, used again")
    placeholders: frozenset[str] = frozenset()
    head_dim: int = _count(
        0, 2**10, "numbers that describe one token inside a head; 0 for emb_dim / n_heads", least=0
    )
    ff_dim: int = _count(
        0, 2**16, "width of the feed-forward's hidden layer; 0 for 4 × emb_dim", least=0
    )

    def __post_init__(self) -> None:
        for name, about in ABOUT.items():
            _check(name, getattr(self, name), about)
        object.__setattr__(self, "placeholders", _checked_placeholders(self.placeholders))
        if not self.head_dim:
            _check_heads(self.emb_dim, self.n_heads)
        for name in DERIVED:
            object.__setattr__(self, name, getattr(self, name) or self._derived(name))

    def _derived(self, name: str) -> int:
        return {"head_dim": self.emb_dim // self.n_heads, "ff_dim": 4 * self.emb_dim}[name]

    @property
    def attn_dim(self) -> int:
        """Numbers that describe one token in all heads together: ``n_heads x head_dim``."""
        return self.n_heads * self.head_dim

    def has(self, part: str) -> bool:
        """Whether ``part`` (one of ``PLACEHOLDER_PARTS``) is really built."""
        return part not in self.placeholders

    def given(self, name: str) -> Any:
        """A field as it is given: 0 for a ``DERIVED`` one that follows from the others."""
        value = getattr(self, name)
        if name == "head_dim":
            return 0 if self.attn_dim == self.emb_dim else value
        return 0 if name in DERIVED and value == self._derived(name) else value

    def changed(self, **changes: Any) -> GPTConfig:
        """The same configuration with some fields changed, checked anew.

        What follows from the changed ones follows anew.
        """
        return replace(self, **{name: self.given(name) for name in DERIVED} | changes)

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, in order; those that follow from others left out."""
        values = {each.name: self.given(each.name) for each in fields(self)}
        values["placeholders"] = sorted(self.placeholders)
        return {name: v for name, v in values.items() if v or name not in DERIVED}


DERIVED = ("head_dim", "ff_dim")
ABOUT: dict[str, About] = {
    each.name: each.metadata["about"] for each in fields(GPTConfig) if "about" in each.metadata
}


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


def _check(name: str, value: object, about: About) -> None:
    if about.step is None:
        _check_yes_or_no(name, value)
    elif name == "drop_rate":
        _check_drop_rate(value)
    else:
        _check_whole_number(name, value, int(about.least))


def _check_whole_number(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(
            name,
            f"{name}={quoted(value)} must be a whole number of at least {least}: try {least}",
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


GPT_CONFIG_124M = {
    "vocab_size": 50257,
    "context_length": 1024,
    "emb_dim": 768,
    "n_heads": 12,
    "n_layers": 12,
    "drop_rate": 0.1,
    "qkv_bias": False,
}

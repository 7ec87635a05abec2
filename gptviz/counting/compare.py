"""Two configurations beside each other, row by row; and a configuration as a short text.

From the configurations alone, like the ledger, which has the counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from gptviz.config import ABOUT, DERIVED, GPTConfig
from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.counting.part_table import part_table
from gptviz.quoting import quoted

Value = int | float | str
NEARLY = 0.01  # two numbers closer than this share of one are told apart by their difference


@dataclass(frozen=True)
class Row:
    """One property of both; ``depth`` is how many rows above it a part stands inside of."""

    name: str
    this: Value
    other: Value
    in_bytes: bool = False
    depth: int = 0

    @property
    def differs(self) -> bool:
        return self.this != self.other

    @property
    def ratio(self) -> float | None:
        """How many times ``other`` is in ``this``; none where that says little.

        That is where both are equal or nearly so, where one is 0, and for yes, no and words.
        """
        for value in (self.this, self.other):
            if isinstance(value, bool | str) or not value:
                return None
        ratio = self.this / self.other  # type: ignore[operator]
        return ratio if abs(ratio - 1) >= NEARLY else None

    @property
    def difference(self) -> int | float | None:
        """``this`` less ``other``; none for yes, no and words."""
        if isinstance(self.this, bool | str) or isinstance(self.other, bool | str):
            return None
        return self.this - self.other


def compare(
    this: GPTConfig, other: GPTConfig, n_tokens: int, bytes_per_number: int = FP32_BYTES
) -> dict[str, tuple[Row, ...]]:
    """Rows under the heading they belong to; the rows of both are the same, so parts are aligned.

    Args:
        n_tokens: length of the row that work and activations are for, the same for both; a
            configuration need not be able to read that many.
        bytes_per_number: of weights, KV cache and activations.
    """
    return {
        "Configuration": tuple(_fields(this, other)),
        "Parameters": tuple(_parameters(this, other)),
        "Memory and work": tuple(_costs(Ledger(this), Ledger(other), n_tokens, bytes_per_number)),
    }


def _fields(this: GPTConfig, other: GPTConfig) -> Iterator[Row]:
    for name in ABOUT:
        if name not in DERIVED or this.given(name) or other.given(name):
            yield Row(name, getattr(this, name), getattr(other, name))
    if this.placeholders or other.placeholders:
        yield Row("placeholders", _names(this.placeholders), _names(other.placeholders))


def _names(placeholders: frozenset[str]) -> str:
    return ", ".join(sorted(placeholders)) or "none"


def _parameters(this: GPTConfig, other: GPTConfig) -> Iterator[Row]:
    mine, others = ({row.path: row for row in part_table(each)} for each in (this, other))
    for path, row in {**mine, **others}.items():
        this_one, other_one = (
            each[path].parameters if path in each else 0 for each in (mine, others)
        )
        yield Row(row.name, this_one, other_one, depth=row.depth)
    a, b = Ledger(this), Ledger(other)
    yield Row("the whole model, untied", a.parameters_untied, b.parameters_untied)
    yield Row("the whole model, tied", a.parameters_tied, b.parameters_tied)


def _bytes(name: str, this: int, other: int) -> Row:
    return Row(name, this, other, in_bytes=True)


def _costs(this: Ledger, other: Ledger, n_tokens: int, width: int) -> Iterator[Row]:
    yield _bytes("weights", this.weight_bytes(width), other.weight_bytes(width))
    mine, others = (each.flops(n_tokens).total // n_tokens for each in (this, other))
    yield Row(f"FLOPs a token, among {n_tokens:,}", mine, others)
    yield _bytes("KV cache a token", *(each.kv_cache_bytes(1, width) for each in (this, other)))
    if width > 1:  # nobody trains in int8
        saved = (n_tokens * each.saved_numbers() * width for each in (this, other))
        yield _bytes(f"activations of a training row of {n_tokens:,}", *saved)


def written(config: GPTConfig) -> str:
    """A configuration as a short JSON text: the fields that are not the default."""
    default = GPTConfig().as_dict()
    changed = {name: v for name, v in config.as_dict().items() if v != default.get(name)}
    return json.dumps(changed, separators=(",", ":"))


def read(text: str) -> GPTConfig:
    """The configuration that ``written`` wrote.

    Raises:
        ValueError: if the text is no JSON object of fields, or breaks a rule of them.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also for over 4,300 digits
        raise ValueError(f"{quoted(text)} is no configuration: it can't be read as JSON") from error
    try:
        return GPTConfig(**found)
    except TypeError as error:
        allowed = ", ".join(GPTConfig().as_dict())
        raise ValueError(
            f"{quoted(text)} is no configuration: a JSON object with some of {allowed} is one"
        ) from error

"""One part of a model: what it does, what goes in, what comes out, and what is inside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import overload

from gptviz.config import GPTConfig

Size = str | int  # a name of the configuration, "n_tokens", or a number
Shape = tuple[Size, ...]

N_TOKENS = "n_tokens"


@dataclass(frozen=True)
class Part:
    """A module of the model, or an operation that the code of one takes.

    Args:
        name: the last piece of its path.
        does: what it does: words, code, drawing and numbers are found by this.
        kind: which colour it has (``figures.theme``).
        reads: shapes of what goes in, one sentence at a time.
        makes: shape of what comes out.
        role: why it stands where it stands, where several parts do the same.
        weights: shapes of its own parameters, by name; the name is ``""`` where an operation is
            named as the parameter of the module around it that it takes.
        tied_to: path of the part whose weights these are, used again; they are counted there.
        per_token: sizes whose product is its multiply-adds for each token; none, and it has none.
        per_pair: likewise, for each pair of tokens.
        inside: the parts in it, in forward order.
        is_module: whether it is a module of the model, or an operation in the code of one.
        built: whether the configuration has it, or a placeholder in its place.
    """

    name: str
    does: str
    kind: str
    reads: tuple[Shape, ...] = ()
    makes: Shape = ()
    role: str = ""
    weights: Mapping[str, Shape] = field(default_factory=dict, hash=False)
    tied_to: str = ""
    per_token: Shape = ()
    per_pair: Shape = ()
    inside: Sequence[Part] = ()
    is_module: bool = True
    built: bool = True

    def walk(self, path: str = "") -> Iterator[tuple[str, Part]]:
        """This part and all parts inside it, each with its path; this one is at ``path``."""
        yield path, self
        for part in self.inside:
            yield from part.walk(f"{path}.{part.name}" if path else part.name)

    def child(self, name: str) -> Part | None:
        """The part of this name right inside this one; None if there is none."""
        if isinstance(self.inside, Alike):
            return self.inside.named(name)
        return next((part for part in self.inside if part.name == name), None)

    def modules(self, path: str = "") -> Iterator[tuple[str, Part]]:
        """The same without operations: the model's ``named_modules()``."""
        return ((where, part) for where, part in self.walk(path) if part.is_module)


@dataclass(frozen=True)
class Alike(Sequence[Part]):
    """So many parts that differ in nothing but their number, each made when it is asked for."""

    one: Part
    n: int

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        numbers = range(self.n)[index]
        if isinstance(numbers, range):
            return [self[number] for number in numbers]
        return replace(self.one, name=str(numbers))

    def named(self, name: str) -> Part | None:
        """The one of this number, written as numbers are."""
        is_there = name.isdecimal() and str(int(name[:20])) == name and int(name) < self.n
        return self[int(name)] if is_there else None


def size_of(config: GPTConfig, size: Size, n_tokens: int = 1) -> int:
    """A size as a number."""
    if isinstance(size, int):
        return size
    return n_tokens if size == N_TOKENS else int(getattr(config, size))


def product(config: GPTConfig, sizes: Shape, n_tokens: int = 1) -> int:
    """How many numbers a shape holds; 0 for no shape at all."""
    return prod(size_of(config, size, n_tokens) for size in sizes) if sizes else 0

"""What the glossary says of one part, and how it comes to follow a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from string import Template
from typing import TypeVar

from gptviz.anatomy import Part
from gptviz.config import GPTConfig

T = TypeVar("T")

Words = str | Callable[[GPTConfig, Part], str]  # a function where they depend on what is built


@dataclass(frozen=True)
class Entry:
    """What to say about one part of one model.

    Args:
        name: the short plain name, as on the diagram.
        term: the term of the field, with the names other codebases use.
        what: what it does in this model, in one plain sentence.
        why: why it is there; of a placeholder, what it is for.
        formula: LaTeX.
    """

    name: str
    term: str
    what: str
    why: str
    formula: str

    @property
    def lines(self) -> list[str]:
        r"""The formula, with what stands after a wide space (``,\quad``) on lines of its own."""
        return self.formula.split(r",\quad")


@dataclass(frozen=True)
class Wording:
    """An entry for every model; ``$emb_dim`` and other names stand for a configuration's numbers.

    Args:
        name, term, what, why, formula: as those of an ``Entry``, of a part that is built.
    """

    name: Words
    term: Words
    what: Words
    why: Words
    formula: Words

    def of(self, config: GPTConfig, part: Part) -> Entry:
        """The entry for a part of this configuration."""
        texts = {each.name: getattr(self, each.name) for each in fields(self)}
        return Entry(**{name: written(words, config, part) for name, words in texts.items()})


def written(words: Words, config: GPTConfig, part: Part) -> str:
    """Words for a part of this configuration, with its numbers."""
    text = words if isinstance(words, str) else words(config, part)
    numbers = {each.name: getattr(config, each.name) for each in fields(config)}
    numbers |= {"attn_dim": config.attn_dim, "drop_rate": f"{config.drop_rate:g}"}
    return Template(text).substitute(numbers)


def look_up(table: Mapping[str, T], part: Part) -> T:
    """What a table has for what a part does: for ``"does: role"``, or else for ``"does"``.

    Raises:
        KeyError: if it has nothing.
    """
    role = f"{part.does}: {part.role}"
    return table[role if role in table else part.does]

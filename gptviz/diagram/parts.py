"""A configuration as a graph: every part with its path, its kind and the shapes at its doors."""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.config import GPTConfig
from gptviz.course import part_at
from gptviz.glossary import Entry, entry

Shape = tuple[int | str, ...]

KIND_OF = {
    "tokens": "text",
    "tok_emb": "embedding",
    "pos_emb": "embedding",
    "embeddings": "stream",
    "drop_emb": "dropout",
    "blocks": "block",
    "norm1": "norm",
    "attention": "attention",
    "query": "attention",
    "key": "attention",
    "value": "attention",
    "core": "attention",
    "out_proj": "attention",
    "drop1": "dropout",
    "shortcut1": "stream",
    "norm2": "norm",
    "feed_forward": "feed_forward",
    "linear1": "feed_forward",
    "gelu": "feed_forward",
    "linear2": "feed_forward",
    "drop2": "dropout",
    "shortcut2": "stream",
    "final_norm": "norm",
    "out_head": "head",
    "next_token": "text",
}

BLOCK_PARTS = (
    "norm1",
    "attention",
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.core",
    "attention.out_proj",
    "drop1",
    "shortcut1",
    "norm2",
    "feed_forward",
    "feed_forward.linear1",
    "feed_forward.gelu",
    "feed_forward.linear2",
    "drop2",
    "shortcut2",
)


@dataclass(frozen=True)
class Part:
    """One part of the picture.

    Args:
        path: the module's path in the model, or the name of a part without a module.
        kind: which colour it has (``figures.theme``).
        inputs, output: shapes of what goes in and what comes out, one sentence at a time.
        placeholder: whether the configuration leaves it out.
    """

    path: str
    kind: str
    inputs: tuple[Shape, ...]
    output: Shape
    placeholder: bool

    @property
    def entry(self) -> Entry:
        """What the glossary says of it."""
        return entry(self.path)


def part(config: GPTConfig, path: str, n_tokens: int | str = "n_tokens") -> Part:
    """The part at ``path``; without a sentence its shapes have the word ``n_tokens`` in them.

    Raises:
        KeyError: if this configuration has no such part.
    """
    pieces = path.split(".")
    entry(path)  # every part has one; a KeyError if there is none
    if pieces[0] == "blocks" and len(pieces) > 1:
        known = pieces[1].isdecimal() and int(pieces[1]) < config.n_layers
        name = ".".join(pieces[2:])
        if not known or (name and name not in BLOCK_PARTS):
            raise KeyError(f"{path}: no such part in a model of {config.n_layers} blocks")
    kind = "block" if len(pieces) == 2 else KIND_OF[pieces[-1]]
    inputs, output = _doors(config, pieces[-1] if len(pieces) != 2 else "blocks", n_tokens)
    return Part(path, kind, inputs, output, part_at(path) in config.placeholders)


def _doors(config: GPTConfig, name: str, n_tokens: int | str) -> tuple[tuple[Shape, ...], Shape]:
    ids: Shape = (n_tokens,)
    stream: Shape = (n_tokens, config.emb_dim)
    heads: Shape = (config.n_heads, n_tokens, config.head_dim)
    hidden: Shape = (n_tokens, config.ff_dim)
    logits: Shape = (n_tokens, config.vocab_size)
    special: dict[str, tuple[tuple[Shape, ...], Shape]] = {
        "tokens": ((), ids),
        "tok_emb": ((ids,), stream),
        "pos_emb": ((ids,), stream),
        "embeddings": ((stream, stream), stream),
        "core": ((heads, heads, heads), heads),
        "shortcut1": ((stream, stream), stream),
        "shortcut2": ((stream, stream), stream),
        "linear1": ((stream,), hidden),
        "gelu": ((hidden,), hidden),
        "linear2": ((hidden,), stream),
        "out_head": ((stream,), logits),
        "next_token": (((config.vocab_size,),), (config.vocab_size,)),
    }
    return special.get(name, ((stream,), stream))


def shape_text(shape: Shape) -> str:
    """A shape as people write it: ``(18, 256)``, and ``(18)`` for a single axis."""
    return "(" + ", ".join(map(str, shape)) + ")"

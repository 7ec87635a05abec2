"""A configuration as a graph: every part with its path, its kind and the shapes at its doors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gptviz.config import GPTConfig
from gptviz.course import part_at
from gptviz.glossary import Entry, entry
from gptviz.quoting import quoted

Size = int | str
Shape = tuple[Size, ...]

# Which colour a part has: that of the first of these names on its path, read from its end.
KIND_OF = {
    "tokens": "text",
    "tok_emb": "embedding",
    "pos_emb": "embedding",
    "embeddings": "embedding",
    "sum": "stream",
    "drop_emb": "dropout",
    "blocks": "block",
    "norm1": "norm",
    "attention": "attention",
    "dropout": "dropout",
    "drop1": "dropout",
    "shortcut1": "stream",
    "norm2": "norm",
    "feed_forward": "feed_forward",
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

# What is inside the parts that can be opened, where it is no module of its own: the steps that
# their code takes.
CORE_STEPS = ("scores", "scale", "mask", "softmax", "dropout", "gather")
NORM_STEPS = ("mean", "variance", "normalize", "scale", "shift")
STEPS = {
    "embeddings": ("sum",),
    "norm1": NORM_STEPS,
    "norm2": NORM_STEPS,
    "final_norm": NORM_STEPS,
    "attention": ("split", *(f"core.{step}" for step in CORE_STEPS), "merge"),
    "feed_forward": (),
    "out_head": ("matmul", "softmax", "sampling"),
}
IN_BLOCK = ("norm1", "attention", "norm2", "feed_forward")
IN_COLUMN = ("embeddings", "final_norm", "out_head")


@dataclass(frozen=True)
class Part:
    """One part of the picture.

    Args:
        path: the module's path in the model, or the name of a part without a module.
        kind: which colour it has (``figures.theme``).
        inputs, output: shapes of what goes in and what comes out, one sentence at a time.
        placeholder: whether the configuration leaves it out.
        entry: what the glossary says of it, with this configuration's numbers.
    """

    path: str
    kind: str
    inputs: tuple[Shape, ...]
    output: Shape
    placeholder: bool
    entry: Entry


@lru_cache(maxsize=1024)  # a picture asks for each part several times, and is drawn twice
def part(config: GPTConfig, path: str, n_tokens: Size = "n_tokens", symbolic: bool = False) -> Part:
    """The part at ``path``; without a sentence its shapes have the word ``n_tokens`` in them.

    Args:
        symbolic: give shapes in the names of ``GPTConfig`` instead of its numbers.

    Raises:
        KeyError: if this configuration has no such part.
    """
    if not _exists(config, path):
        raise KeyError(f"{quoted(path)}: no such part in a model of {config.n_layers} blocks")
    sizes = {name: name if symbolic else getattr(config, name) for name in SIZES}
    doors = _doors({"n_tokens": "n_tokens" if symbolic else n_tokens, **sizes})
    pieces = path.split(".")
    names = (".".join(pieces[start:]) for start in range(len(pieces) + 1))
    inputs, output = next(doors[name] for name in names if name in doors)
    said = entry(path).filled(config)
    return Part(path, _kind(pieces), inputs, output, part_at(path) in config.placeholders, said)


SIZES = ("emb_dim", "n_heads", "head_dim", "ff_dim", "vocab_size", "context_length")


def _exists(config: GPTConfig, path: str) -> bool:
    entry(path)  # every part has one; a KeyError if there is none
    pieces = path.split(".")
    if pieces[0] != "blocks" or len(pieces) == 1:
        return True
    return pieces[1] in map(str, range(config.n_layers))


def _kind(pieces: list[str]) -> str:
    return next(KIND_OF[name] for name in reversed(pieces) if name in KIND_OF)


def _doors(sizes: dict[str, Size]) -> dict[str, tuple[tuple[Shape, ...], Shape]]:
    """Shapes in and out, by the end of a part's path; ``""`` stands for all others."""
    n_tokens = sizes["n_tokens"]
    ids: Shape = (n_tokens,)
    stream: Shape = (n_tokens, sizes["emb_dim"])
    heads: Shape = (sizes["n_heads"], n_tokens, sizes["head_dim"])
    maps: Shape = (sizes["n_heads"], n_tokens, n_tokens)
    hidden: Shape = (n_tokens, sizes["ff_dim"])
    logits: Shape = (n_tokens, sizes["vocab_size"])
    last: Shape = (sizes["vocab_size"],)
    each: Shape = (n_tokens, 1)
    one_to_one = dict.fromkeys(("scale", "mask", "softmax", "dropout"), ((maps,), maps))
    return {
        "tokens": ((), ids),
        "tok_emb": ((ids,), stream),
        "pos_emb": ((ids,), stream),
        "embeddings": ((ids,), stream),
        "embeddings.sum": ((stream, stream), stream),
        "mean": ((stream,), each),
        "variance": ((stream,), each),
        "normalize": ((stream, each, each), stream),
        "split": ((stream, stream, stream), heads),
        "core": ((heads, heads, heads), heads),
        "core.scores": ((heads, heads), maps),
        **{f"core.{name}": shapes for name, shapes in one_to_one.items()},
        "core.gather": ((maps, heads), heads),
        "merge": ((heads,), stream),
        "shortcut1": ((stream, stream), stream),
        "shortcut2": ((stream, stream), stream),
        "linear1": ((stream,), hidden),
        "gelu": ((hidden,), hidden),
        "linear2": ((hidden,), stream),
        "out_head": ((stream,), logits),
        "out_head.matmul": ((stream,), logits),
        "out_head.softmax": ((last,), last),
        "out_head.sampling": ((last,), (1,)),
        "next_token": ((last,), last),
        "": ((stream,), stream),
    }


def can_open(config: GPTConfig, path: str) -> bool:
    """Whether there is something to see inside a part; ``""``, the whole model, can be, too."""
    if path == "":
        return True
    return is_part(config, path) and is_level(path) and not part(config, path).placeholder


def is_part(config: GPTConfig, path: str) -> bool:
    """Whether this configuration has such a part; ``""`` is the whole model."""
    try:
        return path == "" or _exists(config, path)
    except KeyError:
        return False


def is_level(path: str) -> bool:
    """Whether parts with this path can be opened, unless they are placeholders."""
    return path == level_of(path) != ""


def level_of(path: str) -> str:
    """The part to open so that the part at ``path`` can be seen; ``""`` is the whole model."""
    pieces = path.split(".")
    if pieces[0] == "blocks" and len(pieces) > 1:
        return ".".join(pieces[: 3 if len(pieces) > 2 and pieces[2] in IN_BLOCK else 2])
    if pieces[0] in ("tok_emb", "pos_emb", "drop_emb"):
        return "embeddings"
    return pieces[0] if pieces[0] in IN_COLUMN else ""


def shape_text(shape: Shape) -> str:
    """A shape as people write it: ``(18, 256)``, and ``(18)`` for a single axis."""
    return "(" + ", ".join(map(str, shape)) + ")"

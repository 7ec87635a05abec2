"""The tree of a GPT's parts. Nothing else lists them: everybody walks this tree.

It has the paths of the model's ``named_modules()`` and, between them, the operations that their
code takes; tests hold it equal to the model, to what passes through it and to torch's counts.
"""

from __future__ import annotations

from functools import lru_cache

from gptviz.anatomy.part import N_TOKENS, Alike, Part, Shape, Size
from gptviz.anatomy.steps import core_steps, head_steps, norm_steps
from gptviz.config import GPTConfig
from gptviz.quoting import quoted

IDS: Shape = (N_TOKENS,)
STREAM: Shape = (N_TOKENS, "emb_dim")


@lru_cache(maxsize=256)
def anatomy(config: GPTConfig) -> Part:
    """The whole model; its path is ``""``."""
    each = Alike(_block(config, "0"), config.n_layers)
    return Part(
        "", "model", "stream", (IDS,), (N_TOKENS, "vocab_size"),
        inside=(
            Part("tokens", "tokens", "text", (), IDS, is_module=False),
            *_embeddings(),
            Part("blocks", "blocks", "block", (STREAM,), STREAM, inside=each),
            _norm(config, "final_norm", "after the blocks"),
            _head(config),
            Part("next_token", "next_token", "text", (("vocab_size",),), ("vocab_size",),
                 is_module=False),
        ),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def find(config: GPTConfig, path: str) -> Part:
    """The part at ``path``, such as ``blocks.3.attention.core.mask``; ``""`` is the whole model.

    Raises:
        KeyError: if this configuration has no such part.
    """
    part = anatomy(config)
    for name in path.split(".") if path else ():
        child = part.child(name)
        if child is None:
            raise KeyError(f"{quoted(path)}: no such part in a model of {config.n_layers} blocks")
        part = child
    return part


def has(config: GPTConfig, path: str) -> bool:
    """Whether this configuration has such a part, built or as a placeholder."""
    try:
        find(config, path)
    except KeyError:
        return False
    return True


def _embeddings() -> tuple[Part, ...]:
    total = Part("sum", "embedding_sum", "stream", (STREAM, STREAM), STREAM, is_module=False)
    return (
        Part("embeddings", "embeddings", "embedding", (IDS,), STREAM, inside=(total,),
             is_module=False),
        Part("tok_emb", "token_embedding", "embedding", (IDS,), STREAM,
             weights={"weight": ("vocab_size", "emb_dim")}),
        Part("pos_emb", "position_embedding", "embedding", (IDS,), STREAM,
             weights={"weight": ("context_length", "emb_dim")}),
        _dropout("drop_emb", "embeddings"),
    )  # fmt: skip


def _block(config: GPTConfig, name: str) -> Part:
    return Part(
        name, "block", "block", (STREAM,), STREAM,
        inside=(
            _norm(config, "norm1", "before attention"),
            _attention(config),
            _dropout("drop1", "attention", config.has("attention")),
            _shortcut(config, "shortcut1", "attention"),
            _norm(config, "norm2", "before feed-forward"),
            _feed_forward(config),
            _dropout("drop2", "feed_forward", config.has("feed_forward")),
            _shortcut(config, "shortcut2", "feed_forward"),
        ),
    )  # fmt: skip


def _norm(config: GPTConfig, name: str, role: str) -> Part:
    built = config.has("norm")
    inside = norm_steps(built)
    return Part(name, "layer_norm", "norm", (STREAM,), STREAM, role, inside=inside, built=built)


def _dropout(name: str, of: str, built: bool = True) -> Part:
    return Part(name, "dropout", "dropout", (STREAM,), STREAM, of, built=built)


def _shortcut(config: GPTConfig, name: str, around: str) -> Part:
    built = config.has("shortcut")
    return Part(name, "shortcut", "stream", (STREAM, STREAM), STREAM, around, built=built)


def _attention(config: GPTConfig) -> Part:
    if not config.has("attention"):
        return Part("attention", "attention", "attention", (STREAM,), STREAM, built=False)
    width: Size = "emb_dim" if config.attn_dim == config.emb_dim else "attn_dim"
    wide: Shape = (N_TOKENS, width)
    heads: Shape = ("n_heads", N_TOKENS, "head_dim")
    projections = tuple(
        _linear(name, name, "attention", "emb_dim", width, config.qkv_bias)
        for name in ("query", "key", "value")
    )
    split = Part("split", "split_heads", "attention", (wide, wide, wide), heads, is_module=False)
    core = Part("core", "attention_core", "attention", (heads, heads, heads), heads,
                inside=core_steps())  # fmt: skip
    merge = Part("merge", "merge_heads", "attention", (heads,), wide, is_module=False)
    out = _linear("out_proj", "output_projection", "attention", width, "emb_dim", True)
    return Part("attention", "attention", "attention", (STREAM,), STREAM,
                inside=(*projections, split, core, merge, out))  # fmt: skip


def _feed_forward(config: GPTConfig) -> Part:
    if not config.has("feed_forward"):
        return Part("feed_forward", "feed_forward", "feed_forward", (STREAM,), STREAM, built=False)
    hidden: Shape = (N_TOKENS, "ff_dim")
    inside = (
        _linear("linear1", "up_projection", "feed_forward", "emb_dim", "ff_dim", True),
        Part("gelu", "gelu", "feed_forward", (hidden,), hidden),
        _linear("linear2", "down_projection", "feed_forward", "ff_dim", "emb_dim", True),
    )
    return Part("feed_forward", "feed_forward", "feed_forward", (STREAM,), STREAM, inside=inside)


def _linear(name: str, does: str, kind: str, n_in: Size, n_out: Size, bias: bool) -> Part:
    weights: dict[str, Shape] = {"weight": (n_out, n_in)}
    if bias:
        weights["bias"] = (n_out,)
    return Part(name, does, kind, ((N_TOKENS, n_in),), (N_TOKENS, n_out),
                weights=weights, per_token=(n_out, n_in))  # fmt: skip


def _head(config: GPTConfig) -> Part:
    table: Shape = ("vocab_size", "emb_dim")
    return Part("out_head", "output_head", "head", (STREAM,), (N_TOKENS, "vocab_size"),
                weights={"weight": table}, tied_to="tok_emb" if config.tie_weights else "",
                inside=head_steps(table))  # fmt: skip

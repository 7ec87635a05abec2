"""The operations inside modules: what their code does, step by step, under names of their own."""

from __future__ import annotations

from gptviz.anatomy.part import N_TOKENS, Part, Shape

STREAM: Shape = (N_TOKENS, "emb_dim")
HEADS: Shape = ("n_heads", N_TOKENS, "head_dim")
MAPS: Shape = ("n_heads", N_TOKENS, N_TOKENS)


def norm_steps(built: bool) -> tuple[Part, ...]:
    """Of a layer norm."""
    each: Shape = (N_TOKENS, 1)
    learned: dict[str, Shape] = {"": ("emb_dim",)} if built else {}
    return tuple(
        Part(name, does, "norm", reads, makes, weights=weights, is_module=False, built=built)
        for name, does, reads, makes, weights in (
            ("mean", "mean", (STREAM,), each, {}),
            ("variance", "variance", (STREAM,), each, {}),
            ("normalize", "normalize", (STREAM, each, each), STREAM, {}),
            ("scale", "learned_scale", (STREAM,), STREAM, learned),
            ("shift", "learned_shift", (STREAM,), STREAM, learned),
        )
    )


def core_steps() -> tuple[Part, ...]:
    """Of what every attention head does with its queries, keys and values."""
    # A query times a key is head_dim multiply-adds for each head, a weight times a value as many.
    product: Shape = ("n_heads", "head_dim")
    return tuple(
        Part(name, does, kind, reads, makes, role, per_pair=work, is_module=False)
        for name, does, kind, reads, makes, role, work in (
            ("scores", "attention_scores", "attention", (HEADS, HEADS), MAPS, "", product),
            ("scale", "scale_scores", "attention", (MAPS,), MAPS, "", ()),
            ("mask", "causal_mask", "attention", (MAPS,), MAPS, "", ()),
            ("softmax", "attention_softmax", "attention", (MAPS,), MAPS, "", ()),
            ("dropout", "dropout", "dropout", (MAPS,), MAPS, "weights", ()),
            ("gather", "weighted_sum", "attention", (MAPS, HEADS), HEADS, "", product),
        )
    )


def head_steps(table: Shape) -> tuple[Part, ...]:
    """Of the output head, and of what is done with its scores."""
    last: Shape = ("vocab_size",)
    return tuple(
        Part(name, does, "head", reads, makes, per_token=work, is_module=False)
        for name, does, reads, makes, work in (
            ("matmul", "unembedding", (STREAM,), (N_TOKENS, "vocab_size"), table),
            ("softmax", "vocabulary_softmax", (last,), last, ()),
            ("sampling", "sampling", (last,), (1,), ()),
        )
    )

"""The operations inside modules: what their code does, step by step, under names of their own."""

from __future__ import annotations

from gptviz.anatomy.part import N_TOKENS, Part, Shape

STREAM: Shape = (N_TOKENS, "emb_dim")
HEADS: Shape = ("n_heads", N_TOKENS, "head_dim")
MAPS: Shape = ("n_heads", N_TOKENS, N_TOKENS)


def norm_steps(built: bool) -> tuple[Part, ...]:
    """Of a layer norm."""
    each: Shape = (N_TOKENS, 1)
    return tuple(
        Part(name, does, "norm", reads, makes, is_module=False, built=built)
        for name, does, reads, makes in (
            ("mean", "mean", (STREAM,), each),
            ("variance", "variance", (STREAM,), each),
            ("normalize", "normalize", (STREAM, each, each), STREAM),
            ("scale", "learned_scale", (STREAM,), STREAM),
            ("shift", "learned_shift", (STREAM,), STREAM),
        )
    )


def core_steps() -> tuple[Part, ...]:
    """Of what every attention head does with its queries, keys and values."""
    return tuple(
        Part(name, does, kind, reads, makes, role, is_module=False)
        for name, does, kind, reads, makes, role in (
            ("scores", "attention_scores", "attention", (HEADS, HEADS), MAPS, ""),
            ("scale", "scale_scores", "attention", (MAPS,), MAPS, ""),
            ("mask", "causal_mask", "attention", (MAPS,), MAPS, ""),
            ("softmax", "attention_softmax", "attention", (MAPS,), MAPS, ""),
            ("dropout", "dropout", "dropout", (MAPS,), MAPS, "weights"),
            ("gather", "weighted_sum", "attention", (MAPS, HEADS), HEADS, ""),
        )
    )


def head_steps() -> tuple[Part, ...]:
    """Of the output head, and of what is done with its scores."""
    last: Shape = ("vocab_size",)
    return tuple(
        Part(name, does, "head", reads, makes, is_module=False)
        for name, does, reads, makes in (
            ("matmul", "unembedding", (STREAM,), (N_TOKENS, "vocab_size")),
            ("softmax", "vocabulary_softmax", (last,), last),
            ("sampling", "sampling", (last,), (1,)),
        )
    )

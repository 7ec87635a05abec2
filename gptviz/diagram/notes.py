"""The few words in a part's box on its sizes or its rule, found by what the part does."""

from __future__ import annotations

from gptviz.anatomy import find
from gptviz.diagram.view import View


def note(view: View, path: str) -> str:
    """What stands below the name of the part at ``path``; empty where its name says enough."""
    d, wide, heads, head_dim = map(view.size, ("emb_dim", "ff_dim", "n_heads", "head_dim"))
    root = "√head_dim" if view.symbolic else f"√{head_dim}"
    each = "one for each token"
    return {
        "mean": each,
        "variance": each,
        "normalize": "(x - mean) ÷ √variance",
        "learned_scale": f"× {d} learned numbers",
        "learned_shift": f"+ {d} learned numbers",
        "layer_norm": "mean 0, variance 1",
        "attention": f"{heads} heads of {head_dim}",
        "split_heads": f"{heads} heads × {head_dim} numbers",
        "attention_scores": "query · key",
        "scale_scores": f"÷ {root}",
        "causal_mask": "no later keys",
        "attention_softmax": "rows sum to 1",
        "weighted_sum": "weights × values",
        "feed_forward": f"{d} → {wide} → {d}",
        "up_projection": f"{d} → {wide}",
        "gelu": f"{wide} numbers, negative ones hushed",
        "down_projection": f"{wide} → {d}",
    }.get(find(view.config, path).does, "")

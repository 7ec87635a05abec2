"""Short plain names for a table's rows."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.words.entry import look_up

_SHORT = {
    "token_embedding": "token embedding",
    "position_embedding": "position embedding",
    "block": "one block",
    "layer_norm: before attention": "norm 1",
    "attention": "attention",
    "query": "query",
    "key": "key",
    "value": "value",
    "output_projection": "out_proj",
    "layer_norm: before feed-forward": "norm 2",
    "feed_forward": "feed-forward",
    "up_projection": "linear1",
    "down_projection": "linear2",
    "blocks": "all blocks",
    "layer_norm: after the blocks": "final norm",
    "output_head": "output head",
    "model": "the whole model",
}


def short_name(part: Part) -> str:
    """What a part that can have parameters, or holds some that have, is called in a table.

    Raises:
        KeyError: for a part without any.
    """
    return look_up(_SHORT, part)

"""The small pictures of what comes out of a part: in the diagram's steps, and in the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gptviz.anatomy import find
from gptviz.diagram.parts import Piece
from gptviz.diagram.view import Outcome
from gptviz.figures.theme import KINDS

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace

Maps = dict[str, tuple[str, ...]]

MOST = (48, 256)  # rows and columns of a small picture
SHOWN = (96, 256)  # of the panel's
TABLES = {"embeddings": ("tok_emb", "pos_emb")}  # to be seen in it, though they stand beside it
SHARES = ("softmax", "dropout")  # from 0 to 1: drawn as the maps of all heads are


def maps_of(trace: Trace, opened: str, head: int) -> Maps:
    """Pictures by path, for what is open; none where nothing but the whole is."""
    if not opened:
        return {}
    name = opened.rpartition(".")[2]
    if name.isdecimal():
        return _of_block(trace, opened, int(name))
    inside = [path for path, _ in find(trace.config, opened).walk(opened) if path != opened]
    paths = [*TABLES.get(name, ()), *inside]
    return {path: found for path in paths if (found := _of_part(trace, path, head))}


def _of_block(trace: Trace, path: str, layer: int) -> Maps:
    """A map for each head, and the last token's hidden layer."""
    from gptviz.analysis.overview import last_hidden, layer_heads
    from gptviz.ui.widgets.pictures import map_address

    maps: Maps = {}
    if trace.config.has("attention"):
        heads = layer_heads(trace, layer) / 255
        maps[f"{path}.attention"] = tuple(map_address(one, KINDS["attention"]) for one in heads)
    hidden = last_hidden(trace, layer)
    if hidden is not None:
        strip = map_address(hidden[None], KINDS["feed_forward"])
        maps[f"{path}.feed_forward"] = (strip,)
    return maps


def _of_part(trace: Trace, path: str, head: int) -> tuple[str, ...]:
    from gptviz.analysis.overview import pooled
    from gptviz.ui.widgets.pictures import map_address, signed_address

    values = trace.at(path, head)
    if values is None:
        return ()
    small = pooled(values.float().nan_to_num(neginf=0), MOST).numpy(force=True)
    if path.rpartition(".")[2] in SHARES:
        return (map_address(small**0.5, KINDS["attention"]),)  # faint weights can be seen
    return (signed_address(small),)


def outcome(trace: Trace, piece: Piece, head: int) -> Outcome | None:
    """The numbers that come out of a part; none where no numbers do."""
    from gptviz.analysis.overview import pooled
    from gptviz.ui.widgets.pictures import signed_address

    values = trace.at(piece.path, head)
    if values is None:
        return None
    values = values.float()
    small = pooled(values.nan_to_num(neginf=0), SHOWN).numpy(force=True)
    seen = values[values.isfinite()]
    inside = f", head {head}" if len(piece.output) == 3 else ""
    rows, columns = values.shape
    return Outcome(
        signed_address(small),
        f"What comes out{inside}: {rows:,} × {columns:,} numbers",
        f"Mean {seen.mean():.4g}, standard deviation {seen.std(correction=0):.4g}, "
        f"from {seen.min():.4g} to {seen.max():.4g}.",
    )

"""One block, opened: the stream goes straight down, two parts read from it and write to it."""

from __future__ import annotations

from itertools import pairwise

from gptviz.anatomy import find
from gptviz.diagram.drawing import Box, Picture, wrapped
from gptviz.diagram.inside import (
    STREAM,
    draw_heads_cells,
    draw_inside,
    draw_projections,
    draw_to_heads,
)
from gptviz.diagram.notes import note
from gptviz.diagram.parts import can_open, sublayers
from gptviz.diagram.pen import GAP, LINE, PAD, TITLE, Pen
from gptviz.words.sublayers import block_in_brief

CONTENT = 72  # from the frame's left edge to the parts
EDGE = 16
SUM = 26  # size of the circle with the plus
READ = 36  # from where a sub-layer begins to where its norm reads the stream
MOST_ROWS = 2  # of small attention maps


def draw_block(pen: Pen, layer: int, x: float, y: float, w: float, beside: bool) -> Box:
    """Draw block ``layer`` into a frame at (x, y) of width ``w``; return the frame.

    Args:
        beside: whether it stands beside the whole model, or in its place in the column.
    """
    return _Block(pen, layer, x, y, w, beside).draw()


class _Block:
    """``y`` is how far down the block has been drawn."""

    def __init__(self, pen: Pen, layer: int, x: float, y: float, w: float, beside: bool) -> None:
        self.pen, self.view, self.drawing = pen, pen.view, pen.drawing
        self.path, self.layer, self.beside = f"blocks.{layer}", layer, beside
        self.x, self.top, self.w, self.y = x, y, w, y
        self.stream_x = x + STREAM
        self.left, self.width = x + CONTENT, w - CONTENT - EDGE

    def draw(self) -> Box:
        edge = 34 if self.beside else 0  # alone, or where the whole's stream comes in
        self.y += 44
        source = f"blocks.{self.layer - 1}" if self.layer else "drop_emb"
        self._stream(source, self.top + edge, self.y)
        for names in sublayers(self.view.config, self.path):
            self._sublayer(source, *names)
            source = f"{self.path}.{names[-1]}"
        self._stream(source, self.y, self.y + (18 if self.beside else 30))
        self.pen.shape(self.stream_x + 10, self.y + 14, source)
        self.y += 30
        if self.beside:
            note = block_in_brief(self.view.config)
            self.drawing.text(self.x + 84, self.top + 21, note)
        title, indent = f"Block {self.layer}", PAD if self.beside else STREAM + 14
        size = (self.x, self.top, self.w, self.y - self.top)
        return self.pen.part(
            self.path, *size, style="frame", title=title, opened=True, indent=indent
        )

    def _stream(self, source: str, top: float, bottom: float) -> None:
        self.pen.stream(source, (self.stream_x, top), (self.stream_x, bottom))

    def _sublayer(self, source: str, norm: str, part: str, drop: str, shortcut: str) -> None:
        """From the stream, as it comes out of ``source``, through two parts and back to it."""
        start = self.y
        self.pen.shape(self.stream_x + 10, start + 12, source)
        norm_bottom = self._norm(source, norm, start + READ)
        way = self.left + 64
        self.y = self.pen.down(way, norm_bottom, f"{self.path}.{norm}")
        top, bottom = self._join(self._part(part), part, drop, shortcut)
        kept = self.view.config.has("shortcut")
        self._stream(source, start, top if kept else start + READ)
        self.y = bottom

    def _norm(self, source: str, name: str, read_y: float) -> float:
        """The norm at the height where it reads the stream; gives where it ends."""
        path, top = f"{self.path}.{name}", read_y - 19
        self.pen.arrow(source, (self.stream_x, read_y), (self.left, read_y))
        if self.view.opened == path:
            return draw_inside(self.pen, path, self.left, top, self.width).bottom
        return self.pen.part(path, self.left, top, 128, 38, (note(self.view, path),)).bottom

    def _part(self, name: str) -> float:
        """Attention or feed-forward; gives where it ends."""
        path = f"{self.path}.{name}"
        if self.view.opened == path:
            return draw_inside(self.pen, path, self.left, self.y, self.width).bottom
        if can_open(self.view.config, path) and self.view.opened == self.path:
            sights = {"attention": self._attention, "feed_forward": self._feed_forward}
            return sights[find(self.view.config, path).does](path)
        words = note(self.view, path)
        lines = [*self.pen.wrapped(words, self.width - 16), *self.pen.measured(path)]
        h = 40.0 + 16 * len(lines)
        return self.pen.part(path, self.left, self.y, self.width, h, lines).bottom

    def _join(self, bottom: float, part: str, drop: str, shortcut: str) -> tuple[float, float]:
        """The way back to the stream, and the sum there; gives where that begins and ends."""
        config = self.view.config
        y = bottom + 34
        out_x = self.left + self.width - 20
        title = f"dropout {config.drop_rate:g}"
        place = (self.left + 20, y - 11, 92, 22)
        pill = self.pen.part(f"{self.path}.{drop}", *place, style="pill", title=title)
        place = (self.stream_x - SUM / 2, y - SUM / 2, SUM, SUM)
        plus = self.pen.part(f"{self.path}.{shortcut}", *place, style="sum")
        self.pen.arrow(f"{self.path}.{part}", (out_x, bottom), (out_x, y), (pill.right, y))
        self.pen.arrow(pill.path, (pill.x, y), (plus.right, y))
        self.pen.shape(out_x - 10, y - 14, f"{self.path}.{part}", "end")
        return plus.y, plus.bottom

    def _attention(self, path: str) -> float:
        """Attention at a glance."""
        top, left, width = self.y, self.left + PAD, self.width - 2 * PAD
        number = self.pen.measured(path)
        trio = draw_projections(self.pen, path, left, top + TITLE + LINE * len(number), width)
        core_y = trio[0].bottom + GAP
        draw_to_heads(self.pen, trio, core_y)
        core = self._core(path, left, core_y, width)
        y = self.pen.down(core.middle, core.bottom, core.path, room=width / 2)
        merge = self.pen.part(f"{path}.out_proj", left, y, width, 30)
        return self.pen.frame(path, self.left, top, self.width, merge.bottom + PAD, number).bottom

    def _core(self, path: str, x: float, y: float, w: float) -> Box:
        size, maps = self.view.size, self.view.maps(path)
        heads = f"{size('n_heads')} heads of {size('head_dim')}: "
        recipe = f"scores → ÷ √{size('head_dim')} → mask → softmax → sum of values"
        steps = wrapped(heads + recipe, w - 20, 11)
        per_row = min(len(maps), 8 if w > 300 else 6)
        rows = min(MOST_ROWS, -(-len(maps) // per_row)) if maps else 0
        side = min(40.0, (w - 20 - 6 * (per_row - 1)) / per_row) if maps else 0
        shown = min(len(maps), rows * per_row)
        maps_y = y + 30 + 15 * len(steps)
        maps_y += draw_heads_cells(self.pen, path.removesuffix(".core"), x + 10, maps_y, w - 20)
        more = 18 if len(maps) > shown else 0
        bottom = maps_y + (rows * (side + 6) + 4 + more if maps else 2)
        for i, href in enumerate(maps[:shown]):
            row, column = divmod(i, per_row)
            place = (x + 10 + column * (side + 6), maps_y + row * (side + 6))
            spoken = f"attention weights of layer {self.layer}, head {i}"
            self.drawing.pictures.append(Picture(*place, side, side, href, spoken))
        if more:
            text = f"and {len(maps) - shown} more heads"
            self.drawing.text(x + 10, bottom - 8, text, "shape")
        return self.pen.frame(f"{path}.core", x, y, w, bottom, steps)

    def _feed_forward(self, path: str) -> float:
        """Feed-forward at a glance."""
        size, top, gap = self.view.size, self.y, 20.0
        left, width = self.left + PAD, self.width - 2 * PAD
        third = (width - 2 * gap) / 3
        steps = [f"{path}.{part.name}" for part in find(self.view.config, path).inside]
        words = [note(self.view, step).partition(" numbers")[0] for step in steps]
        lines = [wrapped(text, third, 12) for text in words]  # large sizes, narrow place
        h = 28.0 + 16 * max(map(len, lines))
        number = self.pen.measured(path)
        row_y = top + TITLE + LINE * (1 + len(number))
        row = [
            self.pen.part(step, left + i * (third + gap), row_y, third, h, lines[i])
            for i, step in enumerate(steps)
        ]
        for a, b in pairwise(row):
            self.pen.arrow(a.path, (a.right, a.centre), (b.x, b.centre))
        self.pen.shape(row[1].middle, row_y - 6, row[1].path, "middle")  # of both arrows
        bottom = row[0].bottom + PAD
        for hidden in self.view.maps(path):
            spoken = f"numbers of the last token after GELU in layer {self.layer}"
            y = row[0].bottom + 10
            self.drawing.pictures.append(Picture(left, y, width, 22, hidden, spoken))
            caption = f"last token after GELU: {size('ff_dim')} numbers"
            self.drawing.text(left, y + 38, caption, "shape")
            bottom = y + 48
        return self.pen.frame(path, self.left, top, self.width, bottom, number).bottom

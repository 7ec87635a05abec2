"""One block, opened: the stream goes straight down, two parts read from it and add to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from gptviz.diagram.drawing import Box, Drawing, Picture, wrapped
from gptviz.diagram.parts import shape_text
from gptviz.diagram.view import View

STREAM = 36  # from the frame's left edge to the residual stream
CONTENT = 72  # from the frame's left edge to the parts
EDGE = 16
SUM = 26  # size of the circle with the plus
MOST_ROWS = 2  # of small attention maps


def draw_block(
    view: View, drawing: Drawing, layer: int, x: float, y: float, w: float, beside: bool
) -> Box:
    """Draw block ``layer`` into a frame at (x, y) of width ``w``; return the frame.

    Args:
        beside: whether it stands beside the whole model, or in its place in the column.
    """
    return _Block(view, drawing, layer, x, y, w, beside).draw()


class _Block:
    def __init__(
        self,
        view: View,
        drawing: Drawing,
        layer: int,
        x: float,
        y: float,
        w: float,
        beside: bool,
    ) -> None:
        self.beside = beside
        self.view, self.drawing, self.layer = view, drawing, layer
        self.x, self.top, self.w, self.y = x, y, w, y
        self.stream_x = x + STREAM
        self.left, self.width = x + CONTENT, w - CONTENT - EDGE
        self.shape = shape_text(view.part("blocks").output)

    def draw(self) -> Box:
        place = len(self.drawing.boxes)  # the frame goes behind what it holds
        self.y += 44
        self._stream_end(self.top, self.top + 34, self.y)
        self._sublayer("norm1", self._attention, "drop1", "shortcut1")
        self._sublayer("norm2", self._feed_forward, "drop2", "shortcut2")
        self._stream_end(self.y + 30, self.y + 18, self.y)
        self.y += 30
        entry = self.view.part(f"blocks.{self.layer}").entry
        frame = Box(
            f"blocks.{self.layer}",
            "block",
            self.x,
            self.top,
            self.w,
            self.y - self.top,
            f"Block {self.layer}",
            style="frame",
            spoken=f"Block {self.layer}, open. {entry.what}",
            opened=True,
        )
        self.drawing.boxes.insert(place, frame)
        note = "reads the stream, adds to it, twice"
        if self.beside:
            self.drawing.text(self.x + 84, self.top + 21, note)
        return frame

    def _stream_end(self, edge: float, turn: float, y: float) -> None:
        """From the frame's edge to the parts; from the middle where the whole's stream comes in."""
        if self.beside:
            self.drawing.stream((self.stream_x, turn), (self.stream_x, y))
        else:
            middle = self.x + self.w / 2
            bend = ((middle, edge), (middle, turn), (self.stream_x, turn), (self.stream_x, y))
            self.drawing.stream(*bend)

    def _path(self, name: str) -> str:
        return f"blocks.{self.layer}.{name}"

    def _box(
        self,
        name: str,
        x: float,
        y: float,
        w: float,
        h: float,
        *lines: str,
        style: str = "box",
        title: str = "",
    ) -> Box:
        piece = self.view.part(self._path(name))
        title = title or piece.entry.name
        spoken = f"{title}. {piece.entry.what} {' '.join(lines)}".strip()
        if piece.placeholder:
            lines = ("placeholder",) if style in ("box", "frame") else ()
        return self.drawing.box(
            Box(piece.path, piece.kind, x, y, w, h, title, lines, style, spoken, piece.placeholder)
        )

    def _sublayer(
        self, norm: str, draw_part: Callable[[], float], drop: str, shortcut: str
    ) -> None:
        start = self.y
        read_y = start + 30
        norm_box = self._box(norm, self.left, read_y - 19, 128, 38, "mean 0, variance 1")
        self.drawing.arrow((self.stream_x, read_y), (self.left, read_y))
        self.y = norm_box.bottom + 24
        self.drawing.arrow((norm_box.middle, norm_box.bottom), (norm_box.middle, self.y))
        self.drawing.text(norm_box.middle + 10, norm_box.bottom + 16, self.shape, "shape")
        bottom = draw_part()
        self._join(start, bottom, drop, shortcut)

    def _join(self, start: float, bottom: float, drop: str, shortcut: str) -> None:
        """The way back to the stream, and the sum there."""
        config = self.view.config
        y = bottom + 34
        out_x = self.left + self.width - 40
        pill_w = 92
        pill = self._box(
            drop,
            self.left + 20,
            y - 11,
            pill_w,
            22,
            style="pill",
            title=f"dropout {config.drop_rate:g}",
        )
        plus = self._box(shortcut, self.stream_x - SUM / 2, y - SUM / 2, SUM, SUM, style="sum")
        self.drawing.arrow((out_x, bottom), (out_x, y), (pill.right, y))
        self.drawing.arrow((pill.x, y), (plus.right, y))
        self.drawing.text(out_x - 8, y - 7, self.shape, "shape", "end")
        if config.has("shortcut"):
            self.drawing.stream((self.stream_x, start), (self.stream_x, plus.y))
        else:
            self.drawing.stream((self.stream_x, start), (self.stream_x, start + 30))
        self.y = plus.bottom

    def _attention(self) -> float:
        config, top = self.view.config, self.y
        if not config.has("attention"):
            return self._box("attention", self.left, top, self.width, 56, style="box").bottom
        place = len(self.drawing.boxes)
        third = (self.width - 2 * 12 - 2 * 8) / 3
        y = top + 32
        trio = [
            self._box(name, self.left + 12 + i * (third + 8), y, third, 30)
            for i, name in enumerate(("attention.query", "attention.key", "attention.value"))
        ]
        core_y = trio[0].bottom + 18
        for box in trio:
            self.drawing.arrow((box.middle, box.bottom), (box.middle, core_y))
        core = self._core(core_y)
        merge = self._box(
            "attention.out_proj", self.left + 12, core.bottom + 18, self.width - 24, 30
        )
        self.drawing.arrow((core.middle, core.bottom), (core.middle, merge.y))
        bottom = merge.bottom + 12
        self._frame("attention", place, top, bottom)
        return bottom

    def _frame(self, name: str, place: int, top: float, bottom: float) -> None:
        frame = self._box(name, self.left, top, self.width, bottom - top, style="frame")
        self.drawing.boxes.remove(frame)
        self.drawing.boxes.insert(place, frame)

    def _core(self, y: float) -> Box:
        config, x, w = self.view.config, self.left + 12, self.width - 24
        split = f"{config.n_heads} heads of {shape_text((self.view.n_tokens, config.head_dim))}: "
        recipe = f"scores → ÷ √{config.head_dim} → mask → softmax → sum of values"
        steps = wrapped(split + recipe, w - 20, 11)
        maps = self.view.reading.head_maps if self.view.reading else ()
        per_row = min(len(maps), 8 if w > 300 else 6)
        rows = min(MOST_ROWS, -(-len(maps) // per_row)) if maps else 0
        size = min(40.0, (w - 20 - 6 * (per_row - 1)) / per_row) if maps else 0
        shown = min(len(maps), rows * per_row)
        maps_y = y + 30 + 15 * len(steps)
        more = 18 if len(maps) > shown else 0
        h = maps_y - y + (rows * (size + 6) + 4 + more if maps else 2)
        core = self._box("attention.core", x, y, w, h, *steps, style="frame")
        for i, href in enumerate(maps[:shown]):
            row, column = divmod(i, per_row)
            place = (x + 10 + column * (size + 6), maps_y + row * (size + 6))
            spoken = f"attention weights of layer {self.layer}, head {i}"
            self.drawing.pictures.append(Picture(*place, size, size, href, spoken))
        if more:
            text = f"and {len(maps) - shown} more heads"
            self.drawing.text(x + 10, y + h - 8, text, "shape")
        return core

    def _feed_forward(self) -> float:
        config, top = self.view.config, self.y
        if not config.has("feed_forward"):
            return self._box("feed_forward", self.left, top, self.width, 56, style="box").bottom
        place = len(self.drawing.boxes)
        gap = 20.0
        third = (self.width - 2 * 12 - 2 * gap) / 3
        y = top + 32
        sizes = (
            ("feed_forward.linear1", f"{config.emb_dim} → {config.ff_dim}"),
            ("feed_forward.gelu", str(config.ff_dim)),
            ("feed_forward.linear2", f"{config.ff_dim} → {config.emb_dim}"),
        )
        lines = [wrapped(text, third, 12) for _, text in sizes]  # large sizes in a narrow place
        h = 28.0 + 16 * max(map(len, lines))
        row = [
            self._box(name, self.left + 12 + i * (third + gap), y, third, h, *lines[i])
            for i, (name, _) in enumerate(sizes)
        ]
        for a, b in pairwise(row):
            self.drawing.arrow((a.right, a.centre), (b.x, b.centre))
        bottom = row[0].bottom + 12
        hidden = self.view.reading.hidden_map if self.view.reading else None
        if hidden:
            spoken = f"numbers of the last token after GELU in layer {self.layer}"
            place_y = row[0].bottom + 10
            self.drawing.pictures.append(
                Picture(self.left + 12, place_y, self.width - 24, 22, hidden, spoken)
            )
            caption = f"last token after GELU: {config.ff_dim} numbers"
            self.drawing.text(self.left + 12, place_y + 38, caption, "shape")
            bottom = place_y + 48
        self._frame("feed_forward", place, top, bottom)
        return bottom

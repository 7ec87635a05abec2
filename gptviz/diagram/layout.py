"""Where everything stands: the whole model as a column, the opened block large beside it."""

from __future__ import annotations

from collections.abc import Callable

from gptviz.diagram.block import draw_block
from gptviz.diagram.drawing import Box, Drawing, Wedge, fitted, wrapped
from gptviz.diagram.inside import (
    STREAM,
    draw_guesses,
    draw_inside,
    draw_sum,
    shown_tokens,
)
from gptviz.diagram.legend import add_legend
from gptviz.diagram.pen import CELL, Pen
from gptviz.diagram.view import View

MARGIN = 12
COLUMN = 264  # width of the whole model, wide layout
NARROW = 344  # width of everything, narrow layout
WIDE = 760
CLOSED = 620  # the wide layout with nothing open: the same place, so drawn larger
GAP = 38  # between the column and the opened part
SHOWN_CHIPS = 4
ROW = CELL + 4  # from one row of blocks' cells to the next
NAMED = 96  # where their cells begin: left of them is the row's name
SUBLAYERS = {"attention": "attention", "feed_forward": "feed-forward"}

Draw = Callable[[Pen, float, float, float], Box]


def lay_out(view: View, narrow: bool = False) -> Drawing:
    """The drawing of a view, for a wide place or for one about 360 pixels wide."""
    width = NARROW + 2 * MARGIN if narrow else WIDE if view.opened else CLOSED
    drawing = Drawing(width, measured=view.measure is not None)
    column = _Column(Pen(view, drawing), MARGIN, NARROW if narrow else COLUMN, narrow)
    column.draw()
    drawing.height = max(drawing.height, column.y) + MARGIN
    if view.still and view.measure:
        add_legend(drawing, view.measure, MARGIN)
    return drawing


class _Column:
    """The whole model from above; ``y`` is how far down it has been drawn."""

    def __init__(self, pen: Pen, x: float, w: float, narrow: bool) -> None:
        self.pen, self.view, self.drawing = pen, pen.view, pen.drawing
        self.x, self.w, self.narrow = x, w, narrow
        self.middle = x + w / 2
        self.line = x + STREAM if narrow else self.middle  # where the stream runs
        self.y: float = MARGIN

    def draw(self) -> None:
        self._tokens()
        self._embeddings()
        self._down(26, "embeddings.sum", "stream")
        self._blocks()
        self._down(26, "blocks", "stream")
        self._ending()

    def _box(
        self,
        path: str,
        h: float,
        lines: tuple[str, ...] = (),
        *,
        w: float | None = None,
        style: str = "box",
        title: str = "",
        opened: bool = False,
        room: float = 0,
    ) -> Box:
        """A part in the column, with what it does beside it where there is room.

        One of a width of its own stands in the middle or, where the stream runs left, left.
        """
        width = self.w if w is None else w
        x = self.x if self.narrow else self.middle - width / 2
        box = self.pen.part(
            path, x, self.y, width, h, lines, style=style, title=title, opened=opened, room=room
        )
        self._note(path, box.centre)
        self.y = box.bottom
        return box

    def _note(self, path: str, centre: float) -> None:
        """Beside a part of the closed, wide picture: what it does."""
        if self.narrow or self.view.opened or path == "drop_emb":
            return  # dropout does nothing while reading
        x = self.x + self.w + 34
        path = "blocks.0" if path == "blocks" else path
        sentence = wrapped(self.view.part(path).entry.what, CLOSED - x - MARGIN, 13)
        top = centre - 9 * (len(sentence) - 1) + 4
        for i, line in enumerate(sentence):
            self.drawing.text(x, top + 18 * i, line)

    def _down(self, length: float, source: str, style: str = "arrow") -> None:
        """A straight way down, with the shape of what goes there."""
        end = self.y + length
        draw = self.pen.stream if style == "stream" else self.pen.arrow
        draw(source, (self.line, self.y), (self.line, end))
        self.pen.shape(self.line + 10, self.y + length / 2 + 4, source)
        self.y = end

    def _open(self, path: str, title: str, draw: Draw) -> None:
        """An opened part: a small box here and all of it beside; where it's narrow, all here."""
        if self.narrow:
            self.y = draw(self.pen, self.x, self.y, self.w).bottom
            return
        layer = self.view.layer
        room = 0 if layer is None else self._room()
        box = self._box(path, 52 + room, ("open",), title=title, opened=True, room=room)
        if layer is not None:
            self._cells(box, layer, layer)
        x = self.x + self.w + GAP
        w = WIDE - x - MARGIN
        height = draw(Pen(self.view, Drawing()), x, 0, w).h
        frame = draw(self.pen, x, max(MARGIN, box.centre - height / 2), w)
        wedge = (
            (box.right, box.y),
            (frame.x, frame.y + 12),
            (frame.x, frame.bottom - 12),
            (box.right, box.bottom),
        )
        self.drawing.wedges.append(Wedge(wedge, box.kind))
        self.drawing.height = frame.bottom

    def _open_inside(self, path: str) -> bool:
        """Open ``path`` if it is what is to be open."""
        if self.view.opened != path:
            return False
        name = self.view.part(path).entry.name
        self._open(path, name, lambda pen, x, y, w: draw_inside(pen, path, x, y, w))
        return True

    def _tokens(self) -> None:
        count = len(self.view.ids)
        title = f"{count} token{'s' if count != 1 else ''}" if count else "Tokens"
        frame = self._box("tokens", 62, style="frame", title=title)
        chips = shown_tokens(self.pen, SHOWN_CHIPS)
        w = (self.w - 16 - 6 * (len(chips) - 1)) / len(chips)
        for i, (label, number, _) in enumerate(chips):
            middle = frame.x + 8 + i * (w + 6) + w / 2
            self.drawing.text(middle, frame.y + 37, fitted(label, w, 12), "name", "middle")
            self.drawing.text(middle, frame.y + 53, number, "value", "middle")
        self._down(26, "tokens")

    def _embeddings(self) -> None:
        if self._open_inside("embeddings"):
            return
        config, half = self.view.config, (self.w - 12) / 2
        size = self.view.size
        tables = [
            self.pen.part(path, self.x + i * (half + 12), self.y, half, h, lines)
            for i, (path, lines) in enumerate(
                (path, self._table(path, f"{size(rows)} × {size('emb_dim')}", half - 8))
                for path, rows in (("tok_emb", "vocab_size"), ("pos_emb", "context_length"))
            )
            for h in (32 + 16 * len(lines),)
        ]
        self._note("tok_emb", tables[0].centre)
        plus = draw_sum(self.pen, tables, self.line)
        self._note(plus.path, plus.centre)
        self.y = plus.bottom + 16
        self.pen.stream(plus.path, (self.line, plus.bottom), (self.line, self.y))
        pill, w = f"dropout {config.drop_rate:g}", 92 if self.narrow else 112
        self._box("drop_emb", 22, w=w, style="pill", title=pill)

    def _table(self, path: str, size: str, w: float) -> list[str]:
        """What is written in an embedding's box."""
        return [
            line for text in (size, *self.pen.measured(path)) for line in self.pen.wrapped(text, w)
        ]

    def _blocks(self) -> None:
        n_layers, opened = self.view.config.n_layers, self.view.layer
        if opened is None:
            many = "stack" if n_layers > 1 else "box"
            title = f"Transformer block × {n_layers}"
            room = self._room()
            h = 78 + room
            box = self._box("blocks", h, self._contents(), style=many, title=title, room=room)
            self._cells(box, 0, n_layers - 1)
            return
        self._group(0, opened - 1, nearest=opened - 1)
        self._open(
            f"blocks.{opened}",
            f"Block {opened}",
            lambda pen, x, y, w: draw_block(pen, opened, x, y, w, beside=not self.narrow),
        )
        self._group(opened + 1, n_layers - 1, nearest=opened + 1)

    def _contents(self) -> tuple[str, ...]:
        has = self.view.config.has
        words = [
            name
            for part_, name in (("attention", "attention"), ("feed_forward", "feed-forward"))
            if has(part_)
        ]
        what_to_do = () if self.view.still else ("click to open",)
        return (" + ".join(words) or "placeholders", *what_to_do)

    def _group(self, first: int, last: int, nearest: int) -> None:
        """The closed blocks before or after the opened one, as one box."""
        if first > last:
            return
        after = first > (self.view.layer or 0)
        if after:
            self._down(20, f"blocks.{first - 1}", "stream")
        alone, room = first == last, self._room()
        title = f"Block {first}" if alone else f"Blocks {first} – {last}"
        style = "box" if alone else "stack"
        box = self._box(f"blocks.{nearest}", 40 + room, style=style, title=title, room=room)
        self._cells(box, first, last)
        if not after:
            self._down(20, f"blocks.{last}", "stream")

    def _rows(self) -> list[str]:
        """The parts of a block that have a measured number."""
        paths = self.view.measure.parts if self.view.measure else ()
        layers = range(self.view.config.n_layers)
        return [name for name in SUBLAYERS if any(f"blocks.{i}.{name}" in paths for i in layers)]

    def _room(self) -> float:
        """The height of all blocks' rows of cells."""
        rows = self._rows()
        return 6 + ROW * len(rows) if rows else 0

    def _cells(self, box: Box, first: int, last: int) -> None:
        """Below a box's words a cell for each of its blocks: the deeper, the farther right."""
        measure, n_layers = self.view.measure, self.view.config.n_layers
        left, y = box.x + NAMED, box.bottom - self._room()
        w = (box.right - 12 - left) / n_layers
        layers = range(first, last + 1)
        for name in self._rows():
            assert measure is not None
            values = [measure.parts[f"blocks.{i}.{name}"] for i in layers]
            of = [(f"blocks.{i}", f"Block {i}, {SUBLAYERS[name]}") for i in layers]
            what = f"{SUBLAYERS[name]} in blocks {first} to {last}"
            self.pen.cells(values, of, left + first * w, y, w, what=what)
            self.drawing.text(box.x + 10, y + CELL - 2, SUBLAYERS[name], "value")
            y += ROW

    def _ending(self) -> None:
        config, size = self.view.config, self.view.size
        if not self._open_inside("final_norm"):
            self._box("final_norm", 36, w=self.w if self.narrow else 168)
        self._down(24, "final_norm")
        if not self._open_inside("out_head"):
            tied = ("the token embedding, used again",) if config.tie_weights else ()
            sizes = f"{size('emb_dim')} → {size('vocab_size')}"
            self._box("out_head", 62 if tied else 46, (sizes, *tied))
        self._down(26, "out_head")
        self._next_token()

    def _next_token(self) -> None:
        guesses = self.view.reading.next_tokens if self.view.reading else ()
        if not guesses:
            self._box("next_token", 46, (f"one of {self.view.size('vocab_size')}",))
            return
        box = self._box("next_token", 34 + 20 * len(guesses), style="frame")
        draw_guesses(self.pen, box, guesses, box.y + 30)

"""Where everything stands: the whole model as a column, the opened block large beside it."""

from __future__ import annotations

from collections.abc import Callable

from gptviz.diagram.block import draw_block
from gptviz.diagram.drawing import Box, Drawing, Wedge, fitted, wrapped
from gptviz.diagram.inside import draw_guesses, draw_inside, shown_tokens
from gptviz.diagram.pen import Pen
from gptviz.diagram.view import View

MARGIN = 12
COLUMN = 264  # width of the whole model, wide layout
NARROW = 344  # width of everything, narrow layout
WIDE = 760
GAP = 38  # between the column and the opened part
SHOWN_CHIPS = 4

Draw = Callable[[Pen, float, float, float], Box]


def lay_out(view: View, narrow: bool = False) -> Drawing:
    """The drawing of a view, for a wide place or for one about 360 pixels wide."""
    drawing = Drawing(width=NARROW + 2 * MARGIN if narrow else WIDE)
    column = _Column(Pen(view, drawing), MARGIN, NARROW if narrow else COLUMN, narrow)
    column.draw()
    drawing.height = max(drawing.height, column.y) + MARGIN
    return drawing


class _Column:
    """The whole model from above; ``y`` is how far down it has been drawn."""

    def __init__(self, pen: Pen, x: float, w: float, narrow: bool) -> None:
        self.pen, self.view, self.drawing = pen, pen.view, pen.drawing
        self.x, self.w, self.narrow = x, w, narrow
        self.middle = x + w / 2
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
    ) -> Box:
        """A part in the middle of the column, with what it does beside it where there is room."""
        width = self.w if w is None else w
        x = self.middle - width / 2
        box = self.pen.part(
            path, x, self.y, width, h, lines, style=style, title=title, opened=opened
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
        sentence = wrapped(self.view.part(path).entry.what, WIDE - x - MARGIN, 13)
        top = centre - 9 * (len(sentence) - 1) + 4
        for i, line in enumerate(sentence):
            self.drawing.text(x, top + 18 * i, line)

    def _down(self, length: float, shape_of: str = "", style: str = "arrow") -> None:
        """A straight way down the middle, with the shape of what goes there."""
        end = self.y + length
        points = ((self.middle, self.y), (self.middle, end))
        (self.drawing.stream if style == "stream" else self.drawing.arrow)(*points)
        if shape_of:
            self.pen.shape(self.middle + 10, self.y + length / 2 + 4, shape_of)
        self.y = end

    def _open(self, path: str, title: str, draw: Draw) -> None:
        """An opened part: a small box here and all of it beside; where it's narrow, all here."""
        if self.narrow:
            self.y = draw(self.pen, self.x, self.y, self.w).bottom
            return
        box = self._box(path, 52, ("open",), title=title, opened=True)
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
                (path, self.pen.wrapped(f"{size(rows)} × {size('emb_dim')}", half - 8))
                for path, rows in (("tok_emb", "vocab_size"), ("pos_emb", "context_length"))
            )
            for h in (32 + 16 * len(lines),)
        ]
        self._note("tok_emb", tables[0].centre)
        self.y = max(table.bottom for table in tables) + 26
        plus = self._box("embeddings.sum", 24, w=24, style="sum")
        for table, edge in zip(tables, (plus.x, plus.right), strict=True):
            bend = ((table.middle, table.bottom), (table.middle, plus.centre), (edge, plus.centre))
            self.drawing.arrow(*bend)
        self._down(16, style="stream")
        self._box("drop_emb", 22, w=112, style="pill", title=f"dropout {config.drop_rate:g}")

    def _blocks(self) -> None:
        n_layers, opened = self.view.config.n_layers, self.view.layer
        if opened is None:
            many = "stack" if n_layers > 1 else "box"
            title = f"Transformer block × {n_layers}"
            self._box("blocks", 78, self._contents(), style=many, title=title)
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
            self._down(20, style="stream")
        alone = first == last
        title = f"Block {first}" if alone else f"Blocks {first} – {last}"
        self._box(f"blocks.{nearest}", 40, style="box" if alone else "stack", title=title)
        if not after:
            self._down(20, style="stream")

    def _ending(self) -> None:
        config, size = self.view.config, self.view.size
        if not self._open_inside("final_norm"):
            self._box("final_norm", 36, w=168)
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

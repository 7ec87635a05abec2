"""Where everything stands: the whole model as a column, the opened block large beside it."""

from __future__ import annotations

from gptviz.diagram.block import draw_block
from gptviz.diagram.drawing import Bar, Box, Drawing, Wedge, fitted, wrapped
from gptviz.diagram.parts import part, shape_text
from gptviz.diagram.view import View
from gptviz.glossary import entry

MARGIN = 12
COLUMN = 264  # width of the whole model, wide layout
NARROW = 344  # width of everything, narrow layout
WIDE = 760
GAP = 38  # between the column and the opened block
SHOWN_CHIPS = 4


def lay_out(view: View, narrow: bool = False) -> Drawing:
    """The drawing of a view, for a wide place or for one about 360 pixels wide."""
    drawing = Drawing(width=NARROW + 2 * MARGIN if narrow else WIDE)
    width = NARROW if narrow else COLUMN
    column = _Column(view, drawing, MARGIN, width, narrow)
    column.draw()
    drawing.height = max(drawing.height, column.y) + MARGIN
    return drawing


class _Column:
    """The whole model from above; ``y`` is how far down it has been drawn."""

    def __init__(self, view: View, drawing: Drawing, x: float, w: float, narrow: bool) -> None:
        self.view, self.drawing, self.x, self.w, self.narrow = view, drawing, x, w, narrow
        self.middle = x + w / 2
        self.y: float = MARGIN

    def draw(self) -> None:
        self._tokens()
        self._embeddings()
        self._blocks()
        self._ending()

    def _box(
        self,
        path: str,
        h: float,
        lines: tuple[str, ...] = (),
        *,
        x: float | None = None,
        w: float | None = None,
        style: str = "box",
        title: str | None = None,
        opened: bool = False,
    ) -> Box:
        piece = self.view.part(path)
        title = title or piece.entry.name
        width = self.w if w is None else w
        return self.drawing.box(
            Box(
                path,
                piece.kind,
                self.middle - width / 2 if x is None else x,
                self.y,
                width,
                h,
                title,
                ("placeholder",) if piece.placeholder else lines,
                style,
                f"{title}. {piece.entry.what} {' '.join(lines)}".strip(),
                piece.placeholder,
                opened,
            )
        )

    def _note(self, path: str, centre: float) -> None:
        """Beside a part of the closed, wide picture: what it does."""
        if self.narrow or self.view.opened is not None:
            return
        x = self.x + self.w + 34
        sentence = wrapped(entry(path).what, WIDE - x - MARGIN, 13)
        top = centre - 9 * (len(sentence) - 1) + 4
        for i, line in enumerate(sentence):
            self.drawing.text(x, top + 18 * i, line)

    def _down(self, length: float, shape: str = "", style: str = "arrow") -> None:
        """A straight way down the middle, with the shape of what goes there."""
        end = self.y + length
        points = ((self.middle, self.y), (self.middle, end))
        (self.drawing.stream if style == "stream" else self.drawing.arrow)(*points)
        if shape:
            self.drawing.text(self.middle + 10, self.y + length / 2 + 4, shape, "shape")
        self.y = end

    def _tokens(self) -> None:
        frame = self._box("tokens", 62, style="frame", title=self._tokens_title())
        chips = self._chips()
        w = (self.w - 16 - 6 * (len(chips) - 1)) / max(1, len(chips))
        for i, (label, number) in enumerate(chips):
            middle = frame.x + 8 + i * (w + 6) + w / 2
            self.drawing.text(middle, frame.y + 37, fitted(label, w, 12), "name", "middle")
            self.drawing.text(middle, frame.y + 53, number, "value", "middle")
        self._note("tokens", frame.centre)
        self.y = frame.bottom
        self._down(26, shape_text(self.view.part("tokens").output))

    def _tokens_title(self) -> str:
        count = len(self.view.ids)
        return f"{count} token{'s' if count != 1 else ''}" if count else "Tokens"

    def _chips(self) -> list[tuple[str, str]]:
        pairs = [(label, str(i)) for label, i in zip(self.view.labels, self.view.ids, strict=True)]
        if not pairs:
            return [("text, cut into pieces", "type a sentence")]
        if len(pairs) <= SHOWN_CHIPS:
            return pairs
        hidden = len(pairs) - SHOWN_CHIPS + 1
        return [*pairs[: SHOWN_CHIPS - 2], ("…", f"+{hidden}"), pairs[-1]]

    def _embeddings(self) -> None:
        config, half = self.view.config, (self.w - 12) / 2
        token = self._box(
            "tok_emb", 48, (f"{config.vocab_size} × {config.emb_dim}",), x=self.x, w=half
        )
        position = self._box(
            "pos_emb",
            48,
            (f"{config.context_length} × {config.emb_dim}",),
            x=self.x + half + 12,
            w=half,
        )
        self._note("tok_emb", token.centre)
        self.y = token.bottom + 26
        plus = self._box("embeddings", 24, x=self.middle - 12, w=24, style="sum")
        for box, edge in ((token, plus.x), (position, plus.right)):
            self.drawing.arrow(
                (box.middle, box.bottom), (box.middle, plus.centre), (edge, plus.centre)
            )
        self._note("embeddings", plus.centre)
        self.y = plus.bottom
        self._down(16, style="stream")
        drop = self._box("drop_emb", 22, w=112, style="pill", title=f"dropout {config.drop_rate:g}")
        self.y = drop.bottom
        self._down(26, shape_text(self.view.part("blocks").output), "stream")

    def _blocks(self) -> None:
        n_layers, opened = self.view.config.n_layers, self.view.opened
        if opened is None:
            box = self._box(
                "blocks",
                78,
                self._contents(),
                style="stack" if n_layers > 1 else "box",
                title=f"Transformer block × {n_layers}",
            )
            self._note("blocks.0", box.centre)
            self.y = box.bottom
        else:
            self._group(0, opened - 1, nearest=opened - 1)
            self._opened_block(opened)
            self._group(opened + 1, n_layers - 1, nearest=opened + 1)
        self._down(26, shape_text(self.view.part("blocks").output), "stream")

    def _contents(self) -> tuple[str, ...]:
        has = self.view.config.has
        words = [
            name
            for part_, name in (("attention", "attention"), ("feed_forward", "feed-forward"))
            if has(part_)
        ]
        return (" + ".join(words) or "placeholders", "click to open")

    def _group(self, first: int, last: int, nearest: int) -> None:
        """The closed blocks before or after the opened one, as one box."""
        if first > last:
            return
        after = first > (self.view.opened or 0)
        if after:
            self._down(20, style="stream")
        alone = first == last
        title = f"Block {first}" if alone else f"Blocks {first} – {last}"
        box = self._box(f"blocks.{nearest}", 40, style="box" if alone else "stack", title=title)
        self.y = box.bottom
        if not after:
            self._down(20, style="stream")

    def _opened_block(self, layer: int) -> None:
        if self.narrow:
            frame = draw_block(self.view, self.drawing, layer, self.x, self.y, self.w, beside=False)
            self.y = frame.bottom
            return
        box = self._box(f"blocks.{layer}", 52, ("open",), title=f"Block {layer}", opened=True)
        x = self.x + self.w + GAP
        frame = draw_block(
            self.view, self.drawing, layer, x, MARGIN, WIDE - x - MARGIN, beside=True
        )
        self.drawing.wedges.append(
            Wedge(
                (
                    (box.right, box.y),
                    (frame.x, frame.y + 12),
                    (frame.x, frame.bottom - 12),
                    (box.right, box.bottom),
                ),
                "block",
            )
        )
        self.drawing.height = frame.bottom
        self.y = box.bottom

    def _ending(self) -> None:
        config = self.view.config
        norm = self._box("final_norm", 36, w=168)
        self._note("final_norm", norm.centre)
        self.y = norm.bottom
        self._down(24, shape_text(self.view.part("final_norm").output))
        tied = ("the token embedding, used again",) if config.tie_weights else ()
        sizes = f"{config.emb_dim} → {config.vocab_size}"
        head = self._box("out_head", 62 if tied else 46, (sizes, *tied))
        self._note("out_head", head.centre)
        self.y = head.bottom
        self._down(26, shape_text(part(config, "out_head", self.view.n_tokens).output))
        self._next_token()

    def _next_token(self) -> None:
        guesses = self.view.reading.next_tokens if self.view.reading else ()
        if not guesses:
            box = self._box("next_token", 46, (f"one of {self.view.config.vocab_size}",))
        else:
            box = self._box("next_token", 34 + 20 * len(guesses), style="frame")
            self._guesses(box, guesses)
        self._note("next_token", box.centre)
        self.y = box.bottom

    def _guesses(self, box: Box, guesses: tuple[tuple[str, float], ...]) -> None:
        """Bars on a scale from 0 to 1: half a bar is a probability of one half."""
        left, scale = box.x + self.w * 0.42, self.w * 0.36
        for i, (label, probability) in enumerate(guesses):
            y = box.y + 28 + 20 * i
            self.drawing.text(left - 8, y + 12, fitted(label, self.w * 0.38, 12), "name", "end")
            self.drawing.bars.append(Bar(left, y + 2, max(1, scale * probability), 13, "head"))
            number = f"{probability:.3f}"
            self.drawing.text(left + scale * probability + 6, y + 12, number, "value")

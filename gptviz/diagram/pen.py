"""What all levels of the picture draw with: parts as boxes, steps with their maps, arrows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gptviz.diagram.drawing import Box, Cell, Drawing, Line, Picture, Point, Strip, wrapped
from gptviz.diagram.view import View

PAD = 12  # between a frame and what it holds
TITLE = 32  # from a frame's top to what it holds
STEP = 46  # height of a step
MAP = (56, 34)  # of a step's small map
STRIP = 40  # height of a map as wide as its step
GAP = 24  # between parts: an arrow with its shape
SHAPE_CHAR = 6.7  # width of a character of a shape
LINE = 16  # height of a box's further line
CELL = 12  # height of a row of cells


class Pen:
    """Draws parts of a view at given places."""

    def __init__(self, view: View, drawing: Drawing) -> None:
        self.view, self.drawing = view, drawing

    def part(
        self,
        path: str,
        x: float,
        y: float,
        w: float,
        h: float,
        lines: Sequence[str] = (),
        *,
        style: str = "box",
        title: str = "",
        opened: bool = False,
        room: float = 0,
        indent: float = PAD,
    ) -> Box:
        """A part; a placeholder says so, in place of ``lines``."""
        piece, value, measure = self.view.part(path), self.view.value(path), self.view.measure
        title = title or piece.entry.name
        if piece.placeholder:
            lines = ("placeholder",) if style not in ("pill", "sum") else ()
        more = "" if piece.placeholder else " ".join(lines)
        spoken = f"{title}{', open' if opened else ''}. {piece.entry.what} {more}"
        box = Box(
            path,
            piece.kind,
            *(x, y, w, h),
            title,
            tuple(lines),
            style,
            spoken.strip(),
            piece.placeholder,
            opened,
            None if value is None or measure is None else measure.share(value),
            room,
            indent,
        )
        return self.drawing.box(box)

    def frame(
        self, path: str, x: float, top: float, w: float, bottom: float, lines: Sequence[str] = ()
    ) -> Box:
        """A part around what it holds."""
        opened = path == self.view.opened
        return self.part(path, x, top, w, bottom - top, lines, style="frame", opened=opened)

    def step(self, path: str, x: float, y: float, w: float, *lines: str) -> Box:
        """A part with its words on the left and, once it is known, its map on the right."""
        box = self.part(path, x, y, w, STEP, lines, style="step")
        width, height = MAP
        self.map(path, box.right - width - 8, y + (STEP - height) / 2, width, height)
        return box

    def strip(self, path: str, x: float, y: float, w: float, *lines: str) -> Box:
        """A part with its map below its words, as wide as itself."""
        words = 29 + 15 * len(lines)
        box = self.part(path, x, y, w, words + STRIP + 8, lines, style="step")
        self.map(path, x + 8, y + words, w - 16, STRIP)
        return box

    def measured(self, path: str) -> tuple[str, ...]:
        """A line with the measured number of a part, if it has one."""
        value, measure = self.view.value(path), self.view.measure
        return () if value is None or measure is None else (measure.words(value),)

    def cells(
        self,
        values: Sequence[float],
        of: Sequence[tuple[str, str]],
        x: float,
        y: float,
        w: float,
        what: str,
    ) -> None:
        """A row of cells ``w`` wide for ``values``, each with the path and name of its part.

        ``what`` is the row as a whole, for who can't see it.
        """
        measure = self.view.measure
        assert measure is not None
        thin = w - 1 if w >= 4 else w  # with a gap where there is room for one
        row = tuple(
            Cell(x + i * w, thin, measure.share(value), path, f"{name}: {measure.words(value)}")
            for i, (value, (path, name)) in enumerate(zip(values, of, strict=True))
        )
        low, high = (measure.words(end(values)) for end in (min, max))
        self.drawing.strips.append(Strip(y, CELL, row, f"{what}: from {low} to {high}"))

    def map(self, path: str, x: float, y: float, w: float, h: float) -> None:
        """The small picture of what comes out of a part, if there is one."""
        for href in self.view.maps(path)[:1]:
            spoken = f"numbers that come out of {path}"
            self.drawing.pictures.append(Picture(x, y, w, h, href, spoken))

    def down(self, x: float, y: float, shape_of: str, room: float = math.inf) -> float:
        """An arrow down, with the shape of what goes there; gives its end.

        The shape stands beside the arrow, or on it where less than its width is left of ``room``.
        """
        self.arrow(shape_of, (x, y), (x, y + GAP))
        fits = 8 + len(self.view.shape(shape_of)) * SHAPE_CHAR <= room
        self.shape(x + 8 * fits, y + GAP / 2 + 4, shape_of, "start" if fits else "middle")
        return y + GAP

    def arrow(self, source: str, *points: Point) -> None:
        """An arrow for what comes out of the part at ``source``."""
        self.drawing.lines.append(Line(points, "arrow", source, self.view.shape(source)))

    def stream(self, source: str, *points: Point) -> None:
        """A piece of the residual stream, as it comes out of the part at ``source``."""
        self.drawing.lines.append(Line(points, "stream", source, self.view.shape(source)))

    def shape(self, x: float, y: float, path: str, anchor: str = "start") -> None:
        """The shape of what comes out of a part, beside an arrow."""
        self.drawing.text(x, y, self.view.shape(path), "shape", anchor)

    def wrapped(self, text: str, width: float) -> list[str]:
        """A part's second line, in as many as it takes."""
        return wrapped(text, width, 12)

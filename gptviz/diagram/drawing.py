"""What a layout is made of: boxes, lines, texts and small pictures, all with their places."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float]

CHAR = 0.56  # width of an average character, in font sizes


@dataclass(frozen=True)
class Box:
    """A part one can point at; ``spoken`` is what a screen reader says.

    ``style`` is ``box``, ``step`` (words above or beside a picture), ``frame`` (holds other
    boxes), ``stack`` (several alike), ``pill`` or ``sum`` (a circle with a plus). Below its words
    ``room`` is kept free for what else stands in it; ``indent`` is where a frame's words begin.
    ``share`` is how much of the measured quantity it has, from 0 to 1: its colour.
    """

    path: str
    kind: str
    x: float
    y: float
    w: float
    h: float
    title: str
    lines: tuple[str, ...] = ()
    style: str = "box"
    spoken: str = ""
    placeholder: bool = False
    opened: bool = False
    share: float | None = None
    room: float = 0
    indent: float = 12

    @property
    def middle(self) -> float:
        return self.x + self.w / 2

    @property
    def centre(self) -> float:
        return self.y + self.h / 2

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def right(self) -> float:
        return self.x + self.w


@dataclass(frozen=True)
class Line:
    """A way that numbers take, an ``arrow`` or the thick ``stream``: where from, in what shape."""

    points: tuple[Point, ...]
    style: str
    source: str
    shape: str


@dataclass(frozen=True)
class Text:
    """Words beside the parts; ``style`` is ``shape``, ``note``, ``name`` or ``value``."""

    x: float
    y: float
    text: str
    style: str = "note"
    anchor: str = "start"


@dataclass(frozen=True)
class Picture:
    """A small map, as a PNG data address."""

    x: float
    y: float
    w: float
    h: float
    href: str
    spoken: str


@dataclass(frozen=True)
class Bar:
    """A bar as long as its value; ``path`` is the part it belongs to."""

    x: float
    y: float
    w: float
    h: float
    kind: str


@dataclass(frozen=True)
class Cell:
    """One of a row of small fields, coloured by its ``share``; ``path`` is what a click is for."""

    x: float
    w: float
    share: float
    path: str
    spoken: str


@dataclass(frozen=True)
class Strip:
    """A measured quantity at a glance: a row of cells."""

    y: float
    h: float
    cells: tuple[Cell, ...]
    spoken: str

    @property
    def x(self) -> float:
        return self.cells[0].x

    @property
    def w(self) -> float:
        return self.cells[-1].x + self.cells[-1].w - self.x


@dataclass(frozen=True)
class Wedge:
    """The light shape that ties a small box to its large view."""

    points: tuple[Point, ...]
    kind: str


@dataclass
class Drawing:
    """Everything on the picture, and its size in pixels at zoom 1.

    ``measured`` is whether colours are a measured quantity's, and not those of the kinds.
    """

    width: float = 0
    height: float = 0
    measured: bool = False
    wedges: list[Wedge] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def box(self, box: Box) -> Box:
        self.boxes.append(box)
        return box

    def text(
        self, x: float, y: float, text: str, style: str = "note", anchor: str = "start"
    ) -> None:
        self.texts.append(Text(x, y, text, style, anchor))


def fitted(text: str, width: float, font_size: float) -> str:
    """``text``, cut with an ellipsis where it would be wider than ``width``."""
    most = max(1, int(width / (font_size * CHAR)))
    return text if len(text) <= most else text[: most - 1] + "…"


def chance(probability: float) -> str:
    """A probability in three places; a smaller one in its first two digits, and never as 0.000."""
    return f"{probability:.3f}" if probability >= 0.001 else f"{probability:.2g}"


def wrapped(text: str, width: float, font_size: float) -> list[str]:
    """``text`` in lines no wider than ``width``."""
    most = max(8, int(width / (font_size * CHAR)))
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines

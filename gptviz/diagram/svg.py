"""A drawing as SVG text. Every word from a person is escaped here, in one place."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence

from gptviz.diagram.drawing import Bar, Box, Cell, Drawing, Line, Picture, Strip, Text, Wedge

# Control characters, halves of characters: XML has no way at all to write them.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

SHADES = 32  # a measured part's colour is one of so many: classes m0, m1, ...
ROUND = {"box": 7, "step": 7, "stack": 7, "frame": 10, "pill": 11}

Address = Callable[[str], str]


def to_svg(drawing: Drawing, style: str = "", address: Address | None = None) -> str:
    """SVG text with classes for the colours; by itself for the page, where parts are buttons.

    Args:
        style: CSS, for a file that stands alone: it has its size and its background, and says
            what a part does when it is pointed at.
        address: where a part is explained, by its path: the same without a style of its own, each
            part a link; for a document that has the style, and several pictures.
    """
    alone = bool(style or address)
    head = _standing_alone(drawing, style) if alone else f"{_page(drawing)}{_TIP}"

    def box(each: Box) -> str:
        return _linked(each, address) if address else _box(each, alone)

    body = [
        *map(_wedge, drawing.wedges),
        *map(box, _in_order(drawing.boxes)),
        *map(_line, drawing.lines),
        *map(_bar, drawing.bars),
        *map(_strip, drawing.strips),
        *(_picture(picture, alone) for picture in drawing.pictures),
        *map(_text, drawing.texts),
    ]
    size = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {head}{"".join(body)}</svg>'


_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0.5L8 4L0 7.5z"/></marker></defs>'
)


def _page(drawing: Drawing) -> str:
    marks = "gptviz" + " measured" * drawing.measured
    return f'role="group" aria-label="the model from above" class="{marks}">'


def _standing_alone(drawing: Drawing, style: str) -> str:
    """The head of a picture that no page holds: its size, its style, its background."""
    size = f'width="{drawing.width:g}" height="{drawing.height:g}"'
    css = f"<style>{escaped(style, quote=False)}</style>" if style else ""
    xlink = 'xmlns:xlink="http://www.w3.org/1999/xlink"'  # editors ask for it
    return f'{xlink} {size} {_page(drawing)}{css}{_TIP}<rect class="paper" {size}/>'


def _in_order(boxes: Sequence[Box]) -> list[Box]:
    """Boxes as one reads them, which is how the keyboard goes: a frame before what it holds."""

    def place(box: Box) -> tuple[int, float]:
        return min(i for i, other in enumerate(boxes) if _holds(box, other)), -box.w * box.h

    return sorted(boxes, key=place)


def _holds(box: Box, other: Box) -> bool:
    across = box.x <= other.x and other.right <= box.right
    return across and box.y <= other.y and other.bottom <= box.bottom


def escaped(text: str, quote: bool = True) -> str:
    """Text as it may stand in SVG and HTML; what they can't hold at all is shown as unknown."""
    return html.escape(_NOT_XML.sub("\ufffd", text), quote)


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _wedge(wedge: Wedge) -> str:
    return f'<polygon class="wedge k-{wedge.kind}" points="{_points(wedge.points)}"/>'


def _line(line: Line) -> str:
    tip = ' marker-end="url(#tip)"' if line.style == "arrow" else ""
    return (
        f'<polyline class="{line.style}" points="{_points(line.points)}"{tip}>'
        f"<title>{escaped(line.shape)}</title></polyline>"
    )


def _bar(bar: Bar) -> str:
    return (
        f'<rect class="bar k-{bar.kind}" x="{bar.x:g}" y="{bar.y:g}" width="{bar.w:g}" '
        f'height="{bar.h:g}" rx="2"/>'
    )


def _strip(strip: Strip) -> str:
    cells = "".join(_cell(cell, strip) for cell in strip.cells)
    return (
        f'<g class="strip" role="img" aria-label="{escaped(strip.spoken)}"><rect class="edge" '
        f'x="{strip.x:g}" y="{strip.y:g}" width="{strip.w:g}" height="{strip.h:g}"/>{cells}</g>'
    )


def _cell(cell: Cell, strip: Strip) -> str:
    return (
        f'<rect class="cell {_shade(cell.share)}" data-path="{escaped(cell.path)}" '
        f'x="{cell.x:g}" y="{strip.y:g}" width="{cell.w:g}" height="{strip.h:g}">'
        f"<title>{escaped(cell.spoken)}</title></rect>"
    )


def _shade(share: float) -> str:
    return f"m{round(share * (SHADES - 1))}"


def _picture(picture: Picture, alone: bool) -> str:
    href = "xlink:href" if alone else "href"
    return (
        f'<image x="{picture.x:g}" y="{picture.y:g}" width="{picture.w:g}" '
        f'height="{picture.h:g}" {href}="{escaped(picture.href)}" preserveAspectRatio="none" '
        f'role="img" aria-label="{escaped(picture.spoken)}"/>'
    )


def _text(text: Text) -> str:
    anchor = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    return (
        f'<text class="t-{text.style}" x="{text.x:g}" y="{text.y:g}"{anchor}>'
        f"{escaped(text.text)}</text>"
    )


def _box(box: Box, alone: bool) -> str:
    marks = [f"part {box.style} k-{box.kind}"]
    marks += ["placeholder"] if box.placeholder else []
    marks += ["opened"] if box.opened else []
    marks += ["tinted", _shade(box.share)] if box.share is not None else []
    spoken = escaped(box.spoken)
    does = "" if alone else f'tabindex="0" role="button" aria-label="{spoken}"'
    said = f"<title>{spoken}</title>" if alone else ""
    return (
        f'<g class="{" ".join(marks)}" data-path="{escaped(box.path)}" {does}>'
        f"{said}{_outline(box)}{_words(box)}</g>"
    )


def _linked(box: Box, address: Address) -> str:
    return f'<a href="{escaped(address(box.path))}">{_box(box, alone=True)}</a>'


def _outline(box: Box) -> str:
    if box.style == "sum":
        r = box.w / 2
        cross = r * 0.55
        plus = (
            ""
            if box.placeholder
            else f'<path class="plus" d="M{box.middle - cross:g} {box.centre:g}h{2 * cross:g}'
            f'M{box.middle:g} {box.centre - cross:g}v{2 * cross:g}"/>'
        )
        return f'<circle cx="{box.middle:g}" cy="{box.centre:g}" r="{r:g}"/>{plus}'
    rect = f'width="{box.w:g}" height="{box.h:g}" rx="{ROUND[box.style]}"/>'
    behind = (
        f'<rect class="behind" x="{box.x + 4:g}" y="{box.y + 4:g}" {rect}'
        if box.style == "stack"
        else ""
    )
    return f'{behind}<rect x="{box.x:g}" y="{box.y:g}" {rect}{_band(box)}'


def _band(box: Box) -> str:
    """The measured colour behind the words of a box that holds more than words."""
    if box.share is None or box.style not in ("frame", "step"):
        return ""
    r, h = ROUND[box.style], 29 + 15 * len(box.lines)
    return (
        f'<path class="band" d="M{box.x:g} {box.y + h:g}v{r - h:g}a{r} {r} 0 0 1 {r} -{r}'
        f'h{box.w - 2 * r:g}a{r} {r} 0 0 1 {r} {r}v{h - r:g}z"/>'
    )


def _words(box: Box) -> str:
    if box.style == "sum":
        return ""
    if box.style in ("frame", "step"):
        left = box.x + box.indent
        subs = [_word(left, box.y + 37 + 15 * i, line, "sub") for i, line in enumerate(box.lines)]
        return _word(left, box.y + 21, box.title, "title") + "".join(subs)
    first = box.centre - box.room / 2 + 4.5 - 8 * len(box.lines)
    style = "pill" if box.style == "pill" else "title"
    subs = [
        _word(box.middle, first + 16 * (i + 1), line, "sub", "middle")
        for i, line in enumerate(box.lines)
    ]
    return _word(box.middle, first, box.title, style, "middle") + "".join(subs)


def _word(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return _text(Text(x, y, text, style, anchor))

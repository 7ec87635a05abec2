"""The picture's colours as a style sheet with real ones in it, for a file that stands alone.

On the page the colours are the visitor's theme's, by variables and mixing
(``ui/components/diagram.css``); a browser test holds the two equal. Here are plain colours and
plain selectors only, which programs that edit drawings understand, too.
"""

from __future__ import annotations

from gptviz.diagram.svg import SHADES
from gptviz.figures.theme import FONT, KINDS, Theme, along, readable_on

CODE = '"Source Code Pro", ui-monospace, Menlo, Consolas, monospace'


def style(theme: Theme) -> str:
    """CSS for ``to_svg``, light or dark as the theme is."""
    paper, ink = theme.background, theme.text
    kinds = {**KINDS, "stream": ink}
    return "\n".join(
        [
            f".gptviz {{ font-family: {FONT}; }}",
            f".gptviz .paper {{ fill: {paper}; }}",
            *(_of_kind(f".k-{kind}", colour, paper) for kind, colour in kinds.items()),
            _of_kind("", theme.muted, paper, ".measured "),
            f".part.k-block > rect {{ fill: {paper}; }}",
            f".part.k-block.opened > rect {{ stroke: {kinds['block']}; stroke-width: 1.8; }}",
            ".part.pill > rect { stroke-width: 1; }",
            f".part.sum > circle {{ fill: {paper}; stroke: {ink}; }}",
            ".part.placeholder > rect, .part.placeholder > circle "
            f"{{ fill: none; stroke: {mixed(ink, 55, paper)}; stroke-dasharray: 5 4; }}",
            ".part .behind { opacity: .55; }",
            f".plus {{ fill: none; stroke: {ink}; stroke-width: 2; }}",
            f".gptviz text {{ fill: {ink}; font-size: 13px; }}",
            ".gptviz .t-title { font-weight: 600; }",
            ".gptviz .t-pill { font-size: 11.5px; }",
            ".gptviz .t-sub { font-size: 12px; opacity: .72; }",
            ".gptviz .t-note { opacity: .72; }",
            f".gptviz .t-shape {{ font-family: {CODE}; font-size: 11px; "
            f"fill: {mixed(ink, 75, paper)}; "
            f"stroke: {paper}; stroke-width: 4px; paint-order: stroke; }}",
            f".gptviz .t-name {{ font-family: {CODE}; font-size: 12px; }}",
            f".gptviz .t-value {{ font-family: {CODE}; font-size: 11px; opacity: .7; }}",
            f".gptviz polyline {{ fill: none; stroke: {ink}; stroke-opacity: .55; "
            "stroke-width: 1.4; }",
            ".gptviz polyline.stream { stroke-opacity: 1; stroke-width: 4; "
            "stroke-linecap: round; }",
            f".gptviz marker path {{ fill: {mixed(ink, 70, paper)}; }}",
            ".gptviz .bar { opacity: .8; }",
            ".gptviz image { image-rendering: pixelated; }",
            f".edge {{ fill: none; stroke: {mixed(ink, 40, paper)}; stroke-width: .6; }}",
            *(_of_shade(i, along(theme.sequential, i / (SHADES - 1))) for i in range(SHADES)),
        ]
    )


def _of_shade(shade: int, colour: str) -> str:
    """A measured quantity's colour, and that of words on it; kinds have none beside it."""
    part = f".measured .part.tinted.m{shade}"
    return "\n".join(
        [
            f".m{shade}.cell, .m{shade} .band, {part}.box > rect, {part}.stack > rect "
            f"{{ fill: {colour}; }}",
            f"{part} > text {{ fill: {readable_on(colour)}; opacity: 1; }}",
        ]
    )


def _of_kind(kind: str, colour: str, paper: str, where: str = "") -> str:
    """What has the colour of its kind: boxes, the frames around them, wedges and bars."""
    part = f"{where}.part{kind}"
    return "\n".join(
        [
            f"{part} > rect, {part} > circle {{ fill: {mixed(colour, 11, paper)}; "
            f"stroke: {mixed(colour, 75, paper)}; stroke-width: 1.3; }}",
            f"{where}.frame{kind} > rect {{ fill: {mixed(colour, 5, paper)}; "
            f"stroke: {mixed(colour, 45, paper)}; }}",
            f".wedge{kind} {{ fill: {mixed(colour, 7, paper)}; }}" if kind else "",
            f".bar{kind} {{ fill: {colour}; }}" if kind else "",
        ]
    )


def mixed(colour: str, percent: int, paper: str) -> str:
    """A colour thinned with that of the paper: ``percent`` of it, the rest the paper's."""
    pairs = zip(_channels(colour), _channels(paper), strict=True)
    mix = (round((percent * a + (100 - percent) * b) / 100) for a, b in pairs)
    return "#" + bytes(mix).hex()


def _channels(colour: str) -> bytes:
    return bytes.fromhex(colour.removeprefix("#"))

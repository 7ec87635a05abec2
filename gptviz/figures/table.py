"""A figure's numbers as a table: what is drawn, cell for cell and point for point.

All CSV files of the app are written by ``written``, so that a spreadsheet can open them.
"""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from typing import Any

import numpy as np
import plotly.graph_objects as go

Row = tuple[object, ...]

MARK = "\ufeff"  # the byte-order mark: without it Excel reads UTF-8 as the machine's old code page
_RUN = frozenset("=+-@\t\r\n")  # a text that begins so is run as a formula, or hides one
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def written(rows: Iterable[Sequence[object]]) -> str:
    """Rows as the text of a CSV file that a spreadsheet shows as it is.

    It begins with a byte-order mark, so that ``␣`` survives. A text that a spreadsheet would run
    gets an apostrophe before it, unless it is a number: tokens begin with ``=``, ``+``, ``-`` and
    ``@``. Source: OWASP, CSV Injection.
    """
    file = StringIO()
    file.write(MARK)
    csv.writer(file).writerows(map(_harmless, row) for row in rows)
    return file.getvalue()


def _harmless(cell: object) -> object:
    if not isinstance(cell, str) or cell[:1] not in _RUN or _NUMBER.fullmatch(cell):
        return cell
    return "'" + cell


def as_csv(figure: go.Figure) -> str:
    """Every number that a figure draws, a line each, under the titles of its axes.

    A heatmap's line has its row, its column and its value; empty cells are left out. Where colours
    stand for something else (a logarithm), the values are the map's ``customdata``. Where an axis
    has tokens, position and token stand side by side. A chart of several lines or maps names them
    first.

    Raises:
        ValueError: if the figure has a kind of trace that has no table yet.
    """
    return written(chain.from_iterable(_tables(figure)))


def heads_as_csv(layers: Iterable[np.ndarray], labels: Sequence[str], factor: int) -> str:
    """Every cell of the picture of all heads, a line each.

    Args:
        layers: for each layer, (n_heads, size, size): the largest weight of each cell.
        factor: how many tokens share a row or column: a cell is named by the first of them.
    """
    head = ("layer", "head", "query", "query: token", "key", "key: token", "largest weight")
    return written(chain([head], _cells_of_heads(layers, labels, factor)))


def _cells_of_heads(
    layers: Iterable[np.ndarray], labels: Sequence[str], factor: int
) -> Iterator[Row]:
    for layer, heads in enumerate(layers):
        for head, row, column in np.argwhere(np.tril(np.ones(heads.shape, dtype=bool))).tolist():
            query, key = row * factor, column * factor
            weight = heads[head, row, column].item()
            yield layer, head, query, labels[query], key, labels[key], weight


def grid_as_csv(values: np.ndarray, what: str) -> str:
    """A number for each head, a line each.

    Args:
        values: (n_layers, n_heads).
        what: the number's name and unit.
    """
    rows = ((layer, head, value.item()) for (layer, head), value in np.ndenumerate(values))
    return written(chain([("layer", "head", what)], rows))


def tokens_as_csv(tokens: Iterable[tuple[int, str, float]], what: str) -> str:
    """A number for each token, a line each.

    Args:
        tokens: position, token and number.
        what: the number's name and unit.
    """
    return written(chain([("position", "token", what)], tokens))


def _tables(figure: go.Figure) -> Iterator[list[Row]]:
    """The rows of each trace; a header wherever it changes."""
    header: Row = ()
    for trace in figure.data:
        if trace.type not in _ROWS:
            raise ValueError(f"there is no table for a {trace.type}: {', '.join(_ROWS)} have one")
        head, rows = _ROWS[trace.type](figure, trace)
        yield [head] if head != header else []
        yield rows
        header = head


def _heatmap(figure: go.Figure, trace: Any) -> tuple[Row, list[Row]]:
    z = np.asarray(trace.z)
    down, across = (
        _Axis(figure, trace, name, count) for name, count in zip(("y", "x"), z.shape, strict=True)
    )
    named, name = (("map",), (trace.name,)) if trace.name else ((), ())
    exact = np.asarray(trace.customdata)
    values = exact if exact.shape == z.shape else z
    said = () if trace.text is None else ("in the cell",)
    rows = [
        (
            *name,
            *down.cells[i],
            *across.cells[j],
            *(html.unescape(trace.text[i][j]) for _ in said),
            values[i, j].item(),
        )
        for i, j in np.argwhere(~np.isnan(z))
    ]
    return (*named, *down.head, *across.head, *said, "value"), rows


def _points(figure: go.Figure, trace: Any) -> tuple[Row, list[Row]]:
    count = len(trace.y if trace.y is not None else trace.x)
    across, up = (_Axis(figure, trace, name, count) for name in ("x", "y"))
    # What stands beside a point names it; what stands beside a bar is its length again.
    named = ("name",) if trace.text is not None and trace.type == "scatter" else ()
    texts = [(html.unescape(text),) for text in trace.text] if named else [()] * count
    rows = [
        (trace.name or "", *text, *x, *y)
        for text, x, y in zip(texts, across.cells, up.cells, strict=True)
    ]
    return ("line", *named, *across.head, *up.head), rows


def _points_in_space(figure: go.Figure, trace: Any) -> tuple[Row, list[Row]]:
    scene = figure.layout.scene
    head = tuple(scene[f"{name}axis"].title.text or name for name in "xyz")
    texts = trace.text if trace.text is not None else [""] * len(trace.x)
    rows = [
        (trace.name or "", html.unescape(text), *map(_plain, point))
        for text, *point in zip(texts, trace.x, trace.y, trace.z, strict=True)
    ]
    return ("group", "name", *head), rows


def _shares(_figure: go.Figure, trace: Any) -> tuple[Row, list[Row]]:
    rows = zip(trace.ids, trace.labels, trace.parents, map(_plain, trace.values), strict=True)
    return ("path", "part", "inside of", "value"), list(rows)


_ROWS = {
    "heatmap": _heatmap,
    "scatter": _points,
    "bar": _points,
    "scatter3d": _points_in_space,
    "treemap": _shares,
}


class _Axis:
    """One axis of a trace: what its column is called, and what stands in it for each place."""

    def __init__(self, figure: go.Figure, trace: Any, name: str, count: int) -> None:
        axis = figure.layout[f"{name}axis{(getattr(trace, f'{name}axis') or name)[1:]}"]
        title = axis.title.text or name
        names = axis.labelalias or {}
        given = getattr(trace, name)
        start = getattr(trace, f"{name}0") or 0
        places = range(start, start + count) if given is None else map(_plain, given)
        self.head = (title, f"{title}: token") if names else (title,)
        self.cells: list[Row] = [
            (place, html.unescape(names[str(place)])) if names else (place,) for place in places
        ]


def _plain(value: Any) -> object:
    return value.item() if isinstance(value, np.generic) else value

"""How commands answer: a table or JSON on standard output, notes on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDE = 200  # columns, where no terminal says how many it has
GAP = 2  # blanks between the columns of a table: one that pads, one of the box


def console(stderr: bool = False) -> Console:
    """A console that cuts nothing off where a pipe or a file takes what it prints."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDE, highlight=False)


def say(words: str = "", style: str = "") -> None:
    """Words as they are: nothing in them is markup, and no control character comes through."""
    _print(console(), words, style)


def note(words: str) -> None:
    """What a person should know, and a program reading the answer should not stumble over."""
    _print(console(stderr=True), words)


def _print(out: Console, words: str, style: str = "") -> None:
    """A terminal's lines break between words; a pipe or a file gets them unbroken."""
    out.print(Text(printable(words, out.encoding), style=style), soft_wrap=not out.is_terminal)


def table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)
) -> None:
    """A table; the columns at ``words`` begin at the left, the others are numbers.

    No number is ever broken. Words wrap where the terminal is narrow; where even that is too wide,
    each row stands by itself, one value after another.
    """
    out = console()
    head, *rows = ([printable(cell, out.encoding) for cell in row] for row in (head, *rows))
    columns = list(zip(head, *rows, strict=True))
    most = out.width if out.is_terminal else None
    widths = _widths([_narrowest(c, i in words) for i, c in enumerate(columns)], columns, most)
    say(title, style="bold")
    if widths is None:
        _print_one_by_one(out, head, rows)
    else:
        out.width = max(out.width, sum(widths) + GAP * len(widths))
        out.print(_drawn(head, rows, words, widths))
    out.print()


def _narrowest(column: Sequence[str], is_words: bool) -> int:
    """How narrow a column can be: words break between them, and so do all heads; numbers don't."""
    breakable, whole = (column, ()) if is_words else (column[:1], column[1:])
    pieces = (piece for cell in breakable for piece in re.findall(r"^\s*\S+|\S+", cell))
    return max(map(cell_len, (*pieces, *whole)), default=0)


def _widths(
    narrowest: list[int], columns: Sequence[Sequence[str]], most: int | None
) -> list[int] | None:
    """How wide each column is to be; None if not all fit into ``most``."""
    wanted = [max(map(cell_len, column)) for column in columns]
    if most is None:
        return wanted
    spare = most - sum(narrowest) - GAP * (len(narrowest) - 1)
    if spare < 0:
        return None
    widths = []
    for least, whole in zip(narrowest, wanted, strict=True):
        widths.append(min(whole, least + spare))
        spare -= widths[-1] - least
    return widths


def _drawn(
    head: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int], widths: list[int]
) -> Table:
    drawn = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for place, (name, width) in enumerate(zip(head, widths, strict=True)):
        drawn.add_column(Text(name), justify="left" if place in words else "right", width=width)
    for row in rows:
        drawn.add_row(*map(Text, row))
    return drawn


def _print_one_by_one(out: Console, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Each row as a line with its first cell, and below it the others after their heads."""
    for first, *rest in rows:
        named = (f"{name} {cell}" for name, cell in zip(head[1:], rest, strict=True) if cell)
        indent = len(first) - len(first.lstrip()) + 2
        out.print(Text(first))
        out.print(Padding(Text("; ".join(named)), (0, 0, 0, indent), expand=False))


def as_json(answer: Any) -> None:
    """Plain JSON and nothing else: numbers are not rounded, what can't be had is null."""
    sys.stdout.write(json.dumps(answer, indent=2, allow_nan=False) + "\n")


def printable(words: str, encoding: str = "utf-8") -> str:
    """The words with every control character spelled out, a new line excepted.

    So is what the terminal's encoding doesn't know, here, where columns are still to be measured.
    """
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in words
    )
    return shown.encode(encoding, "backslashreplace").decode(encoding)

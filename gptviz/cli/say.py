"""How commands answer: a table or JSON on standard output, notes on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 200  # columns, where no terminal says how many it has


def console(stderr: bool = False) -> Console:
    """A console that cuts nothing off where a pipe or a file takes what it prints."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDE, highlight=False)


def say(words: str = "", style: str = "") -> None:
    """Words as they are: nothing in them is markup, and no control character comes through."""
    _print(console(), Text(printable(words), style=style))


def note(words: str) -> None:
    """What a person should know, and a program reading the answer should not stumble over."""
    _print(console(stderr=True), Text(printable(words)))


def _print(out: Console, words: Text) -> None:
    """A terminal's lines break between words; a pipe or a file gets them unbroken."""
    out.print(words, soft_wrap=not out.is_terminal)


def table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)
) -> None:
    """A table; the columns at ``words`` begin at the left, the others are numbers."""
    drawn = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, name in enumerate(head):
        drawn.add_column(Text(name), justify="left" if place in words else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    console().print(drawn)


def as_json(answer: Any) -> None:
    """Plain JSON and nothing else: numbers are not rounded, what can't be had is null."""
    sys.stdout.write(json.dumps(answer, indent=2, allow_nan=False) + "\n")


def printable(words: str) -> str:
    """The words with every control character spelled out, a new line excepted."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in words
    )

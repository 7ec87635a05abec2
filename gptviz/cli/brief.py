"""Errors that stay short: whatever a word on the command line was, it isn't echoed whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from gptviz.cli.say import printable
from gptviz.quoting import shortened

MOST = 600  # characters; gptviz's own longest sentences have some 300


class Brief(TyperGroup):
    """All commands together; what Typer or a command says is wrong passes through here."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _brief():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _brief():
            return super().invoke(ctx)


@contextmanager
def _brief() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        words = re.sub(r"\S{81,}", lambda word: shortened(word[0]), printable(error.message))
        error.message = shortened(words, MOST)
        raise

"""The configuration beside another one: a preset's, or one that the visitor has kept."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.counting.compare import Row, Value, compare, read, written
from gptviz.counting.costs import NUMBER_TYPES
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.ui.parameters.costs import sizes
from gptviz.ui.parameters.options import AGAINST, ASIDE, KEPT, LENGTH, NOTHING, NUMBERS, VIEW
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import size_in_words
from gptviz.ui.widgets.tables import SPACE, indented, table


def show(screen: Screen) -> None:
    """All presets beside each other, then this configuration beside another."""
    st.subheader("Beside other models", anchor=False)
    sizes()
    _controls(screen)
    _beside(screen)


def _controls(screen: Screen) -> None:
    """What to compare with, and a way to keep this configuration for it."""
    aside = ASIDE.value
    kept = _in_short(read(aside)) if aside else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        named = replace(AGAINST, words=lambda choice: kept if choice == KEPT else choice)
        named.draw(screen, width=420)
        st.button(
            "Keep this one to compare",
            on_click=_keep,
            args=(screen.config,),
            help="Then change it in the sidebar: the table shows what your change does. "
            "The link carries the kept one along.",
        )


def _beside(screen: Screen) -> None:
    """Both configurations in one table; nothing if there is nothing to compare with."""
    against = AGAINST.value
    if against == NOTHING:
        return
    other = read(ASIDE.value) if against == KEPT else PRESETS[against]
    numbers = NUMBERS.value
    n_tokens = min(LENGTH.value, other.context_length)
    found = compare(screen.config, other, n_tokens, NUMBER_TYPES[numbers])
    differ = sum(row.differs for rows in found.values() for row in rows)
    st.caption(_how_to_read(differ, numbers))
    table(
        f"This configuration beside {against}",
        ("", f"this: {screen.model}", f"other: {against}", "this has"),
        [line for heading, rows in found.items() for line in _section(heading, rows)],
    )


def _in_short(config: GPTConfig) -> str:
    return f"kept: {config.n_layers} × {config.emb_dim}, {Ledger(config).parameters:,} parameters"


def _keep(config: GPTConfig) -> None:
    ASIDE.choose(written(config))
    AGAINST.choose(KEPT)


def _how_to_read(differ: int, numbers: str) -> str:
    if not differ:
        return "Both are the same so far: change something in the sidebar."
    return (
        f"{differ} rows differ; they are bold and marked ≠. Memory is for numbers in {numbers} "
        f"(chosen under *{VIEW.words('costs')}*), and both read the same number of tokens."
    )


def _section(heading: str, rows: tuple[Row, ...]) -> list[tuple[str, ...]]:
    return [(f":gray[{heading}]", "", "", ""), *map(_line, rows)]


def _line(row: Row) -> tuple[str, ...]:
    cells = (_cell(row.this, row.in_bytes), _cell(row.other, row.in_bytes), _change(row))
    if not row.differs:
        return indented(row.name, row.depth), *cells
    marked = indented(f"**≠{SPACE}{row.name}**", row.depth)
    return marked, *(f"**{cell}**" if cell else "" for cell in cells)


def _cell(value: Value, in_bytes: bool) -> str:
    if in_bytes:
        return size_in_words(float(value))
    return f"{value:,}" if type(value) is int else str(value)  # a bool is no number here


def _change(row: Row) -> str:
    """How many times as much this one has; where that says little, how much more."""
    if row.ratio is not None:
        return f"× {_short(row.ratio)}" if row.ratio > 1 else f"÷ {_short(1 / row.ratio)}"
    if not row.difference:
        return ""
    amount = _cell(abs(row.difference), row.in_bytes)
    return f"+ {amount}" if row.difference > 0 else f"− {amount}"


def _short(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"

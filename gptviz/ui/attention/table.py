"""Every head and every measure, as a table that sorts, filters and chooses."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from gptviz.ui.attention.options import AT_LEAST
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import choose_head, chosen_head
from gptviz.ui.widgets.components import known

if TYPE_CHECKING:
    from gptviz.analysis.heads import HeadMeasure


def every_head(
    screen: Screen,
    measure: HeadMeasure,
    values: np.ndarray,
    chance: np.ndarray | None,
    place: int,
) -> None:
    """Every head a row: sorted by the measure, filtered by it, and a click chooses the head."""
    from gptviz.analysis.heads import MEASURES, head_names

    n_layers, n_heads = values.shape[1:]
    rows = pd.DataFrame(
        {
            "layer": np.repeat(np.arange(n_layers), n_heads),
            "head": np.tile(np.arange(n_heads), n_layers),
            **{
                one.name: numbers.reshape(-1) for one, numbers in zip(MEASURES, values, strict=True)
            },
        }
    )
    if chance is not None:
        rows.insert(3 + place, f"{measure.name}, by chance", chance[place].reshape(-1))
        names = [", ".join(those) for layer in head_names(values, chance) for those in layer]
        rows.insert(2, "called", names)
    st.markdown("**Every head**")
    percent = replace(
        AT_LEAST,
        label=f"Only heads with at least this share of the largest number: {measure.name}",
    ).draw(screen, format="%d%%")
    least = rows[measure.name].max() * percent / 100
    kept = rows[~(rows[measure.name] < least)]  # where there is nothing to measure, all are kept
    kept = kept.sort_values(measure.name, ascending=False, kind="stable").reset_index(drop=True)
    _heads(kept, f"{len(kept)} of {len(rows)} heads")


def _heads(rows: pd.DataFrame, said: str) -> None:
    pairs = tuple(zip(rows["layer"].tolist(), rows["head"].tolist(), strict=True))
    numbers = {
        name: st.column_config.NumberColumn(format="%.3f")
        for name in rows.columns
        if rows[name].dtype.kind == "f"
    }
    called = {"called": st.column_config.TextColumn(width="medium")}
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        column_config=numbers | called,
        key="heads_table",
        selection_mode="single-cell",
        on_select=partial(_choose, pairs),
        alt="Every head with all measures",
    )
    layer, head = chosen_head()
    st.caption(
        f"{said}. A click on a column's name sorts by it; a click into a row, or on a cell above, "
        f"chooses the head for all views: now layer {layer}, head {head}."
    )


def _choose(pairs: tuple[tuple[int, int], ...]) -> None:
    for row, *_column in filter(None, st.session_state["heads_table"].selection.cells):
        if known(row, range(len(pairs))) is not None:
            choose_head(*pairs[row])


def definitions(values: np.ndarray, chance: np.ndarray | None) -> None:
    """Every measure in one line, with its source, and its largest number beside chance's."""
    from gptviz.analysis.heads import MEASURES

    st.markdown("**All measures**")
    lines = [
        f"- **{one.name}**: {one.definition} {_largest(one, values[place])}"
        f"{_by_chance(one, chance, place)}. *{one.source}*"
        for place, one in enumerate(MEASURES)
    ]
    st.markdown("\n".join(lines))


def _largest(measure: HeadMeasure, numbers: np.ndarray) -> str:
    if np.isnan(numbers).any():
        return "There is nothing to measure here"
    layer, head = np.unravel_index(int(numbers.argmax()), numbers.shape)
    return f"The largest: layer {layer}, head {head} with {_number(numbers.max(), measure.unit)}"


def _by_chance(measure: HeadMeasure, chance: np.ndarray | None, place: int) -> str:
    if chance is None or np.isnan(chance[place]).any():
        return ""
    return f"; by chance {_number(chance[place].max(), measure.unit)}"


def _number(number: float, unit: str) -> str:
    return f"{number:.3f}" if unit == "weight" else f"{number:.3f} {unit}"

"""One query of one head, step by step, in numbers that add up on the page."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from gptviz.figures.attention import steps_of_query
from gptviz.figures.table import written
from gptviz.ui.shell import shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.tables import table

if TYPE_CHECKING:
    from gptviz.analysis.query_steps import QuerySteps
    from gptviz.tracing.trace import Trace

DIMENSIONS = 6  # of the context vector, in numbers
ROUNDING = 1e-4  # between two ways to add in single precision
ROWS = 320  # pixels


def show(screen: Screen, trace: Trace) -> None:
    """From q · k to the context vector."""
    from gptviz.analysis.query_steps import query_steps

    left, middle, right = st.columns([1, 1, 2])
    with left:
        layer = shared.layer(screen)
    with middle:
        head = shared.head(screen)
    with right:
        query = shared.token(screen, "Token that looks (query)")
    steps = query_steps(trace, layer, head, query)
    st.caption(
        "The token asks a question (its query q); each token before it, and itself, offers an "
        "answer's address (its key k). How well they match is q · k; softmax turns the matches "
        "into weights; the weights mix what is carried (the values v)."
    )
    dropped = steps.mixed_by[: query + 1] if screen.dropout else None
    seen = steps.scaled[: query + 1], steps.weights[: query + 1], dropped
    about = f"Bar charts: token {query}'s scaled scores with each key, and the weights made of them"
    chart(steps_of_query(*seen, screen.labels, theme()), "steps", about)
    _to_weights(screen, steps, query)
    _to_context(screen, steps, query)


def _to_weights(screen: Screen, steps: QuerySteps, query: int) -> None:
    width = screen.config.head_dim
    st.markdown(f"**From match to weight.** Scaling divides by √{width} = {math.sqrt(width):.4f}.")
    columns = {
        "key": range(len(screen.labels)),
        "token": screen.labels,
        "q · k": steps.scores,
        "scaled": steps.scaled,
        "masked": [f"{n:.4f}" if at <= query else "−∞" for at, n in enumerate(steps.masked)],
        "exp": steps.exps,
        "weight": steps.weights,
    }
    if screen.dropout:
        columns["after dropout"] = steps.mixed_by
    about = "Each key's match with the query, step by step"
    _numbers(pd.DataFrame(columns), "weights", about)
    with st.container(horizontal=True):
        st.metric("Sum of exp", f"{steps.exps.sum():.5f}", border=True)
        st.metric("Sum of weights", f"{steps.weights.sum():.5f}", border=True)
        if screen.dropout:
            st.metric("Sum after dropout", f"{steps.mixed_by.sum():.5f}", border=True)
    st.caption(
        "Keys after the query are masked with −∞, whose exp is 0. Exp is taken of each number less "
        "the largest one, so that it can't overflow: that changes no weight. A weight is its exp, "
        "divided by the sum of exp."
    )
    if screen.dropout:
        rate = screen.dropout.rate
        st.caption(
            f"Dropout sets a share of {rate:g} of the weights to 0 and divides the others by "
            f"{1 - rate:g}: they sum to 1 only on average."
        )


def _to_context(screen: Screen, steps: QuerySteps, query: int) -> None:
    """Weights times values, their sum, and the model's own context vector beside it."""
    st.markdown("**From weights to the context vector.** Each key's value v, times its weight.")
    few = min(DIMENSIONS, steps.values.shape[1])
    names = [f"w · v[{i}]" for i in range(few)]
    carried = steps.mixed_by[: query + 1, None] * steps.values[: query + 1, :few]
    rows = pd.DataFrame(carried, columns=names)
    rows.insert(0, "weight", steps.mixed_by[: query + 1])
    rows.insert(0, "token", screen.labels[: query + 1])
    rows.insert(0, "key", range(query + 1))
    _numbers(rows, "context", "Each key's value times its weight")
    sums, own = carried.sum(axis=0), steps.models_own[:few]
    head = ("", *(f"dimension {i}" for i in range(few)))
    cells = [
        ("sum of the rows above", *(f"{number:.6f}" for number in sums)),
        ("the model's own context_vec", *(f"{number:.6f}" for number in own)),
        ("difference", *(f"{number:.1g}" for number in sums - own)),
    ]
    table("The sum beside the model's own context vector", head, cells)
    _check(steps)


def _check(steps: QuerySteps) -> None:
    n_numbers = len(steps.models_own)
    said = (
        f"Over all {n_numbers} dimensions, the sum is at most {steps.error:.2g} from what the "
        "model made at one stroke"
    )
    if steps.error < ROUNDING:
        st.caption(f":material/check: {said}: that is rounding.")
    else:
        st.warning(f"{said}: more than rounding.")


def _numbers(rows: pd.DataFrame, key: str, about: str) -> None:
    """A table that scrolls, with four digits behind the point; its file has all of them.

    Streamlit's own file has tokens that a spreadsheet would run: ``frame`` hides its button.
    """
    numbers = {
        name: st.column_config.NumberColumn(format="%.4f")
        for name in rows.columns
        if rows[name].dtype.kind == "f"
    }
    height = min(ROWS, 38 + 35 * len(rows))
    with st.container(key=f"table_{key}", gap=None):
        st.dataframe(rows, hide_index=True, height=height, column_config=numbers, alt=about)
        with st.container(key=f"take_{key}", horizontal=True, horizontal_alignment="right"):
            st.download_button(
                "CSV",
                partial(_as_csv, rows),
                f"gptviz-{key}.csv",
                "text/csv",
                key=f"csv_{key}",
                type="tertiary",
                on_click="ignore",
            )


def _as_csv(rows: pd.DataFrame) -> str:
    return written([list(rows.columns), *rows.itertuples(index=False)])

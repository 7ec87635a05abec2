"""What the parameters page shows: the ledger's totals, and below them one of its views."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from gptviz.config import GPTConfig
from gptviz.counting.costs import NUMBER_TYPES
from gptviz.counting.formulas import parameters_formula
from gptviz.counting.ledger import Ledger
from gptviz.counting.module_table import ModuleTable, differences, module_table
from gptviz.counting.part_table import four_totals
from gptviz.figures.parameters import parameter_treemap
from gptviz.ui.parameters import compare, costs
from gptviz.ui.parameters.options import VIEW
from gptviz.ui.parameters.parts import parts
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import DECIMAL, size_in_words
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.tables import table

COLUMNS = {
    "path": "path",
    "module": "module",
    "depth": "depth",
    "input_shape": "shape in",
    "output_shape": "shape out",
    "kernel": "kernel",
    "parameters": "parameters",
    "trainable": "trainable",
    "mult_adds": "mult-adds",
}


def totals(screen: Screen) -> None:
    """Parameters untied, tied and non-embedding, and the weights in three number types."""
    config = screen.config
    ledger = Ledger(config)
    with st.container(horizontal=True):
        st.metric(
            "Parameters, tied" if config.tie_weights else "Parameters, untied",
            f"{ledger.parameters:,}",
            border=True,
        )
        if config.tie_weights:
            st.metric(
                "With a head of its own (untied)", f"{ledger.parameters_untied:,}", border=True
            )
        else:
            st.metric("With a shared head (tied)", f"{ledger.parameters_tied:,}", border=True)
        st.metric(
            "Without embeddings and head",
            f"{ledger.parameters_non_embedding:,}",
            border=True,
            help="Also called non-embedding parameters (Kaplan et al. 2020): all but the token "
            "and position embeddings and the output head. Tied or untied, they are the same.",
        )
        for name, width in NUMBER_TYPES.items():
            weights = size_in_words(ledger.weight_bytes(width))
            st.metric(f"Weights in {name}", weights, border=True)
    DECIMAL.draw(screen)
    st.latex(parameters_formula(config))


def view(screen: Screen) -> str:
    """Choose what to look at."""
    chosen: str = VIEW.draw(screen)
    return chosen


def show(view: str, screen: Screen) -> None:
    """Draw the open view."""
    views = {
        "shares": shares,
        "costs": costs.show,
        "models": compare.show,
        "parts": parts,
        "modules": modules,
    }
    views[view](screen)


def shares(screen: Screen) -> None:
    """The treemap: each part's share of the parameters; and the counts of four ways to build it."""
    st.subheader("Share by part", anchor=False)
    st.caption(
        "Each field is a part of the model, as large as its share of the parameters, the numbers "
        "that are learned. Point at one for its exact count."
    )
    ledger = Ledger(screen.config)
    figure = parameter_treemap(ledger.shares(), ledger.parameters, theme())
    chart(figure, "treemap", "Treemap: each part's share of the parameters.")
    _four_totals(screen.config)


def _four_totals(config: GPTConfig) -> None:
    """Parameters with a head of its own or a shared one, with biases or without."""
    added = "the bias adds 3·d·L" if config.has("attention") else "the bias adds"
    rows = []
    for tied, counts in four_totals(config).items():
        this = (config.tie_weights, config.qkv_bias)
        cells = [
            f"**{n:,}** (this)" if (tied, bias) == this else f"{n:,}" for bias, n in counts.items()
        ]
        head = "the token embedding (tied)" if tied else "of its own (untied)"
        rows.append((head, *cells, f"{counts[True] - counts[False]:,}"))
    table(
        "Parameters of this configuration, tied or untied, with or without qkv bias",
        ("output head", "without qkv bias", "with qkv bias", added),
        rows,
    )


@st.fragment
def modules(screen: Screen) -> None:
    """torchinfo's rows, and where its totals differ from the ledger's."""
    st.subheader("Every module", anchor=False)
    with st.spinner("torchinfo is walking through the model…"):
        table = _module_table(screen.config)
    st.dataframe(
        _frame_of(table),
        hide_index=True,
        height=460,
        column_config={
            "parameters": st.column_config.NumberColumn(format="localized"),
            "mult-adds": st.column_config.NumberColumn(format="localized"),
        },
    )
    st.caption(
        f"{len(table.rows):,} rows from torchinfo for {table.batch} × {table.n_tokens:,} tokens. "
        "A click on a column's name sorts; the magnifying glass searches."
    )
    found = differences(table)
    if found:
        st.markdown("**Where torchinfo's totals differ from the ledger's, and why**")
        st.markdown("\n".join(f"- {sentence}" for sentence in found))


@st.cache_data(max_entries=8, show_spinner=False)
def _module_table(config: GPTConfig) -> ModuleTable:
    return module_table(config)


def _frame_of(table: ModuleTable) -> pd.DataFrame:
    rows = pd.DataFrame(table.rows)
    return rows[list(COLUMNS)].rename(columns=COLUMNS)

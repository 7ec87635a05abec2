"""Parameters part by part: what the ledger counts, and whether the model itself has as many."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.counting.part_table import PartRow, part_table
from gptviz.counting.reconcile import EQUAL, FILE, MODEL, STATE_DICT, Check, reconcile
from gptviz.figures.table import written
from gptviz.ui.shell.screen import Screen
from gptviz.ui.widgets.tables import indented, table

HEAD = ("part", "formula", "ledger")


@st.fragment
def parts(screen: Screen) -> None:
    """The ledger's table at once; then, beside its counts, those of the model itself."""
    st.subheader("Part by part, counted in several ways", anchor=False)
    place = st.empty()
    asked = (screen.config, screen.model if screen.is_trained else "")
    if st.session_state.get("counted") != asked:
        with place:
            _draw(HEAD, list(map(_row, part_table(screen.config))))
    with st.spinner("Counting the model's own tensors…"):
        found = _reconcile(*asked)
    st.session_state["counted"] = asked
    with place:
        _draw((*HEAD, *found[0].counted, "check"), list(map(_checked, found)))
    st.caption(_how(*asked))
    st.download_button(
        "Table as CSV",
        as_csv(found),
        f"{screen.model}-parameters.csv",
        "text/csv",
        on_click="ignore",
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _reconcile(config: GPTConfig, trained: str) -> tuple[Check, ...]:
    if not trained:
        return reconcile(config)
    from gptviz.loading import WEIGHTS
    from gptviz.weights import stored_shapes

    return reconcile(config, stored_shapes(WEIGHTS[trained]))


def _draw(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table("Parameters of every part", head, rows)


def _row(part: PartRow) -> tuple[str, str, str]:
    name = indented(part.name, part.depth) if part.path else f"**{part.name}**"
    return name, part.formula, f"{part.parameters:,}"


def _checked(check: Check) -> tuple[str, ...]:
    counts = (f"{count:,}" for count in check.counted.values())
    verdict = check.verdict
    return *_row(check.row), *counts, verdict if verdict == EQUAL else f"**≠ {verdict}**"


def _how(config: GPTConfig, trained: str) -> str:
    said = [
        "V = vocab_size, C = context_length, L = n_layers, d = emb_dim.",
        f"The ledger counts by formula. “{MODEL}” sums the model's own tensors, module by module; "
        f"“{STATE_DICT}” the entries of `model.state_dict()`, by their names.",
    ]
    if trained:
        said.append(f"“{FILE}” is what the header of the file that ships says it holds.")
    if config.tie_weights:
        said.append(
            "The output head is tied: it is the token embedding, used again. The state dict lists "
            "that tensor twice, as `tok_emb.weight` and `out_head.weight`; everywhere it counts "
            "once, where it stands first."
        )
    return " ".join(said)


def as_csv(found: tuple[Check, ...]) -> str:
    """The table with its paths, and its numbers as plain digits."""
    head = ("path", *HEAD, *found[0].counted, "check")
    rows = (
        (row.path, row.name, row.formula, row.parameters, *check.counted.values(), check.verdict)
        for check in found
        for row in [check.row]
    )
    return written(chain([head], rows))

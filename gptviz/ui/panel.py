"""The panel beside the diagram: what the selected part is, and why it is there."""

from __future__ import annotations

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.diagram.parts import Part, part, shape_text
from gptviz.ledger import Ledger
from gptviz.ui import course

WITHOUT_MODULE = ("tokens", "embeddings", "next_token")


def panel(config: GPTConfig, path: str, n_tokens: int | str) -> None:
    """Show one part: plain sentence, reason, term, formula, shapes and parameters."""
    piece = part(config, path, n_tokens)
    name = (
        f"Block {path.split('.')[1]}" if piece.kind == "block" and "." in path else piece.entry.name
    )
    with st.container(border=True, key="panel"):
        st.markdown(f"#### {name}")
        course.mark(config, path)
        if piece.placeholder:
            st.info("A placeholder here: not built, so it does nothing.")
        st.markdown(piece.entry.what)
        st.markdown(f"**Why it is there.** {piece.entry.why}")
        st.latex(piece.entry.formula)
        _facts(config, piece)
        st.caption(f"In the field: {piece.entry.term}.")
        if path not in WITHOUT_MODULE:
            st.caption(f"In the model: `{path}`.")


def _facts(config: GPTConfig, piece: Part) -> None:
    """Shapes and counts, a line each."""
    inputs = " and ".join(f"`{shape_text(shape)}`" for shape in dict.fromkeys(piece.inputs))
    times = f"{len(piece.inputs)} × " if len(piece.inputs) > len(set(piece.inputs)) else ""
    rows = [("In", times + inputs)] if inputs else []
    rows.append(("Out", f"`{shape_text(piece.output)}`"))
    rows += _counts(config, piece.path)
    st.markdown("  \n".join(f"{name}: {value}" for name, value in rows))


def _counts(config: GPTConfig, path: str) -> list[tuple[str, str]]:
    ledger = Ledger(config)
    if path == "out_head" and config.tie_weights and not ledger.of(path):
        return [("Parameters", "none of its own: it is the token embedding, used again")]
    if path in WITHOUT_MODULE:
        return [("Parameters", "0")]
    count = ledger.of(path)
    share = f" · {count / ledger.parameters:.1%} of the model" if count else ""
    return [("Parameters", f"{count:,}{share}")]

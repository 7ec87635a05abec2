"""The panel beside the diagram: what the selected part is, why it is there, and what it makes."""

from __future__ import annotations

import html

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.diagram.facts import costs, doors
from gptviz.diagram.parts import Piece
from gptviz.diagram.parts import piece as piece_at
from gptviz.ui.birds_eye import course
from gptviz.ui.birds_eye.options import SYMBOLIC
from gptviz.ui.shell import link, live
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import DECIMAL, HEAD
from gptviz.words.code import code_of


def panel(screen: Screen, path: str) -> None:
    """Show one part: plain sentence, reason, formula, shapes, costs, numbers, code and term."""
    piece = piece_at(screen.config, path, len(screen.token_ids) or "n_tokens")
    pieces = path.split(".")
    is_block = pieces[0] == "blocks" and len(pieces) == 2
    with st.container(border=True, key="panel"):
        st.markdown(f"#### {f'Block {pieces[1]}' if is_block else piece.entry.name}")
        course.mark(screen.config, path)
        (st.info if piece.placeholder else st.markdown)(piece.entry.what)
        reason = "What it is for" if piece.placeholder else "Why it is there"
        st.markdown(f"**{reason}.** {piece.entry.why}")
        st.latex(r"\begin{gathered}" + r"\\".join(piece.entry.lines) + r"\end{gathered}")
        _facts(screen.config, piece, len(screen.token_ids))
        _numbers(screen, piece)
        _code(screen.config, path)
        st.caption(f"In the field: {piece.entry.term}.")
        if path in Ledger(screen.config).paths():
            st.caption(f"In the model: `{path}`.")
        _more(piece)


def _facts(config: GPTConfig, piece: Piece, n_tokens: int) -> None:
    """Shapes, written as on the arrows, and costs, a line each."""
    symbolic = SYMBOLIC.value
    size = "n_tokens" if symbolic or not n_tokens else n_tokens
    shaped = piece_at(config, piece.path, size, symbolic)
    rows = [(name, f"`{shapes}`") for name, shapes in doors(shaped)]
    rows += costs(config, piece, n_tokens, DECIMAL.value)
    st.markdown("  \n".join(f"{name}: {value}" for name, value in rows))


def _numbers(screen: Screen, piece: Piece) -> None:
    """What comes out of the part for this sentence: a picture and what can be said in brief."""
    trace = live.ready(screen)
    if trace is None or piece.placeholder:
        return
    from gptviz.ui.birds_eye.maps import outcome

    found = outcome(trace, piece, HEAD.value)
    if found is None:
        return
    st.html(
        f'<img src="{found.picture}" alt="{html.escape(found.about)}" style="width:100%;'
        'height:110px;image-rendering:pixelated;border-radius:4px">'
    )
    st.caption(f"{found.about}, orange above 0 and blue below. {found.statistics}")


def _code(config: GPTConfig, path: str) -> None:
    found = code_of(config, path)
    if found is None:
        return
    where, lines = found
    with st.expander("The code", icon=":material/code:"):
        st.code(lines, language="python", wrap_lines=True)
        st.caption(f"gptviz/{where}")


def _more(piece: Piece) -> None:
    """The page that shows more of it; layer, head and station go along."""
    page, label = _page_of(piece.path)
    icon = ":material/arrow_forward:"
    st.page_link(page, label=f"More: {label}", icon=icon, query_params=link.address())


def _page_of(path: str) -> tuple[str, str]:
    first = path.partition(".")[0]
    if ".attention" in path:
        return "pages/attention.py", "Attention maps"
    if path.startswith("blocks."):
        return "pages/activations.py", "Activations"
    if first in ("tokens", "embeddings", "tok_emb", "pos_emb", "drop_emb"):
        return "pages/tokens.py", "Tokens and embeddings"
    if first in ("final_norm", "out_head", "next_token"):
        return "pages/prediction.py", "Prediction"
    return "pages/parameters.py", "Parameters"

"""The panel beside the diagram: what the selected part is, why it is there, and what it makes."""

from __future__ import annotations

import html

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.costs import part_cost, size
from gptviz.diagram.parts import Part, part, shape_text
from gptviz.ledger import FP32_BYTES, Ledger
from gptviz.source import code_of
from gptviz.ui import course, link, live
from gptviz.ui.controls import Screen

SHOWN = (96, 256)  # rows and columns of the picture of what comes out


def panel(screen: Screen, path: str) -> None:
    """Show one part: plain sentence, reason, formula, shapes, costs, numbers, code and term."""
    piece = part(screen.config, path, len(screen.token_ids) or "n_tokens")
    pieces = path.split(".")
    is_block = pieces[0] == "blocks" and len(pieces) == 2
    with st.container(border=True, key="panel"):
        st.markdown(f"#### {f'Block {pieces[1]}' if is_block else piece.entry.name}")
        course.mark(screen.config, path)
        if piece.placeholder:
            st.info("A placeholder here: not built, so it does nothing.")
        st.markdown(piece.entry.what)
        st.markdown(f"**Why it is there.** {piece.entry.why}")
        st.latex(_in_lines(piece.entry.formula))
        _facts(screen.config, piece, len(screen.token_ids))
        _numbers(screen, piece)
        _code(piece)
        st.caption(f"In the field: {piece.entry.term}.")
        if path in Ledger(screen.config).paths():
            st.caption(f"In the model: `{path}`.")
        _more(piece)


def _in_lines(formula: str) -> str:
    r"""The formula with what stands after a wide space (``,\quad``) on lines of its own."""
    lines = formula.split(r",\quad")
    return r"\begin{gathered}" + r"\\".join(lines) + r"\end{gathered}" if lines[1:] else formula


def _facts(config: GPTConfig, piece: Part, n_tokens: int) -> None:
    """Shapes and costs, a line each."""
    inputs = " and ".join(f"`{shape_text(shape)}`" for shape in dict.fromkeys(piece.inputs))
    times = f"{len(piece.inputs)} × " if len(piece.inputs) > len(set(piece.inputs)) else ""
    rows = [("In", times + inputs)] if inputs else []
    rows.append(("Out", f"`{shape_text(piece.output)}`"))
    rows += _costs(config, piece, n_tokens)
    st.markdown("  \n".join(f"{name}: {value}" for name, value in rows))


def _costs(config: GPTConfig, piece: Part, n_tokens: int) -> list[tuple[str, str]]:
    """Parameters, memory and FLOPs, with their share of the model's."""
    ledger = Ledger(config)
    cost, whole = part_cost(ledger, piece.path, n_tokens), ledger.flops(n_tokens).total
    if piece.path.startswith("out_head") and config.tie_weights and cost.flops:
        parameters = "none of its own: it is the token embedding, used again"
    else:
        parameters = f"{cost.parameters:,}{_share(cost.parameters, ledger.parameters)}"
    rows = [("Parameters", parameters)]
    if cost.parameters:
        rows.append(("Their memory", f"{_size(cost.parameters * FP32_BYTES)} in fp32"))
    if n_tokens and not piece.placeholder:
        rows.append(("FLOPs", f"{cost.flops:,}{_share(cost.flops, whole)}"))
    return rows


def _size(n_bytes: int) -> str:
    return size(n_bytes, st.session_state["decimal"])


def _share(count: int, whole: int) -> str:
    if not count:
        return ""
    return f" · {count / whole:.1%} of the model" if count >= whole / 1000 else " · less than 0.1%"


def _numbers(screen: Screen, piece: Part) -> None:
    """What comes out of the part for this sentence: a picture and what can be said in brief."""
    trace = live.ready(screen)
    if trace is None or piece.placeholder:
        return
    from gptviz.analysis.outputs import output_at, pooled
    from gptviz.ui.pictures import signed_address

    head = st.session_state["head"]
    values = output_at(trace, piece.path, head)
    if values is None:
        return
    values = values.float()
    address = signed_address(pooled(values.nan_to_num(neginf=0), SHOWN).numpy(force=True))
    seen = values[values.isfinite()]
    inside = f", head {head}" if len(piece.output) == 3 else ""
    rows, columns = values.shape
    about = f"What comes out{inside}: {rows:,} × {columns:,} numbers"
    st.html(
        f'<img src="{address}" alt="{html.escape(about)}" style="width:100%;height:110px;'
        'image-rendering:pixelated;border-radius:4px">'
    )
    st.caption(
        f"{about}, orange above 0 and blue below. "
        f"Mean {_figure(seen.mean())}, standard deviation {_figure(seen.std(correction=0))}, "
        f"from {_figure(seen.min())} to {_figure(seen.max())}."
    )


def _figure(number: object) -> str:
    return f"{float(number):.4g}"  # type: ignore[arg-type]


def _code(piece: Part) -> None:
    found = None if piece.placeholder else code_of(piece.path)
    if found is None:
        return
    where, lines = found
    with st.expander("The code", icon=":material/code:"):
        st.code(lines, language="python", wrap_lines=True)
        st.caption(f"gptviz/{where}")


def _more(piece: Part) -> None:
    """The page that shows more of it; layer, head and station go along."""
    if ".attention" in piece.path:
        st.page_link("pages/attention.py", label="Attention maps", query_params=link.address())
    elif piece.path.startswith("blocks."):
        st.page_link("pages/activations.py", label="Activations", query_params=link.address())
    elif piece.path == "tokens":
        st.page_link("pages/tokens.py", label="Tokens", query_params=link.address())
    else:
        st.page_link("pages/parameters.py", label="Parameters", query_params=link.address())

"""What every page begins with: the window, the menu, the controls and the heading."""

from __future__ import annotations

import gc
import threading
from functools import cache

import streamlit as st

from gptviz.counting.ledger import Ledger
from gptviz.figures.theme import DARK, LIGHT, Theme
from gptviz.ui.shell import link, options
from gptviz.ui.shell import sidebar as controls
from gptviz.ui.shell.sidebar import Screen

MENU = (
    ("app.py", "Bird's-eye view", ":material/account_tree:"),
    ("pages/tokens.py", "Tokens", ":material/text_fields:"),
    ("pages/activations.py", "Activations", ":material/ssid_chart:"),
    ("pages/attention.py", "Attention", ":material/grid_on:"),
    ("pages/prediction.py", "Prediction", ":material/online_prediction:"),
    ("pages/parameters.py", "Parameters", ":material/table_chart:"),
)

_SHAPE = ("emb_dim", "n_heads", "n_layers")

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 2.2rem 2rem 3rem; }
[data-testid="stSidebarHeader"] { height: 2.2rem; margin-bottom: 0; }
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] { gap: .55rem; }
[data-testid="stSidebar"] hr { margin: .5rem 0; }
.st-key-link { display: none; }
[class*="st-key-take_"]:not(.st-key-take_along) button {
  min-height: 0; padding: 4px; opacity: .7; }
[class*="st-key-take_"]:not(.st-key-take_along) button p { font-size: 12px; }
.modebar-btn[data-title^="Download"] { display: none; } /* below the figure, in three kinds */
[data-testid="stTable"] [data-testid="stTableStyledTable"] th + td { padding-left: 16px; }
.st-key-panel .katex { font-size: .95em; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3rem .9rem 2rem; }
  [data-testid="stLayoutWrapper"]:has(> [class*="st-key-square_"]) {
    flex-basis: min(600px, 100vw + 50px) !important; }
  .st-key-figure_lens { overflow-x: auto; }
  .st-key-lens { min-width: 960px; }
}
</style>"""


def frame(page: str, question: str) -> Screen:
    """Set the page up and draw its heading; the first call of every page.

    ``sidebar`` is another: a page whose picture is quick draws it after that, so that the picture
    is there at once.

    Args:
        page: the page's name, as in the menu.
        question: what the page answers, in plain words.
    """
    st.set_page_config(page_title=f"{page} · gptviz", layout="wide")
    st.html(_STYLE)
    link.arrive(page)
    defaults = controls.settle()
    screen = controls.read()
    link.keep({**defaults, **options.settle(screen)})
    _heading(page, question, screen)
    if screen.problem:
        shown = ", ".join(f"{name}={getattr(screen.config, name)}" for name in _SHAPE)
        st.warning(f"{screen.problem}. The pictures show a configuration that works: {shown}.")
    return screen


def sidebar(screen: Screen) -> None:
    """Draw the menu and the controls, and put what they say into the link."""
    with st.sidebar:
        for path, name, icon in MENU:
            st.page_link(path, label=name, icon=icon, query_params=link.address())
        st.divider()
        controls.show(screen)
    st.set_page_config(page_icon="🔭")  # Streamlit takes a tenth of a second to know an emoji
    link.show()
    warm_up()


def theme() -> Theme:
    """The colours that suit the visitor's background."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def _heading(page: str, question: str, screen: Screen) -> None:
    st.header(page, anchor=False)
    count = f"{Ledger(screen.config).parameters:,}"
    n = len(screen.token_ids)
    mode = " · dropout on" if screen.dropout else ""
    st.caption(
        f"{question}  \n**{screen.title}** · {count} parameters · "
        f"{n} token{'' if n == 1 else 's'}{mode}"
    )


WARM = threading.Event()


@cache
def warm_up() -> None:
    """Once a process: import torch and load the trained model while the visitor is looking."""
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    try:
        import gptviz.figures.axes  # noqa: F401
        from gptviz.cache import cached_model
        from gptviz.tracing.passes import ModelKey

        cached_model(ModelKey("tales"))
        # After every run Streamlit has Python look through all objects for lost ones, and nobody
        # is served meanwhile. What has been imported stays: it needn't be looked at.
        gc.collect()
        gc.freeze()
    finally:
        WARM.set()

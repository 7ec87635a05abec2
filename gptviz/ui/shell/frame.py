"""What every page begins with: the window, the menu, the controls and the heading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from gptviz.counting.ledger import Ledger
from gptviz.ui.shell import fields, link
from gptviz.ui.shell import sidebar as controls
from gptviz.ui.shell.options import Choice
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.warm import warm_up


@dataclass(frozen=True)
class Page:
    """A page as the menu and its heading have it.

    Args:
        path: its file.
        question: what it answers, in plain words.
    """

    path: str
    name: str
    icon: str
    question: str


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
[class*="st-key-table_"] button[aria-label^="Download as CSV"] { display: none; } /* below it */
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


def frame(page: Page, choices: Iterable[Choice]) -> Screen:
    """Set the page up and draw its heading; the first call of every page.

    ``sidebar`` is another: a page whose picture is quick draws it after that, so that the picture
    is there at once.

    Args:
        choices: all that stands in the link besides the sidebar's own choices.
    """
    st.set_page_config(page_title=f"{page.name} · gptviz", layout="wide")
    st.html(_STYLE)
    link.arrive(page.name)
    defaults = fields.settle()
    screen = fields.read()
    for choice in choices:
        defaults[choice.key] = choice.settle(screen.config, len(screen.token_ids))
    link.keep(defaults)
    _heading(page, screen)
    if screen.problem:
        shown = ", ".join(f"{name}={getattr(screen.config, name)}" for name in _SHAPE)
        st.warning(f"{screen.problem}. The pictures show a configuration that works: {shown}.")
    return screen


def sidebar(screen: Screen, pages: Iterable[Page]) -> None:
    """Draw the menu and the controls, and put what they say into the link."""
    with st.sidebar:
        for page in pages:
            st.page_link(page.path, label=page.name, icon=page.icon, query_params=link.address())
        st.divider()
        controls.show(screen)
    st.set_page_config(page_icon="🔭")  # Streamlit takes a tenth of a second to know an emoji
    link.show()
    warm_up()


def _heading(page: Page, screen: Screen) -> None:
    st.header(page.name, anchor=False)
    count = f"{Ledger(screen.config).parameters:,}"
    n = len(screen.token_ids)
    mode = " · dropout on" if screen.dropout else ""
    st.caption(
        f"{page.question}  \n**{screen.title}** · {count} parameters · "
        f"{n} token{'' if n == 1 else 's'}{mode}"
    )

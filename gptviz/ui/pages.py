"""The pages there are, and what stands in the link of all of them together."""

from __future__ import annotations

from gptviz.ui.activations import options as activations
from gptviz.ui.attention import options as attention
from gptviz.ui.birds_eye import options as birds_eye
from gptviz.ui.parameters import options as parameters
from gptviz.ui.prediction import options as prediction
from gptviz.ui.shell import fields, shared
from gptviz.ui.shell import frame as shell
from gptviz.ui.shell.frame import Page
from gptviz.ui.shell.screen import Screen
from gptviz.ui.tokens import options as tokens

BIRDS_EYE = Page(
    "app.py",
    "Bird's-eye view",
    ":material/account_tree:",
    "How does it all fit together, and why is each part there?",
)
TOKENS = Page(
    "pages/tokens.py", "Tokens", ":material/text_fields:", "How does text become numbers?"
)
ACTIVATIONS = Page(
    "pages/activations.py",
    "Activations",
    ":material/ssid_chart:",
    "What do the numbers look like on their way through?",
)
ATTENTION = Page("pages/attention.py", "Attention", ":material/grid_on:", "Who looks at whom?")
PREDICTION = Page(
    "pages/prediction.py",
    "Prediction",
    ":material/online_prediction:",
    "What comes next, and why?",
)
PARAMETERS = Page(
    "pages/parameters.py",
    "Parameters",
    ":material/table_chart:",
    "How large is it, and where does the size sit?",
)

PAGES = (BIRDS_EYE, TOKENS, ACTIVATIONS, ATTENTION, PREDICTION, PARAMETERS)

OF_THE_PAGES = (
    *shared.CHOICES,
    *birds_eye.CHOICES,
    *tokens.CHOICES,
    *activations.CHOICES,
    *attention.CHOICES,
    *prediction.CHOICES,
    *parameters.CHOICES,
)
CHOICES = (*fields.CHOICES, *OF_THE_PAGES)  # all that stands in the link


def frame(page: Page) -> Screen:
    """Set a page up and draw its heading; the first call of every page."""
    return shell.frame(page, OF_THE_PAGES)


def sidebar(screen: Screen) -> None:
    """Draw the menu and the controls, and put what they say into the link."""
    shell.sidebar(screen, PAGES)

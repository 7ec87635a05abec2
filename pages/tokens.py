"""From text to vectors."""

from gptviz.ui.pages import TOKENS, frame, sidebar
from gptviz.ui.tokens import page

screen = frame(TOKENS)
page.sentence(screen)
sidebar(screen)
page.show(screen)

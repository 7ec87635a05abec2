"""From text to vectors."""

from gptviz.ui import tokens
from gptviz.ui.frame import frame, sidebar

screen = frame("Tokens", "How does text become numbers?")
tokens.sentence(screen)
sidebar(screen)
tokens.show(screen)

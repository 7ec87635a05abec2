"""From text to vectors."""

from gptviz.ui.shell.frame import frame, sidebar
from gptviz.ui.tokens import page

screen = frame("Tokens", "How does text become numbers?")
page.sentence(screen)
sidebar(screen)
page.show(screen)

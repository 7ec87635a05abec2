"""Where every head looks."""

from gptviz.ui.attention import page
from gptviz.ui.pages import ATTENTION, frame, sidebar

screen = frame(ATTENTION)
sidebar(screen)
page.show(screen)

"""Where every head looks."""

from gptviz.ui.attention import page
from gptviz.ui.shell import live
from gptviz.ui.shell.frame import frame, sidebar

screen = frame("Attention", "Who looks at whom?")
sidebar(screen)

if trace := live.read(screen):
    page.show(screen, trace)

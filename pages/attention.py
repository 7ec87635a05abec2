"""Where every head looks."""

from gptviz.ui import attention, live
from gptviz.ui.frame import frame, sidebar

screen = frame("Attention", "Who looks at whom?")
sidebar(screen)

if trace := live.read(screen):
    attention.show(screen, trace)

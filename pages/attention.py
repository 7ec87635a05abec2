"""Where every head looks."""

from gptviz.ui import attention, live
from gptviz.ui.frame import frame

screen = frame("Attention", "Who looks at whom?")

if trace := live.read(screen):
    attention.show(screen, trace)

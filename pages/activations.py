"""The sentence's numbers on their way through the blocks."""

from gptviz.ui import activations, live
from gptviz.ui.frame import frame, sidebar

screen = frame("Activations", "What do the numbers look like on their way through?")
sidebar(screen)

if trace := live.read(screen):
    activations.stream(screen, trace)
    activations.station(screen, trace)

"""The sentence's numbers on their way through the blocks."""

from gptviz.ui import activations, live
from gptviz.ui.frame import frame

screen = frame("Activations", "What do the numbers look like on their way through?")

if trace := live.read(screen):
    activations.stream(screen, trace)
    activations.station(screen, trace)

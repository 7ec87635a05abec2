"""The sentence's numbers on their way through the blocks."""

from gptviz.ui import activations, choose, live
from gptviz.ui.frame import frame, sidebar

screen = frame("Activations", "What do the numbers look like on their way through?")
sidebar(screen)

view = choose.view("activations_view", choose.ACTIVATIONS_VIEWS)
if trace := live.read(screen):
    activations.show(view, screen, trace)

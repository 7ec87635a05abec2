"""The sentence's numbers on their way through the blocks."""

from gptviz.ui.activations import page
from gptviz.ui.shell import live, options
from gptviz.ui.shell.frame import frame, sidebar

screen = frame("Activations", "What do the numbers look like on their way through?")
sidebar(screen)

view = options.view("activations_view", options.ACTIVATIONS_VIEWS)
if trace := live.read(screen):
    page.show(view, screen, trace)

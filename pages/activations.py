"""The sentence's numbers on their way through the blocks."""

from gptviz.ui.activations import page
from gptviz.ui.pages import ACTIVATIONS, frame, sidebar

screen = frame(ACTIVATIONS)
sidebar(screen)
page.show(screen)

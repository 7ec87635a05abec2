"""Where the parameters are, what they cost, beside what, and every module as torchinfo sees it."""

from gptviz.ui import choose, parameters
from gptviz.ui.frame import frame, sidebar

screen = frame("Parameters", "How large is it, and where does the size sit?")

parameters.totals(screen.config)
view = choose.view("parameters_view", choose.PARAMETERS_VIEWS)
sidebar(screen)
parameters.show(view, screen)

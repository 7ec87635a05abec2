"""Where the parameters are, what they cost, beside what, and every module as torchinfo sees it."""

from gptviz.ui.parameters import page
from gptviz.ui.shell import options
from gptviz.ui.shell.frame import frame, sidebar

screen = frame("Parameters", "How large is it, and where does the size sit?")

page.totals(screen.config)
view = options.view("parameters_view", options.PARAMETERS_VIEWS)
sidebar(screen)
page.show(view, screen)

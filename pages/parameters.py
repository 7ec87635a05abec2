"""Where the parameters are, what they cost, beside what, and every module as torchinfo sees it."""

from gptviz.ui.pages import PARAMETERS, frame, sidebar
from gptviz.ui.parameters import page

screen = frame(PARAMETERS)
page.totals(screen)
view = page.view(screen)
sidebar(screen)
page.show(view, screen)

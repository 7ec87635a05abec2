"""The next word: what the model expects, why, and how a text is written from it."""

from gptviz.ui.prediction import page
from gptviz.ui.shell.frame import frame, sidebar

screen = frame("Prediction", "What comes next, and why?")
sidebar(screen)
page.show(screen)

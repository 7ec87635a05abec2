"""The next word: what the model expects, why, and how a text is written from it."""

from gptviz.ui.pages import PREDICTION, frame, sidebar
from gptviz.ui.prediction import page

screen = frame(PREDICTION)
sidebar(screen)
page.show(screen)

"""The next word: what the model expects, why, and how a text is written from it."""

from gptviz.ui import prediction
from gptviz.ui.frame import frame, sidebar

screen = frame("Prediction", "What comes next, and why?")
sidebar(screen)
prediction.show(screen)

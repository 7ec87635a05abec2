"""Where the parameters are, what they cost, beside what, and every module as torchinfo sees it."""

import streamlit as st

from gptviz.ui import compare, costs, parameters
from gptviz.ui.frame import frame, sidebar
from gptviz.ui.parts import parts

screen = frame("Parameters", "How large is it, and where does the size sit?")

parameters.totals(screen.config)
st.subheader("Share by part", anchor=False)
parameters.shares(screen.config)
sidebar(screen)
st.subheader("To train it and to run it", anchor=False)
costs.controls(screen.config)
costs.memory(screen.config)
costs.work(screen.config)
st.subheader("Beside other models", anchor=False)
costs.sizes()
compare.controls(screen.config)
compare.beside(screen)
st.subheader("Part by part, counted in several ways", anchor=False)
parts(screen)
st.subheader("Every module", anchor=False)
parameters.modules(screen.config)

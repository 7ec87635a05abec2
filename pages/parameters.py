"""Where the parameters are, what they cost, and every module as torchinfo sees it."""

import streamlit as st

from gptviz.ui import costs, parameters
from gptviz.ui.frame import frame, sidebar

screen = frame("Parameters", "How large is it, and where does the size sit?")

parameters.totals(screen.config)
st.subheader("Share by part", anchor=False)
parameters.shares(screen.config)
sidebar(screen)
st.subheader("To train it and to run it", anchor=False)
costs.controls(screen.config)
costs.memory(screen.config)
costs.work(screen.config)
st.subheader("GPT-2, GPT-3 and tales", anchor=False)
costs.sizes()
st.subheader("Every module", anchor=False)
parameters.modules(screen.config)

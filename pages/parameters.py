"""Where the parameters are: the ledger's totals, and every module as torchinfo sees it."""

import streamlit as st

from gptviz.ui import parameters
from gptviz.ui.frame import frame, sidebar

screen = frame("Parameters", "How large is it, and where does the size sit?")

parameters.totals(screen.config)
st.subheader("Share by part", anchor=False)
parameters.shares(screen.config)
sidebar(screen)
st.subheader("Every module", anchor=False)
parameters.modules(screen.config)

"""Where the parameters are: the ledger's totals, and every module as torchinfo sees it."""

import streamlit as st

from gptviz.ui import parameters
from gptviz.ui.frame import frame

screen = frame("Parameters", "How large is it, and where does the size sit?")

parameters.totals(screen.config)
st.subheader("Share by part", anchor=False)
parameters.shares(screen.config)
st.subheader("Every module", anchor=False)
parameters.modules(screen.config)

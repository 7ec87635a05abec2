"""gptviz: the whole of a GPT from above. Start it with ``streamlit run app.py``."""

import streamlit as st

from gptviz.ui.birds_eye import course, page
from gptviz.ui.pages import BIRDS_EYE, frame, sidebar
from gptviz.ui.shell import serving

if __name__ == "__main__":  # a visitor comes
    screen = frame(BIRDS_EYE)
    page.show(screen)
    sidebar(screen)
    page.follow_up(screen)
    course.outcome(screen)
else:  # the server starts
    app = st.App(__file__, middleware=serving.MIDDLEWARE, lifespan=serving.opening)

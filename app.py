"""gptviz: the whole of a GPT from above. Start it with ``streamlit run app.py``."""

import streamlit as st

from gptviz.ui.birds_eye import course, take_along
from gptviz.ui.birds_eye import page as birds_eye
from gptviz.ui.birds_eye.panel import panel
from gptviz.ui.shell import serving
from gptviz.ui.shell.frame import frame, sidebar


def page() -> None:
    """The bird's-eye view."""
    screen = frame("Bird's-eye view", "How does it all fit together, and why is each part there?")
    picture, beside = st.columns([7, 3], gap="medium")
    with picture:
        view = birds_eye.show(screen)
    with beside:
        course.offer(screen)
        birds_eye.choices(screen)
        panel(screen, birds_eye.selected(screen))
        take_along.offer(screen, view)
    sidebar(screen)
    birds_eye.follow_up(screen)
    course.outcome(screen)


if __name__ == "__main__":  # a visitor comes
    page()
else:  # the server starts
    app = st.App(__file__, middleware=serving.MIDDLEWARE, lifespan=serving.opening)

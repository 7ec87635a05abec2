"""The pages there are, and what of theirs others may name."""

from __future__ import annotations

import pytest

from gptviz.ui.birds_eye.options import STATION_VIEW, STEPS_VIEW
from gptviz.ui.pages import CHOICES, PAGES


def test_every_page_has_a_file_a_name_and_a_question_of_its_own(root):
    assert {page.path for page in PAGES} == {
        "app.py",
        *(f"pages/{place.name}" for place in (root / "pages").glob("*.py")),
    }
    assert len({page.name for page in PAGES}) == len({page.icon for page in PAGES}) == len(PAGES)
    assert all(page.question.endswith("?") for page in PAGES)


@pytest.mark.parametrize(("key", "value"), [*STATION_VIEW.items(), *STEPS_VIEW.items()])
def test_a_click_in_the_picture_opens_views_that_there_are(key, value):
    choice = next(choice for choice in CHOICES if choice.key == key)
    assert value in choice.allowed

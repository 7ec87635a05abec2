"""Every page runs, and what was chosen stays from page to page."""

from __future__ import annotations

import pytest

from gptviz.counting.ledger import Ledger
from gptviz.defaults import TEXT
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.ui.pages import PAGES

PATHS = [page.path for page in PAGES]


def test_the_menu_has_every_page_there_is(root, visit):
    files = {f"pages/{place.name}" for place in (root / "pages").glob("*.py")}
    assert set(PATHS) == files | {"app.py"}
    links = visit().app.sidebar.get("page_link")
    assert [link.proto.label for link in links] == [page.name for page in PAGES]


@pytest.mark.parametrize(("path", "name"), [(page.path, page.name) for page in PAGES])
def test_a_page_opens_by_its_link_and_by_the_menu(path, name, visit):
    for page in (visit(path), visit().go(path)):
        assert page.app.header[0].value == name
        assert "**tales, trained**" in page.heading
        assert page.parameters == Ledger(PRESETS["tales"]).parameters
        assert page.n_tokens == len(Tokenizer(8192).encode(TEXT))
        assert page.said == ""
        assert not page.toasts


@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_the_same_controls(path, visit):
    def keys(page):
        return [element.key for element in page.app.sidebar if getattr(element, "key", None)]

    assert keys(visit(path)) == keys(visit())
    assert "n_layers" in keys(visit())


def test_a_page_change_loses_nothing(small):
    page = small(text="a b c", seed="9").set("n_layers", 2).set("block", "1")
    page.set("drop_rate", 0.3).set("qkv_bias", True)
    for path in [*PATHS[1:], "app.py"]:
        page.go(path)
        assert (page.value("model"), page.value("n_layers")) == ("custom", 2)
        assert (page.value("text"), page.value("seed")) == ("a b c", 9)
        assert (page.value("drop_rate"), page.value("qkv_bias")) == (0.3, True)
    assert page.value("block") == "1"


def test_layer_and_head_are_shared_by_the_live_pages(small):
    page = small("pages/attention.py", activations_view="token").set("layer", 2).set("head", 3)
    assert page.go("pages/activations.py").value("layer") == 2
    page.set("layer", 1).go("pages/attention.py")
    assert (page.value("layer"), page.value("head")) == (1, 3)


def test_layer_and_head_of_a_link_go_along_to_other_pages(small):
    link = {"layer": "2", "head": "3", "text": "a b c", "seed": "9", "activations_view": "token"}
    page = small("pages/attention.py", **link)
    page.go("app.py").go("pages/activations.py")
    assert (page.value("layer"), page.value("text"), page.value("seed")) == (2, "a b c", 9)
    assert page.go("pages/attention.py").value("head") == 3


@pytest.mark.parametrize("path", PATHS)
def test_a_vocabulary_too_small_for_text_is_drawn_and_counted_and_said(path, visit):
    page = visit(path, vocab_size="100")
    assert page.parameters == Ledger(PRESETS["tales"].changed(vocab_size=100)).parameters
    assert page.n_tokens == 0
    said = " ".join(caption.value for caption in page.app.sidebar.caption)
    assert "a vocab_size of at least 257" in said
    assert "sentence is empty" not in page.said

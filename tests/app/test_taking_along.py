"""What can be taken along: made when it is asked for, of what is on the screen then."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import streamlit as st

from gptviz.cache import cached_trace
from gptviz.config import PLACEHOLDER_PARTS
from gptviz.diagram.view import Measure
from gptviz.presets import PRESETS
from gptviz.tracing.passes import pass_of
from gptviz.ui.birds_eye import handout
from gptviz.ui.birds_eye.view import view as view_of
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.warm import WARM

PICTURE = "picture"


@pytest.fixture
def opened(monkeypatch):
    """The box that holds the files is open, as after a click: AppTest has none there."""
    expander = st.expander

    def open_one(*all_, **options):
        if options.get("key") == "take_along":
            options = {"icon": options["icon"], "expanded": True, "on_change": "rerun"}
        return expander(*all_, **options)

    monkeypatch.setattr("streamlit.expander", open_one)


def test_nothing_is_made_or_sent_until_it_is_asked_for(visit):
    page = visit()
    assert not page.app.get("download_button")
    with pytest.raises(StopIteration):
        page.sent(PICTURE)


@pytest.mark.usefixtures("opened")
def test_the_files_that_there_are(visit):
    page = visit(text="Hi")
    assert [button.proto.label for button in page.app.get("download_button")] == [
        "Handout (one HTML file)",
        "Configuration (JSON)",
        "The model as PyTorch code",
    ]


@pytest.mark.usefixtures("opened")
def test_the_picture_is_that_of_the_screen(visit):
    page = visit(text="Once upon a time", block="2", inside="attention", head="3")
    sent = page.sent(PICTURE)
    assert sent["name"] == "gptviz-tales"
    on_page = ElementTree.fromstring(page.sent("diagram")["wide"])
    taken = ElementTree.fromstring(sent["svg"])

    def parts(svg):
        return [part.get("data-path") for part in svg.iter() if part.get("data-path")]

    def maps(svg):
        images = svg.findall(".//{*}image")
        return [image.get("href") or image.get("{http://www.w3.org/1999/xlink}href")
                for image in images]  # fmt: skip

    def words(svg):
        return [text.text for text in svg.findall(".//{*}text")]

    assert parts(taken) == parts(on_page)
    assert maps(taken) == maps(on_page)
    assert len(maps(taken)) > 4
    assert words(taken) == words(on_page)
    assert taken.find("{*}style").text


@pytest.mark.usefixtures("opened")
def test_names_instead_of_numbers_are_on_the_picture_too(visit):
    page = visit(text="Hi", block="0", symbolic="true")
    assert "(n_tokens, emb_dim)" in page.sent(PICTURE)["svg"]


@pytest.mark.usefixtures("opened")
def test_colours_that_tell_something_are_explained_on_the_picture(visit):
    page = visit(text="Once upon a time", colours="entropy")
    svg = ElementTree.fromstring(page.sent(PICTURE)["svg"])
    words = " ".join(text.text for text in svg.findall(".//{*}text"))
    legend = page.sent("diagram")["legend"]
    assert legend["about"] in words
    assert f"{legend['low']} to {legend['high']}" in words
    assert "attention entropy" not in visit(text="Once upon a time").sent(PICTURE)["svg"]


def screen(config, ids=(1, 2, 3), model="custom"):
    labels = tuple(map(str, ids))
    return Screen(model, config, 123, ids, labels, len(ids), "", None)


SMALL = PRESETS["tales"].changed(emb_dim=48, n_heads=4, n_layers=3, vocab_size=300)
CHOICES = handout.Chosen(layer=1, head=2, station="feed_forward.gelu", decimal=False)


def made(of, opened=""):
    return handout.make(of, view_of(of, opened, 2, False), CHOICES, "a b c", "http://x/?a=1")


def test_a_handout_before_the_sentence_is_read_has_the_structure_and_says_so():
    of = screen(SMALL.changed(context_length=77))
    text = made(of)
    assert "had not been read yet" in text
    assert "<script" not in text
    assert 'id="part-blocks.1.attention.core.softmax"' in text


def test_a_handout_keeps_the_colours_of_the_screen_and_says_what_they_mean():
    of = screen(SMALL)
    cached_trace(pass_of(SMALL, of.token_ids))
    parts = {f"blocks.{i}.attention": i / 2 for i in range(3)}
    measure = Measure("bits", 0, 1, parts, about="How <evenly> it looks.")
    view = view_of(of, "", 2, False, measure)
    text = handout.make(of, view, CHOICES, "a b c", "http://x/")
    assert text.count("How &lt;evenly&gt; it looks.") == 7  # below the picture of each level
    assert 'class="gptviz measured' in text
    assert "measured" not in made(of).partition("<body>")[2]


def test_a_handout_has_the_numbers_of_what_was_read():
    assert WARM.is_set()
    of = screen(SMALL)
    trace = cached_trace(pass_of(SMALL, of.token_ids))
    text = made(of, "blocks.2")
    assert "structure only" not in text
    assert "Who looks at whom: layer 2, head 2" in text
    assert "Hidden layer, after GELU in block 2" in text
    top = float(trace.probabilities().max())
    assert f"<td>{top:.4f}</td>" in text
    stream = trace.blocks[2].resid_post
    assert f"from {stream.min():.4g} to {stream.max():.4g}." in text


@pytest.mark.parametrize("missing", [*PLACEHOLDER_PARTS, ""])
def test_a_handout_of_a_model_with_placeholders(missing):
    config = SMALL.changed(placeholders=frozenset({missing} if missing else PLACEHOLDER_PARTS))
    of = screen(config, (5,))
    cached_trace(pass_of(config, of.token_ids))
    text = made(of)
    assert "not built" in text
    assert ("Who looks at whom" in text) == config.has("attention")


def test_why_a_handout_has_no_numbers(free_memory):
    assert "no sentence" in made(screen(SMALL, ()))
    free_memory(10**9)
    assert "too little memory" in made(screen(PRESETS["gpt3-175b"], model="gpt3-175b"))


def test_a_long_sentence_shows_a_part_and_says_so(monkeypatch):
    monkeypatch.setattr(handout, "MOST_TOKENS", 2)
    monkeypatch.setattr(handout, "MOST_CELLS", 2 * SMALL.ff_dim)
    of = screen(SMALL)
    cached_trace(pass_of(SMALL, of.token_ids))
    assert made(of).count("Shown are the first 2 of 3 tokens.") == 4  # said, and spoken

"""The style of a picture that stands alone: real colours, and one for all that is drawn."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.diagram.layout import lay_out
from gptviz.diagram.parts import can_open
from gptviz.diagram.style import mixed, style
from gptviz.diagram.svg import to_svg
from gptviz.diagram.view import Reading, View
from gptviz.figures.theme import DARK, LIGHT

PIXEL = "data:image/png;base64,iVBORw0KGgo="
XLINK = "{http://www.w3.org/1999/xlink}href"
READING = Reading({"blocks.0.attention": (PIXEL,)}, (("x", 0.5),), (1.0,))
VIEW = View(GPTConfig(), ("<x>",), (1,), "blocks.0", reading=READING)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_it_needs_nothing_that_an_editor_does_not_know(theme):
    css = style(theme)
    assert "var(" not in css
    assert "color-mix" not in css
    assert f".paper {{ fill: {theme.background}; }}" in css


@pytest.mark.parametrize("placeholders", [frozenset(), frozenset(PLACEHOLDER_PARTS)])
@pytest.mark.parametrize(
    "opened", ["", "embeddings", "blocks.0", "blocks.0.attention", "blocks.0.norm1", "out_head"]
)
def test_every_kind_of_part_that_is_drawn_has_a_colour(opened, placeholders):
    config = GPTConfig(placeholders=placeholders)
    opened = opened if can_open(config, opened) else "blocks.0"
    svg = to_svg(lay_out(View(config, ("x",), (1,), opened, reading=READING)))
    css = style(LIGHT)
    used = {name for found in re.findall(r'class="([^"]+)"', svg) for name in found.split()}
    kinds = {name for name in used if name.startswith("k-")}
    assert kinds
    for kind in kinds:
        assert f".part.{kind} > rect" in css


def test_a_mix_is_between_its_colours():
    assert mixed("#ffffff", 50, "#000000") == "#808080"
    assert mixed("#3b6fe0", 100, "#ffffff") == "#3b6fe0"
    assert mixed("#3b6fe0", 0, "#0e1420") == "#0e1420"


def test_a_file_of_its_own_has_size_background_and_words_in_place_of_buttons():
    drawing = lay_out(VIEW)
    svg = ElementTree.fromstring(to_svg(drawing, style(DARK)))
    assert (svg.get("width"), svg.get("height")) == (f"{drawing.width:g}", f"{drawing.height:g}")
    assert svg.find("{*}rect").get("class") == "paper"
    assert not [e for e in svg.iter() if e.get("role") == "button" or e.get("tabindex")]
    titles = [part.find("{*}title").text for part in svg.iter() if part.get("data-path")]
    assert len(titles) == len(drawing.boxes)
    assert all(len(title) > 20 for title in titles)
    assert [image.get(XLINK) for image in svg.findall(".//{*}image")] == [PIXEL]


def test_parts_can_lead_to_where_they_are_explained():
    svg = ElementTree.fromstring(to_svg(lay_out(VIEW), address=lambda path: f'#"{path}'))
    links = {
        link.get("href"): link.find("{*}g").get("data-path") for link in svg.findall(".//{*}a")
    }
    assert links == {f'#"{box.path}': box.path for box in lay_out(VIEW).boxes}
    assert not svg.findall(".//{*}style")


def test_a_picture_to_keep_does_not_ask_to_be_clicked():
    assert "click to open" in to_svg(lay_out(View(GPTConfig())))
    assert "click to open" not in to_svg(lay_out(View(GPTConfig(), still=True)))

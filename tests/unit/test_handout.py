"""The handout: one file that has all it needs, and in which nothing of a person's can run."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.diagram.parts import can_open
from gptviz.diagram.view import Outcome, Reading, View
from gptviz.figures.attention import attention_map
from gptviz.figures.theme import LIGHT
from gptviz.handout import Sheet, Shown, explained, handout, levels
from gptviz.presets import PRESETS

PIXEL = "data:image/png;base64,iVBORw0KGgo="
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'&\x00\ud800"
CONFIG = PRESETS["gpt2-small"]
BARE = CONFIG.changed(placeholders=frozenset(PLACEHOLDER_PARTS))


def views(config, opened="", word="x", layer=3):
    now = View(config, (word, word), (1, 2), opened, reading=Reading(next_tokens=((word, 0.5),)))
    return [replace(now, opened=path) for path in levels(now, layer)]


def sheet(word="x", config=CONFIG, opened="", **changes):
    shown = attention_map(np.eye(2, dtype=np.float32), (word, word), LIGHT)
    made = Sheet(
        title="gpt2-small, random weights (seed 123)",
        text=word,
        link=f"http://localhost/?text={word}",
        views=views(config, opened, word),
        next_tokens=((word, 0.5),),
        figures=(Shown(word, word, shown),),
        outcomes={"blocks.3": Outcome(PIXEL, word, word)},
    )
    return replace(made, **changes)


class Read(HTMLParser):
    """Every element with its attributes, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.inside = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, _tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            attrs, text = self.scripts.pop()
            self.scripts.append((attrs, text + data))

    def ids(self):
        return [attrs["id"] for _, attrs in self.elements if "id" in attrs]

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.mark.parametrize("opened", ["", "blocks.3", "blocks.3.norm2", "final_norm"])
@pytest.mark.parametrize("config", [CONFIG, BARE], ids=["whole", "bare"])
def test_every_level_of_one_block_is_there_once(config, opened):
    opened = opened if can_open(config, opened) else "blocks.3"
    found = levels(View(config, opened=opened), 3)
    assert found[0] == opened
    assert len(set(found)) == len(found)
    wanted = {"", "embeddings", "out_head", "blocks.3"}
    inside = {"blocks.3.norm1", "blocks.3.attention", "blocks.3.feed_forward"}
    assert set(found) == wanted | {opened} | (set() if config is BARE else inside)


@pytest.mark.parametrize("opened", ["", "blocks.3", "blocks.3.norm2", "final_norm"])
def test_every_part_is_explained_once_where_it_can_be_seen_from_nearest(opened):
    found = explained(views(CONFIG, opened))
    paths = [path for paths in found.values() for path in paths]
    assert len(set(paths)) == len(paths)
    assert not [path for path in paths if path.startswith(("blocks.2", "blocks.4"))]
    assert {"blocks.3.attention.core.softmax", "out_head.sampling", "tokens"} <= set(paths)
    assert "blocks.3.attention.core.mask" in found["blocks.3.attention"]
    assert {"tok_emb", "pos_emb"} <= set(found["embeddings"])
    if opened != "":
        assert found[opened][0] == opened
    assert "blocks.3.norm2" in found["blocks.3.norm2" if "norm2" in opened else "blocks.3"]


def test_it_says_what_the_model_is_and_how_to_come_back():
    text = handout(sheet())
    for name, value in CONFIG.as_dict().items():
        if name != "placeholders":
            assert f"<th>{name}</th><td>{value}</td>" in text
    assert "163,009,536 parameters" in text
    assert "621.83 MiB" in text
    assert "http://localhost/?text=x" in text
    assert "652.04 MB" in handout(sheet(decimal=True))


def test_its_flops_say_that_every_position_is_scored_and_every_pair_counted():
    text, flops = handout(sheet()), Ledger(CONFIG).flops(2)
    row = "<th>{}</th><td>{:,}</td>"
    assert row.format("FLOPs of a forward pass, all positions scored", flops.total) in text
    assert row.format("of which attention, over all pairs", flops.attention) in text
    assert row.format("parameters, non-embedding", 85_028_352) in text


def test_parts_have_their_costs_and_their_code():
    text = handout(sheet())
    article = text[text.index('id="part-blocks.3.feed_forward"') :].partition("</article>")[0]
    assert f"{Ledger(CONFIG).of('blocks.3.feed_forward'):,} · 2.9% of the model" in article
    assert "(2, 768)" in article
    assert "class FeedForward" in article or "def forward" in article
    assert "<math" in article


def test_links_in_the_pictures_lead_to_explanations():
    read = Read(handout(sheet(opened="blocks.3.attention")))
    ids = read.ids()
    inside = [a["href"][1:] for a in read.all("a") if a["href"].startswith("#")]
    assert len(inside) > 60
    assert set(inside) <= set(ids)
    named = [name for name in ids if name != "tip"]
    assert len(set(named)) == len(named)


def test_nothing_from_a_person_becomes_an_element_a_script_or_a_handler():
    harmless, hostile = Read(handout(sheet())), Read(handout(sheet(HOSTILE)))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    for tag, attrs in hostile.elements:
        assert not [name for name in attrs if name.startswith("on")], tag
    assert not [attrs for attrs in hostile.all("img") if not attrs["src"].startswith("data:")]
    handout(sheet(HOSTILE)).encode()  # half a character would not go into a file


def test_scripts_run_by_their_hash_alone_and_nothing_is_fetched():
    read = Read(handout(sheet()))
    policy = next(meta["content"] for meta in read.all("meta") if "http-equiv" in meta)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    run = [text for attrs, text in read.scripts if attrs.get("type") != "application/json"]
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in run]
    assert len(run) == 2
    assert rules["script-src"].split() == [f"'sha256-{each}'" for each in hashes]
    assert not [
        attrs for tag, attrs in read.elements if tag in ("script", "link") and "src" in attrs
    ]


def test_the_figures_numbers_are_in_the_file():
    (data,) = [text for attrs, text in Read(handout(sheet())).scripts if attrs]
    (heatmap,) = json.loads(data)["data"]
    z = np.frombuffer(base64.b64decode(heatmap["z"]["bdata"]), heatmap["z"]["dtype"])
    assert np.nan_to_num(z, nan=-1).tolist() == [1, -1, 0, 1]


def test_without_numbers_it_is_small_and_says_why():
    text = handout(sheet(missing="Structure only: too large.", figures=(), next_tokens=()))
    assert "Structure only: too large." in text
    assert "What the model makes of the sentence" not in text
    assert "script-src 'none'" in text
    assert "<script" not in text
    assert len(text) < 300_000


@pytest.mark.parametrize(
    "config",
    [BARE, GPTConfig(tie_weights=True), PRESETS["gpt3-175b"], PRESETS["tales"].changed(n_layers=1)],
    ids=["bare", "tied", "gpt3", "one block"],
)
def test_any_configuration_has_one(config):
    made = sheet(config=config, views=views(config, layer=0), figures=())
    text = handout(made)
    assert f"{Ledger(config).parameters:,} parameters" in text
    assert ("A placeholder, not built: " in text) == bool(config.placeholders)

"""Links made by hand: what can't be had is left out, and the page says so."""

from __future__ import annotations

import pytest

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.ui.pages import CHOICES
from gptviz.ui.shell.fields import FIELDS
from gptviz.ui.shell.link import DIGEST, LONGEST, LOST, digest, query

PARAMETERS = "pages/parameters.py"  # it reads no sentence
TALES = PRESETS["tales"]

# What is no end of a range, and refused all the same.
ODD = [
    *(("model", "gpt5"), ("vocab_size", "1e9"), ("n_heads", "2,3"), ("n_layers", "inf")),
    *(("attention", "<b>"), ("feed_forward", "placeholder"), ("shortcut", "0"), ("train", "1")),
    *(("inside", "norm"), ("inside", "blocks.1"), ("part", "blocks.6"), ("against", "kept")),
    *(("part", "blocks.1.norm3"), ("vocabulary", "1000"), ("candidates", "11")),
    *(("temperature", "0.123"), ("activations_view", "Stream"), ("against", "Nothing")),
    *(("draw_seed", "99999999999999"), ("context_length", "99999999999999999999")),
]
TOO_WIDE = {"text"}  # any text can be read


def nonsense(choice):
    """Values that this choice can't have, as a link would have them."""
    default, allowed = choice.default_of(TALES, 2), choice.allowed_of(TALES, 2)
    if isinstance(default, bool):
        return ["maybe", "2", ""]
    if isinstance(default, str):
        return [word for word in ("nowhere", "<b>", "") if word not in allowed]
    ends = allowed[0], allowed[-1]
    return [str(min(ends) - 1), str(max(ends) + 1), "x", "nan", ""]


@pytest.mark.parametrize(
    ("key", "value"),
    [*((choice.key, bad) for choice in CHOICES for bad in nonsense(choice)), *ODD],
    ids=str,
)
def test_the_default_stands_where_the_link_has_nonsense_and_the_page_says_so(key, value, visit):
    default = next(choice for choice in CHOICES if choice.key == key).default_of(TALES, 2)
    page = visit(PARAMETERS, **{"text": "Hi", key: value})
    assert page.app.session_state[key] == default
    assert len(page.toasts) == 1
    assert key in page.toasts[0]
    assert key not in page.link
    assert page.run().toasts == []  # once is enough


def test_every_choice_can_be_had_by_nonsense():
    assert {choice.key for choice in CHOICES if not nonsense(choice)} == TOO_WIDE


def test_what_is_unknown_is_said_and_does_no_harm(visit):
    page = visit(text="Hi", colour="<script>alert(1)</script>", __proto__="1")
    assert len(page.toasts) == 1
    assert "doesn't know" in page.toasts[0]
    assert "script" not in page.toasts[0]


def test_a_good_link_is_followed_without_a_word(visit):
    link = {"model": "gpt2-medium", "drop_rate": "0.2", "seed": "4", "text": "", "block": "23"}
    page = visit(**link)
    assert page.toasts == []
    assert page.said == ""
    assert (page.value("seed"), page.value("block"), page.value("text")) == (4, "23", "")
    assert page.parameters == Ledger(PRESETS["gpt2-medium"]).parameters


def test_a_default_in_the_link_is_no_nonsense(visit):
    tales = {field: str(PRESETS["tales"].given(field)).lower() for field in FIELDS}
    assert visit(model="tales", text="Hi", **tales).toasts == []


@pytest.mark.parametrize("name", ["tales", "gpt2-small"])
@pytest.mark.parametrize(("field", "value"), [("n_layers", 7), ("n_heads", 4), ("qkv_bias", True)])
def test_a_models_name_never_stands_over_another_configuration(name, field, value, visit):
    page = visit(model=name, text="", **{field: str(value).lower()})
    changed = PRESETS[name].changed(**{field: value})
    assert page.value("model") == "custom"
    assert "**custom, random weights" in page.heading
    assert page.parameters == Ledger(changed).parameters
    assert field in page.said
    assert page.press(f"Back to {name}").parameters == Ledger(PRESETS[name]).parameters


def test_an_impossible_width_in_the_link_is_explained(visit):
    page = visit("pages/parameters.py", model="custom", text="", emb_dim="770")
    assert "emb_dim=770 must be divisible by n_heads=12" in page.said
    assert page.offers == ["emb_dim = 768", "emb_dim = 780"]
    assert page.parameters == Ledger(GPTConfig()).parameters
    page.press("emb_dim = 780")
    assert page.parameters == Ledger(GPTConfig(emb_dim=780)).parameters


@pytest.mark.parametrize("sign", ["x", " ", "语", "🙂", "~", "%", "&"])
def test_a_sentence_stands_in_the_link_as_long_as_its_encoded_length_allows(sign, visit):
    page = visit("pages/parameters.py", text="")
    most = (LONGEST - len(page.sent("browser_address")["query"])) // len(query({"": sign})[1:])
    page.set("text", sign * most)
    assert page.link["text"] == sign * most
    assert len(page.sent("browser_address")["query"]) <= LONGEST
    assert "Too long for the link" not in page.words_aside
    page.set("text", sign * (most + 1))
    assert "text" not in page.link
    assert page.link[DIGEST] == digest(sign * (most + 1))
    assert page.sent("browser_address")["text"] == sign * (most + 1)
    assert "Too long for the link" in page.words_aside


def test_the_tab_gives_back_the_sentence_that_the_link_wants(visit):
    text = "long " * 4000
    page = visit(**{DIGEST: digest(text)})
    assert page.toasts == []
    assert page.sent("browser_address")["wanted"] == digest(text)
    page.click("browser_address", "found", text)
    assert page.value("text") == text
    assert page.sent("browser_address")["wanted"] == ""
    assert page.link[DIGEST] == digest(text)


@pytest.mark.parametrize("found", ["", "another sentence", None, 7, ["long"], {"text": "long"}])
def test_without_the_sentence_that_the_link_wants_the_default_stands(found, visit):
    page = visit(**{DIGEST: digest("long")})
    default = page.value("text")
    page.click("browser_address", "found", found)
    assert page.value("text") == default
    assert page.toasts == ([LOST] if isinstance(found, str) else [])


def test_a_sentence_that_was_typed_meanwhile_is_kept(visit):
    page = visit(**{DIGEST: digest("long")}).set("text", "typed")
    page.click("browser_address", "found", "long")
    assert page.value("text") == "typed"


@pytest.mark.parametrize("name", ["tales", "gpt2-small", "gpt2-xl", "gpt3-175b"])
@pytest.mark.parametrize("aside", [{}, {"n_layers": 3}, {"vocab_size": 600, "qkv_bias": True}])
def test_fields_that_do_not_go_together_fall_back_to_the_models_of_the_link(name, aside, visit):
    link = {key: str(value).lower() for key, value in aside.items()}
    page = visit("pages/parameters.py", model=name, n_heads="7", text="", **link)
    own = PRESETS[name]
    assert f"emb_dim={own.emb_dim} must be divisible by n_heads=7" in page.said
    assert page.value("n_heads") == 7
    assert page.parameters == Ledger(own.changed(**aside)).parameters
    assert f"emb_dim={own.emb_dim}, n_heads={own.n_heads}, n_layers=" in page.said


# A value of every field that the weights depend on, away from those of tales and of GPT-2 small.
OTHERS = {
    "vocab_size": 600,
    "context_length": 64,
    "emb_dim": 100,
    "n_layers": 3,
    "qkv_bias": True,
    "tie_weights": False,
    "norm": False,
    "attention": False,
    "feed_forward": False,
    "shortcut": False,
}


@pytest.mark.parametrize("field", OTHERS)
def test_heads_that_do_not_fit_leave_every_other_field_as_the_link_has_it(field, visit):
    value = OTHERS[field]
    page = visit("pages/parameters.py", n_heads="7", text="", **{field: str(value).lower()})
    change = {"placeholders": {field}} if field in PLACEHOLDER_PARTS else {field: value}
    change = {} if field == "emb_dim" else change  # one of the two that don't go together
    assert page.parameters == Ledger(PRESETS["tales"].changed(**change)).parameters


def test_a_custom_width_falls_back_to_its_neighbour_and_keeps_the_rest(visit):
    asked = {"vocab_size": 600, "context_length": 64, "emb_dim": 100, "n_heads": 7, "n_layers": 3}
    page = visit(
        "pages/parameters.py", model="custom", text="", **{k: str(v) for k, v in asked.items()}
    )
    assert page.parameters == Ledger(GPTConfig(**asked | {"emb_dim": 98})).parameters
    assert "n_heads=7, n_layers=3" in page.said
    page.set("n_heads", 10)
    assert page.said == ""
    assert page.parameters == Ledger(GPTConfig(**asked | {"n_heads": 10})).parameters

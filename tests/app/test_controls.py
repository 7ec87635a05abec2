"""Every control in the sidebar does what it says."""

from __future__ import annotations

import pytest

from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.ui.shell.fields import FIELDS, NAMES
from gptviz.ui.shell.link import LONGEST
from gptviz.ui.shell.sentence import MOST_CHARACTERS

UNREAD = {"text": ""}  # without a sentence no model is made, however large


def fields(page):
    return {field: page.value(field) for field in FIELDS}


def of(config):
    return {field: config.given(field) for field in FIELDS}


@pytest.mark.parametrize("name", PRESETS)
def test_choosing_a_model_sets_the_fields(name, visit):
    first = "gpt2-xl" if name == "tales" else "tales"
    page = visit(model=first, **UNREAD).set("model", name)
    assert fields(page) == of(PRESETS[name])
    assert name in page.heading
    assert page.parameters == Ledger(PRESETS[name]).parameters
    assert page.said == ""


def test_custom_starts_from_the_model_before_it(visit):
    page = visit(model="gpt2-large", **UNREAD).set("model", "custom")
    assert fields(page) == of(PRESETS["gpt2-large"])
    assert "**custom, random weights" in page.heading


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocab_size", 8000),
        ("context_length", 128),
        ("emb_dim", 264),
        ("n_heads", 4),
        ("n_layers", 7),
        ("qkv_bias", True),
        ("tie_weights", False),
    ],
)
def test_moving_what_the_weights_fix_leaves_the_model_and_there_is_a_way_back(field, value, visit):
    page = visit("pages/parameters.py", **UNREAD)
    page.set(field, value)
    changed = PRESETS["tales"].changed(**{field: value})
    assert page.value("model") == "custom"
    assert fields(page) == of(changed)
    assert page.parameters == Ledger(changed).parameters
    assert field in page.said
    assert "custom" in page.said
    page.press("Back to tales")
    assert page.value("model") == "tales"
    assert fields(page) == of(PRESETS["tales"])
    assert page.said == ""
    assert page.offers == []


def test_the_way_back_is_to_the_model_one_came_from_after_many_moves(visit):
    page = visit(model="gpt2-medium", **UNREAD).set("n_layers", 3).set("emb_dim", 512)
    page.set("qkv_bias", True).press("Back to gpt2-medium")
    assert fields(page) == of(PRESETS["gpt2-medium"])


def test_drop_rate_is_free(visit):
    page = visit("pages/parameters.py", **UNREAD).set("drop_rate", 0.2)
    assert page.value("model") == "tales"
    assert "**tales, trained**" in page.heading
    assert page.offers == []


def test_moves_of_a_custom_model_need_no_way_back(small):
    page = small("pages/parameters.py", **UNREAD).set("n_layers", 5)
    assert page.offers == []
    assert page.said == ""


def test_a_width_that_the_heads_do_not_divide_is_explained_and_can_be_mended(small):
    page = small("pages/parameters.py", **UNREAD)
    before = page.parameters
    page.set("n_heads", 5)
    assert "emb_dim=48 must be divisible by n_heads=5" in page.said
    assert page.offers == ["emb_dim = 45", "emb_dim = 50"]
    assert page.parameters == before
    page.set("n_layers", 9)  # what else is moved meanwhile waits, too
    assert page.parameters == before
    page.press("emb_dim = 50")
    assert page.said == ""
    config = GPTConfig(vocab_size=1000, context_length=32, emb_dim=50, n_heads=5, n_layers=9)
    assert fields(page) == of(config)
    assert page.parameters == Ledger(config).parameters


def test_a_trained_model_with_an_impossible_width_is_explained_and_has_both_ways_out(visit):
    page = visit("pages/parameters.py", **UNREAD).set("n_heads", 3)
    assert "must be divisible" in page.said
    assert page.offers == ["Back to tales", "emb_dim = 255", "emb_dim = 258"]
    page.press("Back to tales")
    assert fields(page) == of(PRESETS["tales"])
    assert page.said == ""


def test_the_width_moves_in_steps_that_the_heads_divide(small):
    page = small(**UNREAD).set("n_heads", 6)
    assert page._control("emb_dim").step == 6


def test_the_seed_is_that_of_random_weights_and_changes_what_they_do(small):
    page = small("pages/attention.py", text="a b c d")
    assert "(seed 123)" in page.heading
    before = page.figures()
    page.set("seed", 7)
    assert "(seed 7)" in page.heading
    assert page.figures() != before
    page.set("seed", 123)
    assert page.figures() == before


def test_trained_weights_have_no_seed(visit):
    assert not visit(**UNREAD).has("seed")
    assert visit(model="gpt2-small", **UNREAD).has("seed")


@pytest.mark.parametrize("path", ["app.py", "pages/activations.py", "pages/attention.py"])
def test_an_empty_sentence_is_no_error(path, visit):
    page = visit(path).set("text", "")
    assert page.n_tokens == 0
    if path != "app.py":
        assert "empty" in page.said
    assert page.set("text", "a").n_tokens == 1


@pytest.mark.parametrize("path", ["app.py", "pages/activations.py", "pages/attention.py"])
@pytest.mark.parametrize(
    "text",
    [
        " ",
        "\n\n\t",
        "👩‍👩‍👧 né 中文",
        "<img src=x onerror=alert(1)>",
        "<|endoftext|>",
        "$x$ :red[a] **",
    ],
)
def test_any_sentence_is_read(path, text, small):
    page = small(path, vocab_size="50257").set("text", text)
    assert page.n_tokens == len(Tokenizer().encode(text))
    assert page.said == ""
    if path == "app.py":
        assert 'class="bar' in page.sent("diagram")["wide"]  # the next tokens' probabilities
    else:
        assert page.figures()


@pytest.mark.parametrize("path", ["app.py", "pages/attention.py"])
def test_a_sentence_that_is_too_long_is_cut_and_says_so(path, small):
    text = "word " * 2000
    page = small(path, vocab_size="50257").set("text", text)
    n_tokens = len(Tokenizer().encode(text))
    assert f"{n_tokens:,} tokens" in page.said
    assert "first 32" in page.said
    assert page.n_tokens == 32


def test_a_sentence_too_long_for_the_link_is_kept_all_the_same(small):
    text = "x" * (LONGEST + 1)
    page = small().set("text", text)
    assert page.go("pages/attention.py").value("text") == text
    assert page.set("text", "short").go("app.py").value("text") == "short"


def under_the_sentence(page):
    """What the sidebar says between the sentence and what comes after it."""
    said = [(e.key if e.type == "text_area" else getattr(e, "value", "")) for e in page.app.sidebar]
    start = said.index("text") + 1
    return "\n".join(str(each) for each in said[start : start + 4])


@pytest.mark.parametrize(("text", "stays"), [("a king ", "a king"), ("a  ", "a"), (" a ", " a")])
def test_a_space_at_the_end_can_be_taken_off(text, stays, visit):
    page = visit(text=text)
    assert "A space at the end" in under_the_sentence(page)
    page.press("Take the space off")
    assert page.value("text") == stays
    assert page.link["text"] == stays
    assert "A space at the end" not in under_the_sentence(page)


@pytest.mark.parametrize("text", ["a king", "", " ", "a\n", "a\u00a0"])
def test_where_no_space_spoils_the_prediction_nothing_is_said(text, visit):
    assert "Take the space off" not in visit(text=text).buttons


def test_the_cut_stands_under_the_sentence_and_says_where_it_is(small):
    page = small(text="Once upon a time there was a king " * 20, vocab_size="50257")
    said = under_the_sentence(page)
    assert "the first 32 (context_length) and stops after these:" in said
    labels = Tokenizer().labels(Tokenizer().encode(page.value("text")))
    assert f"…{''.join(labels[27:32])}\u00a0✂" in said
    assert "✂" not in under_the_sentence(page.set("context_length", 400))


def test_the_text_has_a_bound_which_is_said_where_it_is_typed(small):
    page = small(text="a")
    assert f"{MOST_CHARACTERS:,} characters" in page._control("text").help
    page.set("text", "ab " * MOST_CHARACTERS)
    assert page.value("text") == ("ab " * MOST_CHARACTERS)[:MOST_CHARACTERS]
    assert f"{3 * MOST_CHARACTERS:,} characters: the first {MOST_CHARACTERS:,}" in page.said
    assert f"the first {MOST_CHARACTERS:,} are kept" in page.run().said
    assert "are kept" not in page.set("text", "a").said


def test_the_model_box_offers_all_presets_and_ones_own(visit):
    assert visit(**UNREAD)._control("model").options == list(NAMES)
    assert set(NAMES) == {*PRESETS, "custom"}

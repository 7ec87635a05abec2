"""Every view of the attention page shows the numbers of the trace, whatever the model is."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.analysis.attention import head_map
from gptviz.analysis.heads import MEASURE_OF, MEASURES, measured, repeated_tokens
from gptviz.analysis.query_steps import query_steps
from gptviz.analysis.rollout import rollout
from gptviz.analysis.silencing import bits_moved, bits_of_each_head, brightest_head
from gptviz.cache import cached_trace
from gptviz.config import Dropout
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.changes import silence
from gptviz.tracing.passes import pass_of
from gptviz.ui.attention.options import VIEW
from gptviz.ui.attention.page import TAUGHT
from gptviz.ui.widgets.lines import window

PAGE = "pages/attention.py"
TEXT = "Once upon a time there was a king, and a queen"
IDS = tuple(Tokenizer(8192).encode(TEXT))
EACH = "Silence each of the 48 heads in turn"


@pytest.fixture
def trace():
    return cached_trace(pass_of("tales", IDS))


@pytest.mark.parametrize("view", VIEW.allowed)
def test_every_view_opens_for_any_model_and_sentence(view, visit, small):
    page = visit(PAGE, text=TEXT, attention_view=view)
    page.set("text", "a").set("text", "").set("text", "a b a b $x$ <b>**")
    page = small(PAGE, text=TEXT, attention_view=view)
    for switch in ("norm", "feed_forward", "shortcut"):
        page.set(switch, False)
    assert page.set("attention", False).said == (
        "Attention is a placeholder here: there are no heads to look at."
    )
    page = small(PAGE, text="Hi", attention_view=view, train="true", drop_rate="0.5")
    assert page.set("context_length", 1).n_tokens == 1


@pytest.mark.parametrize("view", VIEW.allowed)
def test_what_taught_the_heads_of_tales_is_said_of_tales_alone(view, visit, small):
    assert TAUGHT in visit(PAGE, text=TEXT, attention_view=view).words
    assert TAUGHT not in small(PAGE, text=TEXT, attention_view=view).words


def test_lines_have_the_heads_weights_and_a_click_chooses_a_token(visit):
    page = visit(PAGE, text=TEXT, attention_view="lines", layer="1", head="2")
    meta = page.sent("lines")["meta"]
    assert meta["labels"] == Tokenizer(8192).labels(IDS)
    assert (meta["first"], meta["chosen"]) == (0, len(IDS) - 1)
    page.click("lines", "chosen", 3)
    assert page.value("token") == 3
    assert page.link["token"] == "3"
    assert page.sent("lines")["meta"]["chosen"] == 3
    page.click("lines", "chosen", 0)  # a position that is no truth value
    assert page.value("token") == 0


def test_of_a_long_sentence_the_earlier_weights_are_summed(visit):
    text = "Once upon a time there was a king and " * 12
    ids = tuple(Tokenizer(8192).encode(text))
    page = visit(PAGE, text=text, attention_view="lines", layer="2", head="4", token="80")
    meta = page.sent("lines")["meta"]
    first, last = window(len(ids), 80)
    assert (meta["first"], len(meta["labels"])) == (first, last - first) == (48, 48)
    weights = head_map(cached_trace(pass_of("tales", ids)), 2, 4)
    expected = [sum(float(w) for w in weights[query, :first]) for query in range(first, last)]
    np.testing.assert_allclose(meta["before"], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_tokens", [1, 47, 48, 49, 100, 1024])
def test_the_window_has_the_token_and_what_is_before_it(n_tokens):
    for token in range(n_tokens):
        first, last = window(n_tokens, token)
        assert 0 <= first <= max(0, token - 24)
        assert token < last <= n_tokens
        assert last - first == min(48, n_tokens)


def test_one_token_is_seen_in_both_directions(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, attention_view="token", layer="3", head="2", token="6")
    above, below = page.figures()[0]["data"]
    weights = head_map(trace, 3, 2)
    np.testing.assert_array_equal(numbers(above["y"]), weights[6, :7])
    np.testing.assert_array_equal(numbers(below["y"]), weights[6:, 6])
    assert f"What it gets sums to {weights[6:, 6].sum():.4g}" in page.words


@pytest.mark.parametrize("train", [False, True])
def test_the_steps_are_those_of_the_query_and_add_up(train, visit):
    mode = {"train": "true", "drop_rate": "0.5"} if train else {}
    place = {"layer": "0", "head": "5", "token": "4"}
    page = visit(PAGE, text=TEXT, attention_view="steps", **place, **mode)
    traced = cached_trace(pass_of("tales", IDS, dropout=Dropout(0.5, 123) if train else None))
    steps = query_steps(traced, 0, 5, 4)
    keys, carried = (table.value for table in page.app.dataframe)
    np.testing.assert_array_equal(keys["q · k"], steps.scores)
    np.testing.assert_array_equal(keys["weight"], steps.weights)
    assert keys["weight"].sum() == pytest.approx(1)
    assert list(keys["masked"][5:]) == ["−∞"] * (len(IDS) - 5)
    assert ("after dropout" in keys) == train
    by_hand = sum(steps.mixed_by[key] * steps.values[key, 2] for key in range(5))
    assert carried["w · v[2]"].sum() == pytest.approx(by_hand, abs=1e-6)
    own = float(traced.blocks[0].context_vec[5, 4, 2])
    assert f"{own:.6f}" in page.words
    assert "that is rounding" in page.words
    assert ("Dropout sets a share of 0.5" in page.words) == train


@pytest.mark.parametrize("on", ["sentence", "repeats"])
def test_the_table_has_every_measure_of_every_head(on, visit):
    page = visit(PAGE, text=TEXT, attention_view="compare", measure="induction", measured_on=on)
    ids = IDS if on == "sentence" else repeated_tokens(8192, 32)
    own, chance = (
        measured(cached_trace(pass_of(source, ids))) for source in ("tales", PRESETS["tales"])
    )
    rows = page.app.dataframe[0].value
    assert len(rows) == 48
    for place, measure in enumerate(MEASURES):
        expected = own[place][rows["layer"], rows["head"]]
        np.testing.assert_array_equal(rows[measure.name], expected)
    place = list(MEASURE_OF).index("induction")
    np.testing.assert_array_equal(
        rows["Induction, by chance"], chance[place][rows["layer"], rows["head"]]
    )
    assert rows["Induction"].is_monotonic_decreasing
    np.testing.assert_allclose(page.sent("measure_grid")["meta"]["values"], own[place].ravel())
    np.testing.assert_allclose(page.sent("random_grid")["meta"]["values"], chance[place].ravel())
    called = rows[rows["called"].str.contains("induction")]
    over = (own[place] > 0.5) & (own[place] > 3 * chance[place].max())
    assert len(called) == over.sum()
    if on == "repeats":
        assert {(3, 2), (3, 3), (2, 5)} == set(zip(called["layer"], called["head"], strict=True))


def test_heads_are_filtered_by_the_chosen_measure(visit, trace):
    page = visit(PAGE, text=TEXT, attention_view="compare").set("at_least", 50)
    scores = MEASURE_OF["previous"].of(trace)
    assert len(page.app.dataframe[0].value) == (scores >= scores.max() / 2).sum() < 48
    page.set("measure", "entropy")
    spread = MEASURE_OF["entropy"].of(trace)
    assert len(page.app.dataframe[0].value) == (spread >= spread.max() / 2).sum()
    assert page.link["at_least"] == "50"


def test_a_sentence_without_repeats_says_so(visit):
    page = visit(PAGE, text="Once upon", attention_view="compare", measure="duplicate")
    assert "No token of the sentence comes back later" in page.said
    assert page.app.dataframe[0].value["Duplicate token"].isna().all()


def test_a_random_model_is_its_own_chance(small):
    page = small(PAGE, text=TEXT, attention_view="compare")
    assert "These weights are random themselves" in page.words
    assert "called" not in page.app.dataframe[0].value
    page = small(PAGE, text="a", attention_view="compare", measured_on="repeats")
    assert "context_length is too short" in page.set("context_length", 3).said


@pytest.mark.parametrize("grid", ["measure_grid", "random_grid"])
def test_a_click_on_a_cell_chooses_the_head(grid, visit):
    page = visit(PAGE, text=TEXT, attention_view="compare").click(grid, "chosen", [4, 6])
    assert (page.link["layer"], page.link["head"]) == ("4", "6")
    assert page.sent("measure_grid")["meta"]["chosen"] == [4, 6]


def test_rollout_is_drawn_as_it_is(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, attention_view="rollout")
    shown, expected = numbers(page.figures()[0]["data"][0]["z"]), rollout(trace)
    seen = np.tril(np.ones_like(expected, dtype=bool))
    np.testing.assert_array_equal(shown[seen], expected[seen])
    assert "feed-forward and the norms" in page.words


def without(head, dropout=None):
    silenced = silence({head})
    return cached_trace(pass_of("tales", IDS, dropout=dropout, changes=silenced))


def test_the_brightest_head_is_silenced_and_the_next_token_compared(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, attention_view="explanation")
    head = brightest_head(trace, len(IDS) - 1)
    after = without(head)
    assert f"Layer {head[0]}, head {head[1]}" in page.words
    bits = bits_moved(trace, after, len(IDS) - 1)
    assert page.app.metric[0].value == f"{bits:.4g} bits"
    shown = [numbers(bars["x"]) for bars in page.figures()[0]["data"]]
    for shares, traced in zip(shown, (trace, after), strict=True):
        assert shares.max() == pytest.approx(float(traced.probabilities().max()))


def test_the_chosen_head_is_silenced_at_the_chosen_token(visit, trace):
    link = {"attention_view": "explanation", "silence": "chosen"}
    page = visit(PAGE, text=TEXT, layer="0", head="5", token="3", **link)
    bits = bits_moved(trace, without((0, 5)), 3)
    assert page.app.metric[0].value == f"{bits:.4g} bits"
    same = trace.logits(3).argmax() == without((0, 5)).logits(3).argmax()
    assert page.app.metric[1].value == ("is the same" if same else "is another")


@pytest.mark.parametrize("train", [False, True])
def test_each_head_is_silenced_in_turn_on_demand(train, visit):
    mode = {"train": "true", "drop_rate": "0.25", "mask_seed": "7"} if train else {}
    dropout = Dropout(0.25, 7) if train else None
    page = visit(PAGE, text=TEXT, attention_view="explanation", **mode).press(EACH)
    expected = bits_of_each_head(cached_trace(pass_of("tales", IDS, dropout=dropout)), len(IDS) - 1)
    np.testing.assert_allclose(page.sent("silence_grid")["meta"]["values"], expected.ravel())
    assert EACH not in page.buttons
    page.click("silence_grid", "chosen", [1, 2])
    assert "Layer 1, head 2" in page.words
    assert page.link["silence"] == "chosen"
    assert EACH in page.set("token", 1).buttons  # another token is another question

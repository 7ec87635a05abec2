from __future__ import annotations

import numpy as np
import pytest

from gptviz.analysis.heads import MEASURES, measured, repeated_tokens
from gptviz.analysis.measure_keys import MEASURE_KEYS
from gptviz.loading import load
from gptviz.presets import PRESETS
from gptviz.tracing.changes import silence
from gptviz.tracing.trace import trace

KING = "Once upon a time there was a king, and the king was old"


def test_the_keys_are_those_of_the_measures():
    assert [measure.key for measure in MEASURES] == list(MEASURE_KEYS)


def numbers(heads, shape=(6, 8)):
    """The measures out of a table of heads, in the measures' own order."""
    found = np.zeros((len(MEASURE_KEYS), *shape), dtype=np.float32)
    for head in heads:
        found[:, head["layer"], head["head"]] = [head[key] for key in MEASURE_KEYS]
    return found


def test_every_head_has_the_numbers_of_the_analysis(answer):
    tales = load("tales")
    t = trace(tales.model, tales.tokenizer.encode(KING))
    found = answer("heads", "--text", KING)
    assert [(h["layer"], h["head"]) for h in found["heads"]] == list(np.ndindex(6, 8))
    np.testing.assert_array_equal(numbers(found["heads"]), measured(t))
    assert [m["definition"] for m in found["measures"]] == [m.definition for m in MEASURES]


def test_a_silenced_head_changes_what_later_heads_see(answer):
    tales = load("tales")
    without = silence({(0, 5)})
    t = trace(tales.model, tales.tokenizer.encode(KING), changes=without)
    found = answer("heads", "--text", KING, "--silence", "0.5")
    assert found["silenced"] == [[0, 5]]
    np.testing.assert_array_equal(numbers(found["heads"]), measured(t))


def test_repeats_are_the_induction_heads_own_input(answer, gptviz):
    tales = load("tales")
    values = measured(trace(tales.model, repeated_tokens(8192, 32)))
    found = answer("heads", "--repeats", "--sort", "induction")
    np.testing.assert_array_equal(numbers(found["heads"]), values)
    called = [(h["layer"], h["head"]) for h in found["heads"] if "induction head" in h["called"]]
    induction = values[MEASURE_KEYS.index("induction")]
    assert set(called) == {tuple(place) for place in np.argwhere(induction > 0.5).tolist()}
    assert called
    layer, head = called[0]
    printed = gptviz("heads", "--repeats").stdout
    assert f"{layer}.{head}: induction head" in printed


@pytest.mark.parametrize("key", MEASURE_KEYS)
def test_sorted_by_any_measure(answer, key):
    found = [head[key] for head in answer("heads", "--repeats", "--sort", key)["heads"]]
    assert found == sorted(found, reverse=True)
    few = [head[key] for head in answer("heads", "--repeats", "--sort", key, "--top", 3)["heads"]]
    assert few == found[:3]


def test_what_cannot_be_measured_is_null_and_a_dash(answer, gptviz):
    found = answer("heads", "--text", " king", "--sort", "previous", "--top", 2)
    assert [(h["layer"], h["head"]) for h in found["heads"]] == [(0, 0), (0, 1)]
    assert all(head[key] is None for head in found["heads"] for key in MEASURE_KEYS)
    assert set(found["largest_by_chance"].values()) == {None}
    printed = gptviz("heads", "--text", " king", "--top", 1).stdout
    assert ["0.0", *"–––––––"] in [line.split() for line in printed.splitlines()]
    assert "Try --repeats" in printed


def test_random_weights_have_no_names(answer, monkeypatch):
    tiny = PRESETS["gpt2-small"].changed(emb_dim=24, n_layers=2, vocab_size=300)
    monkeypatch.setitem(PRESETS, "gpt2-small", tiny)
    found = answer("heads", "--model", "gpt2-small", "--repeats")
    assert len(found["heads"]) == 24
    assert found["largest_by_chance"] is None
    assert not any(head["called"] for head in found["heads"])
    assert len(found["tokens"]) == 64
    assert found["tokens"][:32] == found["tokens"][32:]


def test_no_such_measure(refused):
    refused("heads", "--sort", "beauty", words=["'beauty' is no measure: choose one of previous"])

"""No message is longer than a person reads, whatever was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptviz import Ledger
from gptviz.config import ConfigError, Dropout, GPTConfig, Sampling
from gptviz.counting import compare
from gptviz.loading import load
from gptviz.presets import PRESETS
from gptviz.quoting import MOST, quoted, shortened
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.changes import silence
from gptviz.tracing.trace import checked_ids

HUGE = 10**5000  # Python refuses to write it out: it has more than 4,300 digits


@pytest.mark.parametrize("value", ["king", "it's", "a\nb\x1b", 7, -1, 2.5, True, None, ["a", 1]])
def test_what_is_short_is_quoted_as_python_does(value):
    assert quoted(value) == repr(value)


def test_of_what_is_long_both_ends_are_shown():
    assert quoted("a" + "x" * 100_000 + "z") == "'a" + "x" * 36 + "..." + "x" * 37 + "z'"
    assert shortened("abcdefghij", 7) == "ab...ij"
    assert shortened("abcdefg", 7) == "abcdefg"


def test_whole_numbers_that_python_does_not_write_out():
    assert quoted(HUGE) == "a whole number of about 5,001 digits"
    assert quoted([HUGE]) == "[a whole number of about 5,001 digits]"
    assert quoted(10**4000).startswith("1000")


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(value=NESTED)
def test_anything_is_short(value):
    assert len(quoted(value)) <= MOST


def test_what_is_nested_deeper_than_python_goes():
    value = []
    for _ in range(100_000):
        value = [value]
    assert quoted(value) == "[[[[...]]]]"


LONG = "x" * 100_000
HOSTILE = {
    "a field": lambda value: GPTConfig(n_layers=value),
    "placeholders": lambda value: GPTConfig(placeholders=value),
    "a placeholder": lambda value: GPTConfig(placeholders=[str(value)[:99_999]]),
    "yes or no": lambda value: GPTConfig(qkv_bias=value),
    "a rate": lambda value: Dropout(value),
    "a temperature": lambda value: Sampling(temperature=value),
    "top_k": lambda value: Sampling(top_k=value),
    "top_p": lambda value: Sampling(top_p=value),
    "a kept configuration": lambda value: compare.read(value),
    "a model": lambda value: load(value),
    "a path": lambda value: Ledger(GPTConfig()).of(value),
}


@pytest.mark.parametrize("use", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_not_echoed_whole(use):
    with pytest.raises((ValueError, KeyError)) as caught:
        use(LONG)
    assert "xxx...xxx" in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "use",
    [
        lambda: GPTConfig(n_layers=-HUGE),
        lambda: GPTConfig(emb_dim=HUGE, n_heads=7),
        lambda: GPTConfig(emb_dim=7, n_heads=HUGE),
        lambda: GPTConfig(drop_rate=HUGE),
        lambda: Sampling(top_k=-HUGE),
        lambda: Sampling(temperature=-HUGE),
        lambda: Sampling(top_p=HUGE),
        lambda: checked_ids(GPTConfig(), [HUGE]),
        lambda: Tokenizer(-HUGE),
        lambda: Tokenizer().decode([HUGE]),
        lambda: silence({(HUGE, 0)})[0].check(PRESETS["tales"]),
    ],
)
def test_a_number_too_long_to_be_written_is_still_refused_in_words(use):
    with pytest.raises(ValueError, match="a whole number of about 5,001 digits") as caught:
        use()
    assert len(str(caught.value)) < 500


def test_many_unknown_placeholders_are_not_all_named():
    with pytest.raises(ConfigError, match="can be placeholders") as caught:
        GPTConfig(placeholders=list(map(str, range(100_000))))
    assert len(str(caught.value)) < 500

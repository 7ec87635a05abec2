"""The model that ships has learned: to foretell, and to look."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gptviz.analysis.heads import INDUCTION, PREVIOUS_TOKEN, repeated_tokens
from gptviz.loading import TRAINED, Loaded, build, load
from gptviz.tracing.trace import trace
from gptviz.training_step import held_out_loss

# From The Lilac Fairy Book (1910), which was kept apart from training.
HELD_OUT = (
    "Every evening after dark the Shifty Lad went to the home of the Black Gallows Bird, and many "
    "were the new tricks he learned. By-and-by he was allowed to go out with the Bird and watch "
    "him at work, and at last there came a day when his master though that he had grown clever "
    "enough to help in a big robbery. 'There is a rich farmer up there on the hill, who has just "
    "sold all his fat cattle for much money and has bought some lean ones which will cost him "
    "little. Now it happens that, while he has received the money for the fat cattle, he has not "
    "yet paid the price of the thin ones, which he has in the cowhouse. To-morrow he will go to "
    "the market with the money in his hand, so to-night we must get at the chest. When all is "
    "quiet we will hide in the loft.' There was no moon, and it was the night of Hallowe'en, and "
    "everyone was burning nuts and catching apples in a tub of water with their hands tied, and "
    "playing all sorts of other games, till the Shifty Lad grew quite tired of waiting for them "
    "to get to bed."
)


@pytest.fixture(scope="module")
def tales() -> Loaded:
    return load("tales")


@pytest.fixture(scope="module")
def untrained(tales: Loaded) -> Loaded:
    return build(tales.model.config)


def test_the_file_is_small_and_in_fp16() -> None:
    assert TRAINED["tales"].stat().st_size <= 16 * 2**20


def test_it_foretells_a_text_that_it_has_never_read(tales: Loaded) -> None:
    ids = np.array(tales.tokenizer.encode(HELD_OUT), dtype=np.uint16)
    assert len(ids) > tales.model.config.context_length  # or there is no whole row to measure
    loss = held_out_loss(tales.model, ids)
    assert loss < 4.0
    assert loss < math.log(tales.model.config.vocab_size) / 2


def test_it_has_a_previous_token_head(tales: Loaded, untrained: Loaded) -> None:
    ids = tales.tokenizer.encode(HELD_OUT)[:64]
    assert PREVIOUS_TOKEN.of(trace(tales.model, ids)).max() > 0.5
    assert PREVIOUS_TOKEN.of(trace(untrained.model, ids)).max() < 0.1


@pytest.mark.parametrize("span", [16, 32, 64])
def test_it_has_an_induction_head(tales: Loaded, untrained: Loaded, span: int) -> None:
    ids = repeated_tokens(tales.model.config.vocab_size, span)
    assert INDUCTION.of(trace(tales.model, ids)).max() > 0.3
    assert INDUCTION.of(trace(untrained.model, ids)).max() < 0.1


def test_its_card_stands_beside_it() -> None:
    card = TRAINED["tales"].with_name("tales.md").read_text(encoding="utf-8")
    assert f"{TRAINED['tales'].stat().st_size / 2**20:.1f} MiB" in card
    assert "{" not in card  # nothing was left to fill in

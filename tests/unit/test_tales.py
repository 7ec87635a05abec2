"""The model that ships has learned: to foretell, and to look."""

from __future__ import annotations

import copy
import math
import re

import numpy as np
import pytest
import torch

from gptviz.analysis.heads import INDUCTION, PREVIOUS_TOKEN, repeated_tokens
from gptviz.config import Sampling
from gptviz.loading import WEIGHTS, Loaded, build, load
from gptviz.tracing.generation import generate
from gptviz.tracing.trace import trace
from gptviz.training import held_out_loss
from gptviz.ui.attention.page import TAUGHT
from gptviz.words.glossary import entry

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
    assert WEIGHTS["tales"].stat().st_size <= 16 * 2**20


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


def test_its_card_stands_beside_it(card: str) -> None:
    assert f"{WEIGHTS['tales'].stat().st_size / 2**20:.1f} MiB" in card
    assert "{" not in card  # nothing was left to fill in


@pytest.fixture(scope="module")
def card() -> str:
    return WEIGHTS["tales"].with_name("tales.md").read_text(encoding="utf-8")


def test_its_samples_are_what_it_writes(tales: Loaded, card: str) -> None:
    """With the settings that the card names: temperature 0.8, top-k 40, seeds 1 to 3."""
    ids = tales.tokenizer.encode("Once upon a time there was")
    shown = [line.removeprefix("> ") for line in card.splitlines() if line.startswith("> ")]
    for seed, sample in enumerate(shown, 1):
        written = generate(tales.model, ids, 70, Sampling(temperature=0.8, top_k=40), seed)
        text = tales.tokenizer.decode([*ids, *(token.token_id for token in written)])
        assert " ".join(text.split()) == sample
    assert len(shown) == 3


def test_how_many_of_its_rows_were_synthetic_is_said_as_the_card_counts_it(card: str) -> None:
    """From the table of stages: from step to step, and rows of text, copy and echo rows in each."""
    stages = re.findall(r"^\| (\d+) to ([\d,]+) \|.*\| (\d+) \| (\d+) \| (\d+) \|$", card, re.M)
    rows = np.zeros(3)
    for first, last, *kinds in stages:
        rows += (int(last.replace(",", "")) - int(first)) * np.array(kinds, dtype=int)
    _, copies, echoes = (f"{share:.1f} %" for share in 100 * rows / rows.sum())
    synthetic = f"{100 * (1 - rows[0] / rows.sum()):.1f} %"
    assert (synthetic, copies, echoes) == ("16.5 %", "9.7 %", "6.8 %")
    for words in (card, TAUGHT):
        assert all(share in words for share in (synthetic, copies, echoes))


def test_positions_matter_to_it_but_are_not_all_that_tells_order(tales: Loaded) -> None:
    """Without its position embedding it foretells worse, and yet far better than by guessing."""
    ids = np.array(tales.tokenizer.encode(HELD_OUT), dtype=np.uint16)
    bare = copy.deepcopy(tales.model)
    with torch.no_grad():
        bare.pos_emb.weight.zero_()
    with_, without = held_out_loss(tales.model, ids), held_out_loss(bare, ids)
    assert with_ + 1 < without < math.log(8192) - 2


def test_attention_shrinks_the_stream_of_many_tokens(tales: Loaded) -> None:
    """So no sentence of the glossary may say that a norm's input has grown."""
    t = trace(tales.model, tales.tokenizer.encode(HELD_OUT)[:128])
    for block in t.blocks[3:]:
        after = block.resid_pre + block.attention_out
        assert float((after.norm(dim=-1) < block.resid_pre.norm(dim=-1)).float().mean()) > 0.1
    for part in ("blocks.0.norm1", "blocks.0.norm2", "final_norm"):
        assert "grow" not in entry(tales.model.config, part).why

"""Measure the trained model and write its card, gptviz/assets/tales.md.

    python scripts/tales_card.py CORPUS STATE

CORPUS is the folder it was trained on, STATE the ``state.safetensors`` that training left behind
(its loss curve is taken from there). Every number in the card is measured here.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open

from gptviz.analysis.heads import INDUCTION, PREVIOUS_TOKEN, repeated_tokens
from gptviz.config import Sampling
from gptviz.corpus import read_corpus
from gptviz.loading import WEIGHTS, Loaded, build, load
from gptviz.tracing.generation import generate
from gptviz.tracing.trace import trace
from gptviz.training_step import held_out_loss

HELD_OUT = ("Magic-of-Oz", "Lilac-Fairy")
SPAN = 32
SEEDS = range(8)
PROMPT = "Once upon a time there was"
LENGTH = 70  # tokens
SAMPLING = Sampling(temperature=0.8, top_k=40)
SAMPLE_SEEDS = (1, 2, 3)
HERE = Path(__file__).parent


def main(corpus_folder: Path, state: Path) -> None:
    tales = load("tales")
    corpus = read_corpus(corpus_folder, tales.tokenizer, HELD_OUT)
    loss = held_out_loss(tales.model, corpus.held_out)
    with safe_open(state, framework="pt") as file:
        about = {key: json.loads(value) for key, value in file.metadata().items()}
    text = (HERE / "tales_card.txt").read_text(encoding="utf-8")
    card = text.format(
        parameters=f"{sum(p.numel() for p in tales.model.parameters()):,}",
        mebibytes=f"{WEIGHTS['tales'].stat().st_size / 2**20:.1f}",
        train_tokens=f"{len(corpus.train):,}",
        held_out_tokens=f"{len(corpus.held_out):,}",
        loss=f"{loss:.3f}",
        perplexity=f"{math.exp(loss):.1f}",
        curve="\n".join(f"| {tokens / 1e6:.1f} | {nats:.3f} |" for tokens, nats in about["curve"]),
        steps=f"{about['step']:,}",
        n_tokens=about["recipe"]["tokens"],
        tokens=f"{about['recipe']['tokens'] / 1e6:.1f}",
        samples="\n\n".join(f"> {sample(tales, seed)}" for seed in SAMPLE_SEEDS),
        heads=heads(tales, build(tales.model.config)),
        span=SPAN,
        n_seeds=len(SEEDS),
    )
    (WEIGHTS["tales"].parent / "tales.md").write_text(card, encoding="utf-8")
    print(card)


def sample(tales: Loaded, seed: int) -> str:
    """The prompt and what is written after it, on one line."""
    ids = tales.tokenizer.encode(PROMPT)
    ids += [token.token_id for token in generate(tales.model, ids, LENGTH, SAMPLING, seed)]
    return " ".join(tales.tokenizer.decode(ids).split())


def heads(tales: Loaded, random: Loaded) -> str:
    """Rows of a table: the heads that look most, with the best head of a random model beside."""
    rows = []
    for name, measure in (("previous token", PREVIOUS_TOKEN), ("induction", INDUCTION)):
        trained, untrained = (
            np.mean([measure.of(trace(m.model, sequence(m, seed))) for seed in SEEDS], axis=0)
            for m in (tales, random)
        )
        for place in np.argsort(trained, axis=None)[::-1][:3]:
            layer, head = np.unravel_index(place, trained.shape)
            weight = f"{trained[layer, head]:.3f}"
            rows.append(f"| {name} | {layer} | {head} | {weight} | {untrained.max():.3f} |")
    return "\n".join(rows)


def sequence(loaded: Loaded, seed: int) -> list[int]:
    return repeated_tokens(loaded.model.config.vocab_size, SPAN, seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

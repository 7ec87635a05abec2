"""Write on: a text goes in, and a token at a time comes out, each drawn and then read in turn.

Tokens that were read once are not read again: their keys and values are kept (the KV cache). The
text is the one that reading the whole sentence anew for each token would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import torch
from jaxtyping import Float, Int
from torch import Tensor

from gptviz.config import Sampling
from gptviz.model import (
    GPTModel,
    KVCache,
)
from gptviz.quoting import quoted
from gptviz.tokenizer import FULL_VOCAB_SIZE
from gptviz.tracing.hooks import BeforeBlock, Recorder, install_hooks, recording
from gptviz.tracing.trace import checked_ids

# Scores are fp32: one of up to 16 is rounded by at most 2^-21, which changes a probability by as
# much of itself, and by as much again through the sum it is divided by. Sums below are in double.
EDGE = 2.0**-20


@torch.inference_mode()
def filtered(
    logits: Float[Tensor, " vocab_size"], sampling: Sampling
) -> Float[Tensor, " vocab_size"]:
    """The probabilities that a token is drawn by: 0 for what was cut, the others sum to 1.

    Temperature comes first, then top-k, then top-p, and the shares of what is left are made to sum
    to 1 again after each. Of two tokens with the same score, the first is the likelier. Top-p
    keeps the fewest whose shares sum to ``top_p``, or miss it by rounding alone: see ``EDGE``.
    """
    if not sampling.temperature:
        return torch.zeros_like(logits, dtype=torch.float64).index_fill_(0, logits.argmax(), 1)
    # In double, and against the largest: so any temperature above 0 gives a number.
    scores = (logits.double() - logits.max()) / sampling.temperature
    if not sampling.top_k and sampling.top_p == 1:
        return torch.softmax(scores, dim=-1)
    scores, order = scores.sort(descending=True, stable=True)
    scores[sampling.top_k or len(scores) :] = -torch.inf
    shares = torch.softmax(scores, dim=-1)
    before = shares.cumsum(dim=-1) - shares  # what the likelier ones have together
    shares = shares * (before < sampling.top_p * (1 - EDGE))
    return torch.empty_like(shares).scatter_(0, order, shares / shares.sum())


class Reader:
    """Reads a text with a model bit by bit, every token once, and keeps keys and values.

    Any number of readers, in any number of threads, may read with one model.

    Raises:
        ValueError: if the model is in train mode, where it would drop numbers at random.
    """

    def __init__(self, model: GPTModel) -> None:
        if any(module.training for module in model.modules()):
            raise ValueError("the model is in train mode: call model.eval() before writing with it")
        install_hooks(model)
        self.model = model
        self.cache = KVCache(model.config)

    @property
    def n_tokens(self) -> int:
        """Tokens read so far."""
        return self.cache.n_tokens

    @torch.inference_mode()
    def read(
        self, token_ids: Iterable[int], before_block: BeforeBlock | None = None
    ) -> Float[Tensor, " vocab_size"]:
        """Read on, and give the scores for the token after the last one read.

        A pass that ``before_block`` breaks off leaves this reader useless.

        Raises:
            ValueError: if the ids are none, outside the vocabulary, or too many to be read.
        """
        model = self.model
        ids = checked_ids(model.config, token_ids, self.n_tokens)
        with recording(Recorder(before_block=before_block)):
            return model(torch.tensor([ids], device=model.tok_emb.weight.device), self.cache)[0, -1]


@dataclass(frozen=True, eq=False)
class Generated:
    """A token that was written.

    Args:
        token_id: what it is.
        position: its place in the text, counted from 0.
        probability: its share of what it was drawn from, that is of ``filtered``.
        logits: the model's scores, before ``filtered``.
        layer_bytes: bytes of keys and values in each layer when it was drawn: of the
            ``position`` tokens before it.
    """

    token_id: int
    position: int
    probability: float
    logits: Float[Tensor, " vocab_size"]
    layer_bytes: tuple[int, ...]


def generate(
    model: GPTModel,
    token_ids: Iterable[int] | Int[Tensor, " n_tokens"],
    n: int,
    sampling: Sampling | None = None,
    seed: int = 123,
    before_block: BeforeBlock | None = None,
) -> Iterator[Generated]:
    """Write up to ``n`` tokens after a text, each as soon as it is drawn.

    It ends earlier after ``<|endoftext|>``, and where the context is full: a token at position
    ``context_length`` can be drawn but not read, for the model has learned no position for it.
    (Dropping the oldest tokens would shift every position, and all that is kept would be wrong.)

    The draw at a position depends on the seed and the position alone, so a text written in two
    goes is the text written in one, and torch's global random numbers are neither used nor
    disturbed. Any number of threads may write with one model.

    Args:
        model: in eval mode.
        token_ids: from 1 to ``context_length`` ids of the model's vocabulary.
        sampling: how to draw; by the model's own probabilities if None.
        before_block: called with the layer's number before each block of each step; what it
            raises ends the writing and reaches the caller.

    Raises:
        ValueError: at once, if the ids are none, too many or outside the vocabulary, ``n`` is
            below 0, or the model is in train mode.
    """
    ids = checked_ids(model.config, token_ids)
    if n < 0:
        raise ValueError(f"n={quoted(n)} tokens can't be written: ask for 0 or more")
    return _written(Reader(model), ids, n, sampling or Sampling(), seed, before_block)


def _written(
    reader: Reader,
    new_ids: list[int],
    n: int,
    sampling: Sampling,
    seed: int,
    before_block: BeforeBlock | None,
) -> Iterator[Generated]:
    config = reader.model.config
    end_of_text = min(config.vocab_size, FULL_VOCAB_SIZE) - 1
    for _ in range(n):
        logits = reader.read(new_ids, before_block)
        position = reader.n_tokens
        token_id, probability = _draw(logits, sampling, seed, position)
        yield Generated(token_id, position, probability, logits, reader.cache.layer_bytes)
        if token_id == end_of_text or position == config.context_length:
            return
        new_ids = [token_id]


def _draw(
    logits: Float[Tensor, " vocab_size"], sampling: Sampling, seed: int, position: int
) -> tuple[int, float]:
    probabilities = filtered(logits, sampling).cpu()
    place = sha256(f"{seed} {position}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(place[:4]))
    token_id = int(torch.multinomial(probabilities, 1, generator=generator))
    return token_id, float(probabilities[token_id])

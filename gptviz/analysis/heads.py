"""What a head does, as one number for each head."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from gptviz.analysis import measure_keys as keys
from gptviz.analysis.attention import require_attention
from gptviz.model import attn_weights
from gptviz.tokenizer import FULL_VOCAB_SIZE
from gptviz.tracing.trace import Trace

AT_ONCE = 2**24  # weights worked on at once: 64 MiB

THRESHOLD = 0.5  # a head is called by what it gives more than half of its weight to,
TIMES_RANDOM = 3  # and more than so many times what any head of a random model gives to it

Ids = Int64[Tensor, " n_tokens"]
Maps = Float[Tensor, "n_heads n_tokens n_tokens"]


@dataclass(frozen=True)
class HeadMeasure:
    """One number for each head: the mean of something over the tokens that look (queries).

    Args:
        key: a short name, for links and the terminal.
        name: the plain name.
        definition: what it is, in one line.
        source: the paper it comes from.
        unit: "bits", "tokens", or "weight": a share from 0 to 1.
        head_name: what a head with much of it is called; empty if there is no such name.
        needs_repeats: whether it is about tokens that stand in the sentence more than once.
        of_queries: a number for each query of each head, from the heads' weights.
        counts: which queries the mean is taken over.
    """

    key: str
    name: str
    definition: str
    source: str
    unit: str
    head_name: str
    needs_repeats: bool
    of_queries: Callable[[Maps, Ids], Float[Tensor, "n_heads n_tokens"]]
    counts: Callable[[Ids], Bool[Tensor, " n_tokens"]]

    def applies(self, token_ids: Ids) -> bool:
        """Whether the sentence has a token that this can be measured at."""
        return bool(self.counts(token_ids).any())

    def of(self, trace: Trace) -> Float32[np.ndarray, "n_layers n_heads"]:
        """The measure of every head.

        Raises:
            ValueError: if the sentence has no token that it can be measured at, or attention is a
                placeholder.
        """
        require_attention(trace)
        if not self.applies(trace.token_ids):
            what = "no token comes back" if self.needs_repeats else "one token has none before it"
            raise ValueError(f"{self.name} can't be measured here: {what}")
        return measured(trace, (self,))[0]

    def is_called(
        self,
        values: Float32[np.ndarray, "n_layers n_heads"],
        random: Float32[np.ndarray, "n_layers n_heads"],
    ) -> np.ndarray:
        """Which heads are called ``head_name``: over one half, and well over what chance gives.

        Args:
            random: the same measure of a model of the same shape with random weights.
        """
        if not self.head_name:
            return np.zeros(values.shape, dtype=bool)
        return (values > THRESHOLD) & (values > TIMES_RANDOM * random.max())


@torch.inference_mode()
def measured(
    trace: Trace,
    measures: Sequence[HeadMeasure] | None = None,
    before_each: Callable[[int], object] | None = None,
) -> Float32[np.ndarray, "n_measures n_layers n_heads"]:
    """Several measures of every head at once: by default all of ``MEASURES``.

    A few heads' maps are in memory at a time, never all. Where the sentence has no token that a
    measure can be taken at, all of its numbers are NaN.

    Args:
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.

    Raises:
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(trace)
    measures = MEASURES if measures is None else measures
    layers = []
    for layer in range(len(trace.blocks)):
        if before_each is not None:
            before_each(layer)
        parts = [_of_heads(maps, trace.token_ids, measures) for maps in few_maps(trace, layer)]
        layers.append(torch.cat(parts, dim=1))
    return torch.stack(layers, dim=1).float().numpy(force=True)


def head_names(
    values: Float32[np.ndarray, "n_measures n_layers n_heads"],
    random: Float32[np.ndarray, "n_measures n_layers n_heads"],
) -> list[list[list[str]]]:
    """What each head is called, by layer and head: some have several names, and most have none.

    Args:
        values, random: all of ``MEASURES``, of a model and of one like it with random weights.
    """
    called = [
        (measure.head_name, measure.is_called(own, chance))
        for measure, own, chance in zip(MEASURES, values, random, strict=True)
    ]
    _, n_layers, n_heads = values.shape
    return [
        [[name for name, heads in called if heads[layer, head]] for head in range(n_heads)]
        for layer in range(n_layers)
    ]


def few_maps(trace: Trace, layer: int) -> Iterator[Float[Tensor, "few n_tokens n_tokens"]]:
    """A layer's attention weights, as many heads at a time as 64 MiB have room for."""
    block = trace.blocks[layer]
    both = block.qk
    assert both is not None, layer
    q, k = both
    few = max(1, AT_ONCE // trace.n_tokens**2)
    for some_q, some_k in zip(q.split(few), k.split(few), strict=True):
        yield attn_weights(some_q, some_k)


def _of_heads(
    maps: Float[Tensor, "few n_tokens n_tokens"], token_ids: Ids, measures: Sequence[HeadMeasure]
) -> Float[Tensor, "n_measures few"]:
    """The mean of each measure over the queries that count; of no queries it is NaN."""
    means = [
        measure.of_queries(maps, token_ids)[:, measure.counts(token_ids)].mean(dim=-1)
        for measure in measures
    ]
    return torch.stack(means)


def repeated_tokens(vocab_size: int, span: int, seed: int = 123) -> list[int]:
    """``span`` random token ids, twice: text that can be foretold only by looking back.

    ``<|endoftext|>`` and ids that stand for no text are left out.
    """
    n_words = min(vocab_size, FULL_VOCAB_SIZE) - 1
    once = np.random.default_rng(seed).integers(n_words, size=span).tolist()
    return [*once, *once]


# --- what is measured at each query -------------------------------------------------------------


def _not_the_first(token_ids: Ids) -> Bool[Tensor, " n_tokens"]:
    """Token 0 has no choice: it sees but itself."""
    return torch.arange(len(token_ids), device=token_ids.device) > 0


def _earlier_copies(token_ids: Ids) -> Bool[Tensor, "n_tokens n_tokens"]:
    """For each query, the keys before it that are the same token."""
    return (token_ids[:, None] == token_ids).tril(diagonal=-1)


def _after_earlier_copies(token_ids: Ids) -> Bool[Tensor, "n_tokens n_tokens"]:
    """For each query, the keys before it that come right after an earlier copy of it."""
    return F.pad(_earlier_copies(token_ids)[:, :-1], (1, 0)).tril(diagonal=-1)


def _on(targets: Callable[[Ids], Tensor]) -> Callable[[Maps, Ids], Tensor]:
    """The weight on all of a query's targets together."""
    return lambda maps, token_ids: (maps * targets(token_ids)).sum(dim=-1)


def _with(targets: Callable[[Ids], Tensor]) -> Callable[[Ids], Tensor]:
    """The queries that have a target."""
    return lambda token_ids: targets(token_ids).any(dim=-1)


def _distance(maps: Maps, _token_ids: Ids) -> Float[Tensor, "n_heads n_tokens"]:
    positions = torch.arange(maps.shape[-1], device=maps.device, dtype=maps.dtype)
    return positions - maps @ positions


MEASURES = (
    HeadMeasure(
        key=keys.PREVIOUS,
        name="Previous token",
        definition="The mean weight on the token right before.",
        source="Elhage et al. 2021, A Mathematical Framework for Transformer Circuits",
        unit="weight",
        head_name="previous-token head",
        needs_repeats=False,
        of_queries=lambda maps, _: F.pad(maps.diagonal(-1, dim1=-2, dim2=-1), (1, 0)),
        counts=_not_the_first,
    ),
    HeadMeasure(
        key=keys.FIRST,
        name="First token",
        definition="The mean weight on token 0: where a head looks that has nothing to look for.",
        source="Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks",
        unit="weight",
        head_name="first-token head",
        needs_repeats=False,
        of_queries=lambda maps, _: maps[..., 0],
        counts=_not_the_first,
    ),
    HeadMeasure(
        key=keys.ITSELF,
        name="Itself",
        definition="The mean weight that a token keeps for itself.",
        source="Clark et al. 2019, What Does BERT Look At?, section 3.1",
        unit="weight",
        head_name="self-looking head",
        needs_repeats=False,
        of_queries=lambda maps, _: maps.diagonal(dim1=-2, dim2=-1),
        counts=_not_the_first,
    ),
    HeadMeasure(
        key=keys.DUPLICATE,
        name="Duplicate token",
        definition="The mean weight on all earlier copies of the present token, where it has some.",
        source="Wang et al. 2022, Interpretability in the Wild",
        unit="weight",
        head_name="duplicate-token head",
        needs_repeats=True,
        of_queries=_on(_earlier_copies),
        counts=_with(_earlier_copies),
    ),
    HeadMeasure(
        key=keys.INDUCTION,
        name="Induction",
        definition="The mean weight on the tokens that came right after earlier copies of the "
        "present token, where there are some.",
        source="Olsson et al. 2022, In-context Learning and Induction Heads",
        unit="weight",
        head_name="induction head",
        needs_repeats=True,
        of_queries=_on(_after_earlier_copies),
        counts=_with(_after_earlier_copies),
    ),
    HeadMeasure(
        key=keys.ENTROPY,
        name="Spread (entropy)",
        definition="How widely the weight is spread: 0 bits is one token, 3 bits as wide as 8 "
        "tokens alike. The mean of −Σ weight · log₂ weight.",
        source="Clark et al. 2019, What Does BERT Look At?, section 3.3",
        unit="bits",
        head_name="",
        needs_repeats=False,
        of_queries=lambda maps, _: torch.special.entr(maps).sum(dim=-1) / math.log(2),
        counts=_not_the_first,
    ),
    HeadMeasure(
        key=keys.DISTANCE,
        name="Distance looked back",
        definition="How many tokens back, each weighted by what it gets: the mean of "
        "Σ weight · (query − key).",
        source="Vig & Belinkov 2019, Analyzing the Structure of Attention in a Transformer "
        "Language Model",
        unit="tokens",
        head_name="",
        needs_repeats=False,
        of_queries=_distance,
        counts=_not_the_first,
    ),
)

MEASURE_OF = {measure.key: measure for measure in MEASURES}
PREVIOUS_TOKEN, INDUCTION = MEASURE_OF[keys.PREVIOUS], MEASURE_OF[keys.INDUCTION]

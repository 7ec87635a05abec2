"""The GPT: embeddings, blocks of attention and feed-forward, a final norm, the output head.

Source: Radford et al. 2019 (GPT-2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from gptviz.config import GPTConfig
from gptviz.model.block import TransformerBlock
from gptviz.model.kv_cache import KVCache
from gptviz.model.norms import LayerNorm, norm
from gptviz.model.positions import positions

BAND = 2**23  # weights drawn at once: a tenth of a second


class GPTModel(nn.Module):
    """A GPT: token ids in, a score (logit) for every possible next token out.

    Weights are drawn part by part in forward order with torch's default distributions, from a
    generator of the model's own, so nobody's random numbers are disturbed.

    Args:
        config: what to build.
        seed: where the random weights start; or a generator, which goes on from where it is.
        device: ``"meta"`` gives shapes without memory and draws no weights.
        before_each: see ``draw_weights``.
    """

    def __init__(
        self,
        config: GPTConfig,
        seed: int | torch.Generator = 123,
        device: torch.device | str = "cpu",
        before_each: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):
            self.tok_emb = nn.Embedding(config.vocab_size, config.emb_dim)
            self.pos_emb = nn.Embedding(config.context_length, config.emb_dim)
            self.drop_emb = nn.Dropout(config.drop_rate)
            self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.n_layers))
            self.final_norm = norm(config)
            self.out_head = nn.Linear(config.emb_dim, config.vocab_size, bias=False)
        if torch.device(device).type != "meta":
            self.to_empty(device=device)
        if config.tie_weights:
            self.out_head.weight = self.tok_emb.weight
        if torch.device(device).type != "meta":
            draw_weights(self, seed, before_each)

    def forward(
        self, token_ids: Int[Tensor, "batch n_tokens"], cache: KVCache | None = None
    ) -> Float[Tensor, "batch n_tokens vocab_size"]:
        """Scores for the token after each of these.

        Args:
            cache: what was kept of the tokens read before these; those of now are added to it.

        Raises:
            ValueError: if there are no tokens, or more than ``context_length`` with those before.
        """
        n_before = cache.n_tokens if cache else 0
        places = positions(token_ids, self.config.context_length, n_before)
        x = self.drop_emb(self.tok_emb(token_ids) + self.pos_emb(places))
        for layer, block in enumerate(self.blocks):
            x = block(x, cache.layers[layer] if cache else None)
        if cache:
            cache.n_tokens += token_ids.shape[-1]
        return self.out_head(self.final_norm(x))


def draw_weights(
    model: GPTModel,
    seed: int | torch.Generator,
    before_each: Callable[[], object] | None = None,
) -> None:
    """Draw every weight anew, part by part in forward order, by torch's default distributions.

    Args:
        before_each: called before each band of weights is drawn; what it raises stops the work and
            reaches the caller.
    """
    generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, LayerNorm):
            nn.init.ones_(module.scale)
            nn.init.zeros_(module.shift)
        elif isinstance(module, nn.Embedding):
            for band in bands(module.weight, before_each):
                nn.init.normal_(band, generator=generator)
        elif isinstance(module, nn.Linear) and module.weight is not model.tok_emb.weight:
            for band in bands(module.weight, before_each):
                nn.init.kaiming_uniform_(band, a=math.sqrt(5), generator=generator)
            if module.bias is not None:
                bound = 1 / math.sqrt(module.in_features)
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def bands(
    weight: Float[Tensor, "rows columns"], before_each: Callable[[], object] | None = None
) -> Iterator[Float[Tensor, "_ columns"]]:
    """A weight in bands of rows, which share its memory: drawn in turn, they get the same numbers.

    torch draws normal numbers in groups of 16, and fewer than 16 in another way: so every band but
    the last has 16 rows or a multiple, and the last, which has the rest, no fewer.
    """
    rows = max(1, BAND // (16 * weight.shape[1])) * 16
    starts = range(rows, len(weight) - rows + 1, rows)
    for band in weight.detach().tensor_split(list(starts)):
        if before_each is not None:
            before_each()
        yield band

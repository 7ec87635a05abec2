"""What one block of a traced model did to the sentence."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import SupportsIndex, overload

from jaxtyping import Float
from torch import Tensor

from gptviz.anatomy import find
from gptviz.config import GPTConfig
from gptviz.quoting import quoted
from gptviz.tracing.passes import Pass
from gptviz.tracing.replay import Replay


@dataclass(frozen=True, eq=False)
class BlockTrace:
    """What one block did to the sentence.

    The residual stream before, between and after the two parts is always there. Everything of a
    part that is a placeholder in the configuration is None. What the pass did not keep is made
    again, to the last bit, when asked for. Tensors that are one and the same share their memory:
    this block's ``resid_post`` is the next one's ``resid_pre``.

    Args:
        of: the pass.
        config: the model's configuration.
        layer: the block's number.
        resid_pre: the residual stream as the block finds it.
        attention_out: what attention adds to the stream, after dropout.
        feed_forward_out: what the feed-forward adds to the stream, after dropout.
        resid_post: the stream as the block leaves it.
        replay: runs the block again.
    """

    of: Pass = field(repr=False)
    config: GPTConfig
    layer: int
    resid_pre: Float[Tensor, "n_tokens emb_dim"]
    attention_out: Float[Tensor, "n_tokens emb_dim"] | None
    feed_forward_out: Float[Tensor, "n_tokens emb_dim"] | None
    resid_post: Float[Tensor, "n_tokens emb_dim"]
    replay: Replay = field(repr=False)

    def at(
        self, name: str, head: int | None = None
    ) -> Float[Tensor, "*n_heads rows columns"] | None:
        """``Trace.at`` for a part of this block, such as ``attention.core.softmax``."""
        part = find(self.config, f"blocks.{self.layer}{name and '.'}{name}")
        if not part.built and part.does != "shortcut":
            return None
        if part.makes[0] == "n_heads" and head is not None:
            _check("head", head, self.config.n_heads)
        return self._kept(name) if name in _KEPT_IN_BLOCK else self._made(name, head)

    def _kept(self, name: str) -> Tensor | None:
        return {
            "": self.resid_post,
            "drop1": self.attention_out,
            "shortcut1": self.resid_mid,
            "drop2": self.feed_forward_out,
            "shortcut2": self.replay.resid_end() if self._is_changed else self.resid_post,
        }[name]

    @property
    def _is_changed(self) -> bool:
        """Whether what the whole block makes was changed."""
        return any(change.at == self.replay.path for change in self.of.changes)

    def _made(self, name: str, head: int | None) -> Tensor:
        module, _, step = name.rpartition(".")
        if module in ("norm1", "norm2"):
            return self.replay.norm_step(module, step)
        if module == "attention.core":
            return self.replay.core_step(step, head)
        if name == "attention.merge":
            return self.replay.merged()
        heads = {
            "attention.split": lambda: self.replay.split("query"),
            "attention.core": lambda: self.replay.output(name),
        }
        if name in heads:
            found = heads[name]()
            return found if head is None else found[head]
        return self.replay.output(name)

    @property
    def normed1(self) -> Float[Tensor, "n_tokens emb_dim"] | None:
        """After the first norm, what attention reads."""
        return self.at("norm1")

    @property
    def q(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """Queries, one row a token, for each head."""
        return self._heads_of("query")

    @property
    def k(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """Keys, likewise."""
        return self._heads_of("key")

    @property
    def v(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """Values, likewise."""
        return self._heads_of("value")

    @property
    def qk(self) -> tuple[Tensor, Tensor] | None:
        """``q`` and ``k``, made together in half the time; None without attention."""
        return self.replay.queries_and_keys() if self.config.has("attention") else None

    def _heads_of(self, projection: str) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        return self.replay.split(projection) if self.config.has("attention") else None

    @property
    def resid_mid(self) -> Float[Tensor, "n_tokens emb_dim"]:
        """The stream between attention and feed-forward."""
        return self.replay.resid_mid()

    @property
    def normed2(self) -> Float[Tensor, "n_tokens emb_dim"] | None:
        """After the second norm, what the feed-forward reads."""
        return self.at("norm2")

    @property
    def ff_hidden(self) -> Float[Tensor, "n_tokens ff_dim"] | None:
        """The feed-forward's hidden layer before GELU."""
        return self.at("feed_forward.linear1") if self.config.has("feed_forward") else None

    @property
    def gelu_out(self) -> Float[Tensor, "n_tokens ff_dim"] | None:
        """The feed-forward's hidden layer after GELU."""
        return self.at("feed_forward.gelu") if self.config.has("feed_forward") else None

    def attn_scores(
        self, head: int | None = None
    ) -> Float[Tensor, "*n_heads n_tokens n_tokens"] | None:
        """How well each query (row) matches each key (column), not scaled and not masked.

        One head's map, or all heads' where ``head`` is None; None without attention.

        Raises:
            IndexError: if there is no such head.
        """
        return self._in_core("scores", head)

    def attn_weights(
        self, head: int | None = None
    ) -> Float[Tensor, "*n_heads n_tokens n_tokens"] | None:
        """How much each query (row) takes from each key (column): every row sums to 1.

        One head's map, or all heads' where ``head`` is None; None without attention. It is what
        the softmax makes, before dropout.

        Raises:
            IndexError: if there is no such head.
        """
        return self._in_core("softmax", head)

    def dropped_weights(
        self, head: int | None = None
    ) -> Float[Tensor, "*n_heads n_tokens n_tokens"] | None:
        """``attn_weights`` after dropout, as the values are mixed: in eval mode the same.

        In train mode some weights are 0, the others enlarged: a row sums to 1 only on average.

        Raises:
            IndexError: if there is no such head.
        """
        return self._in_core("dropout", head)

    @property
    def context_vec(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """What each head gathered for each token: its weights times the values; 0 if silenced."""
        return self._in_core("gather", None)

    def _in_core(self, step: str, head: int | None) -> Tensor | None:
        return self.at(f"attention.core.{step}", head) if self.config.has("attention") else None


_KEPT_IN_BLOCK = ("", "drop1", "shortcut1", "drop2", "shortcut2")


class BlockTraces(tuple[BlockTrace, ...]):
    """One ``BlockTrace`` a layer, counted from 0; asking for a layer that isn't there says so."""

    @overload
    def __getitem__(self, layer: SupportsIndex) -> BlockTrace: ...
    @overload
    def __getitem__(self, layer: slice) -> tuple[BlockTrace, ...]: ...
    def __getitem__(self, layer: SupportsIndex | slice) -> BlockTrace | tuple[BlockTrace, ...]:
        if isinstance(layer, slice):
            return super().__getitem__(layer)
        return super().__getitem__(_check("layer", layer, len(self)))


def _check(what: str, index: SupportsIndex, length: int) -> int:
    number = operator.index(index)
    if not 0 <= number < length:
        raise IndexError(
            f"{what} {quoted(number)} isn't there: {what}s count from 0 to {length - 1}"
        )
    return number

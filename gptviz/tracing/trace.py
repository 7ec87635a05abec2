"""Run a model once and keep what happened: ``trace`` does it, a ``Trace`` holds it.

It keeps what can't be derived cheaply, and makes the rest again, exactly, when asked.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int64
from torch import Tensor

from gptviz.anatomy import find
from gptviz.config import Dropout, GPTConfig
from gptviz.model import GPTModel, check_length
from gptviz.quoting import quoted
from gptviz.tracing.block_trace import BlockTrace, BlockTraces
from gptviz.tracing.changes import UNCHANGED, Changes
from gptviz.tracing.hooks import BeforeBlock, Recorder, install_hooks, recording
from gptviz.tracing.passes import Pass
from gptviz.tracing.replay import Replay, norm_step


@dataclass(frozen=True, eq=False)
class Trace:
    """One sentence on its way through a model, without a batch axis.

    Args:
        of: the pass: which model, which tokens, what was dropped and changed.
        config: the model's configuration.
        token_ids: what was read.
        tok_emb: each token's own embedding.
        pos_emb: each position's embedding.
        embeddings: their sum, after dropout: the residual stream before block 0.
        blocks: what happened in each layer.
        stream: what the output head reads, at every position.
        last_logits: the output head's scores for the token after the sentence.
        model: what read it: the shared model itself, not a copy.

    Its tensors, and those made when asked for, are inference tensors: autograd can't use them
    ("Inference tensors cannot be saved for backward"). A clone made outside of
    ``torch.inference_mode`` can be used: ``trace.stream.clone().requires_grad_()``, under
    ``torch.enable_grad()`` where gradients are off.
    """

    of: Pass = field(repr=False)
    config: GPTConfig
    token_ids: Int64[Tensor, " n_tokens"]
    tok_emb: Float[Tensor, "n_tokens emb_dim"]
    pos_emb: Float[Tensor, "n_tokens emb_dim"]
    embeddings: Float[Tensor, "n_tokens emb_dim"]
    blocks: BlockTraces = field(repr=False)
    stream: Float[Tensor, "n_tokens emb_dim"]
    last_logits: Float[Tensor, " vocab_size"]
    model: GPTModel = field(repr=False)

    @property
    def n_tokens(self) -> int:
        """Length of the sentence, in tokens."""
        return len(self.token_ids)

    @property
    def dropout(self) -> Dropout | None:
        """What the pass dropped (train mode); None in eval mode."""
        return self.of.dropout

    @property
    def final_norm(self) -> Float[Tensor, "n_tokens emb_dim"] | None:
        """What the final norm made of the stream; None where norms are placeholders."""
        return self.stream if self.config.has("norm") else None

    @property
    def last_resid(self) -> Float[Tensor, "n_tokens emb_dim"]:
        """The residual stream after the last block."""
        return self.blocks[len(self.blocks) - 1].resid_post

    @torch.inference_mode()
    def at(
        self, path: str, head: int | None = None
    ) -> Float[Tensor, "*n_heads rows columns"] | None:
        """What came out of the part at ``path``: a token in each row.

        Inside the heads it is what came out of one of them, or of all where ``head`` is None: a
        query in each row, a key in each column, or the numbers of ``head_dim``. After the output
        head it is one row, for the token after the sentence. None where no numbers come out: of a
        placeholder, of the text itself and of the choice of the next token. Masked scores are
        minus infinity.

        Raises:
            IndexError: if there is no such layer or head.
            KeyError: if this model has no such part.
        """
        blocks, _, rest = path.partition(".")
        layer, _, name = rest.partition(".")
        if blocks == "blocks" and layer.isdecimal():
            return self.blocks[int(layer)].at(name, head)
        if not find(self.config, path).built:
            return None
        norm, _, step = path.partition(".")
        if norm == "final_norm" and step:
            return norm_step(self.model.final_norm, self.last_resid, step)
        return self._whole(path)

    def _whole(self, path: str) -> Tensor | None:
        if path in ("out_head.softmax", "next_token"):
            return self.probabilities()[None]
        return {
            "tok_emb": self.tok_emb,
            "pos_emb": self.pos_emb,
            "embeddings": self.embeddings,
            "embeddings.sum": self.tok_emb + self.pos_emb,
            "drop_emb": self.embeddings,
            "blocks": self.last_resid,
            "final_norm": self.stream,
            "out_head": self.last_logits[None],
            "out_head.matmul": self.last_logits[None],
        }.get(path)

    def weight(self, name: str) -> Tensor:
        """A parameter of the model by its name, such as ``blocks.3.attention.out_proj.weight``.

        Read it, never write to it: everybody's model has it.

        Raises:
            AttributeError: if the model has no such parameter.
        """
        return self.model.get_parameter(name).detach()

    @torch.inference_mode()
    def logits(self, position: int = -1) -> Float[Tensor, " vocab_size"]:
        """A score for every possible token after the one at ``position``.

        Positions count from 0; negative ones from the end. The last position's scores come from
        the pass itself, others are made when asked for.

        Raises:
            IndexError: if the sentence has no such position.
        """
        place = position + self.n_tokens if position < 0 else position
        if not 0 <= place < self.n_tokens:
            raise IndexError(
                f"position {quoted(position)} is outside the sentence: its {self.n_tokens} tokens "
                f"are at 0 to {self.n_tokens - 1}, or -{self.n_tokens} to -1 counted from the end"
            )
        return self.last_logits if place == self.n_tokens - 1 else self.unembed(self.stream[place])

    @torch.inference_mode()
    def probabilities(self, position: int = -1) -> Float[Tensor, " vocab_size"]:
        """The probability of every possible token after the one at ``position``; they sum to 1.

        Raises:
            IndexError: if the sentence has no such position.
        """
        return torch.softmax(self.logits(position), dim=-1)

    @torch.inference_mode()
    def unembed(self, normed: Float[Tensor, "*rows emb_dim"]) -> Float[Tensor, "*rows vocab_size"]:
        """What the output head makes of rows like those of ``stream``."""
        scores = F.linear(normed, self.model.out_head.weight)
        return Recorder(None, self.of.changes).changed("out_head", scores)

    @torch.inference_mode()
    def final_normed(
        self, stream: Float[Tensor, "*rows emb_dim"]
    ) -> Float[Tensor, "*rows emb_dim"]:
        """What the final norm makes of rows of the residual stream."""
        with recording(Recorder(None, self.of.changes)):
            return self.model.final_norm(stream)

    def again(self, changes: Changes, before_block: BeforeBlock | None = None) -> Trace:
        """The same pass with these changes in place of its own.

        Raises:
            ValueError: if a change can't be made.
        """
        return run(self.model, replace(self.of, changes=changes), before_block)

    @property
    def nbytes(self) -> int:
        """Bytes kept for this trace alone: shared memory counts once, the model's not at all."""
        holders = (self, *self.blocks)
        values = (getattr(holder, f.name) for holder in holders for f in fields(holder))
        tensors = (v for v in values if isinstance(v, Tensor))
        storages = (tensor.untyped_storage() for tensor in tensors)
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def trace(
    model: GPTModel,
    token_ids: Iterable[int] | Int[Tensor, " n_tokens"],
    before_block: BeforeBlock | None = None,
    dropout: Dropout | None = None,
    changes: Changes = UNCHANGED,
) -> Trace:
    """Read one sentence with the model, in one forward pass, and keep what happened.

    Any number of threads may trace one model at the same moment, in train mode or not: torch's
    global random numbers are neither used nor disturbed.

    Args:
        model: in eval mode.
        token_ids: from 1 to ``context_length`` ids of the model's vocabulary.
        before_block: called with the layer's number before each block; what it raises stops the
            pass and reaches the caller.
        dropout: what to drop in this pass, as in train mode; the model itself stays as it is.
        changes: what to change in this pass, likewise.

    Raises:
        ValueError: if the ids are none, too many or outside the vocabulary, if a change is about a
            part that isn't there, or the model is in train mode, where it would drop by masks that
            nobody knows.
    """
    ids = tuple(checked_ids(model.config, token_ids))
    return run(model, Pass(model, ids, dropout, changes), before_block)


def run(model: GPTModel, of: Pass, before_block: BeforeBlock | None = None) -> Trace:
    """``trace`` for a pass that has a name of its own; ``model`` is the one that it is about."""
    if any(module.training for module in model.modules()):
        raise ValueError("the model is in train mode: call model.eval() before tracing it")
    for change in of.changes:
        change.check(model.config)
    ids = torch.tensor(checked_ids(model.config, of.ids), device=model.tok_emb.weight.device)
    install_hooks(model)
    wanted, kept = set(_kept_of(model.config)), dict[str, Tensor]()

    def made(path: str, output: Tensor) -> None:
        if path in wanted:
            kept[path] = output if path == "pos_emb" else output[0]  # the batch of one

    with torch.inference_mode(), recording(Recorder(of.dropout, of.changes, before_block, made)):
        model(ids[None])
    return Trace(
        of=of,
        config=model.config,
        token_ids=ids,
        tok_emb=kept["tok_emb"],
        pos_emb=kept["pos_emb"],
        embeddings=kept["drop_emb"],
        blocks=_blocks(model, of, kept),
        stream=kept["final_norm"],
        last_logits=kept["out_head"][0],
        model=model,
    )


def _kept_of(config: GPTConfig) -> list[str]:
    """Paths of the parts whose output a trace keeps."""
    blocks = [f"blocks.{layer}" for layer in range(config.n_layers)]
    in_blocks = [f"{block}.{name}" for block in blocks for name in _added(config).values()]
    return ["tok_emb", "pos_emb", "drop_emb", *blocks, *in_blocks, "final_norm", "out_head"]


def _added(config: GPTConfig) -> dict[str, str]:
    """In a block, the names of the dropouts that what its parts add passes last, by these parts."""
    inside = find(config, "blocks.0").inside
    return {part.role: part.name for part in inside if part.does == "dropout" and part.built}


def _blocks(model: GPTModel, of: Pass, kept: dict[str, Tensor]) -> BlockTraces:
    found, stream, added = [], kept["drop_emb"], _added(model.config)
    for layer, block in enumerate(model.blocks):
        path = f"blocks.{layer}"
        attention_out, feed_forward_out = (
            kept.get(f"{path}.{added.get(part)}") for part in ("attention", "feed_forward")
        )
        replay = Replay(of, path, block, model.config.n_heads, stream, attention_out)  # type: ignore[arg-type]
        found.append(
            BlockTrace(
                of, model.config, layer, stream, attention_out, feed_forward_out, kept[path], replay
            )
        )
        stream = kept[path]
    return BlockTraces(found)


def checked_ids(
    config: GPTConfig, token_ids: Iterable[int] | Tensor, n_before: int = 0
) -> list[int]:
    """Token ids as whole numbers that a model can read, after ``n_before`` others.

    Raises:
        ValueError: if they are none, too many or outside the vocabulary.
    """
    ids = token_ids.tolist() if isinstance(token_ids, Tensor) else list(token_ids)
    check_length(len(ids), config.context_length, n_before)
    for position, token_id in enumerate(ids):
        if not hasattr(token_id, "__index__") or not 0 <= token_id < config.vocab_size:
            raise ValueError(
                f"token id {quoted(token_id)} at position {position} is outside the vocabulary: "
                f"ids are whole numbers from 0 to {config.vocab_size - 1}"
            )
    return [operator.index(token_id) for token_id in ids]

"""What a pass made and nobody kept, made again: by the model's own block, under the same pass.

The block runs again from the stream it read, with the dropout and the changes of the recorded
pass, up to the part that is asked for. So what comes out is what came out then, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gptviz.model import LayerNorm, TransformerBlock, attend, joined, merge_heads, split_heads
from gptviz.tracing.hooks import Made, Recorder, recording
from gptviz.tracing.passes import Pass

Stream = Float[Tensor, "n_tokens emb_dim"]
Heads = Float[Tensor, "n_heads n_tokens head_dim"]
Found = tuple[Tensor, ...]
SECOND_HALF = ("norm2", "feed_forward", "drop2")


class _Found(Exception):  # noqa: N818 (nothing went wrong)
    """Ends a replay at the part that was asked for."""

    def __init__(self, *tensors: Tensor) -> None:
        super().__init__()
        self.tensors = tensors


class Replay:
    """One block of one recorded pass, to be run again.

    Args:
        of: the pass.
        path: where the block is in the model.
        block: the model's own block, not a copy.
        n_heads: how many attention heads it has.
        resid_pre: the stream that it read.
        attention_out: what its attention added; None where attention is a placeholder.
    """

    def __init__(
        self,
        of: Pass,
        path: str,
        block: TransformerBlock,
        n_heads: int,
        resid_pre: Stream,
        attention_out: Stream | None,
    ) -> None:
        self.of, self.path, self.block, self.n_heads = of, path, block, n_heads
        self.resid_pre, self.attention_out = resid_pre, attention_out

    @torch.inference_mode()
    def resid_mid(self) -> Stream:
        """The stream between attention and feed-forward."""
        block, stream = self.block, self.resid_pre[None]
        if self.attention_out is None:  # a placeholder: then nothing here takes long
            with recording(self._recorder()):
                added = block.drop1(block.attention(block.norm1(stream)))
                return joined(stream, added, block.attention, block.shortcut1)[0]
        with recording(self._recorder()):
            return joined(stream, self.attention_out[None], block.attention, block.shortcut1)[0]

    @torch.inference_mode()
    def resid_end(self) -> Stream:
        """The stream after the second sum, before what is done to the block as a whole."""
        with recording(self._recorder()):
            return self.block.second_half(self.resid_mid()[None])[0]

    @torch.inference_mode()
    def output(self, name: str) -> Float[Tensor, ...]:
        """What came out of a module inside the block, such as ``attention.query``."""
        path = f"{self.path}.{name}"

        def made(at: str, output: Tensor) -> None:
            if at == path:
                raise _Found(output)

        [output] = self._run(name, made)
        return output[0]

    def norm_step(self, name: str, step: str) -> Float[Tensor, "n_tokens width"]:
        """What one step of ``norm1`` or ``norm2`` made."""
        norm = self.block.get_submodule(name)
        return norm_step(norm, self.resid_pre if name == "norm1" else self.resid_mid(), step)

    @torch.inference_mode()
    def core_step(self, step: str, head: int | None) -> Float[Tensor, "*n_heads n_tokens width"]:
        """What one step inside attention's core made: in one head, or in all."""
        if step == "gather":
            heads = self.output("attention.core")
            return heads if head is None else heads[head]
        core = f"{self.path}.attention.core"
        recorder = self._recorder()

        def after(name: str, numbers: Tensor) -> Tensor:
            numbers = recorder.after_step(core, name, numbers)
            if name == step:
                raise _Found(numbers)
            return numbers

        query, key = self.queries_and_keys()
        if head is not None and not recorder.reaches_into(core):
            query, key, head = query[head], key[head], None
        # No step asked for here comes to the values.
        [numbers] = _found(lambda: attend(query[None], key[None], key[None], after))
        return numbers[0] if head is None else numbers[0, head]

    def merged(self) -> Float[Tensor, "n_tokens width"]:
        """The heads' context vectors side by side again."""
        return merge_heads(self.output("attention.core"))

    def split(self, projection: str) -> Float[Tensor, "n_heads n_tokens head_dim"]:
        """Queries, keys or values, cut into heads."""
        return split_heads(self.output(f"attention.{projection}"), self.n_heads)

    @torch.inference_mode()
    def queries_and_keys(self) -> tuple[Heads, Heads]:
        """Both cut into heads, in one replay that makes no values."""
        seen: dict[str, Tensor] = {}
        query, key = (f"{self.path}.attention.{name}" for name in ("query", "key"))

        def made(at: str, output: Tensor) -> None:
            seen[at] = output
            if query in seen and key in seen:
                raise _Found(seen[query][0], seen[key][0])

        queries, keys = self._run("attention", made)
        return split_heads(queries, self.n_heads), split_heads(keys, self.n_heads)

    def _run(self, name: str, made: Made) -> Found:
        if name.startswith(SECOND_HALF):
            stream, run = self.resid_mid(), self.block.second_half
        else:
            stream, run = self.resid_pre, self.block
        with recording(self._recorder(made)):
            return _found(lambda: run(stream[None]))

    def _recorder(self, made: Made | None = None) -> Recorder:
        return Recorder(self.of.dropout, self.of.changes, made=made)


def _found(run: Callable[[], object]) -> Found:
    try:
        run()
    except _Found as found:
        return found.tensors
    raise AssertionError("the part was not passed")


@torch.inference_mode()
def norm_step(
    norm: nn.Module, x: Float[Tensor, "n_tokens width"], step: str
) -> Float[Tensor, "n_tokens width_or_1"]:
    """What one of the textbook's steps of a norm makes of what it reads."""
    assert isinstance(norm, LayerNorm)
    return norm.steps(x)[step]

"""The very lines of code that compute a part, taken from the source, so that they can't drift."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from textwrap import dedent

from gptviz.anatomy import find
from gptviz.config import GPTConfig
from gptviz.words.entry import look_up

Function = tuple[str, str, str]  # file, function, and what its statements must mention

_PACKAGE = Path(__file__).parent.parent

_NORM, _ATTENTION = ("model/norms.py", "layer_norm_steps"), "model/attention.py"
_PROJECTIONS = (_ATTENTION, "MultiHeadAttention.forward")
_FEED_FORWARD = ("model/feed_forward.py", "FeedForward.forward", "")
_SUM_OF_EMBEDDINGS = ("model/gpt.py", "GPTModel.forward", "self.tok_emb")
_HEAD = ("model/gpt.py", "GPTModel.forward", "self.out_head")
_PROBABILITIES = ("tracing/trace.py", "Trace.probabilities", "softmax")
_WHERE: dict[str, Function] = {
    "tokens": ("tokenizer.py", "Tokenizer.encode", ""),
    "token_embedding": _SUM_OF_EMBEDDINGS,
    "position_embedding": _SUM_OF_EMBEDDINGS,
    "embeddings": _SUM_OF_EMBEDDINGS,
    "embedding_sum": _SUM_OF_EMBEDDINGS,
    "dropout: embeddings": _SUM_OF_EMBEDDINGS,
    "blocks": ("model/gpt.py", "GPTModel.forward", "self.blocks"),
    "block": ("model/block.py", "TransformerBlock.forward", ""),
    "dropout: attention": ("model/block.py", "TransformerBlock.forward", "drop1"),
    "dropout: feed_forward": ("model/block.py", "TransformerBlock.second_half", "drop2"),
    "shortcut": ("model/block.py", "Shortcut.forward", ""),
    "layer_norm": (*_NORM, ""),
    "mean": (*_NORM, "mean ="),
    "variance": (*_NORM, "variance ="),
    "normalize": (*_NORM, "normalized ="),
    "learned_scale": (*_NORM, "scaled ="),
    "learned_shift": (*_NORM, "shifted ="),
    "attention": (*_PROJECTIONS, ""),
    "query": (*_PROJECTIONS, "self.query"),
    "key": (*_PROJECTIONS, "self.key"),
    "value": (*_PROJECTIONS, "self.value"),
    "split_heads": (_ATTENTION, "split_heads", ""),
    "attention_core": (_ATTENTION, "AttentionCore.forward", ""),
    "attention_scores": (_ATTENTION, "attn_scores", ""),
    "scale_scores": (_ATTENTION, "scaled", ""),
    "causal_mask": (_ATTENTION, "masked", ""),
    "attention_softmax": (_ATTENTION, "attend", "softmax"),
    "dropout: weights": (_ATTENTION, "AttentionCore.forward", "drop_rate ="),
    "weighted_sum": (_ATTENTION, "attend", "return"),
    "merge_heads": (_ATTENTION, "merge_heads", ""),
    "output_projection": (*_PROJECTIONS, "self.out_proj"),
    "feed_forward": _FEED_FORWARD,
    "up_projection": _FEED_FORWARD,
    "gelu": ("model/feed_forward.py", "GELU.forward", ""),
    "down_projection": _FEED_FORWARD,
    "output_head": _HEAD,
    "unembedding": _HEAD,
    "vocabulary_softmax": _PROBABILITIES,
    "sampling": ("tracing/generation.py", "filtered", ""),
    "next_token": _PROBABILITIES,
}


def code_of(config: GPTConfig, path: str) -> tuple[str, str] | None:
    """Where the code of a part is, as ``file: function``, and its lines without the docstring.

    Attention's and layer norm's steps are those of the textbook functions, which tests hold equal
    to the fused kernels that the model runs. None for a placeholder, which has none.

    Raises:
        KeyError: if this configuration has no such part, or for ``""``, the whole model.
    """
    part = find(config, path)
    file, function, mentioned = look_up(_WHERE, part)
    return (f"{file}: {function}", _lines(file, function, mentioned)) if part.built else None


@cache
def _lines(file: str, function: str, mentioned: str) -> str:
    text = (_PACKAGE / file).read_text(encoding="utf-8")
    found = _function(ast.parse(text), function)
    statements = found.body[1:] if ast.get_docstring(found) else found.body
    pieces = [_dedented(text, statement) for statement in statements]
    if mentioned:
        return "\n".join(piece for piece in pieces if mentioned in piece)
    head = text.splitlines()[found.lineno - 1 : found.body[0].lineno - 1]
    inside = ["    " + line for piece in pieces for line in piece.splitlines()]
    return "\n".join([dedent("\n".join(head)), *inside])


def _function(tree: ast.Module, name: str) -> ast.FunctionDef:
    outer: ast.AST = tree
    for piece in name.split("."):
        kinds = (ast.ClassDef, ast.FunctionDef)
        children = (node for node in ast.iter_child_nodes(outer) if isinstance(node, kinds))
        outer = next(node for node in children if node.name == piece)
    assert isinstance(outer, ast.FunctionDef)
    return outer


def _dedented(text: str, statement: ast.stmt) -> str:
    lines = text.splitlines()[statement.lineno - 1 : statement.end_lineno]
    return dedent("\n".join(lines))

"""The very lines of code that compute a part, taken from the source, so that they can't drift."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from textwrap import dedent

Function = tuple[str, str, str]  # file, function, and what its statements must mention

_NORM = {
    "": ("model/norms.py", "layer_norm_steps", ""),
    ".mean": ("model/norms.py", "layer_norm_steps", "mean ="),
    ".variance": ("model/norms.py", "layer_norm_steps", "variance ="),
    ".normalize": ("model/norms.py", "layer_norm_steps", "normalized ="),
    ".scale": ("model/norms.py", "layer_norm_steps", "scaled ="),
    ".shift": ("model/norms.py", "layer_norm_steps", "shifted ="),
}
_SUM_OF_EMBEDDINGS = ("model/gpt.py", "GPTModel.forward", "self.tok_emb")
_PROBABILITIES = ("tracing/trace.py", "Trace.probabilities", "softmax")
_WHERE: dict[str, Function] = {
    "tokens": ("tokenizer.py", "Tokenizer.encode", ""),
    "tok_emb": _SUM_OF_EMBEDDINGS,
    "pos_emb": _SUM_OF_EMBEDDINGS,
    "drop_emb": _SUM_OF_EMBEDDINGS,
    "embeddings": _SUM_OF_EMBEDDINGS,
    "embeddings.sum": _SUM_OF_EMBEDDINGS,
    "blocks": ("model/gpt.py", "GPTModel.forward", "self.blocks"),
    "blocks.*": ("model/block.py", "TransformerBlock.forward", ""),
    "blocks.*.attention": ("model/attention.py", "MultiHeadAttention.forward", ""),
    **{
        f"blocks.*.attention.{name}": (
            "model/attention.py",
            "MultiHeadAttention.forward",
            f"self.{name}",
        )
        for name in ("query", "key", "value", "out_proj")
    },
    "blocks.*.attention.split": ("model/attention.py", "split_heads", ""),
    "blocks.*.attention.core": ("model/attention.py", "AttentionCore.forward", ""),
    "blocks.*.attention.core.scores": ("model/attention.py", "attn_scores", ""),
    "blocks.*.attention.core.scale": ("model/attention.py", "scaled", ""),
    "blocks.*.attention.core.mask": ("model/attention.py", "masked", ""),
    "blocks.*.attention.core.softmax": ("model/attention.py", "attend", "softmax"),
    "blocks.*.attention.core.dropout": (
        "model/attention.py",
        "AttentionCore.forward",
        "drop_rate =",
    ),
    "blocks.*.attention.core.gather": ("model/attention.py", "attend", "return"),
    "blocks.*.attention.merge": ("model/attention.py", "merge_heads", ""),
    "blocks.*.feed_forward": ("model/feed_forward.py", "FeedForward.forward", ""),
    "blocks.*.feed_forward.linear1": ("model/feed_forward.py", "FeedForward.forward", ""),
    "blocks.*.feed_forward.gelu": ("model/feed_forward.py", "GELU.forward", ""),
    "blocks.*.feed_forward.linear2": ("model/feed_forward.py", "FeedForward.forward", ""),
    "blocks.*.drop1": ("model/block.py", "TransformerBlock.forward", "drop1"),
    "blocks.*.drop2": ("model/block.py", "TransformerBlock.second_half", "drop2"),
    "blocks.*.shortcut1": ("model/block.py", "Shortcut.forward", ""),
    "blocks.*.shortcut2": ("model/block.py", "Shortcut.forward", ""),
    "out_head": ("model/gpt.py", "GPTModel.forward", "self.out_head"),
    "out_head.matmul": ("model/gpt.py", "GPTModel.forward", "self.out_head"),
    "out_head.softmax": _PROBABILITIES,
    "out_head.sampling": ("tracing/generation.py", "filtered", ""),
    "next_token": _PROBABILITIES,
    **{
        f"{norm}{step}": where
        for norm in ("blocks.*.norm1", "blocks.*.norm2", "final_norm")
        for step, where in _NORM.items()
    },
}


def code_of(path: str) -> tuple[str, str] | None:
    """Where the code of a part is, as ``file: function``, and its lines without the docstring.

    Attention's and layer norm's steps are those of the textbook functions, which tests hold equal
    to the fused kernels that the model runs. None for a part that has no code.
    """
    where = _WHERE.get(re.sub(r"^blocks\.\d+", "blocks.*", path))
    if where is None:
        return None
    file, function, mentioned = where
    return f"{file}: {function}", _lines(file, function, mentioned)


@cache
def _lines(file: str, function: str, mentioned: str) -> str:
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
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

"""What a visitor can take along: the configuration, and the model as a program of its own."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from gptviz.config import GPTConfig

_HEAD = '''"""A GPT in one file, made by gptviz from its own source; it needs PyTorch only.

``build()`` gives the model; run as a program, the file counts its parameters.
"""

from __future__ import annotations

{imports}

if TYPE_CHECKING:  # shapes are written in the way of jaxtyping
    from jaxtyping import Float, Int

'''
_TAIL = '''

CONFIG = GPTConfig(
{fields}
)
SEED = {seed}


def build() -> GPTModel:
    """The model with the random weights of ``SEED``."""
    return GPTModel(CONFIG, seed=SEED)


if __name__ == "__main__":
    print(f"{{sum(p.numel() for p in build().parameters()):,}} parameters")
'''
_MODEL = ("norms", "positions", "kv_cache", "attention", "feed_forward", "block", "gpt")
_SOURCES = (
    "quoting",
    "config",
    *(f"model/{name}" for name in _MODEL),
)  # each needs only those before it
_OURS = ("gptviz", "jaxtyping", "__future__")


def config_json(config: GPTConfig) -> str:
    """The configuration as JSON; ``GPTConfig(**json.loads(...))`` reads it."""
    return json.dumps(config.as_dict(), indent=2) + "\n"


def model_code(config: GPTConfig, seed: int) -> str:
    """A Python file with this model in it: the same seed gives the same weights and logits.

    It is the source of ``gptviz.config`` and ``gptviz.model`` themselves, so it can't differ.
    """
    imports, bodies = {"from typing import TYPE_CHECKING"}, []
    for name in _SOURCES:
        source = _source(name)
        tree = ast.parse(source)
        found = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        imports |= {ast.unparse(node) for node in found if not _is_ours(node)}
        after = max(node.end_lineno or 0 for node in found)
        bodies.append("\n".join(source.splitlines()[after:]).strip())
    fields = "\n".join(f"    {name}={value!r}," for name, value in _fields(config).items())
    head = _HEAD.format(imports="\n".join(sorted(imports)))
    return head + "\n\n\n".join(["", *bodies]).lstrip() + _TAIL.format(fields=fields, seed=seed)


def _fields(config: GPTConfig) -> dict[str, object]:
    values = config.as_dict()
    return values if values["placeholders"] else {**values, "placeholders": frozenset()}


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    name = node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name
    return name.split(".")[0] in _OURS


def _source(name: str) -> str:
    return (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")

"""What a part takes in, gives out and costs, as lines of text."""

from __future__ import annotations

from gptviz.config import GPTConfig
from gptviz.counting.costs import part_cost, size
from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.diagram.parts import Piece, shape_text

Fact = tuple[str, str]


def doors(piece: Piece) -> list[Fact]:
    """The shapes of what goes in and of what comes out."""
    shapes = " and ".join(shape_text(shape) for shape in dict.fromkeys(piece.inputs))
    alike = len(piece.inputs) > len(set(piece.inputs))
    times = f"{len(piece.inputs)} × " if alike else ""
    taken = [("In", times + shapes)] if shapes else []
    return [*taken, ("Out", shape_text(piece.output))]


def costs(config: GPTConfig, piece: Piece, n_tokens: int, decimal: bool = False) -> list[Fact]:
    """Parameters, memory and FLOPs for one sentence, with their share of the model's.

    Args:
        decimal: sizes in MB instead of MiB.
    """
    ledger = Ledger(config)
    cost, whole = part_cost(ledger, piece.path, n_tokens), ledger.flops(n_tokens).total
    if piece.path.startswith("out_head") and config.tie_weights and cost.flops:
        parameters = "none of its own: it is the token embedding, used again"
    else:
        parameters = f"{cost.parameters:,}{_share(cost.parameters, ledger.parameters)}"
    rows = [("Parameters", parameters)]
    if cost.parameters:
        memory = size(cost.parameters * FP32_BYTES, decimal)
        rows.append(("Their memory", f"{memory} in fp32"))
    if n_tokens and not piece.placeholder:
        rows.append(("FLOPs", f"{cost.flops:,}{_share(cost.flops, whole)}"))
    return rows


def _share(count: int, whole: int) -> str:
    if not count:
        return ""
    return f" · {count / whole:.1%} of the model" if count >= whole / 1000 else " · less than 0.1%"

"""What it takes to train a GPT and to run it: memory, work, and the time a device needs at least.

From the configuration alone, like the ledger, which has the counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.ledger import FP32_BYTES, Ledger

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
NUMBER_TYPES = {"fp32": 4, "bf16 or fp16": 2, "int8": 1}  # bytes a number


def size(n_bytes: float, decimal: bool = False) -> str:
    """Bytes in words: in MiB and its like (2^20 bytes), or in MB and its like (10^6 bytes).

    At most four digits stand before the point.
    """
    base, units = (1000, ("B", "kB", "MB", "GB", "TB", "PB")) if decimal else (1024, _BINARY)
    power = 0
    while n_bytes >= 10_000 and power < len(units) - 1:
        n_bytes, power = n_bytes / base, power + 1
    return f"{n_bytes:,.2f} {units[power]}" if power else f"{n_bytes:,.0f} B"


@dataclass(frozen=True)
class PartCost:
    """What a part of the picture costs: its parameters, and the FLOPs of a forward pass in it."""

    parameters: int = 0
    flops: int = 0


def part_cost(ledger: Ledger, path: str, n_tokens: int) -> PartCost:
    """What the part at ``path`` costs for one row of ``n_tokens``, with all that is inside it.

    Steps inside a module have their share of what the ledger counts for it: scale and shift half
    of a norm's parameters each, scores and weighted sum half of attention's products each.
    """
    if path == "embeddings":
        return PartCost(ledger.of("tok_emb") + ledger.of("pos_emb"))
    if path in ("out_head.matmul", *ledger.paths()):
        module = path.removesuffix(".matmul")
        return PartCost(ledger.of(module), ledger.flops_of(module, n_tokens).total)
    module, _, step = path.rpartition(".")
    if module.endswith(("norm1", "norm2")) or module == "final_norm":
        return PartCost(ledger.of(module) // 2) if step in ("scale", "shift") else PartCost()
    if step in ("scores", "gather"):
        return PartCost(flops=ledger.flops_of(module, n_tokens).total // 2)
    return PartCost()


@dataclass(frozen=True)
class Memory:
    """Bytes that one step of training takes.

    Args:
        weights, gradients: a number for each parameter, each.
        adam: AdamW's two running means, in fp32.
        activations: what is saved for the way back, with fused attention and without dropout.
        scores: besides, if attention is not fused: every block's weights, n_tokens x n_tokens.
    """

    weights: int
    gradients: int
    adam: int
    activations: int
    scores: int

    @property
    def total(self) -> int:
        """All of it, with fused attention."""
        return self.weights + self.gradients + self.adam + self.activations


def training_memory(
    ledger: Ledger, n_tokens: int, batch: int = 1, bytes_per_number: int = FP32_BYTES
) -> Memory:
    """Memory of a training step over ``batch`` rows of ``n_tokens``.

    ``bytes_per_number`` is for weights, gradients and activations alike.
    """
    config, rows = ledger.config, batch * n_tokens
    maps = config.n_layers * config.n_heads * n_tokens if config.has("attention") else 0
    return Memory(
        weights=ledger.weight_bytes(bytes_per_number),
        gradients=ledger.weight_bytes(bytes_per_number),
        adam=2 * ledger.weight_bytes(FP32_BYTES),
        activations=rows * ledger.saved_numbers() * bytes_per_number,
        scores=rows * maps * bytes_per_number,
    )


@dataclass(frozen=True)
class Work:
    """FLOPs to do and bytes to move for them."""

    flops: int
    bytes_moved: int

    @property
    def intensity(self) -> float:
        """Arithmetic intensity: FLOPs for each byte moved."""
        return self.flops / self.bytes_moved

    def seconds_on(self, device: Device) -> float:
        """The least time: the longer of computing and moving (Williams et al. 2009, roofline)."""
        return max(self.flops / device.flops, self.bytes_moved / device.bandwidth)


def training_flops(ledger: Ledger, n_tokens: int, batch: int = 1) -> int:
    """FLOPs of a training step: the way back costs twice the way there (Kaplan et al. 2020)."""
    return 3 * ledger.flops(n_tokens, batch).total


def prefill(ledger: Ledger, n_tokens: int, batch: int = 1, bytes_per_number: int = 2) -> Work:
    """Read ``batch`` prompts of ``n_tokens``, and fill the KV cache with them.

    The head works on the last token only. Moved are the weights, once, and the cache; what fits on
    the chip between two parts is not counted.
    """
    all_positions = ledger.flops(n_tokens, batch).total
    left_out = ledger.flops_of("out_head", n_tokens - 1, batch).total
    cache = batch * ledger.kv_cache_bytes(n_tokens, bytes_per_number)
    moved = _weights_moved(ledger, n_tokens, batch) * bytes_per_number + cache
    return Work(all_positions - left_out, moved)


def decode(ledger: Ledger, n_tokens: int, batch: int = 1, bytes_per_number: int = 2) -> Work:
    """Make one more token in each of ``batch`` rows; with it, a row has ``n_tokens``.

    Moved are the weights, once, and every row's KV cache.
    """
    one = ledger.flops(1, batch)
    cache = batch * ledger.kv_cache_bytes(n_tokens, bytes_per_number)
    moved = _weights_moved(ledger, 1, batch) * bytes_per_number + cache
    return Work(one.linear + n_tokens * one.attention, moved)


def _weights_moved(ledger: Ledger, n_tokens: int, batch: int) -> int:
    """Numbers: all weights, but of the embeddings only the rows that are looked up."""
    config = ledger.config
    tables = ledger.of("tok_emb") + ledger.of("pos_emb")
    head = ledger.of("tok_emb") if config.tie_weights else 0  # counted at the token embedding
    return ledger.parameters - tables + head + (batch + 1) * n_tokens * config.emb_dim


@dataclass(frozen=True)
class Device:
    """What a device can do at best, as its maker states it.

    Args:
        flops: dense bf16 (or fp16) matrix products, FLOP/s.
        bandwidth: of its memory, bytes/s.
        memory: bytes.
        source: the maker's document.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float
    source: str


DEVICES = (
    Device("NVIDIA T4", 65e12, 320e9, 16e9, "NVIDIA T4 product brief"),
    Device("NVIDIA RTX 4090", 165.2e12, 1008e9, 24e9, "NVIDIA Ada architecture whitepaper"),
    Device("NVIDIA A100 80GB SXM", 312e12, 2039e9, 80e9, "NVIDIA A100 datasheet"),
    Device("NVIDIA H100 SXM", 989e12, 3350e9, 80e9, "NVIDIA H100 datasheet, without sparsity"),
    Device("NVIDIA H200 SXM", 989e12, 4800e9, 141e9, "NVIDIA H200 datasheet, without sparsity"),
)

"""What it takes to train a GPT and to run it: memory, work, and the time a device needs at least.

From the configuration alone, like the ledger, which has the counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
NUMBER_TYPES = {"fp32": 4, "bf16 or fp16": 2, "int8": 1}  # bytes a number
DENSE_NOTE = (
    "GPT-3 as published alternates dense and locally banded sparse attention (Brown et al. 2020, "
    "section 2.1); here all its layers are counted as dense."
)


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

    Raises:
        KeyError: if the model has no such part.
    """
    if path == "embeddings":
        return PartCost(ledger.of("tok_emb") + ledger.of("pos_emb"))
    path = path.removesuffix(".matmul")  # all that the output head does
    return PartCost(ledger.of(path), ledger.flops_of(path, n_tokens).total)


@dataclass(frozen=True)
class Precision:
    """The numbers that training keeps, in bytes each.

    Args:
        numbers: of weights, gradients and activations.
        master: of a second copy of the weights, which the steps are added to; 0 for none.
        adam: of each of AdamW's two running means.
    """

    name: str
    numbers: int
    master: int
    adam: int

    @property
    def per_parameter(self) -> int:
        """Bytes for each parameter: weight, gradient, master weight and two means."""
        return 2 * self.numbers + self.master + 2 * self.adam


PRECISIONS = (
    Precision("fp32", numbers=4, master=0, adam=4),
    # Micikevicius et al. 2018; its 16 bytes a parameter: Rajbhandari et al. 2020 (ZeRO), 3.1
    Precision("mixed precision", numbers=2, master=4, adam=4),
    Precision("pure bf16", numbers=2, master=0, adam=2),
)


@dataclass(frozen=True)
class Memory:
    """Bytes that one step of training takes.

    Args:
        weights, gradients: a number for each parameter, each.
        master: the weights once more in fp32, in mixed precision.
        adam: AdamW's two running means.
        activations: what is saved for the way back, with fused attention; where there is dropout,
            with its masks. On a GPU a mask takes 1 byte a number, less than is counted here; and
            torch keeps the softmax's sums in fp32, which in 2-byte numbers adds 2 x n_heads
            bytes a token and layer that are not counted.
        maps: besides, if attention is not fused, as with dropout on a CPU: maps of n_tokens x
            n_tokens for every head. Fused attention makes them again when it needs them.
    """

    weights: int
    gradients: int
    master: int
    adam: int
    activations: int
    maps: int

    @property
    def without_activations(self) -> int:
        """What does not depend on how much is read."""
        return self.weights + self.gradients + self.master + self.adam

    @property
    def total(self) -> int:
        """All of it, with fused attention."""
        return self.without_activations + self.activations


def training_memory(
    ledger: Ledger, n_tokens: int, batch: int = 1, precision: Precision = PRECISIONS[0]
) -> Memory:
    """Memory of a training step over ``batch`` rows of ``n_tokens``."""
    return Memory(
        weights=ledger.weight_bytes(precision.numbers),
        gradients=ledger.weight_bytes(precision.numbers),
        master=ledger.weight_bytes(precision.master),
        adam=2 * ledger.weight_bytes(precision.adam),
        activations=batch * n_tokens * ledger.saved_numbers() * precision.numbers,
        maps=batch * n_tokens * _unfused(ledger.config, n_tokens) * precision.numbers,
    )


def maps_saved(config: GPTConfig) -> int:
    """Maps that training saves for each head if attention is not fused.

    The softmax's weights; with dropout also its mask, and the weights after it.
    """
    if not config.has("attention"):
        return 0
    return 3 if config.drop_rate else 1


def _unfused(config: GPTConfig, n_tokens: int) -> int:
    """Numbers saved for every token if attention is not fused: maps, and no softmax's sums."""
    saved = maps_saved(config)
    return config.n_layers * config.n_heads * (saved * n_tokens - 1) if saved else 0


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
        """The least time for it: the longer of computing and moving.

        Williams et al. 2009 (roofline), everything moved between the chip and its memory: a model
        small enough to stay in the chip's cache can be faster.
        """
        return max(self.flops / device.flops, self.bytes_moved / device.bandwidth)


def training_flops(ledger: Ledger, n_tokens: int, batch: int = 1) -> int:
    """FLOPs of a training step: the way back costs twice the way there (Kaplan et al. 2020)."""
    return 3 * ledger.flops(n_tokens, batch).total


def prefill(ledger: Ledger, n_tokens: int, batch: int = 1, bytes_per_number: int = 2) -> Work:
    """Read ``batch`` prompts of ``n_tokens``, and fill the KV cache with them: the least work.

    Every block works on every token, but attention only on the n_tokens (n_tokens + 1) / 2 pairs
    that the mask lets through, and the head on the last token alone; ``Ledger.flops`` has all
    pairs and all positions. Moved are the weights, once, and the cache; what fits on the chip
    between two parts is not counted.
    """
    forward = ledger.flops(n_tokens, batch)
    seen = forward.attention * (n_tokens + 1) // (2 * n_tokens)
    left_out = ledger.flops_of("out_head", n_tokens - 1, batch).total
    cache = batch * ledger.kv_cache_bytes(n_tokens, bytes_per_number)
    moved = _weights_moved(ledger, n_tokens, batch) * bytes_per_number + cache
    return Work(forward.linear - left_out + seen, moved)


def decode(ledger: Ledger, n_tokens: int, batch: int = 1, bytes_per_number: int = 2) -> Work:
    """Make one more token in each of ``batch`` rows; with it, a row has ``n_tokens``.

    The new token looks at itself and all before it: no pair is hidden. Moved are the weights,
    once, and every row's KV cache.
    """
    one = ledger.flops(1, batch)
    cache = batch * ledger.kv_cache_bytes(n_tokens, bytes_per_number)
    moved = _weights_moved(ledger, 1, batch) * bytes_per_number + cache
    return Work(one.linear + n_tokens * one.attention, moved)


def _weights_moved(ledger: Ledger, n_tokens: int, batch: int) -> int:
    """Numbers: all weights, but of the embeddings only the rows that are looked up, once each."""
    config = ledger.config
    tables = ledger.of("tok_emb") + ledger.of("pos_emb")
    head = ledger.of("tok_emb") if config.tie_weights else 0  # counted at the token embedding
    looked_up = min(batch * n_tokens, config.vocab_size) + n_tokens
    return ledger.parameters - tables + head + looked_up * config.emb_dim


@dataclass(frozen=True)
class Device:
    """What a device can do at best.

    Args:
        flops: dense matrix products of ``numbers``, summed in fp32, FLOP/s.
        bandwidth: of its memory, bytes/s.
        memory: bytes, as nvidia-smi reports them (memory.total).
        source: the maker's document for ``flops`` and ``bandwidth``.
        numbers: the number types it multiplies at this rate.
    """

    name: str
    flops: float
    bandwidth: float
    memory: int
    source: str
    numbers: str = "bf16 or fp16"


_MIB = 2**20
DEVICES = (
    Device(
        "NVIDIA T4",
        65e12,
        320e9,
        15_360 * _MIB,
        "NVIDIA T4 datasheet; its product brief for the bandwidth",
        "fp16 (it has no bf16)",
    ),
    Device("NVIDIA RTX 4090", 165.2e12, 1008e9, 24_564 * _MIB, "NVIDIA Ada GPU whitepaper"),
    Device("NVIDIA A100 80GB SXM", 312e12, 2039e9, 81_920 * _MIB, "NVIDIA A100 80GB datasheet"),
    Device(
        "NVIDIA H100 SXM",
        1979e12 / 2,
        3350e9,
        81_559 * _MIB,
        "NVIDIA H100 datasheet: half of its 1,979 TFLOP/s with sparsity",
    ),
    Device(
        "NVIDIA H200 SXM",
        1979e12 / 2,
        4800e9,
        143_771 * _MIB,
        "NVIDIA H200 datasheet: half of its 1,979 TFLOP/s with sparsity",
    ),
)

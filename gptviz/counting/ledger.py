"""What a GPT costs, part by part: parameters, memory and FLOPs, from its configuration alone.

Nothing here needs weights or torch, so a model of any size answers at once. The counts are held
equal to the model's own tensors, and the FLOPs to torch's counter, by tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gptviz.anatomy import Part, anatomy, find
from gptviz.anatomy.part import Alike, product
from gptviz.config import GPTConfig

FP32_BYTES = 4


class Counts(NamedTuple):
    """What a part costs.

    Args:
        parameters: numbers that training sets.
        per_token: multiply-adds for every token (a Linear layer's weights).
        per_pair: multiply-adds for every pair of tokens (attention's two products).
        kept: numbers a pass makes for every token.
        saved: numbers training saves for every token until it has their gradients.
    """

    parameters: int
    per_token: int
    per_pair: int
    kept: int
    saved: int


@dataclass(frozen=True)
class Flops:
    """Floating-point operations of a forward pass, two for each multiply-add.

    Args:
        linear: in the Linear layers, the output head at every position included.
        attention: query times key and weights times value, over the full square of tokens.
    """

    linear: int
    attention: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.linear + self.attention


@dataclass(frozen=True)
class Share:
    """One box of a picture of the parameters: ``parent`` is the id of the box around it.

    ``kind`` says which colour the part has everywhere: embedding, norm, attention, feed_forward,
    head, or stream for a box that only holds others.
    """

    id: str
    parent: str
    label: str
    kind: str
    parameters: int


@dataclass(frozen=True)
class Ledger:
    """Exact parameters, memory and FLOPs of the model that a configuration describes.

    A placeholder is counted as nothing. A tied output head has no parameters of its own: they
    are counted once, at the token embedding, where they stand first.
    """

    config: GPTConfig

    @property
    def parameters(self) -> int:
        """Parameters of the model as configured, each counted once."""
        return self.of("")

    @property
    def parameters_untied(self) -> int:
        """Parameters when the output head has its own weights."""
        return Ledger(self.config.changed(tie_weights=False)).parameters

    @property
    def parameters_tied(self) -> int:
        """Parameters when the output head is the token embedding, used again."""
        return Ledger(self.config.changed(tie_weights=True)).parameters

    @property
    def parameters_non_embedding(self) -> int:
        """Parameters without both embeddings and the output head; tied or not, they are the same.

        The N of scaling laws (Kaplan et al. 2020, section 2.1).
        """
        return self.parameters - sum(map(self.of, ("tok_emb", "pos_emb", "out_head")))

    def of(self, path: str) -> int:
        """Parameters of the module at ``path`` and of all modules inside it; ``""`` is the model.

        Raises:
            KeyError: if the model has no such module.
        """
        return counts(self.config, path).parameters

    def paths(self) -> list[str]:
        """The path of every module, in the model's order; the model itself, ``""``, first."""
        return [path for path, _ in anatomy(self.config).modules()]

    def weight_bytes(self, bytes_per_number: int) -> int:
        """Bytes the weights take: 4 a number in fp32, 2 in fp16, 1 in int8."""
        return self.parameters * bytes_per_number

    def flops(self, n_tokens: int, batch: int = 1) -> Flops:
        """FLOPs of one forward pass over ``batch`` rows of ``n_tokens``.

        Counted as torch's ``FlopCounterMode`` counts: two for each multiply-add of a matrix
        product, nothing for norms, GELU, softmax and sums.
        """
        return self.flops_of("", n_tokens, batch)

    def flops_of(self, path: str, n_tokens: int, batch: int = 1) -> Flops:
        """FLOPs of the module at ``path`` and of all modules inside it.

        Raises:
            KeyError: if the model has no such module.
        """
        found = counts(self.config, path)
        return Flops(
            linear=2 * batch * n_tokens * found.per_token,
            attention=2 * batch * n_tokens**2 * found.per_pair,
        )

    def saved_numbers(self) -> int:
        """Numbers that a training step saves for every token, with fused attention.

        d = emb_dim, f = ff_dim, a = n_heads x head_dim: in a block d + 2 for each norm (its input,
        mean and deviation), d for what query, key and value read, 4a + n_heads in attention's core
        (query, key, value, what it gathered, and the softmax's sums), d + 2f in the feed-forward
        (what it reads, and the hidden layer before and after GELU); then the final norm's, the
        head's input and vocab_size log-probabilities: n_layers (4d + 4a + 2f + 4 + n_heads) + 2d +
        2 + vocab_size in all. With dropout also d for each mask, two in a block and one on the
        embeddings: (2 n_layers + 1) d.
        """
        return counts(self.config, "").saved + self.config.vocab_size

    def kv_cache_bytes(self, n_tokens: int, bytes_per_number: int = 2) -> int:
        """Bytes to keep every block's keys and values of ``n_tokens``, so as not to redo them."""
        built = 2 * self.config.n_layers if self.config.has("attention") else 0
        return built * self.config.attn_dim * n_tokens * bytes_per_number

    def memory_to_run(self, n_tokens: int) -> int:
        """Bytes, nearly, to make the model real in fp32 and trace ``n_tokens`` with it.

        4 bytes x (parameters + n_tokens x kept + vocab_size + 3 x n_heads x n_tokens^2).
        ``kept`` is what a pass makes for a token when it forgets nothing (a trace keeps a third of
        it, and makes the rest again when asked), d = emb_dim: d each for both embeddings, their
        sum and the final norm; in every block d each for two norms, what attention and
        feed-forward add and the two sums, n_heads x head_dim each for query, key and value, and
        ff_dim before the GELU: (4 + 13L)d in all for a GPT-2. Then the logits of the last
        position, and one block's attention maps while they are made: scores, masked scores and
        weights stand side by side. Python and torch themselves are not in it.
        """
        kept = n_tokens * counts(self.config, "").kept
        maps = 3 * self.config.n_heads * n_tokens**2 if self.config.has("attention") else 0
        return FP32_BYTES * (self.parameters + kept + self.config.vocab_size + maps)

    def shares(self) -> list[Share]:
        """Where the parameters are, as boxes in boxes from the whole model down.

        The parameters of a box are the sum over the boxes in it; parts without any are left out.
        A tied output head is named in the token embedding's label.
        """
        return [share for share in _all_shares(self) if share.parameters]


@lru_cache(maxsize=4096)
def counts(config: GPTConfig, path: str) -> Counts:
    """What the part at ``path`` costs, with all that is inside it; ``""`` is the whole model.

    Raises:
        KeyError: if the model has no such part.
    """
    return _counted(config, find(config, path))


def _counted(config: GPTConfig, part: Part) -> Counts:
    """A part's own counts and those inside it."""
    if isinstance(part.inside, Alike):
        one = _counted(config, part.inside.one)
        return Counts(*(part.inside.n * number for number in one))
    each = [_own(config, part), *(_counted(config, inner) for inner in part.inside)]
    return Counts(*map(sum, zip(*each, strict=True)))


def _own(config: GPTConfig, part: Part) -> Counts:
    """What a part costs by itself."""
    numbers = sum(product(config, shape) for shape in part.weights.values())
    return Counts(
        parameters=0 if part.tied_to else numbers,
        per_token=product(config, part.per_token),
        per_pair=product(config, part.per_pair),
        kept=_kept(config, part),
        saved=_saved(config, part),
    )


MAKES = (  # a new tensor; all others pass on what they were given, or forget what they made
    *("token_embedding", "position_embedding", "layer_norm", "query", "key", "value"),
    *("output_projection", "up_projection", "down_projection"),
)


def _kept(config: GPTConfig, part: Part) -> int:
    """Numbers that a pass makes for a token in this part alone."""
    makes = part.built and (
        part.does in MAKES
        or (part.does == "dropout" and part.role == "embeddings")  # their sum
        # Without a shortcut, or with nothing to add, no new tensor comes to be.
        or (part.does == "shortcut" and config.has(part.role))
    )
    return product(config, part.makes) if makes else 0


READERS = {"before attention": "attention", "before feed-forward": "feed_forward"}


def _saved(config: GPTConfig, part: Part) -> int:
    """Numbers that training saves for a token in this part alone."""
    d = config.emb_dim
    match part.does if part.built else "":
        case "layer_norm":
            # Where nothing is built to read it, and a shortcut leads past it, training forgets it.
            reader = READERS.get(part.role)
            is_used = reader is None or config.has(reader) or not config.has("shortcut")
            return d + 2 if is_used else 0
        case "query" | "up_projection" | "output_head":  # what is read, once for all who read it
            return d
        case "attention_core":
            return 4 * config.attn_dim + config.n_heads
        case "gelu" | "down_projection":
            return config.ff_dim
        case "dropout" if part.role != "weights" and config.drop_rate:
            return d  # its mask
    return 0


def _all_shares(ledger: Ledger) -> Iterator[Share]:
    config = ledger.config
    yield Share("model", "", "the whole model", "stream", ledger.parameters)
    yield Share("embeddings", "model", "embeddings", "embedding", _of_kind(config, "embedding"))
    for path, part in anatomy(config).modules():
        if "." in path or not path:
            continue
        parent = "embeddings" if part.kind == "embedding" else "model"
        if part.does == "blocks":
            yield from _shares_of_blocks(config)
        else:
            yield Share(path, parent, _label(config, part), part.kind, ledger.of(path))


def _of_kind(config: GPTConfig, kind: str, holder: str = "") -> int:
    """Parameters of the parts of one kind that are right inside another part."""
    inside = find(config, holder).inside
    paths = (f"{holder}.{p.name}".lstrip(".") for p in inside if p.kind == kind and p.is_module)
    return sum(counts(config, path).parameters for path in paths)


def _shares_of_blocks(config: GPTConfig) -> Iterator[Share]:
    n_layers = config.n_layers
    blocks = f"{n_layers} block{'s' if n_layers > 1 else ''}"
    yield Share("blocks", "model", blocks, "stream", counts(config, "blocks").parameters)
    kinds = dict.fromkeys(part.kind for part in find(config, "blocks.0").inside)
    for kind in kinds:
        count = n_layers * _of_kind(config, kind, "blocks.0")
        yield Share(f"blocks.*.{kind}", "blocks", _KINDS.get(kind, kind), kind, count)


_KINDS = {"feed_forward": "feed-forward", "norm": "norms"}
_LABELS = {
    "token_embedding": "token embedding",
    "position_embedding": "position embedding",
    "layer_norm": "final norm",
    "output_head": "output head",
}


def _label(config: GPTConfig, part: Part) -> str:
    also = config.tie_weights and part.does == "token_embedding"
    return _LABELS.get(part.does, part.name) + (", also the output head" if also else "")

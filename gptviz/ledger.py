"""What a GPT costs, part by part: parameters, memory and FLOPs, from its configuration alone.

Nothing here needs weights or torch, so a model of any size answers at once. The counts are held
equal to the model's own tensors, and the FLOPs to torch's counter, by tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from gptviz.config import GPTConfig
from gptviz.quoting import quoted

FP32_BYTES = 4
LAYER = "blocks.*"  # stands for any one block: all blocks are alike


@dataclass(frozen=True)
class Part:
    """What one module costs by itself, without the modules inside it.

    Args:
        parameters: numbers that training sets.
        per_token: multiply-adds for every token (a Linear layer's weights).
        per_pair: multiply-adds for every pair of tokens (attention's two products).
        kept: numbers a pass makes for every token.
        saved: numbers training saves for every token until it has their gradients.
    """

    parameters: int = 0
    per_token: int = 0
    per_pair: int = 0
    kept: int = 0
    saved: int = 0


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

    def of(self, path: str) -> int:
        """Parameters of the module at ``path`` and of all modules inside it; ``""`` is the model.

        Raises:
            KeyError: if the model has no such module.
        """
        return self._sum(path, lambda part: part.parameters)

    def paths(self) -> list[str]:
        """The path of every module, in the model's order; the model itself, ``""``, first."""
        names = list(self._parts)
        block = [name.removeprefix(LAYER) for name in names if name.startswith(LAYER)]
        layers = range(self.config.n_layers)
        first = names.index(LAYER)
        in_blocks = [f"blocks.{layer}{name}" for layer in layers for name in block]
        return names[:first] + in_blocks + names[first + len(block) :]

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
        return Flops(
            linear=2 * batch * n_tokens * self._sum(path, lambda part: part.per_token),
            attention=2 * batch * n_tokens**2 * self._sum(path, lambda part: part.per_pair),
        )

    def saved_numbers(self) -> int:
        """Numbers that a training step saves for every token, with fused attention, no dropout.

        d = emb_dim: in a block d + 2 for each norm (its input, mean and deviation), d for what
        query, key and value read, 4d + n_heads in attention's core (query, key, value, what it
        gathered, and the softmax's sums), 9d in the feed-forward (what it reads, and the hidden
        layer before and after GELU); then the final norm's, the head's input and vocab_size
        log-probabilities: n_layers (16d + 4 + n_heads) + 2d + 2 + vocab_size in all.
        """
        return self._sum("", lambda part: part.saved) + self.config.vocab_size

    def kv_cache_bytes(self, n_tokens: int, bytes_per_number: int = 2) -> int:
        """Bytes to keep every block's keys and values of ``n_tokens``, so as not to redo them."""
        built = 2 * self.config.n_layers if self.config.has("attention") else 0
        return built * self.config.emb_dim * n_tokens * bytes_per_number

    def memory_to_run(self, n_tokens: int) -> int:
        """Bytes, nearly, to make the model real in fp32 and trace ``n_tokens`` with it.

        4 bytes x (parameters + n_tokens x kept + vocab_size + 3 x n_heads x n_tokens^2).
        ``kept`` is what a pass makes for a token when it forgets nothing (a trace keeps a third of
        it, and makes the rest again when asked), d = emb_dim: d each for both embeddings, their
        sum and the final norm; in every block d each for two norms, query, key, value, what
        attention and feed-forward add and the two sums, and 4d before the GELU: (4 + 13L)d in
        all. Then the logits of the last position, and one block's attention maps while they are
        made: scores, masked scores and weights stand side by side. Python and torch themselves
        are not in it.
        """
        kept = n_tokens * self._sum("", lambda part: part.kept)
        maps = 3 * self.config.n_heads * n_tokens**2 if self.config.has("attention") else 0
        return FP32_BYTES * (self.parameters + kept + self.config.vocab_size + maps)

    def shares(self) -> list[Share]:
        """Where the parameters are, as boxes in boxes from the whole model down.

        The parameters of a box are the sum over the boxes in it; parts without any are left out.
        A tied output head is named in the token embedding's label.
        """
        return [share for share in _all_shares(self) if share.parameters]

    @cached_property
    def _parts(self) -> dict[str, Part]:
        config = self.config
        table = config.vocab_size * config.emb_dim
        return {
            "": Part(),
            "tok_emb": Part(parameters=table, kept=config.emb_dim),
            "pos_emb": Part(config.context_length * config.emb_dim, kept=config.emb_dim),
            "drop_emb": Part(kept=config.emb_dim),
            "blocks": Part(),
            **{f"{LAYER}{name}": part for name, part in _block_parts(config)},
            "final_norm": _norm(config),
            "out_head": Part(
                parameters=0 if config.tie_weights else table,
                per_token=table,
                saved=config.emb_dim,
            ),
        }

    def _sum(self, path: str, number: Callable[[Part], int]) -> int:
        wanted = self._pattern(path)
        inside = "" if wanted == "" else f"{wanted}."
        all_layers = not wanted.startswith(LAYER)
        return sum(
            number(part) * (self.config.n_layers if all_layers and name.startswith(LAYER) else 1)
            for name, part in self._parts.items()
            if name == wanted or name.startswith(inside)
        )

    def _pattern(self, path: str) -> str:
        blocks, dot, rest = path.partition(".")
        if blocks != "blocks" or not dot:
            known = path
        else:
            layer, dot, rest = rest.partition(".")
            if layer not in map(str, range(self.config.n_layers)):
                raise KeyError(
                    f"{quoted(path)}: blocks are counted from 0 to {self.config.n_layers - 1}"
                )
            known = f"{LAYER}{dot}{rest}"
        if known not in self._parts:
            raise KeyError(f"{quoted(path)} is no module of this model: paths() lists them all")
        return known


def _norm(config: GPTConfig) -> Part:
    if not config.has("norm"):
        return Part()
    return Part(parameters=2 * config.emb_dim, kept=config.emb_dim, saved=config.emb_dim + 2)


def _linear(n_in: int, n_out: int, bias: bool = True, kept: int = 0, saved: int = 0) -> Part:
    return Part(n_in * n_out + bias * n_out, per_token=n_in * n_out, kept=kept, saved=saved)


def _sum_on_stream(config: GPTConfig, added: str) -> Part:
    # Without a shortcut, or with nothing to add, no new tensor comes to be.
    return Part(kept=config.emb_dim if config.has("shortcut") and config.has(added) else 0)


def _block_parts(config: GPTConfig) -> Iterator[tuple[str, Part]]:
    yield "", Part()
    yield ".norm1", _norm(config)
    yield from _attention_parts(config)
    yield ".drop1", Part()
    yield ".shortcut1", _sum_on_stream(config, "attention")
    yield ".norm2", _norm(config)
    yield from _feed_forward_parts(config)
    yield ".drop2", Part()
    yield ".shortcut2", _sum_on_stream(config, "feed_forward")


def _attention_parts(config: GPTConfig) -> Iterator[tuple[str, Part]]:
    yield ".attention", Part()
    if not config.has("attention"):
        return
    d = config.emb_dim
    for name, saved in (("query", d), ("key", 0), ("value", 0)):  # one input, saved once
        yield f".attention.{name}", _linear(d, d, bias=config.qkv_bias, kept=d, saved=saved)
    # Query times key is head_dim multiply-adds a pair and head, weights times value as many.
    yield ".attention.core", Part(per_pair=2 * d, saved=4 * d + config.n_heads)
    yield ".attention.out_proj", _linear(d, d, kept=d)


def _feed_forward_parts(config: GPTConfig) -> Iterator[tuple[str, Part]]:
    yield ".feed_forward", Part()
    if not config.has("feed_forward"):
        return
    d, hidden = config.emb_dim, config.ff_dim
    yield ".feed_forward.linear1", _linear(d, hidden, kept=hidden, saved=d)
    yield ".feed_forward.gelu", Part(saved=hidden)
    yield ".feed_forward.linear2", _linear(hidden, d, kept=d, saved=hidden)


def _all_shares(ledger: Ledger) -> Iterator[Share]:
    of, n_layers, tied = ledger.of, ledger.config.n_layers, ledger.config.tie_weights
    tokens = "token embedding, also the output head" if tied else "token embedding"
    embeddings = of("tok_emb") + of("pos_emb")
    norms = n_layers * (of("blocks.0.norm1") + of("blocks.0.norm2"))
    attention = n_layers * of("blocks.0.attention")
    feed_forward = n_layers * of("blocks.0.feed_forward")
    blocks = f"{n_layers} block{'s' if n_layers > 1 else ''}"
    yield Share("model", "", "the whole model", "stream", of(""))
    yield Share("embeddings", "model", "embeddings", "embedding", embeddings)
    yield Share("tok_emb", "embeddings", tokens, "embedding", of("tok_emb"))
    yield Share("pos_emb", "embeddings", "position embedding", "embedding", of("pos_emb"))
    yield Share("blocks", "model", blocks, "stream", of("blocks"))
    yield Share("blocks.*.attention", "blocks", "attention", "attention", attention)
    yield Share("blocks.*.feed_forward", "blocks", "feed-forward", "feed_forward", feed_forward)
    yield Share("blocks.*.norm", "blocks", "norms", "norm", norms)
    yield Share("final_norm", "model", "final norm", "norm", of("final_norm"))
    yield Share("out_head", "model", "output head", "head", of("out_head"))


def parameters_formula(config: GPTConfig) -> str:
    r"""The number of parameters as one formula in LaTeX: with letters, with numbers, and counted.

    V = vocab_size, C = context_length, L = n_layers, d = emb_dim. GPT-2 small, untied:
    ``2Vd + Cd + L(12d^{2} + 10d) + 2d``.
    """
    squares = 4 * config.has("attention") + 8 * config.has("feed_forward")
    biases = config.has("attention") * (4 if config.qkv_bias else 1)
    singles = biases + 5 * config.has("feed_forward") + 4 * config.has("norm")
    block = [f"{n}{power}" for n, power in ((squares, "d^{2}"), (singles, "d")) if n]
    terms = ["Vd" if config.tie_weights else "2Vd", "Cd"]
    terms += [f"L({' + '.join(block)})"] if block else []
    terms += ["2d"] if config.has("norm") else []
    letters = " + ".join(terms)
    return f"{letters} = {_with_numbers(config, letters)} = {_digits(Ledger(config).parameters)}"


def _with_numbers(config: GPTConfig, letters: str) -> str:
    fields = {"V": "vocab_size", "C": "context_length", "L": "n_layers", "d": "emb_dim"}
    text = ""
    for sign in letters:
        times = r" \cdot " if text[-1:].isdigit() else ""
        text += times + _digits(getattr(config, fields[sign])) if sign in fields else sign
    return text.replace("(", r" \cdot (")


def _digits(number: int) -> str:
    return f"{number:,}".replace(",", "{,}")

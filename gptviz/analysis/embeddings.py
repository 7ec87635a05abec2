"""What tokens and positions are as vectors: how alike they are, who is near whom, and a map."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from gptviz.quoting import quoted
from gptviz.tracing.hooks import mask
from gptviz.tracing.trace import Trace

BAND = 2**22  # numbers of the vocabulary's table that are worked on at once
AXES = 3  # of a map


@dataclass(frozen=True, eq=False)
class Parts:
    """What the stream before block 0 is made of.

    Args:
        token, position: each token's own embedding and that of its position.
        total: their sum.
    """

    token: Float32[np.ndarray, "n_tokens emb_dim"]
    position: Float32[np.ndarray, "n_tokens emb_dim"]
    total: Float32[np.ndarray, "n_tokens emb_dim"]


@torch.inference_mode()
def parts(trace: Trace) -> Parts:
    """The sentence's token embeddings, position embeddings and their sum, before dropout."""
    tensors = (trace.tok_emb, trace.pos_emb, trace.tok_emb + trace.pos_emb)
    return Parts(*(tensor.float().numpy(force=True) for tensor in tensors))


def kept(trace: Trace) -> Bool[np.ndarray, "n_tokens emb_dim"] | None:
    """Which numbers of the sum the dropout of this pass left standing; None in eval mode."""
    if trace.dropout is None:
        return None
    shape = (1, *trace.embeddings.shape)  # with the batch axis that the pass had
    return mask(trace.dropout, "drop_emb", shape)[0].numpy(force=True)


@torch.inference_mode()
def similarity(
    trace: Trace, places: slice = slice(None), summed: bool = False
) -> Float32[np.ndarray, "size size"]:
    """The cosine between the embeddings of any two tokens of the sentence, from -1 to 1.

    Args:
        places: which tokens; at first all of them.
        summed: of token and position embedding together, and not of the token's alone.
    """
    rows = trace.tok_emb[places]
    return _cosines(rows + trace.pos_emb[places] if summed else rows)


@dataclass(frozen=True, eq=False)
class PositionMap:
    """How alike the position embeddings are.

    Args:
        positions: those that were compared.
        cosines: between any two of them.
    """

    positions: Int64[np.ndarray, " size"]
    cosines: Float32[np.ndarray, "size size"]

    @property
    def by_distance(self) -> Float32[np.ndarray, " size"]:
        """The mean cosine of two positions that are 0, 1, 2, ... places of the map apart."""
        count = len(self.cosines)
        return np.array([self.cosines.diagonal(apart).mean() for apart in range(count)])

    @property
    def nbytes(self) -> int:
        """Bytes of the map."""
        return self.positions.nbytes + self.cosines.nbytes


@torch.inference_mode()
def position_similarity(
    table: Float[Tensor, "context_length emb_dim"], most: int = 256
) -> PositionMap:
    """The cosine between any two position embeddings, from -1 to 1.

    With more than ``most`` positions it is every second, third, ... of them from 0 on: each number
    stays exact.
    """
    step = math.ceil(len(table) / most)
    return PositionMap(np.arange(0, len(table), step), _cosines(table[::step]))


def _cosines(rows: Float[Tensor, "n emb_dim"]) -> Float32[np.ndarray, "n n"]:
    directions = _directions(rows.float())
    return (directions @ directions.mT).clamp(-1, 1).numpy(force=True)


def _directions(rows: Float[Tensor, "*n emb_dim"]) -> Float[Tensor, "*n emb_dim"]:
    """Each row made 1 long; a row of zeros has no direction and stays."""
    return torch.nn.functional.normalize(rows, dim=-1)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The vocabulary's entries whose embeddings point most nearly where a token's does.

    Args:
        token_ids, cosines: the nearest, nearest first; the token itself is not among them.
        mean, std: of the cosines with all other entries, so that one sees what is unusual.
    """

    token_ids: Int64[np.ndarray, " count"]
    cosines: Float32[np.ndarray, " count"]
    mean: float
    std: float

    @property
    def nbytes(self) -> int:
        """Bytes of the two lists."""
        return self.token_ids.nbytes + self.cosines.nbytes


@torch.inference_mode()
def neighbours(
    table: Float[Tensor, "vocab_size emb_dim"],
    token_id: int,
    count: int = 20,
    before_each: Callable[[], object] | None = None,
) -> Neighbours:
    """Compare a token's embedding with the whole vocabulary's, a band of it at a time.

    Args:
        before_each: called before each band; what it raises stops the work and reaches the caller.

    Raises:
        IndexError: if the vocabulary has no such id.
    """
    if not 0 <= token_id < len(table):
        raise IndexError(f"token id {quoted(token_id)} must be from 0 to {len(table) - 1}")
    direction = _directions(table[token_id].float())
    found = []
    for band in table.split(max(1, BAND // table.shape[1])):
        if before_each is not None:
            before_each()
        found.append(_directions(band.float()) @ direction)
    cosines = torch.cat(found).clamp_(-1, 1)
    ids = torch.arange(len(table), device=table.device) != token_id
    others = cosines[ids].double()
    cosines[token_id] = -torch.inf
    top = cosines.topk(min(count, len(table) - 1))
    return Neighbours(
        top.indices.numpy(force=True),
        top.values.numpy(force=True),
        float(others.mean()),
        float(others.std(correction=0)),
    )


@dataclass(frozen=True, eq=False)
class VocabularyMap:
    """Token embeddings laid out along the directions in which they spread most.

    Args:
        token_ids: what was laid out, each once: the sentence's tokens first.
        n_sentence: how many of them are the sentence's.
        places: where each lies.
        shares: of the whole spread (variance), along each axis.
    """

    token_ids: Int64[np.ndarray, " n"]
    n_sentence: int
    places: Float32[np.ndarray, "n 3"]
    shares: Float32[np.ndarray, " 3"]

    @property
    def nbytes(self) -> int:
        """Bytes of all places and ids."""
        return self.token_ids.nbytes + self.places.nbytes + self.shares.nbytes


@torch.inference_mode()
def vocabulary_map(
    table: Float[Tensor, "vocab_size emb_dim"],
    token_ids: Sequence[int],
    sample: int = 1000,
    seed: int = 123,
) -> VocabularyMap:
    """The sentence's tokens among others of the vocabulary, by principal component analysis.

    Every token counts once, however often the sentence has it. Axes are ordered by how much of the
    spread lies along them; on each, the token farthest from the middle is on the positive side, so
    that the same model gives the same picture. Where vectors spread along fewer than three axes,
    the others are 0. Source: Pearson 1901; here by the eigenvalues of the covariance.

    Args:
        sample: how many other tokens are drawn, by ``seed``, from the vocabulary (all if it has
            fewer).
    """
    own = list(dict.fromkeys(token_ids))
    drawn = np.random.default_rng(seed).permutation(len(table))
    others = drawn[~np.isin(drawn, own)][:sample]
    ids = np.concatenate([np.array(own, dtype=np.int64), others])
    rows = table[torch.from_numpy(ids).to(table.device)].float()
    places, shares = _principal(rows)
    return VocabularyMap(ids, len(own), places, shares)


def _principal(
    rows: Float[Tensor, "n emb_dim"],
) -> tuple[Float32[np.ndarray, "n 3"], Float32[np.ndarray, " 3"]]:
    """Each row's place along the three main axes, and each axis's share of the spread.

    The eigenvalues of the rows' products among themselves are those of the columns': the smaller
    table of the two is enough.
    """
    centred = rows - rows.mean(dim=0)
    wide = rows.shape[1] > len(rows)
    values, vectors = torch.linalg.eigh(centred @ centred.mT if wide else centred.mT @ centred)
    values, vectors = values.flip(-1)[:AXES].clamp_min(0), vectors.flip(-1)[:, :AXES]
    places = vectors * values.sqrt() if wide else centred @ vectors
    farthest = places.gather(0, places.abs().argmax(dim=0, keepdim=True))
    places = places * torch.where(farthest < 0, -1, 1)
    shares = values / centred.square().sum().clamp_min(1e-30)
    missing = AXES - len(values)
    padded = (torch.nn.functional.pad(tensor, (0, missing)) for tensor in (places, shares))
    return tuple(tensor.numpy(force=True) for tensor in padded)  # type: ignore[return-value]

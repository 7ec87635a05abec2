"""What a layer norm does to each token, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from torch import Tensor

from gptviz.tracing.trace import Trace

STAGES = ("before", "normalised", "after scale and shift")
Values = Float32[np.ndarray, "n_tokens emb_dim"]


@dataclass(frozen=True, eq=False)
class NormSteps:
    """The sentence's numbers before, inside and after one layer norm.

    Args:
        before: the stream that the norm reads.
        normalized: less each token's mean, divided by the root of its variance + 1e-5.
        after: times ``scale``, plus ``shift``.
        scale, shift: what the norm has learned, for each dimension.
    """

    before: Values
    normalized: Values
    after: Values
    scale: Float32[np.ndarray, " emb_dim"]
    shift: Float32[np.ndarray, " emb_dim"]

    @property
    def means(self) -> Float64[np.ndarray, "3 n_tokens"]:
        """Each token's mean at each of the ``STAGES``."""
        return np.stack([values.mean(axis=1, dtype=np.float64) for values in self._stages])

    @property
    def variances(self) -> Float64[np.ndarray, "3 n_tokens"]:
        """Each token's variance (biased, as the norm's own) at each of the ``STAGES``."""
        return np.stack([values.var(axis=1, dtype=np.float64) for values in self._stages])

    @property
    def _stages(self) -> tuple[Values, Values, Values]:
        return self.before, self.normalized, self.after


def norm_steps(trace: Trace, path: str) -> NormSteps:
    """The textbook's steps (Ba et al. 2016, eq. 4) of one norm.

    Args:
        path: ``final_norm``, or a block's, such as ``blocks.3.norm1``.

    Raises:
        IndexError: if there is no such layer.
        ValueError: if norms are placeholders in this model.
    """
    if not trace.config.has("norm"):
        raise ValueError("norms are placeholders in this model: nothing is normalised")
    normalized, after = (trace.at(f"{path}.{step}") for step in ("normalize", "shift"))
    assert normalized is not None, path
    assert after is not None, path
    learned = (trace.weight(f"{path}.{name}") for name in ("scale", "shift"))
    tensors = (_read(trace, path), normalized, after, *learned)
    return NormSteps(*(tensor.float().numpy(force=True) for tensor in tensors))


def _read(trace: Trace, path: str) -> Tensor:
    """What a norm reads."""
    if path == "final_norm":
        return trace.last_resid
    _, layer, name = path.split(".")
    block = trace.blocks[int(layer)]
    return block.resid_pre if name == "norm1" else block.resid_mid

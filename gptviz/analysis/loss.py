"""How well the model foretold the sentence, token by token."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float32

from gptviz.tracing.trace import Trace

BAND = 64  # positions worked on at once: 13 MB of logits with GPT-2's vocabulary, not 206


@torch.inference_mode()
def losses(trace: Trace) -> Float32[np.ndarray, " n_foretold"]:
    """Nats of surprise at each next token: minus the log of the probability it was given.

    The one at ``position`` is about the token after it; the last token has none in the sentence.
    Their mean is the loss that training makes small. A model that spreads its guess evenly has
    log(``vocab_size``) everywhere. Source: Radford et al. 2018 (GPT), eq. 1.

    Raises:
        ValueError: if the sentence has one token only.
    """
    if trace.n_tokens < 2:
        raise ValueError("one token has none after it to foretell: read at least 2 tokens")
    bands = zip(trace.stream[:-1].split(BAND), trace.token_ids[1:].split(BAND), strict=True)
    found = [
        F.cross_entropy(trace.unembed(stream).float(), targets, reduction="none")
        for stream, targets in bands
    ]
    return torch.cat(found).numpy(force=True)

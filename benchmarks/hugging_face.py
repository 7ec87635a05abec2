"""Hugging Face's GPT-2 with random weights, and the same weights in our model."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from gptviz.config import GPTConfig
from gptviz.model import GPTModel

# Their block's modules under our names; attn.c_attn is cut in three below.
NORMS = {"norm1": "ln_1", "norm2": "ln_2"}
LINEARS = {
    "attention.out_proj": "attn.c_proj",
    "feed_forward.linear1": "mlp.c_fc",
    "feed_forward.linear2": "mlp.c_proj",
}


def their_model(config: GPTConfig) -> GPT2LMHeadModel:
    """Their model of this size, with biases, a tied head and attention written out ("eager")."""
    theirs = GPT2Config(
        vocab_size=config.vocab_size,
        n_positions=config.context_length,
        n_embd=config.emb_dim,
        n_layer=config.n_layers,
        n_head=config.n_heads,
        bos_token_id=config.vocab_size - 1,
        eos_token_id=config.vocab_size - 1,
    )
    model = GPT2LMHeadModel(theirs)
    model.set_attn_implementation("eager")
    return model.eval()  # type: ignore[no-untyped-call]


def with_their_weights(theirs: GPT2LMHeadModel) -> GPTModel:
    """Our model of the same size with copies of their weights."""
    source = theirs.transformer.state_dict()
    tensors = {
        "tok_emb.weight": source["wte.weight"],
        "out_head.weight": source["wte.weight"],
        "pos_emb.weight": source["wpe.weight"],
        "final_norm.scale": source["ln_f.weight"],
        "final_norm.shift": source["ln_f.bias"],
    }
    for layer in range(theirs.config.n_layer):
        tensors |= _block_tensors(source, f"h.{layer}.", f"blocks.{layer}.")
    ours = GPTModel(_our_config(theirs.config)).eval()
    ours.load_state_dict(tensors, strict=True)
    return ours


def _our_config(config: GPT2Config) -> GPTConfig:
    return GPTConfig(
        vocab_size=config.vocab_size,
        context_length=config.n_positions,
        emb_dim=config.n_embd,
        n_heads=config.n_head,
        n_layers=config.n_layer,
        qkv_bias=True,
        tie_weights=True,
    )


def _block_tensors(source: dict[str, Tensor], here: str, there: str) -> dict[str, Tensor]:
    """One block's weights; their linear layers keep (in, out) where torch keeps (out, in)."""
    tensors = {}
    for ours, theirs in NORMS.items():
        tensors[f"{there}{ours}.scale"] = source[f"{here}{theirs}.weight"]
        tensors[f"{there}{ours}.shift"] = source[f"{here}{theirs}.bias"]
    for ours, theirs in LINEARS.items():
        tensors[f"{there}{ours}.weight"] = source[f"{here}{theirs}.weight"].T
        tensors[f"{there}{ours}.bias"] = source[f"{here}{theirs}.bias"]
    weights = torch.chunk(source[f"{here}attn.c_attn.weight"].T, 3)
    biases = torch.chunk(source[f"{here}attn.c_attn.bias"], 3)
    for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
        tensors[f"{there}attention.{part}.weight"] = weight
        tensors[f"{there}attention.{part}.bias"] = bias
    return tensors

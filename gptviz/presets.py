"""The models that have a name: their sizes as data."""

from __future__ import annotations

from gptviz.config import GPTConfig
from gptviz.quoting import quoted

PRESETS: dict[str, GPTConfig] = {
    "tales": GPTConfig(
        vocab_size=8192,
        context_length=256,
        emb_dim=256,
        n_heads=8,
        n_layers=6,
        drop_rate=0.0,
        tie_weights=True,
    ),
    "gpt2-small": GPTConfig(),
    "gpt2-medium": GPTConfig(emb_dim=1024, n_layers=24, n_heads=16),
    "gpt2-large": GPTConfig(emb_dim=1280, n_layers=36, n_heads=20),
    "gpt2-xl": GPTConfig(emb_dim=1600, n_layers=48, n_heads=25),
    "gpt3-175b": GPTConfig(context_length=2048, emb_dim=12288, n_layers=96, n_heads=96),
}

TRAINED = ("tales",)  # presets whose weights ship with gptviz; all others get random ones


def preset(name: str) -> GPTConfig:
    """The configuration of this name.

    Raises:
        ValueError: if there is none.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no model {quoted(name)}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]

"""What is said of layer norms and of the steps inside them."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Wording

_WHAT = (
    "Brings each token's numbers to mean 0 and variance 1, then scales and shifts them by learned "
    "amounts."
)
_FORMULA = (
    r"\text{scale} \cdot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + 10^{-5}}}"
    r" + \text{shift}"
)


def _why_before_attention(config: GPTConfig, _part: Part) -> str:
    if not config.has("attention"):
        return _ready_for("attention")
    return (
        "Whatever size the stream has, attention reads it at one size: that keeps training steady."
    )


def _why_before_feed_forward(config: GPTConfig, _part: Part) -> str:
    if not config.has("feed_forward"):
        return _ready_for("feed-forward")
    if not config.has("attention"):
        return "Whatever size the stream has, feed-forward reads it at one size."
    return "Whatever attention has made of the stream's size, feed-forward reads it at one size."


def _ready_for(reader: str) -> str:
    return f"Whatever size the stream has, {reader} will read it at one size once it is built."


NORMS = {
    "layer_norm: before attention": Wording(
        "Norm 1",
        "layer normalization before attention (ln_1, pre-norm)",
        _WHAT,
        _why_before_attention,
        _FORMULA,
    ),
    "layer_norm: before feed-forward": Wording(
        "Norm 2",
        "layer normalization before feed-forward (ln_2, pre-norm)",
        _WHAT,
        _why_before_feed_forward,
        _FORMULA,
    ),
    "layer_norm: after the blocks": Wording(
        "Final norm",
        "final layer normalization (ln_f)",
        _WHAT,
        "Whatever size the stream has after the blocks, the output head reads it at one size.",
        _FORMULA,
    ),
    "mean": Wording(
        "Mean",
        "mean over emb_dim",
        "Averages each token's numbers: one mean for each token.",
        "It is subtracted next, so that only differences between the numbers count.",
        r"\mu_i = \frac{1}{d} \sum_{j=0}^{d-1} x_{ij},\quad d = \text{emb\_dim} = $emb_dim",
    ),
    "variance": Wording(
        "Variance",
        "biased variance over emb_dim (divided by d, not d - 1)",
        "Measures how far each token's numbers spread around their mean.",
        "Its square root is what all of the token's numbers are divided by next.",
        r"\sigma_i^2 = \frac{1}{d} \sum_{j=0}^{d-1} (x_{ij} - \mu_i)^2,"
        r"\quad d = \text{emb\_dim} = $emb_dim",
    ),
    "normalize": Wording(
        "Normalize",
        "standardization (z-score)",
        "Subtracts the mean and divides by the spread: mean 0 and variance 1 for each token.",
        "Whatever size the stream has, what is read from it always has the same size.",
        r"\hat{x}_{ij} = \frac{x_{ij} - \mu_i}{\sqrt{\sigma_i^2 + 10^{-5}}}",
    ),
    "learned_scale": Wording(
        "Scale",
        "learned gain (gamma, weight)",
        "Multiplies each of a token's $emb_dim numbers by a learned one, the same for all tokens.",
        "Some of them matter more to the part that reads them: training can turn them up or down.",
        r"\text{scale}_j \cdot \hat{x}_{ij}",
    ),
    "learned_shift": Wording(
        "Shift",
        "learned offset (beta, bias)",
        "Adds a learned number to each of a token's $emb_dim numbers, the same for all tokens.",
        "Mean 0 need not be the best place to start from: training can move it.",
        r"y_{ij} = \text{scale}_j\, \hat{x}_{ij} + \text{shift}_j",
    ),
}

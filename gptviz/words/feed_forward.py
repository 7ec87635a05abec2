"""What is said of feed-forward and of its two linear layers."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Wording
from gptviz.words.notation import NORM_2, linear, normed, weight

_TIMES: dict[float, str] = {
    1: "as many",
    2: "twice as many",
    3: "three times as many",
    4: "four times as many",
}


def _as_many(config: GPTConfig) -> str:
    """How many hidden numbers there are for those of a token."""
    times = config.ff_dim / config.emb_dim
    return _TIMES.get(times, f"{times:.3g} times as many")


def _what(config: GPTConfig, _part: Part) -> str:
    return (
        f"Works on each token by itself: turns its $emb_dim numbers into {_as_many(config)}, "
        "bends them with GELU, and turns them back into $emb_dim."
    )


def _formula(config: GPTConfig, part: Part) -> str:
    first, second = (each for each in part.inside if each.weights)
    hidden = linear(first, normed(config, NORM_2), "1")
    return linear(second, rf"\text{{GELU}}({hidden})", "2")


def _why_up(config: GPTConfig, _part: Part) -> str:
    if config.ff_dim > config.emb_dim:
        return "A wider space gives room to tell apart what a narrow one runs together."
    return "Each answer weighs all of the token's numbers in a learned way of its own."


def _up(config: GPTConfig, part: Part) -> str:
    return rf"h = {linear(part, normed(config, NORM_2), '1')},\quad {weight(part, '1')}"


def _why_down(config: GPTConfig, _part: Part) -> str:
    if config.has("shortcut"):
        return "Only lists of the same width can be added to the stream."
    return "What comes next reads lists of the stream's width."


FEED_FORWARD = {
    "feed_forward": Wording(
        "Feed-forward",
        "position-wise feed-forward network (mlp)",
        _what,
        "Attention mixes what tokens hold; this makes something new of it, token by token. Much "
        "of what models recall of facts was located here (Geva et al. 2021, Meng et al. 2022).",
        _formula,
    ),
    "up_projection": Wording(
        "Linear",
        "up projection (c_fc, W_in)",
        lambda config, _: f"Asks {_as_many(config)} questions of each token as it has numbers.",
        _why_up,
        _up,
    ),
    "gelu": Wording(
        "GELU",
        "Gaussian error linear unit (activation function)",
        "Lets large positive numbers pass and brings negative ones near to 0, smoothly.",
        "Without a bend between them, two linear layers could do no more than one.",
        r"\tfrac{1}{2} h \left(1 + \tanh\!\left(\sqrt{2/\pi}\,(h + 0.044715\, h^3)\right)\right)",
    ),
    "down_projection": Wording(
        "Linear",
        "down projection (c_proj, W_out)",
        "Turns the answers back into a list as wide as the stream.",
        _why_down,
        lambda _, part: rf"y = {linear(part, 'g', '2')},\quad {weight(part, '2')}",
    ),
}

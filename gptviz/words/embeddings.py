"""What is said of the way from text to the stream."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Wording
from gptviz.words.notation import weight

_SUM = r"x_i = W_{\text{tok}}[t_i] + W_{\text{pos}}[i]"


def _why_tokens_are_embedded(config: GPTConfig, _part: Part) -> str:
    again = " The output head uses the same table again." if config.tie_weights else ""
    return (
        "Tokens that are used alike can get similar lists, so what is learned about one helps with "
        f"the others.{again}"
    )


def _sum(config: GPTConfig, _part: Part) -> str:
    stream = "residual stream" if config.has("shortcut") else "stream"
    return f"Adds what the token is to where it stands: the {stream} begins here."


EMBEDDINGS = {
    "tokens": Wording(
        "Tokens",
        "byte-pair encoding (BPE), tokenization",
        "Cuts the text into pieces from the vocabulary and looks up each piece's number.",
        "A network computes with numbers; whole words would be too many, single letters too short.",
        r"\text{text} \rightarrow (t_0, \dots, t_{n-1}),\ 0 \le t_i < V = $vocab_size",
    ),
    "token_embedding": Wording(
        "Token embedding",
        "token embedding (wte, W_E)",
        "Replaces each token's number with a learned list of numbers.",
        _why_tokens_are_embedded,
        lambda _, part: r"e_i = W_{\text{tok}}[t_i],\quad " + weight(part, r"{\text{tok}}"),
    ),
    "position_embedding": Wording(
        "Position embedding",
        "absolute position embedding (wpe, W_pos)",
        "Gives each place in the sentence a learned list of numbers.",
        "Attention's scores depend on what two tokens hold, not on where they stand. Without this, "
        "only the mask would tell order; models can learn from that, too (Haviv et al. 2022).",
        lambda _, part: r"p_i = W_{\text{pos}}[i],\quad " + weight(part, r"{\text{pos}}"),
    ),
    "embeddings": Wording(
        "Embeddings",
        "input embedding (token and position embedding)",
        "Turns each token's number into a list of $emb_dim numbers that a network can work with.",
        "A token's number is only a name: 17 is no more like 18 than like 4,000. A list can be.",
        _SUM,
    ),
    "embedding_sum": Wording(
        "Sum of embeddings",
        "element-wise sum",
        _sum,
        "One list of numbers per token now carries both facts, for every block to read.",
        _SUM,
    ),
}

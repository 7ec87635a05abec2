"""What is said of the way from the stream to the next token."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Wording
from gptviz.words.notation import FINAL_NORM, linear, normed, weight


def _table(config: GPTConfig) -> str:
    """What tells the head's weight: the token embedding's where that is used again."""
    return r"{\text{tok}}" if config.tie_weights else r"{\text{head}}"


def _term(config: GPTConfig, _part: Part) -> str:
    tied = ", tied to the token embedding" if config.tie_weights else ""
    return f"unembedding, language-model head (lm_head, W_U){tied}"


def _why(config: GPTConfig, _part: Part) -> str:
    embedding = "the token embedding itself" if config.tie_weights else "the embedding"
    return f"It turns the stream's numbers back into tokens: {embedding}, in reverse."


def _formula(config: GPTConfig, part: Part) -> str:
    table = _table(config)
    made = linear(part, normed(config, FINAL_NORM), table)
    return rf"\text{{logits}} = {made},\quad {weight(part, table)}"


def _product(config: GPTConfig, _part: Part) -> str:
    return (
        rf"\text{{logit}}_v = \sum_{{j=0}}^{{d-1}} {normed(config, FINAL_NORM)}_j\, "
        rf"W_{_table(config)}[v, j],\quad d = \text{{emb\_dim}} = $emb_dim"
    )


HEAD = {
    "output_head": Wording(
        "Output head",
        _term,
        "Scores every token of the vocabulary as the possible next one.",
        _why,
        _formula,
    ),
    "unembedding": Wording(
        "Multiply",
        "matrix product with the unembedding",
        "Compares the token's numbers with the list of each of the $vocab_size tokens.",
        "The better two lists match, the likelier that token comes next.",
        _product,
    ),
    "vocabulary_softmax": Wording(
        "Softmax",
        "softmax over the vocabulary",
        "Turns the last token's $vocab_size scores into probabilities that sum to 1.",
        "Scores can only be compared; probabilities can be drawn from, and trained on.",
        r"p_v = \frac{e^{\text{logit}_v}}{\sum_{w=0}^{V-1} e^{\text{logit}_w}},"
        r"\quad V = $vocab_size",
    ),
    "sampling": Wording(
        "Choose",
        "sampling (greedy, temperature, top-k)",
        "Takes one token: the likeliest, or one drawn by the probabilities.",
        "It is appended to the text and read with the rest, and so on: that is how a GPT writes.",
        r"t_n = \arg\max_v\, p_v \quad\text{or}\quad t_n \sim p",
    ),
    "next_token": Wording(
        "Next token",
        "softmax over the vocabulary",
        "Turns the last token's scores into a probability for every possible next token.",
        "A GPT is trained for this alone; all else it can do, it learns on the way.",
        r"p_v = \frac{e^{\text{logit}_v}}{\sum_{w} e^{\text{logit}_w}},\quad 0 \le v < $vocab_size",
    ),
}

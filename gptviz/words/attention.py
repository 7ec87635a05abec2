"""What is said of attention, of its projections and of every step inside its heads."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Wording, Words
from gptviz.words.notation import NORM_1, linear, normed, softmax, weight


def _projection(letter: str) -> Words:
    def formula(config: GPTConfig, part: Part) -> str:
        made = linear(part, normed(config, NORM_1), letter)
        return rf"{letter} = {made},\quad {weight(part, letter)}"

    return formula


def _heads(config: GPTConfig, out_proj: Part) -> str:
    """All heads' findings side by side, through the output projection."""
    last = config.n_heads - 1
    dots = r"\dots, " if last > 1 else ""
    heads = r"\text{head}_0"
    if last:
        heads = rf"\text{{concat}}({heads}, {dots}\text{{head}}_{{{last}}})"
    return linear(out_proj, heads, "O")


def _attention(config: GPTConfig, part: Part) -> str:
    out_proj = next(each for each in part.inside if each.does == "output_projection")
    weights = softmax(r"Q_h K_h^{\top}")
    each_head = rf"\text{{head}}_h = {weights} V_h,\quad 0 \le h < $n_heads"
    return rf"{each_head},\quad {_heads(config, out_proj)}"


def _split(config: GPTConfig, _part: Part) -> str:
    width = "emb_dim" if config.attn_dim == config.emb_dim else "attn_dim"
    name = width.replace("_", r"\_")
    return (
        rf"\text{{head\_dim}} = \frac{{\text{{{name}}}}}{{\text{{n\_heads}}}}"
        rf" = \frac{{${width}}}{{$n_heads}} = $head_dim"
    )


def _by_heads(several: str, one: str) -> Words:
    """Words for several heads, and for a single one."""
    return lambda config, _: several if config.n_heads > 1 else one


ATTENTION = {
    "attention": Wording(
        "Masked multi-head attention",
        "causal self-attention (attn)",
        "Each token gathers what it needs from itself and the tokens before it.",
        "It is the only place where tokens meet: a pronoun can find its noun here.",
        _attention,
    ),
    "query": Wording(
        "Query",
        "query projection (W_Q)",
        "Turns each token into a question: what am I looking for?",
        "What a token looks for is not what it is, so it gets weights of its own.",
        _projection("Q"),
    ),
    "key": Wording(
        "Key",
        "key projection (W_K)",
        "Turns each token into a label: what can I be found by?",
        "A query finds a token by its key; the better they match, the more is taken.",
        _projection("K"),
    ),
    "value": Wording(
        "Value",
        "value projection (W_V)",
        "Turns each token into what it passes on to the tokens that look at it.",
        "What is worth passing on differs from what a token is found by.",
        _projection("V"),
    ),
    "split_heads": Wording(
        "Split into heads",
        "reshape and transpose (view)",
        _by_heads(
            "Cuts each token's query, key and value into $n_heads pieces, one for each head.",
            "With a single head there is nothing to cut: query, key and value stay whole.",
        ),
        _by_heads(
            "Several heads can look for several things at once, each in a smaller space of its "
            "own.",
            "Several heads could look for several things at once.",
        ),
        _split,
    ),
    "attention_core": Wording(
        "Look and gather",
        "scaled dot-product attention (scores, scale, mask, softmax, dropout, weighted sum)",
        "In each head, matches every query with the keys so far and mixes the values by the match.",
        "The mask hides later tokens, or the next one could be copied instead of predicted; "
        "the scale keeps the softmax from settling on one token too soon.",
        softmax(r"QK^{\top}") + " V",
    ),
    "attention_scores": Wording(
        "Scores",
        "attention scores (attn_scores, QKᵀ)",
        "Multiplies every query with every key: a large number where they match.",
        "The match decides who listens to whom, and both sides of it are learned.",
        r"s_{ij} = q_i \cdot k_j = \sum_{c=0}^{\text{head\_dim}-1} q_{ic}\, k_{jc},"
        r"\quad \text{head\_dim} = $head_dim",
    ),
    "scale_scores": Wording(
        "Scale",
        "scaled dot product (division by the root of head_dim)",
        "Divides all scores by the square root of head_dim.",
        "The more products are summed, here $head_dim, the larger scores tend to be; if they are "
        "large, the softmax settles on one token and passes hardly any gradient (Vaswani et al. "
        "2017).",
        r"\frac{s_{ij}}{\sqrt{\text{head\_dim}}} = \frac{s_{ij}}{\sqrt{$head_dim}}",
    ),
    "causal_mask": Wording(
        "Mask",
        "causal mask (autoregressive mask)",
        "Hides every key that comes after its query.",
        "The model learns by predicting the next token: if it could see that token, it would copy "
        "it.",
        r"s_{ij} \leftarrow -\infty \quad \text{where } j > i",
    ),
    "attention_softmax": Wording(
        "Softmax",
        "attention weights (attn_weights, pattern)",
        "Turns each query's scores into weights that are positive and sum to 1.",
        "A weight says how much of a token's value is taken; as they sum to 1, a mix of values is "
        "no larger than the largest of them.",
        r"a_{ij} = \frac{e^{s_{ij}}}{\sum_{m \le i} e^{s_{im}}}",
    ),
    "weighted_sum": Wording(
        "Weighted sum",
        "context vector (context_vec, z)",
        "Mixes the values of all tokens so far, each in proportion to its weight.",
        "This is where what one token knows reaches another.",
        r"z_i = \sum_{j \le i} a_{ij}\, v_j",
    ),
    "merge_heads": Wording(
        "Merge the heads",
        "transpose and reshape (concat)",
        _by_heads(
            "Puts the heads' results side by side again: one list of $attn_dim numbers for each "
            "token.",
            "With a single head there is nothing to merge: its $attn_dim numbers for each token "
            "stay as they are.",
        ),
        "What comes next works on whole tokens, not on heads.",
        r"\text{n\_heads} \cdot \text{head\_dim} = $n_heads \cdot $head_dim = $attn_dim",
    ),
    "output_projection": Wording(
        "Output projection",
        "output projection (c_proj, W_O)",
        _by_heads(
            "Mixes the heads' results into one list of $emb_dim numbers for each token.",
            "Mixes the head's result into a list of $emb_dim numbers for each token.",
        ),
        _by_heads(
            "Heads work apart; here their results are combined and written in the stream's own "
            "terms.",
            "Here the head's result is written in the stream's own terms.",
        ),
        lambda config, part: rf"{_heads(config, part)},\quad {weight(part, 'O')}",
    ),
}

"""The plain sentence, the term, the reason and the formula of every part of a GPT."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What to say about one part.

    Args:
        name: the short plain name, as on the diagram.
        term: the term of the field, with the names other codebases use.
        what: what it does, in one plain sentence.
        why: why it is there.
        formula: LaTeX, in the names of ``GPTConfig``.
    """

    name: str
    term: str
    what: str
    why: str
    formula: str


_NORM_FORMULA = (
    r"\text{scale} \cdot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + 10^{-5}}}"
    r" + \text{shift}"
)
_NORM_WHAT = (
    "Brings each token's numbers to mean 0 and variance 1, then scales and shifts them by learned "
    "amounts."
)

GLOSSARY: dict[str, Entry] = {
    "tokens": Entry(
        "Tokens",
        "byte-pair encoding (BPE), tokenization",
        "Cuts the text into pieces of the vocabulary and looks up each piece's number.",
        "A network computes with numbers; whole words would be too many, single letters too short.",
        r"\text{text} \rightarrow (t_0, \dots, t_{n-1}),\ 0 \le t_i < V",
    ),
    "tok_emb": Entry(
        "Token embedding",
        "token embedding (wte, W_E)",
        "Replaces each token's number by its own learned list of numbers.",
        "Tokens used alike can get similar lists, so what is learned of one helps the others.",
        r"x_i = W_{\text{tok}}[t_i]",
    ),
    "pos_emb": Entry(
        "Position embedding",
        "absolute position embedding (wpe, W_pos)",
        "Gives each place in the sentence its own learned list of numbers.",
        "Attention by itself sees a bag of tokens: without this, word order would be nearly lost.",
        r"p_i = W_{\text{pos}}[i]",
    ),
    "embeddings": Entry(
        "Sum of embeddings",
        "input embedding",
        "Adds what the token is to where it stands: the residual stream begins here.",
        "One list of numbers per token now carries both facts, for every block to read.",
        r"x_i = W_{\text{tok}}[t_i] + W_{\text{pos}}[i]",
    ),
    "drop_emb": Entry(
        "Dropout",
        "dropout on the embeddings",
        "While training, sets a random share of the numbers to 0 and enlarges the rest.",
        "No single number can be relied upon, so the model learns by heart less. Off when reading.",
        r"\frac{x \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = \text{drop\_rate}",
    ),
    "blocks": Entry(
        "Transformer blocks",
        "decoder layers (h, layers)",
        "The same kind of block again and again, each with weights of its own.",
        "Each one refines what those before it wrote; one alone could not go far.",
        r"x \leftarrow \text{block}_{\ell}(x),\quad \ell = 0, \dots, L - 1",
    ),
    "blocks.*": Entry(
        "Block",
        "transformer block, decoder layer",
        "Reads the residual stream and adds to it twice: attention first, feed-forward second.",
        "Attention moves facts between tokens; feed-forward works on each token alone. "
        "A model needs both.",
        r"\begin{aligned} x &\leftarrow x + \text{attention}(\text{norm}_1(x)) \\"
        r" x &\leftarrow x + \text{feed-forward}(\text{norm}_2(x)) \end{aligned}",
    ),
    "blocks.*.norm1": Entry(
        "Norm 1",
        "layer normalization before attention (ln_1, pre-norm)",
        _NORM_WHAT,
        "Numbers that grow from block to block would make training unsteady; attention reads them "
        "at one size.",
        _NORM_FORMULA,
    ),
    "blocks.*.attention": Entry(
        "Masked multi-head attention",
        "causal self-attention (attn)",
        "Each token gathers from itself and the tokens before it what it needs.",
        "It is the only place where tokens meet: a pronoun can find its noun here.",
        r"\text{softmax}\!\left(\frac{QK^{\top}}{\sqrt{\text{head\_dim}}} + \text{mask}\right) V",
    ),
    "blocks.*.attention.query": Entry(
        "Query",
        "query projection (W_Q)",
        "Makes from each token a question: what am I looking for?",
        "What a token looks for is not what it is, so it gets weights of its own.",
        r"Q = \text{norm}_1(x)\, W_Q^{\top}",
    ),
    "blocks.*.attention.key": Entry(
        "Key",
        "key projection (W_K)",
        "Makes from each token a label: what can I be found by?",
        "A query finds a token by its key; the better they match, the more is taken.",
        r"K = \text{norm}_1(x)\, W_K^{\top}",
    ),
    "blocks.*.attention.value": Entry(
        "Value",
        "value projection (W_V)",
        "Makes from each token what it hands over to those that look at it.",
        "What is worth passing on differs from what one is found by.",
        r"V = \text{norm}_1(x)\, W_V^{\top}",
    ),
    "blocks.*.attention.core": Entry(
        "Look and gather",
        "scaled dot-product attention (scores, scale, mask, softmax, dropout, weighted sum)",
        "In each head, matches every query with the keys so far and mixes the values by the match.",
        "The mask hides later tokens, or the next one could be copied instead of foretold; "
        "the scale keeps the softmax from picking one token too soon.",
        r"\text{softmax}\!\left(\frac{QK^{\top}}{\sqrt{\text{head\_dim}}} + \text{mask}\right) V",
    ),
    "blocks.*.attention.out_proj": Entry(
        "Merge and project",
        "output projection (c_proj, W_O)",
        "Puts the heads' findings side by side and mixes them into one list per token.",
        "Heads work apart; here their results are combined and written in the stream's own terms.",
        r"\text{concat}(\text{head}_0, \dots)\, W_O^{\top} + b_O",
    ),
    "blocks.*.drop1": Entry(
        "Dropout",
        "dropout on what attention adds (resid_dropout)",
        "While training, sets a random share of the numbers to 0 and enlarges the rest.",
        "No single number can be relied upon, so the model learns by heart less. Off when reading.",
        r"\frac{x \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = \text{drop\_rate}",
    ),
    "blocks.*.shortcut1": Entry(
        "Shortcut 1",
        "residual connection around attention (skip connection)",
        "Adds what attention made to the stream, which otherwise goes straight on.",
        "Gradients reach the first block undiminished, and a block need only learn what to change.",
        r"\text{resid\_mid} = \text{resid\_pre} + \text{attention out}",
    ),
    "blocks.*.norm2": Entry(
        "Norm 2",
        "layer normalization before feed-forward (ln_2, pre-norm)",
        _NORM_WHAT,
        "The stream has grown by what attention added; feed-forward reads it at one size again.",
        _NORM_FORMULA,
    ),
    "blocks.*.feed_forward": Entry(
        "Feed-forward",
        "position-wise feed-forward network (mlp)",
        "Works on each token by itself: widens its list four times, bends it, narrows it again.",
        "Most of what a model knows sits here; attention alone only moves and mixes.",
        r"\text{GELU}(x W_1^{\top} + b_1)\, W_2^{\top} + b_2",
    ),
    "blocks.*.feed_forward.linear1": Entry(
        "Linear",
        "up projection (c_fc, W_in)",
        "Asks four times as many questions of each token as it has numbers.",
        "A wider space gives room to tell apart what a narrow one runs together.",
        r"h = x W_1^{\top} + b_1",
    ),
    "blocks.*.feed_forward.gelu": Entry(
        "GELU",
        "Gaussian error linear unit (activation function)",
        "Lets large numbers pass and hushes negative ones, smoothly.",
        "Without a bend, two linear layers would be no more than one.",
        r"\tfrac{1}{2} h \left(1 + \tanh\!\left(\sqrt{2/\pi}\,(h + 0.044715\, h^3)\right)\right)",
    ),
    "blocks.*.feed_forward.linear2": Entry(
        "Linear",
        "down projection (c_proj, W_out)",
        "Turns the answers back into a list of the stream's width.",
        "Only lists of the same width can be added to the stream.",
        r"y = g\, W_2^{\top} + b_2",
    ),
    "blocks.*.drop2": Entry(
        "Dropout",
        "dropout on what feed-forward adds (resid_dropout)",
        "While training, sets a random share of the numbers to 0 and enlarges the rest.",
        "No single number can be relied upon, so the model learns by heart less. Off when reading.",
        r"\frac{x \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = \text{drop\_rate}",
    ),
    "blocks.*.shortcut2": Entry(
        "Shortcut 2",
        "residual connection around feed-forward (skip connection)",
        "Adds what feed-forward made to the stream, which otherwise goes straight on.",
        "Gradients reach the first block undiminished, and a block need only learn what to change.",
        r"\text{resid\_post} = \text{resid\_mid} + \text{feed-forward out}",
    ),
    "final_norm": Entry(
        "Final norm",
        "final layer normalization (ln_f)",
        _NORM_WHAT,
        "The stream has grown through all blocks; the output head reads it at one size.",
        _NORM_FORMULA,
    ),
    "out_head": Entry(
        "Output head",
        "unembedding, language-model head (lm_head, W_U)",
        "Scores every token of the vocabulary as the possible next one.",
        "It turns the stream's numbers back into tokens: the embedding, the other way round.",
        r"\text{logits} = \text{final\_norm}(x)\, W_{\text{head}}^{\top}",
    ),
    "next_token": Entry(
        "Next token",
        "softmax over the vocabulary",
        "Turns the last token's scores into a probability for every possible next token.",
        "The model was trained for this alone; all else it can do, it learned on the way.",
        r"p_v = \frac{e^{\text{logit}_v}}{\sum_{w} e^{\text{logit}_w}}",
    ),
}


def entry(path: str) -> Entry:
    """The glossary's entry for a part's path, such as ``blocks.3.attention.query``.

    Raises:
        KeyError: if no part has this path.
    """
    return GLOSSARY[re.sub(r"^blocks\.\d+", "blocks.*", path)]

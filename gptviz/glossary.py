"""The plain sentence, the term, the reason and the formula of every part of a GPT."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from string import Template

from gptviz.config import GPTConfig

NUMBERS = (
    *("vocab_size", "context_length", "emb_dim", "n_heads", "n_layers", "drop_rate"),
    *("head_dim", "ff_dim"),
)


@dataclass(frozen=True)
class Entry:
    """What to say about one part.

    Args:
        name: the short plain name, as on the diagram.
        term: the term of the field, with the names other codebases use.
        what: what it does, in one plain sentence.
        why: why it is there.
        formula: LaTeX.

    ``$emb_dim`` and other names of a configuration stand for its numbers: see ``filled``.
    """

    name: str
    term: str
    what: str
    why: str
    formula: str

    @property
    def lines(self) -> list[str]:
        r"""The formula, with what stands after a wide space (``,\quad``) on lines of its own."""
        return self.formula.split(r",\quad")

    def filled(self, config: GPTConfig) -> Entry:
        """The entry with a configuration's own numbers."""
        numbers = {name: getattr(config, name) for name in NUMBERS}
        texts = ((f.name, getattr(self, f.name)) for f in fields(self))
        return Entry(**{name: Template(text).substitute(numbers) for name, text in texts})


_NORM_FORMULA = (
    r"\text{scale} \cdot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + 10^{-5}}}"
    r" + \text{shift}"
)
_NORM_WHAT = (
    "Brings each token's numbers to mean 0 and variance 1, then scales and shifts them by learned "
    "amounts."
)

_NORM_STEPS = {
    "mean": Entry(
        "Mean",
        "mean over emb_dim",
        "Averages each token's numbers: one mean for each token.",
        "Taken away in a moment, so that only differences between the numbers count.",
        r"\mu_i = \frac{1}{d} \sum_{j=0}^{d-1} x_{ij},\quad d = \text{emb\_dim} = $emb_dim",
    ),
    "variance": Entry(
        "Variance",
        "biased variance over emb_dim (divided by d, not d - 1)",
        "Measures how far each token's numbers spread around their mean.",
        "Its root is the yardstick that all of the token's numbers are divided by.",
        r"\sigma_i^2 = \frac{1}{d} \sum_{j=0}^{d-1} (x_{ij} - \mu_i)^2,"
        r"\quad d = \text{emb\_dim} = $emb_dim",
    ),
    "normalize": Entry(
        "Normalize",
        "standardization (z-score)",
        "Takes the mean away and divides by the spread: mean 0 and variance 1 for each token.",
        "Whatever has piled up in the stream, what is read from it always has the same size.",
        r"\hat{x}_{ij} = \frac{x_{ij} - \mu_i}{\sqrt{\sigma_i^2 + 10^{-5}}}",
    ),
    "scale": Entry(
        "Scale",
        "learned gain (gamma, weight)",
        "Multiplies each of the $emb_dim places by a learned number, the same for all tokens.",
        "Some places matter more to the part that reads them: training can turn them up or down.",
        r"\text{scale}_j \cdot \hat{x}_{ij}",
    ),
    "shift": Entry(
        "Shift",
        "learned offset (beta, bias)",
        "Adds a learned number to each of the $emb_dim places, the same for all tokens.",
        "Mean 0 need not be the best place to start from: training can move it.",
        r"y_{ij} = \text{scale}_j\, \hat{x}_{ij} + \text{shift}_j",
    ),
}

GLOSSARY: dict[str, Entry] = {
    "tokens": Entry(
        "Tokens",
        "byte-pair encoding (BPE), tokenization",
        "Cuts the text into pieces of the vocabulary and looks up each piece's number.",
        "A network computes with numbers; whole words would be too many, single letters too short.",
        r"\text{text} \rightarrow (t_0, \dots, t_{n-1}),\ 0 \le t_i < V = $vocab_size",
    ),
    "tok_emb": Entry(
        "Token embedding",
        "token embedding (wte, W_E)",
        "Replaces each token's number by its own learned list of numbers.",
        "Tokens used alike can get similar lists, so what is learned of one helps the others.",
        r"x_i = W_{\text{tok}}[t_i],\quad W_{\text{tok}}: $vocab_size \times $emb_dim",
    ),
    "pos_emb": Entry(
        "Position embedding",
        "absolute position embedding (wpe, W_pos)",
        "Gives each place in the sentence its own learned list of numbers.",
        "Attention's scores depend on what two tokens hold, not on where they stand. Without this, "
        "only the mask would tell order; models can learn from that, too (Haviv et al. 2022).",
        r"p_i = W_{\text{pos}}[i],\quad W_{\text{pos}}: $context_length \times $emb_dim",
    ),
    "embeddings": Entry(
        "Embeddings",
        "input embedding (token and position embedding)",
        "Turns each token's number into a list of $emb_dim numbers that a network can work with.",
        "A token's number is only a name: 17 is no more like 18 than like 4,000. A list can be.",
        r"x_i = W_{\text{tok}}[t_i] + W_{\text{pos}}[i]",
    ),
    "embeddings.sum": Entry(
        "Sum of embeddings",
        "element-wise sum",
        "Adds what the token is to where it stands: the residual stream begins here.",
        "One list of numbers per token now carries both facts, for every block to read.",
        r"x_i = W_{\text{tok}}[t_i] + W_{\text{pos}}[i]",
    ),
    "drop_emb": Entry(
        "Dropout",
        "dropout on the embeddings",
        "While training, sets a random share of the numbers to 0 and enlarges the rest.",
        "No single number can be relied upon, so the model learns by heart less. Off when reading.",
        r"\frac{x \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = $drop_rate",
    ),
    "blocks": Entry(
        "Transformer blocks",
        "decoder layers (h, layers)",
        "The same kind of block again and again, each with weights of its own.",
        "Each one refines what those before it wrote; one alone could not go far.",
        r"x \leftarrow \text{block}_{\ell}(x),\quad 0 \le \ell < L = $n_layers",
    ),
    "blocks.*": Entry(
        "Block",
        "transformer block, decoder layer",
        "Reads the residual stream and adds to it twice: attention first, feed-forward second.",
        "Attention brings facts from other tokens; feed-forward works on what has been brought.",
        r"\begin{aligned} x &\leftarrow x + \text{attention}(\text{norm}_1(x)) \\"
        r" x &\leftarrow x + \text{feed-forward}(\text{norm}_2(x)) \end{aligned}",
    ),
    "blocks.*.norm1": Entry(
        "Norm 1",
        "layer normalization before attention (ln_1, pre-norm)",
        _NORM_WHAT,
        "Whatever size the stream has, attention reads it at one size: that keeps training steady.",
        _NORM_FORMULA,
    ),
    "blocks.*.attention": Entry(
        "Masked multi-head attention",
        "causal self-attention (attn)",
        "Each token gathers from itself and the tokens before it what it needs.",
        "It is the only place where tokens meet: a pronoun can find its noun here.",
        r"\text{softmax}\!\left(\frac{QK^{\top}}{\sqrt{$head_dim}} + \text{mask}\right) V",
    ),
    "blocks.*.attention.query": Entry(
        "Query",
        "query projection (W_Q)",
        "Makes from each token a question: what am I looking for?",
        "What a token looks for is not what it is, so it gets weights of its own.",
        r"Q = \text{norm}_1(x)\, W_Q^{\top},\quad W_Q: $emb_dim \times $emb_dim",
    ),
    "blocks.*.attention.key": Entry(
        "Key",
        "key projection (W_K)",
        "Makes from each token a label: what can I be found by?",
        "A query finds a token by its key; the better they match, the more is taken.",
        r"K = \text{norm}_1(x)\, W_K^{\top},\quad W_K: $emb_dim \times $emb_dim",
    ),
    "blocks.*.attention.value": Entry(
        "Value",
        "value projection (W_V)",
        "Makes from each token what it hands over to those that look at it.",
        "What is worth passing on differs from what one is found by.",
        r"V = \text{norm}_1(x)\, W_V^{\top},\quad W_V: $emb_dim \times $emb_dim",
    ),
    "blocks.*.attention.core": Entry(
        "Look and gather",
        "scaled dot-product attention (scores, scale, mask, softmax, dropout, weighted sum)",
        "In each head, matches every query with the keys so far and mixes the values by the match.",
        "The mask hides later tokens, or the next one could be copied instead of foretold; "
        "the scale keeps the softmax from settling on one token too soon.",
        r"\text{softmax}\!\left(\frac{QK^{\top}}{\sqrt{$head_dim}} + \text{mask}\right) V",
    ),
    "blocks.*.attention.split": Entry(
        "Split into heads",
        "reshape and transpose (view)",
        "Cuts each token's queries, keys and values into $n_heads pieces, one for each head.",
        "Several heads can look for several things at once, each in a smaller space of its own.",
        r"\text{head\_dim} = \frac{\text{emb\_dim}}{\text{n\_heads}}"
        r" = \frac{$emb_dim}{$n_heads} = $head_dim",
    ),
    "blocks.*.attention.core.scores": Entry(
        "Scores",
        "attention scores (attn_scores, QKᵀ)",
        "Multiplies every query with every key: a large number where they match.",
        "The match decides who listens to whom, and both sides of it are learned.",
        r"s_{ij} = q_i \cdot k_j = \sum_{c=0}^{\text{head\_dim}-1} q_{ic}\, k_{jc},"
        r"\quad \text{head\_dim} = $head_dim",
    ),
    "blocks.*.attention.core.scale": Entry(
        "Scale",
        "scaled dot product (division by the root of head_dim)",
        "Divides all scores by the square root of head_dim.",
        "The more products are summed, here $head_dim, the larger scores tend to be; if they are "
        "large, the softmax settles on one token and passes hardly any gradient (Vaswani et al. "
        "2017).",
        r"\frac{s_{ij}}{\sqrt{\text{head\_dim}}} = \frac{s_{ij}}{\sqrt{$head_dim}}",
    ),
    "blocks.*.attention.core.mask": Entry(
        "Mask",
        "causal mask (autoregressive mask)",
        "Strikes out every key that comes after its query.",
        "The model learns by foretelling the next token: if it could see it, it would copy.",
        r"s_{ij} \leftarrow -\infty \quad \text{where } j > i",
    ),
    "blocks.*.attention.core.softmax": Entry(
        "Softmax",
        "attention weights (attn_weights, pattern)",
        "Makes of each query's scores shares that are positive and sum to 1.",
        "Shares can be read as how much each token is listened to, and their sum keeps its size.",
        r"a_{ij} = \frac{e^{s_{ij}}}{\sum_{m \le i} e^{s_{im}}}",
    ),
    "blocks.*.attention.core.dropout": Entry(
        "Dropout",
        "attention dropout (attn_pdrop)",
        "While training, sets a random share of the weights to 0 and enlarges the rest.",
        "No token may always be listened to, so the model learns more than one way. "
        "Off when reading.",
        r"\frac{a \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = $drop_rate",
    ),
    "blocks.*.attention.core.gather": Entry(
        "Weighted sum",
        "context vector (context_vec, z)",
        "Mixes the values of all tokens so far, each as much as its weight says.",
        "This is where what one token knows reaches another.",
        r"z_i = \sum_{j \le i} a_{ij}\, v_j",
    ),
    "blocks.*.attention.merge": Entry(
        "Merge the heads",
        "transpose and reshape (concat)",
        "Puts the heads' findings side by side again: one list of $emb_dim numbers for each token.",
        "What comes next works on whole tokens, not on heads.",
        r"\text{n\_heads} \cdot \text{head\_dim} = $n_heads \cdot $head_dim = $emb_dim",
    ),
    "blocks.*.attention.out_proj": Entry(
        "Output projection",
        "output projection (c_proj, W_O)",
        "Puts the heads' findings side by side and mixes them into one list per token.",
        "Heads work apart; here their results are combined and written in the stream's own terms.",
        r"\text{concat}(\text{head}_0, \dots)\, W_O^{\top} + b_O,"
        r"\quad W_O: $emb_dim \times $emb_dim",
    ),
    "blocks.*.drop1": Entry(
        "Dropout",
        "dropout on what attention adds (resid_dropout)",
        "While training, sets a random share of the numbers to 0 and enlarges the rest.",
        "No single number can be relied upon, so the model learns by heart less. Off when reading.",
        r"\frac{x \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = $drop_rate",
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
        "Whatever attention has made of the stream's size, feed-forward reads it at one size.",
        _NORM_FORMULA,
    ),
    "blocks.*.feed_forward": Entry(
        "Feed-forward",
        "position-wise feed-forward network (mlp)",
        "Works on each token by itself: widens its list four times, bends it, narrows it again.",
        "Attention mixes what tokens hold; this makes something new of it, token by token. Much "
        "of what models recall of facts was located here (Geva et al. 2021, Meng et al. 2022).",
        r"\text{GELU}(x W_1^{\top} + b_1)\, W_2^{\top} + b_2",
    ),
    "blocks.*.feed_forward.linear1": Entry(
        "Linear",
        "up projection (c_fc, W_in)",
        "Asks four times as many questions of each token as it has numbers.",
        "A wider space gives room to tell apart what a narrow one runs together.",
        r"h = x W_1^{\top} + b_1,\quad W_1: $ff_dim \times $emb_dim",
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
        r"y = g\, W_2^{\top} + b_2,\quad W_2: $emb_dim \times $ff_dim",
    ),
    "blocks.*.drop2": Entry(
        "Dropout",
        "dropout on what feed-forward adds (resid_dropout)",
        "While training, sets a random share of the numbers to 0 and enlarges the rest.",
        "No single number can be relied upon, so the model learns by heart less. Off when reading.",
        r"\frac{x \cdot m}{1 - r},\quad m \sim \text{Bernoulli}(1 - r),\ r = $drop_rate",
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
        "Whatever size the stream has after the blocks, the output head reads it at one size.",
        _NORM_FORMULA,
    ),
    "out_head": Entry(
        "Output head",
        "unembedding, language-model head (lm_head, W_U)",
        "Scores every token of the vocabulary as the possible next one.",
        "It turns the stream's numbers back into tokens: the embedding, the other way round.",
        r"\text{logits} = \text{final\_norm}(x)\, W_{\text{head}}^{\top},"
        r"\quad W_{\text{head}}: $vocab_size \times $emb_dim",
    ),
    "out_head.matmul": Entry(
        "Multiply",
        "matrix product with the unembedding",
        "Compares the token's numbers with the list of each of the $vocab_size tokens.",
        "The better two lists match, the likelier that token comes next.",
        r"\text{logit}_v = \sum_{j=0}^{d-1} x_j\, W_{\text{head}}[v, j],"
        r"\quad d = \text{emb\_dim} = $emb_dim",
    ),
    "out_head.softmax": Entry(
        "Softmax",
        "softmax over the vocabulary",
        "Makes of the last token's $vocab_size scores probabilities that sum to 1.",
        "Scores can only be compared; probabilities can be drawn from, and trained on.",
        r"p_v = \frac{e^{\text{logit}_v}}{\sum_{w=0}^{V-1} e^{\text{logit}_w}},"
        r"\quad V = $vocab_size",
    ),
    "out_head.sampling": Entry(
        "Choose",
        "sampling (greedy, temperature, top-k)",
        "Takes one token: the likeliest, or one drawn by the probabilities.",
        "Appended to the text, it is read with the rest, and so on: that is how a GPT writes.",
        r"t_n = \arg\max_v\, p_v \quad\text{or}\quad t_n \sim p",
    ),
    "next_token": Entry(
        "Next token",
        "softmax over the vocabulary",
        "Turns the last token's scores into a probability for every possible next token.",
        "A GPT is trained for this alone; all else it can do, it learns on the way.",
        r"p_v = \frac{e^{\text{logit}_v}}{\sum_{w} e^{\text{logit}_w}},\quad 0 \le v < $vocab_size",
    ),
}

for _norm in ("blocks.*.norm1", "blocks.*.norm2", "final_norm"):
    GLOSSARY |= {f"{_norm}.{step}": its_entry for step, its_entry in _NORM_STEPS.items()}


def entry(path: str) -> Entry:
    """The glossary's entry for a part's path, such as ``blocks.3.attention.query``.

    Raises:
        KeyError: if no part has this path.
    """
    return GLOSSARY[re.sub(r"^blocks\.\d+", "blocks.*", path)]

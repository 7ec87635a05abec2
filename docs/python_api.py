# Ten minutes with gptviz in Python.
#
# Each `# %%` begins a cell: editors and notebooks that know the mark run them one by one.
# As a whole: `.venv/bin/python docs/python_api.py`. A test runs it and checks what it prints.

# %% How large is GPT-2?
# Structure comes from the configuration alone: neither torch nor weights are needed, so a model of
# any size answers at once.

from gptviz import PRESETS, Ledger

for name in ("gpt2-small", "gpt3-175b"):
    ledger = Ledger(PRESETS[name])
    print(f"{name}: {ledger.parameters_untied:,} parameters, {ledger.parameters_tied:,} if tied")

# GPT-2 as OpenAI published it is tied, and its queries, keys and values have a bias. People also
# count without the embeddings and the head ("non-embedding"): 85 million instead of 124.
published = Ledger(PRESETS["gpt2-small"].changed(tie_weights=True, qkv_bias=True))
print(f"GPT-2 as published: {published.parameters:,} parameters")
print(f"non-embedding: {published.parameters_non_embedding:,}")

# Part by part, under the names that modules have in the model:
small = Ledger(PRESETS["gpt2-small"])
print(f"attention of one block: {small.of('blocks.0.attention'):,}")
print(f"a forward pass over 1,024 tokens: {small.flops(1024).total:,} FLOPs")

# Any configuration will do; a rule that is broken says which, and what would be allowed.
try:
    PRESETS["gpt2-small"].changed(emb_dim=770)
except ValueError as error:
    print(error)

# %% A model and a sentence
# `tales` is small, trained, and ships with gptviz. The tokenizer cuts the text into ids.

from gptviz import load, trace

tales = load("tales")
text = "Once upon a time there was a king who had a daughter, and the king said to his"
ids = tales.tokenizer.encode(text)
labels = tales.tokenizer.labels(ids)
print(labels)

# %% One pass, and what happened in it
# `trace` reads the sentence once. What can't be made again cheaply is kept, the rest is made when
# it is asked for, to the last bit. Layers, heads and positions count from 0.

import torch

t = trace(tales.model, ids)
block = t.blocks[3]
print("residual stream after block 3:", tuple(block.resid_post.shape))  # (n_tokens, emb_dim)

# A block only adds to the stream; what one leaves is what the next one finds.
added = block.resid_pre + block.attention_out + block.feed_forward_out
print("a block adds:", torch.allclose(added, block.resid_post, atol=1e-4))
print("and hands on:", torch.equal(block.resid_post, t.blocks[4].resid_pre))

# %% Gradients
# A pass is read in torch's inference mode, so autograd refuses the trace's tensors ("Inference
# tensors cannot be saved for backward"). A clone of one is an ordinary tensor. Here the rest of the
# model reads a clone of the stream after block 3: which token's numbers there matter most for the
# likeliest next token?

with torch.enable_grad():  # needed where gradients are off
    stream = block.resid_post.clone().requires_grad_()
    x = stream[None]  # the model's modules want a batch axis
    for later in tales.model.blocks[4:]:
        x = later(x)
    scores = tales.model.out_head(tales.model.final_norm(x))[0, -1]
    (gradient,) = torch.autograd.grad(scores.max(), stream)  # (n_tokens, emb_dim)
print("the scores of the pass:", torch.allclose(scores, t.last_logits, atol=1e-3))
strength = gradient.norm(dim=-1)
print(f"it hangs most on {labels[int(strength.argmax())]}: {strength.max():.2f} a unit")

# %% Who looks at whom: one head's map
# A row is a token that looks (the query), a column one that is looked at (the key). Head 5 of
# layer 0 has learned to look at the token before.

from gptviz.analysis.attention import head_map

weights = head_map(t, layer=0, head=5)  # numpy, (n_tokens, n_tokens), rows sum to 1
for position in range(1, 6):
    seen = int(weights[position].argmax())
    print(f"{labels[position]} looks at {labels[seen]} with {weights[position, seen]:.2f}")

# The figure of the app, if you like (in a notebook: `.show()`):
#     from gptviz.figures.attention import attention_map
#     from gptviz.figures.theme import LIGHT
#     attention_map(weights, labels, LIGHT)

# %% What do all the heads do?
# A measure is one number for each head. Random tokens, and then the same again, mean nothing: the
# second time they can be foretold only by looking back. A head that looks at what came after the
# earlier copy is an induction head (Olsson et al. 2022).

from gptviz.analysis.heads import INDUCTION, PREVIOUS_TOKEN, repeated_tokens

twice = trace(tales.model, repeated_tokens(tales.model.config.vocab_size, span=32))
induction = INDUCTION.of(twice)  # (n_layers, n_heads), from 0 to 1
inductive = [(layer, head) for layer, head in zip(*(induction > 0.5).nonzero(), strict=True)]
for layer, head in inductive:
    print(f"layer {layer}, head {head}: {induction[layer, head]:.2f} of its weight by induction")
print(f"the best at the token before: {PREVIOUS_TOKEN.of(twice).max():.2f}")

# %% What comes next, and when does the model know?
# The output head gives a score to every token of the vocabulary; softmax makes probabilities.

from gptviz.analysis.lens import logit_lens
from gptviz.analysis.next_token import entropy, likeliest

expected = likeliest(t, count=5)
for token_id, share in zip(expected.token_ids, expected.probabilities, strict=True):
    print(f"{tales.tokenizer.label(int(token_id))}: {share:.3f}")
print(f"all others: {expected.rest:.3f}; undecided by {entropy(t):.2f} bits")

# The logit lens reads every layer as if it were the last. Row 0 is before block 0.
lens = logit_lens(t, first=t.n_tokens - 1, n_columns=1)
for row, token_id in enumerate(lens.token_ids[:, 0]):
    rank = int(lens.ranks[row, 0])
    print(f"row {row} says {tales.tokenizer.label(int(token_id))}; the answer has rank {rank}")

# %% What if some heads were missing?
# An intervention is a value of one pass: the shared model stays as it is. Without the induction
# heads, the second copy of the random tokens takes the model by surprise again.

from gptviz.analysis.loss import losses
from gptviz.tracing.changes import silence

silenced = silence(inductive)
without = trace(tales.model, twice.token_ids, changes=silenced)
for name, one in (("first copy", twice), ("first copy, silenced", without)):
    print(f"{name}: {losses(one)[:31].mean():.2f} nats a token")
for name, one in (("second copy", twice), ("second copy, silenced", without)):
    print(f"{name}: {losses(one)[32:].mean():.2f} nats a token")

# %% Writing on
# Token by token; what was read once is kept (the KV cache). The same seed writes the same text.

from gptviz.config import Sampling
from gptviz.tracing.generation import generate

sampling = Sampling(temperature=0.8, top_k=40)
written = [token.token_id for token in generate(tales.model, ids, 20, sampling, seed=1)]
print(text + "|" + tales.tokenizer.decode(written))

# %% Taking it along
# Every tensor of the pass, under its name, in one file that needs no gptviz to be read.

from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import load_file

from gptviz.tracing.trace_file import write_trace

with TemporaryDirectory() as folder:
    path = Path(folder) / "trace.safetensors"
    write_trace(path, t, only=["blocks.3.*"], model="tales")
    again = load_file(path)
print(f"{len(again)} tensors of block 3, among them attention's weights:")
print("the same:", torch.equal(again["blocks.3.attention.attn_weights"], block.attn_weights()))

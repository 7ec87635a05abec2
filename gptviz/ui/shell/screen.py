"""What all pages look at: one model, one configuration, one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.config import Dropout, GPTConfig
from gptviz.defaults import MODEL
from gptviz.tokenizer import MIN_VOCAB_SIZE, Tokenizer
from gptviz.tracing.passes import ModelKey, Pass

CUSTOM = "custom"
TRAINED = MODEL


@dataclass(frozen=True)
class Screen:
    """What all pages look at: one model, one configuration, one sentence.

    Args:
        model: a preset's name, or ``"custom"``.
        seed: where random weights start; of no effect on the trained model.
        token_ids, labels: the sentence, at most ``context_length`` tokens of it.
        sentence_length: how many tokens all of it has.
        problem: why ``config`` is not what the fields say; empty if it is.
        dropout: what the pass drops (train mode); None in eval mode.
    """

    model: str
    config: GPTConfig
    seed: int
    token_ids: tuple[int, ...]
    labels: tuple[str, ...]
    sentence_length: int
    problem: str
    dropout: Dropout | None

    @property
    def is_trained(self) -> bool:
        return self.model == TRAINED

    @property
    def source(self) -> str | GPTConfig:
        """What to load: a trained model by its name, any other by its configuration."""
        return self.model if self.is_trained else self.config

    @property
    def key(self) -> ModelKey:
        """Which model it is."""
        return ModelKey(self.source, self.seed)

    @property
    def of(self) -> Pass:
        """The pass that all pages look at."""
        return Pass(self.key, self.token_ids, self.dropout)

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer.

        Raises:
            ValueError: if the vocabulary is too small for one: then there are no ``token_ids``.
        """
        return Tokenizer(self.config.vocab_size)

    @property
    def why_no_tokens(self) -> str:
        """Why there are no ``token_ids``, and what to do; empty if there are some."""
        if self.token_ids:
            return ""
        if self.config.vocab_size < MIN_VOCAB_SIZE:
            return (
                "No text can be cut into tokens of so small a vocabulary: GPT-2's tokenizer needs "
                f"a vocab_size of at least {MIN_VOCAB_SIZE}."
            )
        return "The sentence is empty: type one in the sidebar."

    @property
    def title(self) -> str:
        """The model's name and where its weights come from."""
        if self.is_trained:
            return f"{self.model}, trained"
        return f"{self.model}, random weights (seed {self.seed})"

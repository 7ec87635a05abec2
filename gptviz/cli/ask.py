"""What commands ask for, all in the same words, and how a model reads what they were given."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gptviz.cli.say import console, note
from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.defaults import largest_that_fits
from gptviz.memory import free_memory
from gptviz.presets import PRESETS
from gptviz.quoting import quoted
from gptviz.tracing import changes

if TYPE_CHECKING:
    from gptviz.loading import Loaded
    from gptviz.tracing.trace import Trace

Model = Annotated[
    str, typer.Option(help=f"tales (trained), or with random weights: {', '.join(PRESETS)}")
]
Sentence = Annotated[
    str,
    typer.Option(
        "--text", help="what the model reads; - for standard input", show_default="the app's"
    ),
]
MOST_SEED = 2**31 - 1
Seed = Annotated[int, typer.Option(help="where random weights start", min=0, max=MOST_SEED)]
Json = Annotated[bool, typer.Option("--json", help="answer in JSON, with all digits")]
Silence = Annotated[
    list[str] | None,
    typer.Option(
        help="a head that is to tell nothing, as LAYER.HEAD, such as 4.6; may be repeated",
        metavar="LAYER.HEAD",
    ),
]


@dataclass(frozen=True)
class ReadText:
    """A text that a model has read.

    Args:
        labels: its tokens, each made visible.
    """

    loaded: Loaded
    trace: Trace
    labels: list[str]

    @property
    def title(self) -> str:
        """The model's name and how much it read."""
        n = self.trace.n_tokens
        return f"{self.loaded.name}, {n} token{'' if n == 1 else 's'}"

    def described(self) -> dict[str, Any]:
        """The same for a program."""
        silenced = changes.silenced(self.trace.of.changes)
        return {"model": self.loaded.name, "tokens": self.labels, "silenced": silenced}


def preset(name: str, option: str = "--model") -> GPTConfig:
    """The configuration of this name; a clear refusal if there is none."""
    if name not in PRESETS:
        raise typer.BadParameter(
            f"there is no model {quoted(name)}: choose one of {', '.join(PRESETS)}",
            param_hint=option,
        )
    return PRESETS[name]


def read(model: str, text: str, seed: int, silence: Sequence[str] | None = None) -> ReadText:
    """Read a text with a model, or refuse and say why, before anything large is made."""
    return read_ids(model, _token_ids(preset(model), _text(text)), seed, silence)


def read_ids(
    model: str, ids: Sequence[int], seed: int, silence: Sequence[str] | None = None
) -> ReadText:
    """The same for token ids."""
    _check_memory(model, len(ids))
    changed = changes.silence(map(_head, silence or ()))
    with waiting(f"Reading with {model}"), refusing():
        from gptviz.loading import load
        from gptviz.tracing.trace import trace

        loaded = load(model, seed)
        traced = trace(loaded.model, ids, changes=changed)
    return ReadText(loaded, traced, loaded.tokenizer.labels(ids))


@contextmanager
def refusing() -> Iterator[None]:
    """What the package says is wrong with a value is what the terminal says."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say what takes its time, in a terminal, and take it away again."""
    with console(stderr=True).status(what, spinner="line"):  # any terminal has its signs
        yield


def _head(written: str) -> tuple[int, int]:
    layer, _, head = written.partition(".")
    try:
        return int(layer), int(head)
    except ValueError as error:
        raise typer.BadParameter(
            f"{quoted(written)} names no head: write its layer and its number, such as 4.6",
            param_hint="--silence",
        ) from error


def _text(text: str) -> str:
    """The text, or standard input without its byte-order mark and its last line's end."""
    if text != "-":
        return text
    if sys.stdin is None:
        raise typer.BadParameter("standard input is closed: give it a text", param_hint="--text")
    try:
        given = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise typer.BadParameter(
            f"standard input is not UTF-8 text: {error}", param_hint="--text"
        ) from error
    return re.sub(r"\r?\n\Z", "", given)


def _token_ids(config: GPTConfig, text: str) -> list[int]:
    from gptviz.tokenizer import Tokenizer

    ids = Tokenizer(config.vocab_size).encode(text)
    if not ids:
        raise typer.BadParameter(
            "the text is empty: give one of at least one token", param_hint="--text"
        )
    if len(ids) > config.context_length:
        note(
            f"The text has {len(ids):,} tokens; the model reads the first "
            f"{config.context_length:,} (context_length)."
        )
    elif text.endswith(" "):
        note(
            "The text ends in a space. A space belongs to the token after it, so what the model "
            "expects next is of little use: leave the space out."
        )
    return ids[: config.context_length]


def _check_memory(model: str, n_tokens: int) -> None:
    needed, free = Ledger(PRESETS[model]).memory_to_run(n_tokens), free_memory()
    if needed <= free:
        return
    fitting = largest_that_fits()
    instead = f" {fitting} is the largest that fits." if fitting else ""
    raise typer.BadParameter(
        f"reading with {model} would take {needed / 2**30:,.1f} GiB of memory; "
        f"{free / 2**30:,.1f} GiB can be used now.{instead} Its parameters need none: "
        f"gptviz params --model {model}",
        param_hint="--model",
    )

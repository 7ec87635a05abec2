"""``gptviz predict``: what comes next, and after that."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gptviz.cli import ask
from gptviz.cli.say import as_json, note, say, table
from gptviz.config import Sampling
from gptviz.defaults import MODEL, SEED, TEXT
from gptviz.quoting import quoted

if TYPE_CHECKING:
    from gptviz.analysis.next_token import Candidates
    from gptviz.cli.ask import ReadText
    from gptviz.tracing.generation import Generated

USUAL = Sampling()
WHY = {
    "context_length": "the context is full (context_length), and a model can't read further",
    "end_of_text": "the model ended the text (<|endoftext|>)",
}


def predict(
    model: ask.Model = MODEL,
    text: ask.Sentence = TEXT,
    top: Annotated[int, typer.Option(help="so many of the likeliest tokens", min=1)] = 10,
    generate: Annotated[int, typer.Option(help="so many tokens to write on", min=0)] = 0,
    temperature: Annotated[
        float, typer.Option(help="below 1 the likeliest gain; 0 takes the likeliest")
    ] = USUAL.temperature,
    top_k: Annotated[
        int, typer.Option(help="draw from so many of the likeliest; 0: all")
    ] = USUAL.top_k,
    top_p: Annotated[
        float, typer.Option(help="draw from the likeliest that together have this share; 1: all")
    ] = USUAL.top_p,
    silence: ask.Silence = None,
    seed: Annotated[
        int,
        typer.Option(help="where the draws start, and random weights", min=0, max=ask.MOST_SEED),
    ] = SEED,
    json: ask.Json = False,
) -> None:
    """Say which tokens the model expects next; with --generate, write on.

    Probabilities are out of the whole vocabulary and the model's own: temperature, top-k and top-p
    are for writing.
    """
    if generate and silence:
        raise typer.BadParameter(
            "heads are silenced for the expectation alone: leave out --generate or --silence",
            param_hint="--generate",
        )
    with ask.refusing():
        sampling = Sampling(temperature, top_k, top_p)
    reading = ask.read(model, text, seed, silence)
    with ask.waiting("Writing"), ask.refusing():
        from gptviz.analysis.next_token import entropy, likeliest

        expected, undecided = likeliest(reading.trace, top), entropy(reading.trace)
        written = _write(reading, generate, sampling, seed)
    stopped = _stopped(reading, written, generate)
    if json:
        how = {**asdict(sampling), "seed": seed}
        as_json(_answer(reading, expected, undecided, written, stopped) | {"sampling": how})
    else:
        _print(reading, expected, undecided)
        if written:
            _print_written(reading, written)
    if stopped in WHY:
        note(f"{len(written):,} of {quoted(generate)} tokens were written: {WHY[stopped]}.")


def _write(reading: ReadText, n: int, sampling: Sampling, seed: int) -> list[Generated]:
    from gptviz.tracing.generation import generate

    return list(generate(reading.loaded.model, reading.trace.token_ids, n, sampling, seed))


def _stopped(reading: ReadText, written: list[Generated], n: int) -> str:
    """Why no more was written: a key of ``WHY`` if it is less than what was asked for."""
    if len(written) == n:
        return "as_asked"
    ended = written[-1].token_id == reading.loaded.tokenizer.end_of_text
    return "end_of_text" if ended else "context_length"


def _answer(
    reading: ReadText,
    expected: Candidates,
    undecided: float,
    written: list[Generated],
    stopped: str,
) -> dict[str, Any]:
    tokenizer = reading.loaded.tokenizer
    columns = (expected.token_ids, expected.probabilities, expected.log_probabilities)
    return {
        **reading.described(),
        "next": [
            {
                "token": tokenizer.label(token_id),
                "id": token_id,
                "probability": probability,
                "log_probability": log,
            }
            for token_id, probability, log in zip(*(c.tolist() for c in columns), strict=True)
        ],
        "rest": expected.rest,
        "entropy_bits": undecided,
        "written": {
            "text": tokenizer.decode(token.token_id for token in written),
            "tokens": [
                {
                    "token": tokenizer.label(token.token_id),
                    "id": token.token_id,
                    "position": token.position,
                    "probability": token.probability,
                }
                for token in written
            ],
            "stopped": stopped,
        },
    }


def _print(reading: ReadText, expected: Candidates, undecided: float) -> None:
    columns = (expected.token_ids, expected.probabilities, expected.log_probabilities)
    rows = [
        (reading.loaded.tokenizer.label(token_id), str(token_id), f"{share:.4f}", f"{log:.3f}")
        for token_id, share, log in zip(*(c.tolist() for c in columns), strict=True)
    ]
    n_others = reading.trace.config.vocab_size - len(rows)
    if n_others:
        rows.append((f"the other {n_others:,}", "", f"{expected.rest:.4f}", ""))
    head = ("next token", "id", "probability", "log-probability (nats)")
    table(reading.title, head, rows)
    most = math.log2(reading.trace.config.vocab_size)
    say(f"entropy {undecided:.3f} bits, of at most {most:.3f}")


def _print_written(reading: ReadText, written: list[Generated]) -> None:
    tokenizer = reading.loaded.tokenizer
    ids = [*reading.trace.token_ids.tolist(), *(token.token_id for token in written)]
    say()
    say(tokenizer.decode(ids))

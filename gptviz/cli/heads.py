"""``gptviz heads``: what each head does, as numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gptviz.analysis.measure_keys import MEASURE_KEYS as KEYS
from gptviz.cli import ask
from gptviz.cli.say import as_json, say, table
from gptviz.defaults import MODEL, SEED, TEXT
from gptviz.presets import TRAINED
from gptviz.quoting import quoted

if TYPE_CHECKING:
    import numpy as np

    from gptviz.cli.ask import ReadText

SPAN = 32  # random tokens, which then come again


def heads(
    model: ask.Model = MODEL,
    text: ask.Sentence = TEXT,
    repeats: Annotated[
        bool,
        typer.Option("--repeats", help=f"read {SPAN} random tokens, twice, in place of a text"),
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option(help=f"largest first: {', '.join(KEYS)}", show_default="layer"),
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="so many heads and no more", show_default="all", min=1)
    ] = None,
    silence: ask.Silence = None,
    seed: ask.Seed = SEED,
    json: ask.Json = False,
) -> None:
    """Measure every head: how much it looks at the token before, at itself, and so on."""
    if sort is not None and sort not in KEYS:
        raise typer.BadParameter(
            f"{quoted(sort)} is no measure: choose one of {', '.join(KEYS)}",
            param_hint="--sort",
        )
    reading = _repeats(model, seed, silence) if repeats else ask.read(model, text, seed, silence)
    with ask.waiting("Measuring the heads"), ask.refusing():
        from gptviz.analysis.heads import measured

        values = measured(reading.trace)
        chance = _by_chance(reading)
    rows = _rows(values, chance)
    if sort is not None:  # where it can't be measured, the order stays
        rows.sort(key=lambda row: -row[sort] if row[sort] is not None else 0)
    if json:
        as_json(_answer(reading, rows[:top], chance))
    else:
        _print(reading, rows[:top])


def _repeats(model: str, seed: int, silence: list[str] | None) -> ReadText:
    config = ask.preset(model)
    from gptviz.analysis.heads import repeated_tokens

    span = min(SPAN, config.context_length // 2)
    return ask.read_ids(model, repeated_tokens(config.vocab_size, span), seed, silence)


def _by_chance(reading: ReadText) -> np.ndarray | None:
    """What the heads of a random model of the same shape measure; none if this one is random."""
    from gptviz.analysis.heads import measured
    from gptviz.loading import build
    from gptviz.tracing.trace import trace

    if reading.loaded.name not in TRAINED:
        return None
    untrained = build(reading.trace.config, SEED)
    return measured(trace(untrained.model, reading.trace.token_ids))


def _rows(values: np.ndarray, chance: np.ndarray | None) -> list[dict[str, Any]]:
    """A head in each row: its numbers by the measures' keys, none where there was nothing."""
    from gptviz.analysis.heads import head_names

    _, n_layers, n_heads = values.shape
    names = None if chance is None else head_names(values, chance)
    return [
        {
            "layer": layer,
            "head": head,
            **dict(zip(KEYS, map(_number, values[:, layer, head]), strict=True)),
            "called": [] if names is None else names[layer][head],
        }
        for layer in range(n_layers)
        for head in range(n_heads)
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _answer(
    reading: ReadText, rows: list[dict[str, Any]], chance: np.ndarray | None
) -> dict[str, Any]:
    from gptviz.analysis.heads import MEASURES

    words = ("key", "name", "definition", "unit", "source")
    most = None if chance is None else [_number(numbers.max()) for numbers in chance]
    return {
        **reading.described(),
        "measures": [{word: getattr(measure, word) for word in words} for measure in MEASURES],
        "heads": rows,
        "largest_by_chance": most and dict(zip(KEYS, most, strict=True)),
    }


def _print(reading: ReadText, rows: list[dict[str, Any]]) -> None:
    from gptviz.analysis.heads import MEASURES, THRESHOLD, TIMES_RANDOM

    cells = [
        (_place(row), *("–" if row[key] is None else f"{row[key]:.3f}" for key in KEYS))
        for row in rows
    ]
    table(f"{reading.title}; heads as layer.head", ("head", *KEYS), cells)
    for row in rows:
        if row["called"]:
            say(f"{_place(row)}: {', '.join(row['called'])}")
    if any(row["called"] for row in rows):
        say(
            f"(It gives more than {THRESHOLD} of its weight there, and more than {TIMES_RANDOM} "
            "times what any head of a random model of the same shape gives.)",
            style="dim",
        )
    if any(None in row.values() for row in rows):
        say("–: nothing to measure: no token comes back, or there is but one. Try --repeats.")
    for measure in MEASURES:
        unit = "" if measure.unit == "weight" else f" In {measure.unit}."
        say(f"{measure.key}: {measure.definition}{unit}", style="dim")


def _place(row: dict[str, Any]) -> str:
    return f"{row['layer']}.{row['head']}"

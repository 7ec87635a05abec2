"""Gathers what a handout shows of the screen. It runs when the file is asked for, not before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gptviz.diagram.view import Outcome, View
from gptviz.figures.theme import LIGHT
from gptviz.ui.birds_eye.view import view as view_of
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen

if TYPE_CHECKING:
    import numpy as np

    from gptviz.handout import Shown
    from gptviz.tracing.trace import Trace

MOST_TOKENS = 1024  # of an attention map: 6 MB of numbers
MOST_CELLS = 400_000  # of a station's heatmap: 2 MB
GUESSES = 10


@dataclass(frozen=True)
class Chosen:
    """What is chosen besides the picture."""

    layer: int
    head: int
    station: str
    decimal: bool


def make(screen: Screen, view: View, choices: Chosen, text: str, address: str) -> str:
    """The handout of this screen, with the sentence's numbers if it has been read by now."""
    from gptviz.handout import Sheet, explained, handout, levels

    trace = live.ready(screen)
    layer = choices.layer if view.layer is None else view.layer
    opened = (
        view_of(screen, path, choices.head, view.symbolic, view.measure)
        for path in levels(view, layer)
    )
    views = [replace(each, still=True) for each in opened]
    sheet = Sheet(screen.title, text, address, views, _missing(screen), decimal=choices.decimal)
    if trace is not None:
        paths = [path for found in explained(views).values() for path in found]
        sheet = replace(
            sheet,
            missing="",
            next_tokens=_guesses(screen, trace),
            figures=figures(screen, trace, layer, choices),
            outcomes=_outcomes(trace, views[0], paths, choices.head),
        )
    return handout(sheet)


def _missing(screen: Screen) -> str:
    """Why the handout has no numbers, and what would help."""
    structure = "This handout shows the model's structure only: "
    if not screen.token_ids:
        return structure + "there was no sentence to read."
    if not live.fits(screen):
        return structure + "the machine had too little memory to read the sentence with it."
    return structure + "the sentence had not been read yet when it was made."


def _guesses(screen: Screen, trace: Trace) -> list[tuple[str, float]]:
    from gptviz.analysis.next_token import likeliest

    top = likeliest(trace, GUESSES)
    words = screen.tokenizer.labels(map(int, top.token_ids))
    return list(zip(words, map(float, top.probabilities), strict=True))


def _outcomes(trace: Trace, view: View, paths: list[str], head: int) -> dict[str, Outcome]:
    from gptviz.ui.birds_eye.maps import outcome

    pieces = (view.part(path) for path in paths)
    built = (piece for piece in pieces if not piece.placeholder)
    made = ((piece.path, outcome(trace, piece, head)) for piece in built)
    return {path: found for path, found in made if found is not None}


def figures(screen: Screen, trace: Trace, layer: int, choices: Chosen) -> tuple[Shown, ...]:
    """The figures of the sentence, as the pages draw them."""
    from gptviz.analysis.attention import head_map
    from gptviz.analysis.station_numbers import station_values
    from gptviz.analysis.stations import stations
    from gptviz.analysis.stream import stream
    from gptviz.figures.activations import station_heatmap
    from gptviz.figures.attention import attention_map
    from gptviz.figures.stream import norm_map
    from gptviz.handout import Shown

    labels, config = screen.labels, screen.config
    found = []
    if config.has("attention"):
        weights = head_map(trace, layer, choices.head)[:MOST_TOKENS, :MOST_TOKENS]
        found.append(
            Shown(
                f"Who looks at whom: layer {layer}, head {choices.head}",
                "Each row is one token looking back: it spreads a weight of 1 over itself and the "
                "tokens before it." + _part_of(len(weights), len(labels)),
                attention_map(weights, labels[: len(weights)], LIGHT),
            )
        )
    found.append(
        Shown(
            "The residual stream over all blocks",
            "How long each token's list of numbers is (its norm) as it enters the first block and "
            "as it leaves each one.",
            norm_map(stream(trace).norms, labels, LIGHT),
        )
    )
    built = {station.path: station for station in stations(config)}
    if built:
        station = built.get(choices.station) or next(iter(built.values()))
        values = _few(station_values(trace, layer, station.path))
        found.append(
            Shown(
                f"{station.name} in block {layer}",
                f"{station.term}: a token in each row, a dimension in each column."
                + _part_of(len(values), len(labels)),
                station_heatmap(values, labels, LIGHT),
            )
        )
    return tuple(found)


def _few(values: np.ndarray) -> np.ndarray:
    return values[: max(1, MOST_CELLS // values.shape[1])]


def _part_of(shown: int, whole: int) -> str:
    return f" Shown are the first {shown:,} of {whole:,} tokens." if shown < whole else ""

"""What the picture is to show: what is open, which part is selected, what was read."""

from __future__ import annotations

from gptviz.diagram.parts import can_open
from gptviz.diagram.view import Measure, Reading, View
from gptviz.ui.birds_eye.maps import maps_of
from gptviz.ui.birds_eye.options import BLOCK, CLOSED, INSIDE, PART
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen


def opened(screen: Screen) -> str:
    """The path of the part that is open; empty at first, for nothing but the whole is."""
    block, path = asked_for()
    return path if can_open(screen.config, path) else block


def asked_for() -> tuple[str, str]:
    """The paths of the block that is to be open, and of what is to be open in it or without it."""
    block, inside = BLOCK.value, INSIDE.value
    outside = "" if block == CLOSED else f"blocks.{block}"
    return outside, ".".join(filter(None, (outside, inside)))


def selected(screen: Screen) -> str:
    """The path of the part to explain; before anything was clicked, what is open."""
    path: str = PART.value
    return path or opened(screen) or "blocks"


def view(
    screen: Screen, path: str, head: int, symbolic: bool, measure: Measure | None = None
) -> View:
    """The picture with the part at ``path`` open, with all that is known of the sentence now."""
    reading = _reading(screen, path, head, measure)
    return View(screen.config, screen.labels, screen.token_ids, path, head, symbolic, reading)


def _reading(screen: Screen, path: str, head: int, measure: Measure | None) -> Reading | None:
    trace = live.ready(screen)
    if trace is None:
        return None
    from gptviz.analysis.next_token import likeliest

    top = likeliest(trace, 5)
    words = screen.tokenizer.labels(map(int, top.token_ids))
    guesses = tuple(zip(words, map(float, top.probabilities), strict=True))
    logits = tuple(float(trace.last_logits[token_id]) for token_id in top.token_ids)
    return Reading(maps_of(trace, path, head), guesses, logits, measure)

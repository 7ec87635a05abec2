"""One head's weights as lines between the tokens that look and the tokens looked at."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gptviz.figures.theme import KINDS
from gptviz.ui.widgets.components import component, sent

if TYPE_CHECKING:
    import numpy as np

LEAST = 0.005  # weights below have no line
MOST_TOKENS = 48  # side by side; of a longer sentence, those around the chosen token

_component = component("lines")


def lines(
    weights: np.ndarray,
    labels: tuple[str, ...],
    token: int,
    on_choose: Callable[[int], None],
    key: str,
) -> None:
    """Draw one head's map as lines; a click on a token chooses it.

    Args:
        weights: (n_tokens, n_tokens).
        token: the chosen one.
        on_choose: is given the place of the token that was clicked.
    """
    first, last = window(len(labels), token)
    meta = {
        "first": first,
        "labels": labels[first:last],
        "chosen": token,
        "before": tuple(weights[first:last, :first].sum(axis=1).tolist()),
        "least": LEAST,
        "colour": KINDS["attention"],
    }
    data = {"meta": meta, "weights": weights[first:last, first:last].reshape(-1)}
    _component(
        data=data, key=key, on_chosen_change=partial(_choose, key, range(first, last), on_choose)
    )


def window(n_tokens: int, token: int) -> tuple[int, int]:
    """The tokens to draw: all, or 48 with the chosen one and at least 24 before it.

    It moves by half its length, so that choosing a token in its later half moves nothing.
    """
    half = MOST_TOKENS // 2
    first = max(0, min(n_tokens - MOST_TOKENS, (token // half - 1) * half))
    return first, min(n_tokens, first + MOST_TOKENS)


def _choose(key: str, shown: range, on_choose: Callable[[int], None]) -> None:
    if (place := sent(key, "chosen", shown)) is not None:
        on_choose(place)

"""What several pages look at besides the model and the sentence: layer, head, token, station."""

from __future__ import annotations

from dataclasses import replace

from gptviz.analysis.stations import station_paths
from gptviz.counting.costs import size
from gptviz.ui.shell.options import EITHER, Choice, toggle, told
from gptviz.ui.shell.screen import Screen

LAST = -1  # in place of a token's position: the last one, however long the sentence


def or_none(count: int) -> range:
    """Numbers below ``count``, and -1 for no choice of one's own, where all others lead back to."""
    return range(count - 1, -2, -1)


LAYER = Choice("layer", 0, lambda config, _: range(config.n_layers), "Layer")
HEAD = Choice("head", 0, lambda config, _: range(config.n_heads), "Head")
TOKEN = Choice(
    "token",
    LAST,
    lambda _, n_tokens: or_none(n_tokens),
    "Token",
    "Its position, counted from 0, and the token there. All pages look at the same one.",
    widget=told,
)
STATION = Choice(
    "station",
    lambda config, _: station_paths(config)[0],
    lambda config, _: station_paths(config),
    "Station",
    "A place inside the block, in the order the numbers pass them.",
)
DECIMAL = Choice(
    "decimal",
    False,
    EITHER,
    "Sizes in MB (10⁶ bytes) instead of MiB (2²⁰ bytes)",
    widget=toggle,
)

CHOICES = (LAYER, HEAD, TOKEN, STATION, DECIMAL)


def layer(screen: Screen, label: str = "Layer") -> int:
    """Choose one of the model's layers."""
    return _counted(replace(LAYER, label=label), screen, screen.config.n_layers)


def head(screen: Screen) -> int:
    """Choose one of a layer's heads."""
    return _counted(HEAD, screen, screen.config.n_heads)


def _counted(choice: Choice, screen: Screen, count: int) -> int:
    number: int = replace(choice, help=f"Counted from 0 to {count - 1}.").draw(screen)
    return number


def chosen_head() -> tuple[int, int]:
    """Layer and head that all pages look at."""
    return LAYER.value, HEAD.value


def choose_head(layer: int, head: int) -> None:
    """Have all pages look at this layer and this head."""
    LAYER.choose(layer)
    HEAD.choose(head)


def token(screen: Screen, label: str = "Token") -> int:
    """The position of one of the sentence's tokens; at first, and until it is changed, the last."""
    last = len(screen.token_ids) - 1

    def words(place: int) -> str:
        at = last if place == LAST else place
        said = f"{at} · {screen.labels[at]}"
        return f"the last: {said}" if place == LAST else said

    offered = range(LAST, last + 1)
    place: int = replace(TOKEN, allowed=offered, label=label, words=words).draw(screen)
    return last if place == LAST else place


def position(screen: Screen) -> int:
    """The position that ``token`` shows, whether or not it is drawn yet."""
    place: int = TOKEN.value
    return len(screen.token_ids) - 1 if place == LAST else place


def size_in_words(n_bytes: float) -> str:
    """Bytes in the unit the visitor has chosen."""
    return size(n_bytes, DECIMAL.value)

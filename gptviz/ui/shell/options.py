"""What the pages share besides the model and the sentence: block, layer, head, token, station."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import contains
from typing import TYPE_CHECKING, Any

import streamlit as st

from gptviz.anatomy import has
from gptviz.config import GPTConfig
from gptviz.counting.compare import read
from gptviz.counting.costs import DEVICES, NUMBER_TYPES
from gptviz.diagram.parts import levels
from gptviz.presets import PRESETS
from gptviz.tokenizer import FULL_VOCAB_SIZE
from gptviz.ui.shell.link import take
from gptviz.ui.shell.sidebar import FIELDS, Screen, within

if TYPE_CHECKING:
    from gptviz.analysis.stations import Station

CLOSED = "all closed"
KIND, ADDED, ENTROPY = COLOURS = ("kind", "added", "entropy")  # what a part's colour tells
LAST = -1  # in place of a token's position: the last one, however long the sentence
STATIONS = (  # the paths of gptviz.analysis.stations, which needs torch
    "norm1",
    "attention",
    "shortcut1",
    "norm2",
    "feed_forward.linear1",
    "feed_forward.gelu",
    "feed_forward",
    "shortcut2",
)

TOKENS_VIEWS = ("pieces", "vectors", "neighbours", "map", "positions")
VOCABULARIES = (257, 512, 1024, 2048, 4096, 8192, 16384, 32768, FULL_VOCAB_SIZE)

ACTIVATIONS_VIEWS = {
    "stream": "The stream",
    "added": "What is added",
    "token": "One token",
    "station": "One station",
    "norms": "Layer norms",
    "neurons": "GELU and neurons",
    "dropout": "Dropout",
}
BUSIEST = -1  # in place of a neuron's number: the busiest one of the chosen token
NORMS = ("norm1", "norm2", "final_norm")

ATTENTION_VIEWS = {
    "map": "Map",
    "lines": "Lines",
    "token": "One token",
    "steps": "Step by step",
    "compare": "Compare heads",
    "rollout": "Rollout",
    "explanation": "Is it an explanation?",
}
MEASURES = ("previous", "first", "itself", "duplicate", "induction", "entropy", "distance")

PREDICTION_VIEWS = {
    "next": "The next word",
    "surprise": "Surprise",
    "lens": "Layer by layer",
    "parts": "Who said it",
    "write": "Write on",
}
CANDIDATES = (10, 20, 40)
LENS_COLOURS = ("probability", "entropy", "rank")
LENS_COLUMNS = range(4, 33)
TEMPERATURES = tuple(step / 20 for step in range(101))  # 0 to 5
TOP_PS = tuple(step / 100 for step in range(1, 101))
MOST_WRITTEN = 512

PARAMETERS_VIEWS = {
    "shares": "Share by part",
    "costs": "Training and running",
    "models": "Beside other models",
    "parts": "Part by part",
    "modules": "Every module",
}
MOST_ROWS = 4096
NOTHING, KEPT = "nothing", "kept"

Options = dict[str, tuple[Any, Sequence[Any]]]  # by key: the default, and all that is allowed


def settle(screen: Screen) -> dict[str, Any]:
    """Bring link and choices together before anything is drawn; gives the choices' defaults.

    What another model or sentence left behind is brought into range.
    """
    config, n_tokens = screen.config, len(screen.token_ids)
    take("aside", "", _can_be_kept)
    options: Options = {
        "layer": (0, range(config.n_layers)),
        "head": (0, range(config.n_heads)),
        "token": (LAST, _or_none(n_tokens)),
        "station": (STATIONS[0], STATIONS),
        **_of_the_picture(config),
        **_of_tokens(config),
        **_of_activations(config, n_tokens),
        **_of_attention(),
        **_of_prediction(config),
        **_of_parameters(config),
    }
    for key, (default, allowed) in options.items():
        if take(key, default, partial(contains, allowed)) not in allowed:
            st.session_state[key] = allowed[-1]
    if not has(config, take("part", "", partial(has, config))):
        st.session_state["part"] = ""
    return {"part": "", "aside": "", **{key: default for key, (default, _) in options.items()}}


def _or_none(count: int) -> range:
    """Numbers below ``count``, and -1 for no choice of one's own, where all others lead back to."""
    return range(count - 1, -2, -1)


def _of_the_picture(config: GPTConfig) -> Options:
    return {
        "block": (CLOSED, blocks(config.n_layers)),
        "inside": ("", ("", *levels(config, "blocks.0"), *levels(config))),
        "symbolic": (False, (False, True)),
        "colours": (KIND, COLOURS),
    }


def _of_tokens(config: GPTConfig) -> Options:
    return {
        "tokens_view": (TOKENS_VIEWS[0], TOKENS_VIEWS),
        "vocabulary": (1024, vocabularies(config.vocab_size)),
        "summed": (False, (False, True)),
        "solid": (False, (False, True)),
    }


def _of_activations(config: GPTConfig, n_tokens: int) -> Options:
    return {
        "activations_view": ("stream", tuple(ACTIVATIONS_VIEWS)),
        "relative": (True, (True, False)),
        "by_size": (False, (False, True)),
        "first_token": (0, range(max(1, n_tokens))),
        "norm_of": (NORMS[0], NORMS),
        "by_writing": (False, (False, True)),
        "neuron": (BUSIEST, _or_none(config.ff_dim)),
        "dropped_at": ("drop_emb", dropouts(config)),
    }


def _of_attention() -> Options:
    return {
        "attention_view": ("map", tuple(ATTENTION_VIEWS)),
        "measure": (MEASURES[0], MEASURES),  # of gptviz.analysis.heads, which needs torch
        "measured_on": ("sentence", ("sentence", "repeats")),
        "at_least": (0, range(101)),  # percent
        "silence": ("brightest", ("brightest", "chosen")),
    }


def _of_prediction(config: GPTConfig) -> Options:
    return {
        "prediction_view": ("next", tuple(PREDICTION_VIEWS)),
        "candidates": (20, CANDIDATES),
        "lens_colour": ("probability", LENS_COLOURS),
        "lens_columns": (12, LENS_COLUMNS),
        "target": (LAST, _or_none(config.vocab_size)),
        "versus": (LAST, _or_none(config.vocab_size)),
        "temperature": (1.0, TEMPERATURES),
        "top_k": (0, range(config.vocab_size + 1)),
        "top_p": (1.0, TOP_PS),
        "draw_seed": (123, range(2**31)),
        "many": (40, range(1, MOST_WRITTEN + 1)),
        "written": (0, range(MOST_WRITTEN + 1)),
        "drawn": (0, range(MOST_WRITTEN)),
    }


def _of_parameters(config: GPTConfig) -> Options:
    length = config.context_length
    return {
        "parameters_view": ("shares", tuple(PARAMETERS_VIEWS)),
        "rows": (1, range(1, MOST_ROWS + 1)),
        "length": (length, range(1, length + 1)),
        "numbers": (next(iter(NUMBER_TYPES)), tuple(NUMBER_TYPES)),
        "device": (DEVICES[0].name, [device.name for device in DEVICES]),
        "decimal": (False, (False, True)),
        "against": (NOTHING, comparable()),
    }


def comparable() -> list[str]:
    """What a configuration can be compared with; one is kept as text under "aside"."""
    return [NOTHING, *PRESETS, *([KEPT] if st.session_state["aside"] else [])]


def _can_be_kept(text: str) -> bool:
    """Whether this is a configuration as ``compare.written`` writes it, or none."""
    if not text:
        return True
    try:
        config = read(text)
    except ValueError:
        return False
    return all(within(field, getattr(config, field)) for field in FIELDS)


def vocabularies(own: int) -> list[int]:
    """Sizes of vocabulary to try on the sentence, the model's own among them."""
    return sorted({*VOCABULARIES, min(own, FULL_VOCAB_SIZE)})


def dropouts(config: GPTConfig) -> list[str]:
    """Dropouts that whole tokens' numbers pass: the embeddings', and those of built parts."""
    parts = {"drop1": "attention", "drop2": "feed_forward"}
    return ["drop_emb", *(name for name, part in parts.items() if config.has(part))]


def blocks(n_layers: int) -> list[str]:
    """Which block can be open; none at first."""
    return [CLOSED, *map(str, range(n_layers))]


def number(name: str, key: str, count: int) -> int:
    """A number from 0 to ``count`` - 1."""
    return st.selectbox(name, range(count), key=key, help=f"Counted from 0 to {count - 1}.")


def told(
    name: str,
    options: Sequence[int],
    key: str,
    words: Callable[[int], str],
    help_: str | None = None,
) -> int:
    """A selectbox whose words for a value change with the sentence.

    While the value stays, the browser would keep the old words: so where the words are others, the
    value is set anew.
    """
    said = words(st.session_state[key])
    if st.session_state.get(f"{key} said") != said:
        st.session_state[f"{key} said"] = said
        st.session_state[key] = st.session_state[key]
    return st.selectbox(name, options, key=key, format_func=words, help=help_)


def token(screen: Screen, name: str = "Token") -> int:
    """The position of one of the sentence's tokens; at first, and until it is changed, the last."""
    last = len(screen.token_ids) - 1

    def words(place: int) -> str:
        at = last if place == LAST else place
        said = f"{at} · {screen.labels[at]}"
        return f"the last: {said}" if place == LAST else said

    help_ = "Its position, counted from 0, and the token there. All pages look at the same one."
    place = told(name, range(LAST, last + 1), "token", words, help_)
    return last if place == LAST else place


def position(screen: Screen) -> int:
    """The position that ``token`` shows, whether or not it is drawn yet."""
    place = int(st.session_state["token"])
    return len(screen.token_ids) - 1 if place == LAST else place


def view(key: str, names: dict[str, str]) -> str:
    """Which of a page's views is open: the others cost nothing. ``names`` are by their keys."""
    chosen = st.segmented_control(
        "What to look at",
        list(names),
        key=key,
        required=True,
        format_func=names.__getitem__,
        label_visibility="collapsed",
    )
    assert chosen is not None  # as it is required
    return chosen


def window(n_tokens: int, most: int) -> tuple[int, int]:
    """The first token to draw, and the one after the last: all, or a part where that is too much.

    Args:
        most: tokens that can be drawn at once.
    """
    if n_tokens <= most:
        return 0, n_tokens
    last = n_tokens - most
    st.session_state["first_token"] = min(st.session_state["first_token"], last)
    help_ = "The whole would be too large for a browser. All else on the page is of all tokens."
    first = st.slider(f"Show {most:,} tokens, from token", 0, last, key="first_token", help=help_)
    return first, first + most


def neuron(screen: Screen, busiest: int) -> int:
    """The number of a hidden unit; at first, and until it is changed, the token's busiest."""

    def words(number: int) -> str:
        return f"the busiest: {busiest}" if number == BUSIEST else str(number)

    help_ = f"A hidden unit of the feed-forward, counted from 0 to {screen.config.ff_dim - 1}."
    number = told("Neuron", range(BUSIEST, screen.config.ff_dim), "neuron", words, help_)
    return busiest if number == BUSIEST else number


def station(built: tuple[Station, ...]) -> Station:
    """One of a block's stations, by its plain name."""
    by_path = {each.path: each for each in built}
    if st.session_state["station"] not in by_path:
        st.session_state["station"] = next(iter(by_path))
    path = st.selectbox(
        "Station",
        list(by_path),
        key="station",
        format_func=lambda path: by_path[path].name,
        help="A place inside the block, in the order the numbers pass them.",
    )
    return by_path[path]

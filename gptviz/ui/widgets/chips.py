"""Pieces of a text as chips side by side, and a word's merges as rows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gptviz.figures.theme import KINDS
from gptviz.tokenizer import Join, Tokenizer, visible
from gptviz.ui.widgets.components import component, sent

MOST = 4096  # chips that a browser draws without a moment's wait
LONGEST = 60  # characters in a chip

_COLOURS = ("attention", "embedding", "feed_forward", "norm", "head")
_css = "\n".join(f".c{i} {{ --k: {KINDS[kind]} }}" for i, kind in enumerate(_COLOURS))
_chips = component("chips", _css)
_merges = component("merges", _css)

Chip = dict[str, Any]


def chips(
    made: Sequence[Chip],
    key: str,
    spoken: str,
    chosen: int | None = None,
    on_choose: Callable[[int], None] | None = None,
    n_read: int | None = None,
) -> None:
    """Draw chips: pointing at one tells about it.

    Args:
        spoken: what they are, for a screen reader.
        chosen: which one has a ring.
        on_choose: is given the number of the chip that was clicked; without it, none can be chosen.
        n_read: a cut is drawn after so many chips, and those beyond it can't be chosen.
    """
    n_read = len(made) if n_read is None else min(n_read, len(made))
    data = {
        "chips": tuple(made),
        "chosen": chosen,
        "n_read": n_read,
        "choosable": on_choose is not None,
        "idle": "Point at a piece to see its number, its id and its bytes.",
        "spoken": spoken,
    }
    choose = partial(_choose, key, n_read, on_choose) if on_choose else _nothing
    _chips(data=data, key=key, on_chosen_change=choose)


def merges(word: bytes, joins: Sequence[Join], key: str) -> None:
    """Draw how the bytes of a word become tokens, a row for each step."""
    start = {"pieces": tuple(visible(bytes([byte])) for byte in word), "place": None, "rank": None}
    rows = [start, *map(_step, joins)]
    data = {"steps": tuple(rows), "spoken": f"Merges of {visible(word)}, step by step"}
    _merges(data=data, key=key)


def _step(join: Join) -> dict[str, Any]:
    return {
        "pieces": tuple(map(visible, join.pieces)),
        "place": join.place,
        "pair": (visible(join.left), visible(join.right)),
        "rank": join.rank,
    }


def token_chips(tokenizer: Tokenizer, ids: Sequence[int]) -> list[Chip]:
    """A chip for each token, or for the first ``MOST``: a part of a character shows its bytes."""
    pieces = [tokenizer.token_bytes(token_id) for token_id in ids]
    data, made, start = b"".join(pieces), [], 0
    for place, (token_id, piece) in enumerate(zip(ids[:MOST], pieces[:MOST], strict=True)):
        label, end = tokenizer.label(token_id), start + len(piece)
        about = f"token {place} “{label}” · id {token_id} · {_in_bytes(piece)}"
        whole = whole_characters(data, start, end)
        chip: Chip = {"label": label, "id": token_id}
        if whole != piece:
            chip["split"] = True
            about += f" · part of “{visible(whole)}”"
        if piece.endswith(b"\n"):
            chip["ends_line"] = True
        made.append(chip | {"about": about})
        start = end
    return made


def word_chips(words: Sequence[tuple[str, range]]) -> list[Chip]:
    """A chip for each word, or for the first ``MOST``, with the positions of its tokens."""
    return [
        {"label": label, "about": f"word {place} “{label}” · {_positions(tokens)}"}
        for place, (word, tokens) in enumerate(words[:MOST])
        for label in [_shortened(visible(word.encode()))]
    ]


def whole_characters(data: bytes, start: int, end: int) -> bytes:
    """The bytes from ``start`` to ``end``, and all others of the characters they belong to."""
    while 0 < start < len(data) and _goes_on(data[start]):
        start -= 1
    while end < len(data) and _goes_on(data[end]):
        end += 1
    return data[start:end]


def _goes_on(byte: int) -> bool:
    """Whether a byte of UTF-8 goes on with a character: 10xxxxxx."""
    return byte & 0b1100_0000 == 0b1000_0000


def _in_bytes(piece: bytes) -> str:
    rest = " …" if len(piece) > LONGEST else ""
    return f"{counted(len(piece), 'byte')}: {piece[:LONGEST].hex(' ')}{rest}"


def _positions(tokens: range) -> str:
    if len(tokens) <= 1:
        return f"token {tokens.start}"
    return f"{counted(len(tokens), 'token')}, {tokens.start} to {tokens[-1]}"


def counted(count: int, thing: str) -> str:
    """A number and what it counts."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _choose(key: str, n_chips: int, on_choose: Callable[[int], None]) -> None:
    if (place := sent(key, "chosen", range(n_chips))) is not None:
        on_choose(place)


def _nothing() -> None:
    """No chip can be chosen, so nobody calls it."""

"""Every colour in gptviz, and its font: what kinds of parts look like, and size, and sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours for one background; all pairs can be told apart by colour-blind readers.

    ``sequential`` goes from the background (0) to strong (most); ``diverging`` from strong blue
    (negative) over the background (0) to strong orange (positive). ``kinds`` colours the parts of
    the model: the diagram, the treemap and the lines of a chart use the same one. ``background``
    is the page's own (.streamlit/config.toml), so that a saved picture has it too.
    """

    background: str
    text: str
    muted: str
    line: str
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]
    kinds: dict[str, str]


KINDS = {
    "embedding": "#0f9d76",
    "norm": "#8b5cf6",
    "attention": "#3b6fe0",
    "feed_forward": "#d97706",
    "stream": "#64748b",
    "head": "#c2410c",
    "block": "#3b6fe0",
    "dropout": "#94a3b8",
    "text": "#64748b",
}

# The page's own font, then narrow ones: in a saved picture words must have room without it, too.
FONT = (
    '"Source Sans", "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", '
    '"DejaVu Sans Condensed", sans-serif'
)

# On any background: a small picture's numbers below and above 0.
NEGATIVE, POSITIVE = "#2f79c1", "#e07b1a"


def along(scale: Sequence[str], share: float) -> str:
    """The colour at ``share``, from 0 to 1, of the way along a scale."""
    place = share * (len(scale) - 1)
    step = min(int(place), len(scale) - 2)
    ends = zip(_channels(scale[step]), _channels(scale[step + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * (place - step)):02x}" for a, b in ends)


def readable_on(colour: str) -> str:
    """Black or white, whichever stands out more from a colour (WCAG 2.2, contrast ratio)."""
    weights = (0.2126, 0.7152, 0.0722)
    linear = (((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 3295 for c in _channels(colour))
    luminance = sum(w * c for w, c in zip(weights, linear, strict=True))
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


LIGHT = Theme(
    background="#ffffff",
    text="#1e293b",
    muted="#64748b",
    line="#e2e8f0",
    sequential=("#f8fafc", "#c7dbf7", "#7fb0ec", "#3b7ddd", "#1d4ea8", "#0b2559"),
    diverging=("#08306b", "#2f79c1", "#9dc8ea", "#f8fafc", "#fbc48a", "#e07b1a", "#7f3b08"),
    kinds=KINDS,
)

DARK = Theme(
    background="#0e1420",
    text="#e2e8f0",
    muted="#94a3b8",
    line="#334155",
    sequential=("#151d2c", "#1b3a70", "#2563c4", "#5596f0", "#a5cbfb", "#f1f7ff"),
    diverging=("#b5dcff", "#4f9ae6", "#1f4b80", "#151d2c", "#7a430f", "#e0852b", "#ffdcb0"),
    kinds={**KINDS, "embedding": "#34d399", "norm": "#a78bfa", "attention": "#6ea0ff"}
    | {"feed_forward": "#f59e0b", "stream": "#94a3b8", "head": "#fb7a45"},
)

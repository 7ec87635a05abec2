"""What comes next, what each layer would say, and who said it, as figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Float32, Float64

from gptviz.figures.axes import (
    bar_on_top,
    clip_limit,
    clipped,
    downwards,
    escaped,
    framed,
    plain_axis,
    ruled_axis,
    scale,
    token_axis,
)
from gptviz.figures.theme import Theme

ROW = 24  # pixels of a bar with its name
MOST_HEIGHT = 1200
LONGEST_IN_CELL = 9
PALE = 0.35  # opacity of what stands behind


def candidate_bars(
    labels: Sequence[str],
    probabilities: Float[np.ndarray, " n"],
    log_probabilities: Float[np.ndarray, " n"],
    rest: tuple[int, float],
    came: int | None,
    theme: Theme,
) -> go.Figure:
    """The likeliest next tokens, likeliest on top, and all others together in one pale bar.

    Args:
        rest: how many others there are, and their probability.
        came: which of the bars is the token that came, if it is known and among them.
    """
    n_others, share = rest
    names = [*labels, f"{n_others:,} others"]
    shares = np.append(probabilities, np.float32(share))
    ranks = [f"rank {rank}" for rank in range(1, len(labels) + 1)]
    logs = [f"log-probability {log:.3f} nats" for log in log_probabilities]
    colours = [theme.kinds["head"]] * len(labels) + [theme.line]
    texts = [percent(number) for number in shares.tolist()]
    if came is not None:
        colours[came] = theme.kinds["embedding"]
        texts[came] += " · came next"
    bars = go.Bar(
        x=shares,
        orientation="h",
        marker={"color": colours},
        text=texts,
        textposition="outside",
        cliponaxis=False,
        customdata=list(zip([*ranks, "all other ranks"], [*logs, "together"], strict=True)),
        hovertemplate="<b>%{y}</b><br>probability %{x:.6f}<br>%{customdata[0]}<br>"
        "%{customdata[1]}<extra></extra>",
    )
    return _named_bars(bars, names, float(shares.max()), theme)


def sampled_bars(
    labels: Sequence[str],
    before: tuple[Float64[np.ndarray, " n"], float],
    after: tuple[Float64[np.ndarray, " n"], float],
    others: int,
    drawn: int | None,
    theme: Theme,
) -> go.Figure:
    """What the model expects (wide and pale) and what is drawn by (narrow and strong).

    Tokens that can't be drawn any more have a grey bar and nothing in it.

    Args:
        before, after: a number for each token, and one for all ``others`` together.
        drawn: which of the bars is the token that was drawn.
    """
    names = [*labels, f"{others:,} others"]
    own, shares = (np.append(numbers, rest) for numbers, rest in (before, after))
    texts = [percent(share) if share else "cut" for share in shares.tolist()]
    strong = [theme.kinds["head"]] * len(names)
    if drawn is not None:
        texts[drawn] += " · drawn"
        strong[drawn] = theme.kinds["embedding"]
    pale = [theme.kinds["head"] if share else theme.muted for share in shares]
    hover = "<b>%{y}</b><br>%{fullData.name}: %{x:.6f}<extra></extra>"
    common = {"orientation": "h", "hovertemplate": hover}
    bars = [
        go.Bar(x=own, name="before: the model's own", width=0.86,
               marker={"color": pale, "opacity": PALE}, **common),
        go.Bar(x=shares, name="after: what is drawn by", width=0.4, marker={"color": strong},
               **common),
    ]  # fmt: skip
    said = [
        {"text": text, "x": end, "y": place, "xanchor": "left", "xshift": 3, "showarrow": False,
         "font": {"size": 12, "color": theme.text if share else theme.muted}}
        for place, (text, end, share) in enumerate(
            zip(texts, np.maximum(own, shares), shares, strict=True)
        )
    ]  # fmt: skip
    most = float(max(own.max(), shares.max()))
    return _named_bars(bars, names, most, theme, barmode="overlay", annotations=said)


def _named_bars(
    bars: Any, names: Sequence[str], most: float, theme: Theme, **layout: Any
) -> go.Figure:
    rows = downwards(token_axis(names, "next token", theme, dtick=1, ticklabelstandoff=6))
    across = ruled_axis("probability", theme, range=[0, 1.3 * most], nticks=6)
    return framed(bars, theme, _height(len(names)), across, rows, **layout)


def percent(share: float, digits: int = 1) -> str:
    """A share in percent; a small one keeps its digits."""
    return f"{share:.{digits}%}" if share >= 0.001 else f"{100 * share:.{digits}g}%"


def _height(n_rows: int) -> int:
    return min(MOST_HEIGHT, 70 + ROW * n_rows)


@dataclass(frozen=True)
class Colours:
    """A colour scale from 0 to ``most``, and what is written at its bar."""

    title: str
    most: float
    shades: Sequence[str]
    marks: Sequence[tuple[float, str]] = ()  # at the bar; plotly's own choice without

    def ticks(self) -> dict[str, Any]:
        if not self.marks:
            return {}
        places, words = zip(*self.marks, strict=True)
        return {"tickvals": places, "ticktext": words}


def lens_map(
    said: Sequence[Sequence[str]],
    values: Float32[np.ndarray, "n_rows n_columns"],
    details: Sequence[Sequence[str]],
    labels: Sequence[str],
    places: tuple[int, int],
    colours: Colours,
    theme: Theme,
    exact: np.ndarray | None = None,
) -> go.Figure:
    """What each layer would say: a layer in each row, the token it speaks after in each column.

    Args:
        said: the token in each cell.
        values: what the colour shows.
        details: a line more for each cell, under the pointer.
        labels: the whole sentence's.
        places: position of the first column, and of the one to be marked.
        colours: the scale of ``values``.
        exact: the numbers themselves, where the colours show their logarithms.
    """
    n_rows, n_columns = values.shape
    first, marked = places
    height = min(MOST_HEIGHT, 150 + 30 * n_rows)
    bar, room = bar_on_top(colours.title, theme)
    rows = ["before block 0", *(f"after block {layer}" for layer in range(n_rows - 1))]
    heatmap = go.Heatmap(
        z=values,
        y=rows,
        x0=first,
        dx=1,
        text=[[_short(label) for label in row] for row in said],
        customdata=values if exact is None else exact,
        hovertext=[
            [f"<b>{escaped(label)}</b><br>{detail}" for label, detail in zip(*pair, strict=True)]
            for pair in zip(said, details, strict=True)
        ],
        texttemplate="%{text}",
        xgap=1,
        ygap=1,
        hovertemplate="%{y}, after token %{x:d} <b>%{x}</b><br>says %{hovertext}<extra></extra>",
        colorscale=scale(colours.shades),
        zmin=0,
        zmax=colours.most,
        colorbar=bar | colours.ticks(),
    )
    ends = [first - 0.5, first + n_columns - 0.5]
    columns = token_axis(
        labels, "the token it speaks after", theme, dtick=1, range=ends, tickangle=-45
    )
    layers = plain_axis("", theme, type="category", autorange="reversed", ticklabelstandoff=6)
    frame = {
        "type": "rect",
        "x0": marked - 0.5,
        "x1": marked + 0.5,
        "y0": -0.5,
        "y1": n_rows - 0.5,
        "line": {"color": theme.kinds["feed_forward"], "width": 2},
    }
    return framed(heatmap, theme, height, columns, layers, shapes=[frame], **room)


def _short(label: str) -> str:
    cut = label if len(label) <= LONGEST_IN_CELL else label[: LONGEST_IN_CELL - 1] + "…"
    return escaped(cut)


def probability_colours(theme: Theme) -> Colours:
    """From 0 to 1: the surer, the stronger."""
    return Colours("probability of the token in the cell", 1.0, theme.sequential)


def entropy_colours(vocab_size: int, theme: Theme) -> Colours:
    """From 0 bits to an even guess: the surer, the stronger."""
    most = math.log2(vocab_size)
    title = f"entropy in bits (an even guess: {most:.1f})"
    return Colours(title, most, theme.sequential[::-1])


def rank_colours(vocab_size: int, theme: Theme) -> Colours:
    """Logarithmic from rank 1 to the last: the nearer to 1, the stronger. For log10 of the rank."""
    powers = range(math.ceil(math.log10(vocab_size)) + 1)
    title = "rank of the model's own answer (logarithmic)"
    marks = [(float(power), f"{10**power:,}") for power in powers]
    return Colours(title, math.log10(vocab_size), theme.sequential[::-1], marks)


def part_bars(
    parts: Sequence[tuple[str, str, float]], total: str, theme: Theme, unit: str = "logit"
) -> go.Figure:
    """What each part adds, one below the other: each bar starts where the one above ended.

    Args:
        parts: name, kind (which gives the colour) and what it adds, in forward order.
        total: the name of the last bar, the sum.
    """
    added = np.array([number for _, _, number in parts])
    ends = list(accumulate(added.tolist()))
    bars = go.Bar(
        x=[*added, ends[-1]],
        y=[*(name for name, _, _ in parts), total],
        base=[0.0, *ends[:-1], 0.0],
        orientation="h",
        marker={"color": [*(theme.kinds[kind] for _, kind, _ in parts), theme.text]},
        text=[f"{round(number, 2) + 0.0:+.2f}" for number in (*added, ends[-1])],  # no -0.00
        textposition="outside",
        cliponaxis=False,
        customdata=[*ends, ends[-1]],
        hovertemplate="<b>%{y}</b><br>adds %{text}<br>sum so far %{customdata:.4f}<extra></extra>",
    )
    down = {"type": "category", "autorange": "reversed", "dtick": 1, "ticklabelstandoff": 6}
    lowest, highest = min(0.0, *ends), max(0.0, *ends)
    room = 0.15 * (highest - lowest or 1.0)
    zero = {"zeroline": True, "zerolinecolor": theme.muted}
    across = ruled_axis(unit, theme, range=[lowest - room, highest + room], **zero)
    height = min(2 * MOST_HEIGHT, 70 + 21 * (len(parts) + 1))
    return framed(bars, theme, height, across, plain_axis("part", theme, **down))


def head_shares(
    heads: Float64[np.ndarray, "n_layers n_heads"], theme: Theme, unit: str = "logit"
) -> go.Figure:
    """What each head adds: a layer in each row, a head in each column; blue takes, orange gives."""
    (n_layers, n_heads), limit = heads.shape, clip_limit(heads)
    height = min(760, 130 + 28 * n_layers)
    bar, room = bar_on_top(clipped(f"added to the {unit}", "±", limit), theme)
    heatmap = go.Heatmap(
        z=heads,
        colorscale=scale(theme.diverging),
        zmin=-limit,
        zmax=limit,
        xgap=1,
        ygap=1,
        hovertemplate="layer %{y}, head %{x}<br>adds %{z:+.4f}<extra></extra>",
        colorbar=bar,
    )
    whole = {"tickmode": "linear", "tick0": 0}
    columns = plain_axis("head", theme, dtick=math.ceil(n_heads / 32), **whole)
    rows = plain_axis("layer", theme, dtick=math.ceil(n_layers / 32), **whole)
    rows |= {"range": [n_layers - 0.5, -0.5]}
    return framed(heatmap, theme, height, columns, rows, **room)

"""What is inside the parts of a model: every step that their code takes, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from gptviz.anatomy import find
from gptviz.diagram.drawing import Bar, Box, chance, fitted
from gptviz.diagram.notes import note
from gptviz.diagram.pen import CELL, GAP, LINE, PAD, SHAPE_CHAR, STEP, TITLE, Pen

LANE = 34  # beside the steps of attention: the values' way down
STREAM = 36  # from a frame's left edge to the residual stream
CHIP = 70  # width of one token

Guess = tuple[str, float]


def draw_inside(pen: Pen, path: str, x: float, top: float, w: float) -> Box:
    """Draw the opened part ``path`` from ``top`` down; gives the frame around it."""
    name = path.rpartition(".")[2]
    draw = {
        "attention": _attention,
        "feed_forward": _feed_forward,
        "embeddings": _embeddings,
        "out_head": _out_head,
    }.get(name, _norm)
    number = pen.measured(path)
    bottom = draw(pen, path, x + PAD, top + TITLE + LINE * len(number), w - 2 * PAD)
    return pen.frame(path, x, top, w, bottom + PAD, number)


def _steps(pen: Pen, path: str) -> list[str]:
    """The paths of what is right inside a part."""
    return [f"{path}.{part.name}" for part in find(pen.view.config, path).inside]


def _norm(pen: Pen, path: str, x: float, y: float, w: float) -> float:
    half = (w - 8) / 2
    *measured, normalize, scale, shift = _steps(pen, path)
    for i, step in enumerate(measured):
        left = x + i * (half + 8)
        box = pen.part(step, left, y, half, STEP, (note(pen.view, step),))
        bottom = pen.down(box.middle, box.bottom, box.path)
    return _strips(pen, (normalize, scale, shift), x, bottom, w)


def _feed_forward(pen: Pen, path: str, x: float, y: float, w: float) -> float:
    return _strips(pen, _steps(pen, path), x, y, w)


def _strips(pen: Pen, steps: Sequence[str], x: float, y: float, w: float) -> float:
    """Steps with maps as wide as themselves, one below the other; gives where they end."""
    boxes: list[Box] = []
    for step in steps:
        if boxes:
            y = pen.down(boxes[-1].middle, boxes[-1].bottom, boxes[-1].path)
        boxes.append(pen.strip(step, x, y, w, *pen.wrapped(note(pen.view, step), w - 16)))
    return boxes[-1].bottom


PROJECTIONS = ("query", "key", "value")


def draw_projections(pen: Pen, path: str, x: float, y: float, w: float) -> list[Box]:
    """Query, key and value side by side."""
    inside = find(pen.view.config, path).inside
    names = [part.name for part in inside if part.does in PROJECTIONS]
    third = (w - 2 * 8) / 3
    return [
        pen.part(f"{path}.{name}", x + i * (third + 8), y, third, 30)
        for i, name in enumerate(names)
    ]


def draw_to_heads(pen: Pen, trio: Sequence[Box], y: float) -> None:
    """Arrows from query, key and value down to ``y``, with the shape that all three have."""
    for box in trio:
        pen.arrow(box.path, (box.middle, box.bottom), (box.middle, y))
    query, key, _ = trio
    fits = 8 + len(pen.view.shape(query.path)) * SHAPE_CHAR <= key.middle - query.middle
    x = (query.middle + key.middle) / 2 if fits else key.middle  # else on the arrow
    pen.shape(x, (query.bottom + y) / 2 + 4, query.path, "middle")


def draw_heads_cells(pen: Pen, path: str, x: float, y: float, w: float) -> float:
    """A cell for each head of the attention at ``path``, if they are measured; gives the height."""
    measure = pen.view.measure
    values = measure.heads.get(path, ()) if measure else ()
    if not values:
        return 0
    of = [(f"{path}.core", f"head {head}") for head in range(len(values))]
    pen.cells(values, of, x, y, w / len(values), what=f"heads 0 to {len(values) - 1}")
    return CELL + 8


def _attention(pen: Pen, path: str, x: float, y: float, w: float) -> float:
    trio = draw_projections(pen, path, x, y, w)
    y = trio[0].bottom + GAP + 8
    lines = pen.wrapped(note(pen.view, f"{path}.split"), w - 16)
    split = pen.part(f"{path}.split", x, y, w, 32 + 16 * len(lines), lines)
    draw_to_heads(pen, trio, y)
    core = _core(pen, path, x, split, w)
    y = pen.down(core.middle, core.bottom, f"{path}.core", room=w / 2)
    merge = pen.part(f"{path}.merge", x, y, w, 30)
    y = pen.down(merge.middle, merge.bottom, f"{path}.merge")
    return pen.part(f"{path}.out_proj", x, y, w, 30).bottom


def _core(pen: Pen, path: str, x: float, split: Box, w: float) -> Box:
    """What every head does; the values pass by at the side until they are gathered."""
    core = f"{path}.core"
    top = split.bottom + GAP + 8
    left, width = x + 10, w - 10 - LANE
    y = top + 48 + draw_heads_cells(pen, path, left, top + 48, width - 72)
    query, key, lane = left + width - 52, left + width - 20, x + w - LANE / 2
    pen.arrow(split.path, (query, split.bottom), (query, y))
    pen.arrow(split.path, (key, split.bottom), (key, y))
    for way, letter in ((query, "q"), (key, "k"), (lane, "v")):
        pen.drawing.text(way + 5, top + 15, letter)
    pen.shape(split.middle, top - GAP / 2, f"{path}.split", "middle")
    boxes: list[Box] = []
    for step in _steps(pen, core):
        if boxes:
            y = pen.down(boxes[-1].middle, boxes[-1].bottom, boxes[-1].path, room=width / 2)
        boxes.append(_core_step(pen, step, left, y, width))
    gather = boxes[-1]
    bend = ((lane, split.bottom), (lane, gather.centre), (gather.right, gather.centre))
    pen.arrow(split.path, *bend)
    return pen.frame(core, x, top, w, gather.bottom + 10, (_shown(pen, path),))


def _shown(pen: Pen, path: str) -> str:
    """Which head's pictures are shown, and its measured number."""
    if not pen.view.reading:
        return "in every head"
    measure, head = pen.view.measure, pen.view.head
    values = measure.heads.get(path) if measure else None
    number = f", {measure.words(values[head])}" if measure and values else ""
    return f"shown: head {head}{number}"


def _core_step(pen: Pen, path: str, x: float, y: float, w: float) -> Box:
    if words := note(pen.view, path):
        return pen.step(path, x, y, w, words)
    title = f"dropout {pen.view.config.drop_rate:g}"
    return pen.part(path, x + w / 2 - 56, y, 112, 22, style="pill", title=title)


def _embeddings(pen: Pen, _path: str, x: float, y: float, w: float) -> float:
    size, config = pen.view.size, pen.view.config
    chips = shown_tokens(pen, int(w / CHIP))
    for i, (label, number, place) in enumerate(chips):
        middle = x + (i + 0.5) * w / len(chips)
        pen.drawing.text(middle, y + 12, fitted(label, w / len(chips) - 6, 12), "name", "middle")
        pen.drawing.text(middle, y + 28, number, "value", "middle")
        pen.drawing.text(middle, y + 44, place, "value", "middle")
    y += 52
    half = (w - 12) / 2
    rows = (("tok_emb", "vocab_size", "by its number"), ("pos_emb", "context_length", "by place"))
    tables = []
    for i, (name, count, how) in enumerate(rows):
        left = x + i * (half + 12)
        top = pen.down(left + half / 2, y, "tokens")
        lines = [how, *pen.wrapped(f"{size(count)} × {size('emb_dim')}", half - 16)]
        lines += pen.measured(name)
        tables.append(pen.strip(name, left, top, half, *lines))
    line = x - PAD + STREAM
    plus = draw_sum(pen, tables, line)
    y = plus.bottom + GAP
    pen.stream(plus.path, (line, plus.bottom), (line, y))
    pill = f"dropout {config.drop_rate:g}"
    drop = pen.part("drop_emb", x, y, 92, 22, style="pill", title=pill)
    y = drop.bottom + GAP + PAD
    pen.stream(drop.path, (line, drop.bottom), (line, y))
    pen.shape(line + 10, drop.bottom + GAP / 2 + 4, drop.path)
    return y - PAD


def draw_sum(pen: Pen, tables: Sequence[Box], line: float) -> Box:
    """The two embeddings' sum, where the residual stream begins: at ``line``, left or between."""
    tokens, positions = tables
    y = max(table.bottom for table in tables) + 26
    plus = pen.part("embeddings.sum", line - 12, y, 24, 24, style="sum")
    if line < tokens.middle:
        pen.arrow(tokens.path, (line, tokens.bottom), (line, plus.y))
        pen.shape(line + 10, y - 8, tokens.path)
    else:
        bend = ((tokens.middle, tokens.bottom), (tokens.middle, plus.centre), (plus.x, plus.centre))
        pen.arrow(tokens.path, *bend)
        pen.shape(line, y - 8, tokens.path, "middle")
    turn = (positions.middle, plus.centre)
    pen.arrow(positions.path, (positions.middle, positions.bottom), turn, (plus.right, plus.centre))
    return plus


def shown_tokens(pen: Pen, most: int) -> list[tuple[str, str, str]]:
    """Tokens, their numbers and their places; in the middle, how many are left out."""
    view = pen.view
    rows = [
        (label, str(number), f"at {place}")
        for place, (label, number) in enumerate(zip(view.labels, view.ids, strict=True))
    ]
    if not rows:
        return [("text, cut into pieces", "type a sentence", "")]
    if len(rows) <= most:
        return rows
    hidden = len(rows) - most + 1
    return [*rows[: most - 2], ("…", f"+{hidden}", ""), rows[-1]]


def _out_head(pen: Pen, path: str, x: float, y: float, w: float) -> float:
    size, reading = pen.view.size, pen.view.reading
    guesses = reading.next_tokens if reading else ()
    logits = zip(guesses, reading.logits if reading else (), strict=False)
    rows = 18 * len(guesses)
    table = f"{size('emb_dim')} → {size('vocab_size')}"
    matmul = pen.part(f"{path}.matmul", x, y, w, 52 + rows, (table,), style="step")
    for i, ((label, _), logit) in enumerate(logits):
        middle, line = x + w * 0.42, matmul.y + 60 + 18 * i
        pen.drawing.text(middle - 8, line, fitted(label, w * 0.38, 12), "name", "end")
        pen.drawing.text(middle, line, f"{logit:.2f}", "value")
    y = pen.down(matmul.middle, matmul.bottom, "next_token")
    softmax = pen.part(f"{path}.softmax", x, y, w, 36 + 20 * len(guesses), style="step")
    draw_guesses(pen, softmax, guesses, softmax.y + 30)
    y = pen.down(softmax.middle, softmax.bottom, "next_token")
    likeliest = (f"the likeliest: {guesses[0][0]}",) if guesses else ("one of them",)
    lines = [fitted(line, w - 24, 12) for line in likeliest]
    return pen.part(f"{path}.sampling", x, y, w, 52, lines, style="step").bottom


def draw_guesses(pen: Pen, box: Box, guesses: Sequence[Guess], y: float) -> None:
    """Bars on a scale from 0 to 1: half a bar is a probability of one half."""
    left, scale = box.x + box.w * 0.42, box.w * 0.36
    for label, probability in guesses:
        pen.drawing.text(left - 8, y + 10, fitted(label, box.w * 0.38, 12), "name", "end")
        pen.drawing.bars.append(Bar(left, y, max(1, scale * probability), 13, "head"))
        number = chance(probability)
        pen.drawing.text(left + scale * probability + 6, y + 10, number, "value")
        y += 20

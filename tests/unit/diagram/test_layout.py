"""Where things stand on the picture, for any configuration: nothing may hide or cross anything."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gptviz.anatomy import find
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.diagram.layout import lay_out
from gptviz.diagram.parts import can_open, level_of, piece
from gptviz.diagram.parts import levels as levels_in
from gptviz.diagram.view import Measure, Reading, View
from gptviz.presets import PRESETS

PIXEL = "data:image/png;base64,iVBORw0KGgo="
HAIR = 1e-6  # of a pixel: sums of fractions are not exact

# In the order of the forward pass, so from the top of the picture down.
COLUMN_PARTS = ("tokens", "tok_emb", "embeddings.sum", "drop_emb", "final_norm", "out_head")
COLUMN_PARTS += ("next_token",)
FORWARD_PARTS = ("norm1", "attention", "shortcut1", "norm2", "feed_forward", "shortcut2")


@st.composite
def configs(draw):
    """Any configuration that the sidebar can make, and any placeholders."""
    n_heads = draw(st.integers(1, 128))
    return GPTConfig(
        vocab_size=draw(st.integers(257, 200_000)),
        context_length=draw(st.integers(1, 16_384)),
        emb_dim=n_heads * draw(st.integers(1, 128)),
        n_heads=n_heads,
        n_layers=draw(st.integers(1, 128)),
        drop_rate=draw(st.sampled_from([0.0, 0.1, 0.15, 0.9])),
        qkv_bias=draw(st.booleans()),
        tie_weights=draw(st.booleans()),
        placeholders=draw(st.frozensets(st.sampled_from(PLACEHOLDER_PARTS))),
    )


@st.composite
def views(draw):
    """Any state of the picture: anything open or nothing, with and without sentence and reading."""
    config = draw(configs())
    # An empty sentence once in a while: without one, nothing is read and nothing is measured.
    least = draw(st.sampled_from([1, 1, 1, 0]))
    most = min(9, config.context_length)
    labels = draw(st.lists(st.text(min_size=1, max_size=9), min_size=least, max_size=most))
    ids = tuple(range(len(labels)))
    opened = draw(levels(config))
    reading = draw(readings(config, opened)) if labels else None
    head, symbolic = draw(st.integers(0, config.n_heads - 1)), draw(st.booleans())
    return View(config, tuple(labels), ids, opened, head, symbolic, reading)


@st.composite
def levels(draw, config):
    """The path of anything that can be open."""
    block = f"blocks.{draw(st.integers(0, config.n_layers - 1))}"
    inside = (f"{block}.{name}" for name in levels_in(config, block))
    paths = ["", *levels_in(config), block, *inside]
    return draw(st.sampled_from([p for p in paths if can_open(config, p)]))


def steps_of(config, opened):
    """The paths of what is inside an opened part without being a module of its own."""
    if opened.rpartition(".")[2].isdecimal() or not opened:
        return []
    inside = find(config, opened).walk(opened)
    return [path for path, part in inside if not part.is_module and path != opened]


@st.composite
def readings(draw, config, opened):
    if draw(st.sampled_from([False, False, False, True])):
        return None
    guesses = draw(st.lists(st.tuples(st.text(min_size=1), st.floats(0, 1)), max_size=5))
    modules = (f"{opened}.{name}" for name in ("linear1", "gelu", "linear2"))
    maps = dict.fromkeys((*steps_of(config, opened), *modules, "tok_emb", "pos_emb"), (PIXEL,))
    maps[f"{opened}.attention"] = (PIXEL,) * config.n_heads
    maps[f"{opened}.feed_forward"] = (PIXEL,)
    logits = draw(st.lists(st.floats(-99, 99), min_size=len(guesses), max_size=len(guesses)))
    return Reading(maps, tuple(guesses), tuple(logits), draw(st.none() | measures(config)))


@st.composite
def measures(draw, config):
    """A measured quantity of all that adds to the stream, or of all heads."""
    numbers = st.floats(0, 1000) | st.just(float("nan"))
    layers = range(config.n_layers)
    names = draw(st.sampled_from([("attention",), ("attention", "feed_forward"), ()]))
    few = draw(st.lists(numbers, min_size=1, max_size=3))  # again and again, up to 128 blocks
    parts = {f"blocks.{i}.{name}": few[i % len(few)] for name in names for i in layers}
    heads = {}
    if draw(st.booleans()):
        parts["pos_emb"] = draw(numbers)
    else:
        each = (draw(numbers),) * config.n_heads
        heads = {f"blocks.{i}.attention": each for i in layers if config.has("attention")}
    unit = draw(st.sampled_from(["bits", "× the stream"]))
    return Measure(unit, draw(st.sampled_from([0, 1e-3])), draw(st.floats(1, 999)), parts, heads)


def any_drawing(test):
    """Run a test on drawings of random views, wide and narrow."""
    return settings(deadline=None, max_examples=60)(given(view=views(), narrow=st.booleans())(test))


def outline(thing):
    return thing.x, thing.y, thing.x + thing.w, thing.y + thing.h


def inside(inner, outer):
    (a, b, c, d), (left, top, right, bottom) = inner, outer
    return left - HAIR <= a and top - HAIR <= b and c <= right + HAIR and d <= bottom + HAIR


def overlap(one, other):
    """Whether they share more than an edge."""
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > HAIR
        and min(one[3], other[3]) - max(one[1], other[1]) > HAIR
    )


@any_drawing
def test_all_is_on_the_picture(view, narrow):
    drawing = lay_out(view, narrow)
    paper = (0, 0, drawing.width, drawing.height)
    for thing in (*drawing.boxes, *drawing.pictures, *drawing.bars, *drawing.strips):
        assert thing.w > 0, thing
        assert thing.h > 0, thing
        assert inside(outline(thing), paper), thing
    for thing in (*drawing.lines, *drawing.wedges):
        assert all(inside((x, y, x, y), paper) for x, y in thing.points), thing
    for text in drawing.texts:
        assert inside((text.x, text.y, text.x, text.y), paper), text


@any_drawing
def test_what_parts_do_stands_beside_the_closed_picture_a_line_below_the_other(view, narrow):
    drawing = lay_out(replace(view, opened=""), narrow)
    notes = sorted(text.y for text in drawing.texts if text.style == "note")
    assert bool(notes) == (not narrow)
    assert all(below - above >= 16 for above, below in pairwise(notes))


@any_drawing
def test_boxes_are_apart_or_one_is_the_frame_around_the_other(view, narrow):
    for a, b in combinations(lay_out(view, narrow).boxes, 2):
        one, other = outline(a), outline(b)
        held = (a.style == "frame" and inside(other, one)) or (
            b.style == "frame" and inside(one, other)
        )
        assert held or not overlap(one, other), (a, b)


@any_drawing
def test_a_box_inside_another_is_a_part_of_it(view, narrow):
    boxes = lay_out(view, narrow).boxes
    for frame in (box for box in boxes if box.style == "frame"):
        for box in boxes:
            if box is not frame and inside(outline(box), outline(frame)):
                part_of = box.path.startswith(f"{frame.path}.")
                assert part_of or level_of(view.config, box.path) == frame.path, (frame, box)


@any_drawing
def test_maps_and_bars_lie_in_their_frame_and_cover_no_box_and_no_other_map(view, narrow):
    drawing = lay_out(view, narrow)
    holders = ("frame", "step")
    frames = [outline(box) for box in drawing.boxes if box.style in holders]
    solid = [outline(box) for box in drawing.boxes if box.style not in holders]
    small = [outline(thing) for thing in (*drawing.pictures, *drawing.bars)]
    for place in small:
        assert any(inside(place, frame) for frame in frames), place
        assert not any(overlap(place, box) for box in solid), place
    small += map(outline, drawing.strips)
    assert not any(overlap(a, b) for a, b in combinations(small, 2))


def free(box):
    """Where in a box there are no words."""
    left, top, right, bottom = outline(box)
    if box.style == "frame":
        return left, top + 28 + 15 * len(box.lines), right, bottom
    return left, bottom - box.room, right, bottom


@any_drawing
def test_cells_stand_in_the_free_part_of_a_box_and_cover_no_other_and_no_line(view, narrow):
    drawing = lay_out(view, narrow)
    for strip in drawing.strips:
        place = outline(strip)
        holders = [box for box in drawing.boxes if inside(place, outline(box))]
        assert any(inside(place, free(box)) for box in holders), strip
        others = [outline(box) for box in drawing.boxes if box not in holders]
        assert not any(overlap(place, box) for box in others), strip
        for a, b in pairwise(strip.cells):
            assert a.x + a.w <= b.x + HAIR, strip
        if holders[-1].style == "frame":  # lines end at the others' edges
            for line in drawing.lines:
                for start, end in pairwise(line.points):
                    assert not crosses(start, end, strip), (strip, line)


def cells_of(drawing, words):
    return [cell for strip in drawing.strips for cell in strip.cells if words in cell.spoken]


@settings(deadline=None, max_examples=60)
@given(st.data(), st.booleans())
def test_every_block_has_a_cell_for_each_measured_part_wherever_it_is_drawn(data, narrow):
    config = data.draw(configs())
    measure, opened = data.draw(measures(config)), data.draw(levels(config))
    view = View(config, ("x",), (1,), opened, reading=Reading(measure=measure))
    drawing = lay_out(view, narrow)
    assert drawing.measured
    layers = range(view.config.n_layers)
    opened_here = {view.layer} if narrow else set()  # it shows its numbers itself
    for name, words in (("attention", "attention"), ("feed_forward", "feed-forward")):
        paths = [f"blocks.{i}.{name}" for i in layers if i not in opened_here]
        known = [path for path in paths if path in measure.parts]
        found = [cell for cell in cells_of(drawing, words) if "Block" in cell.spoken]
        assert [cell.path for cell in found] == [path.rpartition(".")[0] for path in known]
        assert [cell.share for cell in found] == [measure.share(measure.parts[p]) for p in known]
        assert all(a.x < b.x for a, b in pairwise(found))  # the deeper, the farther right


@any_drawing
def test_measured_parts_have_their_colour_and_their_number(view, narrow):
    measure = view.measure
    for box in lay_out(view, narrow).boxes:
        value = measure.parts.get(box.path) if measure else None
        if value is None:
            assert box.share is None
        else:
            assert box.share == measure.share(value)
            written = " ".join(box.lines)
            assert box.placeholder or measure.words(value) in written, box


def test_a_scale_begins_at_nothing_or_is_logarithmic():
    even, by_factors = Measure("bits", 0, 4, {}), Measure("×", 0.25, 4, {})
    assert [even.share(x) for x in (-1, 0, 1, 4, 9)] == [0, 0, 0.25, 1, 1]
    shares = [by_factors.share(x) for x in (0, 0.25, 0.5, 1, 4, 9)]
    assert shares == pytest.approx([0, 0, 0.25, 0.5, 1, 1])
    unknown = float("nan")
    assert even.share(unknown) == by_factors.share(unknown) == 0
    assert even.words(unknown) == "can't be measured"
    assert Measure("bits", 0, 0, {}).share(0) == 0
    assert Measure("×", 2, 2, {}).share(2) == 0


def expected_in_block(view):
    """What is to be seen of an opened block.

    A placeholder is one box, without what would be inside it, and so is what is closed beside an
    opened part.
    """
    block = f"blocks.{view.layer}"
    inner = view.opened.removeprefix(block).removeprefix(".")
    for path, _ in find(view.config, block).modules(block):
        name = path.removeprefix(f"{block}.")
        holder = name.split(".")[0]
        if path != block and (holder == name or inner in ("", holder)):
            yield path
    yield from steps_of(view.config, view.opened)


@any_drawing
def test_every_part_of_the_opened_block_stands_on_it_once_and_no_other_blocks_parts(view, narrow):
    boxes = lay_out(view, narrow).boxes
    inner = [
        box.path for box in boxes if box.path.startswith("blocks.") and box.path.count(".") > 1
    ]
    expected = () if view.layer is None else expected_in_block(view)
    assert sorted(inner) == sorted(expected)


@any_drawing
def test_every_part_outside_the_blocks_stands_on_the_picture_once(view, narrow):
    paths = [box.path for box in lay_out(view, narrow).boxes if not box.path.startswith("blocks")]
    expected = {*COLUMN_PARTS, "pos_emb"}
    if view.opened in levels_in(view.config):
        expected |= {view.opened, *steps_of(view.config, view.opened)}
    assert set(paths) == expected
    twice = {path for path in paths if paths.count(path) > 1}
    assert twice <= {view.opened}  # as a small box in the column, and open beside it


@any_drawing
def test_every_box_is_a_known_part_in_its_own_colour(view, narrow):
    for box in lay_out(view, narrow).boxes:
        found = piece(view.config, box.path, view.n_tokens)  # no such part would be a KeyError
        assert (box.kind, box.placeholder) == (found.kind, found.placeholder), box
        assert found.entry.what in box.spoken
        assert box.title in box.spoken


@any_drawing
def test_the_way_through_the_model_goes_down_the_picture(view, narrow):
    boxes = {box.path: box for box in lay_out(view, narrow).boxes}
    ways = [] if view.opened in levels_in(view.config) else [COLUMN_PARTS]
    if view.opened == "":
        ways += [("drop_emb", "blocks", "final_norm")]
    elif view.layer is not None:
        ways += [tuple(f"blocks.{view.layer}.{name}" for name in FORWARD_PARTS)]
    ways += [steps_of(view.config, view.opened)[-3:]]  # the first ones may stand side by side
    for way in ways:
        for before, after in pairwise(way):
            assert boxes[before].bottom <= boxes[after].y, (before, after)


def crosses(start, end, box):
    """Whether a straight way, along an axis, runs through the inside of a box."""
    (x1, x2), (y1, y2) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    left, top, right, bottom = outline(box)
    return x1 < right - HAIR and x2 > left + HAIR and y1 < bottom - HAIR and y2 > top + HAIR


def touches(point, box):
    return inside((*point, *point), outline(box))


@any_drawing
def test_no_line_runs_through_a_part(view, narrow):
    drawing = lay_out(view, narrow)
    solid = [box for box in drawing.boxes if box.style != "frame"]
    for line in drawing.lines:
        for start, end in pairwise(line.points):
            assert start[0] == end[0] or start[1] == end[1], line
            crossed = [box for box in solid if crosses(start, end, box)]
            assert not crossed, (line, crossed)


def between(point, line):
    """How far a point is from the frame around a line, across and down."""
    xs, ys = zip(*line.points, strict=True)
    return tuple(
        max(min(along) - at, at - max(along), 0) for at, along in zip(point, (xs, ys), strict=True)
    )


@any_drawing
def test_every_line_has_its_shape_written_beside_it(view, narrow):
    drawing = lay_out(view, narrow)
    shapes = [text for text in drawing.texts if text.style == "shape"]
    for line in drawing.lines:
        assert line.shape == view.shape(line.source)
        near = [between((text.x, text.y), line) for text in shapes if text.text == line.shape]
        assert any(across <= 190 and down <= 48 for across, down in near), line


@any_drawing
def test_the_stream_is_one_straight_line(view, narrow):
    streams = [line for line in lay_out(view, narrow).lines if line.style == "stream"]
    ways = {x for line in streams for x, _ in line.points}
    assert len(ways) == (1 if narrow or view.opened in ("", "final_norm", "out_head") else 2)


@any_drawing
def test_every_part_has_a_line_to_it_or_from_it(view, narrow):
    drawing = lay_out(view, narrow)
    ends = [point for line in drawing.lines for point in (line.points[0], line.points[-1])]
    for box in drawing.boxes:
        assert any(touches(point, box) for point in ends), box


def column_titles(view, narrow=False):
    return [box.title for box in lay_out(view, narrow).boxes if box.path.startswith("blocks")]


@pytest.mark.parametrize("narrow", [False, True])
def test_closed_blocks_are_one_box_that_says_how_many(narrow):
    for n_layers in (1, 2, 96):
        view = View(GPTConfig(n_layers=n_layers))
        assert column_titles(view, narrow) == [f"Transformer block × {n_layers}"]


def is_block(path):
    return path.startswith("blocks.") and path.count(".") == 1


@settings(deadline=None)
@given(n_layers=st.integers(1, 128), data=st.data())
def test_the_opened_block_and_the_groups_around_it_are_all_blocks(n_layers, data):
    opened = data.draw(st.integers(0, n_layers - 1))
    view = View(GPTConfig(n_layers=n_layers), opened=f"blocks.{opened}")
    counted = []
    for title in {box.title for box in lay_out(view).boxes if is_block(box.path)}:
        numbers = [int(word) for word in title.split() if word.isdecimal()]
        counted += range(numbers[0], numbers[-1] + 1)
    assert sorted(counted) == list(range(n_layers))


@settings(deadline=None)
@given(st.integers(0, 40))
def test_the_tokens_that_are_not_shown_are_counted(n_tokens):
    labels = tuple(f"t{i}" for i in range(n_tokens))
    drawing = lay_out(View(GPTConfig(), labels, tuple(range(n_tokens))))
    words = {text.text for text in drawing.texts}
    hidden = sum(int(word[1:]) for word in words if word.startswith("+"))
    assert hidden + sum(label in words for label in labels) == n_tokens


@pytest.mark.parametrize("ids", [(), (1, 2, 3)])
def test_shapes_on_the_arrows_are_those_of_the_sentence(ids):
    config = PRESETS["gpt2-small"]
    labels = tuple(map(str, ids))
    n_tokens = len(ids) or "n_tokens"
    whole = {f"({n_tokens})", f"({n_tokens}, 768)", f"({n_tokens}, 50257)"}
    heads = {f"(12, {n_tokens}, 64)", f"(12, {n_tokens}, {n_tokens})"}
    hidden = {f"({n_tokens}, 3072)"}
    inside = {"": set(), "blocks.3": {f"(12, {n_tokens}, 64)", *hidden}, "out_head": {"(50257)"}}
    inside |= {"blocks.3.attention": heads, "blocks.3.feed_forward": hidden}
    inside |= {"blocks.3.norm1": {f"({n_tokens}, 1)"}, "embeddings": set()}
    for opened, more in inside.items():
        texts = lay_out(View(config, labels, ids, opened)).texts
        assert {text.text for text in texts if text.style == "shape"} == whole | more, opened


def test_shapes_can_be_written_in_the_names_of_the_configuration():
    texts = lay_out(View(GPTConfig(), ("a",), (1,), "blocks.0.attention", symbolic=True)).texts
    shapes = {text.text for text in texts if text.style == "shape"}
    assert "(n_heads, n_tokens, head_dim)" in shapes
    assert not [shape for shape in shapes if any(c.isdecimal() for c in shape)]


def test_a_bar_is_as_long_as_its_probability():
    reading = Reading(next_tokens=(("a", 0.5), ("b", 0.25), ("c", 0.0)))
    long, half, none = lay_out(View(GPTConfig(), ("x",), (1,), reading=reading)).bars
    assert long.w == pytest.approx(2 * half.w)
    assert none.w <= 1


def test_every_head_has_its_map_or_is_counted():
    config = GPTConfig(emb_dim=96, n_heads=96)
    maps = tuple(f"{PIXEL}{head}" for head in range(96))
    reading = Reading({"blocks.0.attention": maps})
    drawing = lay_out(View(config, ("x",), (1,), "blocks.0", reading=reading))
    shown = len(drawing.pictures)
    assert [picture.href for picture in drawing.pictures] == list(maps[:shown])
    assert 0 < shown < 96
    assert f"and {96 - shown} more heads" in {text.text for text in drawing.texts}


def test_gpt3_is_drawn_without_torch(root):
    code = """
import sys
from dataclasses import replace
from gptviz.presets import PRESETS
from gptviz.diagram.layout import lay_out
from gptviz.diagram.svg import to_svg
from gptviz.diagram.view import View
svg = to_svg(lay_out(View(PRESETS["gpt3-175b"], opened="blocks.95.attention")))
print("(n_tokens, 12288)" in svg, "torch" in sys.modules, "numpy" in sys.modules)
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert result.stdout.split() == ["True", "False", "False"], result.stderr


def test_a_small_probability_is_not_written_as_none():
    reading = Reading(next_tokens=(("king", 0.25), ("queen", 0.00034)))
    words = [text.text for text in lay_out(View(PRESETS["tales"], reading=reading)).texts]
    assert {"0.250", "0.00034"} <= set(words)


def test_notes_say_what_is_built_beside_the_closed_and_the_opened_block():
    for placeholders, brief, sentence in (
        (set(), "reads the stream and adds to it, twice", "adds to it twice"),
        ({"attention"}, "reads the stream and adds to it, once", "adds to it once"),
        ({"shortcut"}, "reads the stream and replaces it, twice", "Replaces the stream"),
        ({*PLACEHOLDER_PARTS}, "passes the stream on unchanged", "Passes the stream on unchanged"),
    ):
        config = PRESETS["tales"].changed(placeholders=placeholders)
        assert brief in {text.text for text in lay_out(View(config, opened="blocks.0")).texts}
        closed = [text.text for text in lay_out(View(config)).texts if text.style == "note"]
        assert sentence in " ".join(closed)


def test_a_placeholder_is_not_spoken_of_as_if_it_were_built():
    config = PRESETS["tales"].changed(placeholders=set(PLACEHOLDER_PARTS))
    for box in lay_out(View(config, opened="blocks.0")).boxes:
        if box.placeholder:
            assert "A placeholder, not built: " in box.spoken
            assert "mean 0" not in box.spoken
            assert "heads of" not in box.spoken

import pytest

from gptviz.counting.ledger import Share
from gptviz.figures.parameters import parameter_treemap
from gptviz.figures.theme import DARK, LIGHT, Theme

ROWS = [
    Share("model", "", "the whole model", "stream", 2000),
    Share("tok_emb", "model", "token embedding", "embedding", 1500),
    Share("blocks", "model", "2 blocks", "stream", 499),
    Share("blocks.*.attention", "blocks", "attention", "attention", 499),
    Share("final_norm", "model", "final norm", "norm", 1),
]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_boxes_hold_the_rows(theme: Theme) -> None:
    treemap = parameter_treemap(ROWS, 2000, theme).data[0]
    assert list(treemap.ids) == [row.id for row in ROWS]
    assert list(treemap.parents) == ["", "model", "model", "blocks", "model"]
    assert treemap.labels[1] == "token embedding"
    assert list(treemap.values) == [2000, 1500, 499, 499, 1]
    assert treemap.branchvalues == "total"


def test_a_box_names_its_share_of_the_total() -> None:
    texts = parameter_treemap(ROWS, 2000, LIGHT).data[0].text
    assert list(texts) == ["100.0 %", "75.0 %", "24.9 %", "24.9 %", "under 0.1 %"]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_are_those_of_the_kinds(theme: Theme) -> None:
    marker = parameter_treemap(ROWS, 2000, theme).data[0].marker
    for row, fill, line in zip(ROWS, marker.colors, marker.line.color, strict=True):
        rgb = tuple(int(part) for part in fill.removeprefix("rgba(").split(",")[:3])
        assert "#{:02x}{:02x}{:02x}".format(*rgb) == theme.kinds[row.kind]
        assert line == (theme.line if row.kind == "stream" else theme.kinds[row.kind])


def test_nothing_is_lost_to_margins() -> None:
    layout = parameter_treemap(ROWS, 2000, DARK).layout
    assert (layout.margin.t, layout.margin.l, layout.margin.r, layout.margin.b) == (0, 0, 0, 0)
    assert layout.font.color == DARK.text

"""What comes out of a part, against the model's own modules and the shapes on the picture."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from gptviz.analysis.overview import pooled
from gptviz.anatomy import anatomy
from gptviz.config import PLACEHOLDER_PARTS, Dropout, GPTConfig
from gptviz.diagram.parts import piece
from gptviz.model import GPTModel
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [1, 20, 20, 299, 4]
LAST_ONLY = ("out_head", "out_head.matmul", "out_head.softmax", "next_token")
NO_NUMBERS = ("tokens", "out_head.sampling")
CONFIG = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=3, n_layers=2)
PATHS = [path for path, _ in anatomy(CONFIG).walk() if path]


@pytest.mark.parametrize("path", PATHS)
def test_its_shape_is_the_one_on_the_picture(path: str, read: Read) -> None:
    traced = read(IDS)
    output = traced.at(path, head=2)
    if path in NO_NUMBERS:
        assert output is None
        return
    assert output is not None
    shape = piece(traced.config, path, len(IDS)).output
    expected = (1, shape[-1]) if path in LAST_ONLY else shape[-2:]
    assert tuple(output.shape) == expected


def test_a_modules_output_is_what_the_model_makes_there(read: Read) -> None:
    traced, seen = read(IDS), {}
    model = GPTModel(traced.config, seed=7).eval()
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _m, _i, out, path=path: seen.update({path: out}))
    with torch.inference_mode():
        model(torch.tensor([IDS]))
    compared = [path for path in PATHS if path in seen and path not in ("pos_emb", *LAST_ONLY)]
    assert len(compared) > 18
    for path in compared:
        expected = seen[path][0]
        if path.endswith("core"):
            expected = expected[2]
        torch.testing.assert_close(traced.at(path, head=2), expected, msg=path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("embeddings.sum", "drop_emb"),
        ("blocks.1.attention", "blocks.1.drop1"),
        ("blocks.1.attention.out_proj", "blocks.1.drop1"),
        ("blocks.1.feed_forward", "blocks.1.drop2"),
        ("blocks.1.feed_forward.linear2", "blocks.1.drop2"),
        ("blocks.1.attention.core.softmax", "blocks.1.attention.core.dropout"),
    ],
)
def test_dropout_stands_between_what_comes_before_and_after_it(
    before: str, after: str, read: Read
) -> None:
    traced = read(IDS, dropout=Dropout(0.25))
    whole, left = (traced.at(path, head=2) for path in (before, after))
    assert whole is not None
    assert left is not None
    dropped = (left == 0) & (whole != 0)
    assert 0 < dropped.sum() < dropped.numel() / 2
    torch.testing.assert_close(left, torch.where(dropped, 0, whole / 0.75))


@pytest.mark.parametrize("norm", ["blocks.1.norm1", "blocks.0.norm2", "final_norm"])
def test_the_last_step_of_a_norm_is_the_norm(norm: str, read: Read) -> None:
    traced = read(IDS)
    torch.testing.assert_close(traced.at(f"{norm}.shift"), traced.at(norm))
    normalized = traced.at(f"{norm}.normalize")
    assert normalized is not None
    torch.testing.assert_close(normalized.mean(-1), torch.zeros(len(IDS)), atol=1e-5, rtol=0)


def test_the_steps_of_a_head_lead_from_one_to_the_next(read: Read) -> None:
    traced, core = read(IDS), "blocks.1.attention.core"
    steps = {name: traced.at(f"{core}.{name}", 1) for name in STEPS_OF_A_HEAD}
    head_dim = traced.config.head_dim
    torch.testing.assert_close(steps["scale"], steps["scores"] / head_dim**0.5)
    later = torch.ones(len(IDS), len(IDS)).triu(diagonal=1).bool()
    assert (steps["mask"] == -torch.inf).equal(later)
    torch.testing.assert_close(steps["softmax"], torch.softmax(steps["mask"], -1))
    value = traced.blocks[1].v[1]
    torch.testing.assert_close(steps["gather"], steps["softmax"] @ value)


STEPS_OF_A_HEAD = ("scores", "scale", "mask", "softmax", "gather")


def test_nothing_comes_out_of_a_placeholder(read: Read) -> None:
    traced = read(IDS, placeholders=frozenset(PLACEHOLDER_PARTS))
    placeholders = [
        path
        for path, part in anatomy(traced.config).walk()
        if not part.built and part.does != "shortcut"
    ]
    assert len(placeholders) > 10
    for path in placeholders:
        assert traced.at(path) is None, path


@pytest.mark.parametrize("path", ["nothing", "blocks.0.nothing", "blocks.0.attention.nothing"])
def test_an_unknown_part_is_a_key_error(path: str, read: Read) -> None:
    with pytest.raises(KeyError):
        read(IDS).at(path)


def test_an_unknown_layer_or_head_is_an_index_error(read: Read) -> None:
    with pytest.raises(IndexError):
        read(IDS).at("blocks.2.norm1")
    with pytest.raises(IndexError):
        read(IDS).at("blocks.0.attention.core.scores", head=3)


def test_pooling_keeps_the_number_farthest_from_zero_and_its_sign() -> None:
    values = torch.tensor([[1.0, -3.0, 0.5], [2.0, 0.0, -0.25], [0.0, 0.0, -9.0]])
    assert pooled(values, (2, 2)).tolist() == [[-3.0, 0.5], [0.0, -9.0]]
    assert pooled(values, (9, 9)).equal(values)

from __future__ import annotations

import pytest

from gptviz.counting.compare import compare
from gptviz.counting.costs import PRECISIONS, training_memory
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS


def test_gpt2_small_has_the_books_numbers(answer):
    found = answer("params", "--model", "gpt2-small")
    assert found["model"] == "gpt2-small"
    assert found["parameters"] == found["parameters_untied"] == 163_009_536
    assert found["parameters_tied"] == 124_412_160
    assert found["parameters_non_embedding"] == 85_028_352
    parts = {part["path"]: part["parameters"] for part in found["parts"]}
    assert parts["blocks.0"] == 7_085_568
    assert parts["blocks.0.attention"] == 2_360_064
    assert parts["blocks.0.feed_forward"] == 4_722_432
    assert parts[""] == 163_009_536
    assert found["weight_bytes"]["fp32"] == 163_009_536 * 4
    assert found["flops_per_token"] == {
        "n_tokens": 1024,
        "linear": 247_064_064,
        "attention": 37_748_736,
    }
    assert found["kv_cache_bytes_per_token"]["bf16 or fp16"] == 36_864


def test_shares_are_of_the_whole_model_and_not_rounded(answer):
    found = answer("params", "--model", "gpt2-small")
    for part in found["parts"]:
        assert part["share"] == part["parameters"] / 163_009_536
    summed = ("tok_emb", "pos_emb", "blocks", "final_norm", "out_head")
    shares = {part["path"]: part["share"] for part in found["parts"]}
    assert sum(shares[path] for path in summed) == pytest.approx(1, abs=1e-12)


def test_the_model_of_the_app_stands_first(answer):
    assert answer("params")["model"] == "tales"
    assert answer("params")["parameters"] == Ledger(PRESETS["tales"]).parameters


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (("--tied",), {"tie_weights": True}),
        (("--tied", "--qkv-bias"), {"tie_weights": True, "qkv_bias": True}),
        (
            ("--n-layers", 4, "--emb-dim", 128, "--n-heads", 4),
            {"n_layers": 4, "emb_dim": 128, "n_heads": 4},
        ),
        (("--vocab-size", 300, "--context-length", 64), {"vocab_size": 300, "context_length": 64}),
        (("--without", "norm", "--without", "attention"), {"placeholders": {"norm", "attention"}}),
    ],
)
def test_any_configuration(answer, options, changes):
    config = PRESETS["gpt2-small"].changed(**changes)
    found = answer("params", "--model", "gpt2-small", *options)
    assert found["model"] == "custom"
    assert found["config"] == config.as_dict()
    assert found["parameters"] == Ledger(config).parameters


def test_what_changes_nothing_is_still_the_model(answer):
    assert answer("params", "--model", "gpt2-small", "--untied")["model"] == "gpt2-small"
    assert answer("params", "--tied")["model"] == "tales"


def test_flops_are_for_as_many_tokens_as_asked(answer):
    found = answer("params", "--tokens", 7)["flops_per_token"]
    flops = Ledger(PRESETS["tales"]).flops(7)
    assert found["n_tokens"] == 7
    assert (found["linear"] * 7, found["attention"] * 7) == (flops.linear, flops.attention)


def test_beside_another(answer, gptviz):
    rows = compare(PRESETS["tales"], PRESETS["gpt2-xl"], 256)
    found = answer("params", "--compare", "gpt2-xl")["compare"]["gpt2-xl"]
    plain = {
        heading: [{"name": r.name, "this": r.this, "other": r.other} for r in some]
        for heading, some in rows.items()
    }
    assert found == plain
    printed = gptviz("params", "--compare", "gpt2-xl").stdout
    assert "1,637,792,000" in printed
    [line] = [line for line in printed.splitlines() if "vocab_size" in line and "≠" in line]
    assert line.split() == ["≠", "vocab_size", "8,192", "50,257", "0.163"]
    [line] = [line for line in printed.splitlines() if "qkv_bias" in line]
    assert "≠" not in line


def test_a_person_gets_a_table(gptviz):
    printed = gptviz("params", "--model", "gpt2-small").stdout
    assert "gpt2-small: 163,009,536 parameters, untied" in printed
    assert "untied 163,009,536 · tied 124,412,160" in printed
    assert ["attention", "4d²", "+", "d", "2,360,064", "1.45%"] in map(
        str.split, printed.split("\n")
    )
    assert "247,064,064 in Linear layers + 37,748,736 in attention" in printed
    assert "621.83 MiB" in printed
    assert "non-embedding 85,028,352" in printed


def test_memory_to_train_in_each_precision(answer, gptviz):
    found = answer("params", "--model", "gpt2-xl")["training_bytes"]
    assert found.pop("n_tokens") == 1024
    assert list(found) == ["fp32", "mixed precision", "pure bf16"]
    assert [each["without_activations"] for each in found.values()] == [
        1_637_792_000 * n for n in (16, 16, 8)
    ]
    for name, precision in zip(found, PRECISIONS, strict=True):
        memory = training_memory(Ledger(PRESETS["gpt2-xl"]), 1024, 1, precision)
        assert found[name]["total"] == memory.total
        assert found[name]["master"] == memory.master
    printed = gptviz("params", "--model", "gpt2-xl").stdout
    [line] = [line for line in printed.splitlines() if "master weights" in line]
    assert line.split()[-4:] == ["–", "6,247.68", "MiB", "–"]
    [line] = [line for line in printed.splitlines() if "these together" in line]
    assert line.split()[-6:] == ["24.41", "GiB", "24.41", "GiB", "12.20", "GiB"]


def test_gpt3_was_not_dense_and_that_is_said(gptviz):
    assert "banded sparse attention" in gptviz("params", "--model", "gpt3-175b").stdout
    assert "banded" not in gptviz("params", "--model", "gpt2-xl").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--emb-dim", 770, "--model", "gpt2-small"),
         "emb_dim=770 must be divisible by n_heads=12: try 768 or 780"),
        (("--n-layers", 0), "n_layers=0 must be a whole number of at least 1: try 1"),
        (("--vocab-size", 0), "vocab_size=0 must be a whole number of at least 1"),
        (("--without", "sleep"), "placeholders has 'sleep', but only attention, norm"),
        (("--model", "gpt5"), "--model: there is no model 'gpt5': choose one of tales, gpt2-small"),
        (("--compare", "gpt5"), "--compare: there is no model 'gpt5'"),
        (("--tokens", 257), "--tokens: 257 is more than the model can read: try 256"),
        (("--tokens", 0), "--tokens"),
        (("--emb-dim", "9" * 400), "--emb-dim"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(refused, options, words):
    refused("params", *options, words=[words])
    refused("params", *options, "--json", words=[words])


def test_the_largest_that_can_be_asked_for_answers_at_once(answer):
    most = ("--n-layers", "--emb-dim", "--vocab-size", "--context-length", "--n-heads")
    found = answer("params", *(word for option in most for word in (option, 10**9)))
    assert found["parameters"] > 10**27

from __future__ import annotations

import json
import math

import pytest
import torch

from gptviz.config import Sampling
from gptviz.loading import load
from gptviz.tracing.changes import silence
from gptviz.tracing.generation import generate
from gptviz.tracing.trace import trace

KING = "Once upon a time there was a"


@pytest.fixture(scope="module")
def tales():
    return load("tales")


def test_the_likeliest_come_first_with_all_their_digits(answer, tales):
    probabilities = trace(tales.model, tales.tokenizer.encode(KING)).probabilities().double()
    found = answer("predict", "--text", KING, "--top", 12)
    values, ids = probabilities.topk(12)
    assert [each["id"] for each in found["next"]] == ids.tolist()
    assert [each["token"] for each in found["next"]] == tales.tokenizer.labels(ids.tolist())
    for each, value in zip(found["next"], values.tolist(), strict=True):
        assert each["probability"] == pytest.approx(value, rel=1e-5)
        assert each["log_probability"] == pytest.approx(math.log(value), rel=1e-5)
    assert found["rest"] == pytest.approx(1 - float(values.sum()), abs=1e-6)
    bits = -float((probabilities * probabilities.log2()).sum())
    assert found["entropy_bits"] == pytest.approx(bits, abs=1e-4)
    assert found["written"] == {"text": "", "tokens": [], "stopped": "as_asked"}


def test_all_of_the_vocabulary_leaves_no_rest(answer, gptviz):
    found = answer("predict", "--text", KING, "--top", 10_000)
    assert len(found["next"]) == 8192
    assert found["rest"] == pytest.approx(0, abs=1e-5)
    assert "the other" not in gptviz("predict", "--text", KING, "--top", 10_000).stdout


def test_the_text_goes_on_as_generation_has_it(answer, gptviz, tales):
    ids = tales.tokenizer.encode(KING)
    sampling = Sampling(temperature=0.8, top_k=40, top_p=0.9)
    written = list(generate(tales.model, ids, 60, sampling, seed=1))
    options = ("--generate", 60, "--temperature", 0.8, "--top-k", 40, "--top-p", 0.9, "--seed", 1)
    found = answer("predict", "--text", KING, *options)
    text = tales.tokenizer.decode(token.token_id for token in written)
    assert found["written"]["text"] == text
    assert [each["id"] for each in found["written"]["tokens"]] == [t.token_id for t in written]
    assert [each["probability"] for each in found["written"]["tokens"]] == [
        pytest.approx(token.probability) for token in written
    ]
    assert found["sampling"] == {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "seed": 1}
    printed = gptviz("predict", "--text", KING, *options).stdout
    assert printed.endswith(f"\n{KING}{text}\n")  # no line of it was broken


def test_a_full_context_stops_the_writing_and_says_so(gptviz, tales):
    n = len(tales.tokenizer.encode(KING))
    full = tales.model.config.context_length - n + 1  # the last can be drawn, but not read
    for asked, said in ((full, ""), (400, f"{full} of 400 tokens were written: the context is")):
        result = gptviz("predict", "--text", KING, "--generate", asked, "--json")
        found = json.loads(result.stdout)["written"]
        assert len(found["tokens"]) == full
        assert found["stopped"] == ("context_length" if said else "as_asked")
        assert said in result.stderr
        assert bool(said) == bool(result.stderr)


def test_the_end_of_the_text_stops_the_writing_and_says_so(gptviz, monkeypatch, tales):
    king = tales.tokenizer.encode(KING)[-1]
    monkeypatch.setattr("gptviz.tracing.generation.FULL_VOCAB_SIZE", king + 1)
    monkeypatch.setattr("gptviz.tokenizer.Tokenizer.end_of_text", king, raising=False)
    monkeypatch.setattr("gptviz.tracing.generation._draw", lambda *_: (king, 1.0))
    monkeypatch.setattr(tales.tokenizer, "end_of_text", king)
    monkeypatch.setattr("gptviz.loading.load", lambda *_: tales)
    result = gptviz("predict", "--text", KING, "--generate", 5)
    assert "1 of 5 tokens were written: the model ended the text (<|endoftext|>)" in result.stderr
    found = gptviz("predict", "--text", KING, "--generate", 5, "--json").stdout
    assert json.loads(found)["written"]["stopped"] == "end_of_text"


def test_greedy_takes_the_likeliest(answer):
    found = answer("predict", "--text", KING, "--generate", 1, "--temperature", 0)
    assert found["written"]["tokens"][0]["id"] == found["next"][0]["id"]


def test_settings_of_sampling_leave_the_models_own_probabilities(answer):
    plain = answer("predict", "--text", KING)
    assert answer("predict", "--text", KING, "--temperature", 0.1)["next"] == plain["next"]


def test_without_a_head_the_model_expects_something_else(answer, tales):
    without = silence({(0, 5), (3, 7)})
    changed = trace(tales.model, tales.tokenizer.encode(KING), changes=without)
    found = answer("predict", "--text", KING, "--silence", "0.5", "--silence", "3.7")
    assert found["silenced"] == [[0, 5], [3, 7]]
    best = float(changed.probabilities().max())
    assert found["next"][0]["probability"] == pytest.approx(best, rel=1e-5)
    plain = answer("predict", "--text", KING)["next"]
    assert plain[0]["probability"] != pytest.approx(best, rel=1e-3)


def test_a_person_gets_a_table(gptviz, tales):
    probabilities = trace(tales.model, tales.tokenizer.encode(KING)).probabilities()
    value, token_id = (float(each) for each in torch.max(probabilities, dim=0))
    printed = gptviz("predict", "--text", KING, "--top", 3).stdout
    row = [tales.tokenizer.label(int(token_id)), str(int(token_id)), f"{value:.4f}"]
    rows = [line.split() for line in printed.splitlines()]
    assert [*row, f"{math.log(value):.3f}"] in rows
    assert any(line[:3] == ["the", "other", "8,189"] for line in rows)
    assert "bits, of at most 13.000" in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--top-p", 0), "top_p=0.0 must be a number above 0 and up to 1"),
        (("--temperature", -1), "temperature=-1.0 must be a number of at least 0"),
        (("--top-k", -1), "top_k=-1 must be a whole number of at least 0"),
        (("--top", 0), "--top"),
        (("--generate", -1), "--generate"),
        (("--silence", "king"), "'king' names no head: write its layer and its number"),
        (("--silence", "4"), "'4' names no head"),
        (("--silence", "0.8"), "blocks.0.attention.core has no head 8"),
        (("--silence", "0.1", "--generate", 2), "leave out --generate or --silence"),
    ],
)
def test_what_is_wrong_is_said(refused, options, words):
    refused("predict", *options, words=[words])

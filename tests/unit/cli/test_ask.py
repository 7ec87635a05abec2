"""What all commands that read have in common, and what reaches the terminal."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from gptviz.defaults import TEXT
from gptviz.loading import WEIGHTS, load
from gptviz.memory import shared
from gptviz.ui.shell.screen import TRAINED as TRAINED_IN_THE_APP

READING = [("predict",), ("heads",), ("trace", "--only", "token_ids")]


@pytest.fixture(params=READING, ids=lambda options: options[0])
def command(request, tmp_path):
    """A command that reads a text."""
    out = ("--force", "--out", tmp_path / "t.safetensors") if request.param[0] == "trace" else ()
    return (*request.param, *out)


def test_the_sentence_of_the_app_is_read_first(answer, command):
    tokenizer = load("tales").tokenizer
    assert answer(*command)["tokens"] == tokenizer.labels(tokenizer.encode(TEXT))


def test_standard_input(answer, command):
    tokenizer = load("tales").tokenizer
    cases = {
        "A king\n": "A king",
        "A king\r\n": "A king",
        "A\n\n": "A\n",
        "A\r\n\r\n": "A\r\n",
        "A\nB\r": "A\nB\r",
        "Änne é": "Änne é",
        "\ufeffA king": "A king",
        "\ufeff\ufeffA": "\ufeffA",
    }
    for given, read in cases.items():
        found = answer(*command, "--text", "-", stdin=given.encode())
        assert found["tokens"] == tokenizer.labels(tokenizer.encode(read))


def test_standard_input_that_is_no_text(refused, command):
    words = ["--text: standard input is not UTF-8 text"]
    refused(*command, "--text", "-", stdin=b"A \xff king", words=words)


def test_an_empty_text(refused, command):
    words = ["--text: the text is empty"]
    refused(*command, "--text", "", words=words)
    refused(*command, "--text", "-", stdin=b"\n", words=words)


def test_a_long_text_is_cut_and_says_so_aside(gptviz, command):
    result = gptviz(*command, "--text", "king " * 300, "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)["tokens"]) == 256
    note = " ".join(result.stderr.split())
    assert note.endswith("tokens; the model reads the first 256 (context_length).")


def test_a_space_at_the_end_is_pointed_out_aside(gptviz, command):
    result = gptviz(*command, "--text", "A king ", "--json")
    assert json.loads(result.stdout)["tokens"][-1] == "␣"
    assert "The text ends in a space." in result.stderr
    for text in ("A king", "A king\n", "A king " * 300):
        assert "ends in a space" not in gptviz(*command, "--text", text).stderr


def test_no_such_model(refused, command):
    refused(*command, "--model", "gpt5", words=["there is no model 'gpt5': choose one of tales"])


def free_memory(monkeypatch, n_bytes):
    answer = SimpleNamespace(available=n_bytes - shared().nbytes)
    monkeypatch.setattr("psutil.virtual_memory", lambda: answer)


def test_a_model_too_large_for_the_memory(refused, command, monkeypatch):
    free_memory(monkeypatch, 4_000_000_000)
    words = [
        "reading with gpt3-175b would take 65", "3.0 GiB can be used now",
        "gpt2-medium is the largest that fits", "gptviz params --model gpt3-175b",
    ]  # fmt: skip
    refused(*command, "--model", "gpt3-175b", words=words)


def test_where_nothing_fits_nothing_is_offered(gptviz, monkeypatch):
    free_memory(monkeypatch, 1000)
    result = gptviz("predict")
    assert result.exit_code == 2
    assert "largest that fits" not in result.output


def test_weights_that_are_damaged(refused, command, monkeypatch, tmp_path):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no weights")
    monkeypatch.setitem(WEIGHTS, "tales", damaged)
    refused(*command, words=["damaged.safetensors can't be read as safetensors"])


def test_nothing_but_the_answer_is_said(gptviz, command):
    assert gptviz(*command).stderr == ""


def test_a_text_of_bytes_that_are_no_characters(answer, command):
    assert answer(*command, "--text", "a\udcff b")["tokens"][0] == "a"


@pytest.mark.parametrize("seed", [-1, 2**31, "x"])
def test_no_such_seed(refused, command, seed):
    refused(*command, "--seed", seed, words=["--seed"])


HOSTILE = "\x1b[2J\x1b]0;owned\x07 [red]king[/red] :smile: \u202eback [link=x]y[/link]"


def test_nothing_in_a_text_drives_the_terminal(gptviz, tmp_path):
    for command in (
        ("predict", "--generate", 3),
        ("heads", "--top", 1),
        ("trace", "--out", tmp_path / "t"),
    ):
        result = gptviz(*command, "--text", HOSTILE)
        assert result.exit_code == 0, result.output
        for sign in "\x1b\x07\u202e":
            assert sign not in result.output
    printed = gptviz("predict", "--text", HOSTILE, "--generate", 3).stdout
    assert (
        "\\x1b[2J\\x1b]0;owned\\x07 [red]king[/red] :smile: \\u202eback [link=x]y[/link]" in printed
    )


def test_nothing_in_an_option_drives_the_terminal(gptviz):
    for option in ("--model", "--sort", "--silence"):
        result = gptviz("heads", option, HOSTILE)
        assert result.exit_code == 2
        for sign in "\x1b\x07\u202e":
            assert sign not in result.output
        assert "[red]king[/red]" in result.output


LONG = "x" * 50_000
NINES = "9" * 4_000  # Python still reads it


@pytest.mark.parametrize(
    "options",
    [
        ("--model", LONG),
        ("--silence", LONG),
        ("--silence", f"{NINES}.0"),
        ("--silence", "9" * 5_000 + ".0"),
        ("--seed", LONG),
        ("--seed", NINES),
        ("--" + LONG,),
        ("--json=" + LONG,),
        (LONG,),
        ("two words " * 5_000,),
    ],
    ids=lambda options: " ".join(options)[:30],
)
def test_nothing_given_is_echoed_whole(gptviz, command, options):
    result = gptviz(*command, *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.output) < 2_000
    assert "Traceback" not in result.output


def test_no_command_is_echoed_whole(gptviz):
    for words in ((LONG,), ("--" + LONG,), ("heads", "--sort", LONG), ("trace", "--out", LONG)):
        result = gptviz(*words)
        assert result.exit_code == 2
        assert "xxx...xxx" in result.output
        assert len(result.output) < 1_000


def test_a_token_that_looks_like_markup_is_shown_as_it_is(gptviz, monkeypatch):
    monkeypatch.setattr("gptviz.tokenizer.Tokenizer.label", lambda *_: "[red]x[/]\x1b[31m")
    assert "[red]x[/]\\x1b[31m" in gptviz("predict", "--top", 1).stdout


def test_the_default_model_is_the_apps(answer, command):
    assert answer(*command)["model"] == TRAINED_IN_THE_APP

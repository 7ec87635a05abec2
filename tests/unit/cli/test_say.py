"""What a person reads: whole numbers in straight columns, in any terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from gptviz.cli import say

NUMBERS = ["163,009,536", "1,475,328,000", "100.00%", "0.1006", "-2.297"]
HEAD = ("a part", "parameters of the model", "share of all of them")
ROWS = [("  one two three", *NUMBERS[:2]), ("␣four", *NUMBERS[2:4]), ("王様 five", NUMBERS[4], "")]


@pytest.fixture
def printed(monkeypatch):
    """What a terminal so wide, with signs in this encoding, would show; None is a pipe."""

    def run(width, *table, encoding="utf-8", **options):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding=encoding)  # errors="strict": nothing is left over
        console = Console(
            file=file, width=width or say.WIDE, force_terminal=bool(width), color_system=None
        )
        monkeypatch.setattr(say, "console", lambda: console)
        say.table(*table, **options)
        file.flush()
        return raw.getvalue().decode(encoding)

    return run


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [20, 30, 40, 50, 60, 80, None])
def test_no_number_is_broken_at_any_width(printed, width, encoding):
    lines = printed(width, "All parts", HEAD, ROWS, encoding=encoding).splitlines()
    words = " ".join(lines).replace("|", " ").replace(";", " ").split()
    assert set(NUMBERS) <= set(words)
    assert max(map(cell_len, lines)) <= (width or say.WIDE)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_columns_are_straight(printed, encoding):
    lines = printed(60, "All parts", HEAD, ROWS, encoding=encoding).splitlines()
    rows = [line for line in lines if any(number in line for number in NUMBERS)]
    first = {cell_len(re.match(r".*?[\d%](?=\s\s|\s\||\s*$)", row)[0]) for row in rows}
    assert len(rows) == 3
    assert len(first) == 1
    assert len(set(map(cell_len, rows))) == 1


def test_words_wrap_before_a_table_is_taken_apart(printed):
    words = "it goes on and on and on"
    lines = printed(30, "Title", ("words", "n"), [(words, "12,345")]).splitlines()
    assert " ".join(" ".join(lines[3:]).replace("12,345", "").split()) == words
    assert all(cell_len(line) <= 30 for line in lines)
    assert "words" in lines[1]


def test_where_nothing_fits_each_row_stands_by_itself(printed):
    lines = [line.rstrip() for line in printed(30, "All parts", HEAD, ROWS).splitlines()]
    assert lines == [
        "All parts",
        "  one two three",
        "    parameters of the model",
        "    163,009,536; share of all",
        "    of them 1,475,328,000",
        "␣four",
        "  parameters of the model",
        "  100.00%; share of all of",
        "  them 0.1006",
        "王様 five",
        "  parameters of the model",
        "  -2.297",
        "",
    ]


def test_a_pipe_is_as_wide_as_it_must_be(printed):
    word, number = "x" * 300, "9" * 300
    [row] = [line for line in printed(None, "", ("a", "b"), [(word, number)]).splitlines()
             if "x" in line]  # fmt: skip
    assert row.split() == [word, number]


@pytest.mark.parametrize(
    ("command", "encoding"),
    [
        ("params --model gpt2-small --compare gpt2-xl", "utf-8"),
        ("params --model gpt2-small --compare gpt2-xl", "ascii"),
        ("predict --top 3", "ascii"),
        ("heads --top 3", "utf-8"),
        ("trace --only blocks.0.* --out {}/t", "ascii"),
    ],
)
def test_every_command_in_a_terminal_of_40_columns(root, tmp_path, command, encoding):
    lines = in_terminal(root, command.format(tmp_path).split(), encoding).splitlines()
    assert lines
    for line in lines:
        assert cell_len(line) <= 40
        assert encoding == "utf-8" or line.isascii()
        assert not re.search(r"\d,\d{0,2}$|\.$(?<=\d\.)|…$", line)  # the end of half a number
        assert not re.match(r"\s*,\d", line)


def in_terminal(root, command, encoding):
    """What a command prints to a terminal: standard output alone, without its colours."""
    mine, its = pty.openpty()
    environment = {"COLUMNS": "40", "TERM": "xterm", "PYTHONIOENCODING": encoding}
    process = subprocess.Popen(
        [sys.executable, "-m", "gptviz.cli", *command],
        stdout=its,
        stderr=subprocess.DEVNULL,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **environment},
    )
    os.close(its)
    read = b""
    while part := _read(mine):
        read += part
    os.close(mine)
    assert process.wait(60) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", read.decode(encoding).replace("\r", ""))


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""

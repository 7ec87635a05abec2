"""The terminal without a terminal: what a command prints, and how it ends."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gptviz.cli import app


@pytest.fixture
def gptviz():
    """``gptviz("params", "--tied")`` runs a command in this process."""

    def run(*arguments, stdin=None):
        return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, terminal_width=200)

    return run


@pytest.fixture
def answer(gptviz):
    """What a command says in JSON, and nothing else on standard output."""

    def run(*arguments, stdin=None):
        result = gptviz(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def refused(gptviz):
    """That a command is refused in these words, and prints no answer."""

    def run(*arguments, words, stdin=None):
        result = gptviz(*arguments, stdin=stdin)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Traceback" not in result.output
        said = " ".join(result.output.replace("│", " ").split())
        for some in words:
            assert some in said

    return run

"""The command as it is installed, in a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest
import typer

from gptviz import __version__

COMMANDS = ("app", "predict", "heads", "params", "trace", "train")


def python(root, *arguments, **environment):
    env = {**os.environ, "PYTHONPATH": str(root), **environment}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, cwd=root, env=env, timeout=120
    )


def test_the_module_answers_like_the_command(root):
    result = python(root, "-m", "gptviz.cli", "params", "--model", "gpt2-small", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["parameters"] == 163_009_536
    assert not result.stderr


def test_a_wrong_value_is_no_traceback(root):
    result = python(root, "-m", "gptviz.cli", "params", "--n-heads", "7")
    assert result.returncode == 2
    assert not result.stdout
    assert b"emb_dim=256 must be divisible by n_heads=7" in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_standard_input_that_is_closed(root):
    command = f"{shlex.quote(sys.executable)} -m gptviz.cli predict --text - <&-"
    result = subprocess.run(command, shell=True, capture_output=True, cwd=root, timeout=120)
    assert result.returncode == 2
    assert b"standard input is closed" in result.stderr
    assert b"Traceback" not in result.stderr


def test_the_installed_command_is_this_one(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = project["project"]["scripts"]["gptviz"].partition(":")
    assert isinstance(getattr(import_module(module), name), typer.Typer)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["params"], ["heads", "--help"], ["predict", "--help"]], ids=" ".join
)
def test_neither_torch_nor_streamlit_is_waited_for(root, arguments):
    code = f"""
import sys
from gptviz.cli import app
try:
    app({arguments!r})
finally:
    for name in ("torch", "streamlit", "numpy", "pandas", "plotly"):
        assert name not in sys.modules, name
"""
    result = python(root, "-c", code)
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_help_names_every_command(gptviz):
    said = gptviz("--help").stdout
    for command in COMMANDS:
        assert f" {command} " in said
        assert gptviz(command, "--help").exit_code == 0


def test_its_version(gptviz):
    assert gptviz("--version").stdout == f"gptviz {__version__}\n"


def test_a_terminal_that_knows_only_ascii(root):
    result = python(
        root, "-m", "gptviz.cli", "predict", "--top", "1", PYTHONIOENCODING="ascii"
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert b"\\u2423beaut" in result.stdout

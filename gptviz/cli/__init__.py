"""``gptviz`` in the terminal: one command a file, torch only inside those that need it."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from gptviz import __version__
from gptviz.cli import heads, params, predict, serve, trace, train
from gptviz.cli.brief import Brief

app = typer.Typer(cls=Brief, no_args_is_help=True, add_completion=False)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gptviz {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[  # noqa: ARG001 (it acts by its callback)
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="say it, and no more"),
    ] = False,
) -> None:
    """gptviz: see the whole of a GPT, in the browser or here; train the small one."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no ␣ shows \u2423


app.command(name="app")(serve.serve)
app.command()(predict.predict)
app.command()(heads.heads)
app.command()(params.params)
app.command()(trace.trace)
app.command()(train.train)

"""``gptviz app``: serve the app."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer

import gptviz


def serve(
    port: Annotated[
        int | None,
        typer.Option(
            help="ask for this port; else Streamlit's, or the next free one", min=1, max=65535
        ),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="open no browser")] = False,
) -> None:
    """Serve the app on this machine, and open it in the browser; Ctrl+C ends it."""
    script = Path(gptviz.__file__).parents[1] / "app.py"
    if not (script.is_file() and (script.parent / "pages").is_dir()):
        raise typer.BadParameter(
            "app.py and pages/ don't stand beside the installed package, which has the library and "
            "this command alone: get gptviz's source, and in its folder say `make run`, or install "
            "it from there with `pip install --editable .`"
        )
    sys.argv = ["streamlit", "run", str(script)]
    sys.argv += ["--server.port", str(port)] if port is not None else []
    sys.argv += ["--server.headless", "true"] if headless else []
    runpy.run_module("streamlit", run_name="__main__")

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
    sys.argv = ["streamlit", "run", str(_script())]
    sys.argv += ["--server.port", str(port)] if port is not None else []
    sys.argv += ["--server.headless", "true"] if headless else []
    runpy.run_module("streamlit", run_name="__main__")


def _script() -> Path:
    """The app's script: a wheel carries it inside the package, the source has it beside it.

    Raises:
        typer.BadParameter: if this copy of gptviz has neither.
    """
    package = Path(gptviz.__file__).parent
    for folder in (package / "app", package.parent):
        if (folder / "app.py").is_file() and (folder / "pages").is_dir():
            return folder / "app.py"
    raise typer.BadParameter(
        f"this copy of gptviz has no app: app.py and pages/ stand neither in {package / 'app'}, "
        f"where a wheel has them, nor in {package.parent}, where the source has them. Install "
        "gptviz again with pip, or say `make run` in its source folder"
    )

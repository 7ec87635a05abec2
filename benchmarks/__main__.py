"""Measure the claims, print them as tables, and write them down as JSON.

python -m benchmarks --only trace,soak --repeats 9 --minutes 10 --out runs/benchmarks.json
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psutil
import torch
import typer
from playwright.sync_api import sync_playwright

from benchmarks import browser, overview, soak, trace
from benchmarks.table import Table, as_json, markdown
from scripts.chromium import launch

PARTS = ("trace", "overview", "browser", "soak")


def main(
    only: Annotated[str, typer.Option(help="Parts to measure, commas between.")] = ",".join(PARTS),
    repeats: Annotated[int, typer.Option(min=1, help="Times everything is measured.")] = 9,
    tokens: Annotated[str, typer.Option(help="Lengths of the traced sentence.")] = ",".join(
        map(str, trace.LENGTHS)
    ),
    minutes: Annotated[float, typer.Option(min=2, help="How long visitors come and go.")] = 10,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("runs/benchmarks.json"),
) -> None:
    """Measure, on this machine, what gptviz says of itself."""
    parts = only.split(",")
    if unknown := set(parts) - set(PARTS):
        raise typer.BadParameter(f"no part {', '.join(sorted(unknown))}: {', '.join(PARTS)}")
    machine, tables = _machine(), []
    print("; ".join(f"{name} {value}" for name, value in machine.items()))
    lengths = [int(number) for number in tokens.split(",")]
    for table in _tables(parts, repeats, lengths, minutes):
        print(f"\n{markdown(table)}", flush=True)
        tables.append(as_json(table))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": machine, "tables": tables}, indent=1), encoding="utf-8")
    print(f"\nEvery single measurement: {out}")


def _tables(parts: list[str], repeats: int, lengths: list[int], minutes: float) -> Iterator[Table]:
    # The browser first: a trace leaves this process large.
    if {"overview", "browser"} & set(parts):
        with sync_playwright() as playwright, launch(playwright) as chromium:
            if "browser" in parts:
                yield from browser.tables(chromium, repeats)
            if "overview" in parts:
                yield from overview.tables(chromium, repeats)
    if "soak" in parts:
        yield from soak.tables(minutes)
    if "trace" in parts:
        yield from trace.tables(repeats, lengths)


def _machine() -> dict[str, Any]:
    """What the numbers depend on; the load says how much else was going on."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_at_start": round(psutil.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


if __name__ == "__main__":
    typer.run(main)

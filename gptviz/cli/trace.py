"""``gptviz trace``: what went on inside the model, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gptviz.cli import ask
from gptviz.cli.say import as_json, say, table
from gptviz.counting.costs import size
from gptviz.defaults import MODEL, SEED, TEXT
from gptviz.files import check_writable, reason
from gptviz.memory import free_memory
from gptviz.presets import TRAINED
from gptviz.quoting import quoted


def trace(
    out: Annotated[Path, typer.Option(help="the safetensors file to write", readable=False)],
    model: ask.Model = MODEL,
    text: ask.Sentence = TEXT,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="names of tensors to write, such as 'blocks.3.*' or '*.attn_weights'; "
            "may be repeated",
            show_default="all",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
    silence: ask.Silence = None,
    seed: ask.Seed = SEED,
    json: ask.Json = False,
) -> None:
    """Read a text and write every tensor of the pass to a safetensors file, under its name.

    In Python, safetensors.torch.load_file (or safetensors.numpy's) gives them back; safe_open(...)
    .metadata() says which model read which tokens.
    """
    _check_out(out, force)
    reading = ask.read(model, text, seed, silence)
    with ask.waiting("Writing"), ask.refusing():
        from gptviz.tracing.trace_file import write_trace

        about = {"model": model} if model in TRAINED else {"model": model, "seed": str(seed)}
        tensors = write_trace(out, reading.trace, only or ["*"], free_memory(), **about)
    rows = [(name, tuple(tensor.shape), tensor.nbytes) for name, tensor in tensors.items()]
    if json:
        as_json(
            {
                "file": str(out),
                "bytes": out.stat().st_size,
                **reading.described(),
                "tensors": [{"name": n, "shape": s, "bytes": b} for n, s, b in rows],
            }
        )
        return
    cells = [(n, " × ".join(f"{side:,}" for side in s), f"{b:,}") for n, s, b in rows]
    table(f"{reading.title}: {len(rows):,} tensors", ("name", "shape", "bytes"), cells)
    say(f"{out}: {size(out.stat().st_size)}")


def _check_out(out: Path, force: bool) -> None:
    """Refuse a place that the file can't or shouldn't go to, before anything large is made."""
    name = quoted(str(out))
    try:
        check_writable(out)
    except OSError as error:
        wrong = f"{name} can't be written: {reason(error)}"
    else:
        if str(out) == "-":
            wrong = "standard output has the list of the tensors: name a file for the tensors"
        elif out.exists() and not force:
            wrong = f"{name} is there already: choose another name, or replace it with --force"
        else:
            return
    raise typer.BadParameter(wrong, param_hint="--out")

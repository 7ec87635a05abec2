"""``gptviz train``: train the model that ships, or one like it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gptviz.cli import ask
from gptviz.cli.say import note
from gptviz.presets import PRESETS
from gptviz.recipe import Recipe

if TYPE_CHECKING:
    from gptviz.training import Trainer


def train(
    data: Annotated[
        Path, typer.Argument(help="folder with *.txt files (UTF-8)", exists=True, file_okay=False)
    ],
    out: Annotated[Path, typer.Argument(help="folder for the state and the best weights")],
    held_out: Annotated[
        list[str], typer.Option(help="part of the name of a file to keep apart; may be repeated")
    ],
    tokens: Annotated[
        int, typer.Option(help="length of the whole run, in tokens", min=1)
    ] = 21_000_000,
    learning_rate: Annotated[float, typer.Option(help="the highest rate")] = 1.5e-3,
    copy_rows: Annotated[
        int, typer.Option(help="rows of each batch of 16 that repeat a span", min=0, max=7)
    ] = 2,
    echo_rows: Annotated[
        int, typer.Option(help="rows of each batch of 16 that echo x y x", min=0, max=7)
    ] = 2,
    seed: Annotated[
        int,
        typer.Option(
            help="for the weights, the order of the text and dropout", min=0, max=ask.MOST_SEED
        ),
    ] = 123,
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    compile_model: Annotated[
        bool, typer.Option("--compile", help="fuse with torch.compile (needs a C++ compiler)")
    ] = False,
) -> None:
    """Train the ``tales`` model on a folder of text; run it again to go on after a stop."""
    with ask.refusing():
        recipe = Recipe(
            tokens=tokens,
            learning_rate=learning_rate,
            copy_rows=copy_rows,
            echo_rows=echo_rows,
            seed=seed,
        )
    with ExitStack() as stack:
        with ask.refusing():
            trainer = _trainer(stack, data, out, tuple(held_out), recipe, device, compile_model)
        _say_where_it_goes_on(trainer)
        with _stopping(trainer):
            _follow(trainer)


def _trainer(
    stack: ExitStack,
    data: Path,
    out: Path,
    held_out: tuple[str, ...],
    recipe: Recipe,
    device: str,
    compile_model: bool,
) -> Trainer:
    """What trains, in a folder that is its own until the stack is closed."""
    from gptviz.corpus import read_corpus
    from gptviz.tokenizer import Tokenizer
    from gptviz.training import Trainer
    from gptviz.training_state import run_folder
    from gptviz.training_step import checked_device

    config = PRESETS["tales"]
    checked_device(device)
    folder = stack.enter_context(run_folder(out))
    corpus = read_corpus(data, Tokenizer(config.vocab_size), held_out)
    try:
        return Trainer(config, corpus, recipe, folder, device, compile_model)
    except RuntimeError as error:  # as torch says that memory or a device fails
        raise ValueError(_first_line(error)) from error


def _say_where_it_goes_on(trainer: Trainer) -> None:
    if trainer.step >= trainer.n_steps:
        note(
            f"This run is finished: {trainer.step:,} steps are done, {trainer.n_steps:,} are asked "
            "for. More --tokens make it longer."
        )
        return
    if trainer.step:
        note(f"Goes on from step {trainer.step:,}.")
    if trainer.changes:
        note(f"Not as in the run so far: {'; '.join(trainer.changes)}.")


def _follow(trainer: Trainer) -> None:
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("", total=trainer.n_steps, completed=trainer.step)
        for report in trainer.run():
            what = f"loss {report.loss:.3f} nats, {report.tokens_per_second:,.0f} tokens/s"
            bar.update(task, completed=report.step, description=what)
            if report.held_out_loss is not None:
                bar.console.print(f"step {report.step}: held out {report.held_out_loss:.4f} nats")


@contextmanager
def _stopping(trainer: Trainer) -> Iterator[None]:
    """Say in a sentence why a run ends early, and where it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"Stopped. The same command goes on from step {trainer.kept:,}.")
        raise typer.Exit(130) from None
    except FloatingPointError as error:  # which the same command would meet again
        note(f"Stopped: {error}.")
        raise typer.Exit(1) from error
    except (MemoryError, OSError, RuntimeError, ValueError) as error:
        why = _first_line(error).rstrip(".")
        note(f"Stopped: {why}. The same command goes on from step {trainer.kept:,}.")
        raise typer.Exit(1) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__

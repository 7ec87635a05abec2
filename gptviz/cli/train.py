"""``gptviz train``: train the model that ships, or one like it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gptviz.presets import PRESETS


def train(
    data: Annotated[Path, typer.Argument(help="folder with *.txt files", exists=True)],
    out: Annotated[Path, typer.Argument(help="folder for the state and the best weights")],
    held_out: Annotated[
        list[str], typer.Option(help="part of the name of a file to keep apart; may be repeated")
    ],
    tokens: Annotated[int, typer.Option(help="length of the run, in tokens")] = 21_000_000,
    learning_rate: Annotated[float, typer.Option(help="the highest rate")] = 1.5e-3,
    copy_rows: Annotated[
        int, typer.Option(help="rows of each batch of 16 that repeat a span", min=0, max=7)
    ] = 2,
    echo_rows: Annotated[
        int, typer.Option(help="rows of each batch of 16 that echo x y x", min=0, max=7)
    ] = 2,
    seed: Annotated[int, typer.Option(help="for the weights and the order of the text")] = 123,
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    compile_model: Annotated[
        bool, typer.Option("--compile", help="fuse with torch.compile (needs a C++ compiler)")
    ] = False,
) -> None:
    """Train the ``tales`` model on a folder of text; run it again to go on after a stop."""
    from gptviz.corpus import read_corpus
    from gptviz.tokenizer import Tokenizer
    from gptviz.training import Recipe, Trainer

    config = PRESETS["tales"]
    recipe = Recipe(
        tokens=tokens,
        learning_rate=learning_rate,
        copy_rows=copy_rows,
        echo_rows=echo_rows,
        seed=seed,
    )
    try:
        corpus = read_corpus(data, Tokenizer(config.vocab_size), tuple(held_out))
        trainer = Trainer(config, corpus, recipe, out, device, compile_model)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task("", total=recipe.n_steps(config.context_length), completed=trainer.step)
        for report in trainer.run():
            what = f"loss {report.loss:.3f} nats, {report.tokens_per_second:,.0f} tokens/s"
            bar.update(task, completed=report.step, description=what)
            if report.held_out_loss is not None:
                bar.console.print(f"step {report.step}: held out {report.held_out_loss:.4f} nats")

"""`python -m simulator demo`: replay the sample against a running API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulator.config import DEFAULT, Config
from simulator.demo import run
from simulator.show import show_summary

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def about() -> None:
    """Channels, nodes, carriers and customers, played from outside through the public API."""


@app.command()
def demo(
    api: Annotated[str, typer.Option(help="Address of the API.")] = DEFAULT.api_url,
    orders: Annotated[int, typer.Option(min=1, help="How many orders of the sample.")] = DEFAULT.orders,
    speed: Annotated[
        float, typer.Option(min=0, help="Business seconds a real second; 0: as fast as it goes.")
    ] = DEFAULT.speed,
    in_flight: Annotated[int, typer.Option(min=1, help="Orders open at once at speed 0.")] = DEFAULT.in_flight,
    patience: Annotated[float, typer.Option(min=1, help="Seconds without progress to bear.")] = DEFAULT.patience,
    fresh: Annotated[bool, typer.Option("--fresh", help="New order numbers for the same orders.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write the summary here, as JSON.")] = None,
    sample: Annotated[
        Path, typer.Option(help="Folder of the sample data.", show_default="data/sample")
    ] = DEFAULT.sample,
) -> None:
    """Replay real orders. Exit code 0 only if every order reached a final state, otherwise 1.

    Orders an earlier run sent are known again, so that running it once more continues where it stopped.
    """
    config = Config(
        api_url=api,
        orders=orders,
        speed=speed,
        in_flight=in_flight,
        patience=patience,
        fresh=fresh,
        sample=sample,
        report=report,
    )
    console = Console()
    summary = asyncio.run(run(config, console=console))
    show_summary(console, summary)
    raise typer.Exit(0 if summary.all_final else 1)


if __name__ == "__main__":
    app()

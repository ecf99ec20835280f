"""`python -m simulator`: replay the sample against a running API, for a script (`demo`) or for people (`live`)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from simulator.config import BATCH, DEFAULT, Config
from simulator.demo import run
from simulator.live import SPEED, run_live
from simulator.show import show_summary

INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Api = Annotated[str, typer.Option(help="Address of the API.")]
Patience = Annotated[float, typer.Option(min=1, help="Seconds without progress to bear.")]
InFlight = Annotated[int, typer.Option(min=1, help="Orders open at once at speed 0.")]
Keys = Annotated[Path | None, typer.Option(help="Folder of the API keys that everybody comes with.")]
Folder = Annotated[Path, typer.Option(help="Folder of the sample data.", show_default="data/sample")]

Result = TypeVar("Result")


@app.callback()
def about() -> None:
    """Channels, nodes, carriers and customers, played from outside through the public API."""


@app.command()
def demo(
    *,
    api: Api = DEFAULT.api_url,
    orders: Annotated[int, typer.Option(min=1, help="How many orders of the sample.")] = DEFAULT.orders,
    speed: Annotated[
        float, typer.Option(min=0, help="Business seconds a real second; 0: as fast as it goes.")
    ] = DEFAULT.speed,
    in_flight: InFlight = DEFAULT.in_flight,
    patience: Patience = DEFAULT.patience,
    fresh: Annotated[bool, typer.Option("--fresh", help="New order numbers for the same orders.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write the summary here, as JSON.")] = None,
    sample: Folder = DEFAULT.sample,
    keys: Keys = None,
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
        keys=keys,
    )
    console = Console()
    summary = _played(run(config, console=console))
    show_summary(console, summary)
    raise typer.Exit(0 if summary.all_final else 1)


@app.command()
def live(
    api: Api = DEFAULT.api_url,
    orders: Annotated[int, typer.Option(min=1, help="How many orders before the summary, at full speed.")] = BATCH,
    speed: Annotated[
        float, typer.Option(min=1, help="Business seconds a real second, for the orders after the summary.")
    ] = SPEED,
    temporal_ui: Annotated[str, typer.Option(help="Address of the namespace in the Temporal UI, for links.")] = "",
    patience: Patience = DEFAULT.patience,
    sample: Folder = DEFAULT.sample,
    keys: Keys = None,
) -> None:
    """Replay real orders for people to look at: some at full speed, a summary, then the next at a person's pace."""
    config = Config(api_url=api, orders=orders, speed=speed, patience=patience, sample=sample, keys=keys)
    _played(run_live(config, temporal_ui=temporal_ui, console=Console()))


def _played(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs to the end; a signal to end leaves the terminal as it was and exits with the code of an interrupt."""

    async def watched() -> Result:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(watched())
    except asyncio.CancelledError as cancelled:
        raise typer.Exit(INTERRUPTED) from cancelled


if __name__ == "__main__":
    app()

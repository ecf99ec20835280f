"""The `dom` command: what it offers, nothing of how it is done."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Annotated

import typer

from cli import (
    bulk_commands,
    channels_commands,
    exceptions_commands,
    inbox_commands,
    keys_commands,
    mapping_commands,
    ofl,
    order_group,
    orders_commands,
    quarantine_commands,
    questions_commands,
    secrets_commands,
    stock_commands,
)
from cli.calling import environment, problems_as_one_line

DEMO_ORDERS = 2000
BATCH = 300

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and with them secrets
    help="A distributed order management system: every order is one durable workflow.",
)

Orders = Annotated[int, typer.Option("--orders", min=1, help="How many real orders the demo replays.")]
Speed = Annotated[
    float | None, typer.Option("--speed", help="How many times faster than life warehouses and carriers work.")
]


@app.command()
def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="Replay real orders: some at full speed, then at a person's pace.")
    ] = False,
    orders: Annotated[
        int, typer.Option("--orders", min=1, help="How many orders the demo replays at full speed, before its summary.")
    ] = BATCH,
    speed: Annotated[
        float | None,
        typer.Option("--speed", min=1, help="How many times faster than life the demo goes on (60)."),
    ] = None,
) -> None:
    """Start everything that is not configured by address, and keep it running until Ctrl-C."""
    from cli.running import Demo, run_stack

    with problems_as_one_line():
        settings, folder = environment()
        run_stack(settings, folder, Demo(orders, speed, live=True) if demo else None)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def demo(
    context: typer.Context,
    orders: Orders = DEMO_ORDERS,
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything after the summary.")] = False,
    api: Annotated[str, typer.Option("--api", help="An API that runs already; nothing is started.")] = "",
    speed: Speed = None,
) -> None:
    """Replay real orders through the public API; exit code 0 only if every order reached a final state.

    Further options go to the simulator: --fresh, --in-flight N, --patience SECONDS, --report FILE, --keys FOLDER.
    """
    from cli.running import Demo, run_stack

    with problems_as_one_line():
        settings, folder = environment()
        wanted = Demo(orders, speed, leave=leave, further=tuple(context.args))
        running = folder.addresses()
        if folder.keys.is_dir():
            wanted = replace(wanted, keys=folder.keys)
        url = api or (running.api_url if running else "")
        if url:
            become(wanted.command(url).argv, {})
        raise typer.Exit(run_stack(settings, folder, wanted))


@app.command()
def worker() -> None:
    """Run a worker in the foreground, on the configured servers or those of a running `dom up`."""
    foreground("worker")


@app.command()
def api() -> None:
    """Run the API in the foreground, on the configured servers or those of a running `dom up`."""
    foreground("api")


@app.command()
def prepare() -> None:
    """Make database and Temporal ready for workers and APIs: migrations, namespace, search attributes, schedules."""
    from cli.prepare import prepare as make_ready
    from cli.running import found_settings

    with problems_as_one_line():
        make_ready(found_settings(*environment()), typer.echo)


@app.command()
def migrate() -> None:
    """Bring the database schema up to date."""
    from cli.prepare import prepare_database
    from cli.schema import database

    with problems_as_one_line():
        settings, folder = environment()
        with database(settings, folder) as url:
            prepare_database(url, typer.echo)


@app.command()
def seed() -> None:
    """Load the network, the SKUs and the stock of the sample data, into a database that is up to date."""
    from cli.prepare import prepare_database
    from cli.schema import SAMPLE_DATA, database, in_words
    from services import seed as seeds

    with problems_as_one_line():
        settings, folder = environment()
        with database(settings, folder) as url:
            prepare_database(url, typer.echo)
            typer.echo(in_words(seeds.seed(url, SAMPLE_DATA)))


@app.command()
def doctor() -> None:
    """Say in words what is missing or misconfigured; exit code 1 if something stands in the way, 3 if nothing does but
    nothing runs.
    """
    from cli.doctor import examine

    with problems_as_one_line():
        settings, folder = environment()
        raise typer.Exit(examine(settings, folder))


app.add_typer(order_group.app, name="order")
app.add_typer(keys_commands.app, name="keys")
app.add_typer(secrets_commands.app, name="secrets")
app.add_typer(orders_commands.app, name="orders")
app.add_typer(bulk_commands.app, name="bulk")
app.add_typer(exceptions_commands.app, name="exceptions")
app.add_typer(questions_commands.app, name="questions")
app.add_typer(channels_commands.app, name="channels")
app.add_typer(inbox_commands.app, name="inbox")
app.add_typer(quarantine_commands.app, name="quarantine")
app.add_typer(mapping_commands.app, name="mapping")
app.add_typer(stock_commands.app, name="stock")
app.add_typer(ofl.app, name="ofl")


def foreground(module: str) -> None:
    """Becomes the worker or the API, with every address filled in."""
    from cli.process import python_module
    from cli.running import found_settings

    with problems_as_one_line():
        become(python_module(module), found_settings(*environment()).as_environment())


def become(argv: tuple[str, ...], variables: dict[str, str]) -> None:
    """Replaces this process, so that signals and the exit code are the program's own."""
    sys.stdout.flush()
    os.execve(argv[0], argv, {**os.environ, **variables})  # noqa: S606

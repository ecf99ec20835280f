"""`dom ofl shadow start|stop|show|list`: a draft that decides beside the live policy, without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.calling import console
from cli.ofl.reading import in_database, refusals

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from store.rehearsal.shadows import Shadow

SHOWN = 20

app = typer.Typer(no_args_is_help=True, help="A draft that decides beside the live policy, without effect.")

Name = Annotated[str, typer.Argument(help="The shadow's name; that of its draft.")]
Which = Annotated[
    str | None,
    typer.Option("--policy", help="A file, a draft's name, a version or `live`; without it the draft of that name."),
]
By = Annotated[str, typer.Option("--by", help="Kept with the shadow.", envvar="USER")]


@app.callback()
def about() -> None:
    """A draft that decides beside the live policy, without effect."""


@app.command()
def start(name: Name, policy: Which = None, by: By = "operator") -> None:
    """Let a draft decide every live order too, from now on; a background job does it, and nothing comes of it."""

    from cli.ofl.rehearsing import chosen, read_file

    async def begin(connection: AsyncConnection) -> None:
        from store.rehearsal import shadows

        draft = of_file or (await chosen(connection, policy or name))[0]
        await shadows.start(connection, name, draft, by)

    with refusals():
        of_file = read_file(policy)
        in_database(begin)
    typer.echo(f"{name} decides beside the live policy from now on; `dom ofl shadow show {name}` compares.")


@app.command()
def stop(name: Name, by: By = "operator") -> None:
    """End a shadow; what it decided is kept."""

    async def end(connection: AsyncConnection) -> None:
        from store.rehearsal import shadows

        await shadows.stop(connection, name, by)

    with refusals():
        in_database(end)
    typer.echo(f"{name} decides no longer.")


@app.command()
def show(name: Name) -> None:
    """Show what a shadow would have decided otherwise, the newest first."""
    from rich import box
    from rich.table import Table

    from api.rehearsal.page import amount

    async def read(connection: AsyncConnection) -> tuple[Shadow, list[tuple[str, ...]]]:
        from store.rehearsal import shadows

        found = await shadows.get(connection, name)
        rows = await shadows.differing(connection, found.id, SHOWN)
        return found, [_row(row["order_id"], row["attempt"], row["document"], found.currency) for row in rows]

    with refusals():
        found, rows = in_database(read)
    screen = console()
    until = f"to {found.ended_at:%Y-%m-%d %H:%MZ}" if found.ended_at else "and runs"
    screen.print(f"{found.name}, started {found.started_at:%Y-%m-%d %H:%MZ} by {found.started_by} {until}")
    screen.print(
        f"{found.differs} of {found.decisions} decisions differ; cost {amount(found.cost, found.currency)} at its own "
        f"prices, live {amount(found.live_cost, found.live_currency)}; units unfilled {found.unfilled}, "
        f"live {found.live_unfilled}"
    )
    if found.undecided:
        screen.print(f"{found.undecided} of the decisions it could not make: they are in neither sum")
    table = Table("order", "decision", "live", "shadow", "live cost", "cost", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    screen.print(table)


@app.command("list")
def list_() -> None:
    """List the shadows, the newest first."""
    from rich import box
    from rich.table import Table

    async def read(connection: AsyncConnection) -> list[Shadow]:
        from store.rehearsal import shadows

        return await shadows.everyone(connection)

    with refusals():
        found = in_database(read)
    table = Table("name", "started", "by", "ended", "decisions", "differ", box=box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        ended = f"{each.ended_at:%Y-%m-%d %H:%MZ}" if each.ended_at else "runs"
        started = f"{each.started_at:%Y-%m-%d %H:%MZ}"
        table.add_row(each.name, started, each.started_by, ended, str(each.decisions), str(each.differs))
    console().print(table)


def _row(order_id: str, attempt: int, document: dict[str, object], currency: str) -> tuple[str, ...]:
    from api.rehearsal.page import amount

    nodes = {side: _joined(document[side]) for side in ("live_nodes", "nodes")}
    shadow = str(document["problem"]) or nodes["nodes"]
    live_cost = amount(int(str(document["live_cost"])), str(document.get("live_currency") or currency))
    cost = amount(int(str(document["cost"])), currency)
    return (order_id, str(attempt), nodes["live_nodes"], shadow, live_cost, cost)


def _joined(nodes: object) -> str:
    return " + ".join(nodes if isinstance(nodes, list) else ()) or "nothing"

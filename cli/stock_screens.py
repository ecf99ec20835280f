"""`dom stock show` and `dom stock node`: stock on one screen, with totals that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rich.table import Table
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from store.reports.stock import NodeScreen, SkuScreen

BALANCE = ("on_hand", "damaged", "quarantine", "reserved", "soft", "safety_stock", "promise_safety")
FREE = ("free_for_ofl", "free_to_promise")
HEADS = (
    "on\nhand",
    "dam-\naged",
    "quar-\nantine",
    "firm",
    "soft",
    "safety",
    "promise\nsafety",
    "free\nOFL",
    "free to\npromise",
)
"""Columns of a balance. On hand are sellable units, reserved ones among them; a node's free units are never below 0."""
SkuName = Annotated[str, typer.Argument(metavar="SKU", help="The SKU.")]
NodeName = Annotated[str, typer.Argument(metavar="NODE", help="The node's id, such as dc-leeds.")]
Channel = Annotated[str | None, typer.Option("--channel", help="Show also what this channel may have of it.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many lines at most; totals count all.")]


def show(sku: SkuName, channel: Channel = None, limit: Limit = 20) -> None:
    """Show a SKU: a line per node, a total, and the orders that wait for it."""
    from store.reports import stock as screens

    async def look(connection: AsyncConnection) -> SkuScreen:
        await require(connection, "SKU", sku)
        if channel is not None:
            await require(connection, "channel", channel)
        return await screens.of_sku(connection, sku, channel, limit)

    found = read(look)
    screen = console()
    screen.print(sku_table(sku, channel, found.lines))
    for way in found.in_transit:
        screen.print(f"{way['units']} in transit from {way['origin_node']} to {way['node_id']}, in no balance")
    if not found.waiting_orders:
        screen.print("no order waits for it")
        return
    screen.print(waiting_table(found))


def node(
    node_id: NodeName,
    sku_prefix: Annotated[str, typer.Option("--sku-prefix", help="Only SKUs that begin like this.")] = "",
    limit: Limit = 50,
    low: Annotated[
        int | None, typer.Option("--low", min=0, help="Only SKUs with at most so many units free to promise.")
    ] = None,
) -> None:
    """Show a node: a line per SKU, totals over all its SKUs, and the capacity of its next days."""
    from store.reports import stock as screens

    async def look(connection: AsyncConnection) -> NodeScreen:
        await require(connection, "node", node_id)
        found = await screens.of_node(connection, node_id, prefix=sku_prefix, low=low, limit=limit)
        assert found is not None  # noqa: S101 -- it was there in the same snapshot
        return found

    found = read(look)
    screen = console()
    screen.print(node_table(node_id, found))
    screen.print(days_table(found.days))


def sku_table(sku: str, channel: str | None, lines: Sequence[RowMapping]) -> Table:
    """A line per node, and their sum."""
    from cli.tables import numbers

    more = ("for_channel",) if channel else ()
    shown = (*BALANCE, *FREE, *more, "inbound")
    heads = (*HEADS, *((f"for\n{channel}",) if channel else ()), "in-\nbound", "counted")
    rows = [
        (line["node_id"] if line["active"] else f"{line['node_id']} (off)", *(line[n] for n in shown), _day(line))
        for line in lines
    ]
    total = ("total", *(sum(line[name] or 0 for line in lines) for name in shown), "")
    return numbers(f"{sku} at {len(rows)} {'node' if len(rows) == 1 else 'nodes'}", ("node",), heads, rows, [total])


def waiting_table(found: SkuScreen) -> Table:
    """The orders that wait, next first."""
    from cli.tables import numbers

    rows = (
        (
            row["order_id"],
            row["channel"],
            row["status"],
            f"{row['placed_at']:%Y-%m-%d %H:%M}",
            row["units"],
            row["allocated"],
        )
        for row in found.waiting
    )
    orders = "order" if found.waiting_orders == 1 else "orders"
    title = f"{found.waiting_units} units wait in {found.waiting_orders} {orders}, next first"
    if len(found.waiting) < found.waiting_orders:
        title += f"; {len(found.waiting)} of them are shown"
    return numbers(title, ("order", "channel", "status", "placed"), ("waits for", "allocated"), rows)


def node_table(node_id: str, found: NodeScreen) -> Table:
    """A line per chosen SKU; the sum of what is shown, where that is not all, and the sum of all."""
    from cli.tables import numbers

    shown = (*BALANCE, *FREE)
    rows = [(line["sku"], *(line[name] for name in shown), _day(line)) for line in found.lines]
    totals = [(f"all {found.totals['skus']}", *(found.totals[name] for name in shown), "")]
    if len(rows) < found.totals["skus"]:
        partial = (sum(line[name] or 0 for line in found.lines) for name in shown)
        totals.insert(0, (f"{len(rows)} shown", *partial, ""))
    return numbers(
        f"{node_id}: {len(rows)} of {found.totals['skus']} SKUs", ("SKU",), (*HEADS, "counted"), rows, totals
    )


def days_table(days: Sequence[RowMapping]) -> Table:
    """The capacity of the node's next days, as a whole and by service where that is limited."""
    from cli.tables import numbers

    services = sorted({name for day in days for name in day["services"]})
    rows = (
        (
            day["day"],
            day["used"],
            day["capacity"],
            max(day["capacity"] - day["used"], 0),
            *("/".join(map(str, day["services"][name])) for name in services),
        )
        for day in days
    )
    heads = ("taken", "capacity", "free", *(f"{name}: taken/most" for name in services))
    return numbers("fulfilments in the next days", ("day",), heads, rows)


def _day(line: RowMapping) -> str:
    return f"{line['counted_at']:%Y-%m-%d}" if line["counted_at"] else "-"


def read(look: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    """What `look` finds, all of one moment; problems end the command as one line."""
    from cli.records import in_database
    from store.reports import stock as screens

    async def agreeing(connection: AsyncConnection) -> Any:
        await screens.agreeing(connection)
        return await look(connection)

    with problems_as_one_line():
        return in_database(*environment(), agreeing)


async def require(connection: AsyncConnection, what: str, name: str) -> None:
    """Raises StartProblem unless there is a SKU, a node or a channel of that name."""
    from cli.problems import StartProblem
    from store.reports import stock as screens

    if not await screens.exists(connection, what, name):
        raise StartProblem(f"there is no {what} {name}", "check how it is written")

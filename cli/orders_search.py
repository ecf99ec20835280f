"""`dom orders search`: orders by what a person knows of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from dom.orders.search_filter import OrderSort
from dom.orders.status import OrderStatus

if TYPE_CHECKING:
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.orders.search_filter import OrderFilter

Typed = Annotated[str | None, typer.Argument(help="Name, mail, phone, postal code, SKU, or part of any number.")]
Statuses = Annotated[list[OrderStatus] | None, typer.Option("--status", help="Any of these; repeatable.")]
Channels = Annotated[list[str] | None, typer.Option("--channel", help="Any of these; repeatable.")]
Nodes = Annotated[list[str] | None, typer.Option("--node", help="With work of any of these; repeatable.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="With any of these; repeatable.")]
Customer = Annotated[str | None, typer.Option("--customer", help="The channel's id of the customer.")]
Sku = Annotated[str | None, typer.Option("--sku", help="A SKU on any line.")]
Postal = Annotated[str | None, typer.Option("--postal-code", help="The code or its beginning.")]
Tracking = Annotated[str | None, typer.Option("--tracking", help="The carrier's number, or a part of it.")]
_DAY = "YYYY-MM-DD, today, today+1; UTC"
PlacedFrom = Annotated[str | None, typer.Option("--placed-from", help=f"Placed on this day or later: {_DAY}.")]
PlacedTo = Annotated[str | None, typer.Option("--placed-to", help="Placed on this day or earlier.")]
PromiseFrom = Annotated[str | None, typer.Option("--promise-from", help="The promise ends on this day or later.")]
PromiseTo = Annotated[str | None, typer.Option("--promise-to", help="The promise ends on this day or earlier.")]
Late = Annotated[bool | None, typer.Option("--late/--not-late", help="The promise passed, or cannot be kept.")]
Stuck = Annotated[
    bool | None, typer.Option("--stuck/--not-stuck", help="An exception is open, or nothing happened for long.")
]
StuckHours = Annotated[int | None, typer.Option("--stuck-hours", help="How long that is, in hours.")]
Waiting = Annotated[bool | None, typer.Option("--waiting/--not-waiting", help="With units that no node has.")]
Held = Annotated[bool | None, typer.Option("--held/--not-held", help="A hold stands that blocks a step.")]
Sort = Annotated[OrderSort | None, typer.Option("--sort", help="captured and placed: newest first; promise: earliest.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many are listed.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


def search(
    q: Typed = None,
    *,
    status: Statuses = None,
    channel: Channels = None,
    node: Nodes = None,
    tag: Tags = None,
    customer: Customer = None,
    sku: Sku = None,
    postal_code: Postal = None,
    tracking: Tracking = None,
    placed_from: PlacedFrom = None,
    placed_to: PlacedTo = None,
    promise_from: PromiseFrom = None,
    promise_to: PromiseTo = None,
    late: Late = None,
    stuck: Stuck = None,
    stuck_hours: StuckHours = None,
    waiting: Waiting = None,
    held: Held = None,
    sort: Sort = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Find orders, as `GET /v1/orders` does. What is given has to hold together; without anything: the newest."""
    asked = dict(locals())
    shown = {name: asked.pop(name) for name in ("limit", "as_json")}
    with problems_as_one_line():
        rows = _found(_filter(asked), limit)
    if shown["as_json"]:
        print(json.dumps([dict(row) for row in rows], indent=2, default=str))
        return
    _show(rows, limit)


def _filter(asked: dict[str, Any]) -> OrderFilter:
    """The filter; raises StartProblem for what it cannot be."""
    from pydantic import ValidationError

    from cli.problems import StartProblem
    from dom.orders.search_filter import OrderFilter

    try:
        return OrderFilter.model_validate(
            {name: tuple(value) if isinstance(value, list) else value for name, value in asked.items()}
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        option = str(wrong["loc"][0]).replace("_", "-")
        raise StartProblem(f"--{option}: {wrong['msg']}", "see `dom orders search --help`") from error


def _found(asked: OrderFilter, limit: int) -> Sequence[RowMapping]:
    from datetime import UTC, datetime

    from cli.records import in_database
    from store.orders import reads
    from store.orders.search import Search, find

    async def both(connection: AsyncConnection) -> Sequence[RowMapping]:
        found = await find(connection, Search((asked,), datetime.now(UTC), limit=limit))
        return await reads.summaries(connection, [order_id for _, order_id in found])

    return in_database(*environment(), both)


def _show(rows: Sequence[RowMapping], limit: int) -> None:
    from cli.order_command import moment
    from cli.tables import numbers

    screen = console()
    headings = ("order", "status", "customer", "country", "placed", "promise ends")
    table = (
        (
            r["order_id"],
            r["status"],
            r["customer_name"],
            r["country"],
            moment(r["placed_at"]),
            moment(r["promise_latest"]),
        )
        for r in rows
    )
    if rows:
        screen.print(numbers("orders", headings, (), table))
    more = "; there may be more" if len(rows) == limit else ""
    screen.print(f"{len(rows)} found{more}")

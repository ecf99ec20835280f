"""`dom order`: one order on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console, environment, problems_as_one_line
from dom.shared.money import Money

if TYPE_CHECKING:
    from rich.table import Table
    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.orders.waiting_for import WaitsFor

UNITS = ("ordered", "cancelled", "backordered", "allocated", "delivered", "returned")

OrderId = Annotated[str, typer.Argument(help="The order's id, such as web-536365.")]


def order(order_id: OrderId) -> None:
    """Show an order: status, lines, fulfilments, timeline."""
    from cli.problems import StartProblem
    from cli.records import in_database
    from services import order_waits
    from services.clock import utc_now
    from store.orders import reads, timeline

    async def all_of_it(
        connection: AsyncConnection,
    ) -> tuple[dict[str, Any] | None, tuple[WaitsFor, ...], Sequence[RowMapping]]:
        found = await reads.order(connection, order_id)
        waits = () if found is None else await order_waits.read(connection, found, utc_now())
        return found, waits, await timeline.of_order(connection, order_id)

    with problems_as_one_line():
        found, waits, events = in_database(*environment(), all_of_it)
        if found is None:
            raise StartProblem(f"there is no order {order_id}", "look for it with GET /v1/orders?q=...")
    screen = console()
    screen.print(heading(found))
    for part in (lines(found), fulfilments(found), waiting(waits), messages(found), happened(events)):
        screen.print(part)


def heading(found: dict[str, Any]) -> str:
    """Who, what it is worth, how it stands, what was promised, and the codes of goods that are ready for collection."""
    who, where = found["document"]["customer"], found["document"]["ship_to"]
    to = " ".join(filter(None, (where["city"], where["postal_code"], where["country"])))
    worth = Money(amount=found["goods_total"], currency=found["currency"])
    promise = f"{moment(found['promise_earliest'])} to {moment(found['promise_latest'])}"
    return "\n".join(
        (
            f"{found['order_id']}: {found['status']}",
            f"{who['id']}, {to}; {worth}",
            f"placed {moment(found['placed_at'])}, captured {moment(found['captured_at'])}, promised {promise}",
            *(f"exception: {each['kind']}: {each['detail']}" for each in found["exceptions"]),
            *(_held(each) for each in found["holds"]),
            *(
                f"{each['id']} is collected at {each['pickup_node']} with the code {each['collection_code']}"
                for each in _collected(found)
            ),
        )
    )


def lines(found: dict[str, Any]) -> Table:
    """The lines and where their units are."""
    return _table(("line", "SKU", *UNITS), ((n["line_id"], n["sku"], *(n[u] for u in UNITS)) for n in found["lines"]))


def fulfilments(found: dict[str, Any]) -> Table:
    """The nodes' work, and what the carrier was booked for."""
    rows = (
        (f["id"], _by(f), sum(n["quantity"] for n in f["lines"]), f["method"], f["status"], _tracked(f))
        for f in found["fulfilments"]
    )
    return _table(("fulfilment", "node", "units", "method", "status", "shipment"), rows)


def waiting(waits: Sequence[WaitsFor]) -> Table:
    """What it waits for, whose turn it is, and until when."""
    rows = ((w.what, w.name or w.who, moment(w.until), _waits_of(w)) for w in waits)
    return _table(("waits for", "of", "until", "about"), rows)


def messages(found: dict[str, Any]) -> Table:
    """What was told, with the numbers under which it can be sent again."""
    rows = ((m["id"], m["kind"], m["medium"], m["recipient"], m["status"]) for m in found["messages"])
    return _table(("message", "kind", "by", "to", "status"), rows)


def happened(events: Sequence[RowMapping]) -> Table:
    """The timeline, oldest first."""
    rows = ((moment(e["occurred_at"]), e["kind"], e["actor"], _about(e)) for e in events)
    return _table(("when", "what", "who", "about"), rows)


def moment(at: datetime | None) -> str:
    """A time to the second, in UTC; a dash where there is none."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at else "-"


def _by(fulfilment: dict[str, Any]) -> str:
    """The node that does the work, and the store that a carrier takes it to, if any."""
    node, store = fulfilment["node_id"], fulfilment["pickup_node"]
    return str(node) if store in {None, node} else f"{node} to {store}"


def _tracked(fulfilment: dict[str, Any]) -> str:
    return ", ".join(f"{s['carrier']} {s['tracking_number']} {s['status']}" for s in fulfilment["shipments"])


def _held(hold: dict[str, Any]) -> str:
    return f"hold {hold['hold_id']}: {hold['type']} blocks {', '.join(hold['blocks'])}"


def _collected(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in found["fulfilments"] if each["collection_code"]]


def _waits_of(wait: WaitsFor) -> str:
    units = f"{wait.units} units" if wait.units else ""
    return " ".join(filter(None, (wait.question_id, wait.fulfilment_id, wait.return_id, units)))


def _about(event: RowMapping) -> str:
    data = event["data"]
    links = (link["url"] for link in data.get("links") or ())
    return " ".join(filter(None, (data.get("fulfilment_id", ""), event["reason"], data.get("text", ""), *links)))


def _table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    return table

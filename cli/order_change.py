"""`dom order change`: an order is edited, or shown as it would be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.calling import console
from cli.order_command import OrderId
from cli.staff_writing import By, Why, sourced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.ext.asyncio import AsyncConnection

    from dom.orders.commands import EditOrder
    from dom.orders.lifecycle import OrderState
    from services.database import Database
    from services.edits import EditOutcome

Many = list[str] | None


def change(
    order_id: OrderId,
    *,
    quantity: Annotated[Many, typer.Option(help="So many units of a line: 1=2; repeatable, as those below.")] = None,
    add: Annotated[Many, typer.Option(help="Another line: SKU=UNITS@PRICE, the price in minor units.")] = None,
    remove: Annotated[Many, typer.Option(help="A line of which nothing is to be sent.")] = None,
    swap: Annotated[Many, typer.Option(help="Another SKU in place of a line's, at its price: 1=SKU.")] = None,
    tag: Annotated[Many, typer.Option(help="The order's tags; they replace those it has.")] = None,
    ship_to: Annotated[Path | None, typer.Option(help="A JSON file with the address.", exists=True)] = None,
    method: Annotated[str | None, typer.Option(help="The shipping method, such as express.")] = None,
    pickup_node: Annotated[str | None, typer.Option(help="Where the customer collects it.")] = None,
    requested_by: Annotated[str | None, typer.Option(help="When the customer wants it by, such as 2026-12-24.")] = None,
    revision: Annotated[int | None, typer.Option(help="The revision that you saw; the present one, if absent.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Change nothing; show what it would come to.")] = False,
    reason: Why = "",
    by: By = "operator",
) -> None:
    """Edit an order: all changes are made, or none, and what no node has begun is planned anew."""
    asked: dict[str, Any] = {"quantity": quantity, "add": add, "remove": remove, "swap": swap, "tag": tag}
    asked |= {"ship_to": ship_to, "method": method, "pickup_node": pickup_node, "requested_by": requested_by}

    async def work(database: Database, connection: AsyncConnection) -> EditOutcome:
        from dom.shared.errors import NotFound
        from services import edits
        from store.orders import state

        now = await state.read(connection, order_id)
        if not now.lines:
            raise NotFound(f"there is no order {order_id}")
        command = _command(now, asked, revision, by, reason)
        return await edits.edit_in(database, connection, order_id, command)

    outcome = sourced("change", order_id, by, work, reason, keep=not preview)
    _show(order_id, outcome, preview=preview)


def _command(now: OrderState, asked: dict[str, Any], revision: int | None, by: str, reason: str) -> EditOrder:
    from pydantic import ValidationError

    from dom.orders.commands import EditOrder
    from services.clock import utc_now

    seen = now.revision if revision is None else revision
    try:
        changes = list(_changes(now, asked))
        if not changes:
            raise typer.BadParameter("say what is to be changed")
        said = {"revision": seen, "changes": changes, "actor": by, "at": utc_now(), "reason": reason}
        return EditOrder.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except ValueError as error:
        raise typer.BadParameter(f"{error}: say --quantity 1=2, --add SKU=2@1250, --swap 1=SKU") from error


def _changes(now: OrderState, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    numbers = _free_numbers(now)
    for each in asked["quantity"] or ():
        line_id, units = _parted(each, "=")
        yield {"change": "set_quantity", "line_id": line_id, "quantity": int(units)}
    for each in asked["add"] or ():
        sku, much = _parted(each, "=")
        units, price = _parted(much, "@")
        new = {"line_id": next(numbers), "sku": sku, "quantity": int(units), "unit_price": int(price)}
        yield {"change": "add_line", **new}
    for line_id in asked["remove"] or ():
        yield {"change": "remove_line", "line_id": line_id}
    for each in asked["swap"] or ():
        line_id, sku = _parted(each, "=")
        yield {"change": "swap_sku", "line_id": line_id, "new_line_id": next(numbers), "sku": sku}
    if asked["tag"]:
        yield {"change": "set_tags", "tags": asked["tag"]}
    yield from _of_the_order(asked)


def _of_the_order(asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    import json

    if asked["ship_to"]:
        yield {"change": "set_ship_to", "ship_to": json.loads(asked["ship_to"].read_text(encoding="utf-8"))}
    if asked["method"]:
        where = {"pickup_node": asked["pickup_node"]} if asked["pickup_node"] else {}
        yield {"change": "set_shipping_method", "shipping_method": asked["method"], **where}
    elif asked["pickup_node"]:
        yield {"change": "set_pickup_node", "pickup_node": asked["pickup_node"]}
    if asked["requested_by"]:
        when = asked["requested_by"]
        yield {"change": "set_requested_by", "requested_by": when if "T" in when else f"{when}T00:00:00Z"}


def _free_numbers(now: OrderState) -> Iterator[str]:
    """Ids of new lines: numbers that no line has."""
    number = len(now.lines)
    while True:
        number += 1
        if str(number) not in now.lines:
            yield str(number)


def _parted(said: str, by: str) -> tuple[str, str]:
    first, found, second = said.rpartition(by)
    if not found or not first or not second:
        raise ValueError(said)
    return first, second


def _show(order_id: str, outcome: EditOutcome, *, preview: bool) -> None:
    from rich.table import Table

    from cli.order_command import moment
    from dom.shared.money import Money

    goods = outcome.goods
    after, difference = (Money(amount=each, currency=goods.currency) for each in (goods.after, goods.difference))
    would = "would be" if preview else "is"
    screen = console()
    screen.print(f"{order_id} {would} {outcome.status}, revision {outcome.revision}; goods {after} ({difference})")
    if outcome.promise:
        screen.print(f"promise: {moment(outcome.promise.earliest)} to {moment(outcome.promise.latest)}")
    work = Table("fulfilment", "node", "status", "units")
    for row in outcome.work:
        work.add_row(
            row["id"], row["node_id"], row["status"], ", ".join(f"{n} of {i}" for i, n in row["lines"].items())
        )
    screen.print(work)
    for line_id, units in outcome.waiting.items():
        screen.print(f"{units} of line {line_id} wait")

"""Edits of an order: decided, written and sourced in one transaction; a preview is one that is not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.orders.commands import EditOrder
from dom.orders.editing.changes import AddLine, SwapSku
from dom.orders.lifecycle import OrderState
from dom.orders.order import Order, Promise
from dom.orders.status import OrderStatus, SourcingCause
from dom.shared.errors import UnknownSku
from services import sourcing
from services.capture import refuse_what_may_not_wait
from services.change_orders import Writing, change_order, locked
from services.database import Database
from services.sourcing_again import source_waiting
from store.fulfilment import fulfilments
from store.orders import customer_questions, orders, reads
from store.orders import state as order_state


@dataclass(frozen=True, slots=True)
class GoodsValue:
    """What the goods that are to be sent are worth, before and after, in minor units of the currency."""

    before: int
    after: int
    currency: str

    @property
    def difference(self) -> int:
        """What the customer is to pay more, or (below zero) gets back."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """What an edit comes to: the order's status and revision after it, its work, what waits by line, its promise before
    and after, and the goods' value. `repeated`: it was made before, under the same request.
    """

    order: Order
    revision: int
    status: OrderStatus
    work: Sequence[RowMapping]
    waiting: Mapping[str, int]
    promise_before: Promise | None
    promise: Promise | None
    goods: GoodsValue
    data: Mapping[str, Any]
    repeated: bool = False


class _Preview(Exception):
    def __init__(self, outcome: EditOutcome) -> None:
        super().__init__()
        self.outcome = outcome


async def edit(database: Database, order_id: str, command: EditOrder, *, preview: bool = False) -> EditOutcome:
    """Make all changes, or none, and plan anew what follows from them. With `preview` nothing is kept: what it says is
    what the same edit would come to now. Raises NotFound, and as the command says; NotAvailable for units that would
    wait beyond their SKU's limit, UnknownSku and UnknownNode for what the network does not hold.
    """

    async def transaction() -> EditOutcome:
        async with database.transaction() as connection:
            outcome = await edit_in(database, connection, order_id, command)
            if preview:
                raise _Preview(outcome)
            return outcome

    try:
        return await sourcing.in_reach(transaction)
    except _Preview as made:
        return made.outcome


async def edit_in(database: Database, connection: AsyncConnection, order_id: str, command: EditOrder) -> EditOutcome:
    """Make the changes in this transaction. Raises as `edit`, and OutOfReach: the transaction must then end, and may
    be tried again.
    """
    before = await locked(connection, order_id)
    await _must_be_known(connection, command)
    known = await orders.find(connection, order_id)
    writing = Writing(webhook=database.webhooks, notify=True)
    changed = await change_order(connection, order_id, command, writing)
    order = await orders.document(connection, order_id)
    if not changed.repeated:
        as_of = database.as_of(order, command.at)
        await source_waiting(database, connection, order_id, SourcingCause.EDITED, as_of)
        await _refuse_to_wait(connection, order, before, as_of)
        await customer_questions.tell(connection, order_id)
    after = await order_state.read(connection, order_id)
    found = await orders.find(connection, order_id)
    return EditOutcome(
        order=order,
        revision=after.revision,
        status=after.status(),
        work=await fulfilments.living(connection, order_id),
        waiting=after.waiting,
        promise_before=known.promise if known else None,
        promise=found.promise if found else None,
        goods=GoodsValue(_worth(before), _worth(after), order.currency),
        data=changed.data,
        repeated=changed.repeated,
    )


async def _must_be_known(connection: AsyncConnection, command: EditOrder) -> None:
    """Raises UnknownSku for a line of a SKU that the catalogue does not hold."""
    named = {n: each.sku for n, each in enumerate(command.changes) if isinstance(each, AddLine | SwapSku)}
    unknown = set(await reads.unknown_skus(connection, sorted(set(named.values())))) if named else set()
    for number, sku in named.items():
        if sku in unknown:
            raise UnknownSku(f"there is no SKU {sku}", field=f"changes[{number}].sku")


async def _refuse_to_wait(connection: AsyncConnection, order: Order, before: OrderState, as_of: datetime) -> None:
    """Raises NotAvailable if units wait that did not before, and they are more than may wait."""
    after = await order_state.read(connection, order.order_id)
    more = {i: n - before.waiting.get(i, 0) for i, n in after.waiting.items() if n > before.waiting.get(i, 0)}
    await refuse_what_may_not_wait(connection, order, more, as_of.date())


def _worth(state: OrderState) -> int:
    return sum((line.quantity - line.cancelled) * line.unit_price for line in state.lines.values())

"""Orders and returns beside their processes, as the tests of that comparison need them."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import text

from dom.exceptions import ExceptionKind
from dom.orders.order import Order
from dom.shared import ids
from processes.consistency import Comparison, Living
from processes.revival import revive
from tests.worlds.books import one
from tests.worlds.running import House
from tests.worlds.steps import ship, until_event, until_order
from tests.worlds.waiting import until, until_status


async def compare(house: House, *, thoroughly: bool = False) -> Comparison:
    """What is wrong now. Temporal's list is a moment old: who has just ended a process asks until it is seen."""
    return await Living(house.engine, house.client, house.task_queue).compare(thoroughly=thoroughly)


async def lose(house: House, order: Order) -> None:
    """Somebody terminates the order's process."""
    await house.handle(order).terminate("by hand")


async def revived(house: House, order: Order) -> None:
    """The order's process is started anew."""
    fault = await Living(house.engine, house.client, house.task_queue).of(order.order_id)
    assert fault is not None
    await revive(house.engine, house.client, house.task_queue, fault, "ops:kim")


async def until_missed(house: House, about: str) -> None:
    """The order or the return is the only one that is found without a process; Temporal's list lags a moment behind."""

    async def is_missed() -> bool:
        return [fault.about for fault in (await compare(house)).of(ExceptionKind.NO_PROCESS)] == [about]

    await until(f"{about} is found without a process", is_missed)


async def lose_and_revive(house: House, order: Order) -> None:
    await lose(house, order)
    await until_missed(house, order.order_id)
    await revived(house, order)
    await until_event(house, order, "process_revived")


async def notified_once(house: House, order: Order) -> None:
    """Nobody was told the same twice, and nothing waits to be told."""
    await house.told()
    keys = [message.key for message in house.mail.sent]
    assert len(keys) == len(set(keys))
    assert (
        await one(house.engine, "SELECT count(*) FROM outbox WHERE message_key IS NOT NULL AND status <> 'sent'") == 0
    )
    assert await one(house.engine, "SELECT count(*) FROM exceptions WHERE status = 'open'") == 0


async def nothing(house: House, order: Order) -> None:
    """No node has begun."""


async def accepted(house: House, order: Order) -> None:
    await house.node(order, "accept")
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "accepted")


async def picked(house: House, order: Order) -> None:
    await house.node(order, "accept", "pick")
    await until_status(house.engine, ids.fulfilment_id(order.order_id, 1), "picked")


async def handed_over(house: House, order: Order) -> None:
    await ship(house, order)
    await until_order(house, order, "shipped")


async def sent(house: House, count: int) -> bool:
    return (
        await one(house.engine, "SELECT count(*) FROM outbox WHERE message_key IS NOT NULL AND status = 'sent'")
        == count
    )


async def until_listed(house: House, count: int) -> None:
    """Temporal lists the processes a moment after they started."""

    async def listed() -> bool:
        return (await compare(house)).running == count

    await until(f"{count} processes are listed", listed)
    await asyncio.sleep(0)


async def until_ended(house: House, count: int) -> None:
    """Temporal lists them as ended a moment after they ended."""

    async def listed() -> bool:
        return (await compare(house)).ended == count

    await until(f"{count} processes are listed as ended", listed)


_OF_RETURNS = (
    "DELETE FROM return_dispositions",
    "DELETE FROM refunds",
    "DELETE FROM return_lines",
    "DELETE FROM returns",
    "DELETE FROM inbound_receipts",
    "DELETE FROM inbound_lines",
    "DELETE FROM inbound",
    r"DELETE FROM outbox WHERE kind LIKE 'return\_%' OR kind = 'refunded'",
    "DELETE FROM timeline WHERE kind LIKE 'return_%'",
)
_OF_ORDERS = (
    "UPDATE stock SET reserved = 0",
    """
    UPDATE stock s SET on_hand = s.on_hand - l.moved FROM (
        SELECT node_id, sku, sum(on_hand_delta) AS moved FROM stock_ledger WHERE order_id IS NOT NULL
        GROUP BY node_id, sku) l WHERE (s.node_id, s.sku) = (l.node_id, l.sku)
    """,
    "DELETE FROM stock_ledger WHERE order_id IS NOT NULL",
    "DELETE FROM outbox",
    "DELETE FROM timeline",
    "DELETE FROM reservations",
    "DELETE FROM labels",
    "DELETE FROM shipment_fulfilments",
    "DELETE FROM shipments",
    "DELETE FROM collections",
    "DELETE FROM fulfilment_lines",
    "DELETE FROM fulfilments",
    "DELETE FROM sourcing_decisions",
    "DELETE FROM order_lines",
    "DELETE FROM node_days",
    "DELETE FROM order_search",
    "DELETE FROM orders",
)


async def returns_lost_by_the_store(house: House) -> None:
    """The store is as it was before its returns came, as after a restore; none of them was restocked."""
    await _lost(house, _OF_RETURNS)


async def lost_by_the_store(house: House) -> None:
    """The store is as it was before its orders came, as after a restore."""
    await _lost(house, (*_OF_RETURNS, *_OF_ORDERS))


async def _lost(house: House, statements: Sequence[str]) -> None:
    async with house.engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))  # as a restore does
        for statement in statements:
            await connection.execute(text(statement))

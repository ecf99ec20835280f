"""Everything that may happen to an order at the same moment: one of it wins, and the books agree whichever it is."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from dom.orders.calls import ArrivedCall, CancelCall, CancelLine, StepLine
from dom.orders.order import Order
from tests.worlds import small
from tests.worlds.books import one, rows
from tests.worlds.running import House
from tests.worlds.steps import cancel, ended, pack, ship, until_event, until_order, until_released
from workflows.order.process import OrderWorkflow


async def perhaps(asked: Any) -> bool:
    """Ask for what may be refused, or comes after the end."""
    try:
        await asked
    except (WorkflowUpdateFailedError, RPCError):
        return False
    return True


async def comes_to_an_end(house: House, order: Order) -> None:
    """Whatever is left is cancelled or delivered."""
    await house.handle(order).query("standing")
    await perhaps(cancel(house, order))
    for (fulfilment_id,) in await rows(house.engine, "SELECT id FROM fulfilments WHERE status = 'handed_over'"):
        await house.carrier_says(order, "delivered", int(str(fulfilment_id).rpartition("-F")[2]))
    await ended(house, order)


async def agrees(house: House) -> None:
    """No unit is lost or doubled, no fulfilment has two parcels, nobody was told twice."""
    units = await rows(
        house.engine,
        """
        SELECT l.line_id FROM order_lines l WHERE l.quantity <> l.cancelled + l.backordered + coalesce((
            SELECT sum(fl.quantity) FROM fulfilment_lines fl JOIN fulfilments f ON f.id = fl.fulfilment_id
            WHERE f.order_id = l.order_id AND fl.line_id = l.line_id
              AND f.status NOT IN ('rejected', 'cancelled', 'lost', 'returned_to_sender', 'recalled')), 0)
        """,
    )
    assert units == []
    parcels = "SELECT fulfilment_id FROM shipment_fulfilments JOIN shipments s ON s.id = shipment_id "
    assert await rows(house.engine, parcels + "WHERE s.status <> 'voided' GROUP BY 1 HAVING count(*) > 1") == []
    told = Counter(message.key for message in house.mail.sent)
    assert not [key for key, times in told.items() if times > 1]
    assert await one(house.engine, "SELECT count(*) FROM exceptions WHERE kind = 'defect'") == 0


@pytest.mark.parametrize("turn", range(4))
async def test_cancelled_twice_handed_over_and_scanned(house: House, turn: int) -> None:
    order = small.order(f"at-once-{turn}", A=2, B=1)
    await house.send(order)
    await pack(house, order)
    acts = [
        perhaps(house.handle(order).cancel()),
        perhaps(cancel(house, order, l1=1)),
        perhaps(house.node(order, "hand-over")),
        perhaps(house.carrier_says(order, "in_transit", booking=1)),
        perhaps(cancel(house, order)),
    ]
    await asyncio.gather(*acts[turn:], *acts[:turn])
    await comes_to_an_end(house, order)
    await agrees(house)


@pytest.mark.parametrize("turn", range(3))
async def test_a_short_pick_and_cancellations(house: House, turn: int) -> None:
    order = small.order(f"short-at-once-{turn}", B=4)
    await house.send(order)
    line = (StepLine(line_id="1", quantity=1),)
    acts = [
        perhaps(house.node(order, "pick", lines=line)),
        perhaps(cancel(house, order, l1=2)),
        perhaps(cancel(house, order, l1=2)),
    ]
    await asyncio.gather(*acts[turn:], *acts[:turn])
    await comes_to_an_end(house, order)
    await agrees(house)


async def test_a_parcel_that_arrives_as_support_says_so_twice_and_the_order_is_cancelled(house: House) -> None:
    order = small.order("arrives-at-once", A=2)
    await house.send(order)
    await ship(house, order)
    await until_order(house, order, "shipped")
    await house.carrier_says(order, "lost", booking=1)
    await until_released(house, order, 2)
    await pack(house, order, 2)
    call = ArrivedCall(fulfilment_id=f"{order.order_id}-F1")
    said = await asyncio.gather(
        *(perhaps(house.handle(order).execute_update(OrderWorkflow.arrived, call)) for _ in range(2)),
        perhaps(cancel(house, order)),
        perhaps(house.carrier_says(order, "delivered", booking=1)),
        perhaps(house.carrier_says(order, "lost", booking=1)),
    )
    assert said[0] == said[1]
    await comes_to_an_end(house, order)
    await agrees(house)


async def test_the_same_key_from_many_callers_at_once(house: House) -> None:
    order = small.order("key-at-once", A=4)
    await house.send(order)
    call = CancelCall(lines=(CancelLine(line_id="1", quantity=1),))
    asked = (house.handle(order).execute_update(OrderWorkflow.cancel, call, id="k") for _ in range(8))
    assert {answer.cancelled["1"] for answer in await asyncio.gather(*asked)} == {1}
    assert await one(house.engine, "SELECT cancelled FROM order_lines") == 1
    await until_event(house, order, "cancelled")
    await comes_to_an_end(house, order)
    await agrees(house)

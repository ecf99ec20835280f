"""What staff does by signals, recorded by `tools.record_histories`: with work that no node has begun, with parcels."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from dom.orders.calls import StepLine
from dom.orders.order import Order
from dom.orders.staff_calls import (
    FulfilmentCall,
    MergeCall,
    MoveCall,
    NoteCall,
    PrioritiseCall,
    ResendCall,
    SourceAgainCall,
    SplitCall,
)
from dom.shared import ids
from tests.worlds.books import one
from tests.worlds.running import House
from tests.worlds.steps import deliver, ship, until_event, until_released
from tests.worlds.waiting import until_status
from workflows.order.process import OrderWorkflow


def _work(order: Order, number: int) -> str:
    return ids.fulfilment_id(order.order_id, number)


async def directed(house: House, order: Order) -> None:
    """Noted, prioritised, told once more; its work moved (once to a node that cannot), sourced again, split, merged."""
    handle = house.handle(order)
    await handle.signal(OrderWorkflow.note_requested, NoteCall(text="call before it leaves"))
    await handle.signal(OrderWorkflow.prioritise_requested, PrioritiseCall(priority=4, reason="the customer waits"))
    await house.told()
    message = int(str(await one(house.engine, "SELECT id FROM outbox WHERE medium = 'mail' ORDER BY id LIMIT 1")))
    await handle.signal(OrderWorkflow.resend_requested, ResendCall(message_id=message, reason="it did not arrive"))
    await until_event(house, order, "message_resent")
    for node in ("dropship-lille", "wh-london"):
        await handle.signal(OrderWorkflow.move_requested, MoveCall(fulfilment_id=_work(order, 1), node_id=node))
    await until_released(house, order, 2)
    await handle.signal(OrderWorkflow.source_again_requested, SourceAgainCall(fulfilment_id=_work(order, 2)))
    await until_released(house, order, 3)
    lines = (StepLine(line_id="1", quantity=1),)
    await handle.signal(OrderWorkflow.split_requested, SplitCall(fulfilment_id=_work(order, 3), lines=lines))
    await until_released(house, order, 4)
    merge = MergeCall(fulfilment_id=_work(order, 3), merged=_work(order, 4))
    await handle.signal(OrderWorkflow.merge_requested, merge)
    await until_released(house, order, 5)
    await deliver(house, order, 5)


async def marked(house: House, order: Order) -> None:
    """Of two parcels one is marked lost, and what replaces it delivered; the other one comes back and is sent again."""
    handle, lines = house.handle(order), (StepLine(line_id="1", quantity=1),)
    await handle.signal(OrderWorkflow.split_requested, SplitCall(fulfilment_id=_work(order, 1), lines=lines))
    await until_released(house, order, 2)
    await ship(house, order, 1)
    await handle.signal(OrderWorkflow.lost_requested, FulfilmentCall(fulfilment_id=_work(order, 1), reason="it fell"))
    await until_released(house, order, 3)
    await ship(house, order, 2)
    await until_status(house.engine, _work(order, 2), "handed_over")
    await house.carrier_says(order, "returned_to_sender", 2)
    await until_status(house.engine, _work(order, 2), "returned_to_sender")
    await handle.signal(OrderWorkflow.reship_requested, FulfilmentCall(fulfilment_id=_work(order, 2)))
    await until_released(house, order, 4)
    for number in (3, 4):
        await ship(house, order, number)
        await handle.signal(OrderWorkflow.delivered_requested, FulfilmentCall(fulfilment_id=_work(order, number)))


PATHS: Final[dict[str, tuple[Callable[[House, Order], Awaitable[None]], dict[str, Any]]]] = {
    "directed-by-staff": (directed, {"A": 3}),
    "marked-by-staff": (marked, {"A": 2}),
}

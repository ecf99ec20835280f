"""A parcel that its carrier brings back undelivered: a return that nobody asked for, known before the goods arrive."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import Notice
from dom.orders.events import AnsweredReturn, ReturnData, of_return
from dom.orders.lifecycle import FulfilmentState
from dom.orders.transitions.shared import listed_units
from dom.returns import Expect, ReturnChange, content_hash, decide, requested
from dom.shared import ids
from services.clock import utc_now
from store import inbound, returns
from store.notifications import outbox
from store.orders import timeline

REASON: Final = "brought back by its carrier"


async def expect(
    connection: AsyncConnection, order_id: str, parcel: FulfilmentState, actor: str, at: datetime, lasts: timedelta
) -> None:
    """Open the parcel's return, once, in the transaction of the report that it comes back: its node is to get the
    units, and a process is to wait for them. The order is locked. However late the report is, they are waited for from
    now on. `actor` reported it, `at` that time.
    """
    return_id, node_id = ids.return_id(order_id, parcel.id), parcel.node_id
    order = await returns.lock(connection, order_id, return_id)
    if order is None or order.row is not None:
        return
    state, lines = replace(order.state, parcel=parcel.id), tuple(sorted(listed_units(parcel).items()))
    change = decide(state, Expect(lines=lines), now=utc_now(), lasts=lasts)
    if change is None:
        return
    await returns.open_(
        connection,
        state,
        change,
        order_id=order_id,
        node_id=node_id,
        reason=REASON,
        content_hash=content_hash(lines, REASON, node_id),
        key=None,
        at=at,
    )
    units = state.by_sku(change.announced)
    await inbound.follow_return(connection, return_id, node_id, units, allowed_on=at.date(), actor=actor)
    await timeline.append(connection, _opened(order_id, return_id, change, actor, at))
    begin = {
        "return_id": return_id,
        "request": {
            "order_id": order_id,
            "lines": [{"line_id": line_id, "quantity": quantity} for line_id, quantity in lines],
            "reason": REASON,
            "node_id": node_id,
            "actor": actor,
        },
    }
    await outbox.write(connection, outbox.to_return(return_id, order_id, Notice.PARCEL_COMES_BACK, begin))


def _opened(order_id: str, return_id: str, change: ReturnChange, actor: str, at: datetime) -> timeline.Event:
    data = ReturnData(
        return_id=return_id,
        number=change.number,
        lines=change.units,
        answer=AnsweredReturn(status=change.status, refund=0),
    )
    return timeline.Event(
        order_id=order_id,
        kind=of_return(change.step),
        business_key=requested(return_id),
        actor=actor,
        occurred_at=at,
        data=data,
        reason=REASON,
    )

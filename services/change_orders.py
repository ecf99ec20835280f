"""What may happen to an order's units is decided on what the store holds, under the order's lock, and written at once.

Whoever asks, a node through the API, a carrier, a channel or the order's own process, hears what came of it: the change
was written, it had been written before, or what was asked is refused, and then nothing is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import Notice
from dom.orders import transitions
from dom.orders.changes import ConsumeStock, GiveDayBack, OrderChange, ReceiveAtStore, ReleaseStock, StockEffect
from dom.orders.commands import Command
from dom.orders.editing.revised import revised
from dom.orders.event_data import HoldData
from dom.orders.holds import BlockedStep
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.status import FINAL_ORDER, FulfilmentStatus, NodeReason, ReasonCode
from dom.orders.transitions.collecting import locked_key
from dom.orders.transitions.holding import overdue_key
from dom.orders.transitions.shared import message_key
from dom.returns import EXPIRES_AFTER, OTHER_REQUEST
from dom.shared import ids
from dom.shared.errors import Conflict, NotFound
from services import collection_terms, returned_parcels
from store import backorders, exceptions, stock
from store.backorders import first_claims
from store.delivery import shipments
from store.enums import LedgerKind, ShipmentStatus
from store.fulfilment import cancellation_requests, collections, fulfilments
from store.holds import holds
from store.notifications import messages, outbox
from store.notifications.outbox import Entry
from store.orders import orders, revisions, timeline
from store.orders import state as order_state

_ENDS_A_SHIPMENT: Final[Mapping[FulfilmentStatus, ShipmentStatus]] = {
    FulfilmentStatus.DELIVERED: ShipmentStatus.DELIVERED,
    FulfilmentStatus.LOST: ShipmentStatus.LOST,
    FulfilmentStatus.RETURNED: ShipmentStatus.RETURNED,
}


@dataclass(frozen=True, slots=True)
class Writing:
    """`webhook`: a webhook is to be told what the customer is told. `notify`: the order's process is to hear of what it
    has to act on; not where the process itself asks, and reads afterwards what came of it. `returns_last`: how long the
    goods of a parcel that comes back are waited for.
    """

    webhook: bool
    notify: bool = False
    returns_last: timedelta = EXPIRES_AFTER


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """What came of a command: the data of its event, and the order after it.

    `repeated`: it had been carried out before, or says what the store holds already, and nothing was written. The data
    is then that of the event written before; empty where a command without a request of its own is repeated.
    """

    state: OrderState
    data: Mapping[str, Any]
    repeated: bool = False


async def locked(connection: AsyncConnection, order_id: str) -> OrderState:
    """The order's units as they stand until the end of the transaction. Raises NotFound."""
    await backorders.lock_order(connection, order_id)
    state = await order_state.read(connection, order_id)
    if not state.lines:
        raise NotFound(f"there is no order {order_id}")
    return state


async def locked_with(connection: AsyncConnection, fulfilment_id: str) -> tuple[OrderState, FulfilmentState]:
    """The locked order that a fulfilment is of, and the fulfilment. Raises NotFound."""
    no_such = NotFound(f"there is no fulfilment {fulfilment_id}")
    try:
        state = await locked(connection, ids.order_of(fulfilment_id))
    except NotFound:
        raise no_such from None
    work = state.fulfilments.get(fulfilment_id)
    if work is None:
        raise no_such
    return state, work


async def change_order(connection: AsyncConnection, order_id: str, command: Command, writing: Writing) -> OrderChanged:
    """Decide what the command changes and write it, in this transaction; see `carry_out`. Raises NotFound as well."""
    return await carry_out(connection, await locked(connection, order_id), command, writing)


async def carry_out(connection: AsyncConnection, state: OrderState, command: Command, writing: Writing) -> OrderChanged:
    """Decide what the command changes of a locked order, and write it. Raises what `transitions.decide` raises, and
    Conflict where the command's request stands for another one; then nothing is written.
    """
    repeated = await answered_before(connection, state, command)
    if repeated is not None:
        return repeated
    change = transitions.decide(state, await collection_terms.completed(connection, state, command))
    after = await write(connection, state, change, writing)
    return OrderChanged(after, change.event.data.model_dump(mode="json", exclude_none=True))


async def answered_before(connection: AsyncConnection, state: OrderState, command: Command) -> OrderChanged | None:
    """What a command came to that was carried out before, or says what is known; None for a new one. Raises Conflict
    where its request stands for another one.
    """
    if command.request is not None:
        before = await timeline.asked_by(connection, state.order_id, command.request)
        if before is not None:
            if command.request_hash and before.get("request_hash", command.request_hash) != command.request_hash:
                raise Conflict(OTHER_REQUEST, field="Idempotency-Key")
            return OrderChanged(state, before, repeated=True)
    return OrderChanged(state, {}, repeated=True) if transitions.is_known(state, command) else None


async def write(connection: AsyncConnection, state: OrderState, change: OrderChange, writing: Writing) -> OrderState:
    """Write a change that was decided on the order's present units, and what follows from it for cancellations that
    nodes are asked for; answers the order after it. Rows of stock are taken last, and held shortest.
    """
    order_id, event, after = state.order_id, change.event, transitions.apply(state, change)
    await fulfilments.advance(
        connection,
        timeline.Event(order_id, event.kind, event.key, event.actor, event.at, event.data, event.reason),
        change.statuses,
        after.status(),
        _tells(state, after, change, writing),
    )
    await _revise(connection, state, change)
    if change.priority is not None:
        await orders.set_priority(connection, order_id, change.priority.priority)
    await _move_units(connection, order_id, change)
    if change.is_cancellation:
        await orders.narrow_promise(connection, order_id)
    await _write_parcels(connection, after, change, writing)
    for trouble in change.troubles:
        await exceptions.open_(connection, order_id, trouble.kind, trouble.key, trouble.detail, trouble.data)
    await _write_holds(connection, state, after, change)
    await _write_requests(connection, state, after, change)
    await _write_collections(connection, state, after, change)
    if change.gives_up_waiting:
        await backorders.give_up(connection, order_id, reason=event.reason, actor=event.actor)
        await first_claims.end(connection, order_id)
    moving = {effect.fulfilment_id for effect in change.stock if not isinstance(effect, GiveDayBack)}
    # What is handed over may come to its store in the same transaction: both balances are locked in the one sequence.
    if len(moving) > 1 or any(after.fulfilments[fulfilment_id].brought for fulfilment_id in moving):
        await stock.lock(connection, sorted(moving))
    for effect in change.stock:
        await _move_stock(connection, state, effect, change)
    settled = transitions.settled(after, event.at)
    return after if settled is None else await write(connection, after, settled, writing)


def _tells(state: OrderState, after: OrderState, change: OrderChange, writing: Writing) -> list[Entry]:
    """What customer and channel are told of a change, and the order's process, if it has to act on it."""
    order_id, key = state.order_id, change.event.key
    tells = [
        entry
        for told in change.notifications
        for entry in messages.to_customer(
            order_id, told.message_key, told.kind, context=told.context, webhook=writing.webhook
        )
        if told.medium in {None, entry.medium}
    ]
    if writing.notify and after.followed != state.followed:
        tells.append(outbox.to_order(order_id, Notice.ORDER_CHANGED, {"event": key}, key=f"changed:{key}"))
    return tells


async def _revise(connection: AsyncConnection, state: OrderState, change: OrderChange) -> None:
    """Write an edited order anew, before its new units are counted anywhere."""
    if change.revision is None:
        return
    living = {line.line_id: line.quantity - line.cancelled for line in state.lines.values()}
    order = revised(await orders.document(connection, state.order_id), change.revision.changes, living)
    await revisions.revise(connection, order, change.revision.number, change.added, change.new_lines)


async def _write_requests(
    connection: AsyncConnection, state: OrderState, after: OrderState, change: OrderChange
) -> None:
    """Cancellations that nodes and carriers are asked for: new ones, those that ask for less, and those that end."""
    event = change.event
    for asked in change.asked:
        await cancellation_requests.ask(connection, asked, actor=event.actor, at=event.at)
    for still in after.asked.values():
        before = state.asked.get(still.id)
        if before is not None and still.units != before.units:
            await cancellation_requests.narrow(connection, still)
    for ended in change.ended:
        await cancellation_requests.end(connection, ended, actor=event.actor, at=event.at)


async def _write_collections(
    connection: AsyncConnection, state: OrderState, after: OrderState, change: OrderChange
) -> None:
    """Goods that wait for their customer: from now on, on other terms, or no more."""
    for work in after.fulfilments.values():
        before = state.fulfilments.get(work.id)
        waited = None if before is None else before.collection
        if work.collection is not None and work.collection != waited:
            await collections.put(connection, work.id, work.collection)
        elif work.collection is None and waited is not None:
            await collections.end(connection, work.id, change.event.at, to_put_back=work.put_back is False)
            await exceptions.close_by_keys(connection, locked_key(work.id))
        if work.collection is not None and before is not None and work.put_back is False is not before.put_back:
            await collections.put_back_in_part(connection, work.id)
    if change.put_back is not None:
        await collections.put_back(connection, change.put_back, change.event.at)


async def _write_parcels(connection: AsyncConnection, after: OrderState, change: OrderChange, writing: Writing) -> None:
    """Shipments that begin and end; a parcel that comes back has a return, and nobody looks after one sent again."""
    if change.sent is not None:
        await shipments.send(connection, change.sent, change.event.at)
    for move in change.statuses:
        parcel = after.fulfilments[move.fulfilment_id]
        came_to_store = move.status is FulfilmentStatus.READY and parcel.brought
        ended = ShipmentStatus.DELIVERED if came_to_store else _ENDS_A_SHIPMENT.get(move.status)
        if ended is not None:
            await shipments.end_with(connection, parcel.id, ended, change.event.at)
        if move.status is FulfilmentStatus.RETURNED:
            event, lasts = change.event, writing.returns_last
            await returned_parcels.expect(connection, after.order_id, parcel, event.actor, event.at, lasts)
    if change.reshipped is not None:
        await exceptions.close_by_keys(connection, message_key(change.reshipped, FulfilmentStatus.RETURNED))


async def _write_holds(connection: AsyncConnection, state: OrderState, after: OrderState, change: OrderChange) -> None:
    """What is put on and released. An order that is over needs no hold, unless it blocks a refund."""
    order_id, event = state.order_id, change.event
    if change.placed is not None:
        owner = event.data.owner if isinstance(event.data, HoldData) else None
        await holds.place(
            connection,
            order_id,
            change.placed,
            purpose=event.reason,
            owner=owner or "",
            actor=event.actor,
            at=event.at,
        )
        if BlockedStep.SOURCING in change.placed.blocks:
            await backorders.set_sourced_on_stock(connection, order_id, False)
    if change.overdue is not None:
        await holds.mark_overdue(connection, change.overdue)
    released = {change.released} if change.released is not None else set()
    reason = event.reason
    if after.status() in FINAL_ORDER and state.status() not in FINAL_ORDER:
        released |= {hold.id for hold in after.holds.values() if BlockedStep.REFUND not in hold.blocks}
        reason = f"the order is {after.status()}"
    if released:
        await holds.release(connection, sorted(released), reason=reason, actor=event.actor, at=event.at)
        for hold_id in sorted(released):
            await exceptions.close_by_keys(connection, overdue_key(hold_id))
    if state.blocked(BlockedStep.RELEASE) and not after.blocked(BlockedStep.RELEASE):
        await fulfilments.release_held(connection, order_id, event.at)


async def _move_units(connection: AsyncConnection, order_id: str, change: OrderChange) -> None:
    if not change.moved:
        return
    waiting, cancelled = change.waiting, change.cancelled
    moves = [
        orders.UnitMove(line_id, cancelled=cancelled.get(line_id, 0), backordered=waiting.get(line_id, 0))
        for line_id in sorted(waiting.keys() | cancelled.keys())
    ]
    await orders.move_units(connection, order_id, moves)
    for fulfilment_id, units in sorted(change.unlisted.items()):
        await fulfilments.take_out(connection, fulfilment_id, units)
    await exceptions.close_sourced(connection, order_id)


async def _move_stock(connection: AsyncConnection, state: OrderState, effect: StockEffect, change: OrderChange) -> None:
    order_id, event = state.order_id, change.event
    match effect:
        case ConsumeStock(fulfilment_id):
            await stock.consume(connection, order_id, fulfilment_id, actor=event.actor, at=event.at)
        case ReceiveAtStore(fulfilment_id):
            await stock.receive_at_store(connection, order_id, fulfilment_id, actor=event.actor, at=event.at)
        case GiveDayBack(fulfilment_id):
            place = await fulfilments.get(connection, fulfilment_id)
            if place is not None:
                work = stock.WorkDay(place["node_id"], place["ship_day"], place["method"])
                await stock.give_day_back(connection, work)
        case ReleaseStock(fulfilment_id, units, key, reason, wrong):
            await stock.release(
                connection,
                order_id,
                fulfilment_id,
                dict(units),
                business_key=key,
                reason=reason,
                actor=event.actor,
                at=event.at,
            )
            if wrong is not None:
                await _correct_count(connection, state, effect, change)


async def _correct_count(
    connection: AsyncConnection, state: OrderState, effect: ReleaseStock, change: OrderChange
) -> None:
    """What the node did not find is not on hand; what is damaged is, and cannot be sold."""
    is_damaged = effect.wrong is NodeReason.DAMAGED
    node_id, event = state.fulfilments[effect.fulfilment_id].place, change.event
    lost: dict[str, int] = {}
    for line_id, quantity in effect.units.items():
        sku = state.lines[line_id].sku
        lost[sku] = lost.get(sku, 0) + quantity
    for sku, quantity in sorted(lost.items()):
        correction = stock.Movement(
            node_id,
            sku,
            -quantity,
            LedgerKind.ADJUSTMENT,
            effect.reason,
            f"{effect.key}:count",
            damaged=quantity if is_damaged else 0,
            reason_code=ReasonCode.DAMAGE if is_damaged else None,
        )
        await stock.move(connection, correction, actor=event.actor, at=event.at, order_id=state.order_id)

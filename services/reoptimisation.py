"""Re-optimisation: unbegun work that was planned anew is changed over all orders it concerns, in one transaction.

It waits for nobody: an order or a fulfilment that somebody else is busy with, or that was begun or cancelled
meanwhile, makes the whole change void, and it is tried another time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from dom.exceptions import ExceptionKind
from dom.orders.changes import StatusMove
from dom.orders.events import EventKind, ReoptimisedData
from dom.orders.status import FulfilmentStatus, SourcingCause
from dom.shared import ids
from dom.shared.access import OFL
from dom.sourcing.models import Demand, Snapshot
from dom.sourcing.reoptimisation import Joint, PlannedChange, Unbegun
from store import backorders, exceptions, stock
from store.backorders import queue
from store.fulfilment import fulfilments
from store.network.reference import Reference, ReferenceCache
from store.network.versions import Network
from store.orders import processes, timeline
from store.sourcing import decisions, reoptimisation, snapshot
from store.sourcing.decisions import Planned

_REASON: Final = "a re-optimisation found a better plan"


class Outdated(Exception):
    """The work is not any more what the change was made for, or somebody is busy with it."""


async def worlds(
    connection: AsyncConnection, cache: ReferenceCache, orders: Sequence[Unbegun]
) -> tuple[dict[str, Snapshot], Reference]:
    """What the planner may see for the orders, by channel, and the reference data it came with."""
    return await worlds_of(connection, cache, [order.demand for order in orders])


async def worlds_of(
    connection: AsyncConnection, cache: ReferenceCache, demands: Sequence[Demand]
) -> tuple[dict[str, Snapshot], Reference]:
    """What the planner may see for demands, by channel, and the reference data it came with."""
    skus = sorted({line.sku for demand in demands for line in demand.lines})
    moments = [demand.as_of for demand in demands]
    found: dict[str, Snapshot] = {}
    for demand in demands:
        if demand.channel not in found:
            found[demand.channel], reference, _ = await snapshot.snapshot(
                connection,
                cache,
                channel=demand.channel,
                skus=skus,
                country=demand.country,
                postal_code="",
                first_day=(min(moments) - timedelta(days=1)).date(),
                last_day=(max(moments) + timedelta(days=snapshot.HORIZON_DAYS)).date(),
                taken_at=max(moments),
            )
    return found, reference


async def change(connection: AsyncConnection, joint: Joint, network: Network) -> None:
    """Make the changes, all in this transaction. Raises Outdated or OutOfReach; the transaction must then end."""
    recalled = [held.fulfilment_id for each in joint.changes for held in each.order.held]
    await _lock(connection, joint, recalled)
    released_at = await reoptimisation.lock_work(connection, recalled)
    units = await reoptimisation.units(connection, recalled)
    if len(released_at) < len(recalled) or not _as_planned(joint, units):
        raise Outdated
    await queue.lock_balances(connection, [], also=_balances(joint))
    for each in joint.changes:
        await _let_go(connection, each, units)
    await fulfilments.set_statuses(
        connection, [StatusMove(fulfilment_id, FulfilmentStatus.RECALLED, _REASON) for fulfilment_id in recalled]
    )
    for each in joint.changes:
        await _put(connection, each, network, min([released_at[held.fulfilment_id] for held in each.order.held]))


async def _lock(connection: AsyncConnection, joint: Joint, recalled: Sequence[str]) -> None:
    order_ids = [each.order.order_id for each in joint.changes]
    if not recalled or not await reoptimisation.lock_orders(connection, order_ids):
        raise Outdated


def _as_planned(joint: Joint, units: Sequence[Row[Any]]) -> bool:
    """Whether the fulfilments hold exactly what the change was planned for."""
    there: dict[tuple[str, str], int] = {}
    for row in units:
        key = (row.fulfilment_id, row.sku)
        there[key] = there.get(key, 0) + row.quantity
    return there == {
        (held.fulfilment_id, sku): count
        for each in joint.changes
        for held in each.order.held
        for sku, count in held.units.items()
    }


def _balances(joint: Joint) -> list[tuple[str, str]]:
    old = {balance for each in joint.changes for balance in each.order.units}
    new = {(s.node_id, line.sku) for each in joint.changes for s in each.decision.shipments for line in s.lines}
    return sorted(old | new)


async def _let_go(connection: AsyncConnection, change: PlannedChange, units: Sequence[Row[Any]]) -> None:
    """What the order's fulfilments hold becomes free, for this transaction to deal out."""
    at = change.order.demand.as_of
    for held in change.order.held:
        await stock.release(
            connection,
            change.order.order_id,
            held.fulfilment_id,
            {row.line_id: row.quantity for row in units if row.fulfilment_id == held.fulfilment_id},
            business_key=f"{held.fulfilment_id}:recalled",
            reason=_REASON,
            actor=OFL,
            at=at,
        )
        await stock.give_day_back(connection, stock.WorkDay(held.node_id, held.ship_day, held.service))


async def _put(connection: AsyncConnection, change: PlannedChange, network: Network, released_at: datetime) -> None:
    """The order's new fulfilments with their units, and all that is told of them.

    They are released when the ones they replace would have been, or at once.
    """
    order_id, decision, at = change.order.order_id, change.decision, change.order.demand.as_of
    first = await fulfilments.next_number(connection, order_id)
    number = await reoptimisation.next_number(connection, order_id)
    key = decisions.reoptimisation_key(number)
    hold = max(released_at - at, timedelta())
    await fulfilments.release(connection, decision, first, at, hold)
    planned = Planned(change.order.demand, change.snapshot, network, decision, hold)
    await decisions.record(
        connection, planned, business_key=key, cause=SourcingCause.REOPTIMISED, first_fulfilment=first
    )
    await timeline.append(
        connection, timeline.Event(order_id, EventKind.REOPTIMISED, key, OFL, at, _summary(change, first))
    )
    await reoptimisation.write(connection, order_id, number)
    units = fulfilments.planned_units(decision, first)
    days = [stock.WorkDay(s.node_id, s.ship_day, s.service) for s in decision.shipments]
    await stock.reserve(connection, order_id, change.order.demand.channel, units, days, at, dict(change.order.units))


def _summary(change: PlannedChange, first: int) -> ReoptimisedData:
    return ReoptimisedData(
        policy_version=change.decision.policy_version,
        cost=change.decision.cost,
        before=change.before,
        saving=change.saving,
        currency=change.decision.currency,
        recalled={held.fulfilment_id: held.node_id for held in change.order.held},
        fulfilments={
            ids.fulfilment_id(change.order.order_id, number): shipment.node_id
            for number, shipment in enumerate(change.decision.shipments, first)
        },
    )


async def without_process(connection: AsyncConnection, order_id: str) -> None:
    """No process runs for the order: a person has to look at it, if the order goes on without knowing of a change.

    One that took the change in, before the notice came, and ended is all right; so is one that was begun anew since.
    The order is not looked at again until a process has taken the change in.
    """
    await backorders.lock_order(connection, order_id)
    if await processes.must_live(connection, order_id) is None:
        await reoptimisation.mark_applied(connection, order_id)
        return
    for number in await reoptimisation.not_applied(connection, order_id):
        key = f"{order_id}:{decisions.reoptimisation_key(number)}"
        detail = "the order's work was given to other nodes, but no process runs for the order"
        await exceptions.open_(connection, order_id, ExceptionKind.REOPTIMISED_NO_PROCESS, key, detail)

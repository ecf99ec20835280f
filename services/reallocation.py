"""Re-allocation: stock reserved for an order that can wait is given to a dearer one whose promise is in danger.

What is best is worked out without a lock; then each change is made in one transaction over all orders it concerns, if
they are still as they were looked at. It waits for nobody: an order that somebody is busy with, or that was begun,
cancelled or edited meanwhile, makes the change void, and it is tried another time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from dom.notifications.messages import Notice
from dom.orders.event_data import ReallocatedData
from dom.orders.events import EventKind
from dom.orders.status import SourcingCause
from dom.orders.transitions.reallocating import give_units, given_key
from dom.shared import ids
from dom.shared.access import REALLOCATION
from dom.shared.errors import DomError, UnknownSku
from dom.shared.money import Money
from dom.sourcing.models import Demand, Snapshot, SourcingDecision
from dom.sourcing.planner import plan
from dom.sourcing.policy.document import Policy
from dom.sourcing.reallocation import (
    Endangered,
    Giver,
    Giving,
    NotHelped,
    Obstacles,
    Reallocation,
    choose,
    fits,
    pairs,
)
from dom.sourcing.sourced import SourcingRun
from services import backorder_allocation, sourcing
from services.change_orders import Writing, locked, write
from services.database import Database
from services.one_by_one import apart
from services.reoptimisation import Outdated, worlds_of
from services.sourcing_again import tell_first_days
from store import exceptions, stock
from store.backorders import first_claims, queue, reallocation
from store.fulfilment import fulfilments
from store.network.reference import Reference
from store.notifications import outbox
from store.orders import reads, timeline
from store.orders import state as order_state
from store.sourcing import decisions, reoptimisation
from store.sourcing.decisions import Planned

_WHY: Final = "its promise is in danger, and another order can wait"


@dataclass(frozen=True, slots=True)
class ReallocationsFound:
    """The re-allocations that gain most together, what they were found with, how many orders were in danger, and of
    each to which nobody gives why; the most urgent first.
    """

    found: tuple[Reallocation, ...]
    reference: Reference
    endangered: int = 0
    left: tuple[NotHelped, ...] = ()


async def look(database: Database, now: datetime, skus: Sequence[str] | None = None) -> ReallocationsFound:
    """The best re-allocations as of now, of the SKUs or (None) of all, by the live policy's terms; changes nothing.
    Raises UnknownSku.
    """
    async with database.engine.connect() as connection:
        unknown = await reads.unknown_skus(connection, skus or ())
        if unknown:
            field = f"skus[{list(skus or ()).index(unknown[0])}]"
            raise UnknownSku(f"there is no SKU {unknown[0]}", field=field, data={"skus": unknown})
        reference = await database.reference.now(connection)
        policy = reference.policy
        takers = await reallocation.takers(connection, now, policy.reallocation, skus=skus)
        wanted = sorted({each.sku for each in takers})
        givers = await reallocation.givers(connection, wanted, now, policy) if wanted else []
        if not givers:
            return _looked((), takers, Obstacles(), reference)
        forecasts = await reallocation.forecasts(connection, wanted, now.date())
        demands = [*(each.demand for each in takers), *(each.demand for each in givers)]
        worlds, reference = await worlds_of(connection, database.reference, demands)
        limited = await _limited(connection, wanted, {each.channel for each in demands}, reference)

    obstacles = Obstacles()

    def best() -> tuple[Reallocation, ...]:
        found = pairs(takers, givers, forecasts, worlds, reference.policy, reference.policy_version, limited, obstacles)
        return choose(found, forecasts, worlds)

    return _looked(await asyncio.to_thread(best), takers, obstacles, reference)


def _looked(
    found: tuple[Reallocation, ...], takers: Sequence[Endangered], obstacles: Obstacles, reference: Reference
) -> ReallocationsFound:
    policy = reference.policy
    left = obstacles.of(takers, [each.taker for each in found], policy.reallocation.least_gain, policy.currency)
    return ReallocationsFound(found, reference, len(takers), tuple(left))


async def _limited(
    connection: AsyncConnection, skus: Sequence[str], channels: set[str], reference: Reference
) -> frozenset[tuple[str, tuple[str, str]]]:
    balances = [(node.id, sku) for node in reference.nodes for sku in skus]
    return frozenset(await queue.limits(connection, balances, channels))


async def change(
    database: Database, connection: AsyncConnection, one: Reallocation, known: Reference, actor: str = REALLOCATION
) -> None:
    """Make a re-allocation, all in this transaction. Raises Outdated or OutOfReach; the transaction must then end."""
    await backorder_allocation.take_turn(connection)
    if not await reoptimisation.lock_orders(connection, one.order_ids):
        raise Outdated
    await _check(connection, one, known.policy)
    await queue.lock_balances(connection, [], also=_balances(one))
    for giving in one.gives:
        await _give(database, connection, one, giving, known, actor)
    await _take(database, connection, one, known, actor)


async def _check(connection: AsyncConnection, one: Reallocation, policy: Policy) -> None:
    """Raises Outdated if an order, the queue or the goods on their way are not as they were looked at."""
    now = one.taker.demand.as_of
    takers = await reallocation.takers(connection, now, policy.reallocation, ids=[one.taker.order_id])
    if not any(_same_need(each, one.taker) for each in takers):
        raise Outdated
    works = [giving.giver.fulfilment_id for giving in one.gives]
    found = await reallocation.givers(connection, [one.taker.sku], now, policy, ids=works)
    there = {each.fulfilment_id: each for each in found}
    if any(not _same_work(there.get(giving.giver.fulfilment_id), giving.giver) for giving in one.gives):
        raise Outdated
    if not fits(one, await reallocation.forecasts(connection, [one.taker.sku], now.date())):
        raise Outdated


def _same_need(each: Endangered, planned: Endangered) -> bool:
    return (each.sku, each.due, each.demand.lines) == (planned.sku, planned.due, planned.demand.lines)


def _same_work(each: Giver | None, planned: Giver) -> bool:
    return each is not None and (each.demand, each.node_id, each.may_wait) == (
        planned.demand,
        planned.node_id,
        planned.may_wait,
    )


def _balances(one: Reallocation) -> list[tuple[str, str]]:
    planned = [one.decision, *(giving.decision for giving in one.gives if giving.due_on is None)]
    new = {(shipment.node_id, line.sku) for each in planned for shipment in each.shipments for line in shipment.lines}
    return sorted(new | {(giving.giver.node_id, one.taker.sku) for giving in one.gives})


# --- who gives -------------------------------------------------------------------------------------------------------


async def _give(
    database: Database, connection: AsyncConnection, one: Reallocation, giving: Giving, known: Reference, actor: str
) -> None:
    giver, order_id = giving.giver, giving.giver.order_id
    at = giver.demand.as_of
    state = await locked(connection, order_id)
    first = await fulfilments.next_number(connection, order_id)
    lines = {line.line_id: line.quantity for line in giving.lines}
    told = _told_of_giver(one, giving, known, first)
    try:
        changed = give_units(state, giver.fulfilment_id, lines, actor, at, told)
    except DomError as refused:
        raise Outdated from refused
    await write(connection, state, changed, Writing(webhook=database.webhooks, notify=True))
    key = given_key(giver.fulfilment_id)
    said = _said_of_giver(one, giving)
    if giving.due_on is None or giving.counted_on is None:
        await _place(connection, giving.demand, giving.snapshot, giving.decision, known, key=key, said=said)
        return
    await queue.set_sourced_on_stock(connection, order_id, True)
    await first_claims.write(connection, order_id, giving.new_node, one.taker.sku, giving.units, giving.counted_on)
    demand = giver.demand.model_copy(update={"lines": giving.lines})
    world = giving.snapshot.model_copy(update={"available": {}, "taken_at": at})
    waits = plan(demand, world, known.policy, known.policy_version)
    planned = _explained(demand, world, waits, known, said)
    await decisions.record(
        connection, planned, business_key=key, cause=SourcingCause.REALLOCATED, first_fulfilment=first
    )


def _told_of_giver(one: Reallocation, giving: Giving, known: Reference, first: int) -> ReallocatedData:
    giver = giving.giver
    return ReallocatedData(
        role="gave",
        others=(one.taker.order_id,),
        sku=one.taker.sku,
        lines={line.line_id: line.quantity for line in giving.lines},
        node_id=giver.node_id,
        fulfilments=_numbered(giving.decision, first) if giving.due_on is None else None,
        waits_for=giving.new_node if giving.due_on else None,
        due_on=giving.due_on,
        promised=giver.told,
        after=giving.promise,
        customer_class=giver.demand.customer_class,
        weight=known.policy.reallocation.weight(giver.demand.customer_class),
        extra=giving.extra,
        currency=known.policy.currency,
        policy_version=known.policy_version,
    )


def _said_of_giver(one: Reallocation, giving: Giving) -> str:
    """In words: to whom, and why it can wait."""
    where = f"goods due at {giving.new_node} on {giving.due_on}" if giving.due_on else giving.new_node
    return (
        f"{giving.units} of {one.taker.sku} reserved at {giving.giver.node_id} went to {one.taker.order_id}, whose"
        f" promise was in danger. This order has its own from {where} and arrives by {giving.promise:%Y-%m-%d %H:%M}"
        f" UTC at the latest, as promised by {giving.giver.told:%Y-%m-%d %H:%M} UTC; that costs"
        f" {Money(amount=giving.extra, currency=one.decision.currency)} more."
    )


# --- who gets --------------------------------------------------------------------------------------------------------


async def _take(
    database: Database, connection: AsyncConnection, one: Reallocation, known: Reference, actor: str
) -> None:
    taker, order_id = one.taker, one.taker.order_id
    first = await fulfilments.next_number(connection, order_id)
    key = f"reallocated:{first}"
    data = ReallocatedData(
        role="got",
        others=tuple([giving.giver.order_id for giving in one.gives]),
        sku=taker.sku,
        lines={line.line_id: line.quantity for line in taker.demand.lines},
        node_id=one.node_id,
        fulfilments=_numbered(one.decision, first),
        promised=taker.due,
        before=one.forecast,
        after=max([shipment.promise.latest for shipment in one.decision.shipments]),
        customer_class=taker.demand.customer_class,
        weight=known.policy.reallocation.weight(taker.demand.customer_class),
        extra=one.extra,
        lateness_avoided=one.avoided,
        gain=one.gain,
        currency=known.policy.currency,
        policy_version=known.policy_version,
    )
    at = taker.demand.as_of
    await timeline.append(connection, timeline.Event(order_id, EventKind.REALLOCATED, key, actor, at, data, _WHY))
    await _place(connection, taker.demand, one.snapshot, one.decision, known, key=key, said=_said_of_taker(one))
    await tell_first_days(database, connection, order_id, key)
    await exceptions.close_sourced(connection, order_id)
    notice = outbox.to_order(order_id, Notice.ORDER_CHANGED, {"event": key}, key=f"changed:{key}")
    await outbox.write(connection, notice)


def _said_of_taker(one: Reallocation) -> str:
    """In words: from whom, and what it gains."""
    before = f"would arrive {one.forecast:%Y-%m-%d %H:%M} UTC" if one.forecast else "had no day of arrival"
    avoided, extra = (Money(amount=each, currency=one.decision.currency) for each in (one.avoided, one.extra))
    gives = ", ".join(f"{giving.units} of {giving.giver.order_id}" for giving in one.gives)
    return (
        f"{one.taker.units} of {one.taker.sku} at {one.node_id} were reserved for orders that can wait: {gives}."
        f" Without them the goods {before}, {one.late_before} days late; now it is {one.late_after}. That"
        f" avoids lateness worth {avoided} and costs {extra} more."
    )


# --- both ------------------------------------------------------------------------------------------------------------


def _numbered(decision: SourcingDecision, first: int) -> dict[str, str]:
    return {
        ids.fulfilment_id(decision.order_id, number): shipment.node_id
        for number, shipment in enumerate(decision.shipments, first)
    }


async def _place(
    connection: AsyncConnection,
    demand: Demand,
    world: Snapshot,
    decision: SourcingDecision,
    known: Reference,
    *,
    key: str,
    said: str,
) -> None:
    """The units that wait get the planned fulfilments, with their stock."""
    order_id = demand.order_id
    state = await order_state.read(connection, order_id)
    first = await fulfilments.next_number(connection, order_id)
    run = SourcingRun(attempt=0, first_fulfilment=first, cause=SourcingCause.REALLOCATED, as_of=demand.as_of)
    await sourcing.place(connection, state, _explained(demand, world, decision, known, said), run, key)
    await first_claims.end(connection, order_id)


def _explained(demand: Demand, world: Snapshot, decision: SourcingDecision, known: Reference, said: str) -> Planned:
    """The decision as it is kept: with who gave what to whom before its other reasons."""
    explained = decision.model_copy(update={"reasons": (said, *decision.reasons)})
    return Planned(demand, world, known.network, explained)


# --- a run -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReallocationRun:
    """What a run made, and the SKUs to look at again because something moved meanwhile."""

    made: tuple[Reallocation, ...]
    found: ReallocationsFound
    again: frozenset[str] = frozenset()


async def run(
    database: Database, now: datetime, skus: Sequence[str] | None = None, actor: str = REALLOCATION
) -> ReallocationRun:
    """Look, and make what is found, each re-allocation in a transaction of its own. Idempotent: what was made leaves
    nothing to find.
    """
    looked = await look(database, now, skus)
    made: list[Reallocation] = []
    again: set[str] = set()
    for one in looked.found:
        if await apart(one.taker.order_id, _made(database, one, looked.reference, actor)):
            made.append(one)
        else:
            again.add(one.taker.sku)
    return ReallocationRun(tuple(made), looked, frozenset(again))


async def _made(database: Database, one: Reallocation, known: Reference, actor: str) -> bool:
    try:
        async with database.transaction() as connection:
            await change(database, connection, one, known, actor)
    except (Outdated, stock.OutOfReach):
        return False
    return True


def shown(one: Reallocation) -> dict[str, Any]:
    """A re-allocation for people and programs: who gets what from whom, and the figures."""
    return {
        "order_id": one.taker.order_id,
        "customer_class": one.taker.demand.customer_class,
        "sku": one.taker.sku,
        "units": one.taker.units,
        "node_id": one.node_id,
        "promised": one.taker.due,
        "before": one.forecast,
        "after": max([shipment.promise.latest for shipment in one.decision.shipments]),
        "days_late_before": one.late_before,
        "days_late_after": one.late_after,
        "lateness_avoided": one.avoided,
        "extra": one.extra,
        "gain": one.gain,
        "currency": one.decision.currency,
        "gives": [
            {
                "order_id": giving.giver.order_id,
                "customer_class": giving.giver.demand.customer_class,
                "fulfilment_id": giving.giver.fulfilment_id,
                "units": giving.units,
                "new_node": giving.new_node,
                "due_on": giving.due_on,
                "promised": giving.giver.told,
                "after": giving.promise,
                "extra": giving.extra,
            }
            for giving in one.gives
        ],
    }


MOST_SHOWN: Final = 50
"""Orders that are named to which nobody gives."""


def shown_left(found: ReallocationsFound) -> list[dict[str, Any]]:
    """Of the orders to which nobody gives the most urgent, for people and programs: why."""
    return [
        {
            "order_id": each.taker.order_id,
            "customer_class": each.taker.demand.customer_class,
            "sku": each.taker.sku,
            "units": each.taker.units,
            "promised": each.taker.due,
            "why": each.obstacle,
            "says": each.says,
        }
        for each in found.left[:MOST_SHOWN]
    ]

"""Sourcing: read the world, plan by OFL, reserve what was planned, hand the work to the nodes. One transaction."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.boundary import Database
from dom.exceptions import ExceptionKind
from dom.notifications.messages import MessageKind
from dom.orders.events import EventKind, SourcedData
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.order import Order, Promise
from dom.orders.status import FAILED_SOURCING, OrderStatus, SourcingCause
from dom.orders.views import OrderView
from dom.shared import ids
from dom.shared.access import OFL
from dom.shared.base import Value
from dom.sourcing.models import Demand, DemandLine, Outcome, SourcingDecision
from dom.sourcing.policy.document import FailedNodes
from services import order_views
from services.change_orders import locked
from services.planning import SnapshotTerms, plan_units
from store import backorders, exceptions, stock
from store.fulfilment import fulfilments
from store.notifications import messages
from store.orders import orders, resuming, timeline
from store.sourcing import decisions
from store.sourcing.decisions import Planned

ATTEMPTS = 8
"""How often a plan is made again because its stock was taken between the snapshot and the reservation."""


def message_key(attempt: int) -> str:
    """The key of the messages of a later sourcing."""
    return f"sourced:{attempt}"


class Sourced(Value):
    """What sourcing gave: the nodes of fulfilments, by id, and the units that wait for stock, by line.

    Waiting units are tried again every `retry_minutes`, and cancelled after `cancel_after_days`. While some of them are
    not released, they are also tried after `release_seconds`, and the days do not count. `failed_nodes` says whether
    nodes that failed the order are asked again. With `cancels` they do not wait: the policy has them cancelled.
    `known`: this was decided before, when the units were sourced under this number. `cannot_be_sourced`
    are those of them that no node may ever give, by line: they wait for a person, not for stock.
    """

    fulfilments: dict[str, str]
    waiting: dict[str, int]
    promise: Promise | None
    retry_minutes: int
    cancel_after_days: int
    release_seconds: int | None = None
    failed_nodes: FailedNodes = FailedNodes.AFTER_OTHER_NEWS
    cancels: bool = False
    known: bool = False
    cannot_be_sourced: dict[str, int] = Field(default={})

    @property
    def told(self) -> dict[str, Any]:
        """What the channel hears of it."""
        return self.model_dump(include={"promise", "waiting", "cannot_be_sourced"})

    @property
    def for_stock(self) -> dict[str, int]:
        """Units by line that wait for stock."""
        return {line_id: n for line_id, n in self.waiting.items() if line_id not in self.cannot_be_sourced}

    def waits_told(self, asked: Mapping[str, int]) -> dict[str, Any]:
        """What the customer is told of units that were asked for: those sourced, waiting, and not possible."""
        sourced = {line_id: n - self.waiting.get(line_id, 0) for line_id, n in asked.items()}
        ships = {line_id: n for line_id, n in sourced.items() if n}
        return {"lines": self.for_stock, "ships": ships, "cannot_be_sent": self.cannot_be_sourced}


class SourceAgain(Value):
    """Source the units of an order that wait, because of news (`cause`, as of `as_of` where history is replayed), or
    because they lost their node, which the store knows. `failed_nodes`: what the policy said of nodes that failed.
    """

    order_id: str
    attempt: int
    cause: SourcingCause
    as_of: datetime
    failed_nodes: FailedNodes


class SourcedAgain(Value):
    """What sourcing gave (None: nothing waited), why it was done, and the order after it."""

    sourced: Sourced | None
    cause: SourcingCause
    view: OrderView


@dataclass(frozen=True, slots=True)
class SourcingRun:
    """Why sourcing runs, and how what it makes is numbered. Units of the soft reservation `own` are free to it.

    At the balances (node, SKU) of `not_found` a node did not find the order's units.
    """

    attempt: int
    first_fulfilment: int
    cause: SourcingCause
    as_of: datetime
    excluded_nodes: frozenset[str] = frozenset()
    own: str | None = None
    not_found: frozenset[tuple[str, str]] = frozenset()


async def decide(
    database: Database, connection: AsyncConnection, order: Order, units: Mapping[str, int], why: SourcingRun
) -> Planned:
    """Plan the given units of the order (by line) on a fresh snapshot; changes nothing.

    Raises UnknownSku and UnknownNode for what the order names and the network does not hold.
    """
    demand = Demand(
        order_id=order.order_id,
        channel=order.channel,
        country=order.ship_to.country,
        place=None,
        shipping_method=order.shipping_method,
        lines=tuple(
            DemandLine(line_id=line.line_id, sku=line.sku, quantity=units[line.line_id], unit_price=line.unit_price)
            for line in order.lines
            if units.get(line.line_id)
        ),
        as_of=why.as_of,
        pickup_node=order.pickup_node,
        requested_by=order.requested_by,
        currency=order.currency,
        excluded_nodes=why.excluded_nodes,
        ship_complete=order.ship_complete,
        region=order.ship_to.region,
        tags=order.tags,
        customer_class=order.customer.customer_class,
    )
    terms = SnapshotTerms(postal_code=order.ship_to.postal_code, own=why.own, not_found=why.not_found)
    return await plan_units(connection, database.reference, demand, terms)


async def write_down(connection: AsyncConnection, planned: Planned, why: SourcingRun) -> None:
    """Release the planned work to the nodes and keep the decision with its reasons."""
    if planned.decision.shipments:
        await fulfilments.release(connection, planned.decision, why.first_fulfilment, why.as_of, planned.hold)
    await decisions.record(
        connection,
        planned,
        business_key=decisions.sourced_key(why.attempt),
        cause=why.cause,
        first_fulfilment=why.first_fulfilment,
    )
    if planned.decision.unfilled:
        await _leave_waiting(connection, planned.decision, why.cause)


def _by_line(units: Mapping[str, int]) -> str:
    return ", ".join(f"{quantity} of line {line_id}" for line_id, quantity in units.items())


async def _leave_waiting(connection: AsyncConnection, decision: SourcingDecision, cause: SourcingCause) -> None:
    """What the policy says of units that found no node: whether they get what comes in, and whether a person looks."""
    waits, never = decision.outcome is not Outcome.CANCELLED, decision.cannot_be_sourced
    for_stock = waits and any(line.line_id not in never for line in decision.unfilled)
    await backorders.set_sourced_on_stock(connection, decision.order_id, for_stock and decision.retry.on_stock)
    anew = cause in FAILED_SOURCING
    if waits and never:
        kind, detail = ExceptionKind.CANNOT_BE_SOURCED, f"{_by_line(never)}: {' '.join(decision.reasons)}"
        await exceptions.unsourced(connection, decision.order_id, kind, kind, detail, anew=anew)
    else:
        await exceptions.close(connection, decision.order_id, ExceptionKind.CANNOT_BE_SOURCED)
    if decision.outcome is Outcome.QUEUED:
        strategy = decision.strategy or "no strategy"
        units = {line.line_id: line.quantity for line in decision.unfilled}
        detail = f"{strategy} of policy {decision.policy_version} asks for a person: no node for {_by_line(units)}"
        key = f"sourcing:{strategy}"
        await exceptions.unsourced(
            connection, decision.order_id, ExceptionKind.SOURCING_NEEDS_A_PERSON, key, detail, anew=anew
        )


async def take(
    connection: AsyncConnection,
    channel: str,
    decision: SourcingDecision,
    why: SourcingRun,
    owned: Mapping[tuple[str, str], int] = stock.NOTHING,
) -> None:
    """Take the plan's stock and capacity, whole or not at all. Raises OutOfReach.

    `owned` are units by (node, SKU) that were held for the order and given back in this transaction. Called last in
    it, so that a hot row is held for as short as can be.
    """
    if decision.shipments:
        units = fulfilments.planned_units(decision, why.first_fulfilment)
        days = [stock.WorkDay(s.node_id, s.ship_day, s.service) for s in decision.shipments]
        await stock.reserve(connection, decision.order_id, channel, units, days, why.as_of, owned)


def balances(decision: SourcingDecision) -> dict[tuple[str, str], int]:
    """The units a decision takes of each balance (node, SKU)."""
    units: defaultdict[tuple[str, str], int] = defaultdict(int)
    for shipment in decision.shipments:
        for line in shipment.lines:
            units[shipment.node_id, line.sku] += line.quantity
    return dict(units)


def sourced(decision: SourcingDecision, first_fulfilment: int) -> Sourced:
    """What the workflow needs to know of a decision."""
    return Sourced(
        fulfilments={
            ids.fulfilment_id(decision.order_id, number): shipment.node_id
            for number, shipment in enumerate(decision.shipments, first_fulfilment)
        },
        waiting={line.line_id: line.quantity for line in decision.unfilled},
        promise=decision.promise,
        retry_minutes=decision.retry.after_minutes,
        cancel_after_days=decision.retry.cancel_after_days,
        release_seconds=_seconds_to_release(decision),
        failed_nodes=decision.retry.failed_nodes,
        cancels=decision.outcome is Outcome.CANCELLED and bool(decision.unfilled),
        cannot_be_sourced=decision.cannot_be_sourced,
    )


def _seconds_to_release(decision: SourcingDecision) -> int | None:
    """A span and not a moment: the clock that decided and the workflow's need not agree, nor in the same century."""
    if decision.next_release is None:
        return None
    return ceil((decision.next_release - decision.decided_at).total_seconds())


def summary(decision: SourcingDecision, result: Sourced, why: SourcingRun) -> SourcedData:
    """The decision in the order's timeline, short."""
    return SourcedData(
        attempt=why.attempt,
        cause=why.cause,
        policy_version=decision.policy_version,
        strategy=decision.strategy,
        cost=decision.cost,
        currency=decision.currency,
        fulfilments=result.fulfilments,
        waiting=result.waiting,
        cannot_be_sourced=result.cannot_be_sourced or None,
    )


@dataclass(frozen=True, slots=True)
class SourcingActivities:
    """Sourcing after the first time."""

    database: Database

    @activity.defn(name="source_again")
    async def source_again(self, request: SourceAgain) -> SourcedAgain:
        """Source the units that wait anew; what no node can give goes on waiting. Once per attempt."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._source(request)
            except stock.OutOfReach:
                continue
        return await self._source(request)

    async def _source(self, request: SourceAgain) -> SourcedAgain:
        async with self.database.transaction() as connection:
            state = await locked(connection, request.order_id)
            made = await decisions.decision(connection, request.order_id, request.attempt)
            if made:
                result = sourced(*made).model_copy(update={"known": True})
                return await self._answer(connection, request, result, request.cause)
            if not state.backordered:
                return await self._answer(connection, request, None, request.cause)
            order = await orders.document(connection, request.order_id)
            found = await resuming.sourcings(connection, request.order_id)
            cause = found.cause or request.cause
            why = SourcingRun(
                attempt=request.attempt,
                first_fulfilment=await fulfilments.next_number(connection, request.order_id),
                cause=cause,
                as_of=self.database.as_of(order, max(request.as_of, found.as_of)),
                excluded_nodes=found.failed_nodes if _are_not_asked(request.failed_nodes, cause) else frozenset(),
                own=backorders.soft_id(request.order_id),
                not_found=await backorders.not_found(connection, request.order_id),
            )
            planned = await decide(self.database, connection, order, state.waiting, why)
            decision = planned.decision
            result = sourced(decision, why.first_fulfilment)
            await self._write(connection, state, decision, result, why)
            await write_down(connection, planned, why)
            await orders.begin_promise_anew(connection, request.order_id)
            owned = await backorders.take_allocated(connection, request.order_id, balances(decision))
            await take(connection, order.channel, decision, why, owned)
            return await self._answer(connection, request, result, cause)

    async def _answer(
        self, connection: AsyncConnection, request: SourceAgain, result: Sourced | None, cause: SourcingCause
    ) -> SourcedAgain:
        view = await order_views.get(connection, request.order_id)
        return SourcedAgain(sourced=result, cause=cause, view=view)

    async def _write(
        self,
        connection: AsyncConnection,
        state: OrderState,
        decision: SourcingDecision,
        result: Sourced,
        why: SourcingRun,
    ) -> None:
        order_id, key, asked = state.order_id, message_key(why.attempt), state.waiting
        await timeline.append(
            connection,
            timeline.Event(order_id, EventKind.SOURCED, key, OFL, why.as_of, summary(decision, result, why), why.cause),
        )
        moves = [
            orders.UnitMove(line_id, backordered=result.waiting.get(line_id, 0) - quantity)
            for line_id, quantity in asked.items()
            if result.waiting.get(line_id, 0) != quantity
        ]
        if moves:
            await orders.move_units(connection, order_id, moves)
            promise = result.promise
            window = (promise.earliest, promise.latest) if promise else None
            await orders.set_status(connection, order_id, _with_new_work(state, decision), why.as_of, window)
        if result.waiting and not result.cancels and why.cause in FAILED_SOURCING:
            await messages.write(
                connection,
                order_id,
                key,
                MessageKind.ORDER_BACKORDERED,
                context=result.waits_told(asked),
                webhook=self.database.webhooks,
            )
            if result.for_stock:
                detail = f"no stock for {_by_line(result.for_stock)}: {why.cause}"
                await exceptions.unsourced(
                    connection, order_id, ExceptionKind.BACKORDER, "backorder", detail, anew=True
                )
        await exceptions.close_sourced(connection, order_id)


def _are_not_asked(failed: FailedNodes, cause: SourcingCause) -> bool:
    """Whether nodes that failed the order are left out: new stock may be anywhere, unless the policy says never."""
    return failed is FailedNodes.NEVER or (cause in FAILED_SOURCING and failed is not FailedNodes.AT_ONCE)


def _with_new_work(state: OrderState, decision: SourcingDecision) -> OrderStatus:
    """The order's status once a node has the units that were sourced."""
    for number, shipment in enumerate(decision.shipments):
        units = {line.line_id: line.quantity for line in shipment.lines}
        state.add(FulfilmentState(f"new {number}", shipment.node_id, pickup=False, lines=units))
    return state.status()

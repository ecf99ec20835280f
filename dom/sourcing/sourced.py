"""What sourcing gives an order, as the order's process hears it, and the rules by which units are sourced again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import Any, Final

from pydantic import Field

from dom.orders.events import SourcedData
from dom.orders.lifecycle import FulfilmentState, OrderState
from dom.orders.order import Order, Promise
from dom.orders.status import FAILED_SOURCING, OrderStatus, SourcingCause
from dom.orders.views import OrderView
from dom.shared import ids
from dom.shared.base import Value
from dom.sourcing.models import Demand, DemandLine, Outcome, SourcingDecision
from dom.sourcing.policy.document import FailedNodes

FIRST_ATTEMPT: Final = 1
"""The number of the sourcing by which an order is captured."""
FIRST_FULFILMENT: Final = 1


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

    def backorder_context(self, asked: Mapping[str, int]) -> dict[str, Any]:
        """What the customer is told of units that were asked for: those sourced, waiting, and not possible."""
        sourced = {line_id: n - self.waiting.get(line_id, 0) for line_id, n in asked.items()}
        ships = {line_id: n for line_id, n in sourced.items() if n}
        return {"lines": self.for_stock, "ships": ships, "cannot_be_sent": self.cannot_be_sourced}

    def as_of_now(self, seconds_ago: int) -> "Sourced":
        """The same, said so many seconds ago, with its spans counted from now."""
        if self.release_seconds is None:
            return self
        return self.model_copy(update={"release_seconds": max(self.release_seconds - seconds_ago, 0)})


class Accepted(Value):
    """An order that was captured now, and how it stands; both are None for one that was captured before."""

    sourced: Sourced | None = None
    view: OrderView | None = None


class SourceAgain(Value):
    """Source the units of an order that wait, because of news (`cause`, as of `as_of` where history is replayed), or
    because they lost their node, which the store knows. `failed_nodes`: what the policy said of nodes that failed.
    The nodes of `without` are not asked, whatever it said.
    """

    order_id: str
    attempt: int
    cause: SourcingCause
    as_of: datetime
    failed_nodes: FailedNodes
    without: frozenset[str] = frozenset()


class SourcedAgain(Value):
    """What sourcing gave (None: nothing waited), why it was done, and the order after it."""

    sourced: Sourced | None
    cause: SourcingCause
    view: OrderView


class ResumedOrder(Value):
    """An order as it stands in the store.

    `sourced` is what the last sourcing said of units that wait, `sourcings` its number, and `waiting_seconds` how long
    they have waited. `captured_here`: the process that asks captured it, and was interrupted.
    """

    view: OrderView
    promise: Promise | None
    sourced: Sourced
    sourcings: int
    waiting_seconds: int
    captured_here: bool = False


@dataclass(frozen=True, slots=True)
class SourcingRun:
    """Why sourcing runs, and how what it makes is numbered. Units of the soft reservation `own` are free to it.

    Nothing that arrives after `deliver_by` is planned. At the balances (node, SKU) of `not_found` a node did not find
    the order's units.
    """

    attempt: int
    first_fulfilment: int
    cause: SourcingCause
    as_of: datetime
    excluded_nodes: frozenset[str] = frozenset()
    own: str | None = None
    not_found: frozenset[tuple[str, str]] = frozenset()
    deliver_by: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether units had a node and lost it."""
        return self.cause in FAILED_SOURCING


def demand_of(order: Order, units: Mapping[str, int], run: SourcingRun) -> Demand:
    """What the planner is asked for these units of the order, by line. Its place and prices are not looked up yet."""
    return Demand(
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
        as_of=run.as_of,
        pickup_node=order.pickup_node,
        requested_by=order.requested_by,
        currency=order.currency,
        excluded_nodes=run.excluded_nodes,
        ship_complete=order.ship_complete,
        region=order.ship_to.region,
        tags=order.tags,
        customer_class=order.customer.customer_class,
        deliver_by=run.deliver_by,
    )


def sourced(decision: SourcingDecision, first_fulfilment: int) -> Sourced:
    """What the order's process needs to know of a decision."""
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


def summary(decision: SourcingDecision, result: Sourced, run: SourcingRun) -> SourcedData:
    """The decision in the order's timeline, short."""
    return SourcedData(
        attempt=run.attempt,
        cause=run.cause,
        policy_version=decision.policy_version,
        strategy=decision.strategy,
        cost=decision.cost,
        currency=decision.currency,
        fulfilments=result.fulfilments,
        waiting=result.waiting,
        cannot_be_sourced=result.cannot_be_sourced or None,
    )


def leaves_out_failed_nodes(failed: FailedNodes, cause: SourcingCause) -> bool:
    """Whether nodes that failed the order are not asked: new stock may be anywhere, unless the policy says never."""
    return failed is FailedNodes.NEVER or (cause in FAILED_SOURCING and failed is not FailedNodes.AT_ONCE)


def status_with_new_work(state: OrderState, decision: SourcingDecision) -> OrderStatus:
    """The order's status once a node has the units that were sourced; the state given stays as it is."""
    lines = {line_id: replace(line) for line_id, line in state.lines.items()}
    after = OrderState(state.order_id, lines, dict(state.fulfilments))
    for number, shipment in enumerate(decision.shipments):
        units = {line.line_id: line.quantity for line in shipment.lines}
        after.add(FulfilmentState(f"new {number}", shipment.node_id, pickup=False, lines=units))
    return after.status()

"""What the planner reads and what it answers. All of it is data: a decision can be stored, read and made again."""

from collections import defaultdict
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from pydantic import Field

from dom.delivery.tariffs import Tariff
from dom.network import Node, ShippingMethod, Sku
from dom.orders.order import Promise
from dom.shared.base import Country, Currency, Minor, NodeId, Utc, Value
from dom.sourcing.policy.document import Fence, Retry

PLANNER: Final = 2
"""The planner's version: raised with every change after which it may decide otherwise on the same input."""


HOLD_BLOCKS: Final = "A hold blocks sourcing: no node is chosen until it is released."


class Place(Value):
    """A point on the map, in degrees (WGS 84)."""

    latitude: float
    longitude: float


class DemandLine(Value):
    """Units of one SKU to be sourced for one order line."""

    line_id: str
    sku: str
    quantity: int = Field(gt=0)
    unit_price: Minor = 0

    @property
    def value(self) -> int:
        """What the units are sold for, in minor units of the demand's currency."""
        return self.quantity * self.unit_price


class Demand(Value):
    """What is to be sourced, for whom, and as of when.

    `as_of` is the moment the promise counts from. `place` is None where the postal code is not known: distance then
    plays no part, and the explanation says so. `excluded_nodes` have failed this order before. `currency` is the one of
    the lines' unit prices. `deliver_by` is the promise a re-optimisation must keep: nothing later is planned.
    `promised_by` is what the customer was told before: to come later is lateness, weighed by his class.
    """

    order_id: str
    channel: str
    as_of: Utc
    country: Country
    place: Place | None
    shipping_method: ShippingMethod
    lines: tuple[DemandLine, ...] = Field(min_length=1)
    pickup_node: NodeId | None = None
    requested_by: Utc | None = None
    excluded_nodes: frozenset[NodeId] = frozenset()
    currency: Currency = "GBP"
    region: str = ""
    tags: tuple[str, ...] = ()
    customer_class: str = ""
    ship_complete: bool = False
    deliver_by: Utc | None = None
    promised_by: Utc | None = None


class StockValue(Value):
    """What a unit of a SKU at a node is worth where it lies, beyond what it costs to send it.

    `opportunity` is its shadow price (faded by age already) and `markdown` what it would lose by staying, both in minor
    units of the policy's currency; `daily_demand` is the forecast of what the node will be asked for, in units a day.
    """

    opportunity: int = 0
    markdown: int = 0
    daily_demand: float = 0.0


NO_VALUE = StockValue()


class Snapshot(Value):
    """The world as the planner sees it: one consistent read.

    `available` is what OFL may take for the order's channel, by (node, SKU): on hand less reserved less safety stock,
    less what is kept from the channel; absent means none. `capacity_used` counts fulfilment orders already taken by
    (node, local day, service), where the empty service is the day as a whole. `values` are by (node, SKU).
    """

    taken_at: Utc
    nodes: tuple[Node, ...]
    skus: dict[str, Sku]
    available: dict[tuple[str, str], int]
    capacity_used: dict[tuple[str, date, str], int]
    tariffs: tuple[Tariff, ...]
    values: dict[tuple[str, str], StockValue] = Field(default={})


class FenceResult(Value):
    """One fence for one node: what was asked and what was found."""

    fence: Fence
    passed: bool
    expected: str
    actual: str


class CostTerm(StrEnum):
    """What a plan's cost is made of."""

    FREIGHT = "freight"
    HANDLING = "handling"
    SPLIT = "split"
    LATENESS = "lateness"
    DISTANCE = "distance"
    PRIORITY = "priority"
    PACKAGING = "packaging"
    CAPACITY = "capacity"
    OPPORTUNITY = "opportunity"
    MARKDOWN = "markdown"
    SUPPLY = "supply"
    CARBON = "carbon"


class Candidate(Value):
    """A node that holds goods of the order: why it may not take part, if it may not, and what it could have given.

    `fences` has the one fence it failed and is empty where it passed them all: what else was asked and found is worked
    out again from what the planner saw, by `dom.sourcing.explanation.recomputing`.
    """

    node_id: str
    distance_km: float | None
    """To the customer, or to the store that it is sent to; to a tenth of a kilometre."""
    fences: tuple[FenceResult, ...]
    units: int = 0
    """Of the units asked for, those it holds."""
    lines_in_full: int = 0
    alone_cost: int | None = None
    """Cost of the plan that uses this node alone; None if it cannot fill the order alone."""

    @property
    def eligible(self) -> bool:
        """Whether every fence was passed."""
        return all(result.passed for result in self.fences)


class PlannedShipment(Value):
    """What one node is to ship or hand out, by which service, at what cost, arriving when."""

    node_id: str
    lines: tuple[DemandLine, ...]
    carrier: str | None
    service: ShippingMethod
    ship_by: datetime
    """The node's cut-off on the day the goods leave."""
    ship_day: date
    """The node's local day whose capacity is used."""
    promise: Promise
    weight_grams: int
    costs: dict[CostTerm, int]
    """Minor units of the decision's currency."""
    pickup_node: NodeId | None = None
    """The store that it is sent to, where the customer collects it; None for all else."""

    @property
    def cost(self) -> int:
        """Sum of the cost terms in minor units."""
        return sum(self.costs.values())

    @property
    def is_collected(self) -> bool:
        """Whether the customer collects it: the promise then begins when it is ready, and ends when it is kept no
        longer.
        """
        return self.service is ShippingMethod.PICKUP or self.pickup_node is not None


class PassedOver(Value):
    """A carrier that would have moved a planned shipment for less freight and was not taken: it arrives later."""

    node_id: str
    carrier: str
    freight: int
    """Minor units of the decision's currency."""
    latest: Utc
    """The end of the window in which it would have delivered."""


class RunnerUp(Value):
    """The best plan that was not chosen: its nodes and what it would have cost, by term over all its shipments."""

    node_ids: tuple[str, ...]
    cost: int
    costs: dict[CostTerm, int] = Field(default={})
    freight: dict[str, int] = Field(default={})
    """Of each of its nodes."""


class Outcome(StrEnum):
    """What the policy makes of what was found."""

    PLANNED = "planned"
    """Everything is sourced."""
    PART_PLANNED = "part_planned"
    """What there is goes, the rest waits."""
    WAITS = "waits"
    """Nothing goes now."""
    QUEUED = "queued"
    """What is not sourced waits, and a person is to look at it."""
    CANCELLED = "cancelled"
    """What is not sourced is cancelled."""
    HELD = "held"
    """Nothing is planned: a hold blocks it."""


class Attempt(Value):
    """One strategy that was tried: the fences given up for it, how much it filled, and at what cost."""

    strategy: str
    relaxed: tuple[Fence, ...]
    filled: int
    """Units."""
    cost: int


class SourcingDecision(Value):
    """A sourcing plan with its reasons, short enough to keep for every order and complete enough to audit.

    `exact` says that no cheaper plan exists under the strategy used; where the search was cut short it is False and
    `gap` says by how much at most a cheaper one could be, as a share of the cost. `tried` lists the strategies in the
    order they were tried; `strategy` is the one whose plan this is, empty if none matched.
    `unfilled` are the units no node can give now; they wait as a backorder. `next_release` is the next moment at which
    one of their SKUs is released at a node: what waits for it is worth another look then.
    """

    order_id: str
    policy_version: int
    decided_at: Utc
    currency: Currency
    shipments: tuple[PlannedShipment, ...]
    unfilled: tuple[DemandLine, ...]
    candidates: tuple[Candidate, ...]
    runner_up: RunnerUp | None
    exact: bool
    plans_compared: int
    reasons: tuple[str, ...]
    """Plain sentences: why this node, why split, why not shipped."""
    next_release: Utc | None = None
    strategy: str = ""
    relaxed: tuple[Fence, ...] = ()
    tried: tuple[Attempt, ...] = ()
    outcome: Outcome = Outcome.PLANNED
    retry: Retry = Retry()
    gap: float = 0.0
    others: dict[Fence, int] = Field(default={})
    """How many nodes `candidates` leaves out, by why: they hold nothing, or are not where the customer collects."""
    ruled_out: dict[str, dict[Fence, int]] = Field(
        default={},
        description="SKUs of unfilled lines that no node may ever give, with how many nodes each fence rules out.",
    )
    passed_over: tuple[PassedOver, ...] = ()
    planner: int = 0
    """Version of the planner that decided (`PLANNER`); 0: it was not written down yet."""

    def held(self, units: tuple[DemandLine, ...], why: str = HOLD_BLOCKS) -> "SourcingDecision":
        """The decision while a hold blocks sourcing, or for another reason: no node is chosen, and the units wait."""
        return SourcingDecision(
            order_id=self.order_id,
            policy_version=self.policy_version,
            decided_at=self.decided_at,
            currency=self.currency,
            shipments=(),
            unfilled=units,
            candidates=(),
            runner_up=None,
            exact=True,
            plans_compared=0,
            reasons=(why,),
            strategy=self.strategy or "held",
            outcome=Outcome.HELD,
            retry=self.retry,
            planner=self.planner,
        )

    @property
    def cost(self) -> int:
        """Total cost in minor units."""
        return sum(shipment.cost for shipment in self.shipments)

    @property
    def balances(self) -> dict[tuple[str, str], int]:
        """The units it takes of each balance (node, SKU)."""
        units: defaultdict[tuple[str, str], int] = defaultdict(int)
        for shipment in self.shipments:
            for line in shipment.lines:
                units[shipment.node_id, line.sku] += line.quantity
        return dict(units)

    @property
    def cannot_be_sourced(self) -> dict[str, int]:
        """Unfilled units by line that no node may ever give: they do not wait for stock."""
        never = not self.strategy
        return {line.line_id: line.quantity for line in self.unfilled if never or line.sku in self.ruled_out}

    @property
    def promise(self) -> Promise | None:
        """The window in which everything sourced arrives, or can be collected together; None if nothing was."""
        if not self.shipments:
            return None
        together = max if all(s.is_collected for s in self.shipments) else min
        return Promise(
            earliest=together(s.promise.earliest for s in self.shipments),
            latest=max(s.promise.latest for s in self.shipments),
        )

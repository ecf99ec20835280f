"""What the planner reads and what it answers. All of it is data: a decision can be stored, read and made again."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dom.base import Country, Currency, NodeId, Utc, Value
from dom.network import Node, NodeKind, ShippingMethod, Sku
from dom.orders import Promise
from dom.tariffs import Tariff


class Place(Value):
    """A point on the map, in degrees (WGS 84)."""

    latitude: float
    longitude: float


class DemandLine(Value):
    """Units of one SKU to be sourced for one order line."""

    line_id: str
    sku: str
    quantity: int = Field(gt=0)


class Demand(Value):
    """What is to be sourced, for whom, and as of when.

    `as_of` is the moment the promise counts from. `place` is None where the postal code is not known: distance then
    plays no part, and the explanation says so. `excluded_nodes` have failed this order before.
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


class Snapshot(Value):
    """The world as the planner sees it: one consistent read.

    `available` is what OFL may take for the order's channel, by (node, SKU): on hand less reserved less safety stock,
    less what is kept from the channel; absent means none. `capacity_used` counts fulfilment orders already taken by
    (node, local day, service), where the empty service is the day as a whole.
    """

    taken_at: Utc
    nodes: tuple[Node, ...]
    skus: dict[str, Sku]
    available: dict[tuple[str, str], int]
    capacity_used: dict[tuple[str, date, str], int]
    tariffs: tuple[Tariff, ...]


class Fence(StrEnum):
    """A hard condition a node must meet."""

    ACTIVE = "active"
    NOT_EXCLUDED = "not_excluded"
    SHIPS_TO_COUNTRY = "ships_to_country"
    PICKUP = "pickup"
    WITHIN_DISTANCE = "within_distance"
    CURRENCY = "currency"
    SERVICE = "service"
    STOCK = "stock"
    CAPACITY = "capacity"


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


class Candidate(Value):
    """A node that was looked at: the fences up to the first it failed, and what it could have given."""

    node_id: str
    distance_km: float | None
    fences: tuple[FenceResult, ...]
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

    @property
    def cost(self) -> int:
        """Sum of the cost terms in minor units."""
        return sum(self.costs.values())


class RunnerUp(Value):
    """The best plan that was not chosen: its nodes and what it would have cost."""

    node_ids: tuple[str, ...]
    cost: int


class SourcingDecision(Value):
    """A sourcing plan with its reasons, complete enough to audit.

    `exact` says that no cheaper plan exists under the policy; where the search was cut short it is False.
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

    @property
    def cost(self) -> int:
        """Total cost in minor units."""
        return sum(shipment.cost for shipment in self.shipments)

    @property
    def promise(self) -> Promise | None:
        """The window in which everything sourced arrives; None if nothing was."""
        if not self.shipments:
            return None
        return Promise(
            earliest=min(s.promise.earliest for s in self.shipments),
            latest=max(s.promise.latest for s in self.shipments),
        )


class Policy(Value):
    """The OFL policy: which nodes may ship (fences) and what is weighed (cost), in minor units where it is money.

    Published versions are immutable; each decision records the version it used. Costs are weighed in `currency`; what a
    node or a carrier charges in another one counts at `exchange_rates`.
    """

    name: str = Field(min_length=1, max_length=100)
    maximum_shipments: int = Field(default=3, ge=1, le=10)
    split_penalty: int = Field(default=250, ge=0, description="added for each shipment beyond the first")
    lateness_per_day: int = Field(
        default=400, ge=0, description="added for each day begun that a shipment arrives after `requested_by`"
    )
    distance_per_100_km: int = Field(default=4, ge=0, description="added for each 100 km from node to customer")
    priority_weight: int = Field(default=2, ge=0, description="added for each point of a node's priority")
    maximum_distance_km: dict[NodeKind, int] = Field(
        default={}, description="by node kind; a kind not named has no limit"
    )
    currency: Currency = "GBP"
    exchange_rates: dict[Currency, Annotated[float, Field(gt=0)]] = Field(
        default={}, description="what one unit of another currency is worth in `currency`"
    )
    backorder_retry_minutes: int = Field(default=360, ge=1, description="how often waiting units are tried again")
    backorder_cancel_after_days: int = Field(default=14, ge=0, description="when units that still wait are cancelled")

    def worth(self, currency: str) -> float | None:
        """What one unit of a currency is worth in the policy's; None if the policy does not say."""
        return 1.0 if currency == self.currency else self.exchange_rates.get(currency)
